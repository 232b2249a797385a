//! What the floor sends when: the recording's frames, cut into runs of the length that the server achieved.

use super::{HEADER, TAG};
use crate::client::STAGGER;
use crate::trace::{Kind, Trace, TracePacket};
use std::time::Duration;

/// Header extension of a forwarded audio packet: the audio level (RFC 6464), with its block header.
const AUDIO_EXTENSION: usize = 8;

/// Most datagrams in one run; the server's own bound, and about where longer ones stop being cheaper.
const MOST: usize = 32;

/// One system call's worth: equal datagrams for one destination.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Run {
    /// Bytes of each.
    pub segment: usize,
    /// How many.
    pub segments: usize,
}

/// What is sent at one time, to every destination.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Burst {
    /// Since the start.
    pub at: Duration,
    /// In order.
    pub runs: Vec<Run>,
}

/// Everything that is sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Plan {
    /// In order of time.
    pub bursts: Vec<Burst>,
}

impl Plan {
    /// Of `trace`, with runs of `run_length` datagrams on average (at least 1), audio packets counted too.
    ///
    /// Packets of one frame leave when its last one has come. What audio needs is taken off first: its packets always go alone.
    #[must_use]
    pub fn new(trace: &Trace, run_length: f64) -> Self {
        let video = trace.packets.iter().filter(|packet| packet.kind == Kind::Video).count() as f64;
        let audio = trace.packets.len() as f64 - video;
        let video_runs = ((video + audio) / run_length.max(1.0) - audio).max(1.0);
        let mut pace = Pace { owed: 0.0, per_packet: (video_runs / video.max(1.0)).min(1.0) };
        let mut frame: Vec<&TracePacket> = Vec::new();
        let mut bursts = Vec::new();
        for packet in &trace.packets {
            match packet.kind {
                Kind::Audio => bursts.push(Burst { at: packet.at, runs: vec![Run { segment: datagram(packet), segments: 1 }] }),
                Kind::Video => {
                    frame.push(packet);
                    if packet.marker {
                        bursts.push(Burst { at: packet.at, runs: pace.cut(&frame) });
                        frame.clear();
                    }
                }
            }
        }
        Self { bursts }
    }

    /// The same from several publishers, each a little later than the one before, as the crews' are.
    #[must_use]
    pub fn times(self, publishers: usize) -> Self {
        let delayed = |burst: &Burst, number: u32| Burst { at: burst.at + STAGGER * number, runs: burst.runs.clone() };
        let numbers = 0..u32::try_from(publishers).unwrap_or(u32::MAX);
        let mut bursts: Vec<Burst> = numbers.flat_map(|number| self.bursts.iter().map(move |burst| delayed(burst, number))).collect();
        bursts.sort_by_key(|burst| burst.at);
        Self { bursts }
    }

    /// Datagrams and runs, to each destination.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let runs = self.bursts.iter().flat_map(|burst| &burst.runs);
        runs.fold((0, 0), |(datagrams, runs), run| (datagrams + run.segments, runs + 1))
    }
}

/// Sees to it that the number of runs comes out right over many frames, though each frame has a whole number.
struct Pace {
    owed: f64,
    per_packet: f64,
}

impl Pace {
    fn cut(&mut self, frame: &[&TracePacket]) -> Vec<Run> {
        self.owed += self.per_packet * frame.len() as f64;
        let least = frame.len().div_ceil(MOST).max(1);
        let count = (self.owed.round().max(0.0) as usize).clamp(least, frame.len().max(1));
        self.owed -= count as f64;
        let (whole, rest) = (frame.len() / count, frame.len() % count);
        let mut packets = frame.iter();
        let lengths = (0..count).map(|index| whole + usize::from(index < rest));
        lengths
            .map(|segments| {
                // All of one frame differ by a byte or so: the largest stands for all.
                let largest = packets.by_ref().take(segments).map(|packet| datagram(packet)).max();
                Run { segment: largest.unwrap_or(HEADER + TAG), segments }
            })
            .collect()
    }
}

/// Bytes of the datagram that forwards a packet.
fn datagram(packet: &TracePacket) -> usize {
    let extensions = if packet.kind == Kind::Audio { AUDIO_EXTENSION } else { 0 };
    HEADER + extensions + packet.payload + TAG
}
