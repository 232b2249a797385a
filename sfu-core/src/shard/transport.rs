//! A new transport for a session that goes on: its old one is dead, or no longer trusted.
//!
//! What belongs to the transport goes with it: addresses, credentials, keys, data channels, slots, what was learnt of the path. What belongs
//! to the session stays: who it is, its wishes, and those of its publications that the offer names. Nobody else is told anything of those:
//! their packets come under other SSRCs and numbers from now on, which forwarders make one stream of, as they do when an encoder restarts.

use super::allocate::Allocating;
use super::{Event, Shard};
use crate::allocation::Memory;
use crate::keys::{ParticipantKey, PublicationKey};
use crate::peer::Peer;
use crate::sdp::{self, Offer, Section, SectionKind};
use nearcast_protocol::{ErrorInfo, MediaAnswer, MediaOffer, Mid, PublishIntent};
use std::time::Instant;

impl Shard {
    /// Puts a new transport in place of the present one, begun by `message`. The same message again is answered again: the answer was lost.
    ///
    /// # Errors
    /// `bad-sdp`. Nothing changed then.
    pub(super) fn renew_transport(&mut self, now: Instant, key: ParticipantKey, message: &MediaOffer) -> Result<MediaAnswer, ErrorInfo> {
        let offer = Self::read_offer(message)?;
        let same = |peer: &Peer| peer.fingerprint == offer.fingerprint && peer.ice.remote_ufrag() == offer.ice.ufrag;
        if self.peer(key).is_some_and(same) {
            return self.apply_offer(now, key, &offer, &message.publish);
        }
        self.replace_transport(now, key, &offer, &message.publish)
    }

    /// The same for an offer that has been read, and is known to be that of another transport.
    pub(super) fn replace_transport(
        &mut self,
        now: Instant,
        key: ParticipantKey,
        offer: &Offer,
        intents: &[PublishIntent],
    ) -> Result<MediaAnswer, ErrorInfo> {
        let moving = self.moving(key, offer, intents);
        let publications = self.participants.get(key).map(|participant| participant.publications.clone()).unwrap_or_default();
        for ended in publications.into_iter().filter(|publication| moving.iter().all(|(_, moving, _)| moving != publication)) {
            self.unpublish(now, key, ended);
        }
        self.vacate_slots(now, key);
        self.end_transport(key);
        self.ensure_peer(now, key, offer)?;
        for (section, publication, muted) in moving {
            self.move_publication(now, key, section, publication);
            let blocked = self.publications.get(publication).is_some_and(|known| known.info.blocked);
            self.mute(now, key, publication, muted || blocked);
        }
        self.stats.transports_renewed = self.stats.transports_renewed.saturating_add(1);
        self.apply_offer(now, key, offer, intents)
    }

    /// Which of the participant's publications go on in which sections, and whether muted. Each in one section at most; somebody else's
    /// in none.
    fn moving<'offer>(
        &self,
        key: ParticipantKey,
        offer: &'offer Offer,
        intents: &[PublishIntent],
    ) -> Vec<(&'offer Section, PublicationKey, bool)> {
        let mut moving: Vec<(&Section, PublicationKey, bool)> = Vec::new();
        for intent in intents {
            let Some(publication) = intent.publication.as_ref().and_then(|id| self.publications_by_id.get(id)).copied() else { continue };
            let Some(known) = self.publications.get(publication).filter(|known| known.owner == key && known.from.is_none()) else {
                continue;
            };
            let Some(section) = offer.section(&intent.mid).filter(|section| section.sends() && !section.rejected) else { continue };
            let negotiated = sdp::negotiate(section, &super::negotiate::OPTIONS);
            let fits = negotiated.is_usable() && known.fits(section.kind == SectionKind::Video, &negotiated.rids);
            if fits && moving.iter().all(|(taken, other, _)| taken.mid != section.mid && *other != publication) {
                moving.push((section, publication, intent.muted));
            }
        }
        moving
    }

    fn move_publication(&mut self, now: Instant, key: ParticipantKey, section: &Section, publication: PublicationKey) {
        let mid: &Mid = &section.mid;
        let repairable = sdp::negotiate(section, &super::negotiate::OPTIONS).codecs.iter().any(|codec| codec.feedback.nack);
        let Some(known) = self.publications.get_mut(publication) else { return };
        known.move_to(mid.clone(), repairable, now);
        let rids = known.encodings().iter().filter_map(|encoding| encoding.rid.clone()).collect();
        if let Some(peer) = self.peer_mut(key) {
            peer.ingress.set_sender(mid, publication, rids);
        }
    }

    /// Everything that was wished for waits for a slot of the new transport. No word of it: the names of the old slots are gone.
    fn vacate_slots(&mut self, now: Instant, key: ParticipantKey) {
        let Some(participant) = self.participants.get_mut(key) else { return };
        for wish in &mut participant.subscriptions {
            if wish.slot.take().is_some()
                && let Some(known) = self.publications.get_mut(wish.publication)
            {
                known.subscribers.retain(|subscriber| subscriber.participant != key);
            }
            (wish.memory, wish.told) = (Memory::default(), None);
        }
        participant.slots_asked = (0, 0);
        // Nothing is known of the new way.
        participant.allocating = Allocating::new(now);
    }

    /// Takes a participant's transport out of every table.
    pub(super) fn end_transport(&mut self, key: ParticipantKey) {
        let Some(mut peer) = self.participants.get_mut(key).and_then(|participant| participant.peer.take()) else { return };
        if peer.srtp.is_none() {
            self.stats.transports_never_up = self.stats.transports_never_up.saturating_add(1);
        }
        peer.dtls.say_goodbye();
        peer.flush(&mut self.egress);
        for from in &peer.tuples {
            self.tuples.remove(from);
            self.events.push_back(Event::TupleUnbound { from: *from });
        }
        self.with_transport.remove(&key);
        self.ufrags.remove(&peer.ice.local().ufrag);
        if let Some(previous) = peer.ice.previous_ufrag() {
            self.ufrags.remove(previous);
        }
        self.paced.forget(key);
        self.probing.retain(|probed| *probed != key);
    }
}
