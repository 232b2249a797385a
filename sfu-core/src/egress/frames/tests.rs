use super::*;
use crate::codec::Codec;
use crate::layer::LayerTag;
use crate::sdp::CodecKey;
use slotmap::SlotMap;

const START: u64 = 1000;

fn info(number: u64, timestamp: u32, marker: bool) -> PacketInfo {
    PacketInfo {
        generation: 0,
        seq: Seq::first(0).forward(START + number),
        timestamp,
        marker,
        payload_type: 96,
        codec: CodecKey::of(Codec::Vp8),
        keyframe: false,
        layer: LayerTag::single(false, false, marker),
        audio_level: None,
        video_orientation: None,
    }
}

struct Fixture {
    frames: Frames,
    now: Instant,
    stream: StreamKey,
    other: StreamKey,
}

impl Fixture {
    fn new() -> Self {
        let mut publications: SlotMap<PublicationKey, ()> = SlotMap::with_key();
        let mut key = || StreamKey { publication: publications.insert(()), encoding: 0 };
        Self { frames: Frames::default(), now: Instant::now(), stream: key(), other: key() }
    }

    fn hold(&mut self, number: u64, timestamp: u32, marker: bool) {
        assert!(self.frames.hold(self.now, self.stream, &info(number, timestamp, marker), false));
    }

    fn hold_late(&mut self, number: u64, timestamp: u32, marker: bool) {
        assert!(self.frames.hold(self.now, self.stream, &info(number, timestamp, marker), true));
    }

    /// What is ready, as numbers.
    fn ready(&mut self) -> Vec<Vec<u64>> {
        let mut all = Vec::new();
        while let Some(frame) = self.frames.next() {
            all.push(frame.numbers.iter().map(|number| number.since(Seq::first(0)) - START).collect());
            self.frames.recycle(frame);
        }
        all
    }
}

#[test]
fn a_frame_goes_when_its_marker_has_come() {
    let mut fixture = Fixture::new();
    fixture.hold(0, 7, false);
    fixture.hold(1, 7, false);
    assert!(fixture.ready().is_empty());
    fixture.hold(2, 7, true);
    assert_eq!(fixture.ready(), [[0, 1, 2]]);
    assert_eq!(fixture.frames.due(), None);
}

#[test]
fn no_packet_waits_longer_than_the_hold() {
    let mut fixture = Fixture::new();
    let began = fixture.now;
    fixture.hold(0, 7, false);
    fixture.now += HOLD / 2;
    fixture.hold(1, 7, false);
    assert_eq!(fixture.frames.due(), Some(began + HOLD));
    fixture.frames.let_go_due(began + HOLD - Duration::from_nanos(1));
    assert!(fixture.ready().is_empty());
    fixture.frames.let_go_due(began + HOLD);
    assert_eq!(fixture.ready(), [[0, 1]]);
    fixture.hold(2, 7, true);
    assert_eq!(fixture.ready(), [[2]], "the rest of the frame");
}

#[test]
fn a_lost_marker_holds_nothing_up() {
    let mut fixture = Fixture::new();
    fixture.hold(0, 7, false);
    fixture.hold(2, 8, false);
    fixture.hold(3, 8, true);
    assert_eq!(fixture.ready(), [vec![0], vec![2, 3]]);
}

#[test]
fn a_large_frame_goes_in_parts() {
    let mut fixture = Fixture::new();
    (0..MAX_FRAME as u64 * 2).for_each(|number| fixture.hold(number, 7, false));
    fixture.hold(1000, 7, true);
    assert_eq!(fixture.ready().iter().map(Vec::len).collect::<Vec<_>>(), [MAX_FRAME, MAX_FRAME, 1]);
}

#[test]
fn packets_that_overtook_each_other_leave_in_order() {
    let mut fixture = Fixture::new();
    fixture.hold(1, 7, false);
    fixture.hold_late(0, 7, false);
    fixture.hold(3, 7, true);
    assert_eq!(fixture.ready(), [[0, 1, 3]]);
    fixture.hold_late(2, 7, false);
    assert_eq!(fixture.ready(), [[2]], "its frame has left");
}

#[test]
fn a_repair_waits_for_nothing_and_lets_nothing_go() {
    let mut fixture = Fixture::new();
    fixture.hold(10, 8, false);
    fixture.hold_late(3, 7, false);
    assert_eq!(fixture.ready(), [[3]]);
    fixture.hold(11, 8, true);
    assert_eq!(fixture.ready(), [[10, 11]]);
}

#[test]
fn streams_dont_wait_for_each_other() {
    let mut fixture = Fixture::new();
    fixture.hold(0, 7, false);
    let other = fixture.other;
    assert!(fixture.frames.pass(fixture.now, other, &info(50, 7, false)));
    assert!(fixture.frames.hold(fixture.now, other, &info(51, 7, true), false));
    assert_eq!(fixture.ready(), [[50], [51]]);
    fixture.hold(1, 7, true);
    assert_eq!(fixture.ready(), [[0, 1]]);
}

#[test]
fn a_restarted_stream_is_another_frame() {
    let mut fixture = Fixture::new();
    fixture.hold(0, 7, false);
    let fresh = PacketInfo { generation: 1, ..info(0, 7, true) };
    assert!(fixture.frames.hold(fixture.now, fixture.stream, &fresh, false));
    let generations: Vec<u32> = std::iter::from_fn(|| fixture.frames.next()).map(|frame| frame.generation).collect();
    assert_eq!(generations, [0, 1]);
}

#[test]
fn nothing_grows_without_bound() {
    let mut fixture = Fixture::new();
    let accepted = (0..MAX_READY as u64 + 10).filter(|number| fixture.frames.pass(fixture.now, fixture.stream, &info(*number, 7, true)));
    assert_eq!(accepted.count(), MAX_READY);
    assert_eq!(fixture.ready().len(), MAX_READY);
    assert_eq!(fixture.frames.spare.len(), MAX_SPARE);
    let mut publications: SlotMap<PublicationKey, ()> = SlotMap::with_key();
    for number in 0..MAX_HELD as u64 + 10 {
        let stream = StreamKey { publication: publications.insert(()), encoding: 0 };
        assert!(fixture.frames.hold(fixture.now, stream, &info(number, 7, false), false));
    }
    assert_eq!((fixture.frames.held.len(), fixture.frames.ready.len()), (MAX_HELD, 10));
}
