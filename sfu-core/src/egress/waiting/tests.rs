use super::*;
use crate::codec::Codec;
use crate::keys::PublicationKey;
use crate::layer::LayerTag;
use crate::packet::PacketInfo;
use crate::sdp::CodecKey;
use slotmap::SlotMap;

const PAYLOAD: &[u8] = &[0; 100];

fn packet(number: u64, keyframe: bool) -> MediaPacket<'static> {
    let info = PacketInfo {
        generation: 0,
        seq: Seq::first(65_500).forward(number),
        timestamp: 0,
        marker: false,
        payload_type: 96,
        codec: CodecKey::of(Codec::Vp8),
        keyframe,
        layer: LayerTag::single(keyframe, false, false),
        audio_level: None,
        video_orientation: None,
    };
    MediaPacket { info, payload: PAYLOAD, dependency: &[] }
}

struct Fixture {
    queue: WaitingQueue,
    spare: Spare,
    stream: StreamKey,
    at: Instant,
}

impl Fixture {
    fn new() -> Self {
        let mut publications: SlotMap<PublicationKey, ()> = SlotMap::with_key();
        let stream = StreamKey { publication: publications.insert(()), encoding: 1 };
        Self { queue: WaitingQueue::default(), spare: Spare::default(), stream, at: Instant::now() }
    }

    fn push(&mut self, slot: usize, numbers: &[u64]) {
        let packets: Vec<_> = numbers.iter().map(|number| packet(*number, false)).collect();
        self.queue.push((self.stream, 0, slot), self.at, packets.iter(), &mut self.spare);
    }

    /// Lets the first `many` of the front leave; all of it: none stays.
    fn leave(&mut self, many: usize) -> Vec<u64> {
        let numbers: Vec<_> = self.queue.front().expect("something waits").numbers().collect();
        self.queue.on_left(numbers.get(many).copied(), &mut self.spare);
        numbers.into_iter().take(many).map(|number| number.since(Seq::first(65_500))).collect()
    }

    fn bytes(&self) -> usize {
        self.queue.backlog().map_or(0, |(bytes, _)| bytes)
    }
}

#[test]
fn what_waits_leaves_in_the_order_in_which_it_came_a_part_at_a_time() {
    let mut fixture = Fixture::new();
    fixture.push(0, &[30, 31, 33, 40]);
    fixture.push(7, &[41]);
    assert_eq!((fixture.bytes(), fixture.queue.packets), (500, 5));
    assert_eq!(fixture.leave(1), [30]);
    assert_eq!((fixture.bytes(), fixture.queue.packets), (400, 4));
    assert_eq!(fixture.leave(2), [31, 33]);
    assert_eq!(fixture.leave(1), [40]);
    assert_eq!(fixture.queue.front().map(|front| front.slot), Some(7));
    assert_eq!(fixture.leave(1), [41]);
    assert!(fixture.queue.is_empty() && fixture.queue.backlog().is_none());
    assert_eq!((fixture.queue.bytes, fixture.queue.packets), (0, 0));
}

#[test]
fn numbers_far_apart_stay_together_and_in_order() {
    let mut fixture = Fixture::new();
    let numbers: Vec<u64> = (0..32).map(|step| step * 17).collect();
    fixture.push(0, &numbers);
    assert_eq!(fixture.queue.packets, 32);
    let mut left = Vec::new();
    while !fixture.queue.is_empty() {
        left.extend(fixture.leave(32));
    }
    assert_eq!(left, numbers);
    assert_eq!((fixture.queue.bytes, fixture.queue.packets), (0, 0));
}

#[test]
fn nothing_but_what_its_forwarder_still_has_can_wait() {
    let mut fixture = Fixture::new();
    fixture.push(0, &[]);
    assert!(!fixture.queue.is_empty());
    assert_eq!(fixture.queue.front().map(|front| front.len()), Some(0));
    assert!(fixture.leave(0).is_empty());
    assert!(fixture.queue.is_empty());
}

#[test]
fn it_says_when_more_waits_than_may() {
    let mut fixture = Fixture::new();
    for frame in 0..MAX_PACKETS as u64 / 32 {
        fixture.push(0, &(frame * 32..frame * 32 + 32).collect::<Vec<_>>());
    }
    assert!(!fixture.queue.is_overfull());
    fixture.push(0, &[256]);
    assert!(fixture.queue.is_overfull());
    fixture.leave(1);
    assert!(!fixture.queue.is_overfull());
}

#[test]
fn a_key_frame_that_waits_is_found() {
    let mut fixture = Fixture::new();
    fixture.push(3, &[0]);
    assert!(!fixture.queue.has_keyframe(3, 1));
    let packets = [packet(1, true), packet(2, false)];
    fixture.queue.push((fixture.stream, 0, 3), fixture.at, packets.iter(), &mut fixture.spare);
    assert!(fixture.queue.has_keyframe(3, 1));
    assert!(!fixture.queue.has_keyframe(3, 0) && !fixture.queue.has_keyframe(2, 1));
}

#[test]
fn an_empty_queue_has_no_memory_and_the_next_one_uses_it() {
    let mut fixture = Fixture::new();
    fixture.push(0, &[0]);
    let capacity = fixture.queue.queue.capacity();
    assert!(capacity > 0);
    fixture.leave(1);
    assert_eq!((fixture.queue.queue.capacity(), fixture.spare.queues.len()), (0, 1));
    fixture.push(0, &[1]);
    assert_eq!((fixture.queue.queue.capacity(), fixture.spare.queues.len()), (capacity, 0));
    for _ in 0..MAX_SPARE + 10 {
        fixture.spare.keep(VecDeque::with_capacity(1));
    }
    assert_eq!(fixture.spare.queues.len(), MAX_SPARE);
}

#[test]
fn a_frame_that_waits_takes_64_bytes_at_most() {
    assert!(size_of::<Waiting>() <= 64, "{}", size_of::<Waiting>());
}
