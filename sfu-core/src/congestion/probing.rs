//! When to probe, and how fast. Four occasions, one probe at a time, never on a full path.
//!
//! 1. At the start: 3 × the first estimate, then 2 × each result, until the path or the demand ends it.
//! 2. On demand: what is wanted × 1.2 where that is more than the estimate.
//! 3. After a dip: back to where the rate was, sooner and more often.
//! 4. Grown past the known capacity, or application-limited below a demand for long: to see whether the path still is what it was.

use super::cluster::{Found, Plan};

/// First probe, relative to the start rate. libwebrtc `first_exponential_probe_scale`.
const FIRST_SCALE: f64 = 3.0;
/// Following a probe that wasn't limited. libwebrtc `further_exponential_probe_scale`.
const NEXT_SCALE: f64 = 2.0;
/// What is wanted, and this much more: enough to say that it fits with room.
const MARGIN: f64 = 1.2;
/// Where the last probe found the same limit, the next needs to be only this much faster to find it again.
const CONFIRM_SCALE: f64 = 1.3;
/// The next probe follows at once when this one found so much more than was known: half of what the smallest ([`MARGIN`]) asks for.
const PAYS: f64 = 1.1;
/// Slower probes say nothing that is worth a packet.
const LEAST_BPS: f64 = 150_000.0;
/// Queue that a probe may make if the path carries no more than the estimate, µs.
const QUEUE_BUDGET_US: f64 = 60_000.0;
/// Shortest and longest cluster, µs. libwebrtc `min_probe_duration` is 15 ms; the other bound is the issue's.
const SHORTEST_US: f64 = 15_000.0;
const LONGEST_US: f64 = 200_000.0;
/// A cluster lasts this many times the path's delay variation, so that the variation can't decide.
const JITTERS: f64 = 10.0;
/// Between probes for a demand, µs. libwebrtc `alr_probing_interval`.
const INTERVAL_US: i64 = 5_000_000;
/// After a dip, µs.
const DIP_INTERVAL_US: i64 = 2_000_000;
/// To see whether an unused estimate still holds, µs.
const VERIFY_US: i64 = 5_000_000;
/// After a probe without a result, µs.
const RETRY_US: i64 = 1_000_000;
/// Longest pause after probes that only met loss, µs.
const LONGEST_PAUSE_US: i64 = 60_000_000;
/// A probe that lost more than this above what the path loses anyway found a path that drops what is too much; the next one waits twice as
/// long. Guess: two of a dozen packets are chance where a few per cent are lost.
const LOSSY: f64 = 0.17;

/// What the schedule decides upon.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    pub(super) now_us: i64,
    pub(super) estimate: f64,
    /// No queue, no over-use, no loss that limits.
    pub(super) calm: bool,
    pub(super) app_limited: bool,
    pub(super) sent_bps: f64,
    pub(super) wanted: f64,
    pub(super) most: f64,
    pub(super) former: Option<f64>,
    pub(super) outgrew: bool,
    /// Others send over the same bottleneck.
    pub(super) competing: bool,
    /// What limits is a bound that loss showed: nothing queues there, and short probes pass on the path's credit.
    pub(super) lossy: bool,
    /// What the frames' own bursts came at, when that is much less than the estimate.
    pub(super) narrower: Option<f64>,
    pub(super) variation_ms: f64,
    pub(super) round_trip_us: i64,
}

#[derive(Debug)]
pub(super) struct Probing {
    starting: bool,
    /// The first limit found at the start.
    doubted: bool,
    /// Not before this.
    next_us: i64,
    /// The last result was limited, at this rate.
    limit: Option<f64>,
    pause_us: i64,
    last_us: i64,
    /// What was wanted when the last probe went out.
    wanted: f64,
    /// Frames that come slower than thought are no reason to ask before this.
    next_suspicion_us: i64,
    /// When what a probe had found last didn't hold.
    fooled_us: Option<i64>,
}

impl Probing {
    pub(super) fn new() -> Self {
        Self {
            starting: true,
            doubted: false,
            next_us: 0,
            limit: None,
            pause_us: INTERVAL_US,
            last_us: 0,
            wanted: 0.0,
            next_suspicion_us: 0,
            fooled_us: None,
        }
    }

    /// No probe has found a limit yet.
    pub(super) fn is_starting(&self) -> bool {
        self.starting
    }

    /// The next cluster, if it's time for one.
    pub(super) fn plan(&mut self, view: &View) -> Option<Plan> {
        // Beside others a gap in their traffic is no proof of room.
        if !view.calm || view.competing || view.wanted.max(view.most) <= 0.0 {
            return None;
        }
        if let Some(bps) = self.suspicion(view) {
            self.last_us = view.now_us.max(1);
            self.next_suspicion_us = view.now_us.saturating_add(INTERVAL_US);
            return Some(Plan { bps, duration_us: duration_us(bps, view) });
        }
        // What the next step needs; when that is there, what further steps would.
        let wanted = if self.starting || view.wanted <= view.estimate { view.most.max(view.wanted) } else { view.wanted };
        let wants_more = wanted > view.estimate;
        // Nobody has looked for so much yet, and no limit is known.
        let new_wish = self.limit.is_none() && wanted > self.wanted * MARGIN;
        let soon = !view.lossy
            && (new_wish || view.outgrew || (view.former.is_some() && view.now_us.saturating_sub(self.last_us) >= DIP_INTERVAL_US));
        let verify =
            !view.lossy && view.app_limited && wanted > view.sent_bps * MARGIN && view.now_us.saturating_sub(self.last_us) >= VERIFY_US;
        let due = view.now_us >= self.next_us || (soon && view.now_us.saturating_sub(self.last_us) >= view.round_trip_us.saturating_mul(2));
        if !((wants_more && due) || verify) {
            return None;
        }
        let confirmed = self.limit.is_some_and(|limit| (limit - view.estimate).abs() < limit * 0.15) && !view.outgrew;
        let scale = if self.last_us == 0 {
            FIRST_SCALE
        } else if view.lossy || (confirmed && view.former.is_none()) {
            CONFIRM_SCALE
        } else {
            NEXT_SCALE
        };
        let goal = wanted * MARGIN;
        let bps = if wants_more { goal.clamp(view.estimate * MARGIN, view.estimate * scale) } else { goal.min(view.estimate) };
        let bps = bps.max(LEAST_BPS);
        self.wanted = wanted;
        self.last_us = view.now_us.max(1);
        self.next_us = view.now_us.saturating_add(self.pause_us);
        Some(Plan { bps, duration_us: duration_us(bps, view) })
    }

    /// What to ask where frames came slower than the path was thought to be: more than they came at, but not what was thought.
    fn suspicion(&self, view: &View) -> Option<f64> {
        let narrower = view.narrower.filter(|_| view.app_limited && !self.starting && !view.lossy)?;
        let due = view.now_us >= self.next_suspicion_us && view.now_us.saturating_sub(self.last_us) >= RETRY_US;
        due.then(|| (narrower * NEXT_SCALE).max(view.sent_bps * MARGIN).max(LEAST_BPS).min(view.estimate))
    }

    /// A result came in, where the estimate was `before`.
    pub(super) fn on_found(&mut self, now_us: i64, found: &Found, before: f64) {
        if found.lost > LOSSY {
            self.pause_us = self.pause_us.saturating_mul(2).min(LONGEST_PAUSE_US);
        } else if self.fooled_us.is_none_or(|at| now_us.saturating_sub(at) > 2 * LONGEST_PAUSE_US) {
            self.pause_us = INTERVAL_US;
        }
        if found.limited {
            self.next_suspicion_us = now_us;
        }
        if found.limited && self.starting && !std::mem::replace(&mut self.doubted, true) {
            // Nothing is known of the path's jitter yet, and everything waits for the answer: it is asked twice.
            self.next_us = now_us;
        } else if found.limited || found.lost > LOSSY {
            self.starting = false;
            self.limit = Some(found.bps);
            self.next_us = self.last_us.saturating_add(self.pause_us);
        } else {
            self.limit = None;
            // Of what isn't much more, the next probe wouldn't show more either.
            let paid = found.bps > before * PAYS;
            self.next_us = if paid { now_us } else { self.last_us.saturating_add(self.pause_us) };
        }
    }

    /// A cluster was given up because the path was found full meanwhile.
    pub(super) fn on_abandoned(&mut self, now_us: i64) {
        // At the start that's a key frame's doing as a rule, and everything waits for the result.
        if self.starting {
            self.on_failed(now_us);
        }
    }

    /// What the last probe found didn't hold: the next one waits twice as long.
    pub(super) fn on_fooled(&mut self, now_us: i64) {
        self.pause_us = self.pause_us.saturating_mul(2).min(LONGEST_PAUSE_US);
        self.next_us = now_us.saturating_add(self.pause_us);
        self.fooled_us = Some(now_us);
    }

    /// A cluster ended without a result.
    pub(super) fn on_failed(&mut self, now_us: i64) {
        self.next_us = now_us.saturating_add(RETRY_US);
    }
}

/// Long enough for the path's jitter, short enough for its queue.
fn duration_us(bps: f64, view: &View) -> i64 {
    if view.lossy {
        return LONGEST_US as i64;
    }
    // What isn't used may have gone: half of it, when nothing shows how much.
    let proven = if view.app_limited { view.sent_bps.max(view.narrower.unwrap_or(view.estimate / 2.0)) } else { view.estimate };
    let excess = (1.0 - proven / bps.max(1.0)).max(0.05);
    let budget = QUEUE_BUDGET_US / excess * proven / bps.max(1.0);
    (view.variation_ms * 1000.0 * JITTERS).max(2.0 * SHORTEST_US).min(budget).clamp(SHORTEST_US, LONGEST_US) as i64
}
