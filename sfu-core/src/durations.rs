//! How often something took how long: the counts of a histogram with fixed bounds, from a tenth of a millisecond to ten seconds.

use serde::Serialize;
use std::time::Duration;

/// Upper bounds in microseconds, included; what took longer is in `count` alone.
pub const BOUNDS_US: [u64; 16] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000];

/// Counts since the start.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Durations {
    /// All of them.
    pub count: u64,
    /// Their sum in microseconds.
    pub sum_us: u64,
    /// How many lie within each of [`BOUNDS_US`] and above the bound before it.
    pub within: [u64; BOUNDS_US.len()],
}

impl Durations {
    /// So many took so long each.
    pub fn note(&mut self, took: Duration, times: u64) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.count = self.count.saturating_add(times);
        self.sum_us = self.sum_us.saturating_add(us.saturating_mul(times));
        let place = BOUNDS_US.partition_point(|bound| *bound < us);
        if let Some(within) = self.within.get_mut(place) {
            *within = within.saturating_add(times);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lies_below_the_first_bound_that_it_does_not_pass() {
        let mut durations = Durations::default();
        for us in [0, 100, 101, 10_000_000, 10_000_001] {
            durations.note(Duration::from_micros(us), 2);
        }
        assert_eq!((durations.count, durations.sum_us), (10, 40_000_404));
        let mut within = [0; 16];
        (within[0], within[1], within[15]) = (4, 2, 2);
        assert_eq!(durations.within, within);
    }
}
