//! What stayed in memory.

use crate::LoadError;
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

/// How much more memory the edge may hold at the end than at the second sample, in kB. Measured with 500 participants: 0.5 to 0.9 MB,
/// since malloc's arenas fill up by and by; with 3,000 it is flat from 1,200 on. Of 300 participants, 7 kB each would break the bound:
/// a tenth of what a receiver takes.
const BOUND_KB: u64 = 2048;

/// So many samples are those of a soak.
const MANY: usize = 8;

/// Memory at one point, with all tables empty.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Sample {
    /// Participants that had come and gone.
    pub cycles: usize,
    /// Resident memory of the edge, in kB of 1,024 bytes.
    pub resident_kb: u64,
    /// When: since the first participant came.
    pub at: Duration,
}

/// What a churn has shown.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Report {
    /// Resident memory before anybody came, in kB.
    pub before_kb: u64,
    /// In order.
    pub samples: Vec<Sample>,
    /// What happened besides, by name: how often, and how much was thrown.
    pub troubles: BTreeMap<&'static str, (u64, u64)>,
    began: Instant,
}

impl Report {
    /// Nobody has come yet.
    pub(super) fn begin(before_kb: u64) -> Self {
        Self { before_kb, samples: Vec::new(), troubles: BTreeMap::new(), began: Instant::now() }
    }

    /// Notes what the edge holds with all tables empty.
    pub(super) fn note(&mut self, cycles: usize, resident_kb: u64) {
        self.samples.push(Sample { cycles, resident_kb, at: self.began.elapsed() });
    }

    /// The samples from which on memory is expected to be flat: all but the first, with many the second half. Up to there malloc's arenas fill
    /// up: what is in use in them doesn't grow (`malloc_stats`).
    fn settled(&self) -> &[Sample] {
        let from = if self.samples.len() < MANY { 1 } else { self.samples.len() / 2 };
        self.samples.get(from..).unwrap_or_default()
    }

    /// Growth from the second sample to the last, in kB; with many, from half of the way.
    #[must_use]
    pub fn growth_kb(&self) -> u64 {
        let resident = |sample: Option<&Sample>| sample.map_or(0, |sample| sample.resident_kb);
        resident(self.settled().last()).saturating_sub(resident(self.settled().first()))
    }

    /// Slope from there on of the line that fits best (least squares), in bytes for each participant.
    #[must_use]
    pub fn slope(&self) -> f64 {
        self.slope_over(|sample| sample.cycles as f64)
    }

    /// The same in bytes a second.
    #[must_use]
    pub fn slope_per_second(&self) -> f64 {
        self.slope_over(|sample| sample.at.as_secs_f64())
    }

    fn slope_over(&self, along: fn(&Sample) -> f64) -> f64 {
        let samples = self.settled();
        let mean = |figure: fn(&Sample) -> f64| samples.iter().map(figure).sum::<f64>() / samples.len() as f64;
        let (x, y) = (mean(along), mean(|sample| sample.resident_kb as f64 * 1024.0));
        let (mut above, mut below) = (0.0, 0.0);
        for sample in samples {
            let distance = along(sample) - x;
            above += distance * (sample.resident_kb as f64 * 1024.0 - y);
            below += distance * distance;
        }
        if below > 0.0 { above / below } else { 0.0 }
    }

    pub(super) fn check(&self) -> Result<(), LoadError> {
        if self.growth_kb() <= BOUND_KB {
            return Ok(());
        }
        Err(LoadError::OutOfBounds(format!("{self}the edge's memory grew by {} kB, may be {BOUND_KB} kB", self.growth_kb())))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "participants  resident MB")?;
        writeln!(formatter, "{:>12}  {:>11.1}", 0, self.before_kb as f64 / 1024.0)?;
        for sample in &self.samples {
            writeln!(formatter, "{:>12}  {:>11.1}", sample.cycles, sample.resident_kb as f64 / 1024.0)?;
        }
        for (what, (times, thrown)) in &self.troubles {
            writeln!(formatter, "{times:>5} times {what}: {thrown} thrown")?;
        }
        let hourly = self.slope_per_second() * 3_600.0 / (1024.0 * 1024.0);
        writeln!(
            formatter,
            "slope once it has settled: {:.0} bytes a participant, {hourly:.2} MB an hour; every table of the edge was empty each time",
            self.slope()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(resident: &[u64]) -> Report {
        let mut report = Report::begin(9000);
        let sample =
            |(resident_kb, fifth): (u64, usize)| Sample { cycles: fifth * 100, resident_kb, at: Duration::from_secs(fifth as u64) };
        report.samples.extend(resident.iter().copied().zip(1..).map(sample));
        report
    }

    #[test]
    fn what_grows_with_every_participant_is_refused() {
        assert!(report(&[15_000, 20_100, 19_900, 20_200, 20_100]).check().is_ok());
        let leaking = report(&[20_000, 21_000, 22_000, 23_000, 24_000]);
        assert!((leaking.slope() - 10_240.0).abs() < 1e-6);
        assert!((leaking.slope_per_second() - 1_024_000.0).abs() < 1e-6);
        assert!(leaking.check().unwrap_err().to_string().ends_with("grew by 3000 kB, may be 2048 kB"));
    }

    #[test]
    fn what_shrinks_is_welcome() {
        assert_eq!(report(&[20_000, 18_000, 17_000]).growth_kb(), 0);
        assert!(report(&[20_000, 18_000, 17_000]).slope() < 0.0);
    }
}
