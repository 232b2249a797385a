//! Going: by one's own wish, by time, by replacement. Afterwards nothing of the participant is in any table.

use super::{Event, Shard};
use crate::keys::ParticipantKey;
use crate::participant::ConnectionId;
use crate::remote::Remote;
use crate::room_mode::Occasion;
use nearcast_protocol::{ErrorCode, ErrorInfo, LeaveReason, ServerMessage};
use std::time::Instant;

impl Shard {
    /// Ends a stay, and the room with its last participant.
    pub(super) fn leave(&mut self, now: Instant, key: ParticipantKey, reason: LeaveReason) {
        // It is elsewhere already.
        if self.yield_if(now, key, true) {
            return;
        }
        let Some(room) = self.participants.get(key).map(|participant| participant.room) else { return };
        self.leave_keeping_room(now, key, reason);
        if self.has_part(room) {
            self.review_mode(now, room, Occasion::Other, None);
            return;
        }
        self.end_part(now, room);
        if let Some(room) = self.rooms.remove(room) {
            self.rooms_by_name.remove(&room.name);
        }
    }

    /// Ends a stay; an empty room remains, for the one who replaces the participant.
    pub(super) fn leave_keeping_room(&mut self, now: Instant, key: ParticipantKey, reason: LeaveReason) {
        let Some(participant) = self.participants.get_mut(key) else { return };
        let publications = std::mem::take(&mut participant.publications);
        let told = (participant.home.is_none() && participant.sent_on).then(|| (participant.room, participant.id.clone()));
        if let Some((room, id)) = &told {
            // Ahead of what it published: other parts keep that, too.
            self.relay_leave(*room, id, reason, true);
        }
        for publication in publications {
            self.remove_publication(now, publication);
        }
        self.unsubscribe_from_all(key);

        self.tell_ended(now, key, reason);
        self.end_transport(key);
        let Some(participant) = self.participants.remove(key) else { return };
        self.sessions.remove(&participant.session);
        if let Some(connection) = participant.connection {
            self.connections.remove(&connection);
            self.events.push_back(Event::Close { connection });
        }
        if let Some(room) = self.rooms.get_mut(participant.room) {
            room.participants.retain(|other| *other != key);
            room.speakers.retain(|(speaker, _)| *speaker != key);
        }
        if participant.home.is_none() {
            self.stats.leaves = self.stats.leaves.saturating_add(1);
            if told.is_none() {
                self.relay_leave(participant.room, &participant.id, reason, false);
            }
            self.tell_size(participant.room);
        }
        self.announce(participant.room, None, &ServerMessage::ParticipantLeft { participant: participant.id, reason });
    }

    /// Says why the session is over, ahead of the end of its connection.
    pub(super) fn close_with(&mut self, key: ParticipantKey, error: ErrorInfo) {
        self.signal(key, ServerMessage::Closed { error });
    }

    pub(super) fn remove_identity(&mut self, now: Instant, room: &str, identity: &str) {
        let Some(room) = self.rooms_by_name.get(room).and_then(|key| self.rooms.get(*key)) else { return };
        let found = room.participants.iter().copied().find(|key| {
            self.participants.get(*key).is_some_and(|participant| participant.home.is_none() && participant.admission.identity == identity)
        });
        if let Some(key) = found {
            self.close_with(key, ErrorInfo::new(ErrorCode::Removed, "removed from the room"));
            self.leave(now, key, LeaveReason::Removed);
        }
    }

    /// Lets go of whoever sent from this address: handling what it sent ran into a fault of ours. Its session ends with `internal`, and it
    /// may join anew. False: nobody here has that address.
    pub fn evict_address(&mut self, now: Instant, from: impl Into<Remote>) -> bool {
        let found = self.tuples.get(&from.into()).copied();
        self.evict(now, found)
    }

    /// The same for whoever is at the other end of a WebSocket.
    pub fn evict_connection(&mut self, now: Instant, connection: ConnectionId) -> bool {
        let found = self.connections.get(&connection).copied();
        self.evict(now, found)
    }

    fn evict(&mut self, now: Instant, key: Option<ParticipantKey>) -> bool {
        let Some(key) = key.filter(|key| self.participants.contains_key(*key)) else { return false };
        self.stats.peer_panics = self.stats.peer_panics.saturating_add(1);
        self.close_with(key, ErrorInfo::new(ErrorCode::Internal, "a fault of the edge ended this session; join again"));
        self.leave(now, key, LeaveReason::Failed);
        true
    }

    pub(super) fn shut_down(&mut self, now: Instant) {
        let everybody: Vec<_> = self.participants.iter().filter(|(_, known)| known.home.is_none()).map(|(key, _)| key).collect();
        // Everybody is told first and let go of, so that nobody is told of everybody else's leaving.
        for key in &everybody {
            let error = ErrorInfo::new(ErrorCode::ShuttingDown, "this edge is going away; join again, on another edge if there is one");
            self.close_with(*key, error);
            let Some(participant) = self.participants.get_mut(*key) else { continue };
            participant.sent_on = !participant.by_http;
            if let Some(connection) = participant.connection.take() {
                self.connections.remove(&connection);
                self.events.push_back(Event::Close { connection });
            }
        }
        for key in everybody {
            self.leave(now, key, LeaveReason::Removed);
        }
    }
}
