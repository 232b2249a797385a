//! How much a link may have on its way at once: what keeps the queue in front of a bottleneck short, whatever is lost beside it.
//!
//! Media between edges is as much as it is; it fills no link on purpose. What matters is that a key frame leaves at once, that a lost packet costs
//! nothing (it is sent again by the hop), and that a link that is too narrow shows as such within 100 ms instead of filling a buffer. The
//! controllers that come with quinn do otherwise: CUBIC (RFC 9438) takes a loss for congestion; by the formula for loss-based control (RFC 3448 §3.1), 2 % over 50 ms leave some 2 Mbit/s. So:
//!
//! * the window grows by what is acknowledged while it is used up and the round trip is near its least;
//! * it shrinks by a seventh, once a round trip, while the round trip is [`QUEUE`] above its least (of the last 10 to 20 s);
//! * loss alone shrinks it only beyond [`MUCH_LOSS`], where it is more than an accident.
//!
//! Beside others on a real connection: `congestion/measured.rs`, a test that only prints.

use core::time::Duration;
use quinn::congestion::{Controller, ControllerFactory};
use quinn_proto::RttEstimator;
use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

/// Bytes on their way at first: 160 Mbit/s over 50 ms.
const INITIAL: u64 = 1 << 20;

/// At least: four packets of any size.
const LEAST: u64 = 8 * 1_452;

/// At most: 10 Gbit/s over 50 ms.
const MOST: u64 = 64 << 20;

/// What waits in front of a bottleneck at most, in time.
const QUEUE: Duration = Duration::from_millis(50);

/// How long a least round trip is remembered; twice that at most.
const REMEMBERED: Duration = Duration::from_secs(10);

/// Of what is sent: 15 %.
const MUCH_LOSS: u64 = 15;

/// Makes one for each connection.
#[derive(Debug)]
pub(super) struct SteadyConfig;

impl ControllerFactory for SteadyConfig {
    fn build(self: Arc<Self>, now: Instant, _: u16) -> Box<dyn Controller> {
        Box::new(Steady::new(now))
    }
}

/// The controller of one connection.
#[derive(Clone, Debug)]
struct Steady {
    window: u64,
    /// Least round trip of this time and of the one before.
    least: [Option<Duration>; 2],
    since: Instant,
    shrunk: Instant,
    /// Bytes acknowledged and lost since losses were judged last.
    acknowledged: u64,
    lost: u64,
    judged: Instant,
    round_trip: Duration,
}

impl Steady {
    fn new(now: Instant) -> Self {
        Self {
            window: INITIAL,
            least: [None; 2],
            since: now,
            shrunk: now,
            acknowledged: 0,
            lost: 0,
            judged: now,
            round_trip: Duration::from_millis(100),
        }
    }

    fn acked(&mut self, now: Instant, bytes: u64, app_limited: bool, round_trip: Duration) {
        self.round_trip = round_trip;
        self.acknowledged = self.acknowledged.saturating_add(bytes);
        if now.saturating_duration_since(self.since) > REMEMBERED {
            (self.least, self.since) = ([None, self.least[0]], now);
        }
        self.least[0] = Some(self.least[0].map_or(round_trip, |least| least.min(round_trip)));
        let least = self.least.iter().flatten().min().copied().unwrap_or(round_trip);
        let queue = round_trip.saturating_sub(least);
        if queue > QUEUE {
            self.shrink(now, 7);
        } else if !app_limited && queue < QUEUE / 2 {
            self.window = self.window.saturating_add(bytes).min(MOST);
        }
    }

    /// By one part of so many, once a round trip.
    fn shrink(&mut self, now: Instant, parts: u64) {
        if now.saturating_duration_since(self.shrunk) >= self.round_trip {
            self.window = (self.window - self.window / parts).max(LEAST);
            self.shrunk = now;
        }
    }

    fn lost(&mut self, now: Instant, bytes: u64) {
        self.lost = self.lost.saturating_add(bytes);
        if now.saturating_duration_since(self.judged) < self.round_trip {
            return;
        }
        let all = self.lost.saturating_add(self.acknowledged);
        if self.lost.saturating_mul(100) > all.saturating_mul(MUCH_LOSS) {
            self.shrink(now, 3);
        }
        (self.lost, self.acknowledged, self.judged) = (0, 0, now);
    }
}

impl Controller for Steady {
    fn on_ack(&mut self, now: Instant, _sent: Instant, bytes: u64, app_limited: bool, round_trip: &RttEstimator) {
        self.acked(now, bytes, app_limited, round_trip.get());
    }

    fn on_congestion_event(&mut self, now: Instant, _sent: Instant, _persistent: bool, lost: u64) {
        // 0: a mark of explicit congestion notification, which is as good as a queue.
        if lost == 0 {
            self.shrink(now, 7);
        } else {
            self.lost(now, lost);
        }
    }

    fn on_mtu_update(&mut self, _: u16) {}

    fn window(&self) -> u64 {
        self.window
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }

    fn initial_window(&self) -> u64 {
        INITIAL
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

#[cfg(test)]
mod measured;
#[cfg(test)]
mod tests;
