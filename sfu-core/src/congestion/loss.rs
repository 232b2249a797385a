//! The loss-based bound: tells loss that comes with the path from loss that comes with the rate.
//!
//! The model is libwebrtc's (`LossBasedBweV2`): of what is sent at rate `S` the part `p + (1 − p)·max(0, 1 − B/S)` is lost; `p` is the path's
//! own loss and `B` what it lets through. libwebrtc fits both to what it has seen. With the few packets of one viewer that decides by chance,
//! so here the path is asked: where loss that nothing explains comes without a queue, a short burst of padding at twice the rate shows what it
//! follows. Behind a policer the burst loses half of itself and more, on a path that loses a part of everything it loses that part, and a few
//! dozen packets tell the two apart; nobody's picture is made worse to find out. Loss so heavy that waiting would be worse is taken for the
//! rate's at once, and what is lost below the bound says whether that was right.
//!
//! Not here: loss beside a queue (the delay-based part's affair), sending the burst (`cluster`), receivers that report no more than a loss
//! fraction (`fallback`).

/// Observations kept: 2 s at least.
const LEN: usize = 8;
/// One observation lasts at least this long, µs (`LossBasedBweV2` `ObservationDurationLowerBound` 250 ms) …
const SPAN_US: i64 = 250_000;
/// … and has at least this many packets: one lost of 20 is 5 %.
const MIN_PACKETS: f64 = 20.0;
/// Observations that say together whether there is loss to explain: a second of a frame rate's worth of packets.
const RECENT: usize = 3;
/// Loss above what is known of the path by this asks for an explanation (draft-ietf-rmcat-gcc-02 §6 holds the rate from 2 % on) …
const UNEXPLAINED: f64 = 0.03;
/// … and by so many standard deviations, of packets that are lost in pairs (Wi-Fi loses two on end as a rule).
const DEVIATIONS: f64 = 2.5;
const BURST: f64 = 2.0;
/// Loss above what is known of the path by this can't wait. Half of a 1 Mbit/s policer's when the next rung is 2 Mbit/s; far above what calls
/// live on (the draft's 10 %).
const SEVERE: f64 = 0.25;
/// … and so many packets.
const SEVERE_PACKETS: f64 = 8.0;
/// A queue that stands longer than this shows in the delay, µs; a little loss at its end isn't ours to judge.
const SHALLOW_US: i64 = 50_000;
/// The burst: this many times the rate that loses, so that a bound there takes half of it, …
const TEST_SCALE: f64 = 2.0;
/// … for this long, µs: forty packets at 3 Mbit/s, and more than the buckets of policers at 1 Mbit/s hold once they are empty.
const TEST_US: i64 = 150_000;
/// A burst that lost more than this part of the way from what is lost anyway to what a bound would take met a bound: less than half, since a
/// policer's bucket has some credit left for it.
const TELLING: f64 = 1.0 / 3.0;
/// So much loss of the path's own is worth asking again from time to time: half as much again as the 10 % from which draft-ietf-rmcat-gcc-02 §6 reduces.
const HEAVY: f64 = 0.15;
/// Between two bursts on a path whose loss was found to be its own, µs; doubled each time up to the other.
const TEST_PAUSE_US: i64 = 5_000_000;
const LONGEST_TEST_PAUSE_US: i64 = 80_000_000;
/// Packets sent below a bound that tell whether it was taken rightly, and the part of the loss that must be gone.
const WATCHED_PACKETS: f64 = 40.0;
const FOLLOWED: f64 = 0.5;
/// Where to go when a bound is found, relative to it.
const BELOW: f64 = 0.97;
/// How fast a bound is tried upwards while nothing is lost above what the path loses anyway, in a second; half as fast after every time it
/// was met again, down to the other.
const EAGERNESS: f64 = 0.02;
const EAGERNESS_LEAST: f64 = 0.0025;
/// Sending more than this part of the bound uses it.
const USED: f64 = 0.8;
/// A bound this far above the delay-based rate binds nothing any more.
const LOOSE: f64 = 1.05;
/// A bound that is met so soon after a probe found it too low was right, µs: the probe went through on the path's credit.
const FOOLED_US: i64 = 10_000_000;
/// How fast what the path loses is followed while nothing is unexplained: a dozen observations.
const FOLLOW: f64 = 0.08;

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// Bits per second.
    sent_bps: f64,
    packets: f64,
    lost: f64,
}

impl Seen {
    fn loss(&self) -> f64 {
        if self.packets > 0.0 { self.lost / self.packets } else { 0.0 }
    }

    fn arrived_bps(&self) -> f64 {
        self.sent_bps * (1.0 - self.loss())
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Open {
    first_us: i64,
    bytes: f64,
    packets: f64,
    lost: f64,
}

/// A bound was taken on a heavy loss alone: what was lost, and what is since.
#[derive(Clone, Copy, Debug)]
struct Watch {
    loss: f64,
    packets: f64,
    lost: f64,
}

/// A burst is under way: what was lost before it, at which rate.
#[derive(Clone, Copy, Debug)]
struct Test {
    sent_bps: f64,
    loss: f64,
}

/// What the observations ask for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Asks {
    Nothing,
    /// A burst of so many bits per second for so long, µs; [`LossModel::on_test`] wants to know what became of it.
    Burst {
        bps: f64,
        duration_us: i64,
    },
    /// Nothing: a bound was met, soon after a probe had found it too low.
    Fooled,
}

#[derive(Debug)]
pub(super) struct LossModel {
    open: Option<Open>,
    /// There is an observation that wasn't judged yet.
    fresh: bool,
    /// Newest first.
    seen: [Seen; LEN],
    filled: usize,
    bound: Option<f64>,
    path_loss: f64,
    watch: Option<Watch>,
    test: Option<Test>,
    next_test_us: i64,
    test_pause_us: i64,
    last_grown_us: i64,
    last_met_us: Option<i64>,
    last_raised_us: Option<i64>,
    eagerness: f64,
}

impl LossModel {
    pub(super) fn new() -> Self {
        Self {
            open: None,
            fresh: false,
            seen: [Seen::default(); LEN],
            filled: 0,
            bound: None,
            path_loss: 0.0,
            watch: None,
            test: None,
            next_test_us: 0,
            test_pause_us: TEST_PAUSE_US,
            last_grown_us: 0,
            last_met_us: None,
            last_raised_us: None,
            eagerness: EAGERNESS,
        }
    }

    /// The rate may not exceed this.
    pub(super) fn bound(&self) -> Option<f64> {
        self.bound
    }

    /// Loss that comes with the path, 0..=1.
    pub(super) fn path_loss(&self) -> f64 {
        self.path_loss
    }

    /// When the bound was last met.
    pub(super) fn last_met_us(&self) -> Option<i64> {
        self.last_met_us
    }

    pub(super) fn insides(&self) -> String {
        let newest = self.seen.first().copied().unwrap_or_default();
        let bound = (self.bound.unwrap_or(0.0) / 1000.0) as u64;
        let sent = (newest.sent_bps / 1000.0) as u64;
        let watch = if self.watch.is_some() { " watched" } else { "" };
        format!("bound {bound}{watch} path {:.3} newest {sent} lost {:.3}", self.path_loss, newest.loss())
    }

    /// A packet's fate is known.
    pub(super) fn push(&mut self, sent_us: i64, size: u16, arrived: bool, was_lost: bool) {
        let open = self.open.get_or_insert(Open { first_us: sent_us, ..Open::default() });
        if was_lost {
            open.lost = (open.lost - 1.0).max(0.0); // reordered, not lost
            return;
        }
        if self.last_met_us.is_some_and(|met| open.first_us < met && sent_us >= met) {
            // What was sent before a bound was met says nothing of what is sent below it.
            *open = Open { first_us: sent_us, ..Open::default() };
        }
        let full = sent_us.saturating_sub(open.first_us) >= SPAN_US && open.packets >= MIN_PACKETS;
        if full && self.last_met_us.is_some_and(|met| open.first_us < met) {
            *open = Open { first_us: sent_us, ..Open::default() };
        } else if full {
            // From first packet to first packet: bursts at both ends would count once too often.
            let sent_bps = open.bytes * 8e6 / sent_us.saturating_sub(open.first_us).max(1) as f64;
            self.seen.rotate_right(1);
            if let Some(first) = self.seen.first_mut() {
                *first = Seen { sent_bps, packets: open.packets, lost: open.lost };
            }
            self.filled = self.filled.saturating_add(1).min(LEN);
            self.fresh = true;
            *open = Open { first_us: sent_us, ..Open::default() };
        }
        open.bytes += f64::from(size);
        open.packets += 1.0;
        if !arrived {
            open.lost += 1.0;
        }
    }

    /// After every feedback. `standing_us`: the queue; `target`: the delay-based rate.
    pub(super) fn update(&mut self, now_us: i64, target: f64, standing_us: i64) -> Asks {
        if !std::mem::take(&mut self.fresh) {
            return Asks::Nothing;
        }
        let newest = self.seen.first().copied().unwrap_or_default();
        self.watch_over(&newest);
        let shallow = standing_us < SHALLOW_US;
        let asks = if self.test.is_some() {
            Asks::Nothing
        } else if newest.loss() > self.path_loss + SEVERE && newest.lost >= SEVERE_PACKETS && self.exceeds_bound(&newest) {
            self.watch = Some(Watch { loss: newest.loss(), packets: 0.0, lost: 0.0 });
            self.meet(now_us, newest.arrived_bps())
        } else if shallow {
            self.explain(now_us)
        } else {
            Asks::Nothing
        };
        if asks == Asks::Nothing && !self.is_unexplained() && self.test.is_none() {
            // Around the bound more is the bound's.
            if self.bound.is_none_or(|bound| newest.sent_bps < bound * USED) || newest.loss() < self.path_loss {
                self.path_loss += FOLLOW * (newest.loss() - self.path_loss);
            }
            self.grow(now_us, newest.sent_bps, target);
        }
        asks
    }

    /// What is lost below the bound says whether it was taken rightly.
    fn watch_over(&mut self, newest: &Seen) {
        let (Some(watch), Some(bound)) = (self.watch.as_mut(), self.bound) else { return };
        if newest.sent_bps > bound / BELOW {
            return;
        }
        watch.packets += newest.packets;
        watch.lost += newest.lost;
        if watch.packets < WATCHED_PACKETS {
            return;
        }
        let loss = watch.lost / watch.packets;
        if loss > watch.loss * FOLLOWED {
            self.bound = None;
        }
        self.path_loss = loss;
        self.watch = None;
        self.filled = 0;
    }

    fn exceeds_bound(&self, newest: &Seen) -> bool {
        self.bound.is_none_or(|bound| newest.sent_bps > bound)
    }

    fn is_unexplained(&self) -> bool {
        let (recent, packets) = self.recent_loss();
        let deviation = (self.path_loss.max(0.02) * BURST / packets.max(1.0)).sqrt();
        self.filled >= RECENT && recent > self.path_loss + (DEVIATIONS * deviation).max(UNEXPLAINED)
    }

    fn explain(&mut self, now_us: i64) -> Asks {
        let (loss, _) = self.recent_loss();
        if self.watch.is_some() || !(self.is_unexplained() || (loss > HEAVY && self.filled >= RECENT)) {
            return Asks::Nothing;
        }
        let sent_bps = self.recent_rate();
        if self.bound.is_some_and(|bound| sent_bps > bound) {
            return self.meet(now_us, sent_bps * (1.0 - loss));
        }
        if now_us < self.next_test_us {
            return Asks::Nothing;
        }
        self.test = Some(Test { sent_bps, loss });
        Asks::Burst { bps: sent_bps * TEST_SCALE, duration_us: TEST_US }
    }

    /// The burst is over: this part of it was lost, sent at `bps`; none: it said nothing.
    pub(super) fn on_test(&mut self, now_us: i64, outcome: Option<(f64, f64)>) -> Asks {
        let Some(test) = self.test.take() else { return Asks::Nothing };
        let Some((bps, lost)) = outcome else {
            self.next_test_us = now_us.saturating_add(TEST_PAUSE_US / 5);
            return Asks::Nothing;
        };
        let arrived_bps = test.sent_bps * (1.0 - test.loss);
        let if_bound = (1.0 - arrived_bps / bps.max(1.0)).max(test.loss);
        // Where there was no padding to be had, the burst was no faster than what it was to be compared with.
        let faster = bps > test.sent_bps * TEST_SCALE / 1.5;
        if faster && lost > test.loss + (if_bound - test.loss) * TELLING {
            self.test_pause_us = TEST_PAUSE_US;
            self.path_loss = 0.0;
            return self.meet(now_us, arrived_bps);
        }
        self.path_loss = self.path_loss.max(test.loss);
        self.next_test_us = now_us.saturating_add(self.test_pause_us);
        self.test_pause_us = self.test_pause_us.saturating_mul(2).min(LONGEST_TEST_PAUSE_US);
        Asks::Nothing
    }

    /// A probe at `bps` lost this part of itself: when that is what the path loses anyway, the bound isn't where it was thought to be.
    pub(super) fn on_probe(&mut self, now_us: i64, bps: f64, lost: f64) {
        if self.bound.is_some_and(|bound| bps > bound) && lost <= self.path_loss + UNEXPLAINED {
            self.bound = Some(bps);
            self.watch = None;
            self.last_raised_us = Some(now_us);
        }
    }

    /// The loss follows the rate above `bound`.
    fn meet(&mut self, now_us: i64, bound: f64) -> Asks {
        let again = self.bound.is_some();
        if again {
            self.eagerness = (self.eagerness * 0.5).max(EAGERNESS_LEAST);
        }
        self.bound = Some(bound * BELOW);
        (self.last_grown_us, self.last_met_us) = (now_us, Some(now_us));
        // What was seen above it explains nothing below.
        self.filled = 0;
        let fooled = self.last_raised_us.take().is_some_and(|at| now_us.saturating_sub(at) < FOOLED_US);
        if fooled { Asks::Fooled } else { Asks::Nothing }
    }

    /// Tries the bound upwards: as fast as it was seldom met, and the slower, the less of it is used.
    fn grow(&mut self, now_us: i64, sent_bps: f64, target: f64) {
        let elapsed = now_us.saturating_sub(self.last_grown_us).clamp(0, 2_000_000) as f64 / 1e6;
        self.last_grown_us = now_us;
        let eagerness = self.eagerness;
        self.bound = self
            .bound
            .map(|bound| bound * (1.0 + eagerness * elapsed * if sent_bps > bound * USED { 1.0 } else { 0.5 }))
            .filter(|bound| *bound < target * LOOSE);
        if self.bound.is_none() {
            self.eagerness = EAGERNESS;
        }
    }

    fn recent(&self) -> impl Iterator<Item = &Seen> {
        self.seen.iter().take(RECENT.min(self.filled))
    }

    /// Part lost of the last observations, and their packets.
    fn recent_loss(&self) -> (f64, f64) {
        let packets: f64 = self.recent().map(|seen| seen.packets).sum();
        (if packets > 0.0 { self.recent().map(|seen| seen.lost).sum::<f64>() / packets } else { 0.0 }, packets)
    }

    /// Mean rate of the last observations, bits per second.
    fn recent_rate(&self) -> f64 {
        let count = self.recent().count().max(1);
        self.recent().map(|seen| seen.sent_bps).sum::<f64>() / count as f64
    }
}
