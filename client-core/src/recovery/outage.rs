//! When to try again after a way to the edge was lost, and when to give up. Not here: noticing the loss ([`super::path`], [`super::heartbeat`]),
//! and what is tried ([`crate::recovery`]).

use crate::MonoTime;
use crate::random::Rng;

/// Upper end of the pause before each attempt, in milliseconds; the last one repeats. Each pause is drawn evenly between zero and it
/// ("full jitter"), so that a thousand clients of a restarted edge don't return in step.
pub(crate) const PAUSES_MS: [u32; 6] = [0, 250, 500, 1000, 2000, 4000];

/// One attempt, from opening the socket to `joined`. Guess: several round trips of a bad network, and short enough to fit six into half a minute.
pub(crate) const ATTEMPT_WITHIN: u32 = 5000;

/// The same while media is silent too. Guess: TCP, TLS and HTTP take three round trips, which are added; a lost SYN is repeated after a second.
/// Shorter attempts, or two beside each other, are no remedy: Chromium opens one socket to a host at a time, and holds a page's sockets back by 1 to 5 s ×
/// 2^(failed / (opened + 1)) / 2^16 (`WebSocketPerProcessThrottler`). With 700 ms, outages of 20 s ended after 0.8 to 3.0 s instead of 0.7 to 1.4.
const SILENT_WITHIN: u32 = 1000;

/// Longest pause after an attempt that nobody answered, in milliseconds: enough to spread those who fell silent together. Guess.
const SILENT_PAUSE_MS: u32 = 100;

/// Failed attempts after which another edge is looked for: less than a second where the port is closed. Guess.
const PATIENT_ATTEMPTS: usize = 3;

/// Silence after which media's way is looked for anew without the edge being told, and again after as long. Browsers look along the ways that they
/// know ever more rarely, and no more after 15 s (Chromium).
const ALONE_EVERY: u32 = 5000;

/// A link that held this long counts as good: the next outage begins with an immediate attempt. Below, pauses go on growing, so that an edge that
/// lets us in and drops us at once isn't hammered. Guess.
const STABLE: u32 = 10_000;

/// A time without signalling or without media.
#[derive(Debug)]
pub(crate) struct Outage {
    since: MonoTime,
    /// Attempts begun, this outage or the ones just before it.
    attempts: usize,
    /// Nobody answered the last of them.
    unanswered: bool,
    /// When media's way is next looked for anew without the edge.
    alone_at: MonoTime,
}

impl Outage {
    /// A new outage at `now`; `last` is when the previous one ended and how many attempts it took.
    pub(crate) fn begin(now: MonoTime, last: Option<Recovered>) -> Self {
        let attempts = last.filter(|last| now.millis_since(last.at) < STABLE).map_or(0, |last| last.attempts);
        Self { since: now, attempts, unanswered: false, alone_at: now.after(ALONE_EVERY) }
    }

    /// When the next attempt begins, at least `not_before` from now.
    pub(crate) fn next_attempt(&mut self, now: MonoTime, not_before: u32, rng: &mut Rng) -> MonoTime {
        let longest = PAUSES_MS.get(self.attempts).or(PAUSES_MS.last()).copied().unwrap_or_default();
        (self.attempts, self.unanswered) = (self.attempts.saturating_add(1), false);
        now.after(not_before).after(rng.up_to(longest))
    }

    /// Whether media's way is to be looked for anew without the edge.
    pub(crate) fn goes_alone(&mut self, now: MonoTime) -> bool {
        let due = now >= self.alone_at;
        if due {
            self.alone_at = now.after(ALONE_EVERY);
        }
        due
    }

    /// When to stop trying.
    pub(crate) fn give_up_at(&self, give_up_after: u32) -> MonoTime {
        self.since.after(give_up_after)
    }

    /// How long an attempt may take. Where nothing at all is heard, a packet that was lost on the way out isn't waited for: the first attempt after
    /// the network is back shall be a matter of a second. `proven`: another edge has answered.
    pub(crate) fn attempt_within(&self, silent: bool, proven: bool, rtt: u32) -> u32 {
        let round_trips = rtt.saturating_mul(4);
        let within = match self.attempts {
            _ if silent && proven => round_trips.saturating_add(SILENT_WITHIN / 2),
            ..=8 if silent => round_trips.saturating_add(SILENT_WITHIN),
            ..=32 if silent => round_trips.saturating_add(2 * SILENT_WITHIN),
            _ => ATTEMPT_WITHIN,
        };
        within.min(ATTEMPT_WITHIN)
    }

    /// It is time to look for another edge, and this attempt may go there: at once where nobody answers, since that takes a second each time (an edge that
    /// stood still was left after seven), and every other time.
    pub(crate) fn scouts_now(&self) -> bool {
        if self.unanswered { !self.attempts.is_multiple_of(2) } else { self.attempts > PATIENT_ATTEMPTS && self.attempts.is_multiple_of(2) }
    }

    /// Another edge has yet to be looked for.
    pub(crate) fn is_young(&self) -> bool {
        self.attempts <= PATIENT_ATTEMPTS
    }

    /// After an attempt that nobody answered, or that was refused where there is another edge, nobody has to be spared: the next one begins with hardly a
    /// pause.
    pub(crate) fn next_in_silence(&mut self, now: MonoTime, unanswered: bool, rng: &mut Rng) -> MonoTime {
        (self.attempts, self.unanswered) = (self.attempts.saturating_add(1), unanswered);
        now.after(rng.up_to(SILENT_PAUSE_MS))
    }

    /// Both ways are back.
    pub(crate) fn end(&self, now: MonoTime) -> Recovered {
        Recovered { at: now, attempts: self.attempts }
    }
}

/// How the last outage ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recovered {
    at: MonoTime,
    attempts: usize,
}

#[cfg(test)]
mod tests;
