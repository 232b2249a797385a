//! Messages between participants over data channels: checked, stamped with their sender, handed to whom they are for.

use super::Shard;
use super::relay::Origin;
use crate::data_channel::{Channel, parse};
use crate::keys::{ParticipantKey, RoomKey};
use nearcast_protocol::wire::Cbor;
use nearcast_protocol::{DataFrame, MAX_DATA_PAYLOAD, ParticipantId};
use std::time::Instant;

/// Bytes of a topic.
const MAX_TOPIC: usize = 128;

/// What became of a frame.
enum Routed {
    /// Handed on.
    Message,
    /// Sent back.
    Beat,
}

impl Shard {
    /// Hands on everything that has arrived from one participant.
    pub(super) fn route_data(&mut self, now: Instant, key: ParticipantKey) {
        while let Some((channel, message)) = self.peer_mut(key).and_then(|peer| peer.data.poll_received(now)) {
            let count = match self.route_message(now, key, channel, &message) {
                Some(Routed::Message) => &mut self.stats.data_messages,
                Some(Routed::Beat) => &mut self.stats.heartbeats,
                None => &mut self.stats.dropped_data,
            };
            *count = count.saturating_add(1);
        }
    }

    /// None: malformed, too large, or not permitted; only its sender notices.
    fn route_message(&mut self, now: Instant, key: ParticipantKey, channel: Channel, message: &[u8]) -> Option<Routed> {
        let frame = parse(message)?;
        if let Some(beat) = frame.beat {
            return self.answer_beat(now, key, channel, beat);
        }
        let sender = self.participants.get(key)?;
        let topic_fits = frame.topic.as_ref().is_none_or(|topic| topic.len() <= MAX_TOPIC);
        if !sender.admission.permissions.publish_data || frame.payload.len() > MAX_DATA_PAYLOAD || !topic_fits {
            return None;
        }
        let room = sender.room;
        let to = frame.to.clone();
        let stamped = DataFrame { from: Some(sender.id.clone()), ..frame }.to_cbor();
        self.deliver_data(now, room, Origin::Here(key), to.as_ref(), channel, &stamped);
        self.relay_data(room, to.as_ref(), channel, &stamped);
        Some(Routed::Message)
    }

    /// Sends a heartbeat back the way it came; anybody may. None of its sender's payload comes along, so that it can't be made to cost more
    /// than it cost its sender.
    fn answer_beat(&mut self, now: Instant, key: ParticipantKey, channel: Channel, beat: u32) -> Option<Routed> {
        let peer = self.participants.get_mut(key)?.peer.as_mut()?;
        let frame = DataFrame { beat: Some(beat), ..DataFrame::default() }.to_cbor();
        let sent = peer.data.take_beat(now) && peer.data.send(now, channel, &frame);
        peer.flush(&mut self.egress);
        sent.then_some(Routed::Beat)
    }

    /// Hands a stamped message to everybody here but its sender, or to the one it is for.
    pub(super) fn deliver_data(
        &mut self,
        now: Instant,
        room: RoomKey,
        origin: Origin,
        to: Option<&ParticipantId>,
        channel: Channel,
        stamped: &[u8],
    ) {
        let receivers = self.rooms.get(room).map(|room| room.participants.clone()).unwrap_or_default();
        for receiver in receivers.into_iter().filter(|other| origin != Origin::Here(*other)) {
            let Some(participant) = self.participants.get(receiver) else { continue };
            if to.is_some_and(|to| *to != participant.id) {
                continue;
            }
            if channel == Channel::Reliable && (participant.keeping.is_some() || participant.settling.is_some()) {
                let id = participant.id.clone();
                match self.note_message(now, receiver, origin, stamped) {
                    None => continue,
                    Some(Some(part)) => self.hand_on(room, part, id, stamped),
                    Some(None) => {}
                }
            }
            let Some(participant) = self.participants.get_mut(receiver) else { continue };
            let Some(peer) = participant.peer.as_mut() else { continue };
            if !peer.data.send(now, channel, stamped) {
                self.stats.dropped_data = self.stats.dropped_data.saturating_add(1);
            }
            peer.flush(&mut self.egress);
        }
    }
}
