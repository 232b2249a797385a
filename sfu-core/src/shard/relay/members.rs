//! Who is in the other parts of a room.

use crate::keys::{ParticipantKey, PublicationKey, RoomKey};
use crate::moderation::Decisions;
use crate::participant::Participant;
use crate::publication::Publication;
use crate::relay::{Handle, Relayed, RelayedParticipant, RelayedPublication};
use crate::room_mode::{Occasion, Terms};
use crate::shard::{Event, Shard, ShardId};
use nearcast_protocol::{LeaveReason, ParticipantId};
use std::collections::HashSet;
use std::time::Instant;

impl Shard {
    /// A room has begun here: asks every other shard, and those of the edges that are linked, whether it has a part of it.
    pub(in crate::shard) fn look_for_parts(&mut self, room: RoomKey) {
        let own = self.config.shard;
        let others: Vec<_> =
            (0..self.config.shards).map(ShardId::from).filter(|shard| *shard != own).chain(self.linked.iter().copied()).collect();
        for shard in others {
            self.introduce(room, shard);
        }
    }

    /// Shards of another edge can be reached from now on: they are told of every room here. What they are called must be new: nobody was called so
    /// before, so that nothing that was meant for an earlier link reaches them.
    pub fn handle_linked(&mut self, shards: &[ShardId]) {
        let fresh: Vec<_> = shards.iter().copied().filter(|shard| !self.linked.contains(shard)).collect();
        self.linked.extend(&fresh);
        let rooms: Vec<_> = self.rooms.keys().filter(|room| self.has_part(*room)).collect();
        for (room, shard) in rooms.iter().flat_map(|room| fresh.iter().map(move |shard| (*room, *shard))) {
            self.introduce(room, shard);
        }
    }

    /// Shards of another edge can't be reached any more: whoever is there has gone.
    pub fn handle_unlinked(&mut self, now: Instant, shards: &[ShardId]) {
        self.linked.retain(|linked| !shards.contains(linked));
        self.narrow.retain(|linked, _| !shards.contains(linked));
        shards.iter().for_each(|shard| self.on_shard_lost(now, *shard));
        self.forget_neighbours(shards);
        self.arm_tick(now);
    }

    fn introduce(&mut self, room: RoomKey, to: ShardId) {
        if let Some(part) = self.own_part(room) {
            self.tell_part(to, part);
        }
    }

    fn own_part(&self, room: RoomKey) -> Option<Relayed> {
        let known = self.rooms.get(room)?;
        let participants = known.participants.iter().filter_map(|key| self.as_relayed(*key)).collect();
        let decisions = Box::new(known.decisions.clone());
        Some(Relayed::Part { room: known.name.clone(), terms: known.terms.clone(), decisions, participants })
    }

    /// A participant of this shard as the others shall know it; none for one of theirs.
    fn as_relayed(&self, key: ParticipantKey) -> Option<RelayedParticipant> {
        let participant = self.participants.get(key).filter(|participant| participant.home.is_none())?;
        let publications = participant.publications.iter().filter(|key| self.publications.get(**key).is_some_and(|known| known.announced));
        Some(RelayedParticipant {
            id: participant.id.clone(),
            admission: participant.admission.clone(),
            since: participant.incarnation.at,
            by_http: participant.by_http,
            publications: publications.filter_map(|key| self.publication_as_relayed(*key)).collect(),
            count: participant.incarnation.count,
            joined: participant.since,
            arriving: participant.arriving.is_some(),
        })
    }

    fn publication_as_relayed(&self, key: PublicationKey) -> Option<RelayedPublication> {
        let known = self.publications.get(key)?;
        let rids = known.encodings().iter().filter_map(|encoding| encoding.rid.clone()).collect();
        Some(RelayedPublication { handle: Self::handle_of(key), info: known.info.clone(), rids })
    }

    pub(in crate::shard) fn relay_join(&mut self, key: ParticipantKey) {
        let Some(participant) = self.as_relayed(key) else { return };
        let Some(room) = self.participants.get(key).map(|participant| participant.room) else { return };
        let Some(name) = self.rooms.get(room).map(|room| room.name.clone()) else { return };
        self.tell_parts(room, || Relayed::Joined { room: name.clone(), participant: participant.clone() });
    }

    /// `moved`: it goes on elsewhere.
    pub(in crate::shard) fn relay_leave(&mut self, room: RoomKey, id: &ParticipantId, reason: LeaveReason, moved: bool) {
        let Some(name) = self.rooms.get(room).map(|room| room.name.clone()) else { return };
        self.tell_parts(room, || Relayed::Left { room: name.clone(), participant: id.clone(), reason, moved });
    }

    pub(in crate::shard) fn relay_publication(&mut self, publication: PublicationKey) {
        let Some(known) = self.publications.get(publication) else { return };
        let (room, owner) = (known.room, known.owner);
        if self.home(owner).is_some() {
            return;
        }
        let Some(relayed) = self.publication_as_relayed(publication) else { return };
        let Some(id) = self.participants.get(owner).map(|owner| owner.id.clone()) else { return };
        let Some(name) = self.rooms.get(room).map(|room| room.name.clone()) else { return };
        self.tell_parts(room, || Relayed::Published { room: name.clone(), participant: id.clone(), publication: relayed.clone() });
    }

    pub(super) fn on_part(
        &mut self,
        now: Instant,
        from: ShardId,
        room: &str,
        (terms, decisions): (Terms, &Decisions),
        participants: Vec<RelayedParticipant>,
    ) {
        let Some(key) = self.rooms_by_name.get(room).copied() else {
            // It may answer to a part that has ended since, and would keep the people it was told of.
            self.tell_part(from, Relayed::Gone { room: room.to_owned() });
            return;
        };
        self.note_terms(now, key, terms);
        let Some(known) = self.rooms.get_mut(key) else { return };
        if !known.parts.contains(&from) {
            known.parts.push(from);
            // Who has just come knows nothing of what was told before.
            self.publications.values_mut().filter(|known| known.room == key).for_each(|known| known.rungs_sent = None);
            self.introduce(key, from);
        }
        self.forget_unnamed(now, from, key, &participants);
        for participant in participants {
            self.admit_relayed(now, from, key, participant);
        }
        // Last: who has to go for it is told of as gone to a part that we know by now, and the room may end with them.
        self.learn_decisions(now, key, decisions);
    }

    /// A part names all who are in it: those it doesn't name went before the two had heard of each other.
    fn forget_unnamed(&mut self, now: Instant, from: ShardId, room: RoomKey, named: &[RelayedParticipant]) {
        let everybody = self.rooms.get(room).map(|room| room.participants.clone()).unwrap_or_default();
        let named: HashSet<&ParticipantId> = named.iter().map(|participant| &participant.id).collect();
        for key in everybody {
            // One that is missing is waited for, whoever has come to its place.
            let known = self.participants.get(key).filter(|known| known.home == Some(from) && known.missing.is_none());
            if known.is_some_and(|known| !named.contains(&known.id)) {
                self.leave(now, key, LeaveReason::Left);
            }
        }
    }

    /// A participant names all it publishes.
    pub(super) fn update_relayed(&mut self, now: Instant, from: ShardId, owner: ParticipantKey, publications: Vec<RelayedPublication>) {
        let known = self.participants.get(owner).map(|owner| owner.publications.clone()).unwrap_or_default();
        for key in known {
            let handle = self.publications.get(key).and_then(|known| known.from).map(|(_, handle)| handle);
            if !publications.iter().any(|named| Some(named.handle) == handle) {
                self.unpublish(now, owner, key);
            }
        }
        for publication in publications {
            let (handle, muted) = (publication.handle, publication.info.muted);
            self.add_relayed_publication(now, from, owner, publication);
            if let Some((_, key)) = self.relayed_publication(from, handle)
                && self.publications.get(key).is_some_and(|known| known.info.muted != muted)
            {
                self.mute(now, owner, key, muted);
            }
        }
    }

    /// A part that hasn't named its people here has nothing to say of them: what comes first was meant for an earlier part of this shard.
    fn is_part(&self, room: RoomKey, from: ShardId) -> bool {
        self.rooms.get(room).is_some_and(|room| room.parts.contains(&from))
    }

    pub(super) fn on_relayed_join(&mut self, now: Instant, from: ShardId, room: &str, participant: RelayedParticipant) {
        if let Some(key) = self.rooms_by_name.get(room).copied().filter(|key| self.is_part(*key, from)) {
            self.admit_relayed(now, from, key, participant);
        }
    }

    fn admit_relayed(&mut self, now: Instant, from: ShardId, room: RoomKey, mut relayed: RelayedParticipant) {
        if let Some(known) = self.stay_in(room, &relayed.id) {
            return self.follow(now, from, known, relayed);
        }
        if !self.give_way(now, room, &relayed) {
            return;
        }
        let publications = std::mem::take(&mut relayed.publications);
        let key = self.participants.insert(Participant::elsewhere(from, room, relayed, now));
        if let Some(room) = self.rooms.get_mut(room) {
            room.participants.push(key);
        }
        for publication in publications {
            self.insert_relayed_publication(from, key, publication);
        }
        self.announce_participant(room, key);
        self.publish_announced(now, key);
        self.review_mode(now, room, Occasion::Came, None);
    }

    /// Of two with one identity the one who came later stays: true when that is the one from elsewhere.
    fn give_way(&mut self, now: Instant, room: RoomKey, relayed: &RelayedParticipant) -> bool {
        let same = self.rooms.get(room).into_iter().flat_map(|room| &room.participants).find_map(|key| {
            let known = self.participants.get(*key)?;
            (known.admission.identity == relayed.admission.identity).then(|| (known.incarnation.at, known.id.as_str().to_owned()))
        });
        match same {
            None => true,
            Some((came, id)) if (came, id.as_str()) < (relayed.incarnation().at, relayed.id.as_str()) => {
                self.replace_same_identity(now, room, &relayed.admission.identity);
                true
            }
            Some(_) => false,
        }
    }

    pub(in crate::shard) fn relayed_participant(&self, from: ShardId, room: RoomKey, id: &ParticipantId) -> Option<ParticipantKey> {
        let theirs = |key: &&ParticipantKey| {
            self.participants.get(**key).is_some_and(|participant| participant.home == Some(from) && participant.id == *id)
        };
        self.rooms.get(room)?.participants.iter().find(theirs).copied()
    }

    pub(super) fn on_relayed_leave(
        &mut self,
        now: Instant,
        from: ShardId,
        room: &str,
        id: &ParticipantId,
        (reason, moved): (LeaveReason, bool),
    ) {
        let Some(room) = self.rooms_by_name.get(room).copied() else { return };
        self.yield_at_once(now, from, Some(id));
        match self.relayed_participant(from, room, id) {
            Some(key) if moved => self.miss(now, key),
            Some(key) => self.leave(now, key, reason),
            None => {}
        }
    }

    pub(super) fn on_relayed_publication(
        &mut self,
        now: Instant,
        from: ShardId,
        room: &str,
        id: &ParticipantId,
        publication: RelayedPublication,
    ) {
        let Some(room) = self.rooms_by_name.get(room).copied() else { return };
        self.yield_at_once(now, from, Some(id));
        if let Some(owner) = self.relayed_participant(from, room, id) {
            self.add_relayed_publication(now, from, owner, publication);
        }
    }

    pub(super) fn add_relayed_publication(&mut self, now: Instant, from: ShardId, owner: ParticipantKey, publication: RelayedPublication) {
        if self.relayed_publication(from, publication.handle).is_none() {
            self.insert_relayed_publication(from, owner, publication);
            self.announce_new_publications(now, owner);
        }
    }

    pub(super) fn insert_relayed_publication(&mut self, from: ShardId, owner: ParticipantKey, relayed: RelayedPublication) {
        let Some(room) = self.participants.get(owner).map(|owner| owner.room) else { return };
        let id = relayed.info.id.clone();
        // Its packets come in order over the relay; what is missing there is missing at home too, and asked for there.
        let mut publication = Publication::new(relayed.info, owner, room, "".into(), false, &relayed.rids);
        publication.from = Some((from, relayed.handle));
        let key = self.publications.insert(publication);
        self.publications_by_id.insert(id, key);
        self.relayed.insert((from, relayed.handle), key);
        if let Some(participant) = self.participants.get_mut(owner) {
            participant.publications.push(key);
        }
    }

    pub(super) fn on_relayed_unpublish(&mut self, now: Instant, from: ShardId, handle: Handle) {
        if let Some((owner, key)) = self.publication_at_home(now, from, handle) {
            self.unpublish(now, owner, key);
        }
    }

    pub(super) fn on_part_gone(&mut self, now: Instant, from: ShardId, room: &str) {
        if let Some(room) = self.rooms_by_name.get(room).copied() {
            for key in self.forget_part(now, from, room) {
                self.leave(now, key, LeaveReason::TimedOut);
            }
        }
    }

    pub(super) fn on_shard_lost(&mut self, now: Instant, from: ShardId) {
        let rooms: Vec<_> = self.rooms.iter().filter(|(_, room)| room.parts.contains(&from)).map(|(key, _)| key).collect();
        for room in rooms {
            for key in self.forget_part(now, from, room) {
                self.miss(now, key);
            }
        }
    }

    /// Who was there, but for those that are missing already.
    fn forget_part(&mut self, now: Instant, from: ShardId, room: RoomKey) -> Vec<ParticipantKey> {
        let Some(known) = self.rooms.get_mut(room) else { return Vec::new() };
        known.parts.retain(|part| *part != from);
        let everybody = known.participants.clone();
        let mut over_it = Vec::new();
        for (key, publication) in self.publications.iter_mut().filter(|(_, publication)| publication.room == room) {
            publication.relays.retain(|(part, _)| *part != from);
            publication.branch.children.retain(|child| child.part != from);
            publication.outline.forget(from);
            if publication.branch.uses(from) {
                over_it.push(key);
            }
            for other in [&mut publication.before, &mut publication.next] {
                if let Some(other) = other.take_if(|(part, _)| *part == from) {
                    self.relayed.remove(&other);
                }
            }
        }
        for key in over_it {
            self.lose_parent(now, key, from);
        }
        for key in &everybody {
            if let Some(participant) = self.participants.get_mut(*key) {
                // It isn't coming after all, as far as is known.
                let _ = participant.yielding.take_if(|yielding| yielding.to == from);
            }
        }
        let theirs = |key: &ParticipantKey| {
            self.participants.get(*key).is_some_and(|participant| participant.home == Some(from) && participant.missing.is_none())
        };
        everybody.into_iter().filter(theirs).collect()
    }

    /// The last participant of this part has gone: what is known of the others goes too. They are told.
    pub(in crate::shard) fn end_part(&mut self, now: Instant, room: RoomKey) {
        let Some(known) = self.rooms.get(room) else { return };
        let name = known.name.clone();
        let others = known.participants.clone();
        self.tell_parts(room, || Relayed::Gone { room: name.clone() });
        for key in others {
            self.leave_keeping_room(now, key, LeaveReason::Left);
        }
    }

    /// Whether nobody of this shard but `key` is in the room.
    pub(in crate::shard) fn is_alone(&self, room: RoomKey, key: ParticipantKey) -> bool {
        self.rooms.get(room).is_some_and(|room| room.participants.iter().all(|other| *other == key || self.home(*other).is_some()))
    }

    /// Whether anybody in the room has a transport or a WebSocket here.
    pub(in crate::shard) fn has_part(&self, room: RoomKey) -> bool {
        self.rooms.get(room).is_some_and(|room| room.participants.iter().any(|key| self.home(*key).is_none()))
    }

    /// Tells the edge how many participants of a room this shard holds, so that it knows where to put the next one.
    pub(in crate::shard) fn tell_size(&mut self, room: RoomKey) {
        let Some(known) = self.rooms.get(room) else { return };
        let here = known.participants.iter().filter(|key| self.home(**key).is_none()).count();
        self.events.push_back(Event::RoomSize { room: known.name.clone(), participants: u32::try_from(here).unwrap_or(u32::MAX) });
    }
}
