//! How fast one WebSocket may send: the generic cell rate algorithm (ITU-T I.371), one instant of state.

use core::time::Duration;
use std::time::Instant;

/// Lets `rate` messages a second through for long, and `burst` at once after a pause.
#[derive(Clone, Debug)]
pub struct Pace {
    interval: Duration,
    tolerance: Duration,
    /// When the next message would be due if messages came evenly.
    due: Instant,
    refused: u64,
    burst: u64,
}

/// What to do with a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Admit {
    /// Take it.
    Yes,
    /// Refuse it; one more would be fine after this long.
    Later(Duration),
    /// Refuse it and close: the sender goes on as if it hadn't been told.
    Never,
}

impl Pace {
    /// `rate` and `burst` at least 1.
    #[must_use]
    pub fn new(rate: u64, burst: u64, now: Instant) -> Self {
        let interval = Duration::from_secs(1) / u32::try_from(rate.max(1)).unwrap_or(u32::MAX);
        let tolerance = interval.saturating_mul(u32::try_from(burst.saturating_sub(1)).unwrap_or(u32::MAX));
        Self { interval, tolerance, due: now, refused: 0, burst }
    }

    /// Nothing came for so long that a new one would judge alike.
    #[must_use]
    pub fn is_rested(&self, now: Instant) -> bool {
        self.due <= now
    }

    /// Judges a message that came `now`.
    pub fn admit(&mut self, now: Instant) -> Admit {
        let due = self.due.max(now);
        let early = due.saturating_duration_since(now);
        if let Some(wait) = early.checked_sub(self.tolerance).filter(|wait| !wait.is_zero()) {
            // As many refusals as a burst, each forgiven by a message at the right pace: a client that heeds them never gets there.
            self.refused += 1;
            return if self.refused > self.burst { Admit::Never } else { Admit::Later(wait) };
        }
        self.refused = self.refused.saturating_sub(1);
        self.due = due + self.interval;
        Admit::Yes
    }
}

#[cfg(test)]
mod tests;
