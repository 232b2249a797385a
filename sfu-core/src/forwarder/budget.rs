//! How much a subscriber may be sent again: a share of what it is sent, so that requests, honest or not, can't fill its link.

use std::time::{Duration, Instant};

/// Percent of the media of the last second. Loss that would need more is better answered by a lower layer.
const SHARE: u64 = 15;

/// What may be resent a second however little is sent: four full packets, a lost frame of a thumbnail.
const ALLOWANCE: u64 = 4 * 1_200;

/// What was sent again once already gets half of it at most, what was sent again twice a quarter, and so on. Some clients ask for a packet on and on
/// though it came (the `webrtc` crate doesn't see what comes by RTX): with all of it theirs, nothing would be left for what is lost next. On a link
/// that loses a share of everything, each further resend is needed by that share of those before.
const LEVELS: usize = 4;

/// A second, in eighths.
const PARTS: usize = 8;
const PART: Duration = Duration::from_millis(125);

#[derive(Clone, Copy, Debug, Default)]
struct Part {
    media: u32,
    /// By how often a packet had been sent again before: never or more often, once or more often, …
    resent: [u32; LEVELS],
}

/// What one subscriber was sent within the last second, all its slots together.
#[derive(Debug, Default)]
pub(crate) struct ResendBudget {
    parts: [Part; PARTS],
    newest: usize,
    /// When the newest part began.
    since: Option<Instant>,
}

impl ResendBudget {
    /// Takes note of `bytes` of media that were sent.
    pub(crate) fn on_media(&mut self, now: Instant, bytes: usize) {
        self.turn(now);
        if let Some(part) = self.parts.get_mut(self.newest) {
            part.media = part.media.saturating_add(bytes as u32);
        }
    }

    /// Whether another resend may go now, of a packet that was sent again `before` so often.
    pub(crate) fn allows(&mut self, now: Instant, before: u8) -> bool {
        self.turn(now);
        let media: u64 = self.parts.iter().map(|part| u64::from(part.media)).sum();
        let all = (media.saturating_mul(SHARE) / 100).max(ALLOWANCE);
        let sent = |level: usize| self.parts.iter().filter_map(|part| part.resent.get(level)).map(|bytes| u64::from(*bytes)).sum::<u64>();
        (0..LEVELS).take(usize::from(before).saturating_add(1)).all(|level| sent(level) < all >> level)
    }

    /// Takes note of `bytes` that were sent again.
    pub(crate) fn on_resend(&mut self, now: Instant, bytes: usize, before: u8) {
        self.turn(now);
        if let Some(part) = self.parts.get_mut(self.newest) {
            for sent in part.resent.iter_mut().take(usize::from(before).saturating_add(1)) {
                *sent = sent.saturating_add(bytes as u32);
            }
        }
    }

    /// Forgets what is older than a second.
    fn turn(&mut self, now: Instant) {
        let since = *self.since.get_or_insert(now);
        let elapsed = now.saturating_duration_since(since);
        if elapsed < PART {
            return;
        }
        let parts = elapsed.as_millis().checked_div(PART.as_millis()).unwrap_or_default();
        if parts >= PARTS as u128 {
            *self = Self { since: Some(now), ..Self::default() };
            return;
        }
        for _ in 0..parts {
            self.newest = self.newest.wrapping_add(1) % PARTS;
            if let Some(part) = self.parts.get_mut(self.newest) {
                *part = Part::default();
            }
        }
        self.since = since.checked_add(PART.saturating_mul(parts as u32));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks for a packet of 1,000 bytes as often as it is given, and returns how often that was.
    fn drain(budget: &mut ResendBudget, now: Instant) -> usize {
        drain_of(budget, now, 0)
    }

    fn drain_of(budget: &mut ResendBudget, now: Instant, before: u8) -> usize {
        std::iter::from_fn(|| budget.allows(now, before).then(|| budget.on_resend(now, 1_000, before))).take(1_000).count()
    }

    #[test]
    fn repeats_leave_room_for_what_is_asked_for_first() {
        let now = Instant::now();
        let mut budget = ResendBudget::default();
        budget.on_media(now, 200_000);
        let given = [9, 2, 1, 0, 2].map(|before| drain_of(&mut budget, now, before));
        assert_eq!(given, [4, 4, 7, 15, 0]);
    }

    #[test]
    fn resends_are_a_share_of_the_media() {
        let mut now = Instant::now();
        let mut budget = ResendBudget::default();
        for _ in 0..100 {
            budget.on_media(now, 2_000);
            now += Duration::from_millis(10);
        }
        let given = drain(&mut budget, now);
        assert!((25..=31).contains(&given), "15 % of 200 kB is 30 packets; {given} were given");
        assert_eq!(drain(&mut budget, now), 0);
    }

    #[test]
    fn a_few_are_given_to_those_who_get_little() {
        let now = Instant::now();
        let mut budget = ResendBudget::default();
        assert_eq!(drain(&mut budget, now), 5);
        assert_eq!(drain(&mut budget, now + Duration::from_millis(500)), 0);
        assert_eq!(drain(&mut budget, now + Duration::from_millis(1_001)), 5, "a second later again");
    }

    #[test]
    fn old_media_counts_no_more() {
        let now = Instant::now();
        let mut budget = ResendBudget::default();
        budget.on_media(now, 1_000_000);
        assert!(drain(&mut budget, now + Duration::from_millis(900)) >= 140);
        assert_eq!(drain(&mut budget, now + Duration::from_millis(2_500)), 5);
    }
}
