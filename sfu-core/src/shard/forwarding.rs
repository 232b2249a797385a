//! A room's forwarding policy, where it is enforced: nobody is told of, subscribed to or sent what the policy grants no sight of.
//!
//! [`Shard::permits`] is asked by whoever tells of a publication, notes a wish for one, or binds one to a slot; and packets go to slots alone.

use super::{Event, Shard};
use crate::forwarding_policy::ForwardingPolicy;
use crate::keys::{ParticipantKey, PublicationKey, RoomKey};
use crate::participant::Admission;
use nearcast_protocol::{ErrorCode, ErrorInfo, ParticipantInfo, ServerMessage};
use std::sync::Arc;
use std::time::Instant;

impl Shard {
    /// Whether the room's policy lets `receiver` have the picture (`video`) or the sound of `owner`.
    pub(super) fn permits(&self, receiver: ParticipantKey, owner: ParticipantKey, video: bool) -> bool {
        let Some(to) = self.participants.get(receiver) else { return false };
        let Some(policy) = self.forwarding_of(to.room) else { return true };
        let Some(from) = self.participants.get(owner) else { return false };
        receiver == owner || policy.allows(to.admission.role.as_deref(), from.admission.role.as_deref(), video)
    }

    /// The same of a publication.
    pub(super) fn permits_publication(&self, receiver: ParticipantKey, publication: PublicationKey) -> bool {
        self.publications.get(publication).is_some_and(|known| self.permits(receiver, known.owner, known.info.video))
    }

    pub(super) fn forwarding_of(&self, room: RoomKey) -> Option<&Arc<ForwardingPolicy>> {
        self.rooms.get(room)?.terms.forwarding.as_ref()
    }

    /// The refusal of a wish.
    pub(super) fn denied(&self, receiver: ParticipantKey, publication: PublicationKey) -> ErrorInfo {
        let participant = self.participants.get(receiver);
        let role = participant
            .and_then(|participant| participant.admission.role.as_deref())
            .map_or("no role".to_owned(), |role| format!("the role {role:?}"));
        let policy = participant.and_then(|participant| self.forwarding_of(participant.room)).map_or("", |policy| policy.name());
        let kind = if self.publications.get(publication).is_some_and(|known| known.info.video) { "video" } else { "audio" };
        let why = format!("the room's policy {policy:?} grants {role} no {kind} of this participant; another role in the token may");
        ErrorInfo::new(ErrorCode::NotPermitted, why)
    }

    /// A token that names a policy opens only rooms that go by it: otherwise whoever comes first without one would decide.
    pub(super) fn check_policy(&self, room: RoomKey, admission: &Admission) -> Result<(), ErrorInfo> {
        let Some(wanted) = &admission.forwarding else { return Ok(()) };
        match self.forwarding_of(room) {
            Some(policy) if policy.name() == wanted.name() => Ok(()),
            other => {
                let now = other.map_or("without a policy".to_owned(), |policy| format!("by the policy {:?}", policy.name()));
                let why =
                    format!("the token asks for the policy {:?}, and this room goes {now}: give all of its tokens the same", wanted.name());
                Err(ErrorInfo::new(ErrorCode::NotPermitted, why))
            }
        }
    }

    /// The room turns out to have a policy: what was wished for before that was known and isn't granted ends.
    pub(super) fn enforce_policy(&mut self, now: Instant, room: RoomKey) {
        if self.forwarding_of(room).is_none() {
            return;
        }
        let here = self.rooms.get(room).map(|room| room.participants.clone()).unwrap_or_default();
        for key in here {
            let Some(participant) = self.participants.get(key) else { continue };
            let denied: Vec<_> = participant.subscriptions.iter().map(|wish| wish.publication).collect();
            for publication in denied.into_iter().filter(|publication| !self.permits_publication(key, *publication)).collect::<Vec<_>>() {
                self.forget_subscription(now, key, publication);
            }
        }
    }

    /// Tells everybody in the room but `except` something about a publication of `owner`, as far as they may know of it.
    pub(super) fn announce_of(
        &mut self,
        room: RoomKey,
        except: Option<ParticipantKey>,
        (owner, video): (ParticipantKey, bool),
        message: &ServerMessage,
    ) {
        if self.forwarding_of(room).is_none() {
            return self.announce(room, except, message);
        }
        let here = self.rooms.get(room).map(|room| room.participants.clone()).unwrap_or_default();
        for key in here.into_iter().filter(|key| Some(*key) != except) {
            let connection = self.participants.get(key).and_then(|participant| participant.connection);
            if let Some(connection) = connection.filter(|_| self.permits(key, owner, video)) {
                self.events.push_back(Event::Signal { connection, message: message.clone() });
            }
        }
    }

    /// Tells everybody but the newcomer of a newcomer, with as much of what it publishes as each may know.
    pub(super) fn announce_participant(&mut self, room: RoomKey, newcomer: ParticipantKey) {
        if self.forwarding_of(room).is_none() {
            if let Some(participant) = self.participant_info(newcomer) {
                self.announce(room, Some(newcomer), &ServerMessage::ParticipantJoined { participant });
            }
            return;
        }
        let here = self.rooms.get(room).map(|room| room.participants.clone()).unwrap_or_default();
        for key in here.into_iter().filter(|key| *key != newcomer) {
            if let Some(participant) = self.participant_info_for(key, newcomer) {
                self.signal(key, ServerMessage::ParticipantJoined { participant });
            }
        }
    }

    /// A participant as `viewer` may see it.
    pub(super) fn participant_info_for(&self, viewer: ParticipantKey, key: ParticipantKey) -> Option<ParticipantInfo> {
        let mut info = self.participant_info(key)?;
        info.publications.retain(|publication| self.permits(viewer, key, publication.video));
        Some(info)
    }
}
