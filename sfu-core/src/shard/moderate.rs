//! Moderation: removing, muting, locking, ending. Asked for by a participant whose token grants it (`can_moderate`), by another part of the
//! room, or by the edge's operator; done the same way each time, by every part for its own people.
//!
//! Two things hold whatever a client does: a publication that is stopped is forwarded to nobody, here ([`fan_out`](super::fan_out)) as in other
//! parts; and who was removed gets in again only when a moderator says so.

use super::join::person;
use super::{Event, Shard};
use crate::keys::{ParticipantKey, PublicationKey, RoomKey};
use crate::moderation::Decisions;
use crate::relay::Relayed;
use crate::room_mode::Occasion;
use nearcast_protocol::{ErrorCode, ErrorInfo, LeaveReason, MAX_MODERATION_TARGET, Moderation, ModerationAction, ServerMessage};
use std::time::Instant;

impl Shard {
    /// A participant moderates.
    pub(super) fn moderate(&mut self, now: Instant, key: ParticipantKey, request: u32, moderation: &Moderation) -> Result<(), ErrorInfo> {
        let gone = || ErrorInfo::new(ErrorCode::Internal, "the participant vanished while it was moderating");
        let participant = self.participants.get(key).ok_or_else(gone)?;
        if !participant.admission.permissions.moderate {
            return Err(ErrorInfo::new(ErrorCode::NotPermitted, "the token doesn't grant moderating (can_moderate)"));
        }
        if moderation.action == ModerationAction::Remove && participant.admission.identity == moderation.target {
            return Err(ErrorInfo::new(ErrorCode::NotPermitted, "nobody removes themselves; leave instead"));
        }
        let room = participant.room;
        if moderation.action == ModerationAction::End {
            // Afterwards there is nobody to reply to.
            self.signal(key, ServerMessage::Done { id: request });
        }
        // The others first: when this part ends with its last participant, nobody knows of them any more.
        self.check_moderation(room, moderation)?;
        let name = self.rooms.get(room).map(|room| room.name.clone()).unwrap_or_default();
        self.tell_parts(room, || Relayed::Moderation { room: name.clone(), moderation: moderation.clone() });
        self.apply_moderation(now, room, moderation)
    }

    /// The edge's operator, or an application's server, moderates: every shard is told. None: no part of the room is here.
    pub fn moderate_room(&mut self, now: Instant, room: &str, moderation: &Moderation) -> Option<Result<(), ErrorInfo>> {
        let room = self.rooms_by_name.get(room).copied()?;
        let done = self.check_moderation(room, moderation).and_then(|()| self.apply_moderation(now, room, moderation));
        self.arm_tick(now);
        Some(done)
    }

    /// Another part of the room was moderated.
    pub(super) fn on_relayed_moderation(&mut self, now: Instant, room: &str, moderation: &Moderation) {
        if let Some(room) = self.rooms_by_name.get(room).copied() {
            // What can't be done here, since something is gone or a list is full, was answered where it was asked for.
            let _ = self.apply_moderation(now, room, moderation);
        }
    }

    fn check_moderation(&self, room: RoomKey, moderation: &Moderation) -> Result<(), ErrorInfo> {
        let target = &moderation.target;
        if target.len() > MAX_MODERATION_TARGET {
            let why = format!("the target of a moderation has at most {MAX_MODERATION_TARGET} bytes, and this one {}", target.len());
            return Err(ErrorInfo::new(ErrorCode::LimitReached, why));
        }
        match moderation.action {
            ModerationAction::Remove | ModerationAction::Readmit if target.is_empty() => {
                Err(ErrorInfo::new(ErrorCode::BadMessage, "whom? the target is the identity of a participant"))
            }
            ModerationAction::AskMute | ModerationAction::Mute | ModerationAction::AllowUnmute => {
                self.publication_in(room, target).map(|_| ())
            }
            _ => Ok(()),
        }
    }

    fn publication_in(&self, room: RoomKey, id: &str) -> Result<PublicationKey, ErrorInfo> {
        let found = self.publications_by_id.get(&id.into()).copied();
        found
            .filter(|found| self.publications.get(*found).is_some_and(|known| known.room == room))
            .ok_or_else(|| ErrorInfo::new(ErrorCode::PublicationUnknown, format!("nobody here publishes {id:?}; it may have ended")))
    }

    /// Does it for this part of the room.
    fn apply_moderation(&mut self, now: Instant, room: RoomKey, moderation: &Moderation) -> Result<(), ErrorInfo> {
        let time = self.config.wall_clock.ntp(now).0;
        let Some(known) = self.rooms.get_mut(room) else { return Ok(()) };
        let target = moderation.target.as_str();
        let notice = ServerMessage::Moderated(moderation.clone());
        match moderation.action {
            ModerationAction::Remove => {
                let named =
                    known.participants.iter().filter_map(|key| self.participants.get(*key)).find(|it| it.admission.identity == target);
                let person = named.map_or(target, |named| person(&named.admission, named.by_http));
                known.decisions.remove(person)?;
                let name = known.name.clone();
                self.remove_identity(now, &name, target);
            }
            ModerationAction::Readmit => known.decisions.readmit(target),
            ModerationAction::Lock => {
                if known.decisions.lock(time) {
                    self.announce(room, None, &notice);
                }
            }
            ModerationAction::Unlock => {
                if known.decisions.unlock() {
                    self.announce(room, None, &notice);
                }
            }
            ModerationAction::End => self.end_room(now, room),
            ModerationAction::AskMute => {
                let publication = self.publication_in(room, target)?;
                if let Some(owner) = self.publications.get(publication).map(|known| known.owner) {
                    self.signal(owner, notice);
                }
            }
            ModerationAction::Mute => self.stop_publication(now, room, target, &notice)?,
            ModerationAction::AllowUnmute => self.allow_publication(now, room, target, &notice)?,
        }
        Ok(())
    }

    fn stop_publication(&mut self, now: Instant, room: RoomKey, id: &str, notice: &ServerMessage) -> Result<(), ErrorInfo> {
        let key = self.publication_in(room, id)?;
        let Some(known) = self.publications.get(key) else { return Ok(()) };
        let (owner, video) = (known.owner, known.info.video);
        let identity = self.participants.get(owner).map(|owner| owner.admission.identity.clone()).unwrap_or_default();
        if let Some(room) = self.rooms.get_mut(room) {
            room.decisions.silence(&identity, video)?;
        }
        let Some(known) = self.publications.get_mut(key) else { return Ok(()) };
        if std::mem::replace(&mut known.info.blocked, true) {
            return Ok(());
        }
        if known.from.is_none() {
            self.mute(now, owner, key, true);
        }
        self.cut_off(now, room, key);
        self.announce_of(room, None, (owner, video), notice);
        self.review_mode(now, room, Occasion::Other, None);
        Ok(())
    }

    fn allow_publication(&mut self, now: Instant, room: RoomKey, id: &str, notice: &ServerMessage) -> Result<(), ErrorInfo> {
        let key = self.publication_in(room, id)?;
        let Some(known) = self.publications.get_mut(key) else { return Ok(()) };
        let (owner, video) = (known.owner, known.info.video);
        let was = std::mem::replace(&mut known.info.blocked, false);
        let identity = self.participants.get(owner).map(|owner| owner.admission.identity.clone()).unwrap_or_default();
        if let Some(room) = self.rooms.get_mut(room) {
            room.decisions.allow(&identity, video);
        }
        if was {
            self.announce_of(room, None, (owner, video), notice);
            self.review_mode(now, room, Occasion::Other, None);
        }
        Ok(())
    }

    /// Ends what flows of a publication: when it is allowed again, each stream goes on with the next number and, if it is a picture, a key frame.
    fn cut_off(&mut self, now: Instant, room: RoomKey, publication: PublicationKey) {
        let Some(known) = self.publications.get_mut(publication) else { return };
        let several = known.encodings().len() > 1;
        if !known.info.video {
            (known.heard, known.heard_since) = (false, Some(now));
            if let Some(room) = self.rooms.get_mut(room) {
                room.loudest.remove(publication);
            }
        }
        for subscriber in &known.subscribers {
            let peer = self.participants.get_mut(subscriber.participant).and_then(|participant| participant.peer.as_mut());
            let Some(slot) = peer.and_then(|peer| peer.slots.get_mut(subscriber.slot)) else { continue };
            slot.forwarder.bind(publication);
            if several {
                slot.forwarder.set_layer(None);
            }
            (slot.chosen, slot.wants) = (None, [None; 2]);
        }
        self.allocate_subscribers_of(now, publication);
    }

    /// Everybody is told first and let go of, so that nobody is told of everybody else's leaving.
    fn end_room(&mut self, now: Instant, room: RoomKey) {
        let everybody = self.rooms.get(room).map(|room| room.participants.clone()).unwrap_or_default();
        let here: Vec<_> = everybody.into_iter().filter(|key| self.home(*key).is_none()).collect();
        for key in &here {
            self.close_with(*key, ErrorInfo::new(ErrorCode::RoomClosed, "a moderator ended the call for everybody"));
            if let Some(connection) = self.participants.get_mut(*key).and_then(|participant| participant.connection.take()) {
                self.connections.remove(&connection);
                self.events.push_back(Event::Close { connection });
            }
        }
        for key in here {
            self.leave(now, key, LeaveReason::Removed);
        }
    }

    /// Whether what moderators decided lets somebody in.
    pub(super) fn check_entry(&self, room: RoomKey, person: &str, is_there: bool) -> Result<(), ErrorInfo> {
        let Some(known) = self.rooms.get(room) else { return Ok(()) };
        if known.decisions.has_removed(person) {
            return Err(removed());
        }
        // Who is there already, and reloads the page, isn't new.
        if known.decisions.is_locked() && !is_there {
            return Err(locked());
        }
        Ok(())
    }

    /// Another part of the room knows more: whoever entered here meanwhile and would have been refused there goes.
    pub(super) fn learn_decisions(&mut self, now: Instant, room: RoomKey, decisions: &Decisions) {
        let Some(known) = self.rooms.get_mut(room) else { return };
        let was_locked = known.decisions.is_locked();
        let before = known.decisions.clone();
        known.decisions.merge(decisions);
        let news = known.decisions.is_locked() && !was_locked;
        let refused: Vec<_> = known
            .participants
            .iter()
            .copied()
            .filter_map(|key| {
                let participant = self.participants.get(key).filter(|participant| participant.home.is_none())?;
                if decisions.has_removed(person(&participant.admission, participant.by_http)) {
                    return Some((key, removed()));
                }
                (news && decisions.shuts_out(participant.since)).then(|| (key, locked()))
            })
            .collect();
        for (key, error) in refused {
            self.close_with(key, error);
            self.leave(now, key, LeaveReason::Removed);
        }
        self.stop_silenced(now, room, &before);
        if news {
            let moderation = Moderation { action: ModerationAction::Lock, target: String::new() };
            self.announce(room, None, &ServerMessage::Moderated(moderation));
        }
    }

    /// What those publish here already whose mutes have just become known: they came from another part, or by way of it.
    fn stop_silenced(&mut self, now: Instant, room: RoomKey, before: &Decisions) {
        let Some(known) = self.rooms.get(room) else { return };
        let here = known.participants.iter().filter_map(|key| self.participants.get(*key)).filter(|it| it.home.is_none());
        let news = |identity: &str, video| known.decisions.silences(identity, video) && !before.silences(identity, video);
        let name = known.name.clone();
        let mut stopped = Vec::new();
        for participant in here {
            let identity = participant.admission.identity.as_str();
            let publications = participant.publications.iter().filter_map(|key| self.publications.get(*key));
            stopped.extend(publications.filter(|known| news(identity, known.info.video)).map(|known| known.id().clone()));
        }
        for publication in stopped {
            let notice = ServerMessage::Moderated(Moderation { action: ModerationAction::Mute, target: publication.0.clone() });
            // It is there, and its identity is among the silenced.
            let _ = self.stop_publication(now, room, publication.as_str(), &notice);
            let moderation = Moderation { action: ModerationAction::Mute, target: publication.0 };
            self.tell_parts(room, || Relayed::Moderation { room: name.clone(), moderation: moderation.clone() });
        }
    }

    /// Who comes back may have missed what moderators did to the room, and to what is its own.
    pub(super) fn tell_moderation_to(&mut self, key: ParticipantKey, resumed: bool) {
        let Some(participant) = self.participants.get(key) else { return };
        let locked = self.rooms.get(participant.room).is_some_and(|room| room.decisions.is_locked());
        let own = participant.publications.iter().filter_map(|key| self.publications.get(*key));
        let blocked = own.filter(|known| resumed && known.info.blocked).map(|known| (ModerationAction::Mute, known.id().0.clone()));
        let mut notices: Vec<_> = blocked.collect();
        if resumed || locked {
            notices.push((if locked { ModerationAction::Lock } else { ModerationAction::Unlock }, String::new()));
        }
        for (action, target) in notices {
            self.signal(key, ServerMessage::Moderated(Moderation { action, target }));
        }
    }

    /// Whether a message that may arrange a direct connection would lead media past the edge, which has to be able to stop it.
    pub(super) fn must_pass_here(&self, room: RoomKey, key: ParticipantKey, other: ParticipantKey) -> bool {
        let identity = |key: ParticipantKey| self.participants.get(key).map_or("", |participant| participant.admission.identity.as_str());
        self.rooms.get(room).is_some_and(|room| {
            room.terms.forwarding.is_some() || room.decisions.silences_any(identity(key)) || room.decisions.silences_any(identity(other))
        })
    }
}

fn removed() -> ErrorInfo {
    ErrorInfo::new(ErrorCode::Removed, "a moderator removed you from this room; only a moderator can let you in again")
}

fn locked() -> ErrorInfo {
    ErrorInfo::new(ErrorCode::RoomLocked, "a moderator locked this room: nobody new gets in until it is unlocked")
}
