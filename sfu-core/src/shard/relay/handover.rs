//! Reliable messages to somebody who goes on in another part of the room, as they were told to.
//!
//! A client that goes on hears nothing more over its old transport, and has no new one until it has joined there. What is sent to it in between the old part
//! keeps, from when it told the client to go, and hands over when the new part says that the client is there: [`Relayed::Late`] for each message, ahead of
//! what the new part has for it already, then [`Relayed::HandedOver`]. Of what people in the old part say the new one takes nothing until then.
//!
//! A third part says everything to both, and what it says may be ahead at either: for [`OVERLAPS`] the old part hands on what comes, and the new one leaves out
//! what it has sent already, by a hash of the message.
//!
//! Bounds: [`KEPT_BYTES`] for [`KEPT`], [`NOTED`] hashes for [`SETTLES`]. Not exact: what the client heard after it was told to go and before it went (a
//! WebSocket may be slower than a datagram) it hears twice.

use super::Shard;
use crate::data_channel::Channel;
use crate::keys::{ParticipantKey, RoomKey};
use crate::relay::Relayed;
use crate::shard::ShardId;
use nearcast_protocol::ParticipantId;
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long messages are kept for somebody who was told to go: until the edge ends what is left there.
const KEPT: Duration = Duration::from_secs(5);

/// Bytes that are kept for one participant: as much as waits for channels that are opening.
const KEPT_BYTES: usize = 128 * 1024;

/// How much later than over one part a message of a third may come over the other. Guess: a queue in front of a link, and a repeat.
const OVERLAPS: Duration = Duration::from_millis(500);

/// How long the new part remembers what it has sent: longer than [`OVERLAPS`] and a round trip between the two.
const SETTLES: Duration = Duration::from_secs(3);

/// Messages that it remembers.
const NOTED: usize = 1_024;

/// Where a message comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::shard) enum Origin {
    /// Somebody of this part, to whom it isn't sent back.
    Here(ParticipantKey),
    /// Another part, which hands over what it has kept, or knows nothing of that.
    Part(ShardId, bool),
}

/// Messages for somebody of this part who was told to go on elsewhere.
#[derive(Debug)]
pub(crate) struct Keeping {
    since: Instant,
    messages: Vec<Arc<[u8]>>,
    bytes: usize,
    /// Where it has gone, and until when messages are handed on as they come.
    gone: Option<(ShardId, Instant)>,
}

impl Keeping {
    pub(crate) fn new(now: Instant) -> Self {
        Self { since: now, messages: Vec::new(), bytes: 0, gone: None }
    }

    /// Takes note of a message. Some: it is to be handed on to that part.
    fn note(&mut self, now: Instant, origin: Origin, message: &[u8]) -> Option<ShardId> {
        if let Some((to, until)) = self.gone {
            let Origin::Part(part, _) = origin else { return None };
            return (now < until && part != to).then_some(to);
        }
        let bytes = self.bytes.saturating_add(message.len());
        if now.saturating_duration_since(self.since) < KEPT && bytes <= KEPT_BYTES {
            self.bytes = bytes;
            self.messages.push(message.into());
        }
        None
    }
}

/// Messages to somebody who has just come to this part from another.
#[derive(Debug)]
pub(crate) struct Settling {
    /// Where from; none: it has handed over, or isn't known.
    from: Option<ShardId>,
    until: Instant,
    sent: VecDeque<u64>,
    /// So many that were handed over are ahead of what waits for the channels.
    ahead: usize,
}

impl Settling {
    pub(crate) fn new(now: Instant, from: Option<ShardId>) -> Self {
        Self { from, until: now + SETTLES, sent: VecDeque::new(), ahead: 0 }
    }

    /// Takes note of a message that is sent now. False: it isn't to be, since the part that it comes from hands it over.
    fn note(&mut self, origin: Origin, message: &[u8]) -> bool {
        if let Origin::Part(part, true) = origin
            && self.from == Some(part)
        {
            return false;
        }
        if self.sent.len() >= NOTED {
            self.sent.pop_front();
        }
        self.sent.push_back(digest(message));
        true
    }

    /// Whether a message that is handed over was sent here already; each that was sent stands for one.
    fn had(&mut self, message: &[u8]) -> bool {
        let (digest, before) = (digest(message), self.sent.len());
        if let Some(place) = self.sent.iter().position(|sent| *sent == digest) {
            self.sent.remove(place);
        }
        self.sent.len() < before
    }
}

/// Who finds another message with the hash of one can keep that from somebody who moves, no more.
fn digest(message: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    message.hash(&mut hasher);
    hasher.finish()
}

impl Shard {
    /// A reliable message is about to be sent to somebody of this part. None: it isn't to be. Else the part that it is to be handed on to, if any.
    pub(in crate::shard) fn note_message(
        &mut self,
        now: Instant,
        to: ParticipantKey,
        origin: Origin,
        message: &[u8],
    ) -> Option<Option<ShardId>> {
        let participant = self.participants.get_mut(to)?;
        let _ = participant.settling.take_if(|settling| now >= settling.until);
        if participant.settling.as_mut().is_some_and(|settling| !settling.note(origin, message)) {
            return None;
        }
        Some(participant.keeping.as_mut().and_then(|keeping| keeping.note(now, origin, message)))
    }

    /// A participant of this part is in that one: what was kept for it goes there.
    pub(super) fn hand_over(&mut self, now: Instant, to: ShardId, key: ParticipantKey) {
        let Some(participant) = self.participants.get_mut(key) else { return };
        let id = participant.id.clone();
        let kept = participant.keeping.as_mut().map(|keeping| {
            keeping.gone = Some((to, now + OVERLAPS));
            std::mem::take(&mut keeping.messages)
        });
        let Some(room) = self.rooms.get(participant.room).map(|room| room.name.clone()) else { return };
        for message in kept.unwrap_or_default() {
            self.tell_part(to, Relayed::Late { room: room.clone(), to: id.clone(), message });
        }
        self.tell_handed_over(to, key);
    }

    /// Nothing more is handed over to the part that a participant of this one is in now.
    pub(super) fn tell_handed_over(&mut self, to: ShardId, key: ParticipantKey) {
        let Some(participant) = self.participants.get(key) else { return };
        let Some(room) = self.rooms.get(participant.room).map(|room| room.name.clone()) else { return };
        let participant = participant.id.clone();
        self.tell_part(to, Relayed::HandedOver { room, participant });
    }

    /// Hands a message on to the part that somebody is in now.
    pub(in crate::shard) fn hand_on(&mut self, room: RoomKey, part: ShardId, to: ParticipantId, message: &[u8]) {
        let Some(room) = self.rooms.get(room).map(|room| room.name.clone()) else { return };
        self.tell_part(part, Relayed::Late { room, to, message: message.into() });
    }

    pub(super) fn on_late(&mut self, now: Instant, room: &str, to: &ParticipantId, message: &[u8]) {
        let key = self.rooms_by_name.get(room).copied().and_then(|room| self.stay_in(room, to));
        let Some(participant) = key.and_then(|key| self.participants.get_mut(key)) else { return };
        let Some(peer) = participant.peer.as_mut() else { return };
        let mut ahead = usize::MAX;
        if let Some(settling) = &mut participant.settling {
            if settling.had(message) {
                return;
            }
            ahead = settling.ahead;
            settling.ahead = ahead.saturating_add(1);
        }
        if !peer.data.send_ahead(now, ahead, Channel::Reliable, message) {
            self.stats.dropped_data = self.stats.dropped_data.saturating_add(1);
        }
        peer.flush(&mut self.egress);
    }

    pub(super) fn on_handed_over(&mut self, from: ShardId, room: &str, id: &ParticipantId) {
        let key = self.rooms_by_name.get(room).copied().and_then(|room| self.stay_in(room, id));
        if let Some(settling) = key.and_then(|key| self.participants.get_mut(key)).and_then(|known| known.settling.as_mut()) {
            let _ = settling.from.take_if(|before| *before == from);
        }
    }
}
