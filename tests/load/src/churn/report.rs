//! What stayed in memory.

use crate::LoadError;
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

/// How much more of the machine's memory the edge may hold at the end than at the second sample, in kB. Measured with 500 participants: 0.5 to
/// 0.9 MB, since malloc's arenas fill up by and by; with 3,000 it is flat from 1,200 on. Of 300 participants, 7 kB each would break the bound:
/// a tenth of what a receiver takes.
const BOUND_KB: u64 = 2048;

/// How much more may be in use in it, in bytes.
const IN_USE_BOUND: u64 = 128 << 10;

/// Memory at one point, with all tables empty.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Sample {
    /// Participants that had come and gone.
    pub cycles: usize,
    /// Resident memory of the edge, in kB of 1,024 bytes.
    pub resident_kb: u64,
    /// Bytes in use in it.
    pub in_use: u64,
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
    pub(super) fn note(&mut self, cycles: usize, resident_kb: u64, in_use: u64) {
        self.samples.push(Sample { cycles, resident_kb, in_use, at: self.began.elapsed() });
    }

    /// The samples from which on memory is expected to be flat: all but the first, with many all but the first quarter. Up to there malloc's
    /// arenas fill up.
    fn settled(&self) -> &[Sample] {
        self.samples.get((self.samples.len() / 4).max(1)..).unwrap_or_default()
    }

    /// How much `of` a sample grew from there on, in its unit.
    fn growth(&self, of: fn(&Sample) -> u64) -> u64 {
        let figure = |sample: Option<&Sample>| sample.map_or(0, of);
        figure(self.settled().last()).saturating_sub(figure(self.settled().first()))
    }

    /// Slope from there on of the line that fits best (least squares).
    fn slope(&self, of: fn(&Sample) -> u64, along: fn(&Sample) -> f64) -> f64 {
        let samples = self.settled();
        let mean = |figure: &dyn Fn(&Sample) -> f64| samples.iter().map(figure).sum::<f64>() / samples.len() as f64;
        let (x, y) = (mean(&along), mean(&|sample| of(sample) as f64));
        let (mut above, mut below) = (0.0, 0.0);
        for sample in samples {
            let distance = along(sample) - x;
            above += distance * (of(sample) as f64 - y);
            below += distance * distance;
        }
        if below > 0.0 { above / below } else { 0.0 }
    }

    pub(super) fn check(&self) -> Result<(), LoadError> {
        let (resident, in_use) = (self.growth(Sample::resident_kb), self.growth(Sample::in_use));
        if resident <= BOUND_KB && in_use <= IN_USE_BOUND {
            return Ok(());
        }
        let grown = format!("grew by {resident} kB, may be {BOUND_KB}, of which in use {in_use} bytes, may be {IN_USE_BOUND}");
        Err(LoadError::OutOfBounds(format!("{self}the edge's memory {grown}")))
    }
}

impl Sample {
    fn resident_kb(&self) -> u64 {
        self.resident_kb
    }

    fn in_use(&self) -> u64 {
        self.in_use
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "participants  resident MB  in use kB")?;
        writeln!(formatter, "{:>12}  {:>11.1}", 0, self.before_kb as f64 / 1024.0)?;
        for sample in &self.samples {
            let (resident, in_use) = (sample.resident_kb as f64 / 1024.0, sample.in_use as f64 / 1024.0);
            writeln!(formatter, "{:>12}  {resident:>11.1}  {in_use:>9.1}", sample.cycles)?;
        }
        for (what, (times, thrown)) in &self.troubles {
            writeln!(formatter, "{times:>5} times {what}: {thrown} thrown")?;
        }
        for (what, of, unit) in [("resident", Sample::resident_kb as fn(&Sample) -> u64, 1024.0), ("in use", Sample::in_use, 1.0)] {
            let each = self.slope(of, |sample| sample.cycles as f64) * unit;
            let hourly = self.slope(of, |sample| sample.at.as_secs_f64()) * unit * 3_600.0 / (1024.0 * 1024.0);
            writeln!(formatter, "slope once it has settled, {what}: {each:.0} bytes a participant, {hourly:.2} MB an hour")?;
        }
        writeln!(formatter, "every table of the edge was empty each time")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(samples: &[(u64, u64)]) -> Report {
        let mut report = Report::begin(9000);
        let sample = |((resident_kb, in_use), fifth): ((u64, u64), usize)| Sample {
            cycles: fifth * 100,
            resident_kb,
            in_use,
            at: Duration::from_secs(fifth as u64),
        };
        report.samples.extend(samples.iter().copied().zip(1..).map(sample));
        report
    }

    #[test]
    fn what_grows_with_every_participant_is_refused() {
        let still = [15_000, 20_100, 19_900, 20_200, 20_100];
        assert!(report(&still.map(|kb| (kb, 900_000))).check().is_ok());
        let leaking = report(&[20_000, 21_000, 22_000, 23_000, 24_000].map(|kb| (kb, 0)));
        assert!((leaking.slope(Sample::resident_kb, |sample| sample.cycles as f64) - 10.0).abs() < 1e-6);
        assert!(leaking.to_string().contains("resident: 10240 bytes a participant, 3515.62 MB an hour"), "{leaking}");
        assert!(leaking.check().unwrap_err().to_string().contains("grew by 3000 kB, may be 2048"));
        let leaking = report(&[0, 100_000, 200_000, 300_000].map(|in_use| (20_000, in_use)));
        assert!(leaking.check().unwrap_err().to_string().contains("in use 200000 bytes, may be 131072"));
    }

    #[test]
    fn what_shrinks_is_welcome() {
        let shrinking = report(&[20_000, 18_000, 17_000].map(|kb| (kb, kb)));
        assert_eq!((shrinking.growth(Sample::resident_kb), shrinking.growth(Sample::in_use)), (0, 0));
        assert!(shrinking.slope(Sample::in_use, |sample| sample.at.as_secs_f64()) < 0.0);
    }
}
