//! What is remembered of a source between two decisions: where it stood, and how its upgrades went.

use super::ladder::{Ladder, Position, resting};
use super::{Choice, Source};
use std::cmp::Ordering;
use std::time::{Duration, Instant};

/// How long a source that had to go down stays there. Others wait 5 s (LiveKit settles a probe for so long) to 10 s (mediasoup).
const HOLD_DOWN: Duration = Duration::from_secs(5);

/// A pause is held for one part in so many of a hold-down: a second and a quarter at first. Guess.
const PAUSED_PART: u32 = 4;

/// The longest hold-down: four failures double it so far. LiveKit stops at two minutes.
const LONGEST_HOLD_DOWN: Duration = Duration::from_secs(80);

/// An upgrade that is taken back within this time has failed: an estimate needs a few seconds to find out (GCC's delay filter, and a
/// loss-based one even longer).
const FAILS_WITHIN: Duration = Duration::from_secs(10);

/// After this long without a cut beyond the hold-down, old failures count no more. Guess: links change on the scale of a minute.
const FORGIVEN_AFTER: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Place {
    /// Not decided yet, or not wanted last time: starts as a new source does.
    #[default]
    New,
    /// Paused because there was no room.
    Paused,
    At(Position),
    /// Muted while it stood there.
    Resting(Position),
}

/// Where a source stood, and how its upgrades went.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Memory {
    place: Place,
    /// When it last went up.
    upgraded: Option<Instant>,
    /// When bandwidth last made it go down.
    cut: Option<Instant>,
    /// Where it stood then.
    cut_from: Option<Position>,
    /// Failed upgrades in a row.
    failures: u32,
}

impl Memory {
    /// The subscriber wants something else now: what failed may be worth another try.
    pub(crate) fn forgive(&mut self) {
        *self = Self { place: self.place, ..Self::default() };
    }

    /// A picture that is gone altogether is tried again sooner than a better one.
    fn hold_down(&self) -> Duration {
        self.full_hold_down() / if self.place == Place::Paused { PAUSED_PART } else { 1 }
    }

    fn full_hold_down(&self) -> Duration {
        HOLD_DOWN.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX)).min(LONGEST_HOLD_DOWN)
    }

    /// The level it may not go above yet, where it stands or is put being allowed in any case; none: it may go anywhere.
    ///
    /// What failed is the level it was taken down from. Lower ones wait for the first hold-down only, however often that one failed.
    pub(super) fn cap_in(&self, ladder: &Ladder, now: Instant) -> Option<usize> {
        let since = now.saturating_duration_since(self.cut?);
        let first = HOLD_DOWN / if self.place == Place::Paused { PAUSED_PART } else { 1 };
        match self.cut_from {
            _ if since >= self.hold_down() => None,
            Some(failed) if since >= first => Some(ladder.level_of(failed).saturating_sub(1)),
            _ => Some(0),
        }
    }

    /// The connection has just turned out to hold less.
    pub(super) fn is_fresh_cut(&self, now: Instant) -> bool {
        self.cut.is_some_and(|cut| now.saturating_duration_since(cut) < HOLD_DOWN)
    }

    /// The level it stood on last time, on today's ladder; none: new.
    pub(super) fn level_in(&self, ladder: &Ladder) -> Option<usize> {
        match self.place {
            Place::New | Place::Resting(_) => None,
            Place::Paused => Some(0),
            Place::At(position) => Some(ladder.level_of(position)),
        }
    }

    /// What to remember of `source` when it goes from `previous` to `level`.
    pub(super) fn after(
        mut self,
        source: &Source<'_>,
        ladder: &Ladder,
        previous: Option<usize>,
        level: usize,
        overloaded: bool,
        now: Instant,
    ) -> Self {
        let since_cut = self.cut.map(|cut| now.saturating_duration_since(cut));
        if since_cut.is_some_and(|since| since >= self.full_hold_down().saturating_add(FORGIVEN_AFTER)) {
            self.cut = None;
            self.failures = 0;
        }
        match previous {
            Some(before) if level < before && overloaded => {
                let failed = self.upgraded.is_some_and(|at| now.saturating_duration_since(at) < FAILS_WITHIN);
                self.failures = if failed { self.failures.saturating_add(1).min(MOST_DOUBLINGS) } else { self.failures };
                // A cut while another one holds is that one's end.
                let held = since_cut.is_some_and(|since| since < HOLD_DOWN);
                self.cut_from = ladder.position(before).filter(|_| !held).or(self.cut_from);
                self.cut = Some(now);
                self.upgraded = None;
            }
            Some(before) if level > before => self.upgraded = Some(now),
            _ => {}
        }
        self.place = match (ladder.position(level), self.place) {
            (Some(position), _) => Place::At(position),
            (None, _) if ladder.top() > 0 => Place::Paused,
            // It was not bandwidth.
            (None, Place::At(position) | Place::Resting(position)) if source.muted => Place::Resting(position),
            (None, _) => Place::New,
        };
        self
    }

    /// Whether it stands higher or lower than before; neither when it just came or wasn't wanted.
    pub(super) fn compared_with(&self, before: &Self) -> Ordering {
        match (before.place, self.place) {
            (Place::At(before), Place::At(now)) => now.cmp(&before),
            (Place::At(_), Place::Paused | Place::New) => Ordering::Less,
            (Place::Paused, Place::At(_)) => Ordering::Greater,
            _ => Ordering::Equal,
        }
    }

    /// What to forward of a muted source.
    pub(super) fn resting(&self, source: &Source<'_>) -> Choice {
        let last = if let Place::At(position) | Place::Resting(position) = self.place { Some(position) } else { None };
        resting(source.rungs, last).map_or(Choice::Await, Choice::Forward)
    }
}

/// Doublings from [`HOLD_DOWN`] to [`LONGEST_HOLD_DOWN`].
const MOST_DOUBLINGS: u32 = 4;
