//! Somebody else's TCP download on the same link: slow start, additive increase, one halving a round trip (RFC 5681, no SACK, no
//! time-outs but for a lost window). Enough of TCP to be in the way as TCP is.

use std::collections::VecDeque;
use std::time::Duration;

/// Bytes of a full segment with its headers.
pub(crate) const SEGMENT: usize = 1_500;

/// Segments that the first window holds (RFC 6928).
const INITIAL_WINDOW: f64 = 10.0;

/// A download.
#[derive(Clone, Copy, Debug)]
pub struct Cross {
    /// When it begins, since the world began.
    pub start: Duration,
    /// When it ends at the latest.
    pub end: Duration,
    /// Of its path without the queue.
    pub round_trip: Duration,
    /// How much it has to bring; none: as much as it can until its end.
    pub bytes: Option<usize>,
}

#[derive(Debug)]
pub(crate) struct CrossFlow {
    plan: Cross,
    window: f64,
    threshold: f64,
    in_flight: u32,
    left: Option<u32>,
    /// When acknowledgements arrive.
    acks: VecDeque<Duration>,
    /// A loss is one event a round trip.
    recovers_until: Duration,
}

impl CrossFlow {
    pub(crate) fn new(plan: Cross) -> Self {
        Self {
            plan,
            window: INITIAL_WINDOW,
            threshold: f64::INFINITY,
            in_flight: 0,
            left: plan.bytes.map(|bytes| bytes.div_ceil(SEGMENT) as u32),
            acks: VecDeque::new(),
            recovers_until: Duration::ZERO,
        }
    }

    fn is_running(&self, at: Duration) -> bool {
        (self.plan.start..self.plan.end).contains(&at) && self.left != Some(0)
    }

    pub(crate) fn wants_to_send(&mut self, at: Duration) -> bool {
        while self.acks.pop_front_if(|ack| *ack <= at).is_some() {
            self.in_flight = self.in_flight.saturating_sub(1);
            self.window += if self.window < self.threshold { 1.0 } else { 1.0 / self.window };
        }
        self.is_running(at) && f64::from(self.in_flight) < self.window.floor()
    }

    pub(crate) fn on_sent(&mut self) {
        self.in_flight += 1;
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(1);
        }
    }

    pub(crate) fn on_departure(&mut self, at: Duration) {
        self.acks.push_back(at + self.plan.round_trip);
    }

    pub(crate) fn on_drop(&mut self, at: Duration) {
        if at >= self.recovers_until {
            self.window = (self.window / 2.0).max(1.0);
            self.threshold = self.window.max(2.0);
            self.recovers_until = at + self.plan.round_trip;
        }
        // What was lost is in flight until a round trip has shown that it is gone.
        self.in_flight += 1;
        self.acks.push_back(at + self.plan.round_trip);
        self.acks.make_contiguous().sort_unstable();
    }

    pub(crate) fn next_due(&self) -> Option<Duration> {
        let begin = (self.in_flight == 0 && self.left != Some(0)).then_some(self.plan.start);
        self.acks.front().copied().into_iter().chain(begin.filter(|begin| *begin < self.plan.end)).min()
    }
}
