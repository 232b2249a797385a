//! Wall-clock time derived from the monotonic time that callers pass in: sender reports need NTP timestamps (RFC 3550 §4).
//!
//! Not here: reading any clock.

use minicbor::{Decode, Encode};
use std::time::{Duration, Instant};

/// Seconds between the NTP epoch (1900) and the Unix epoch (1970): RFC 5905 figure 4.
const NTP_UNIX_OFFSET: u64 = 2_208_988_800;

/// What the wall clock said at one monotonic instant. A later jump of the wall clock changes nothing: calls need durations, not dates.
#[derive(Clone, Copy, Debug)]
pub struct WallClock {
    at: Instant,
    unix: Duration,
}

impl WallClock {
    /// `unix`: time since 1970-01-01 UTC at the instant `at`.
    #[must_use]
    pub fn new(at: Instant, unix: Duration) -> Self {
        Self { at, unix }
    }

    /// The NTP time at `now`.
    #[must_use]
    pub fn ntp(&self, now: Instant) -> Ntp {
        let unix = self.unix.saturating_add(now.saturating_duration_since(self.at));
        let seconds = unix.as_secs().wrapping_add(NTP_UNIX_OFFSET);
        let fraction = (u64::from(unix.subsec_nanos()) << 32) / 1_000_000_000;
        Ntp(seconds.wrapping_shl(32) | fraction)
    }
}

/// NTP timestamp: seconds since 1900 as 32.32 fixed point.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq)]
#[cbor(transparent)]
pub struct Ntp(#[n(0)] pub u64);

impl Ntp {
    /// Milliseconds since 1970 (UTC), until the year 2106.
    #[must_use]
    pub fn unix_millis(self) -> i64 {
        let seconds = (self.0 >> 32).wrapping_sub(NTP_UNIX_OFFSET) & u64::from(u32::MAX);
        let millis = ((self.0 & u64::from(u32::MAX)).saturating_mul(1_000)) >> 32;
        i64::try_from(seconds.saturating_mul(1_000).saturating_add(millis)).unwrap_or(i64::MAX)
    }

    /// The middle 32 bits, as report blocks carry them (RFC 3550 §6.4.1): 16.16 fixed point.
    #[must_use]
    pub fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }

    /// `self − earlier` in NTP units (2^-32 s); negative when `self` is the earlier one.
    #[must_use]
    pub fn offset_from(self, earlier: Self) -> i64 {
        self.0.wrapping_sub(earlier.0) as i64
    }

    /// Moves by NTP units (2^-32 s).
    #[must_use]
    pub fn shifted(self, units: i64) -> Self {
        Self(self.0.wrapping_add_signed(units))
    }
}

/// NTP units (2^-32 s) to ticks of an RTP clock; 2^31 s and 192 kHz fit.
#[must_use]
pub fn ntp_units_to_ticks(units: i64, clock_rate: u32) -> i64 {
    ((i128::from(units)).saturating_mul(i128::from(clock_rate)) >> 32) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ntp_starts_in_1900() {
        let now = Instant::now();
        let clock = WallClock::new(now, Duration::from_millis(1_500));
        assert_eq!(clock.ntp(now).0, (2_208_988_801_u64 << 32) | (1 << 31));
        assert_eq!(clock.ntp(now + Duration::from_secs(2)).offset_from(clock.ntp(now)), 2 << 32);
    }

    #[test]
    fn milliseconds_come_back_also_after_the_counter_wrapped() {
        for millis in [0_u64, 1_500, 1_795_946_400_250, 2_085_978_496_000, 4_000_000_000_500] {
            let now = Instant::now();
            let back = WallClock::new(now, Duration::from_millis(millis)).ntp(now).unix_millis();
            assert!(back.abs_diff(i64::try_from(millis).unwrap()) <= 1, "{millis} became {back}");
        }
    }

    #[test]
    fn units_become_ticks() {
        assert_eq!(ntp_units_to_ticks(1 << 32, 90_000), 90_000);
        assert_eq!(ntp_units_to_ticks(-(1 << 31), 48_000), -24_000);
    }
}
