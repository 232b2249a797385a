//! When to try again after the WebSocket was lost, and when to give up.
//!
//! Now there is one way back: resume the same session. Later ones (ICE restart, joining anew, another edge) become further steps of an
//! [`Outage`] before [`Outage::give_up_at`], with the same schedule. Not here: noticing the loss ([`crate::heartbeat`]).

use crate::random::Rng;
use crate::{Code, MonoTime};
use core::time::Duration;

/// Upper end of the pause before each attempt, in milliseconds; the last one repeats. Each pause is drawn evenly between zero and it
/// ("full jitter"), so that a thousand clients of a restarted edge don't return in step.
pub(crate) const PAUSES_MS: [u32; 6] = [0, 250, 500, 1000, 2000, 4000];

/// One attempt, from opening the socket to `joined`. Guess: several round trips of a bad network, and short enough to fit six into half a minute.
pub(crate) const ATTEMPT_WITHIN: Duration = Duration::from_secs(5);

/// A link that held this long counts as good: the next outage begins with an immediate attempt. Below, pauses go on growing, so that an edge that
/// lets us in and drops us at once isn't hammered. Guess.
const STABLE: Duration = Duration::from_secs(10);

/// Why the state of a session changed; the names are part of the public API (`statechanged`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// The edge let us in.
    Joined,
    /// The WebSocket was closed by the other side or by the network.
    SocketClosed,
    /// The WebSocket was silent for too long.
    NoPong,
    /// The edge sent something unreadable; a fresh connection brings a fresh view of the room.
    BadMessage,
    /// The same session goes on over a new WebSocket.
    Resumed,
    /// We left.
    Left,
    /// The session ended with this error.
    Failed(Code),
}

impl Reason {
    /// As apps and logs see it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Joined => "joined",
            Self::SocketClosed => "socket-closed",
            Self::NoPong => "no-pong",
            Self::BadMessage => "bad-message",
            Self::Resumed => "resumed",
            Self::Left => "left",
            Self::Failed(code) => code.name(),
        }
    }
}

/// A time without signalling.
#[derive(Debug)]
pub(crate) struct Outage {
    since: MonoTime,
    /// Attempts begun, this outage or the ones just before it.
    attempts: usize,
}

impl Outage {
    /// A new outage at `now`; `last` is when the previous one ended and how many attempts it took.
    pub(crate) fn begin(now: MonoTime, last: Option<Recovered>) -> Self {
        let attempts = last.filter(|last| now.since(last.at) < STABLE).map_or(0, |last| last.attempts);
        Self { since: now, attempts }
    }

    /// When the next attempt begins, at least `not_before` from now.
    pub(crate) fn next_attempt(&mut self, now: MonoTime, not_before: Duration, rng: &mut Rng) -> MonoTime {
        let longest = PAUSES_MS.get(self.attempts).or(PAUSES_MS.last()).copied().unwrap_or_default();
        self.attempts = self.attempts.saturating_add(1);
        now + not_before + Duration::from_millis(u64::from(rng.up_to(longest)))
    }

    /// When to stop trying: after `give_up_after`, or once the edge must have forgotten the session, which it does when it has had neither
    /// signalling nor media for `resume_window`. `silent_since`: since when there is no media path; none: there is one.
    pub(crate) fn give_up_at(&self, give_up_after: Duration, resume_window: Duration, silent_since: Option<MonoTime>) -> MonoTime {
        let patience = self.since + give_up_after;
        match silent_since {
            Some(silent_since) => patience.min(silent_since.max(self.since) + resume_window),
            None => patience,
        }
    }

    /// Signalling is back.
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
