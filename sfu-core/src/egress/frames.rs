//! Which packets of which stream are to be fanned out together, as numbers in the publication's cache.
//!
//! Packets of video are held until their frame's marker has come: sent together they make one run for each destination, and a packet of
//! a run costs a third of a lone one. Never longer than [`HOLD`] after the first of them. What is late already (a repair) and audio
//! never wait.
//!
//! Bounds: [`MAX_FRAME`] packets in one entry, [`MAX_HELD`] streams being gathered, [`MAX_READY`] entries ready to be sent.

use crate::keys::PublicationKey;
use crate::packet::PacketInfo;
use crate::rtp::Seq;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Packets sent together: a run's worth.
pub(crate) const MAX_FRAME: usize = 32;

/// How long the first packet of a frame waits for the last. Chromium's frames come within 0.4 ms (median; 1.2 ms at the 99th percentile).
pub(crate) const HOLD: Duration = Duration::from_micros(500);

/// Frames being gathered at a time; what is beyond isn't held. Every encoding of 340 simulcasting cameras in the same half millisecond.
const MAX_HELD: usize = 1024;

/// Entries waiting to be sent. The edge drains several times as often.
const MAX_READY: usize = 8192;

/// Emptied lists of numbers that wait to be used again.
const MAX_SPARE: usize = 256;

/// The stream a packet came on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct StreamKey {
    pub(crate) publication: PublicationKey,
    /// Index into the publication's encodings.
    pub(crate) encoding: u8,
}

/// Packets of one stream, to be fanned out one behind the other.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) stream: StreamKey,
    /// Restarts of the stream that the numbers count from.
    pub(crate) generation: u32,
    /// When the first packet came; when the frame was let go, once it is.
    pub(crate) at: Instant,
    timestamp: u32,
    /// Numbers in the publisher's stream, ascending.
    pub(crate) numbers: Vec<Seq>,
}

/// The frames of a shard.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    held: Vec<Frame>,
    ready: VecDeque<Frame>,
    spare: Vec<Vec<Seq>>,
}

impl Frames {
    /// A packet that waits for nothing. False when there is no place for it.
    pub(crate) fn pass(&mut self, now: Instant, stream: StreamKey, info: &PacketInfo) -> bool {
        let mut numbers = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(MAX_FRAME));
        numbers.push(info.seq);
        self.queue(Frame { stream, generation: info.generation, at: now, timestamp: info.timestamp, numbers })
    }

    /// A packet of a frame, which is let go with its last one. `late`: newer ones of its stream have come before. False when there is no
    /// place for it.
    pub(crate) fn hold(&mut self, now: Instant, stream: StreamKey, info: &PacketInfo, late: bool) -> bool {
        let found = self.held.iter().position(|frame| frame.stream == stream);
        let belongs = |frame: &Frame| frame.generation == info.generation && frame.timestamp == info.timestamp;
        if late && !found.and_then(|index| self.held.get(index)).is_some_and(belongs) {
            return self.pass(now, stream, info);
        }
        let Some(index) = found else {
            if info.marker || self.held.len() >= MAX_HELD {
                return self.pass(now, stream, info);
            }
            let mut numbers = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(MAX_FRAME));
            numbers.push(info.seq);
            self.held.push(Frame { stream, generation: info.generation, at: now, timestamp: info.timestamp, numbers });
            return true;
        };
        let Some(frame) = self.held.get_mut(index) else { return false };
        if !belongs(frame) {
            // The frame before has lost its end.
            self.let_go(now, index);
            return self.hold(now, stream, info, late);
        }
        // Packets that overtook each other on their way here leave in order.
        let place = frame.numbers.partition_point(|number| *number < info.seq);
        frame.numbers.insert(place, info.seq);
        if info.marker || frame.numbers.len() >= MAX_FRAME { self.let_go(now, index) } else { true }
    }

    /// When the frame that has waited longest must go.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.held.iter().map(|frame| frame.at + HOLD).min()
    }

    /// Lets go what has waited long enough.
    pub(crate) fn let_go_due(&mut self, now: Instant) {
        while let Some(index) = self.held.iter().position(|frame| frame.at + HOLD <= now) {
            self.let_go(now, index);
        }
    }

    fn let_go(&mut self, now: Instant, index: usize) -> bool {
        if index >= self.held.len() {
            return false;
        }
        let frame = self.held.swap_remove(index);
        self.queue(Frame { at: now, ..frame })
    }

    fn queue(&mut self, frame: Frame) -> bool {
        let fits = self.ready.len() < MAX_READY;
        if fits {
            self.ready.push_back(frame);
        } else {
            self.recycle(frame);
        }
        fits
    }

    /// The next to be fanned out.
    pub(crate) fn next(&mut self) -> Option<Frame> {
        self.ready.pop_front()
    }

    /// Takes back what [`Frames::next`] gave out.
    pub(crate) fn recycle(&mut self, frame: Frame) {
        if self.spare.len() < MAX_SPARE {
            let mut numbers = frame.numbers;
            numbers.clear();
            self.spare.push(numbers);
        }
    }
}

#[cfg(test)]
mod tests;
