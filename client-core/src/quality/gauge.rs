//! Ratings over time, as people should see them: down at once, up with care, and no flicker between levels.

use super::{Cause, Level, Points, Rating};
use crate::MonoTime;
use core::time::Duration;
use nearcast_protocol::LayerReason;

/// How long good ratings take to be believed: after this time, half of what was lost is back. Guess: with [`HOLD`], a total outage is back at
/// good after about four seconds of perfect ratings.
const BELIEVED_AFTER: f32 = 1.5;

/// How long a better level has to last before it is shown. Guess: a level that changes more often tells nothing.
const HOLD: Duration = Duration::from_secs(2);

/// How far above its threshold a better level begins.
const MARGIN: f32 = 3.0;

/// Where levels begin. Excellent is "satisfied" of G.107 Annex B (R = 80), good ends where "nearly all are dissatisfied" begins (R = 60); below
/// 20 there is no conversation (guess).
const EXCELLENT: f32 = 85.0;
const GOOD: f32 = 65.0;
const POOR: f32 = 20.0;

/// How long a rating stands when no other follows. Guess: longer than any interval between two.
const STALE_AFTER: Duration = Duration::from_secs(4);

/// What people see.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quality {
    /// 0 (nothing arrives) to 100 (nothing to wish for); 0 while the level is unknown.
    pub score: u8,
    /// The score in words, with hysteresis.
    pub level: Level,
    /// What took the most points; unknown at the best level.
    pub cause: Cause,
    /// Why the edge sends no better layer, where that is the cause.
    pub layer: Option<LayerReason>,
    /// What each term took.
    pub points: Points,
}

/// The quality of one thing: a track, a participant, a connection.
///
/// A worse rating counts at once: it is over a second of measurements already. Better ones are believed step by step. A level falls with the
/// score and rises when the score has been [`MARGIN`] above it for [`HOLD`].
#[derive(Clone, Debug, Default)]
pub struct Gauge {
    shown: Quality,
    rated_at: MonoTime,
    /// Since when the score is good enough for a better level.
    better_since: Option<MonoTime>,
}

impl Gauge {
    /// Takes the rating of now; none: nothing is known at the moment. Any interval will do, up to a few seconds.
    pub fn update(&mut self, now: MonoTime, rating: Option<Rating>) -> Quality {
        let passed = now.since(self.rated_at);
        let Some(rating) = rating else {
            if passed > STALE_AFTER {
                *self = Self { rated_at: self.rated_at, ..Self::default() };
            }
            return self.shown;
        };
        let shown = &mut self.shown;
        let first = shown.level == Level::Unknown;
        let before: f32 = 100.0 - shown.points.iter().sum::<f32>();
        let worse = first || rating.score() <= before;
        let seconds = passed.as_secs_f32();
        let step = if worse { 1.0 } else { seconds / (seconds + BELIEVED_AFTER) };
        shown.points.iter_mut().zip(rating.points).for_each(|(point, new)| *point += step * (new - *point));
        let score = (100.0 - shown.points.iter().sum::<f32>()).clamp(0.0, 100.0);
        shown.score = (score + 0.5) as u8;
        self.rated_at = now;
        let level = level(score);
        if first || level < shown.level {
            shown.level = level;
            self.better_since = None;
        } else if self::level(score - MARGIN) > shown.level {
            let since = *self.better_since.get_or_insert(now);
            if now.since(since) >= HOLD {
                shown.level = self::level(score - MARGIN);
                self.better_since = None;
            }
        } else {
            self.better_since = None;
        }
        // While it gets better, the cause is still that of the fall.
        if worse || rating.cause != Cause::Unknown {
            (shown.cause, shown.layer) = (rating.cause, rating.layer);
        }
        if shown.level == Level::Excellent && rating.cause == Cause::Unknown {
            (shown.cause, shown.layer) = (Cause::Unknown, None);
        }
        *shown
    }

    /// As last told.
    #[must_use]
    pub const fn quality(&self) -> &Quality {
        &self.shown
    }
}

fn level(score: f32) -> Level {
    if score >= EXCELLENT {
        Level::Excellent
    } else if score >= GOOD {
        Level::Good
    } else if score >= POOR {
        Level::Poor
    } else {
        Level::Lost
    }
}
