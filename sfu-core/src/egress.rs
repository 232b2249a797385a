//! What is about to be sent: datagrams written and sealed where they are sent from, and handed out in runs of equal size for one
//! destination that go out in one system call (UDP segmentation offload).
//!
//! One buffer serves everybody. Control traffic (STUN, DTLS, RTCP, resends) is written as it arises. Media waits as numbers of packets in
//! the publication's cache ([`frames`]) and is written when the edge drains: all of a frame's packets for one destination, then for the
//! next, a buffer's fill at a time. What a slow subscriber can't be sent yet waits as numbers, too ([`waiting`]). So nothing is kept for each destination, and a subscriber's keys and forwarder are touched once a frame.
//!
//! Invariants, each with a test of the same name: `datagrams_of_one_destination_keep_their_order`,
//! `a_run_holds_equal_sizes_and_at_most_one_shorter_last`, `sound_is_in_runs_of_its_own`, `the_buffer_is_reused`.

pub(crate) mod evening;
pub(crate) mod frames;
pub(crate) mod guard;
#[cfg(test)]
mod tests;
pub(crate) mod waiting;

use crate::remote::Remote;

/// Largest datagram we write: every media packet that browsers send (at most 1200 bytes and overhead) fits an Ethernet path.
pub(crate) const MAX_DATAGRAM: usize = 1500;

/// Datagrams in one run. The kernel takes 64 (UDP_MAX_SEGMENTS); a send of 32 was measured to cost what one of 16 does (0.52 µs a
/// datagram, against 1.2 alone): more gains nothing.
const MAX_SEGMENTS: usize = 32;

/// Bytes in one run: the kernel takes one IP packet's worth, 65,507.
const MAX_RUN: usize = 60_000;

/// Bytes gathered before they are handed out: two dozen frames of 720p. Enough for a system call's worth of runs, and small enough to
/// stay in a core's second-level cache between sealing and sending.
const BATCH_BYTES: usize = 192 * 1024;

/// Runs gathered before they are handed out.
const BATCH_RUNS: usize = 64;

/// One or more datagrams for one destination.
#[derive(Clone, Copy, Debug)]
pub struct Transmit<'a> {
    /// Where to.
    pub destination: Remote,
    /// Size of each datagram in `contents`; the last may be shorter.
    pub segment_size: usize,
    /// The datagrams, one behind the other; never empty.
    pub contents: &'a [u8],
    /// They are sound, and nothing else.
    pub sound: bool,
}

impl Transmit<'_> {
    /// How many datagrams it holds.
    #[must_use]
    pub fn datagrams(&self) -> usize {
        self.contents.len().div_ceil(self.segment_size.max(1))
    }
}

/// Runs that can be sent together; the runs of one destination are in the order in which it should get them.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    runs: &'a [Run],
    bytes: &'a [u8],
}

impl<'a> Batch<'a> {
    /// How many runs there are; never zero.
    #[must_use]
    pub fn len(&self) -> usize {
        self.runs.len()
    }

    /// True for no runs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The run at `index`.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Transmit<'a>> {
        self.runs.get(index)?.transmit(self.bytes)
    }

    /// The runs, in order.
    pub fn iter(&self) -> impl Iterator<Item = Transmit<'a>> + use<'a> {
        let Self { runs, bytes } = *self;
        runs.iter().filter_map(move |run| run.transmit(bytes))
    }
}

#[derive(Clone, Copy, Debug)]
struct Run {
    destination: Remote,
    segment_size: usize,
    segments: usize,
    start: usize,
    end: usize,
    sound: bool,
}

impl Run {
    fn transmit<'a>(&self, bytes: &'a [u8]) -> Option<Transmit<'a>> {
        let Self { destination, segment_size, sound, .. } = *self;
        Some(Transmit { destination, segment_size, contents: bytes.get(self.start..self.end)?, sound })
    }

    /// Whether a datagram of this length can follow. Sound is marked otherwise than the rest, and a run is marked as one.
    fn takes(&self, destination: Remote, length: usize, sound: bool) -> bool {
        let all_full = self.end.saturating_sub(self.start) == self.segment_size.saturating_mul(self.segments);
        all_full
            && length <= self.segment_size
            && self.segments < MAX_SEGMENTS
            && self.end.saturating_sub(self.start).saturating_add(length) <= MAX_RUN
            && self.destination == destination
            && self.sound == sound
    }
}

/// The runs of the current batch.
#[derive(Debug)]
pub(crate) struct Egress {
    bytes: Vec<u8>,
    filled: usize,
    runs: Vec<Run>,
}

impl Egress {
    pub(crate) fn new() -> Self {
        Self { bytes: Vec::new(), filled: 0, runs: Vec::with_capacity(BATCH_RUNS) }
    }

    /// Lets `write` fill a buffer of [`MAX_DATAGRAM`] bytes, whose contents are left-overs, and queues the first `n` of them when it
    /// returns `Some(n)`. Returns the datagram's size. `sound`: it is a packet of sound.
    #[inline]
    pub(crate) fn push_with(&mut self, destination: Remote, sound: bool, write: impl FnOnce(&mut [u8]) -> Option<usize>) -> Option<usize> {
        let start = self.filled;
        let room = start.saturating_add(MAX_DATAGRAM);
        if room > self.bytes.len() {
            // Grows past the batch's size only by what one input makes us say to many: reports of a big room.
            self.bytes.resize(room.next_multiple_of(BATCH_BYTES), 0);
        }
        let length = write(self.bytes.get_mut(start..room)?).filter(|length| (1..=MAX_DATAGRAM).contains(length))?;
        let end = start.saturating_add(length);
        match self.runs.last_mut() {
            Some(run) if run.takes(destination, length, sound) => {
                run.segments = run.segments.saturating_add(1);
                run.end = end;
            }
            _ => self.runs.push(Run { destination, segment_size: length, segments: 1, start, end, sound }),
        }
        self.filled = end;
        Some(length)
    }

    /// Queues a finished datagram, which isn't sound.
    pub(crate) fn push(&mut self, destination: Remote, datagram: &[u8]) {
        self.push_with(destination, false, |buffer| {
            buffer.get_mut(..datagram.len())?.copy_from_slice(datagram);
            Some(datagram.len())
        });
    }

    /// Whether `datagrams` more should wait until what is here has been handed out.
    pub(crate) fn is_full_for(&self, datagrams: usize) -> bool {
        let more = datagrams.saturating_mul(MAX_DATAGRAM);
        !self.runs.is_empty() && (self.filled.saturating_add(more) > BATCH_BYTES || self.runs.len() >= BATCH_RUNS)
    }

    /// Hands out what is here, if anything, and forgets it, keeping the buffer.
    pub(crate) fn flush(&mut self, mut send: impl FnMut(Batch<'_>)) {
        if !self.runs.is_empty() {
            send(Batch { runs: &self.runs, bytes: &self.bytes });
        }
        self.runs.clear();
        self.filled = 0;
        if self.bytes.len() > BATCH_BYTES {
            self.bytes.truncate(BATCH_BYTES);
            self.bytes.shrink_to_fit();
            self.runs.shrink_to(BATCH_RUNS);
        }
    }
}
