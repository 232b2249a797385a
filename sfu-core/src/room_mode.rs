//! Whether a room's media goes through the edge or directly from participant to participant: decided here, done by the clients.
//!
//! Up to the edge at once, since nothing works before; down to a direct connection when it has been quiet for a while.
//! Not here: who is in the room (`shard`).

use crate::forwarding_policy::ForwardingPolicy;
use minicbor::{Decode, Encode};
use nearcast_protocol::RoomMode;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Participants that still send to each other directly where that is wanted: each sends its camera three times then.
pub(crate) const MOST_DIRECT: usize = 4;

/// How long a room stays with the edge after it has become small enough. Guess: who was thrown out by their network is back by then.
pub(crate) const HOLD_DOWN: Duration = Duration::from_secs(10);

/// How a room decides.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "lowercase")]
pub enum ModePolicy {
    /// Directly while there are two, through the edge otherwise.
    #[n(0)]
    Auto,
    /// Always through the edge.
    #[default]
    #[n(1)]
    Sfu,
    /// Directly while there are no more than four.
    #[n(2)]
    P2p,
}

/// What the first participant's token said of the room. Where parts of one room differ, the earliest counts.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    /// NTP time of the first join.
    pub(crate) founded: u64,
    pub(crate) policy: ModePolicy,
    /// Participants it takes; none: as many as any room.
    pub(crate) most: Option<usize>,
    /// Who gets what from whom; none: everybody everything.
    pub(crate) forwarding: Option<Arc<ForwardingPolicy>>,
}

/// Who is in a room, as far as it matters here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Presence {
    pub(crate) participants: usize,
    /// Somebody came by WHIP or WHEP, and can reach nobody but the edge.
    pub(crate) by_http: bool,
    /// A moderator muted somebody: what isn't to be heard must pass where it is stopped.
    pub(crate) silenced: bool,
    /// Everybody can be told something now.
    pub(crate) reachable: bool,
}

/// Why it is looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Occasion {
    /// Somebody came, or came back.
    Came,
    /// Somebody went, or time passed.
    Other,
}

/// A room's mode.
#[derive(Debug, Default)]
pub(crate) struct Mode {
    now: RoomMode,
    /// When it goes down to a direct connection, if it is still small then.
    due: Option<Instant>,
}

impl Mode {
    pub(crate) fn current(&self) -> RoomMode {
        self.now
    }

    /// When it may change by itself.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Looks at the room. Some: the mode that it changes to.
    pub(crate) fn review(&mut self, policy: ModePolicy, presence: Presence, occasion: Occasion, now: Instant) -> Option<RoomMode> {
        let small = match policy {
            ModePolicy::Auto => presence.participants == 2,
            ModePolicy::Sfu => false,
            ModePolicy::P2p => presence.participants <= MOST_DIRECT,
        };
        // A direct connection that stands needs no signalling.
        let possible = small && !presence.by_http && !presence.silenced && (presence.reachable || self.now == RoomMode::P2p);
        let (next, due) = match (self.now, possible) {
            (_, false) => (RoomMode::Sfu, None),
            (RoomMode::P2p, true) => (RoomMode::P2p, None),
            (RoomMode::Sfu, true) => match self.due {
                None if occasion == Occasion::Came => (RoomMode::P2p, None),
                None => (RoomMode::Sfu, now.checked_add(HOLD_DOWN)),
                Some(due) if due <= now => (RoomMode::P2p, None),
                Some(due) => (RoomMode::Sfu, Some(due)),
            },
        };
        self.due = due;
        (std::mem::replace(&mut self.now, next) != next).then_some(next)
    }
}

#[cfg(test)]
mod tests;
