//! What is left out where a link is too narrow for everything: the largest encodings, as many as it takes.
//!
//! That video was dropped because it had waited for too long says so. Then one more encoding of each publication is withheld, a second later
//! another; after a calm time one fewer is. When that was too early, the next calm time is twice as long.

use core::time::Duration;
use std::time::Instant;

/// Encodings that may be withheld: all but one.
const MOST: u8 = 3;

/// Until what was withheld shows its effect.
const SETTLES: Duration = Duration::from_secs(1);

/// The calm before more is sent again: the first, and the longest.
const CALM: Duration = Duration::from_secs(10);
const LONGEST_CALM: Duration = Duration::from_secs(160);

/// A step back within so long was too early.
const TOO_EARLY: Duration = Duration::from_secs(5);

/// Of one link.
#[derive(Debug)]
pub(super) struct Narrowness {
    withheld: u8,
    dropped: u64,
    /// When something was last dropped, or more was sent again.
    quiet_since: Instant,
    raised: Option<Instant>,
    lowered: Option<Instant>,
    calm: Duration,
}

impl Narrowness {
    pub(super) fn new(now: Instant) -> Self {
        Self { withheld: 0, dropped: 0, quiet_since: now, raised: None, lowered: None, calm: CALM }
    }

    /// How many encodings are withheld now.
    pub(super) fn withheld(&self) -> u8 {
        self.withheld
    }

    /// Looks at how many messages were dropped so far. Some: so many encodings are to be withheld from now on.
    pub(super) fn look(&mut self, now: Instant, dropped: u64) -> Option<u8> {
        let since = |at: Option<Instant>| at.map_or(Duration::MAX, |at| now.saturating_duration_since(at));
        if dropped > self.dropped {
            (self.dropped, self.quiet_since) = (dropped, now);
            if since(self.raised) < SETTLES || self.withheld >= MOST {
                return None;
            }
            if since(self.lowered) < TOO_EARLY {
                self.calm = (self.calm * 2).min(LONGEST_CALM);
            }
            (self.withheld, self.raised) = (self.withheld + 1, Some(now));
            return Some(self.withheld);
        }
        if now.saturating_duration_since(self.quiet_since) < self.calm {
            return None;
        }
        self.quiet_since = now;
        if self.withheld == 0 {
            self.calm = CALM;
            return None;
        }
        (self.withheld, self.lowered) = (self.withheld - 1, Some(now));
        Some(self.withheld)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn one_more_is_withheld_a_second_while_something_is_dropped() {
        let start = Instant::now();
        let mut narrow = Narrowness::new(start);
        assert_eq!(narrow.look(start, 0), None);
        assert_eq!(narrow.look(start, 5), Some(1));
        assert_eq!(narrow.look(start + SETTLES / 2, 9), None, "what was withheld a moment ago may be enough");
        assert_eq!(narrow.look(start + SETTLES, 12), Some(2));
        assert_eq!(narrow.look(start + 2 * SETTLES, 13), Some(3));
        assert_eq!(narrow.look(start + 3 * SETTLES, 14), None, "the smallest stays");
    }

    #[test]
    fn a_step_back_that_was_too_early_is_tried_half_as_often() {
        let start = Instant::now();
        let mut narrow = Narrowness::new(start);
        assert_eq!(narrow.look(start, 1), Some(1));
        assert_eq!(narrow.look(start + secs(9), 1), None);
        assert_eq!(narrow.look(start + secs(10), 1), Some(0));
        assert_eq!(narrow.look(start + secs(11), 2), Some(1));
        assert_eq!(narrow.look(start + secs(25), 2), None);
        assert_eq!(narrow.look(start + secs(31), 2), Some(0));
        assert_eq!(narrow.look(start + secs(60), 2), None);
        assert_eq!(narrow.withheld(), 0);
    }
}
