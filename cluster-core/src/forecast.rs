//! How many participants there will be in a while, from how many there were.
//!
//! Demand has the shape of a week. For each quarter of an hour of the week the usual number is kept, smoothed over the weeks, and how far the present
//! lies above or below what is usual now (growth, a holiday) is smoothed over the last hours and carried ahead. Until a week has been seen the shape
//! of a day is used, and until a day has been seen the last value.
//!
//! How good it is, [`backtest`] says: it plays a series and asks before each value what it will be. docs/cluster.md has figures.
//!
//! [`Series`] feeds it by the clock and shares what is learned with other edges over a store, as [`Learned`].

pub mod learned;
pub mod series;

pub use learned::{Learned, Unreadable};
pub use series::{Meeting, Series};

/// How long one value stands for, in minutes.
pub const STEP_MINUTES: u32 = 15;

const DAY: usize = 96;

/// Values of a week.
pub const SEASONS: usize = 7 * DAY;

/// How fast what is usual follows from week to week, and how fast the present's ratio to it does from quarter to quarter. Chosen by `backtest` over
/// the committed series; between 0.2 and 0.5, and 0.05 and 0.3, the error changes by a tenth.
const USUAL: f64 = 0.30;
const RATIO: f64 = 0.15;

/// Added on both sides of ratios: at night five people instead of one mean nothing for the morning.
const FEW: f64 = 20.0;

/// What has been learned.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// By quarter of the week, and of the day.
    week: Vec<f64>,
    day: Vec<f64>,
    /// What there is, relative to what is usual.
    ratio: f64,
    last: f64,
    seen: usize,
    /// Quarter of the week of the next value, 0 is Monday 00:00.
    at: usize,
}

impl Forecast {
    /// Knows nothing; the first value that comes is that of the quarter `first` of the week (0 is Monday 00:00).
    #[must_use]
    pub fn new(first: usize) -> Self {
        Self { week: vec![0.0; SEASONS], day: vec![0.0; DAY], ratio: 1.0, last: 0.0, seen: 0, at: first % SEASONS }
    }

    /// The mean number of participants of the quarter that has just ended. What is no number teaches nothing.
    pub fn observe(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        let value = value.max(0.0);
        if let Some(usual) = self.usual(self.at) {
            self.ratio += RATIO * ((value + FEW) / (usual + FEW) - self.ratio);
        }
        let seen = self.seen;
        let learn = |table: &mut [f64], at: usize, whole: usize| {
            if let Some(usual) = table.get_mut(at) {
                *usual += if seen < whole { 1.0 } else { USUAL } * (value - *usual);
            }
        };
        learn(&mut self.week, self.at, SEASONS);
        learn(&mut self.day, self.at % DAY, DAY);
        self.last = value;
        self.seen = seen.saturating_add(1);
        self.at = (self.at + 1) % SEASONS;
    }

    /// Nobody saw the value that comes next: what is usual stays, and the present comes nearer to it. Quarters that were never seen count as on other
    /// days, so that a week with a hole in it is a week.
    pub fn skip(&mut self) {
        if self.seen > 0 {
            let guess = self.usual(self.at).unwrap_or(self.last);
            let fill = |table: &mut [f64], at: usize| {
                if let Some(usual) = table.get_mut(at) {
                    *usual = guess;
                }
            };
            if self.seen < SEASONS {
                fill(&mut self.week, self.at);
            }
            if self.seen < DAY {
                fill(&mut self.day, self.at % DAY);
            }
            self.ratio += RATIO * (1.0 - self.ratio);
            self.seen = self.seen.saturating_add(1);
        }
        self.at = (self.at + 1) % SEASONS;
    }

    /// A day of it is known: what is told from here on has a shape.
    #[must_use]
    pub fn knows_a_day(&self) -> bool {
        self.seen >= DAY
    }

    /// What the value `steps` after the last one will be, 1: the next.
    #[must_use]
    pub fn predict(&self, steps: usize) -> f64 {
        let at = self.at.saturating_add(steps).saturating_sub(1) % SEASONS;
        self.usual(at).map_or(self.last, |usual| ((usual + FEW) * self.ratio - FEW).max(0.0))
    }

    fn usual(&self, at: usize) -> Option<f64> {
        match self.seen {
            seen if seen >= SEASONS => self.week.get(at).copied(),
            seen if seen >= DAY => self.day.get(at % DAY).copied(),
            _ => None,
        }
    }
}

/// How far off forecasts were.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backtest {
    /// Sum of all errors over the sum of all values.
    pub error: f64,
    /// The same of who says that it stays as it is.
    pub error_of_persistence: f64,
    /// The same of who says that it will be as a week ago.
    pub error_of_last_week: f64,
    /// Forecasts judged.
    pub judged: usize,
}

/// Plays a series that begins on Monday at 00:00 and asks `steps` ahead; the first two weeks only teach.
#[must_use]
pub fn backtest(series: &[f64], steps: usize) -> Backtest {
    let mut forecast = Forecast::new(0);
    let (mut own, mut persistence, mut last_week, mut sum, mut judged) = (0.0, 0.0, 0.0, 0.0, 0);
    for (index, value) in series.iter().enumerate() {
        forecast.observe(*value);
        let Some(truth) = series.get(index + steps).filter(|_| index >= 2 * SEASONS) else { continue };
        own += (forecast.predict(steps) - truth).abs();
        persistence += (value - truth).abs();
        last_week += series.get(index + steps - SEASONS).map_or(0.0, |before| (before - truth).abs());
        sum += truth;
        judged += 1;
    }
    let share = |error: f64| if sum > 0.0 { error / sum } else { 0.0 };
    Backtest { error: share(own), error_of_persistence: share(persistence), error_of_last_week: share(last_week), judged }
}

#[cfg(test)]
mod tests;
