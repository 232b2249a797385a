//! The transport: how far it is to the other side, and whether anything comes from there.

use super::record::{Field, Record};

/// Nothing came for this long although something should have: the way is cut, in milliseconds. Guess: seven times as long as a receiver of
/// media goes without feedback, and more than silence suppression (400 ms) leaves between packets.
const CUT_AFTER: f64 = 700.0;

/// Nothing came for this long: worth a closer look, in milliseconds. Guess.
const DOUBTFUL_AFTER: f64 = 200.0;

/// A stream that moved this long before everything stopped was flowing, in milliseconds: two readings.
const TOGETHER: f64 = 2200.0;

/// What carries everything.
#[derive(Debug, Default)]
pub struct Way {
    last: Option<Record>,
    /// When bytes were last seen to have come; none: never, so their absence says nothing.
    heard_at: Option<f64>,
}

impl Way {
    pub(super) fn read(&mut self, record: &Record) {
        let came = self.last.as_ref().and_then(|last| record.rise(last, Field::Bytes)).is_some_and(|bytes| bytes > 0.0);
        let seen_at = if came { Some(record.at()) } else { self.heard_at };
        // The browser's own time of the last packet is better than ours; a clock of another kind can't be later than now.
        let said_at = record.get(Field::HeardAt).filter(|at| *at <= record.at() && record.at() - at < 60_000.0);
        self.heard_at = said_at.or(seen_at);
        self.last = Some(record.clone());
    }

    /// Bytes received so far.
    #[must_use]
    pub fn received(&self) -> Option<f64> {
        self.last.as_ref()?.get(Field::Bytes)
    }

    /// Round trip by the latest check, in milliseconds.
    #[must_use]
    pub fn rtt_ms(&self) -> Option<f32> {
        Some((self.last.as_ref()?.get(Field::Rtt)? * 1000.0) as f32)
    }

    /// What the browser believes it can send, in bits per second.
    #[must_use]
    pub fn sendable(&self) -> Option<f32> {
        Some(self.last.as_ref()?.get(Field::LossRatio)? as f32)
    }

    /// Nothing has come for a moment. That may be right: perhaps everybody is muted.
    #[must_use]
    pub fn is_doubtful(&self) -> bool {
        self.silence().is_some_and(|silence| silence > DOUBTFUL_AFTER)
    }

    /// Whether a stream that last moved at this time stopped, or is sent in vain, because the way is cut.
    pub(super) fn fell_silent_with(&self, moved_at: f64) -> bool {
        let cut = self.silence().filter(|silence| *silence >= CUT_AFTER);
        cut.and(self.heard_at).is_some_and(|heard_at| moved_at > 0.0 && moved_at > heard_at - TOGETHER)
    }

    /// For how long nothing has come, in milliseconds.
    #[must_use]
    pub fn silence(&self) -> Option<f64> {
        Some(self.last.as_ref()?.at() - self.heard_at?)
    }
}
