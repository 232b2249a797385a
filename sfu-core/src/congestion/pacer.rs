//! How much video may be sent now without a burst that the path would queue.
//!
//! A debt that grows with every byte sent and is paid off at the pace, [`PACE`] times what the path is known to carry. Audio, resends and
//! padding are sent whatever the debt (they add to it); video is sent while the debt is below the allowance. Whoever sends asks once per
//! frame, so a frame of ordinary size passes whole; what exceeds the allowance waits, for [`LONGEST_WAIT_US`] at most.
//!
//! Not here: where it waits and when it is looked after (`egress::waiting`, `shard::pace`).

/// Sending is at most this much faster than what the path carries. libwebrtc paces at 2.5 (`kDefaultPaceMultiplier`), since what its encoder
/// makes may not wait. Measured with a large key frame, 1.75 leaves little more than half of it in the path's queue instead of three quarters, and the picture is there
/// as soon, for the path needs as long for it either way; less would make every large picture wait when the estimate is too low.
const PACE: f64 = 1.75;
/// The path is taken to carry at least this, bits per second: estimates below it are mostly of paths that had little to carry (the allocator
/// doesn't believe them either).
const LEAST_BPS: f64 = 500_000.0;
/// … and this until a limit was met, a camera of 720p: who turns on the first camera of a call over a good path shouldn't be seen half a
/// second late, because voices alone have proved little. Guess; what is sent for long is limited by allocation anyway.
const UNLIMITED_BPS: f64 = 2_500_000.0;
/// Debt that doesn't hold video back, µs at the pace: a frame interval at 30 frames/s, so that frames of ordinary size pass whole.
const ALLOWANCE_US: f64 = 33_000.0;
/// … and at least this many bytes: ten packets, a run.
const ALLOWANCE_BYTES: f64 = 12_000.0;
/// Nothing waits for longer than this, µs: then the pace is what empties the queue in time. libwebrtc does the same with 2 s
/// (`kMaxExpectedQueueLength`), which is too long for a packet that its publisher has paced already, and for the cache it waits in.
const LONGEST_WAIT_US: i64 = 500_000;
/// The least time that is left for what waits, µs: a tick.
const LEAST_LEFT_US: i64 = 5_000;

/// What waits to be sent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Backlog {
    pub(super) bytes: usize,
    /// How long the first of it has waited, µs.
    pub(super) age_us: i64,
}

/// What is known of the path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Carries {
    /// Bits per second.
    pub(super) bps: f64,
    /// That was found to be all.
    pub(super) limited: bool,
}

#[derive(Debug, Default)]
pub(super) struct Pacer {
    /// Bytes.
    debt: f64,
    paid_us: i64,
    /// Bytes in a µs; none: nothing is known of the path, and nothing waits.
    rate: Option<f64>,
}

impl Pacer {
    /// None: nothing is known of the path.
    pub(super) fn follow(&mut self, carries: Option<Carries>) {
        if self.rate.is_none() {
            self.debt = 0.0;
        }
        self.rate = carries.map(|carries| PACE * carries.bps.max(if carries.limited { LEAST_BPS } else { UNLIMITED_BPS }) / 8e6);
    }

    pub(super) fn on_sent(&mut self, size: usize) {
        self.debt += size as f64;
    }

    /// Whether anything can have to wait.
    pub(super) fn paces(&self) -> bool {
        self.rate.is_some()
    }

    /// Bytes of video that may be sent now while `backlog` waits.
    pub(super) fn room(&mut self, now_us: i64, backlog: Backlog) -> usize {
        let Some(rate) = self.rate else { return usize::MAX };
        let left_us = LONGEST_WAIT_US.saturating_sub(backlog.age_us).max(LEAST_LEFT_US);
        let rate = rate.max(backlog.bytes as f64 / left_us as f64);
        let elapsed_us = now_us.saturating_sub(self.paid_us).max(0) as f64;
        self.paid_us = self.paid_us.max(now_us);
        self.debt = (self.debt - rate * elapsed_us).max(0.0);
        let allowance = (rate * ALLOWANCE_US).max(ALLOWANCE_BYTES);
        (allowance - self.debt).max(0.0) as usize
    }
}
