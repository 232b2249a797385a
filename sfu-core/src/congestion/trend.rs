//! Whether the queue grows: draft-ietf-rmcat-gcc-02 §5.1-5.4 with the trend line that libwebrtc has in the Kalman filter's place
//! (Carlucci et al., "Congestion Control for Web Real-Time Communication", IEEE/ACM ToN 2017, §IV, describes the filter it replaced).
//!
//! Packets are grouped into bursts of 5 ms; the differences of the groups' delays, summed and smoothed, are fitted with a line over 20
//! groups; its slope, scaled, is held against a threshold that adapts itself to the delay variation of the path.

/// Packets sent within this time are one group (draft §5.2 `burst_time`).
const BURST_US: i64 = 5_000;
/// Groups in the line. libwebrtc `TrendlineEstimatorSettings::kDefaultTrendlineWindowSize`.
const WINDOW: usize = 20;
/// Smoothing of the accumulated delay. libwebrtc `kDefaultTrendlineSmoothingCoeff`.
const SMOOTHING: f64 = 0.9;
/// Scale of the slope. libwebrtc `kDefaultTrendlineThresholdGain`.
const GAIN: f64 = 4.0;
/// The slope counts for as many groups as were seen, at most this many. libwebrtc `kMinNumDeltas`.
const MAX_DELTAS: f64 = 60.0;
/// Threshold at the start, ms (draft §5.6 `del_var_th(0)`), and its range (draft §5.4).
const THRESHOLD: f64 = 12.5;
const THRESHOLD_MIN: f64 = 6.0;
const THRESHOLD_MAX: f64 = 600.0;
/// How fast the threshold follows from below and from above, per ms. libwebrtc `k_up_`, `k_down_`; the draft's `K_u` 0.01 and `K_d` 0.00018
/// (§5.6) are for the Kalman filter's output, which isn't scaled.
const FOLLOW_UP: f64 = 0.0087;
const FOLLOW_DOWN: f64 = 0.039;
/// A slope this much above the threshold is an outlier that the threshold doesn't follow, ms (draft §5.4).
const OUTLIER: f64 = 15.0;
/// Longest time the threshold follows at once, ms. libwebrtc `kMaxTimeDeltaMs`.
const MAX_STEP_MS: f64 = 100.0;
/// How long the slope must stay above, ms (draft §5.6 `overuse_time_th`).
const OVERUSE_MS: f64 = 10.0;

/// What the trend says of the path.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Usage {
    /// The queue shrinks.
    Under,
    #[default]
    Normal,
    /// The queue grows.
    Over,
}

#[derive(Clone, Copy, Debug)]
struct Group {
    first_sent_us: i64,
    last_sent_us: i64,
    last_arrival_us: i64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Point {
    /// ms since the first group.
    arrival: f64,
    /// Smoothed accumulated delay, ms.
    delay: f64,
}

#[derive(Debug)]
pub(super) struct Trend {
    group: Option<Group>,
    before: Option<Group>,
    first_arrival_us: Option<i64>,
    accumulated: f64,
    smoothed: f64,
    points: [Point; WINDOW],
    filled: usize,
    next: usize,
    deltas: f64,
    threshold: f64,
    over_ms: f64,
    over_count: u32,
    slope: f64,
    usage: Usage,
    /// Mean absolute difference of group delays, ms.
    variation: f64,
}

impl Trend {
    pub(super) fn new() -> Self {
        Self {
            group: None,
            before: None,
            first_arrival_us: None,
            accumulated: 0.0,
            smoothed: 0.0,
            points: [Point::default(); WINDOW],
            filled: 0,
            next: 0,
            deltas: 0.0,
            threshold: THRESHOLD,
            over_ms: 0.0,
            over_count: 0,
            slope: 0.0,
            usage: Usage::Normal,
            variation: 0.0,
        }
    }

    pub(super) fn usage(&self) -> Usage {
        self.usage
    }

    /// Mean absolute difference of the delays of neighbouring groups, ms: the path's jitter as probes meet it.
    pub(super) fn variation_ms(&self) -> f64 {
        self.variation
    }

    /// The receiver's clock was set anew: forgets every delay, but not what the path varies by.
    pub(super) fn reset(&mut self) {
        *self = Self { threshold: self.threshold, variation: self.variation, ..Self::new() };
    }

    /// A packet sent at `sent_us` (our clock) that arrived at `arrival_us` (theirs), in order of sending.
    pub(super) fn push(&mut self, sent_us: i64, arrival_us: i64) {
        let Some(group) = self.group.as_mut() else {
            self.group = Some(Group { first_sent_us: sent_us, last_sent_us: sent_us, last_arrival_us: arrival_us });
            return;
        };
        if sent_us < group.first_sent_us {
            return; // reordered into a group that is closed
        }
        if sent_us.saturating_sub(group.first_sent_us) <= BURST_US {
            group.last_sent_us = group.last_sent_us.max(sent_us);
            group.last_arrival_us = group.last_arrival_us.max(arrival_us);
            return;
        }
        let closed = *group;
        if let Some(before) = self.before {
            self.compare(before, closed);
        }
        self.before = Some(closed);
        self.group = Some(Group { first_sent_us: sent_us, last_sent_us: sent_us, last_arrival_us: arrival_us });
    }

    fn compare(&mut self, before: Group, group: Group) {
        let sent = ms(group.last_sent_us.saturating_sub(before.last_sent_us));
        let arrived = ms(group.last_arrival_us.saturating_sub(before.last_arrival_us));
        if arrived < 0.0 {
            return; // overtaken on the way
        }
        let delta = arrived - sent;
        self.variation += (delta.abs() - self.variation) / 16.0; // RFC 3550 §6.4.1 smooths jitter alike
        self.deltas = (self.deltas + 1.0).min(MAX_DELTAS);
        self.accumulated += delta;
        self.smoothed = SMOOTHING * self.smoothed + (1.0 - SMOOTHING) * self.accumulated;
        let first = *self.first_arrival_us.get_or_insert(group.last_arrival_us);
        let point = Point { arrival: ms(group.last_arrival_us.saturating_sub(first)), delay: self.smoothed };
        if let Some(place) = self.points.get_mut(self.next) {
            *place = point;
        }
        self.next = self.next.wrapping_add(1) % WINDOW;
        self.filled = self.filled.saturating_add(1).min(WINDOW);
        let slope = if self.filled == WINDOW { self.fitted() } else { self.slope };
        self.detect(slope, sent, arrived);
    }

    /// Least squares over the window.
    fn fitted(&self) -> f64 {
        let count = WINDOW as f64;
        let mean_arrival = self.points.iter().map(|point| point.arrival).sum::<f64>() / count;
        let mean_delay = self.points.iter().map(|point| point.delay).sum::<f64>() / count;
        let (mut above, mut below) = (0.0, 0.0);
        for point in &self.points {
            let arrival = point.arrival - mean_arrival;
            above += arrival * (point.delay - mean_delay);
            below += arrival * arrival;
        }
        if below > 0.0 { above / below } else { self.slope }
    }

    fn detect(&mut self, slope: f64, sent_ms: f64, arrived_ms: f64) {
        let modified = self.deltas * slope * GAIN;
        if modified > self.threshold {
            self.over_ms += sent_ms;
            self.over_count = self.over_count.saturating_add(1);
            if self.over_ms > OVERUSE_MS && self.over_count > 1 && slope >= self.slope {
                self.over_ms = 0.0;
                self.over_count = 0;
                self.usage = Usage::Over;
            }
        } else {
            self.over_ms = 0.0;
            self.over_count = 0;
            self.usage = if modified < -self.threshold { Usage::Under } else { Usage::Normal };
        }
        self.slope = slope;
        let size = modified.abs();
        if size <= self.threshold + OUTLIER {
            let follow = if size < self.threshold { FOLLOW_DOWN } else { FOLLOW_UP };
            let moved = follow * (size - self.threshold) * arrived_ms.min(MAX_STEP_MS);
            self.threshold = (self.threshold + moved).clamp(THRESHOLD_MIN, THRESHOLD_MAX);
        }
    }
}

fn ms(us: i64) -> f64 {
    us as f64 / 1000.0
}
