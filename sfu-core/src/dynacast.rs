//! Which encodings of a publication its publisher may leave out, because nobody gets them or would.
//!
//! In: for each encoding how many of its spatial layers somebody wants. Out: what the publisher is told, when it changes: on at once, off
//! a while later. Not here: who wants what (`shard::dynacast`).

use crate::layer::{MAX_ENCODINGS, MAX_SPATIAL};
use std::time::{Duration, Instant};

/// How long nobody has to want a layer before it may be left out. Whoever scrolls, switches tabs or loses bandwidth for a moment wants it
/// back sooner than that; LiveKit waits 5 s; a publisher on a phone should not pay for that long.
const UNWANTED_FOR: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug)]
struct Encoding {
    /// Spatial layers that the publisher knows to be wanted; 0: the encoding may be left out.
    told: u8,
    /// Since when fewer than `told` are.
    fewer_since: Option<Instant>,
}

/// What the publisher of one publication was told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dynacast {
    encodings: [Encoding; MAX_ENCODINGS],
}

impl Default for Dynacast {
    /// Everything is wanted until somebody says otherwise: that is how publishers begin.
    fn default() -> Self {
        Self { encodings: [Encoding { told: MAX_SPATIAL, fewer_since: None }; MAX_ENCODINGS] }
    }
}

impl Dynacast {
    /// `wanted`: spatial layers by encoding, [`MAX_SPATIAL`] for all there are. True: the publisher has to be told.
    pub(crate) fn update(&mut self, wanted: [u8; MAX_ENCODINGS], now: Instant) -> bool {
        let mut changed = false;
        for (encoding, wanted) in self.encodings.iter_mut().zip(wanted) {
            if wanted >= encoding.told {
                changed |= wanted > encoding.told;
                *encoding = Encoding { told: wanted, fewer_since: None };
                continue;
            }
            let since = *encoding.fewer_since.get_or_insert(now);
            if now.saturating_duration_since(since) >= UNWANTED_FOR {
                changed = true;
                *encoding = Encoding { told: wanted, fewer_since: None };
            }
        }
        changed
    }

    /// Spatial layers of an encoding that the publisher knows to be wanted.
    pub(crate) fn told(&self, encoding: usize) -> u8 {
        self.encodings.get(encoding).map_or(MAX_SPATIAL, |encoding| encoding.told)
    }

    /// Something may be left out.
    pub(crate) fn limits(&self) -> bool {
        self.encodings.iter().any(|encoding| encoding.told < MAX_SPATIAL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: u8 = MAX_SPATIAL;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn off_after_a_second_and_on_at_once() {
        let mut dynacast = Dynacast::default();
        let start = Instant::now();
        assert!(!dynacast.update([ALL, ALL, 0, ALL], start));
        assert!(!dynacast.update([ALL, ALL, 0, ALL], start + ms(900)));
        assert!(dynacast.update([ALL, ALL, 0, ALL], start + ms(1_000)));
        assert!(dynacast.limits() && dynacast.told(2) == 0 && dynacast.told(1) == ALL);
        assert!(!dynacast.update([ALL, ALL, 0, ALL], start + ms(9_000)), "told once");
        assert!(dynacast.update([ALL; MAX_ENCODINGS], start + ms(9_001)));
        assert!(!dynacast.limits());
    }

    #[test]
    fn a_moment_of_not_wanting_is_nothing() {
        let mut dynacast = Dynacast::default();
        let start = Instant::now();
        for turn in 0..20 {
            let wanted = if turn % 2 == 0 { 0 } else { ALL };
            assert!(!dynacast.update([ALL, wanted, ALL, ALL], start + ms(700 * turn)));
        }
    }

    #[test]
    fn spatial_layers_go_one_by_one() {
        let mut dynacast = Dynacast::default();
        let start = Instant::now();
        dynacast.update([2, ALL, ALL, ALL], start);
        assert!(dynacast.update([2, ALL, ALL, ALL], start + ms(1_000)));
        assert!(dynacast.update([3, ALL, ALL, ALL], start + ms(1_100)));
        dynacast.update([1, ALL, ALL, ALL], start + ms(1_200));
        assert!(dynacast.update([1, ALL, ALL, ALL], start + ms(2_200)));
        assert_eq!(dynacast.told(0), 1);
    }
}
