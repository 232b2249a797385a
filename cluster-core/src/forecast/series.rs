//! One region by the clock: looks every few seconds become quarters of an hour, and what those teach is shared with other edges over a store.
//!
//! Every edge sees the same people, so each learns the same series. It has one state in the store, which is replaced and never added to: whoever
//! ends a quarter first writes it, and the others take that for theirs. What counts is how many quarters somebody saw whole, so an edge that has
//! just started takes and doesn't give. A quarter that an edge came into, that was interrupted, or of which it heard nothing (its store was away) isn't whole: who
//! saw it writes over who didn't, whichever was first.

use super::learned::{Learned, QUARTER, quarter_of};
use super::{DAY, SEASONS};
use core::time::Duration;

/// A quarter with nothing heard for longer than this isn't whole. Looks are seconds apart.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);

/// What is known of less than a day doesn't outlive a gap of more quarters than this.
const FEW: u64 = 4;

/// What is older than this isn't how a region is any more, and goes: four weeks.
pub const KEPT: Duration = Duration::from_secs(4 * SEASONS as u64 * QUARTER);

/// Quarters of [`KEPT`].
const LONGEST_GAP: u64 = 4 * SEASONS as u64;

/// What became of it when it met what the store holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Meeting {
    /// Theirs saw as much or more, and is ours from now on.
    Taken,
    /// Ours saw more: write this over what was read, if that still stands there; then [`Series::settle`].
    Write(Vec<u8>),
    /// There is nothing to take, and nothing to give.
    Nothing,
}

/// See the [module](self).
#[derive(Clone, Debug)]
pub struct Series {
    learned: Learned,
    /// Of the quarter that goes on.
    sum: f64,
    looks: u32,
    torn: bool,
    /// When something was known for the last time, since 1970; never before the quarter began.
    known: Duration,
    due: bool,
}

impl Series {
    /// Knows nothing, and begins now. `unix`: since 1970.
    #[must_use]
    pub fn new(unix: Duration) -> Self {
        let quarter = quarter_of(unix);
        Self { learned: Learned::nothing(quarter), sum: 0.0, looks: 0, torn: false, known: begin(quarter), due: true }
    }

    /// Looks; to be called every few seconds. None: how many there are isn't known, as what edges tell of themselves doesn't arrive.
    ///
    /// A clock that is set back, or four weeks ahead, begins anew: what was learned belongs to other times of the week. One that goes back into the
    /// quarter before is waited for.
    pub fn look(&mut self, unix: Duration, participants: Option<f64>) {
        let quarter = quarter_of(unix);
        match quarter.checked_sub(self.learned.quarter) {
            Some(0) => (),
            None if quarter.saturating_add(1) == self.learned.quarter => return,
            Some(passed) if passed <= FEW || (passed <= LONGEST_GAP && self.learned.forecast.knows_a_day()) => self.go_on(quarter),
            _ => *self = Self::new(unix),
        }
        if let Some(participants) = participants {
            self.torn |= unix.saturating_sub(self.known) > LONGEST_SILENCE;
            self.known = unix;
            self.sum += participants;
            self.looks = self.looks.saturating_add(1);
        }
    }

    /// Ends the quarter, and those of which nothing was seen.
    fn go_on(&mut self, to: u64) {
        let end = begin(self.learned.quarter.saturating_add(1));
        let whole = self.looks > 0 && !self.torn && end.saturating_sub(self.known) <= LONGEST_SILENCE;
        self.learned.pass((self.looks > 0).then(|| self.sum / f64::from(self.looks)));
        self.learned.whole = self.learned.whole.saturating_add(whole.into());
        self.catch_up(to);
        *self = Self { learned: self.learned.clone(), ..Self::new(begin(to)) };
    }

    fn catch_up(&mut self, to: u64) {
        while self.learned.quarter < to {
            self.learned.pass(None);
        }
    }

    /// Participants of the quarter that goes on; none: less than a day was seen whole.
    #[must_use]
    pub fn expected(&self) -> Option<f32> {
        let known = usize::try_from(self.learned.whole).unwrap_or(usize::MAX) >= DAY;
        known.then(|| self.learned.forecast.predict(1) as f32)
    }

    /// What has been learned.
    #[must_use]
    pub fn learned(&self) -> &Learned {
        &self.learned
    }

    /// It is to meet what the store holds: it has just begun, or a quarter has ended since.
    #[must_use]
    pub fn is_due(&self) -> bool {
        self.due
    }

    /// It has met what the store holds, or can't: not before the next quarter ends.
    pub fn settle(&mut self) {
        self.due = false;
    }

    /// Meets what the store holds; none: nothing, or nothing that can be read.
    pub fn meet(&mut self, stored: Option<Learned>) -> Meeting {
        let now = self.learned.quarter;
        // Older than is kept: as if it weren't there.
        let stored = stored.filter(|stored| now.saturating_sub(stored.quarter) <= LONGEST_GAP);
        if let Some(stored) = stored {
            let better = self.learned.is_blank() || stored.rank() >= self.learned.rank();
            if better && stored.quarter <= now {
                self.learned = stored;
                self.catch_up(now);
                self.settle();
                return Meeting::Taken;
            }
            if better {
                // Whoever wrote it is in the next quarter already, and so is this edge in a moment; else one of two clocks is wrong.
                self.due = stored.quarter == now.saturating_add(1);
                return Meeting::Nothing;
            }
        }
        if self.learned.is_blank() {
            self.settle();
            return Meeting::Nothing;
        }
        Meeting::Write(self.learned.to_bytes())
    }
}

/// When a quarter begins, since 1970.
fn begin(quarter: u64) -> Duration {
    Duration::from_secs(quarter.saturating_mul(QUARTER))
}

#[cfg(test)]
mod tests;
