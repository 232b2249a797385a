//! Rooms that may do without the edge: when each looks at its mode, and who is told.

use super::Shard;
use crate::keys::{ParticipantKey, RoomKey};
use crate::room_mode::{Occasion, Presence, Terms};
use nearcast_protocol::{RoomMode, ServerMessage};
use std::time::Instant;

impl Shard {
    /// Decides anew, and tells everybody but `except` of a change.
    pub(super) fn review_mode(&mut self, now: Instant, room: RoomKey, occasion: Occasion, except: Option<ParticipantKey>) {
        let Some(presence) = self.presence(room) else { return };
        let Some(known) = self.rooms.get_mut(room) else { return };
        if let Some(mode) = known.mode.review(known.terms.policy, presence, occasion, now) {
            self.announce(room, except, &ServerMessage::Mode { mode });
        }
    }

    /// Those whose hold-down has passed.
    pub(super) fn review_due_modes(&mut self, now: Instant) {
        let due = |known: &crate::participant::Room| known.mode.due().is_some_and(|due| due <= now);
        for room in self.rooms.iter().filter(|(_, known)| due(known)).map(|(key, _)| key).collect::<Vec<_>>() {
            self.review_mode(now, room, Occasion::Other, None);
        }
    }

    fn presence(&self, room: RoomKey) -> Option<Presence> {
        let everybody =
            || self.rooms.get(room).into_iter().flat_map(|room| &room.participants).filter_map(|key| self.participants.get(*key));
        self.rooms.get(room)?;
        Some(Presence {
            participants: everybody().count(),
            by_http: everybody().any(|participant| participant.by_http),
            silenced: self.rooms.get(room).is_some_and(|room| room.decisions.has_silenced()),
            reachable: everybody().all(|participant| participant.home.is_some() || participant.connection.is_some()),
        })
    }

    /// Another part of the room knows of somebody who came earlier than anybody we knew of.
    pub(super) fn note_terms(&mut self, now: Instant, room: RoomKey, terms: Terms) {
        if let Some(known) = self.rooms.get_mut(room).filter(|known| terms.founded < known.terms.founded) {
            known.terms = terms;
            self.enforce_policy(now, room);
        }
    }

    pub(super) fn mode_of(&self, room: RoomKey) -> RoomMode {
        self.rooms.get(room).map(|room| room.mode.current()).unwrap_or_default()
    }
}
