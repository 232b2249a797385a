//! What has been learned, as bytes in a store: it outlives the edges that learned it.
//!
//! | part | |
//! |---|---|
//! | head | `VERSION WHOLE QUARTER` and a line feed, decimal: people can read in the store how much is known, and since when |
//! | body | values taught (32 bit), ratio and last value, a week and a day of usual values (64 bit floating point each), little-endian |
//! | check | SipHash-1-3 of all before, 64 bit, little-endian |
//!
//! 6,200 bytes, whatever was seen. Values are kept exactly, so that what was written and read back says the same.

use super::{DAY, Forecast, SEASONS, STEP_MINUTES};
use core::hash::Hasher;
use core::time::Duration;
use siphasher::sip::SipHasher13;

/// Of the format. Who changes it reads the ones before.
pub const VERSION: u32 = 1;

/// Bytes of the longest one.
pub const LONGEST: usize = LONGEST_HEAD + BODY + CHECK;

/// Two 32-bit numbers, a 64-bit one, what parts them.
const LONGEST_HEAD: usize = 10 + 10 + 20 + 3;
const BODY: usize = 4 + 8 * (2 + SEASONS + DAY);
const CHECK: usize = 8;

/// People in one region, or the ratio of two such: above it nothing counts people.
const MOST: f64 = 1e15;

/// Seconds of a quarter of an hour.
pub(super) const QUARTER: u64 = STEP_MINUTES as u64 * 60;

/// 1970 began on a Thursday.
const DAYS_SINCE_MONDAY: u64 = 3;

/// Why bytes aren't taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unreadable {
    /// A later version of this software wrote it. Leave it to those that can read it.
    #[error("it is of version {0}, and this edge reads up to {VERSION}")]
    Newer(u32),
    /// It was cut, changed, or never was one. To be written anew.
    #[error("it is damaged, or no edge has written it")]
    Damaged,
}

/// A forecast, and where it stands in time.
#[derive(Clone, Debug, PartialEq)]
pub struct Learned {
    pub(super) forecast: Forecast,
    /// The quarter of an hour whose value comes next, counted since 1970.
    pub(super) quarter: u64,
    /// Quarters that somebody saw from their beginning to their end.
    pub(super) whole: u32,
}

impl Learned {
    /// Knows nothing; what comes next is the value of this quarter since 1970.
    pub(super) fn nothing(quarter: u64) -> Self {
        Self { forecast: Forecast::new(quarter_of_week(quarter)), quarter, whole: 0 }
    }

    /// Quarters of an hour that somebody saw from their beginning to their end.
    #[must_use]
    pub fn whole(&self) -> u32 {
        self.whole
    }

    /// The quarter of an hour, counted since 1970, whose value it hasn't seen yet.
    #[must_use]
    pub fn quarter(&self) -> u64 {
        self.quarter
    }

    /// Of two that saw as much the later one is better.
    pub(super) fn rank(&self) -> (u32, u64) {
        (self.whole, self.quarter)
    }

    pub(super) fn is_blank(&self) -> bool {
        self.forecast.seen == 0
    }

    /// One quarter on, taught or skipped.
    pub(super) fn pass(&mut self, value: Option<f64>) {
        match value {
            Some(value) if value.is_finite() => self.forecast.observe(value),
            _ => self.forecast.skip(),
        }
        self.quarter = self.quarter.saturating_add(1);
    }

    /// As it stands in the store.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Forecast { week, day, ratio, last, seen, .. } = &self.forecast;
        let mut bytes = format!("{VERSION} {} {}\n", self.whole, self.quarter).into_bytes();
        bytes.reserve(BODY + CHECK);
        bytes.extend(u32::try_from(*seen).unwrap_or(u32::MAX).to_le_bytes());
        for value in [ratio, last].into_iter().chain(week).chain(day) {
            bytes.extend(value.to_le_bytes());
        }
        let check = check(&bytes);
        bytes.extend(check.to_le_bytes());
        bytes
    }

    /// Reads it. Whoever reaches the store may have written anything.
    ///
    /// # Errors
    /// What isn't one of ours, whole and as it was written; see [`Unreadable`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        let head = bytes.iter().take(LONGEST_HEAD).position(|byte| *byte == b'\n').and_then(|end| bytes.split_at_checked(end + 1));
        let (head, rest) = head.ok_or(Unreadable::Damaged)?;
        let head = core::str::from_utf8(head).map_err(|_| Unreadable::Damaged)?;
        let mut numbers = head.trim_end().split(' ');
        let version: u32 = numbers.next().and_then(|number| number.parse().ok()).ok_or(Unreadable::Damaged)?;
        if version > VERSION {
            return Err(Unreadable::Newer(version));
        }
        Self::read(bytes, rest, numbers).ok_or(Unreadable::Damaged)
    }

    fn read<'a>(all: &[u8], rest: &[u8], mut numbers: impl Iterator<Item = &'a str>) -> Option<Self> {
        let whole: u32 = numbers.next()?.parse().ok()?;
        let quarter: u64 = numbers.next()?.parse().ok()?;
        let (checked, sum) = all.split_last_chunk::<CHECK>()?;
        if rest.len() != BODY + CHECK || check(checked) != u64::from_le_bytes(*sum) {
            return None;
        }
        let (seen, values) = rest.split_first_chunk::<4>()?;
        let seen = u32::from_le_bytes(*seen);
        let mut values = values.chunks_exact(8).take(BODY / 8).map(|value| value.try_into().map_or(f64::NAN, f64::from_le_bytes));
        let mut next = || values.next().filter(|value| (0.0..=MOST).contains(value));
        let (ratio, last) = (next()?, next()?);
        let week: Vec<f64> = (0..SEASONS).map(|_| next()).collect::<Option<_>>()?;
        let day: Vec<f64> = (0..DAY).map(|_| next()).collect::<Option<_>>()?;
        if whole > seen || u64::from(seen) > quarter {
            return None; // more than there was to be seen
        }
        let at = quarter_of_week(quarter);
        Some(Self { forecast: Forecast { week, day, ratio, last, seen: usize::try_from(seen).ok()?, at }, quarter, whole })
    }
}

/// The quarter of an hour of a time since 1970.
pub(super) fn quarter_of(unix: Duration) -> u64 {
    unix.as_secs() / QUARTER
}

/// 0 is Monday 00:00 (UTC).
pub(super) fn quarter_of_week(quarter: u64) -> usize {
    let (day, week) = (DAY as u64, SEASONS as u64);
    usize::try_from((quarter % week + DAYS_SINCE_MONDAY * day) % week).unwrap_or_default()
}

fn check(bytes: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests;
