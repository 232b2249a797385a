//! Notices that a WebSocket is dead although nobody said so.
//! A ping goes out every [`PING_EVERY`]; any message that comes back shows life. Not here: media, which has checks of its own (ICE consent).

use crate::MonoTime;

/// Guess: a dead socket is noticed after four seconds at most, for thirty small messages a minute.
pub(crate) const PING_EVERY: u32 = 2000;

/// Where beats over media come back without loss, TCP has no reason to take longer. Guess: longer than any round trip that a call survives.
pub(crate) const PONG_WITHIN: u32 = 2000;

/// Where they get lost: TCP waits for 0.2, 0.4, 0.8, 1.6 s between its attempts.
pub(crate) const PONG_WITHIN_LOSSY: u32 = 5000;

/// A timer this late says that the machine slept or the page was frozen: the answer may be waiting behind it, so it proves nothing. Guess:
/// above the second to which browsers align the timers of hidden pages.
const SLEPT: u32 = 2000;

/// While media is silent: how signalling is doing decides what is done about it. Guess: twice the round trip of a bad network.
pub(crate) const PROBED_EVERY: u32 = 1000;

/// The same for an answer.
pub(crate) const PROBED_WITHIN: u32 = 1500;

/// What to do when a timer ran out.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Beat {
    /// Nothing was due.
    Nothing,
    /// Send a ping.
    Ping,
    /// The link is dead.
    Lost,
}

/// The pulse of one socket.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    ping_at: MonoTime,
    pong_by: Option<MonoTime>,
    heard_at: MonoTime,
    /// Since when it is asked more often.
    probed: Option<MonoTime>,
}

impl Heartbeat {
    /// Of a socket that was heard just now.
    pub(crate) fn new(now: MonoTime) -> Self {
        Self { ping_at: now.after(PING_EVERY), pong_by: None, heard_at: now, probed: None }
    }

    /// Something came from the edge.
    pub(crate) fn heard(&mut self, now: MonoTime) {
        (self.pong_by, self.heard_at) = (None, now);
    }

    /// Begins to ask more often, at once, or ends it.
    pub(crate) fn probe(&mut self, now: MonoTime, wanted: bool) {
        if !wanted {
            self.probed = None;
        } else if self.probed.is_none() {
            (self.ping_at, self.pong_by, self.probed) = (now, None, Some(now));
        }
    }

    /// Heard since probing began: this socket works.
    pub(crate) fn is_proven(&self) -> bool {
        self.probed.is_some_and(|since| self.heard_at >= since)
    }

    pub(crate) fn poll_timeout(&self) -> MonoTime {
        self.pong_by.unwrap_or(self.ping_at)
    }

    /// `clean`: nothing is known to get lost on the way there.
    pub(crate) fn handle_timeout(&mut self, now: MonoTime, clean: bool) -> Beat {
        let due = self.poll_timeout();
        if now < due {
            return Beat::Nothing;
        }
        if self.pong_by.is_some() && now.millis_since(due) < SLEPT {
            return Beat::Lost;
        }
        let (every, within) = match (self.probed, clean) {
            (Some(_), _) => (PROBED_EVERY, PROBED_WITHIN),
            (None, true) => (PING_EVERY, PONG_WITHIN),
            (None, false) => (PING_EVERY, PONG_WITHIN_LOSSY),
        };
        self.ping_at = now.after(every);
        self.pong_by = Some(now.after(within));
        Beat::Ping
    }
}

#[cfg(test)]
mod tests;
