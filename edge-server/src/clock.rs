//! The only place that asks the operating system what time it is.
//!
//! Everything else, the cores above all, is told: that is what lets a whole room run in virtual time. A shard thread reads
//! [`now`] once per batch, not once per packet.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Monotonic time: for timers, rates and ages.
#[must_use]
pub fn now() -> Instant {
    Instant::now()
}

/// The same clock as the signalling runtime's timers count it: `after` from now.
#[must_use]
pub fn deadline(after: Duration) -> tokio::time::Instant {
    tokio::time::Instant::from_std(now() + after)
}

/// Waits until then; without a time, for ever.
pub async fn until(time: Option<tokio::time::Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => core::future::pending().await,
    }
}

/// Wall-clock time since 1970, for token expiry and NTP timestamps. Zero on a machine whose clock says it's earlier.
#[must_use]
pub fn unix() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
