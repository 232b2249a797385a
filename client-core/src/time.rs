//! The only time there is in this crate: what the caller says it is.

use core::ops::Add;
use core::time::Duration;

/// An instant: microseconds since some start that the caller chose. Never goes back.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct MonoTime(u64);

impl MonoTime {
    /// From microseconds since the start.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the start.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// So many milliseconds later. Durations cost code; where milliseconds will do, these two are enough.
    #[inline(never)]
    pub(crate) const fn after(self, millis: u32) -> Self {
        Self(self.0.saturating_add(millis as u64 * 1000))
    }

    /// So many milliseconds earlier; the start at the earliest.
    pub(crate) const fn before(self, millis: u32) -> Self {
        Self(self.0.saturating_sub(millis as u64 * 1000))
    }

    /// How many milliseconds after `earlier` this is: zero if it isn't, and seven weeks at most.
    #[inline(never)]
    pub(crate) const fn millis_since(self, earlier: Self) -> u32 {
        let millis = self.0.saturating_sub(earlier.0) / 1000;
        if millis > u32::MAX as u64 { u32::MAX } else { millis as u32 }
    }

    /// How long after `earlier` this is; zero if it isn't.
    #[must_use]
    #[inline(never)]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for MonoTime {
    type Output = Self;

    // Inlined everywhere it would cost more than it does.
    #[inline(never)]
    fn add(self, duration: Duration) -> Self {
        // Not `as_micros`: its 128-bit arithmetic would come along into the wasm.
        let micros = duration.as_secs().saturating_mul(1_000_000).saturating_add(u64::from(duration.subsec_micros()));
        Self(self.0.saturating_add(micros))
    }
}
