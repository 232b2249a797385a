//! How much one subscriber's path carries, and when to try for more: send-side bandwidth estimation over transport-wide feedback.
//!
//! One [`CongestionController`] per peer whose sections negotiated transport-wide numbers
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01). Who drives it:
//!
//! ```text
//! sealing      next_number() → into the packet's extension; on_sent(now, bytes, class) once it is sealed
//! RTCP         on_feedback, on_remb, on_round_trip, on_report_loss
//! timer        handle_tick at poll_timeout, at least every 20 ms; then poll_padding until None, sending what it asks for
//! allocator    set_demand(what is wanted) in, estimate() out
//! sending      video_room before a frame of video; audio, resends and padding never ask
//! ```
//!
//! The parts, in the order of a feedback: `history` (what was sent), `clock` (the receiver's), `queue` and `trend` (does a queue stand, does
//! it grow), `trains` (is it narrower than thought), `throughput` (what arrives), `rate` (the delay-based rate), `loss` (a bound where loss follows the rate), `cluster` and
//! `probing` (padding that looks for more), `pacer`, `fallback` (receivers without feedback), `estimate` (what is told of it all). Every constant, its source and every difference
//! from libwebrtc: docs/congestion-control.md.
//!
//! Invariants, each with a test of the same name in `congestion/tests/`:
//! * `hostile_feedback_moves_only_its_senders_estimate`, which stays within [`MIN_BPS`]..=[`MAX_BPS`] whatever the feedback says;
//! * `the_same_input_gives_the_same_estimates`: arithmetic on integers and on IEEE doubles without library functions;
//! * `a_steady_stream_allocates_nothing` once the history, the only thing that grows, has grown to the rate;
//! * `application_limited_neither_grows_nor_decays`: an unused estimate changes by evidence only.
//!
//! Not here: who gets how much (the allocator), what padding is made of (the forwarder), where held packets wait (the peer).

mod clock;
mod cluster;
mod estimate;
mod fallback;
mod history;
mod loss;
mod pacer;
mod probing;
mod queue;
mod rate;
#[cfg(test)]
mod tests;
mod throughput;
mod trains;
mod trend;

use crate::rtcp::{PacketStatus, TransportFeedback};
use clock::ArrivalClock;
use cluster::{Clusters, Ended, Found, Plan};
pub(crate) use estimate::{Estimate, EstimateState};
use fallback::Fallback;
use history::SendHistory;
use loss::{Asks, LossModel};
use pacer::{Backlog, Carries, Pacer};
use probing::{Probing, View};
use queue::QueueDelay;
use rate::{MAX_BPS, MIN_BPS, Observation, Outcome, Phase, RateControl};
use std::time::{Duration, Instant};
use throughput::Throughput;
use trains::Trains;
use trend::{Trend, Usage};

/// What a packet is, for pacing and for the statistics.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SentClass {
    Audio,
    Video,
    Resend,
    /// Sent because [`CongestionController::poll_padding`] asked for it.
    Padding,
}

/// What the subscriber's allocation could use.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Demand {
    /// Bits per second that the layers chosen now take.
    pub(crate) allocated_bps: u64,
    /// … that the choice would take after the next step up; the same as `allocated_bps` when there is none.
    pub(crate) wanted_bps: u64,
    /// … if everything were sent as good as it is there and wanted.
    pub(crate) max_bps: u64,
}

/// Counters and the latest values, for the statistics.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct CongestionStats {
    pub(crate) feedbacks: u64,
    /// Packets that feedback spoke of, and those of them that hadn't arrived.
    pub(crate) answered: u64,
    pub(crate) lost: u64,
    pub(crate) cuts: u64,
    pub(crate) probes: u64,
    pub(crate) probes_limited: u64,
    pub(crate) padding_bytes: u64,
    pub(crate) clock_resets: u64,
    pub(crate) silences: u64,
}

/// What arrives is averaged over this long, µs: 15 frames at 30 frames/s (libwebrtc's acknowledged bitrate starts with the same).
const DELIVERED_US: i64 = 500_000;
/// … and while a queue stands over this: some 15 packets at 1 Mbit/s.
const DRAINED_US: i64 = 200_000;
/// What is sent counts as less than the estimate allows below this part of it …
const LIMITED_BELOW: f64 = 0.80;
/// … until it's above this part again. (libwebrtc's `AlrDetector`: 65 % of the bandwidth, budgets of 80 and 50 %.)
const UNLIMITED_ABOVE: f64 = 0.88;
/// Feedback is missing after this many of its intervals and a round trip, at least and at most, µs.
const SILENCE_INTERVALS: i64 = 3;
const SILENCE_US: (i64, i64) = (300_000, 1_000_000);
/// After an outage of both directions so many feedbacks are missing at most: those that were under way as it began. Where only the way back
/// was gone, one is missing for each 50 to 250 ms.
const MISSED_FEEDBACKS: u8 = 2;
/// Statuses of one feedback that are looked at: what the history can hold, and what lies around it.
const MAX_STATUSES: usize = history::MAX_LEN * 2;
/// A queue of this size is nothing to probe on, µs.
const CALM_QUEUE_US: i64 = 25_000;
/// Nothing sent for this long: the queue of then says nothing of now, µs. Guess: most queues empty faster.
const IDLE_US: i64 = 2_000_000;
/// Granularity of probe padding.
const PROBE_STEP_US: i64 = 2_000;

/// See the module.
#[derive(Debug)]
pub(crate) struct CongestionController {
    start: Instant,
    history: SendHistory,
    clock: ArrivalClock,
    queue: QueueDelay,
    trend: Trend,
    trains: Trains,
    sent: Throughput,
    delivered: Throughput,
    rate: RateControl,
    loss: LossModel,
    clusters: Clusters,
    probing: Probing,
    pacer: Pacer,
    fallback: Fallback,
    demand: Demand,
    app_limited: bool,
    /// Smoothed, µs.
    round_trip_us: i64,
    /// Smoothed size of a packet, bytes.
    packet_size: f64,
    last_sent_us: Option<i64>,
    /// The moment of the last packet, so that a frame's packets, which go at once, don't each work it out.
    moment: (Instant, i64),
    /// The first numbered packet, and the first answer.
    first_sent_us: Option<i64>,
    first_feedback_us: Option<i64>,
    last_feedback_us: Option<i64>,
    last_feedback_count: Option<u8>,
    feedback_interval_us: i64,
    last_silence_us: Option<i64>,
    /// When the first packet was sent since the last feedback.
    waiting_since_us: Option<i64>,
    silent: bool,
    silent_once: bool,
    stats: CongestionStats,
}

impl CongestionController {
    /// Nothing sent, nothing known. `now`: any instant not after the first packet.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            start: now,
            history: SendHistory::new(),
            clock: ArrivalClock::default(),
            queue: QueueDelay::new(),
            trend: Trend::new(),
            trains: Trains::default(),
            sent: Throughput::new(),
            delivered: Throughput::new(),
            rate: RateControl::new(),
            loss: LossModel::new(),
            clusters: Clusters::default(),
            probing: Probing::new(),
            pacer: Pacer::default(),
            fallback: Fallback::default(),
            demand: Demand::default(),
            app_limited: false,
            round_trip_us: 100_000,
            packet_size: 1000.0,
            last_sent_us: None,
            moment: (now, 0),
            first_sent_us: None,
            first_feedback_us: None,
            last_feedback_us: None,
            last_feedback_count: None,
            feedback_interval_us: 100_000,
            last_silence_us: None,
            waiting_since_us: None,
            silent: false,
            silent_once: false,
            stats: CongestionStats::default(),
        }
    }

    fn us(&self, now: Instant) -> i64 {
        let since = now.saturating_duration_since(self.start); // as_micros() divides 128 bits
        (since.as_secs() as i64).saturating_mul(1_000_000).saturating_add(i64::from(since.subsec_micros()))
    }

    fn moment_us(&mut self, now: Instant) -> i64 {
        if self.moment.0 != now {
            self.moment = (now, self.us(now));
        }
        self.moment.1
    }

    /// The transport-wide number of the next packet to be sealed.
    pub(crate) fn next_number(&self) -> u16 {
        self.history.next_number()
    }

    /// Whether the packet with this number arrived. None: feedback has said nothing of it yet.
    pub(crate) fn has_arrived(&self, number: u16) -> Option<bool> {
        self.history.has_arrived(number)
    }

    /// The packet with [`Self::next_number`] was sealed. `bytes`: on the wire, IP and UDP headers included.
    pub(crate) fn on_sent(&mut self, now: Instant, bytes: usize, class: SentClass) {
        let now_us = self.moment_us(now);
        let size = u16::try_from(bytes).unwrap_or(u16::MAX);
        let cluster = self.clusters.on_sent(now_us, size);
        self.history.push(now_us, size, cluster);
        self.sent.push(now_us, u64::from(size));
        self.pacer.on_sent(bytes);
        if class == SentClass::Padding {
            self.stats.padding_bytes = self.stats.padding_bytes.saturating_add(u64::from(size));
        } else {
            self.packet_size += (f64::from(size) - self.packet_size) / 64.0;
        }
        self.last_sent_us = Some(now_us);
        self.first_sent_us.get_or_insert(now_us);
        self.waiting_since_us.get_or_insert(now_us);
    }

    /// A packet without a number was sealed: all that will be known of it is that it was sent.
    pub(crate) fn on_sent_unnumbered(&mut self, now: Instant, bytes: usize) {
        let now_us = self.moment_us(now);
        self.sent.push(now_us, bytes as u64);
        self.pacer.on_sent(bytes);
    }

    /// What the receiver says of our packets. True when this ends an outage: nothing was heard for a while, not because the feedback
    /// alone was lost, and packets of that time were. The receiver then asks for so many of them that waiting for a key frame is quicker.
    pub(crate) fn on_feedback(&mut self, now: Instant, feedback: &TransportFeedback<'_>) -> bool {
        let now_us = self.us(now);
        let missed = self.last_feedback_count.map_or(0, |last| feedback.feedback_count.wrapping_sub(last).wrapping_sub(1));
        let after_silence = self.silent_once && missed <= MISSED_FEEDBACKS;
        // Some receivers begin with the first packet that arrived: when no feedback is missing, what lies before it was lost.
        let follows = self.last_feedback_count.replace(feedback.feedback_count) == Some(feedback.feedback_count.wrapping_sub(1));
        let skipped = if follows { self.history.skipped(feedback.base_seq) } else { 0 };
        // Feedback that was lost spoke of the others. They count as arrived by the time of what follows them: the loss of feedback on the way
        // back says nothing of the way there.
        let mut unknown = if follows { 0 } else { self.history.on_feedback_base(feedback.base_seq) };
        let left_out = unknown > 0;
        let mut newest_sent_us = None;
        let (mut answers, mut lost) = (0_u32, 0_u32);
        let before = (1..=skipped).rev().map(|back| PacketStatus { seq: feedback.base_seq.wrapping_sub(back), arrival_us: None });
        for status in before.chain(feedback.arrivals()).take(MAX_STATUSES) {
            let Some(answered) = self.history.answer(status.seq, status.arrival_us.is_some(), now_us) else { continue };
            self.loss.push(answered.sent_us, answered.size, status.arrival_us.is_some(), answered.was_lost);
            answers = answers.saturating_add(1);
            let Some(wire_us) = status.arrival_us else {
                lost = lost.saturating_add(1);
                self.clusters.on_answer(answered.cluster, answered.sent_us, None, answered.size, false);
                continue;
            };
            let arrival = self.clock.unwrap(wire_us, answered.sent_us);
            if arrival.reset {
                self.forget_delays();
            }
            self.queue.push(answered.sent_us, arrival.us);
            self.trend.push(answered.sent_us, arrival.us);
            self.trains.push(answered.sent_us, arrival.us, answered.size);
            let size = if answered.was_unknown { 0 } else { u64::from(answered.size) };
            self.delivered.push(arrival.us, size.saturating_add(std::mem::take(&mut unknown)));
            self.clusters.on_answer(answered.cluster, answered.sent_us, Some(arrival.us), answered.size, answered.was_lost);
            newest_sent_us = newest_sent_us.max(Some(answered.sent_us));
        }
        self.stats.answered = self.stats.answered.saturating_add(u64::from(answers));
        self.stats.lost = self.stats.lost.saturating_add(u64::from(lost));
        let Some(newest_sent_us) = newest_sent_us else { return false };
        self.stats.feedbacks = self.stats.feedbacks.saturating_add(1);
        self.note_feedback(now_us, newest_sent_us);
        self.decide(now_us, f64::from(lost) / f64::from(answers.max(1)));
        after_silence && (lost > 0 || left_out)
    }

    fn forget_delays(&mut self) {
        self.stats.clock_resets = self.stats.clock_resets.saturating_add(1);
        self.queue.reset();
        self.trend.reset();
        self.trains.reset();
        self.delivered.reset();
        self.give_up_probe(self.last_sent_us.unwrap_or(0));
    }

    /// What runs will say nothing.
    fn give_up_probe(&mut self, now_us: i64) {
        self.clusters.abandon();
        let _ = self.loss.on_test(now_us, None);
    }

    fn note_feedback(&mut self, now_us: i64, newest_sent_us: i64) {
        if let Some(last) = self.last_feedback_us {
            let interval = now_us.saturating_sub(last).clamp(10_000, 500_000);
            self.feedback_interval_us = ease(self.feedback_interval_us, interval);
        }
        self.last_feedback_us = Some(now_us);
        self.first_feedback_us.get_or_insert(now_us);
        self.waiting_since_us = None;
        self.silent = false;
        self.silent_once = false;
        // Feedback goes within an interval after the packet that caused it; half of one is a fair guess of how long it waited.
        let sample = now_us.saturating_sub(newest_sent_us).clamp(1_000, 5_000_000);
        self.round_trip_us = ease(self.round_trip_us, sample);
    }

    fn decide(&mut self, now_us: i64, lost: f64) {
        let standing_us = self.queue.standing_us();
        let seen = Observation {
            now_us,
            usage: self.trend.usage(),
            standing_us,
            round_trip_us: self.round_trip_us,
            sent: self.sent.bps_until(now_us, DELIVERED_US),
            delivered: self.delivered.bps(DELIVERED_US),
            drained: self.delivered.bps(DRAINED_US),
            noise: 250.0 * self.trend.variation_ms() / DRAINED_US as f64,
            lost,
            app_limited: self.app_limited(now_us),
        };
        match self.rate.on_feedback(&seen) {
            Outcome::Nothing => {}
            Outcome::Cut => {
                self.stats.cuts = self.stats.cuts.saturating_add(1);
                if self.clusters.busy() {
                    self.probing.on_abandoned(now_us);
                    self.give_up_probe(now_us);
                }
            }
            Outcome::LongerPath => self.queue.rebase(),
        }
        while let Some(ended) = self.clusters.poll_ended(now_us, self.trend.variation_ms()) {
            let Ended::Found(found) = ended else {
                self.probing.on_failed(now_us);
                let _ = self.loss.on_test(now_us, None);
                continue;
            };
            if found.limited {
                self.stats.probes_limited = self.stats.probes_limited.saturating_add(1);
            }
            self.trains.reset();
            let before = self.bounded(now_us);
            self.loss.on_probe(now_us, found.bps, found.lost);
            let asks = self.loss.on_test(now_us, Some((found.sent_bps, found.lost)));
            self.heed(now_us, asks);
            self.rate.on_probe(now_us, found.bps, found.limited, seen.delivered, seen.app_limited);
            let lost = (found.lost - self.loss.path_loss()).max(0.0);
            self.probing.on_found(now_us, &Found { lost, ..found }, before);
        }
        let asks = self.loss.update(now_us, self.rate.target(), standing_us);
        self.heed(now_us, asks);
        self.set_pace(now_us, seen.delivered);
        self.consider_probing(now_us);
    }

    fn heed(&mut self, now_us: i64, asks: Asks) {
        match asks {
            Asks::Nothing => {}
            Asks::Fooled => self.probing.on_fooled(now_us),
            Asks::Burst { bps, duration_us } if !self.clusters.busy() => {
                self.stats.probes = self.stats.probes.saturating_add(1);
                self.clusters.start(now_us, Plan { bps, duration_us });
            }
            // What runs is as good an answer.
            Asks::Burst { .. } => {}
        }
    }

    /// Whether less is sent than the estimate allows.
    fn app_limited(&mut self, now_us: i64) -> bool {
        let used = self.sent.bps_until(now_us, DELIVERED_US) / self.bounded(now_us);
        self.app_limited = if self.app_limited { used < UNLIMITED_ABOVE } else { used < LIMITED_BELOW };
        self.app_limited
    }

    fn consider_probing(&mut self, now_us: i64) {
        // Who has never answered is asked once.
        let unanswered = self.last_feedback_us.is_none() && self.stats.probes > 0;
        if self.clusters.busy() || self.last_sent_us.is_none() || unanswered {
            return;
        }
        let estimate = self.bounded(now_us);
        let calm = self.rate.phase() != Phase::Draining
            && self.trend.usage() != Usage::Over
            && self.queue.standing_us() < CALM_QUEUE_US
            && !self.silent;
        let view = View {
            now_us,
            estimate,
            calm,
            app_limited: self.app_limited,
            sent_bps: self.sent.bps_until(now_us, DELIVERED_US),
            wanted: self.demand.wanted_bps as f64,
            most: self.demand.max_bps as f64,
            former: self.rate.former(now_us),
            outgrew: self.rate.outgrew_capacity(),
            competing: self.rate.competing(),
            lossy: self.loss.bound().is_some(),
            narrower: self.trains.narrower_than(estimate),
            variation_ms: self.trend.variation_ms(),
            round_trip_us: self.round_trip_us,
        };
        if let Some(plan) = self.probing.plan(&view) {
            self.stats.probes = self.stats.probes.saturating_add(1);
            self.clusters.start(now_us, plan);
        }
    }

    /// The receiver's own estimate (draft-alvestrand-rmcat-remb-03): an upper bound, bits per second.
    pub(crate) fn on_remb(&mut self, now: Instant, bps: u64) {
        let now_us = self.us(now);
        self.fallback.on_remb(now_us, bps as f64);
        self.set_pace(now_us, self.delivered.bps(DELIVERED_US));
    }

    /// A round trip measured otherwise (receiver reports).
    pub(crate) fn on_round_trip(&mut self, round_trip: Duration) {
        let sample = i64::try_from(round_trip.as_micros()).unwrap_or(i64::MAX).clamp(1_000, 5_000_000);
        self.round_trip_us = ease(self.round_trip_us, sample);
    }

    /// Part of the packets lost since the last receiver report; counts while there is no transport-wide feedback.
    pub(crate) fn on_report_loss(&mut self, now: Instant, fraction: f64) {
        let now_us = self.us(now);
        if self.last_feedback_us.is_none() {
            let sent_bps = self.sent.bps_until(now_us, DELIVERED_US);
            self.fallback.on_report_loss(fraction.clamp(0.0, 1.0), sent_bps);
            self.set_pace(now_us, self.delivered.bps(DELIVERED_US));
        }
    }

    /// What the subscriber could use.
    pub(crate) fn set_demand(&mut self, demand: Demand) {
        self.demand = demand;
    }

    /// Lets time pass: notices that feedback stopped, begins probes.
    pub(crate) fn handle_tick(&mut self, now: Instant) {
        let now_us = self.us(now);
        self.check_silence(now_us);
        if self.last_sent_us.is_some_and(|sent| now_us.saturating_sub(sent) > IDLE_US) {
            self.rate.on_idle();
            self.queue.forget_standing();
        }
        self.consider_probing(now_us);
    }

    fn check_silence(&mut self, now_us: i64) {
        // Before the first feedback nobody knows whether there will be any; and with nothing sent, none says nothing.
        let (Some(_), Some(waiting)) = (self.last_feedback_us, self.waiting_since_us) else { return };
        let (least, most) = SILENCE_US;
        let patience = self.round_trip_us.saturating_add(self.feedback_interval_us.saturating_mul(SILENCE_INTERVALS)).clamp(least, most);
        let since = waiting.max(self.last_silence_us.unwrap_or(waiting));
        if now_us.saturating_sub(since) < patience {
            return;
        }
        // Once it may be a few datagrams lost on end on the way back; a second time nothing comes.
        let again = self.silent_once;
        self.silent = again;
        self.silent_once = true;
        self.last_silence_us = Some(now_us);
        self.stats.silences = self.stats.silences.saturating_add(1);
        self.give_up_probe(now_us);
        if again {
            self.rate.on_silence(now_us);
        }
    }

    /// When to call [`Self::handle_tick`] and [`Self::poll_padding`] next, if sooner than the regular tick.
    pub(crate) fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        let due = self.clusters.poll_timeout_us()?;
        let due = due.max(self.us(now).saturating_add(PROBE_STEP_US));
        self.start.checked_add(Duration::from_micros(u64::try_from(due).unwrap_or(0)))
    }

    /// Bytes of padding to send now for a probe, if any; ask again after sending.
    pub(crate) fn poll_padding(&mut self, now: Instant) -> Option<usize> {
        let now_us = self.us(now);
        self.clusters.poll(now_us)
    }

    /// Bytes of video that may be sent now while `waiting` bytes wait, the first of them since `since`; `usize::MAX` while nothing is known of
    /// the path.
    #[inline]
    pub(crate) fn video_room(&mut self, now: Instant, waiting: usize, since: Instant) -> usize {
        if !self.pacer.paces() {
            return usize::MAX;
        }
        let now_us = self.moment_us(now);
        let age_us = if waiting > 0 { now_us.saturating_sub(self.us(since)) } else { 0 };
        self.pacer.room(now_us, Backlog { bytes: waiting, age_us })
    }

    /// Sets the pace to what is known now. What arrives counts, too: an estimate that media has proved wrong must not hold back what gets
    /// through.
    fn set_pace(&mut self, now_us: i64, delivered: Option<f64>) {
        let limited = self.rate.phase() != Phase::Starting || self.loss.bound().or(self.fallback.bound(now_us)).is_some();
        let carries = self.known_bps(now_us).map(|bps| Carries { bps: bps.max(delivered.unwrap_or(0.0)), limited });
        self.pacer.follow(carries);
    }

    fn bounded(&self, now_us: i64) -> f64 {
        let mut bps = self.rate.target();
        if let Some(bound) = self.loss.bound() {
            bps = bps.min(bound);
        }
        if let Some(bound) = self.fallback.bound(now_us) {
            bps = bps.min(bound);
        }
        bps.clamp(MIN_BPS, MAX_BPS)
    }

    /// Counters since the start.
    pub(crate) fn stats(&self) -> CongestionStats {
        self.stats
    }
}

/// One eighth of the way to `sample`, as RFC 6298 §2 smooths round trips.
fn ease(known: i64, sample: i64) -> i64 {
    known.saturating_add(sample.saturating_sub(known) / 8)
}
