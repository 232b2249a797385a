//! Messages between two participants' software: how they agree on a direct connection. Not looked into.
//!
//! Not here: data messages, which go over data channels and to many (`shard::data`).

use super::Shard;
use crate::keys::{ParticipantKey, RoomKey};
use crate::relay::Relayed;
use nearcast_protocol::{ErrorCode, ErrorInfo, MAX_PEER_PAYLOAD, ParticipantId, ServerMessage};
use std::time::{Duration, Instant};

/// Bytes of one participant's messages within [`WINDOW`]: a description and all candidates for each of three others, twice over. What is
/// beyond would cost its receivers their queues.
const MAX_BYTES: usize = 4 * MAX_PEER_PAYLOAD;

/// What the smallest message counts as: 64 of them are let through.
const LEAST_BYTES: usize = 4 * 1024;

/// Time over which bytes are counted.
const WINDOW: Duration = Duration::from_secs(1);

/// What one participant has sent lately.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PeerBudget {
    since: Option<Instant>,
    bytes: usize,
}

impl PeerBudget {
    /// Takes a message into account; none: it may pass, else how long to wait.
    fn spend(&mut self, bytes: usize, now: Instant) -> Option<Duration> {
        let passed = self.since.map(|since| now.saturating_duration_since(since)).filter(|passed| *passed < WINDOW);
        if passed.is_none() {
            *self = Self { since: Some(now), bytes: 0 };
        }
        let spent = self.bytes.saturating_add(bytes.max(LEAST_BYTES));
        if spent > MAX_BYTES {
            return Some(WINDOW.saturating_sub(passed.unwrap_or_default()));
        }
        self.bytes = spent;
        None
    }
}

impl Shard {
    /// Hands a message to another participant of the same room, whichever shard it is on.
    pub(super) fn pass_on(&mut self, now: Instant, key: ParticipantKey, to: &ParticipantId, payload: String) -> Result<(), ErrorInfo> {
        if payload.len() > MAX_PEER_PAYLOAD {
            let why = format!("a message to a participant has at most {MAX_PEER_PAYLOAD} bytes, and this one {}", payload.len());
            return Err(ErrorInfo::new(ErrorCode::LimitReached, why));
        }
        let gone = || ErrorInfo::new(ErrorCode::Internal, "the participant vanished while it was sending");
        let sender = self.participants.get_mut(key).ok_or_else(gone)?;
        if let Some(wait) = sender.peer_budget.spend(payload.len(), now) {
            let why = format!("more than {MAX_BYTES} bytes of messages to participants a second, each counted as {LEAST_BYTES} at least");
            let mut error = ErrorInfo::new(ErrorCode::LimitReached, why);
            (error.retryable, error.retry_after_ms) = (true, u32::try_from(wait.as_millis()).ok());
            return Err(error);
        }
        let (from, room) = (sender.id.clone(), sender.room);
        let unknown = || ErrorInfo::new(ErrorCode::ParticipantUnknown, format!("nobody else here is called {to}; they may have left"));
        let receiver = self.other_in(room, key, to).ok_or_else(unknown)?;
        if self.must_pass_here(room, key, receiver) {
            let why = "no direct connections here: the room's policy, or a moderator's mute, needs media to pass the edge";
            return Err(ErrorInfo::new(ErrorCode::NotPermitted, why));
        }
        let Some(participant) = self.participants.get(receiver) else { return Err(unknown()) };
        if let Some(home) = participant.home {
            let room = self.rooms.get(room).map(|room| room.name.clone()).unwrap_or_default();
            self.tell_part(home, Relayed::Peer { room, from, to: to.clone(), payload });
            return Ok(());
        }
        if participant.connection.is_none() {
            let mut error = ErrorInfo::new(ErrorCode::ParticipantUnknown, format!("{to} has no signalling now, and may come back"));
            error.retryable = true;
            return Err(error);
        }
        self.signal(receiver, ServerMessage::Peer { from, payload });
        Ok(())
    }

    fn other_in(&self, room: RoomKey, key: ParticipantKey, id: &ParticipantId) -> Option<ParticipantKey> {
        // Who came by WHIP or WHEP has no software that could listen.
        let is = |other: &crate::participant::Participant| other.id == *id && !other.by_http;
        let called = |other: &&ParticipantKey| **other != key && self.participants.get(**other).is_some_and(is);
        self.rooms.get(room)?.participants.iter().find(called).copied()
    }

    /// A message of somebody in another part of the room. Who has gone meanwhile, or lost its WebSocket, misses it.
    pub(super) fn on_relayed_peer(&mut self, room: &str, from: ParticipantId, to: &ParticipantId, payload: String) {
        let Some(room) = self.rooms_by_name.get(room).and_then(|key| self.rooms.get(*key)) else { return };
        let called = |key: &&ParticipantKey| self.participants.get(**key).is_some_and(|it| it.home.is_none() && it.id == *to);
        if let Some(receiver) = room.participants.iter().find(called).copied() {
            self.signal(receiver, ServerMessage::Peer { from, payload });
        }
    }
}
