//! What the controller tells of the path: to the allocator, to people who look, to a trace.

use super::CongestionController;
use super::rate::{MAX_BPS, MIN_BPS, Phase};
use std::time::{Duration, Instant};

/// IP and UDP headers and SRTP's tag, on average: 20-40, 8, 10-16.
const OVERHEAD: f64 = 45.0;
/// A receiver that could answer and hasn't after so long of sending won't, µs: ten of the slowest feedback's intervals (libwebrtc sends one
/// every 50 to 250 ms), or two of the longest round trips people call over.
const UNANSWERED_US: i64 = 2_000_000;
/// The first probes are over after this at the latest, µs: 300 kbit/s doubled five times, a round trip of 200 ms and feedback each.
const STARTING_US: i64 = 2_000_000;

/// What the controller is doing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum EstimateState {
    /// The first probes are under way: in a moment more will be known.
    Starting,
    Steady,
    /// A queue stands; the rate is below the path's to empty it.
    Overusing,
    /// Below what it was before the last dip.
    Recovering,
    /// No feedback comes.
    Silent,
}

/// How much may be sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Estimate {
    /// Bits per second on the wire, IP and UDP headers included; within `MIN_BPS..=MAX_BPS`.
    pub(crate) bps: u64,
    /// The same as RTP packets, as rungs are measured: without IP, UDP and SRTP's tag, at the packet sizes of late.
    pub(crate) media_bps: u64,
    pub(crate) state: EstimateState,
    /// The receiver answers each packet, or is waited for to; else this is an upper bound that it named.
    pub(crate) answered: bool,
    /// Less is sent than may be: the estimate is as old as the last probe.
    pub(crate) in_alr: bool,
    /// Since the estimate last fell.
    pub(crate) since_last_decrease: Option<Duration>,
    /// Loss that comes with the path, not with the rate; 0..=1.
    pub(crate) path_loss: f64,
    /// How long packets wait in the path's queue.
    pub(crate) queue_delay: Duration,
}

impl CongestionController {
    /// How much may be sent; `None` while nothing is known of the path: no feedback, no REMB, no loss.
    pub(crate) fn estimate(&self, now: Instant) -> Option<Estimate> {
        let now_us = self.us(now);
        let bps = self.known_bps(now_us)?;
        Some(self.described(now_us, bps, self.last_feedback_us.is_some()))
    }

    pub(super) fn known_bps(&self, now_us: i64) -> Option<f64> {
        match self.last_feedback_us {
            Some(_) => Some(self.bounded(now_us)),
            None => Some(self.fallback.bound(now_us)?.clamp(MIN_BPS, MAX_BPS)),
        }
    }

    /// How much to send to a receiver that will answer, before it has; `None` when it has, or has had long enough to.
    pub(crate) fn first_guess(&self, now: Instant) -> Option<Estimate> {
        let now_us = self.us(now);
        let waited = self.first_sent_us.map_or(0, |first| now_us.saturating_sub(first));
        let waits = self.last_feedback_us.is_none() && waited < UNANSWERED_US;
        waits.then(|| self.described(now_us, self.bounded(now_us), true))
    }

    fn described(&self, now_us: i64, bps: f64, answered: bool) -> Estimate {
        let state = match self.rate.phase() {
            _ if self.silent => EstimateState::Silent,
            Phase::Starting if self.is_starting(now_us, bps) => EstimateState::Starting,
            Phase::Draining => EstimateState::Overusing,
            Phase::Steady | Phase::Starting if self.rate.former(now_us).is_some() => EstimateState::Recovering,
            Phase::Steady | Phase::Starting => EstimateState::Steady,
        };
        let media = (1.0 - OVERHEAD / self.packet_size.max(2.0 * OVERHEAD)) * bps;
        let fell = self.rate.last_cut_us().max(self.loss.last_met_us()).map(|at| now_us.saturating_sub(at).max(0).unsigned_abs());
        Estimate {
            bps: bps as u64,
            media_bps: media as u64,
            state,
            answered,
            in_alr: self.app_limited,
            since_last_decrease: fell.map(Duration::from_micros),
            path_loss: self.loss.path_loss(),
            queue_delay: Duration::from_micros(self.queue.standing_us().unsigned_abs()),
        }
    }

    fn is_starting(&self, now_us: i64, bps: f64) -> bool {
        let soon = self.first_feedback_us.is_none_or(|first| now_us.saturating_sub(first) < STARTING_US);
        let enough = self.demand.max_bps > 0 && bps >= self.demand.max_bps as f64;
        soon && self.probing.is_starting() && !enough
    }

    /// What a trace shows of the insides: for people who debug it, in no promised form.
    pub(crate) fn insides(&self) -> String {
        let queue = self.queue.standing_us() / 1000;
        let limited = if self.app_limited { "limited" } else { "filled" };
        let (rate, loss, stats) = (self.rate.insides(), self.loss.insides(), self.stats);
        format!(
            "{:?} q{queue} {:?} {limited} {rate} {loss} cuts {} probes {}/{} wants {}/{}/{}",
            self.rate.phase(),
            self.trend.usage(),
            stats.cuts,
            stats.probes_limited,
            stats.probes,
            self.demand.allocated_bps / 1000,
            self.demand.wanted_bps / 1000,
            self.demand.max_bps / 1000,
        )
    }
}
