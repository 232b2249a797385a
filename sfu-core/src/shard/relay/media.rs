//! What crosses from the part where it is published to the parts where it is watched: one copy of each wanted encoding.

use super::handover::Origin;
use crate::data_channel::Channel;
use crate::keys::{ParticipantKey, PublicationKey, RoomKey};
use crate::packet::MediaPacket;
use crate::publication::keyframes::Need;
use crate::publication::{Arrival, Publication};
use crate::relay::{Handle, PartDemand, Relayed};
use crate::shard::dynacast::wanted;
use crate::shard::{Event, Shard, ShardId};
use nearcast_protocol::ParticipantId;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often bitrates alone are told of. Guess: a viewer's share moves more slowly.
const RUNGS_REPEATED: Duration = Duration::from_secs(1);

impl Shard {
    /// Hands a packet to every part that takes its encoding. One copy of the payload for all of them.
    pub(in crate::shard) fn relay_packet(&mut self, publication: PublicationKey, packet: &MediaPacket<'_>) {
        let Some(known) = self.publications.get(publication).filter(|known| !known.relays.is_empty()) else { return };
        let (encoding, ours) = (packet.info.layer.encoding, known.from.is_none());
        let mut bytes: Option<Arc<[u8]>> = None;
        for (part, demand) in &known.relays {
            let withheld = self.narrow.get(part).is_some_and(|withheld| known.without_largest(*withheld) & bit(encoding) == 0);
            let elsewhere = if ours { demand.via } else { !known.branch.is_child(*part) };
            if demand.encodings & bit(encoding) == 0 || withheld || elsewhere {
                continue;
            }
            let bytes = Arc::clone(bytes.get_or_insert_with(|| packet.dependency.iter().chain(packet.payload).copied().collect()));
            let dependency = packet.dependency.len();
            let media = Relayed::Media { publication: Self::handle_of(publication), encoding, info: packet.info, dependency, bytes };
            self.events.push_back(Event::Relay { to: *part, message: crate::relay::RelayMessage(media) });
            self.stats.relayed_out = self.stats.relayed_out.saturating_add(1);
        }
    }

    pub(super) fn on_relayed_packet(&mut self, now: Instant, from: ShardId, handle: Handle, encoding: u8, packet: &MediaPacket<'_>) {
        let key = self.relayed_publication(from, handle).map(|(_, key)| key).or_else(|| self.branch_of(from, handle));
        let Some((key, known)) = key.and_then(|key| Some((key, self.publications.get_mut(key)?))) else { return };
        let owner = known.owner;
        self.stats.relayed_in = self.stats.relayed_in.saturating_add(1);
        if known.comes_early(encoding, packet) {
            return;
        }
        let newest = known.stream(encoding).and_then(|stream| stream.newest);
        let hole = newest.is_some_and(|newest| packet.info.seq > newest.forward(1)) && !packet.info.keyframe;
        if !known.info.video {
            known.note_loudness(packet, now);
        }
        if known.next == Some((from, handle)) {
            // From here on what comes over its publisher's transport here is dropped.
            (known.from, known.next) = (known.next, None);
            known.rungs_told = known.rungs_next.take();
            known.relays.clear();
        }
        let arrived = known.from == Some((from, handle)) && (known.before.is_some() || known.branch.leaving.is_some());
        let (arrival, heard, blocked) = (known.take_relayed(encoding, packet, now), known.heard, known.info.blocked);
        if let Arrival::Fresh { torn, .. } = arrival {
            self.pass_down(key, packet);
            if !blocked && (heard || self.becomes_heard(now, key)) {
                self.fan_out(now, key, packet);
            }
            if torn {
                self.request_due_keyframe(now, owner, key);
            }
        }
        self.on_supplied(now, (from, handle), key, (encoding, hole));
        if arrived {
            self.leave_home_before(key);
        }
    }

    /// The link to these shards is too narrow, and so many of the largest encodings of each publication aren't passed on to them from now on; they
    /// are told that those aren't to be had, so that viewers get smaller ones whole. 0: it is wide enough.
    pub fn handle_narrow(&mut self, shards: &[ShardId], withheld: u8) {
        for shard in shards {
            match withheld {
                0 => drop(self.narrow.remove(shard)),
                _ => drop(self.narrow.insert(*shard, withheld)),
            }
        }
        self.publications.values_mut().for_each(|known| known.rungs_sent = None);
    }

    /// Tells the homes of others' publications what is taken of them here, and repeats requests for key frames that are due.
    pub(super) fn tell_demands(&mut self, now: Instant) {
        // Of those that are missing nothing is there, and so nothing is asked.
        let theirs: Vec<_> = self.relayed.values().copied().collect();
        for publication in theirs {
            self.tell_demand(publication);
            self.relay_due_keyframes(now, publication);
            self.tend_branch(now, publication);
        }
    }

    /// What is taken of somebody else's publication here.
    fn demand_here(&self, known: &Publication) -> PartDemand {
        let wants = |encoding: u8| {
            known.subscribers.iter().any(|subscriber| {
                let peer = self.participants.get(subscriber.participant).and_then(|participant| participant.peer.as_ref());
                let slot = peer.filter(|peer| peer.srtp.is_some()).and_then(|peer| peer.slots.get(subscriber.slot));
                let waited_for = |slot: &crate::slot::Slot| slot.wants.iter().flatten().any(|layer| layer.encoding == encoding);
                slot.is_some_and(|slot| slot.forwarder.wants(encoding) || waited_for(slot))
            })
        };
        let encodings =
            (0..known.encodings().len() as u8).filter(|encoding| wants(*encoding)).fold(0, |mask, encoding| mask | bit(encoding));
        let mut demand = PartDemand { encodings, wanted: wanted(known, &self.participants), ..PartDemand::default() };
        if !known.subscribers.is_empty()
            && let Some(smallest) = demand.wanted.get_mut(usize::from(known.smallest_encoding()))
        {
            *smallest = (*smallest).max(1);
        }
        demand
    }

    /// Tells the home of a publication what is taken of it here and by those that get it from here, when that changed; and who passes it on.
    pub(in crate::shard) fn tell_demand(&mut self, publication: PublicationKey) {
        let Some(known) = self.publications.get(publication) else { return };
        let Some((home, handle)) = known.next.or(known.from) else { return };
        let here = self.demand_here(known);
        let mut demand = here;
        if known.from.is_some() {
            known.relays.iter().for_each(|(_, theirs)| demand.add(theirs));
        }
        let before = known.demand_told;
        if demand.is_none() && !before.is_none() {
            self.end_branch(publication);
        }
        let Some(known) = self.publications.get_mut(publication) else { return };
        let encodings = demand.encodings;
        for encoding in (0..known.encodings().len() as u8).filter(|encoding| encodings & bit(*encoding) == 0) {
            known.keyframes.forget(encoding);
        }
        for encoding in (0..known.encodings().len() as u8).filter(|encoding| encodings & !before.encodings & bit(*encoding) != 0) {
            known.expect_anew(encoding);
        }
        let mut told = Vec::new();
        for parent in known.branch.parents_mut().filter(|parent| parent.told != demand) {
            parent.told = demand;
            told.push((parent.part, parent.handle, demand));
        }
        let to_home = PartDemand { via: known.branch.is_supplied(), idle: here.is_none() && !demand.is_none(), ..demand };
        if std::mem::replace(&mut known.demand_told, to_home) != to_home {
            told.push((home, handle, to_home));
        }
        for (part, publication, demand) in told {
            self.tell_part(part, Relayed::Demand { publication, demand });
        }
    }

    /// Somebody here is the first to take a publication, whose home, if that is elsewhere, needn't wait for the next look at everybody's to hear of it.
    pub(in crate::shard) fn tell_first_demand(&mut self, publication: PublicationKey) {
        if self.publications.get(publication).is_some_and(|known| known.demand_told.encodings == 0) {
            self.tell_demand(publication);
        }
    }

    /// Another part takes these encodings of a publication of ours, or of one that it gets from here.
    pub(super) fn on_demand(&mut self, now: Instant, from: ShardId, handle: Handle, demand: PartDemand) {
        let encodings = demand.encodings;
        let key = Self::publication_of_handle(handle);
        let passes_on = |known: &Publication| known.from.is_some() && known.branch.is_child(from);
        let Some(known) = self.publications.get_mut(key).filter(|known| known.from.is_none() || passes_on(known)) else { return };
        let ours = known.from.is_none();
        let before = known.relays.iter().find(|(part, _)| *part == from).map(|(_, before)| *before).unwrap_or_default();
        known.relays.retain(|(part, _)| *part != from);
        if demand.is_none() {
            known.outline.forget(from);
            known.branch.children.retain(|child| child.part != from);
        } else {
            known.relays.push((from, demand));
        }
        if before.via != demand.via && self.narrow.contains_key(&from) {
            known.rungs_sent = None;
        }
        let fresh: Vec<u8> =
            (0..known.encodings().len() as u8).filter(|encoding| encodings & !before.encodings & bit(*encoding) != 0).collect();
        let video = known.info.video;
        // What others have from here who are to get it there goes on there without a beginning.
        let passing_on = ours && self.neighbour(from).is_some_and(|(shards, _)| self.has_children(key, shards));
        let others = self.publications.get(key).map_or(0, |known| {
            known.relays.iter().filter(|(part, demand)| *part != from && !demand.via).fold(0, |taken, (_, demand)| taken | demand.encodings)
        });
        for encoding in fresh {
            let clock = self.publications.get(key).and_then(|known| known.stream(encoding)).and_then(|stream| stream.capture_clock);
            if let Some(clock) = clock {
                self.tell_part(from, Relayed::Clock { publication: handle, encoding, clock });
            }
            if video && ours && !(passing_on && others & bit(encoding) != 0) {
                // Who takes another encoding already sees a picture there.
                let need = if before.encodings == 0 { Need::Picture } else { Need::Larger };
                self.on_relayed_keyframe_request(now, handle, encoding, need, 0);
            }
        }
        if !ours {
            self.tell_demand(key);
        }
    }

    fn has_children(&self, key: PublicationKey, parts: &[ShardId]) -> bool {
        self.publications.get(key).is_some_and(|known| known.outline.has_children(parts))
    }

    pub(super) fn on_relayed_keyframe_request(&mut self, now: Instant, handle: Handle, encoding: u8, need: Need, newcomers: u32) {
        let key = Self::publication_of_handle(handle);
        let Some(known) = self.publications.get_mut(key).filter(|known| known.info.video) else { return };
        known.keyframes.welcome(newcomers);
        known.keyframes.want(encoding, need, now);
        let owner = known.owner;
        self.request_due_keyframe(now, owner, key);
    }

    /// Passes requests for key frames on to where a publication comes from; false when the publication is ours.
    pub(in crate::shard) fn relay_due_keyframes(&mut self, now: Instant, publication: PublicationKey) -> bool {
        let Some(known) = self.publications.get_mut(publication) else { return true };
        let Some(home) = known.from else { return false };
        let parent = known.branch.parent.as_ref().filter(|_| known.branch.is_supplied());
        let (home, handle) = parent.map_or(home, |parent| (parent.part, parent.handle));
        // Asking takes note that it was asked.
        let (pictures, newcomers) = (known.keyframes.pictures_wanted(), known.keyframes.newcomers());
        let due = known.take_due_keyframes(now);
        if due & !known.demand_told.encodings != 0 {
            // Who publishes may answer at once, and what isn't known to be taken here doesn't come.
            self.tell_demand(publication);
        }
        for (encoding, bit) in (0..).zip([1_u8, 2, 4, 8]).filter(|(_, bit)| due & bit != 0) {
            let need = if pictures & bit != 0 { Need::Picture } else { Need::Larger };
            let newcomers = if need == Need::Picture { newcomers } else { 0 };
            self.tell_part(home, Relayed::Keyframe { publication: handle, encoding, need, newcomers });
        }
        true
    }

    /// A sender report came: the other parts need its clock for lip-sync.
    pub(in crate::shard) fn relay_clock(&mut self, publication: PublicationKey, encoding: u8) {
        let Some(known) = self.publications.get(publication) else { return };
        let Some(clock) = known.stream(encoding).and_then(|stream| stream.capture_clock) else { return };
        for part in known.relays.iter().filter(|(_, demand)| !demand.via).map(|(part, _)| *part).collect::<Vec<_>>() {
            self.tell_part(part, Relayed::Clock { publication: Self::handle_of(publication), encoding, clock });
        }
    }

    /// Tells the other parts what our publications can be had in: at once what came, went or changed its shape, else about once a second.
    pub(super) fn tell_rungs(&mut self, now: Instant) {
        let shared: Vec<_> =
            self.publications.iter().filter(|(_, known)| known.info.video && known.from.is_none()).map(|(key, _)| key).collect();
        for key in shared {
            let Some(known) = self.publications.get(key) else { continue };
            if self.rooms.get(known.room).is_none_or(|room| room.parts.is_empty()) {
                continue;
            }
            let (room, rungs) = (known.room, known.rungs(now));
            let known_there = known.rungs_sent.as_ref().is_some_and(|(sent, at)| {
                rungs.same_shape(sent) && (now.saturating_duration_since(*at) < RUNGS_REPEATED || rungs[..] == sent[..])
            });
            if known_there {
                continue;
            }
            if let Some(known) = self.publications.get_mut(key) {
                known.rungs_sent = Some((Box::new(rungs), now));
            }
            for part in self.rooms.get(room).map(|room| room.parts.clone()).unwrap_or_default() {
                let via = |known: &Publication| known.relays.iter().any(|(other, demand)| *other == part && demand.via);
                let kept = self
                    .narrow
                    .get(&part)
                    .filter(|_| !self.publications.get(key).is_some_and(via))
                    .map(|withheld| self.publications.get(key).map_or(u8::MAX, |known| known.without_largest(*withheld)));
                let rungs = Box::new(kept.map_or(rungs, |kept| rungs.without(|rung| kept & bit(rung.encoding) == 0)));
                self.tell_part(part, Relayed::Rungs { publication: Self::handle_of(key), rungs, passable: kept });
            }
        }
    }

    /// Tells the other parts who of ours speaks.
    pub(in crate::shard) fn relay_speakers(&mut self, room: RoomKey, speakers: &[(ParticipantKey, u8)]) {
        if self.rooms.get(room).is_none_or(|room| room.parts.is_empty()) {
            return;
        }
        for (key, level) in speakers {
            let Some(participant) = self.participants.get(*key).filter(|participant| participant.home.is_none()) else { continue };
            let loudest =
                participant.publications.iter().copied().filter(|key| self.publications.get(*key).is_some_and(|known| !known.info.video));
            let loudest = loudest.max_by_key(|key| self.publications.get(*key).map(|known| known.loudness.level()));
            if let Some(publication) = loudest {
                let level = *level;
                self.tell_parts(room, || Relayed::Loudness { publication: Self::handle_of(publication), level });
            }
        }
    }

    /// A data message of somebody here, for those of the other parts whom it is for.
    pub(in crate::shard) fn relay_data(&mut self, room: RoomKey, to: Option<&ParticipantId>, channel: Channel, message: &[u8]) {
        let Some(known) = self.rooms.get(room).filter(|room| !room.parts.is_empty()) else { return };
        let name = known.name.clone();
        let message: Arc<[u8]> = message.into();
        self.tell_parts(room, || Relayed::Data {
            room: name.clone(),
            to: to.cloned(),
            channel,
            message: Arc::clone(&message),
            keeps: true,
        });
    }

    pub(super) fn on_relayed_data(
        &mut self,
        now: Instant,
        (from, keeps): (ShardId, bool),
        room: &str,
        to: Option<&ParticipantId>,
        channel: Channel,
        message: &[u8],
    ) {
        if let Some(room) = self.rooms_by_name.get(room).copied() {
            self.deliver_data(now, room, Origin::Part(from, keeps), to, channel, message);
        }
    }
}

const fn bit(encoding: u8) -> u8 {
    1_u8.wrapping_shl(encoding as u32)
}
