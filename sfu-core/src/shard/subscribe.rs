//! Wishes and slots: who receives what, and in which receiving section.

use super::{Event, Shard};
use crate::keys::{ParticipantKey, PublicationKey};
use crate::participant::Subscription;
use crate::publication::Subscriber;
use crate::publication::keyframes::Need;
use crate::slot::{SyncGroup, choose};
use nearcast_protocol::{ErrorCode, ErrorInfo, PublicationId, ServerMessage, SlotBinding};
use std::time::Instant;

impl Shard {
    /// A participant's explicit wish.
    pub(super) fn subscribe(&mut self, now: Instant, key: ParticipantKey, id: &PublicationId) -> Result<(), ErrorInfo> {
        let participant = self.participants.get(key);
        if !participant.is_some_and(|participant| participant.admission.permissions.subscribe) {
            return Err(ErrorInfo::new(ErrorCode::NotPermitted, "the token doesn't grant receiving (can_subscribe)"));
        }
        let publication = self.others_publication(key, id)?;
        if !self.permits_publication(key, publication) {
            return Err(self.denied(key, publication));
        }
        self.add_wish(key, publication);
        self.fill_slots(now, key);
        Ok(())
    }

    pub(super) fn unsubscribe(&mut self, now: Instant, key: ParticipantKey, id: &PublicationId) -> Result<(), ErrorInfo> {
        let publication = self.others_publication(key, id)?;
        self.forget_subscription(now, key, publication);
        Ok(())
    }

    /// A publication of somebody else in the same room.
    fn others_publication(&self, key: ParticipantKey, id: &PublicationId) -> Result<PublicationKey, ErrorInfo> {
        let room = self.participants.get(key).map(|participant| participant.room);
        let found = self.publications_by_id.get(id).copied();
        found
            .filter(|found| {
                self.publications.get(*found).is_some_and(|publication| Some(publication.room) == room && publication.owner != key)
            })
            .ok_or_else(|| ErrorInfo::new(ErrorCode::PublicationUnknown, format!("nobody here publishes {id}; it may have ended")))
    }

    /// A newcomer wishes for everything that is there, when it joined so.
    pub(super) fn subscribe_to_room(&mut self, now: Instant, key: ParticipantKey) {
        let Some(participant) = self.participants.get(key) else { return };
        if !participant.auto_subscribe || !participant.admission.permissions.subscribe {
            return;
        }
        let Some(room) = self.rooms.get(participant.room) else { return };
        let others = room.participants.iter().filter(|other| **other != key).filter_map(|other| self.participants.get(*other));
        let wishes: Vec<_> = others.flat_map(|other| other.publications.iter().copied()).collect();
        for publication in wishes {
            self.add_wish(key, publication);
        }
        self.fill_slots(now, key);
    }

    /// A new publication is wished for by everybody who joined to receive everything.
    pub(super) fn subscribe_room_to(&mut self, now: Instant, owner: ParticipantKey, publication: PublicationKey) {
        let Some(room) = self.participants.get(owner).and_then(|participant| self.rooms.get(participant.room)) else { return };
        for key in room.participants.clone() {
            let willing = self
                .participants
                .get(key)
                .is_some_and(|participant| participant.auto_subscribe && participant.admission.permissions.subscribe);
            if key != owner && willing {
                self.add_wish(key, publication);
                self.fill_slots(now, key);
            }
        }
    }

    fn add_wish(&mut self, key: ParticipantKey, publication: PublicationKey) {
        if !self.permits_publication(key, publication) {
            return;
        }
        if let Some(participant) = self.participants.get_mut(key)
            && !participant.subscriptions.iter().any(|known| known.publication == publication)
        {
            participant.subscriptions.push(Subscription::new(publication));
        }
    }

    /// Puts whatever waits into free slots, and asks for more slots when there are too few.
    pub(super) fn fill_slots(&mut self, now: Instant, key: ParticipantKey) {
        let Some(participant) = self.participants.get(key) else { return };
        let waiting: Vec<_> = participant.subscriptions.iter().filter(|wish| wish.slot.is_none()).map(|wish| wish.publication).collect();
        // Counted first: in a big room hundreds wait, and looking for a slot for each would stop the whole shard.
        let free =
            |video| participant.peer.iter().flat_map(|peer| &peer.slots).filter(|slot| slot.video == video && slot.is_free()).count();
        let (mut free_audio, mut free_video) = (free(false), free(true));
        let mut missing = (0_u16, 0_u16);
        for publication in waiting {
            let Some(video) = self.publications.get(publication).map(|known| known.info.video) else { continue };
            let (free, missing) = if video { (&mut free_video, &mut missing.1) } else { (&mut free_audio, &mut missing.0) };
            if *free > 0 && self.bind(now, key, publication) {
                *free = free.saturating_sub(1);
            } else {
                *missing = missing.saturating_add(1);
            }
        }
        self.pair_voices(now, key);
        self.ask_for_slots(key, missing);
    }

    /// By WHEP nobody can say which voice belongs to which face, and there is often one section of each: a face is heard with its own
    /// voice, and a screen with its own sound, whoever came first. A voice that has to make way goes back to waiting.
    fn pair_voices(&mut self, now: Instant, key: ParticipantKey) {
        let Some(participant) = self.participants.get(key).filter(|participant| participant.by_http) else { return };
        let Some(peer) = participant.peer.as_ref() else { return };
        let face_in = |pair: usize| peer.slots.iter().find(|slot| slot.video && slot.pair == pair).and_then(|slot| slot.bound);
        let unheard = |group: SyncGroup| {
            participant.subscriptions.iter().filter(|wish| wish.slot.is_none()).find_map(|wish| {
                let known = self.publications.get(wish.publication).filter(|known| !known.info.video)?;
                (SyncGroup::of(known.owner, known.info.source, wish.publication) == group).then_some(wish.publication)
            })
        };
        let strangers: Vec<_> = peer
            .slots
            .iter()
            .filter(|slot| !slot.video)
            .filter_map(|slot| {
                let ((_, face), (stranger, voice)) = (face_in(slot.pair)?, slot.bound?);
                (face != voice).then(|| Some((stranger, unheard(face)?))).flatten()
            })
            .collect();
        for (stranger, voice) in strangers {
            let Some(participant) = self.participants.get_mut(key) else { return };
            let Some(wish) = participant.subscriptions.iter_mut().find(|wish| wish.publication == stranger) else { continue };
            if let Some(index) = wish.slot.take() {
                self.release(key, index);
                self.bind(now, key, voice);
                // Another section may have room for the stranger.
                self.bind(now, key, stranger);
            }
        }
    }

    fn ask_for_slots(&mut self, key: ParticipantKey, missing: (u16, u16)) {
        let limit = self.config.limits.slots_per_participant;
        let Some(participant) = self.participants.get_mut(key) else { return };
        let count = |video| {
            let slots = participant.peer.iter().flat_map(|peer| &peer.slots);
            slots.filter(|slot| slot.active && slot.video == video).count().min(limit) as u16
        };
        let most = u16::try_from(limit / 2).unwrap_or(u16::MAX);
        let wanted = (count(false).saturating_add(missing.0).min(most), count(true).saturating_add(missing.1).min(most));
        if missing == (0, 0) {
            participant.slots_asked = (0, 0);
            return;
        }
        if participant.slots_asked == wanted {
            return;
        }
        participant.slots_asked = wanted;
        self.signal(key, ServerMessage::SlotsWanted { audio: wanted.0, video: wanted.1 });
    }

    /// Puts one publication into a free slot; false when there is none.
    fn bind(&mut self, now: Instant, key: ParticipantKey, publication: PublicationKey) -> bool {
        // Packets go to slots alone, and here is the one way into a slot.
        if !self.permits_publication(key, publication) {
            return true;
        }
        let Some(known) = self.publications.get_mut(publication) else { return true };
        let Some(participant) = self.participants.get_mut(key) else { return true };
        let group = SyncGroup::of(known.owner, known.info.source, publication);
        let Some(peer) = participant.peer.as_mut() else { return false };
        let Some(index) = choose(&peer.slots, known.info.video, group) else { return false };
        let Some(slot) = peer.slots.get_mut(index) else { return false };
        slot.bound = Some((publication, group));
        slot.forwarder.bind(publication);
        // Which of several encodings is decided within a tick, before anything is asked of the publisher.
        let several = known.encodings().len() > 1;
        if several {
            slot.forwarder.set_layer(None);
        }
        (slot.chosen, slot.wants) = (None, [None; 2]);
        (slot.last_report_sent, slot.reported) = (None, None);
        known.subscribers.push(Subscriber { participant: key, slot: index });
        if known.info.video && peer.srtp.is_some() {
            known.keyframes.welcome(1);
        }
        if known.info.video && peer.srtp.is_some() && !several {
            known.keyframes.want(0, Need::Picture, now);
        }
        if let Some(wish) = participant.subscriptions.iter_mut().find(|wish| wish.publication == publication) {
            wish.slot = Some(index);
        }
        participant.allocating.due = now;
        let binding = SlotBinding { mid: slot.mid.clone(), publication: Some(known.id().clone()) };
        let owner = known.owner;
        let first_voice = !known.info.video && peer.srtp.is_some();
        self.signal(key, ServerMessage::Slot { binding });
        self.request_due_keyframe(now, owner, publication);
        if first_voice {
            self.tell_first_demand(publication);
        }
        true
    }

    /// Frees a slot, and lets the next one that waits have it.
    pub(super) fn forget_subscription(&mut self, now: Instant, key: ParticipantKey, publication: PublicationKey) {
        let Some(participant) = self.participants.get_mut(key) else { return };
        let Some(at) = participant.subscriptions.iter().position(|wish| wish.publication == publication) else { return };
        let wish = participant.subscriptions.remove(at);
        if let Some(index) = wish.slot {
            self.release(key, index);
            self.fill_slots(now, key);
        }
    }

    /// The section of a slot no longer receives: its publication goes back to waiting.
    pub(super) fn rest_slot(&mut self, key: ParticipantKey, index: usize) {
        let Some(participant) = self.participants.get_mut(key) else { return };
        for wish in &mut participant.subscriptions {
            if wish.slot == Some(index) {
                wish.slot = None;
            }
        }
        self.release(key, index);
        if let Some(slot) = self.peer_mut(key).and_then(|peer| peer.slots.get_mut(index)) {
            slot.active = false;
        }
    }

    fn release(&mut self, key: ParticipantKey, index: usize) {
        let Some(participant) = self.participants.get_mut(key) else { return };
        let Some(slot) = participant.peer.as_mut().and_then(|peer| peer.slots.get_mut(index)) else { return };
        slot.forwarder.unbind();
        (slot.chosen, slot.wants) = (None, [None; 2]);
        let Some((publication, _)) = slot.bound.take() else { return };
        if let Some(known) = self.publications.get_mut(publication) {
            known.subscribers.retain(|subscriber| *subscriber != Subscriber { participant: key, slot: index });
        }
        if let Some(connection) = participant.connection {
            let binding = SlotBinding { mid: slot.mid.clone(), publication: None };
            self.events.push_back(Event::Signal { connection, message: ServerMessage::Slot { binding } });
        }
    }

    /// Takes a leaving participant out of every publication.
    pub(super) fn unsubscribe_from_all(&mut self, key: ParticipantKey) {
        let Some(participant) = self.participants.get_mut(key) else { return };
        for wish in std::mem::take(&mut participant.subscriptions) {
            if let Some(known) = self.publications.get_mut(wish.publication) {
                known.subscribers.retain(|subscriber| subscriber.participant != key);
            }
        }
    }

    /// Pictures that couldn't start before the transport was up can now, and so can voices.
    pub(super) fn want_keyframes(&mut self, now: Instant, key: ParticipantKey) {
        let Some(peer) = self.peer(key) else { return };
        let waiting = peer.slots.iter().filter_map(|slot| Some((slot.bound?.0, slot.forwarder.needs_keyframe())));
        for (publication, encoding) in waiting.collect::<Vec<_>>() {
            if self.publications.get(publication).is_some_and(|known| !known.info.video) {
                self.tell_first_demand(publication);
            }
            if let Some(known) = self.publications.get_mut(publication).filter(|known| known.info.video) {
                known.keyframes.welcome(1);
                let Some(encoding) = encoding else { continue };
                known.keyframes.want(encoding, Need::Picture, now);
                let owner = known.owner;
                self.request_due_keyframe(now, owner, publication);
            }
        }
    }
}
