//! Video of one subscriber that is to be sent as soon as its pacer allows: like a held frame, packets' numbers in their publications'
//! caches, not bytes. They are rewritten and sealed when they leave, so their numbers and times of sending are those of leaving.
//!
//! First in, first out, for all slots of a transport together: what feeds one forwarder reaches it in the order in which it came.
//!
//! Bounds: [`MAX_PACKETS`], beyond which the front leaves at once; an empty queue has no memory. Not here: when it leaves
//! (`congestion::pacer`), who sees to it (`shard::pace`).

use super::frames::StreamKey;
use crate::packet::MediaPacket;
use crate::rtp::Seq;
use std::collections::VecDeque;
use std::time::Instant;

/// Packets that wait: half of what a cache holds, so that all of them are still there when they leave, even if as many that are of no
/// interest to this subscriber came meanwhile.
const MAX_PACKETS: usize = 256;

/// Packets of one frame, or of a part of it, for one slot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    pub(crate) stream: StreamKey,
    /// Restarts of the stream that the numbers count from.
    pub(crate) generation: u32,
    /// Index into the transport's slots.
    pub(crate) slot: u16,
    /// Payload of all of them.
    bytes: u32,
    /// A key frame begins here.
    keyframe: bool,
    /// When the frame was let go.
    pub(crate) at: Instant,
    first: Seq,
    /// Which numbers from `first` on, one bit each.
    mask: u64,
}

impl Waiting {
    /// How many packets it is; none, when only the rest of a key frame that came early is left to its forwarder.
    pub(crate) fn len(&self) -> usize {
        self.mask.count_ones() as usize
    }

    /// The lowest number.
    pub(crate) fn first(&self) -> Seq {
        self.first
    }

    /// Their numbers, ascending.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = Seq> + use<> {
        let Self { first, mut mask, .. } = *self;
        std::iter::from_fn(move || {
            let step = mask.trailing_zeros();
            mask &= mask.wrapping_sub(1); // the lowest bit goes
            (step < u64::BITS).then(|| first.forward(u64::from(step)))
        })
    }
}

/// The queue of one transport.
#[derive(Debug, Default)]
pub(crate) struct WaitingQueue {
    queue: VecDeque<Waiting>,
    packets: usize,
    bytes: usize,
    /// Its transport is on the shard's list of those that have to be looked after.
    pub(crate) listed: bool,
}

impl WaitingQueue {
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// More waits than may.
    pub(crate) fn is_overfull(&self) -> bool {
        self.packets > MAX_PACKETS
    }

    /// Payload that waits, and since when the first of it does.
    pub(crate) fn backlog(&self) -> Option<(usize, Instant)> {
        self.queue.front().map(|front| (self.bytes, front.at))
    }

    pub(crate) fn front(&self) -> Option<Waiting> {
        self.queue.front().copied()
    }

    /// Whether a key frame of this encoding waits for slot `slot`.
    pub(crate) fn has_keyframe(&self, slot: usize, encoding: u8) -> bool {
        self.queue.iter().any(|waiting| waiting.keyframe && usize::from(waiting.slot) == slot && waiting.stream.encoding == encoding)
    }

    /// Lets packets wait, in the order of their numbers; also none, see [`Waiting::len`]. `spare`: memory for a queue that has none.
    pub(crate) fn push<'a>(
        &mut self,
        (stream, generation, slot): (StreamKey, u32, usize),
        at: Instant,
        packets: impl Iterator<Item = &'a MediaPacket<'a>>,
        spare: &mut Spare,
    ) {
        if self.queue.is_empty() {
            self.queue = spare.queues.pop().unwrap_or_default();
        }
        let slot = u16::try_from(slot).unwrap_or(u16::MAX);
        let none = Waiting { stream, generation, slot, bytes: 0, keyframe: false, at, first: Seq::first(0), mask: 0 };
        let mut waiting = none;
        for packet in packets {
            let number = packet.info.seq;
            if waiting.mask != 0 && number.since(waiting.first) >= u64::from(u64::BITS) {
                self.queue.push_back(std::mem::replace(&mut waiting, none));
            }
            if waiting.mask == 0 {
                waiting.first = number;
            }
            waiting.mask |= 1_u64.wrapping_shl(number.since(waiting.first) as u32);
            waiting.bytes = waiting.bytes.saturating_add(packet.payload.len() as u32);
            waiting.keyframe |= packet.info.keyframe;
            self.packets = self.packets.saturating_add(1);
            self.bytes = self.bytes.saturating_add(packet.payload.len());
        }
        self.queue.push_back(waiting);
    }

    /// The front's packets before `next` have left; none: all of it has.
    pub(crate) fn on_left(&mut self, next: Option<Seq>, spare: &mut Spare) {
        let Some(front) = self.queue.front_mut() else { return };
        let before = front.len();
        let steps = next.map_or(u64::MAX, |next| next.since(front.first));
        front.mask &= u64::MAX.checked_shl(u32::try_from(steps).unwrap_or(u32::MAX)).unwrap_or(0);
        let left = before.saturating_sub(front.len());
        let bytes = match next {
            Some(_) => (front.bytes as usize).saturating_mul(left).checked_div(before).unwrap_or(0),
            None => front.bytes as usize,
        };
        front.bytes = front.bytes.saturating_sub(bytes as u32);
        self.packets = self.packets.saturating_sub(left);
        self.bytes = self.bytes.saturating_sub(bytes);
        if next.is_none() {
            self.queue.pop_front();
        }
        if self.queue.is_empty() {
            spare.keep(std::mem::take(&mut self.queue));
        }
    }
}

/// Emptied queues that wait to be used again: whoever is sent a key frame every few seconds needs no memory of its own for it.
#[derive(Debug, Default)]
pub(crate) struct Spare {
    queues: Vec<VecDeque<Waiting>>,
}

/// Spare queues: as many as key frames of one camera to its viewers make at a time, in a room of some size.
const MAX_SPARE: usize = 64;

impl Spare {
    fn keep(&mut self, queue: VecDeque<Waiting>) {
        if self.queues.len() < MAX_SPARE {
            self.queues.push(queue);
        }
    }
}

#[cfg(test)]
mod tests;
