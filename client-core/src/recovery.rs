//! Where a reconnect is decided: what is noticed, what is tried, in which order, and when to stop.
//!
//! Two ways lead to the edge, and each can be lost alone. Signalling is watched by [`heartbeat`], media by [`path`]; `session` tells both what
//! was heard and asks [`Recovery::media`] what to do. The remedies, cheapest first: resume signalling, ICE restart, new transport in the same
//! session, new session on another of the [`edges`]. An [`outage`] lasts from the first loss until both ways work; its schedule spreads attempts,
//! and it ends the session when it has lasted too long. [`step`] holds the names of all that.
//!
//! A further remedy (such as media from participant to participant) belongs into [`Recovery::media`], behind the last one.
//! Not here: carrying it out (`session/recovering.rs`, `session/signalling.rs`).

pub(crate) mod edges;
pub(crate) mod heartbeat;
pub(crate) mod outage;
pub(crate) mod path;
pub(crate) mod step;

use crate::MonoTime;
use crate::random::Rng;
use alloc::string::String;
use edges::Edges;
use outage::{Outage, Recovered};
use path::{Health, Path};
pub use step::{Reason, Step, StepTaken};

/// How long an ICE restart or a new transport may take before the next remedy, from the answer on. Guess: four seconds are ICE, DTLS and some
/// losses on a way of 300 ms. Doubles each time that a new transport didn't help.
const REMEDY_WITHIN: u32 = 4000;

/// Doublings of it: a minute at most.
const MAX_DOUBLINGS: u32 = 4;

/// How long after UDP was blocked it is looked for again, in milliseconds; then after twice as long, and so on. Browsers forget ways that failed for
/// half a minute, and never come back to them by themselves.
const UDP_AGAIN: u32 = 30_000;

/// The longest of these pauses.
const UDP_AGAIN_MOST: u32 = 300_000;

/// New sessions within [`REJOINS_IN`], as Stream allows: whoever needs more goes round in a circle.
const MAX_REJOINS: usize = 10;

/// See [`MAX_REJOINS`].
const REJOINS_IN: u32 = 120_000;

/// What is done about a media path that is lost while signalling works.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Remedy {
    /// New ICE credentials for the same transport.
    Restart,
    /// A new transport in the same session.
    Replace,
    /// A new session on another edge.
    Move,
}

/// What a session knows of its ways to the edge.
#[derive(Debug)]
pub(crate) struct Recovery {
    pub(crate) path: Path,
    pub(crate) edges: Edges,
    outage: Option<Outage>,
    recovered: Option<Recovered>,
    /// How this outage will have ended.
    came: Reason,
    step: Step,
    step_at: MonoTime,
    /// Media broke off at once on a clean path, while signalling goes on: UDP is blocked, most likely.
    blocked: bool,
    /// Since another transport was needed, perhaps for want of UDP: when UDP is looked for again, and the pause before that.
    udp_again: Option<(MonoTime, u32)>,
    /// The last remedy for media, and until when it may take effect.
    remedy: Option<(Remedy, MonoTime)>,
    replaced: u32,
    /// When the last ones were, the oldest next to be overwritten.
    rejoins: [MonoTime; MAX_REJOINS],
    rejoined: usize,
    /// Another edge has answered: the present one gets one more attempt.
    pub(crate) proven: bool,
}

impl Recovery {
    pub(crate) fn new() -> Self {
        Self {
            path: Path::new(),
            edges: Edges::new(),
            outage: None,
            recovered: None,
            came: Reason::MediaBack,
            step: Step::Connected,
            step_at: MonoTime::default(),
            blocked: false,
            udp_again: None,
            remedy: None,
            replaced: 0,
            rejoins: [MonoTime::default(); MAX_REJOINS],
            rejoined: 0,
            proven: false,
        }
    }

    /// In, for the first time. `relays`: there are servers that may help where nothing comes.
    pub(crate) fn entered(&mut self, now: MonoTime, relays: bool) {
        self.step_at = now;
        self.path.entered(now, relays);
    }

    pub(crate) fn is_out(&self) -> bool {
        self.outage.is_some()
    }

    /// Whether nothing comes over the media path, although something did.
    pub(crate) fn is_silent(&self) -> bool {
        self.path.health() == Health::Lost
    }

    /// Whether nothing comes, or not what was asked for: with signalling gone at the same time.
    fn is_dead(&self) -> bool {
        self.is_silent() || self.path.is_quiet()
    }

    /// An outage begins; false: there is one already. `signalled`: the edge has answered over the other way since media fell silent.
    pub(crate) fn begin(&mut self, now: MonoTime, signalled: bool) -> bool {
        if self.outage.is_some() {
            return false;
        }
        self.blocked = signalled && self.is_silent() && self.path.was_clean();
        self.outage = Some(Outage::begin(now, self.recovered));
        (self.came, self.replaced, self.proven) = (Reason::MediaBack, 0, false);
        true
    }

    /// Signalling is back: over a new WebSocket, or in a new session.
    pub(crate) fn signalling_back(&mut self, now: MonoTime, how: Reason) {
        if self.came != Reason::Moved {
            self.came = how;
        }
        self.proven = false;
        self.grant(now);
    }

    /// Both ways work: why, if there was an outage.
    pub(crate) fn end(&mut self, now: MonoTime) -> Option<Reason> {
        self.remedy = None;
        self.recovered = Some(self.outage.take()?.end(now));
        if self.replaced > 0 {
            self.udp_again = Some((now.after(UDP_AGAIN), UDP_AGAIN));
        }
        Some(self.came)
    }

    /// A step is taken; none: it had been taken before.
    pub(crate) fn take_step(&mut self, now: MonoTime, step: Step, reason: Reason) -> Option<StepTaken> {
        if self.step == step {
            return None;
        }
        let took_ms = now.millis_since(self.step_at);
        (self.step, self.step_at) = (step, now);
        Some(StepTaken { step, reason, at: now, took_ms })
    }

    /// What to do about media now, with signalling that works; none: nothing, or what is under way gets its time.
    ///
    /// New credentials are cheaper than a new transport, which needs a handshake and key frames. But a browser leaves a pair that was good for one
    /// over TCP only when it has been silent for 3.5 s, and tells the edge later still (Chromium 156: 4 to 6 s in all); a new transport takes half a second.
    pub(crate) fn media(&mut self, now: MonoTime) -> Option<Remedy> {
        if !self.is_silent() {
            self.remedy = None;
            return None;
        }
        let next = match self.remedy {
            Some((_, until)) if now < until => return None,
            None if self.blocked => Remedy::Replace,
            None => Remedy::Restart,
            Some((Remedy::Restart, _)) => Remedy::Replace,
            Some(_) if self.edges.leave(now) => Remedy::Move,
            Some(_) => Remedy::Replace,
        };
        self.begin_remedy(now, next);
        Some(next)
    }

    /// Whether to look for media's way anew while signalling is gone, too: an edge knows its clients by their passwords, whatever they call
    /// themselves, and answers as soon as anything reaches it.
    pub(crate) fn goes_alone(&mut self, now: MonoTime) -> bool {
        self.is_silent() && self.outage.as_mut().is_some_and(|outage| outage.goes_alone(now))
    }

    /// Whether to look for UDP again, which may have been blocked: an ICE restart, while media goes on over what there is.
    pub(crate) fn seeks_udp(&mut self, now: MonoTime) -> bool {
        let Some((_, pause)) = self.udp_again.filter(|(at, _)| now >= *at) else { return false };
        let pause = (2 * pause).min(UDP_AGAIN_MOST);
        self.udp_again = Some((now.after(pause), pause));
        true
    }

    /// This remedy is under way.
    pub(crate) fn begin_remedy(&mut self, now: MonoTime, remedy: Remedy) {
        self.replaced += u32::from(remedy != Remedy::Restart);
        self.remedy = Some((remedy, now));
        self.grant(now);
    }

    /// The remedy under way has got further: its time begins anew.
    pub(crate) fn grant(&mut self, now: MonoTime) {
        let within = REMEDY_WITHIN << self.replaced.saturating_sub(1).min(MAX_DOUBLINGS);
        self.remedy = self.remedy.map(|(remedy, _)| (remedy, now.after(within)));
    }

    /// The remedy under way came to nothing.
    pub(crate) fn remedy_failed(&mut self, now: MonoTime) {
        self.remedy = self.remedy.map(|(remedy, _)| (remedy, now));
    }

    /// A restart that signalling may have lost on its way is asked for again.
    pub(crate) fn signalling_lost(&mut self) {
        self.remedy = self.remedy.filter(|(remedy, _)| *remedy != Remedy::Restart);
    }

    /// When [`Self::media`] has something new.
    pub(crate) fn remedy_due(&self) -> Option<MonoTime> {
        self.remedy.map(|(_, until)| until)
    }

    /// Counts a new session; false: there were too many.
    pub(crate) fn may_rejoin(&mut self, now: MonoTime) -> bool {
        let full = self.rejoined >= MAX_REJOINS;
        let Some(oldest) = self.rejoins.get_mut(self.rejoined % MAX_REJOINS) else { return false };
        self.rejoined += 1;
        let since = now.millis_since(core::mem::replace(oldest, now));
        !full || since >= REJOINS_IN
    }

    /// When the next attempt begins. `unanswered`: the last one failed because nothing came back.
    pub(crate) fn next_attempt(&mut self, now: MonoTime, not_before: u32, unanswered: bool, rng: &mut Rng) -> Option<MonoTime> {
        let silent = unanswered && self.is_silent();
        // The edge has died, most likely: nobody is spared by waiting long before another one is looked for.
        let dead = self.is_dead() && self.edges.scout(now).is_some();
        let outage = self.outage.as_mut()?;
        Some(if silent || (dead && outage.is_young()) {
            outage.next_in_silence(now, silent, rng)
        } else {
            outage.next_attempt(now, not_before, rng)
        })
    }

    /// Where the next attempt goes if it is only to see whether another edge answers, which it is every other time when ours doesn't and media
    /// is silent too.
    pub(crate) fn scouted(&self, now: MonoTime) -> Option<Option<String>> {
        if self.looks_elsewhere() && self.is_dead() && !self.proven { self.edges.scout(now) } else { None }
    }

    /// Whether it is time to look for another edge.
    pub(crate) fn looks_elsewhere(&self) -> bool {
        self.outage.as_ref().is_some_and(Outage::scouts_now)
    }

    /// How long an attempt may take.
    pub(crate) fn attempt_within(&self) -> u32 {
        let rtt = self.path.rtt().unwrap_or_default();
        self.outage.as_ref().map_or(outage::ATTEMPT_WITHIN, |outage| outage.attempt_within(self.is_silent(), self.proven, rtt))
    }

    /// When it has lasted too long.
    pub(crate) fn give_up_at(&self, give_up_after: u32) -> Option<MonoTime> {
        Some(self.outage.as_ref()?.give_up_at(give_up_after))
    }
}
