//! When which recorded packet is due.
//!
//! Every play begins with the recording's first packet, so that windows of one length replay the same packets and can be compared.

use crate::trace::{Trace, TracePacket};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The clockwork of one publisher.
#[derive(Clone, Debug)]
pub struct Replay {
    packets: Arc<[TracePacket]>,
    period: Duration,
    playing: Option<Playing>,
}

#[derive(Clone, Copy, Debug)]
struct Playing {
    begun: Instant,
    length: Duration,
    next: usize,
    rounds: u32,
}

/// A packet whose time has come.
#[derive(Clone, Copy, Debug)]
pub struct Due {
    /// The packet.
    pub packet: TracePacket,
    /// It is the first of this play, or of another round through the recording: its RTP timestamp begins a new count.
    pub restarts: bool,
}

impl Replay {
    /// Of a recording; it stands still.
    #[must_use]
    pub fn new(trace: &Trace) -> Self {
        // What lies between the last packet and the first of the next round: a mean gap.
        let gap = trace.length() / u32::try_from(trace.packets.len()).unwrap_or(u32::MAX).max(1);
        Self { packets: trace.packets.clone().into(), period: trace.length() + gap, playing: None }
    }

    /// Starts from the beginning; beyond the recording's end it begins again.
    pub fn play(&mut self, now: Instant, length: Duration) {
        self.playing = Some(Playing { begun: now, length, next: 0, rounds: 0 });
    }

    /// When the next packet is due; none when it stands still.
    #[must_use]
    pub fn next_due(&self) -> Option<Instant> {
        let playing = self.playing?;
        let offset = self.packets.get(playing.next)?.at + self.period * playing.rounds;
        Some(playing.begun + offset)
    }

    /// Whether a play is on.
    #[must_use]
    pub fn is_playing(&self) -> bool {
        self.playing.is_some()
    }

    /// The next packet, if its time has come. The play ends with the last packet before its length.
    pub fn take_due(&mut self, now: Instant) -> Option<Due> {
        let due = self.next_due()?;
        let playing = self.playing.as_mut()?;
        if due >= playing.begun + playing.length {
            self.playing = None;
            return None;
        }
        if due > now {
            return None;
        }
        let packet = *self.packets.get(playing.next)?;
        let restarts = playing.next == 0;
        playing.next += 1;
        if playing.next == self.packets.len() {
            playing.next = 0;
            playing.rounds += 1;
        }
        Some(Due { packet, restarts })
    }
}

#[cfg(test)]
mod tests;
