//! How fast bytes went out and came in.

/// Points kept: at one in [`SPACING_US`], half a second.
const LEN: usize = 128;
/// Bytes closer together than this are one point.
const SPACING_US: i64 = 4_000;

#[derive(Clone, Copy, Debug, Default)]
struct Point {
    at_us: i64,
    /// Bytes up to and with this point, since the start.
    total: u64,
}

/// Bytes over the last half second, on one clock.
#[derive(Debug)]
pub(super) struct Throughput {
    points: [Point; LEN],
    /// Points ever made; the last is at `made - 1`.
    made: usize,
}

impl Throughput {
    pub(super) fn new() -> Self {
        Self { points: [Point::default(); LEN], made: 0 }
    }

    pub(super) fn reset(&mut self) {
        self.made = 0;
    }

    pub(super) fn push(&mut self, at_us: i64, bytes: u64) {
        let before = self.last().unwrap_or_default();
        let total = before.total.saturating_add(bytes);
        if self.made > 0 && at_us.saturating_sub(before.at_us) < SPACING_US {
            // Late ones count, too, at the time of their neighbours.
            if let Some(last) = self.points.get_mut(self.made.wrapping_sub(1) % LEN) {
                last.total = total;
            }
            return;
        }
        if let Some(place) = self.points.get_mut(self.made % LEN) {
            *place = Point { at_us, total };
        }
        self.made = self.made.wrapping_add(1);
    }

    fn last(&self) -> Option<Point> {
        self.points.get(self.made.checked_sub(1)? % LEN).copied()
    }

    fn point(&self, back: usize) -> Option<Point> {
        if back >= LEN {
            return None;
        }
        let index = self.made.checked_sub(1)?.checked_sub(back)?;
        self.points.get(index % LEN).copied()
    }

    /// How many points are not older than `from`. They ascend, so it takes seven looks and not a hundred, on every tick of every viewer.
    fn since(&self, from: i64) -> usize {
        let (mut low, mut high) = (0, self.made.min(LEN));
        while low < high {
            let middle = low.midpoint(high);
            if self.point(middle).is_some_and(|point| point.at_us >= from) {
                low = middle.wrapping_add(1);
            } else {
                high = middle;
            }
        }
        low
    }

    /// Bits per second over the last `window_us` of what came, from its first point (whose bytes came before it) to its last. `None`
    /// before there are two points half a window apart.
    pub(super) fn bps(&self, window_us: i64) -> Option<f64> {
        let last = self.last()?;
        let first = self.point(self.since(last.at_us.saturating_sub(window_us)).saturating_sub(1))?;
        let span = last.at_us.saturating_sub(first.at_us);
        (span >= window_us / 2).then(|| bits_per_second(last.total.saturating_sub(first.total), span))
    }

    /// Bits per second in the window that ends `now`, silence included.
    pub(super) fn bps_until(&self, now_us: i64, window_us: i64) -> f64 {
        let Some(last) = self.last() else { return 0.0 };
        let earlier = self.point(self.since(now_us.saturating_sub(window_us))).map_or(0, |before| before.total);
        bits_per_second(last.total.saturating_sub(earlier), window_us)
    }
}

/// Bits per second of so many bytes in so many µs.
pub(super) fn bits_per_second(bytes: u64, us: i64) -> f64 {
    bytes as f64 * 8_000_000.0 / us.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same by looking at every packet.
    fn counted(packets: &[(i64, u64)], from: i64, until: i64) -> u64 {
        packets.iter().filter(|(at, _)| (from..=until).contains(at)).map(|(_, bytes)| bytes).sum()
    }

    #[test]
    fn the_rate_is_that_of_what_was_pushed_within_the_window() {
        let mut throughput = Throughput::new();
        let (mut packets, mut at) = (Vec::new(), 0_i64);
        for number in 0..4_000_u64 {
            // Steps of at least a point's spacing: every packet has a point of its own.
            at += SPACING_US + i64::try_from(number * number % 7_919).unwrap();
            packets.push((at, 100 + number * 31 % 1_100));
            throughput.push(at, packets.last().unwrap().1);
            for window in [100_000, 200_000, 450_000] {
                let expected = bits_per_second(counted(&packets, at - window, at), window);
                assert_eq!(throughput.bps_until(at, window), expected, "packet {number}, window {window}");
                let inside: Vec<_> = packets.iter().rev().take_while(|(sent, _)| *sent >= at - window).collect();
                let first = inside.last().unwrap();
                let expected = (at - first.0 >= window / 2).then(|| bits_per_second(counted(&packets, first.0 + 1, at), at - first.0));
                assert_eq!(throughput.bps(window), expected, "packet {number}, window {window}");
            }
        }
        assert_eq!(throughput.bps_until(at + 1_000_000, 500_000), 0.0, "silence");
        throughput.reset();
        assert_eq!((throughput.bps(500_000), throughput.bps_until(at, 500_000)), (None, 0.0));
    }

    #[test]
    fn what_comes_close_together_or_late_counts_with_its_neighbours() {
        let mut throughput = Throughput::new();
        for (at, bytes) in [(0, 100), (1_000, 100), (500, 100), (3_999, 100), (4_000, 50)] {
            throughput.push(at, bytes);
        }
        assert_eq!(throughput.made, 2);
        assert_eq!(throughput.bps_until(4_000, 10_000), bits_per_second(450, 10_000));
        assert_eq!(throughput.bps_until(4_000, 2_000), bits_per_second(50, 2_000));
    }
}
