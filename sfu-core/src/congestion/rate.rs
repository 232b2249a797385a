//! The delay-based rate: additive or multiplicative increase, multiplicative decrease, around a remembered link capacity
//! (draft-ietf-rmcat-gcc-02 §5.5), with a state of its own for emptying the queue.
//!
//! Differences from the draft, each measured (docs/congestion-control.md): over-use counts only with a standing queue; a queue that stands
//! without growing counts, too; the cut aims at emptying the queue within a second, and afterwards the rate returns to just below the
//! capacity that was measured while the queue stood, not to 85 % of it.

use super::trend::Usage;

/// The rate never falls below this: a voice with its overhead. Audio is sent whatever the estimate.
pub(super) const MIN_BPS: f64 = 30_000.0;
/// The rate never rises above this: 20 publications of 5 Mbit/s.
pub(super) const MAX_BPS: f64 = 100_000_000.0;
/// Before any feedback. libwebrtc starts at the same 300 kbit/s.
pub(super) const START_BPS: f64 = 300_000.0;

/// Multiplicative increase in a second (draft §5.5 `eta` 1.08).
const GROWTH_PER_SECOND: f64 = 0.08;
/// Additive increase: half a packet of 1200 bytes in a response time (draft §5.5).
const ADDED_BITS: f64 = 0.5 * 1200.0 * 8.0;
/// Beside other senders: a packet.
const SHARED_BITS: f64 = 1200.0 * 8.0;
/// Response time, µs. The draft (§5.5) takes the round trip and 100 ms; the same for everybody is fair to the far ones.
const RESPONSE_US: f64 = 150_000.0;
/// Within this of the capacity the increase is additive. The draft (§5.5) takes three standard deviations; ours varies less, because it is
/// only measured while a queue stands.
const NEAR: f64 = 0.10;
/// Media proves what it fills: the rate grows no further than this above what arrives (the draft allows 1.5, §5.5; see docs).
const HEADROOM: f64 = 1.12;
/// The same, for small rates, bit/s (draft §5.5).
const HEADROOM_BPS: f64 = 10_000.0;

/// A slope counts as over-use only when at least this much queue stands, µs: two groups of 5 ms.
const QUEUE_SEEN_US: i64 = 10_000;
/// A queue of this that doesn't shrink counts as over-use, µs. A third of the target of 100 ms.
const QUEUE_HIGH_US: i64 = 35_000;
/// The queue counts as emptied below this, µs.
const QUEUE_EMPTY_US: i64 = 8_000;
/// Cut on over-use, relative to what the link carries: a shallow queue asks for little, a deep one for as much as empties it in
/// [`DRAIN_US`]. Beside other senders it's [`CUT`] or less, always.
const CUT_SHALLOW: f64 = 0.96;
const CUT_DEEPEST: f64 = 0.5;
const DRAIN_US: f64 = 500_000.0;
/// Draft §5.5 `beta`.
const CUT: f64 = 0.85;
/// A share below this part of what was sent isn't noise.
const SHARE_FELL: f64 = 0.7;
/// Without over-use for this long nobody else fills the path, µs.
const LONELY_US: i64 = 8_000_000;
/// Capacities measured one after the other that differ by more than this on average are shares, not capacities: others send, too …
const SHARED: f64 = 0.06;
/// … until they differ by less than this.
const ALONE: f64 = 0.015;
/// Where the rate goes once the queue is empty, relative to the measured capacity.
const RESTORED: f64 = 0.96;
/// A cut shows in feedback after a round trip and this, µs: an interval of feedback and the window of the standing queue.
const REACTION_US: i64 = 200_000;
/// Whether a cut shows: the queue is at most this part of what it was.
const SHRUNK: f64 = 0.8;
/// A queue that outlasts so many cuts isn't ours, or the path became longer.
const MAX_CUTS: u32 = 4;
/// The same where we sent less than we might have: then it's likely others' from the start.
const MAX_CUTS_LIMITED: u32 = 2;
/// Who sends less than this part of what the path was known to carry hardly makes its queue: one cut takes no more than the other from what
/// was sent, for what arrives of us is a share of others'.
const SMALL_PART: f64 = 0.5;
/// … if that is because there is no more to send, or as little as a voice and the smallest picture.
const LEAST_PICTURE_BPS: f64 = 200_000.0;
const CUT_LIMITED: f64 = 0.85;
/// It isn't a queue at all, but a longer path, when it varied by less than this while we were cutting, µs.
const STILL_US: i64 = 15_000;
/// Beside a queue that others keep, delay says nothing of us: the rate grows as beside other senders, and loss cuts it (TCP halves, RFC 5681
/// §3.1; three quarters are fair to both for our slower growth; measured beside a Reno-like flow, RFC 8867 §5.6).
const FOREIGN_CUT: f64 = 0.75;
/// What to go on with when the queue turns out to be others', relative to what we sent before.
const FOREIGN_START: f64 = 0.5;
/// It's over when the queue was empty for this long, µs.
const FOREIGN_OVER_US: i64 = 1_000_000;
/// A rate that fell below this part of what it was is a dip, to be probed back.
const DIP: f64 = 0.8;
/// How long a dip is remembered, µs.
const DIP_KEPT_US: i64 = 30_000_000;
/// Weight of a new difference.
const SCATTER_WEIGHT: f64 = 0.25;
/// A difference counts for no more than this: a path that changed once isn't shared.
const SCATTER_MOST: f64 = 0.15;
/// Weight of a new capacity that confirms the known one.
const CONFIRMING: f64 = 0.3;
/// Without feedback: the rate falls by this …
const SILENCE_CUT: f64 = 0.8;

/// What the rate is doing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Phase {
    /// Nothing is known of the path's limit yet.
    Starting,
    /// Below or around the limit.
    Steady,
    /// Emptying the queue.
    Draining,
}

/// What one feedback says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Observation {
    pub(super) now_us: i64,
    pub(super) usage: Usage,
    pub(super) standing_us: i64,
    pub(super) round_trip_us: i64,
    /// Bits per second that were sent in the last half second.
    pub(super) sent: f64,
    /// Bits per second that arrived in the last half second.
    pub(super) delivered: Option<f64>,
    /// The same over the shortest window that says something: while a queue stands, the link's rate.
    pub(super) drained: Option<f64>,
    /// What the path's own delay variation may make of `drained`, relative.
    pub(super) noise: f64,
    /// Part of the packets lost.
    pub(super) lost: f64,
    /// The sender has less to send than the rate allows.
    pub(super) app_limited: bool,
}

/// What changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Outcome {
    Nothing,
    Cut,
    /// What stands isn't a queue: measure from it.
    LongerPath,
}

#[derive(Clone, Copy, Debug)]
struct Draining {
    since_us: i64,
    cut_us: i64,
    cuts: u32,
    /// Queue at the first cut, and the least and the most since the second.
    standing_us: i64,
    least_us: i64,
    most_us: i64,
    from: f64,
    /// We sent little.
    small: bool,
}

#[derive(Debug)]
pub(super) struct RateControl {
    target: f64,
    phase: Phase,
    capacity: Option<f64>,
    /// Smoothed relative difference of measured capacities.
    scatter: f64,
    competing: bool,
    draining: Option<Draining>,
    hold_until_us: i64,
    last_update_us: Option<i64>,
    last_cut_us: Option<i64>,
    last_standing_us: i64,
    /// What the rate was before it fell, and when it fell.
    former: Option<(f64, i64)>,
    before_silence: Option<f64>,
    /// Others keep a queue: since when it was last seen.
    foreign: Option<i64>,
}

impl RateControl {
    pub(super) fn new() -> Self {
        Self {
            target: START_BPS,
            phase: Phase::Starting,
            capacity: None,
            scatter: 0.0,
            competing: false,
            draining: None,
            hold_until_us: 0,
            last_update_us: None,
            last_cut_us: None,
            last_standing_us: 0,
            former: None,
            before_silence: None,
            foreign: None,
        }
    }

    pub(super) fn target(&self) -> f64 {
        self.target
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    pub(super) fn insides(&self) -> String {
        format!(
            "{} cap {} scatter {:.3}",
            if self.competing { "C" } else { "a" },
            (self.capacity.unwrap_or(0.0) / 1000.0) as u64,
            self.scatter
        )
    }

    pub(super) fn last_cut_us(&self) -> Option<i64> {
        self.last_cut_us
    }

    /// What the rate was before the last dip, while it's worth probing for.
    pub(super) fn former(&self, now_us: i64) -> Option<f64> {
        self.former
            .filter(|(bps, at)| !self.competing() && now_us.saturating_sub(*at) < DIP_KEPT_US && self.target < bps * RESTORED)
            .map(|(bps, _)| bps)
    }

    /// Grew past the capacity last measured without meeting it: the path may have become wider.
    pub(super) fn outgrew_capacity(&self) -> bool {
        self.phase == Phase::Steady
            && !self.competing()
            && self.capacity.is_some_and(|capacity| self.target > capacity * (1.0 + NEAR / 2.0))
    }

    pub(super) fn on_feedback(&mut self, seen: &Observation) -> Outcome {
        let elapsed_us = self.last_update_us.map_or(0, |last| seen.now_us.saturating_sub(last)).clamp(0, 1_000_000);
        self.last_update_us = Some(seen.now_us);
        let growing = seen.standing_us >= self.last_standing_us.saturating_sub(2_000);
        self.last_standing_us = seen.standing_us;
        let slack = slack_us(self.target);
        let over = (seen.usage == Usage::Over && seen.standing_us > QUEUE_SEEN_US)
            || (seen.standing_us > QUEUE_HIGH_US.saturating_add(slack) && growing);
        if let Some(before) = self.before_silence.take()
            && !over
        {
            self.target = self.target.max(before * RESTORED);
        }
        if self.foreign.is_some() {
            self.beside_others(seen, elapsed_us as f64);
            self.target = self.target.clamp(MIN_BPS, MAX_BPS);
            return Outcome::Nothing;
        }
        if self.competing && self.last_cut_us.is_none_or(|at| seen.now_us.saturating_sub(at) > LONELY_US) {
            (self.competing, self.scatter) = (false, 0.0);
        }
        let outcome = match (self.draining, over) {
            (Some(draining), _) => self.drain(seen, draining),
            (None, true) => self.cut(seen),
            (None, false) => {
                self.grow(seen, elapsed_us as f64);
                Outcome::Nothing
            }
        };
        self.target = self.target.clamp(MIN_BPS, MAX_BPS);
        outcome
    }

    fn cut(&mut self, seen: &Observation) -> Outcome {
        let Some(capacity) = seen.drained.or(seen.delivered) else { return Outcome::Nothing };
        let from = self.target;
        let former = self.former.filter(|(_, at)| seen.now_us.saturating_sub(*at) < DIP_KEPT_US).map_or(0.0, |(bps, _)| bps);
        let known = from.max(self.capacity.unwrap_or(0.0)).max(former);
        let small = (seen.app_limited || seen.sent < LEAST_PICTURE_BPS) && seen.sent < known * SMALL_PART;
        let kept = if small { seen.sent } else { 0.0 };
        self.learn(capacity, (!seen.app_limited).then_some(seen.noise));
        self.draining = Some(Draining {
            since_us: seen.now_us,
            cut_us: seen.now_us,
            cuts: 1,
            standing_us: seen.standing_us,
            least_us: i64::MAX,
            most_us: 0,
            from,
            small,
        });
        self.phase = Phase::Draining;
        self.last_cut_us = Some(seen.now_us);
        self.target = if self.competing && capacity > from * SHARE_FELL {
            // Our share of a full link is what we sent, give or take how the frames fell: cutting to a part of the measurement would make
            // the noise decide who gets how much.
            from * CUT
        } else {
            from.min((capacity * self.cut_for(seen.standing_us)).max(kept))
        };
        Outcome::Cut
    }

    /// The queue stands because of what was sent before the cut, because it wasn't deep enough, or because of others.
    fn drain(&mut self, seen: &Observation, draining: Draining) -> Outcome {
        let lasted = seen.now_us.saturating_sub(draining.since_us);
        let empty = seen.standing_us <= QUEUE_EMPTY_US.saturating_add(slack_us(self.target) / 2);
        let reaction_us = seen.round_trip_us.saturating_add(REACTION_US);
        let low = seen.standing_us <= QUEUE_HIGH_US && lasted > reaction_us.saturating_mul(2);
        if empty || low {
            self.settle(seen, draining);
            return Outcome::Nothing;
        }
        // Only what has had time to show can be judged, and only a queue that didn't shrink asks for more: beside other senders, what
        // arrives of us is less with every cut, and cutting to a part of that again and again would leave them everything.
        if seen.now_us.saturating_sub(draining.cut_us) > reaction_us && seen.standing_us as f64 > draining.standing_us as f64 * SHRUNK {
            if draining.cuts >= if draining.small { MAX_CUTS_LIMITED } else { MAX_CUTS } {
                self.settle(seen, draining);
                if draining.most_us.saturating_sub(draining.least_us) < STILL_US {
                    return Outcome::LongerPath;
                }
                self.foreign = Some(seen.now_us);
                self.target = self.target.max(draining.from * FOREIGN_START);
                return Outcome::Nothing;
            }
            if let Some(capacity) = seen.drained {
                let kept = if draining.small { CUT_LIMITED * seen.sent } else { 0.0 };
                self.capacity = Some(self.capacity.map_or(capacity, |known| known.min(capacity)));
                self.target = self.target.min((capacity * self.cut_for(seen.standing_us)).max(kept));
            }
            self.draining = Some(Draining { cut_us: seen.now_us, cuts: draining.cuts.saturating_add(1), ..draining });
        } else if draining.cuts > 1 {
            let (least_us, most_us) = (draining.least_us.min(seen.standing_us), draining.most_us.max(seen.standing_us));
            self.draining = Some(Draining { least_us, most_us, ..draining });
        }
        Outcome::Nothing
    }

    /// Others keep a queue.
    fn beside_others(&mut self, seen: &Observation, elapsed_us: f64) {
        if seen.standing_us > QUEUE_SEEN_US.saturating_add(slack_us(self.target)) {
            self.foreign = Some(seen.now_us);
        }
        if self.foreign.is_some_and(|at| seen.now_us.saturating_sub(at) > FOREIGN_OVER_US) {
            self.foreign = None;
            return;
        }
        let reaction_us = seen.round_trip_us.saturating_add(REACTION_US);
        let lately = self.last_cut_us.is_some_and(|at| seen.now_us.saturating_sub(at) < reaction_us);
        if seen.lost > 0.0 && !lately {
            self.last_cut_us = Some(seen.now_us);
            self.target *= FOREIGN_CUT;
        } else if let Some(delivered) = seen.delivered.filter(|_| !seen.app_limited && seen.lost == 0.0) {
            let grown = self.target + SHARED_BITS * elapsed_us / RESPONSE_US;
            self.target = self.target.max(grown.min(delivered * HEADROOM + HEADROOM_BPS));
        }
    }

    fn settle(&mut self, seen: &Observation, draining: Draining) {
        self.draining = None;
        self.phase = Phase::Steady;
        if let Some(capacity) = self.capacity.filter(|_| !self.competing) {
            self.target = self.target.max((capacity * RESTORED).min(draining.from));
        }
        if self.target < draining.from * DIP {
            let known = self.former(seen.now_us).unwrap_or(0.0);
            self.former = Some((draining.from.max(known), seen.now_us));
        }
        self.hold_until_us = seen.now_us.saturating_add(seen.round_trip_us);
    }

    /// What to send while so much queue stands, relative to what the link carries.
    fn cut_for(&self, standing_us: i64) -> f64 {
        let most = if self.competing() { CUT } else { CUT_SHALLOW };
        (1.0 - standing_us as f64 / DRAIN_US).clamp(CUT_DEEPEST, most)
    }

    /// Others send over the same bottleneck.
    pub(super) fn competing(&self) -> bool {
        self.competing || self.foreign.is_some()
    }

    /// `noise`: what the measurement may be off by; none: it was made of too little to compare.
    fn learn(&mut self, capacity: f64, noise: Option<f64>) {
        if let (Some(known), Some(noise)) = (self.capacity, noise) {
            self.scatter += SCATTER_WEIGHT * (((capacity - known).abs() / known - noise).clamp(0.0, SCATTER_MOST) - self.scatter);
            self.competing = self.scatter > if self.competing { ALONE } else { SHARED };
        }
        self.capacity = Some(match self.capacity {
            Some(known) if (capacity - known).abs() < known * NEAR => known + CONFIRMING * (capacity - known),
            _ => capacity,
        });
    }

    fn grow(&mut self, seen: &Observation, elapsed_us: f64) {
        if seen.app_limited || seen.now_us < self.hold_until_us || seen.usage == Usage::Over || seen.standing_us > QUEUE_HIGH_US {
            return;
        }
        let Some(delivered) = seen.delivered else { return };
        let near = self.capacity.is_some_and(|capacity| (self.target - capacity).abs() < capacity * NEAR);
        let multiplied = self.target * GROWTH_PER_SECOND * elapsed_us / 1e6;
        let added = if self.competing {
            // The same for everybody, so that shares become equal (Chiu, Jain 1989).
            SHARED_BITS * elapsed_us / RESPONSE_US
        } else if near {
            (ADDED_BITS * elapsed_us / RESPONSE_US).min(multiplied)
        } else {
            multiplied
        };
        let most = delivered * HEADROOM + HEADROOM_BPS;
        self.target = self.target.max((self.target + added).min(most));
    }

    /// A probe arrived at `bps`; `limited`: slower than it was sent, so that this is what the path carries.
    pub(super) fn on_probe(&mut self, now_us: i64, bps: f64, limited: bool, delivered: Option<f64>, app_limited: bool) {
        if self.draining.is_some() {
            return;
        }
        if limited && self.competing() {
            // A burst takes from the others what it arrives with.
        } else if limited {
            self.learn(bps, (!app_limited).then_some(0.0));
            if self.phase == Phase::Starting {
                self.phase = Phase::Steady;
            }
            // Not below what arrives without a queue.
            let proven = delivered.unwrap_or(0.0).min(self.target);
            let before = self.target;
            self.target = (bps * RESTORED).max(proven).clamp(MIN_BPS, MAX_BPS);
            if self.target < before * DIP {
                self.former = Some((before, now_us));
            }
        } else {
            self.target = self.target.max(bps).clamp(MIN_BPS, MAX_BPS);
        }
    }

    /// Nothing was sent for a while: what the queue was then says nothing of now.
    pub(super) fn on_idle(&mut self) {
        self.foreign = None;
        if let Some(draining) = self.draining.take() {
            self.target = self.target.max(draining.from * FOREIGN_START);
        }
        if self.phase == Phase::Draining {
            self.phase = Phase::Steady;
        }
    }

    /// Nothing came back for a while.
    pub(super) fn on_silence(&mut self, now_us: i64) {
        self.before_silence.get_or_insert(self.target);
        self.target = (self.target * SILENCE_CUT).max(MIN_BPS);
        self.last_cut_us = Some(now_us);
    }
}

/// One and a half packets' time at this rate, µs: what a delay can't tell from a queue.
fn slack_us(bps: f64) -> i64 {
    (1.5 * 1200.0 * 8.0 * 1e6 / bps.max(MIN_BPS)) as i64
}
