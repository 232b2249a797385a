//! What a publication can be had in, evened out over a few seconds and looked at together for all its subscribers.

use crate::layer::{Rung, Rungs};
use std::time::{Duration, Instant};

/// Bitrates are evened out over about this long: a key frame for one newcomer must not look like a need for bandwidth to everybody
/// else. A guess that leaves a real rise visible within the time a queue takes to build.
const EVENED_OVER: Duration = Duration::from_secs(3);

/// Frame rates are measured to about this part; smaller changes are no news.
const SAME_FPS: u8 = 4;

/// The rungs of a publication as its subscribers are told of them.
#[derive(Debug, Default)]
pub(crate) struct Offer {
    rungs: Rungs,
    looked: Option<Instant>,
}

impl Offer {
    pub(crate) fn rungs(&self) -> &[Rung] {
        &self.rungs
    }

    /// Takes in what is measured now. True: something came, went or changed its size, and subscribers should be looked at anew.
    pub(crate) fn refresh(&mut self, fresh: &[Rung], now: Instant) -> bool {
        let passed = self.looked.map_or(Duration::ZERO, |looked| now.saturating_duration_since(looked));
        let mut rungs = Rungs::default();
        let mut changed = fresh.len() != self.rungs.len();
        for new in fresh {
            let old = self.rungs.iter().find(|old| (old.encoding, old.target) == (new.encoding, new.target));
            changed |= old.is_none_or(|old| differ(old, new));
            let bitrate = old.map_or(new.bitrate, |old| evened(old, new, passed));
            rungs.push(Rung { bitrate, ..*new });
        }
        self.rungs = rungs;
        self.looked = Some(now);
        changed
    }
}

fn differ(old: &Rung, new: &Rung) -> bool {
    let frames = old.fps.abs_diff(new.fps) > old.fps.max(new.fps) / SAME_FPS;
    old.live != new.live || (old.width, old.height) != (new.width, new.height) || frames
}

fn evened(old: &Rung, new: &Rung, passed: Duration) -> u64 {
    match (old.live, new.live) {
        // What comes back begins with little, and was last measured while it went down.
        (false, true) => old.bitrate.max(new.bitrate),
        (true, true) if old.bitrate > 0 && new.bitrate > 0 => {
            let total = EVENED_OVER.as_millis() as u64;
            let part = u64::try_from(passed.as_millis()).unwrap_or(total).min(total);
            let kept = old.bitrate.saturating_mul(total.saturating_sub(part));
            kept.saturating_add(new.bitrate.saturating_mul(part)).checked_div(total).unwrap_or(new.bitrate)
        }
        (_, true) => new.bitrate,
        (_, false) if old.bitrate > 0 => old.bitrate,
        (_, false) => new.bitrate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rung(bitrate: u64, live: bool) -> Rung {
        Rung { bitrate, live, width: 640, height: 360, fps: 30, ..Rung::default() }
    }

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn a_key_frame_changes_little_and_a_rise_is_followed() {
        let mut offer = Offer::default();
        let start = Instant::now();
        assert!(offer.refresh(&[rung(500_000, true)], start));
        for step in 1..=10 {
            assert!(!offer.refresh(&[rung(800_000, true)], start + ms(100 * step)));
        }
        assert!((570_000..600_000).contains(&offer.rungs()[0].bitrate), "{}", offer.rungs()[0].bitrate);
        for step in 11..=100 {
            offer.refresh(&[rung(800_000, true)], start + ms(100 * step));
        }
        assert!(offer.rungs()[0].bitrate > 780_000);
    }

    #[test]
    fn what_stopped_is_remembered_as_it_was() {
        let mut offer = Offer::default();
        let start = Instant::now();
        offer.refresh(&[rung(500_000, true)], start);
        assert!(offer.refresh(&[rung(100_000, false)], start + ms(100)));
        assert!(!offer.refresh(&[rung(0, false)], start + ms(200)));
        assert_eq!(offer.rungs()[0].bitrate, 500_000);
        assert!(offer.refresh(&[rung(50_000, true)], start + ms(300)));
        assert_eq!(offer.rungs()[0].bitrate, 500_000);
    }

    #[test]
    fn sizes_and_frame_rates_are_news() {
        let mut offer = Offer::default();
        let now = Instant::now();
        offer.refresh(&[rung(500_000, true)], now);
        assert!(!offer.refresh(&[Rung { fps: 27, ..rung(500_000, true) }], now));
        assert!(offer.refresh(&[Rung { fps: 15, ..rung(500_000, true) }], now));
        assert!(offer.refresh(&[Rung { width: 320, fps: 15, ..rung(500_000, true) }], now));
        assert!(offer.refresh(&[Rung { width: 320, fps: 15, ..rung(500_000, true) }, Rung { encoding: 1, ..rung(1, true) }], now));
    }
}
