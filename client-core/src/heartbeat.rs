//! Notices that a WebSocket is dead although nobody said so.
//! A ping goes out every [`PING_EVERY`]; any message that comes back shows life. Not here: media, which has checks of its own (ICE consent).

use crate::MonoTime;
use core::time::Duration;

/// Guess, as LiveKit does: a dead socket is noticed after ten seconds at most, for twelve small messages a minute.
pub(crate) const PING_EVERY: Duration = Duration::from_secs(5);

/// Guess: longer than any round trip that a call survives.
pub(crate) const PONG_WITHIN: Duration = Duration::from_secs(5);

/// A timer this late says that the machine slept or the page was frozen: the answer may be waiting behind it, so it proves nothing. Guess:
/// above the second to which browsers align the timers of hidden pages.
const SLEPT: Duration = Duration::from_secs(2);

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
}

impl Heartbeat {
    pub(crate) fn new(now: MonoTime) -> Self {
        Self { ping_at: now + PING_EVERY, pong_by: None }
    }

    /// Something came from the edge.
    pub(crate) fn heard(&mut self) {
        self.pong_by = None;
    }

    pub(crate) fn poll_timeout(&self) -> MonoTime {
        self.pong_by.unwrap_or(self.ping_at)
    }

    pub(crate) fn handle_timeout(&mut self, now: MonoTime) -> Beat {
        let due = self.poll_timeout();
        if now < due {
            return Beat::Nothing;
        }
        if self.pong_by.is_some() && now.since(due) < SLEPT {
            return Beat::Lost;
        }
        self.ping_at = now + PING_EVERY;
        self.pong_by = Some(now + PONG_WITHIN);
        Beat::Ping
    }
}

#[cfg(test)]
mod tests;
