//! Delays and their percentiles, in a fixed amount of memory.
//!
//! Buckets grow with the value: below 1,024 µs each microsecond has its own, above that the width is at most 1/512 of the value.

use std::time::Duration;

/// Values below this many microseconds are exact.
const EXACT: u64 = 1024;

/// Buckets of each doubling above [`EXACT`].
const PER_DOUBLING: u64 = EXACT / 2;

/// Doublings above [`EXACT`] that are told apart: up to 2^27 µs, two minutes; longer ones count as that.
const DOUBLINGS: u64 = 17;

/// How often which delay was seen.
#[derive(Clone, Debug)]
pub struct Delays {
    buckets: Vec<u64>,
    count: u64,
}

impl Default for Delays {
    fn default() -> Self {
        let buckets = EXACT + DOUBLINGS * PER_DOUBLING;
        Self { buckets: vec![0; usize::try_from(buckets).unwrap_or_default()], count: 0 }
    }
}

impl Delays {
    /// Counts one.
    pub fn record(&mut self, delay: Duration) {
        self.record_times(delay, 1);
    }

    /// Counts as many of the same.
    pub fn record_times(&mut self, delay: Duration, times: u64) {
        let index = bucket(u64::try_from(delay.as_micros()).unwrap_or(u64::MAX));
        if let Some(bucket) = usize::try_from(index).ok().and_then(|index| self.buckets.get_mut(index)) {
            *bucket += times;
            self.count += times;
        }
    }

    /// Counts all of `other` too.
    pub fn merge(&mut self, other: &Self) {
        for (bucket, more) in self.buckets.iter_mut().zip(&other.buckets) {
            *bucket += more;
        }
        self.count += other.count;
    }

    /// How many were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The delay that a `share` (0 to 1) of all are no longer than, in microseconds; none when nothing was counted.
    #[must_use]
    pub fn percentile(&self, share: f64) -> Option<u64> {
        let rank = ((self.count as f64 * share).ceil() as u64).clamp(1, self.count.max(1));
        let mut below = 0;
        self.buckets.iter().zip(0_u64..).find_map(|(count, index)| {
            below += count;
            (below >= rank && *count > 0).then(|| largest_of(index))
        })
    }
}

fn bucket(micros: u64) -> u64 {
    if micros < EXACT {
        return micros;
    }
    let doubling = u64::from((micros / EXACT).ilog2());
    if doubling >= DOUBLINGS {
        return EXACT + DOUBLINGS * PER_DOUBLING - 1;
    }
    // The leading bit says which doubling; the next nine bits which bucket of it.
    let within = (micros >> (doubling + 1)) - PER_DOUBLING;
    EXACT + doubling * PER_DOUBLING + within
}

/// The largest value that falls into a bucket.
fn largest_of(index: u64) -> u64 {
    if index < EXACT {
        return index;
    }
    let (doubling, within) = ((index - EXACT) / PER_DOUBLING, (index - EXACT) % PER_DOUBLING);
    ((within + PER_DOUBLING + 1) << (doubling + 1)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_short_delays_are_exact() {
        let mut delays = Delays::default();
        assert_eq!(delays.percentile(0.5), None);
        for micros in 1..=1000 {
            delays.record(Duration::from_micros(micros));
        }
        assert_eq!([0.0, 0.5, 0.99, 0.999, 1.0].map(|share| delays.percentile(share)), [1, 500, 990, 999, 1000].map(Some));
    }

    #[test]
    fn long_delays_are_kept_to_a_five_hundredth() {
        for micros in [1024, 1025, 4097, 99_999, 1_000_000, 119_000_000] {
            let mut delays = Delays::default();
            delays.record(Duration::from_micros(micros));
            let seen = delays.percentile(0.5).unwrap();
            assert!((micros..=micros + micros / 500).contains(&seen), "{micros} became {seen}");
        }
        let mut delays = Delays::default();
        delays.record(Duration::MAX);
        assert!(delays.percentile(1.0).unwrap() > 100_000_000);
    }

    #[test]
    fn buckets_follow_each_other_without_holes() {
        let mut last = 0;
        for micros in 0..200_000 {
            let index = bucket(micros);
            assert!(index == last || index == last + 1, "{micros}");
            assert!(largest_of(index) >= micros);
            last = index;
        }
    }

    #[test]
    fn merged_delays_count_as_recorded_in_one() {
        let (mut one, mut two) = (Delays::default(), Delays::default());
        one.record(Duration::from_micros(10));
        two.record_times(Duration::from_micros(30), 2);
        one.merge(&two);
        assert_eq!((one.count(), one.percentile(0.3), one.percentile(0.5)), (3, Some(10), Some(30)));
    }
}
