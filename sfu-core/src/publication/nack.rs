//! Which packets of one stream to ask for again (RFC 4585 §6.2.1).
//!
//! Bounds: [`MAX_MISSING`] numbers; a larger gap is a key-frame matter and is reported as such.

use crate::rtp::Seq;
use std::time::{Duration, Instant};

/// Numbers asked for at a time: two seconds of a stream that loses a tenth of 720p.
const MAX_MISSING: usize = 256;

/// Requests per packet; libwebrtc also stops at ten.
const MAX_TRIES: u8 = 10;

/// After this, a resend would come too late for any jitter buffer that talks: guess, twice the usual limit of 500 ms.
const GIVE_UP: Duration = Duration::from_secs(1);

/// Shortest pause between two requests for the same packet when the round trip is unknown or tiny.
const MIN_INTERVAL: Duration = Duration::from_millis(30);

#[derive(Clone, Copy, Debug)]
struct Missing {
    seq: Seq,
    since: Instant,
    first_asked: Option<Instant>,
    asked: Option<Instant>,
    tries: u8,
}

/// How long to wait for an answer to the `tries`-th request: one and a half round trips, or twice as long each time while none is known.
fn pause(round_trip: Option<Duration>, tries: u8) -> Duration {
    let doubled = MIN_INTERVAL.saturating_mul(1_u32.checked_shl(u32::from(tries.saturating_sub(1))).unwrap_or(u32::MAX));
    round_trip.map_or(doubled, |round_trip| (round_trip.saturating_mul(3) / 2).max(MIN_INTERVAL))
}

/// What a packet's number means for the stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Continuity {
    /// The next one, or one that was missing.
    Fine,
    /// There is a gap before it: ask at once.
    Gap,
    /// Too much is missing to ask for: only a key frame helps.
    Torn,
}

/// The missing numbers of one stream, oldest first.
#[derive(Debug, Default)]
pub(crate) struct NackList {
    missing: Vec<Missing>,
    /// Smoothed time from asking to getting the packet: the only round trip known of somebody who only publishes.
    round_trip: Option<Duration>,
}

impl NackList {
    /// Notes that `seq` arrived when `highest` was the highest number before it; `resent`: on the repair stream.
    pub(crate) fn on_packet(&mut self, seq: Seq, highest: Option<Seq>, now: Instant, resent: bool) -> Continuity {
        let Some(highest) = highest else { return Continuity::Fine };
        if seq <= highest {
            self.fill(seq, now, resent);
            return Continuity::Fine;
        }
        let gap = seq.since(highest).saturating_sub(1);
        if gap == 0 {
            return Continuity::Fine;
        }
        if gap > MAX_MISSING as u64 {
            self.missing.clear();
            return Continuity::Torn;
        }
        for step in 1..=gap {
            self.missing.push(Missing { seq: highest.forward(step), since: now, first_asked: None, asked: None, tries: 0 });
        }
        let excess = self.missing.len().saturating_sub(MAX_MISSING);
        self.missing.drain(..excess);
        Continuity::Gap
    }

    /// Gives up on everything.
    pub(crate) fn clear(&mut self) {
        self.missing.clear();
    }

    fn fill(&mut self, seq: Seq, now: Instant, resent: bool) {
        let Some(at) = self.missing.iter().position(|missing| missing.seq == seq) else { return };
        let missing = self.missing.remove(at);
        // Most often the first request is the one that was answered; where it was lost, the estimate is too long for a while.
        // A packet of the stream itself was only late: it says nothing about asking.
        if let (true, Some(asked)) = (resent, missing.first_asked) {
            let sample = now.saturating_duration_since(asked);
            self.round_trip = Some(self.round_trip.map_or(sample, |known| known.saturating_mul(7).saturating_add(sample) / 8));
        }
    }

    /// Fills `numbers` with what to ask for now, in rising order.
    pub(crate) fn due(&mut self, now: Instant, round_trip: Option<Duration>, numbers: &mut Vec<u16>) {
        numbers.clear();
        let round_trip = round_trip.or(self.round_trip);
        self.missing.retain_mut(|missing| {
            if missing.tries >= MAX_TRIES || now.saturating_duration_since(missing.since) > GIVE_UP {
                return false;
            }
            let pause = pause(round_trip, missing.tries);
            if missing.asked.is_none_or(|asked| now.saturating_duration_since(asked) >= pause) {
                missing.first_asked.get_or_insert(now);
                missing.asked = Some(now);
                missing.tries = missing.tries.saturating_add(1);
                numbers.push(missing.seq.wire());
            }
            true
        });
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.missing.is_empty()
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.missing.len()
    }
}
