//! How long to wait before trying more again: a level that failed waits twice as long each time, lower ones don't. What every ladder here shares.
//!
//! Levels are numbered from the top: 0 is everything.

use crate::MonoTime;
use core::time::Duration;

/// Levels of a ladder at most.
const LEVELS: usize = 8;

/// Failures in a row that double the wait; further ones don't.
const MAX_DOUBLINGS: u8 = 4;

/// A level that holds this long after a climb has not failed. Guess.
const PROVEN: Duration = Duration::from_secs(60);

/// Climbs of one ladder, and which of them failed.
#[derive(Debug, Default)]
pub(crate) struct Climbs {
    /// Failures in a row, by level.
    failures: [u8; LEVELS],
    /// The last step was a climb, then, and not yet proven.
    last: Option<MonoTime>,
}

impl Climbs {
    /// How long a climb to `level` waits: `base`, whole seconds, doubled for each failure, 16 times as long at most.
    pub(crate) fn hold(&self, level: usize, base: Duration) -> Duration {
        let doublings = self.failures.get(level).copied().unwrap_or_default();
        Duration::from_secs(base.as_secs() << doublings)
    }

    /// Up to another level.
    pub(crate) fn climbed(&mut self, now: MonoTime) {
        self.last = Some(now);
    }

    /// Down from `level`: a failure if the climb there was the last step and isn't proven.
    pub(crate) fn fell(&mut self, level: usize) {
        if self.last.take().is_some()
            && let Some(failures) = self.failures.get_mut(level)
        {
            *failures = (*failures + 1).min(MAX_DOUBLINGS);
        }
    }

    /// Still on `level`: after a while it is forgiven, and with it all below.
    pub(crate) fn stayed(&mut self, now: MonoTime, level: usize) {
        if self.last.is_some_and(|at| now.since(at) >= PROVEN) {
            self.last = None;
            self.failures.iter_mut().skip(level).for_each(|failures| *failures = 0);
        }
    }
}

#[cfg(test)]
mod tests;
