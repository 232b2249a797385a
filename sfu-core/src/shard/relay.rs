//! A room that lives on several shards: each has a part of it, and tells the other parts what happens in its own.
//!
//! A participant of another part has an entry in this shard's tables like anybody else, only without a transport and with a
//! [`home`](crate::participant::Participant::home); its publications have entries too, whose packets come by [`media`] instead of from the
//! network. So joining, subscribing, speakers and layers need to know nothing of parts.
//!
//! Where to read on: [`members`] (who is there), [`moves`] (who goes on in another part), [`handover`] (what is said to them meanwhile), [`media`] (what they send), [`trees`] and [`branches`] (over which
//! parts it goes).

mod branches;
mod handover;
mod media;
mod members;
mod moves;
pub(crate) mod trees;

pub(super) use handover::Origin;
pub(crate) use handover::{Keeping, Settling};
pub(super) use moves::names;
pub(super) use trees::Astray;

use super::{Event, Shard};
use crate::keys::{ParticipantKey, PublicationKey, RoomKey};
use crate::packet::MediaPacket;
use crate::relay::{Handle, RelayMessage, Relayed};
use crate::shard::ShardId;
use slotmap::{Key, KeyData};
use std::time::{Duration, Instant};

/// Between two looks at what the parts need of each other's publications: what a change of layers may cost in delay on top.
const INTERVAL: Duration = Duration::from_millis(100);

impl Shard {
    /// Takes a message of another shard's part of a room.
    pub fn handle_relay(&mut self, now: Instant, from: ShardId, message: RelayMessage) {
        match message.0 {
            Relayed::Part { room, terms, decisions, participants } => self.on_part(now, from, &room, (terms, &decisions), participants),
            Relayed::Gone { room } => self.on_part_gone(now, from, &room),
            Relayed::Lost => self.on_shard_lost(now, from),
            Relayed::Joined { room, participant } => self.on_relayed_join(now, from, &room, participant),
            Relayed::Left { room, participant, reason, moved } => self.on_relayed_leave(now, from, &room, &participant, (reason, moved)),
            Relayed::Published { room, participant, publication } => {
                self.on_relayed_publication(now, from, &room, &participant, publication)
            }
            Relayed::Unpublished { publication } => self.on_relayed_unpublish(now, from, publication),
            Relayed::Muted { publication, muted } => {
                if let Some((owner, key)) = self.publication_at_home(now, from, publication) {
                    self.mute(now, owner, key, muted);
                }
            }
            Relayed::Rungs { publication, rungs, passable } => {
                if let Some(known) = self.relayed_publication(from, publication).and_then(|(_, key)| self.publications.get_mut(key)) {
                    known.note_rungs((from, publication), rungs);
                    known.branch.note_home_passable(passable);
                }
            }
            Relayed::Loudness { publication, level } => {
                if let Some(known) = self.relayed_publication(from, publication).and_then(|(_, key)| self.publications.get_mut(key)) {
                    known.loudness.tell(level, now);
                }
            }
            Relayed::Clock { publication, encoding, clock } => {
                let key = self.relayed_publication(from, publication).map(|(_, key)| key).or_else(|| self.branch_of(from, publication));
                let stream = key.and_then(|key| Some((key, self.publications.get_mut(key)?.stream_mut(encoding)?)));
                if let Some((key, stream)) = stream {
                    stream.capture_clock = Some(clock);
                    self.relay_clock(key, encoding);
                }
            }
            Relayed::Media { publication, encoding, info, dependency, bytes } => {
                let (dependency, payload) = bytes.split_at_checked(dependency).unwrap_or_default();
                self.on_relayed_packet(now, from, publication, encoding, &MediaPacket { info, payload, dependency });
            }
            Relayed::Demand { publication, demand } => self.on_demand(now, from, publication, demand),
            Relayed::Keyframe { publication, encoding, need, newcomers } => {
                self.on_relayed_keyframe_request(now, publication, encoding, need, newcomers);
            }
            Relayed::Peer { room, from, to, payload } => self.on_relayed_peer(&room, from, &to, payload),
            Relayed::Moderation { room, moderation } => self.on_relayed_moderation(now, &room, &moderation),
            Relayed::Qualities { room, scores } => self.on_relayed_qualities(from, &room, scores),
            Relayed::Data { room, to, channel, message, keeps } => {
                self.on_relayed_data(now, (from, keeps), &room, to.as_ref(), channel, &message);
            }
            Relayed::Late { room, to, message } => self.on_late(now, &room, &to, &message),
            Relayed::HandedOver { room, participant } => self.on_handed_over(from, &room, &participant),
            Relayed::Via { publication, parent, depth } => self.on_via(now, from, publication, parent, depth),
            Relayed::Adopt { publication, depth } => self.on_adopt(from, publication, depth),
            Relayed::Adopted { publication, handle } => self.on_adopted(from, &publication, handle),
            Relayed::Dropped { publication } => self.on_dropped(now, from, publication),
            Relayed::Stray { publication, parent } => self.on_stray(now, from, publication, &parent),
            Relayed::Passable { publication, encodings } => self.on_passable(now, from, publication, encodings),
        }
        self.arm_tick(now);
    }

    pub(super) fn has_parts(&self, room: RoomKey) -> bool {
        self.rooms.get(room).is_some_and(|room| !room.parts.is_empty())
    }

    /// Says something to the other parts of a room.
    pub(super) fn tell_parts(&mut self, room: RoomKey, what: impl Fn() -> Relayed) {
        let Some(room) = self.rooms.get(room) else { return };
        for part in &room.parts {
            self.events.push_back(Event::Relay { to: *part, message: RelayMessage(what()) });
        }
    }

    pub(super) fn tell_part(&mut self, part: ShardId, what: Relayed) {
        self.events.push_back(Event::Relay { to: part, message: RelayMessage(what) });
    }

    /// The shard that a participant's transport is on; none: this one.
    pub(super) fn home(&self, key: ParticipantKey) -> Option<ShardId> {
        self.participants.get(key).and_then(|participant| participant.home)
    }

    /// What a publication of this shard is called by the others.
    pub(super) fn handle_of(publication: PublicationKey) -> Handle {
        Handle(publication.data().as_ffi())
    }

    /// A publication of this shard by the name the others use.
    fn publication_of_handle(handle: Handle) -> PublicationKey {
        KeyData::from_ffi(handle.0).into()
    }

    /// Somebody else's publication by the name its home uses, with its owner.
    fn relayed_publication(&self, home: ShardId, handle: Handle) -> Option<(ParticipantKey, PublicationKey)> {
        let key = *self.relayed.get(&(home, handle))?;
        Some((self.publications.get(key)?.owner, key))
    }

    /// What the parts regularly tell each other.
    pub(super) fn tick_relay(&mut self, now: Instant) {
        if now < self.next_relay || self.rooms.values().all(|room| room.parts.is_empty()) {
            return;
        }
        self.next_relay = now + INTERVAL;
        self.tell_demands(now);
        self.tell_rungs(now);
        self.plan_trees(now);
    }
}
