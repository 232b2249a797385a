//! Telling publishers which of their encodings somebody gets or waits for.
//!
//! Somebody wants an encoding who is given it, or would be if it were sent or if there were a little more bandwidth
//! (`allocation::Decision::pursued`). The smallest one stays wanted while anybody subscribes at all, hidden or not: the picture is there
//! at once when it is looked at again. With nobody subscribed nothing is wanted.

use super::{Event, Shard};
use crate::keys::ParticipantKey;
use crate::layer::{MAX_ENCODINGS, MAX_SPATIAL};
use crate::participant::Participant;
use crate::publication::Publication;
use nearcast_protocol::{EncodingDemand, ServerMessage};
use slotmap::SlotMap;
use std::time::Instant;

impl Shard {
    pub(super) fn tell_publishers(&mut self, now: Instant) {
        let Self { publications, participants, events, stats, .. } = self;
        for known in publications.values_mut() {
            if !known.info.video || !known.has_choices() || known.from.is_some() {
                continue;
            }
            let mut wanted = wanted(known, participants);
            for (_, part) in &known.relays {
                wanted.iter_mut().zip(part.wanted).for_each(|(wanted, there)| *wanted = there.max(*wanted));
            }
            if !(known.subscribers.is_empty() && known.relays.is_empty())
                && let Some(smallest) = wanted.get_mut(usize::from(known.smallest_encoding()))
            {
                *smallest = (*smallest).max(1);
            }
            for (encoding, wanted) in (0_u8..).zip(&mut wanted) {
                if *wanted > 0 && *wanted >= known.spatial_layers(encoding) {
                    *wanted = MAX_SPATIAL;
                }
            }
            for (encoding, _) in (0_u8..).zip(&wanted).filter(|(_, wanted)| **wanted == 0) {
                known.keyframes.forget(encoding);
            }
            let before = known.dynacast;
            if !known.dynacast.update(wanted, now) {
                continue;
            }
            for encoding in (0..MAX_ENCODINGS).filter(|encoding| before.told(*encoding) == 0 && known.dynacast.told(*encoding) > 0) {
                known.keyframes.on_turned_on(u8::try_from(encoding).unwrap_or(u8::MAX), now);
            }
            let Some(connection) = participants.get(known.owner).and_then(|owner| owner.connection) else { continue };
            stats.encodings_told = stats.encodings_told.saturating_add(1);
            events.push_back(Event::Signal { connection, message: demands(known) });
        }
    }

    /// A publisher that comes back may not have heard the last.
    pub(super) fn tell_publisher_anew(&mut self, key: ParticipantKey) {
        let Some(participant) = self.participants.get(key) else { return };
        let Some(connection) = participant.connection else { return };
        for known in participant.publications.iter().filter_map(|publication| self.publications.get(*publication)) {
            if known.dynacast.limits() && known.has_choices() {
                self.events.push_back(Event::Signal { connection, message: demands(known) });
            }
        }
    }
}

/// Spatial layers of each encoding that somebody in this part of the room wants.
pub(super) fn wanted(known: &Publication, participants: &SlotMap<ParticipantKey, Participant>) -> [u8; MAX_ENCODINGS] {
    let subscribers = known.subscribers.iter();
    let slots = subscribers.filter_map(|it| participants.get(it.participant)?.peer.as_ref()?.slots.get(it.slot));
    let mut wanted = [0; MAX_ENCODINGS];
    for layer in slots.flat_map(|slot| slot.wants).flatten() {
        if let Some(most) = wanted.get_mut(usize::from(layer.encoding)) {
            *most = layer.target.spatial.saturating_add(1).min(MAX_SPATIAL).max(*most);
        }
    }
    wanted
}

fn demands(known: &Publication) -> ServerMessage {
    let demand = |(index, encoding): (usize, &crate::publication::Encoding)| {
        let told = known.dynacast.told(index);
        let spatial_layers = if told < MAX_SPATIAL { told } else { 0 };
        EncodingDemand { rid: encoding.rid.clone().unwrap_or_default(), active: told > 0, spatial_layers }
    };
    ServerMessage::Encodings { publication: known.id().clone(), encodings: known.encodings().iter().enumerate().map(demand).collect() }
}
