//! What stayed in memory.

use crate::LoadError;
use std::fmt;

/// How much more memory the edge may hold at the end than at the second sample, in kB. Measured with 500 participants: 0.5 to 0.9 MB,
/// since malloc's arenas fill up by and by; with 3,000 it is flat from 1,200 on. Of 300 participants, 7 kB each would break the bound:
/// a tenth of what a receiver takes.
const BOUND_KB: u64 = 2048;

/// Memory at one point, with all tables empty.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Sample {
    /// Participants that had come and gone.
    pub cycles: usize,
    /// Resident memory of the edge, in kB of 1,024 bytes.
    pub resident_kb: u64,
}

/// What a churn has shown.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Report {
    /// Resident memory before anybody came, in kB.
    pub before_kb: u64,
    /// In order.
    pub samples: Vec<Sample>,
}

impl Report {
    /// Growth from the second sample to the last, in kB; with many, from a quarter of the way. Up to there memory is still being shared out.
    #[must_use]
    pub fn growth_kb(&self) -> u64 {
        let resident = |sample: Option<&Sample>| sample.map_or(0, |sample| sample.resident_kb);
        resident(self.samples.last()).saturating_sub(resident(self.samples.get((self.samples.len() / 4).max(1))))
    }

    /// Slope of the line that fits the samples best (least squares), in bytes for each participant.
    #[must_use]
    pub fn slope(&self) -> f64 {
        let count = self.samples.len() as f64;
        let mean = |figure: fn(&Sample) -> f64| self.samples.iter().map(figure).sum::<f64>() / count;
        let (x, y) = (mean(|sample| sample.cycles as f64), mean(|sample| sample.resident_kb as f64 * 1024.0));
        let (mut above, mut below) = (0.0, 0.0);
        for sample in &self.samples {
            let distance = sample.cycles as f64 - x;
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
        writeln!(formatter, "slope {:.0} bytes a participant; every table of the edge was empty each time", self.slope())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(resident: &[u64]) -> Report {
        let samples = resident.iter().zip(1..).map(|(resident_kb, fifth)| Sample { cycles: fifth * 100, resident_kb: *resident_kb });
        Report { before_kb: 9000, samples: samples.collect() }
    }

    #[test]
    fn what_grows_with_every_participant_is_refused() {
        assert!(report(&[15_000, 20_100, 19_900, 20_200, 20_100]).check().is_ok());
        let leaking = report(&[20_000, 21_000, 22_000, 23_000, 24_000]);
        assert!((leaking.slope() - 10_240.0).abs() < 1e-6);
        assert!(leaking.check().unwrap_err().to_string().ends_with("grew by 3000 kB, may be 2048 kB"));
    }

    #[test]
    fn what_shrinks_is_welcome() {
        assert_eq!(report(&[20_000, 18_000, 17_000]).growth_kb(), 0);
        assert!(report(&[20_000, 18_000]).slope() < 0.0);
    }
}
