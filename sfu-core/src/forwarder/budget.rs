//! How much a subscriber may be sent again: a share of what it is sent, so that requests, honest or not, can't fill its link.

use std::time::{Duration, Instant};

/// Percent of the media of the last second. Loss that would need more is better answered by a lower layer.
const SHARE: u64 = 15;

/// What may be resent a second however little is sent: four full packets, a lost frame of a thumbnail.
const ALLOWANCE: u64 = 4 * 1_200;

/// A second, in eighths.
const PARTS: usize = 8;
const PART: Duration = Duration::from_millis(125);

#[derive(Clone, Copy, Debug, Default)]
struct Part {
    media: u32,
    resent: u32,
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

    /// Whether another resend may go now.
    pub(crate) fn allows(&mut self, now: Instant) -> bool {
        self.turn(now);
        let sum = |of: fn(&Part) -> u32| self.parts.iter().map(|part| u64::from(of(part))).sum::<u64>();
        let (media, resent) = (sum(|part| part.media), sum(|part| part.resent));
        resent < (media.saturating_mul(SHARE) / 100).max(ALLOWANCE)
    }

    /// Takes note of `bytes` that were sent again.
    pub(crate) fn on_resend(&mut self, now: Instant, bytes: usize) {
        self.turn(now);
        if let Some(part) = self.parts.get_mut(self.newest) {
            part.resent = part.resent.saturating_add(bytes as u32);
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
        std::iter::from_fn(|| budget.allows(now).then(|| budget.on_resend(now, 1_000))).take(1_000).count()
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
