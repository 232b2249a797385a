//! Applying an offer: sections that send become publications, sections that receive become slots, the answer mirrors both.
//!
//! Nothing changes when the offer can't be read. A section that may not publish is answered `inactive`, not rejected: a rejected
//! section would end the browser's transceiver for good.

use super::Shard;
use crate::dtls::{Clientele, DtlsRole, DtlsTransport};
use crate::egress::guard::Guard;
use crate::forwarder::{Forwarder, SlotFormat};
use crate::ice::IceLite;
use crate::keys::{ParticipantKey, PublicationKey};
use crate::peer::{AnswerVersion, IncomingStream, Ingress, Peer};
use crate::sdp::{self, Answer, AnswerOptions, AnswerSection, EgressStream, NegotiatedSection, Offer, Section, SectionKind, Setup};
use crate::slot::Slot;
use nearcast_protocol::{ErrorCode, ErrorInfo, MediaAnswer, MediaOffer, PublishIntent, Published};
use std::time::Instant;

/// What this version of the edge can do with a section.
pub(super) const OPTIONS: AnswerOptions = AnswerOptions { simulcast: true };

impl Shard {
    /// Parses an offer; the error names what to change.
    pub(super) fn read_offer(offer: &MediaOffer) -> Result<Offer, ErrorInfo> {
        Offer::parse(&offer.sdp).map_err(|error| ErrorInfo::new(ErrorCode::BadSdp, error.to_string()))
    }

    /// Applies a parsed offer and writes the answer.
    ///
    /// # Errors
    /// `bad-sdp` when it presents another certificate than the transport was begun with. Nothing changed then.
    pub(super) fn apply_offer(
        &mut self,
        now: Instant,
        key: ParticipantKey,
        offer: &Offer,
        intents: &[PublishIntent],
    ) -> Result<MediaAnswer, ErrorInfo> {
        self.ensure_peer(now, key, offer)?;
        self.end_publications_without_section(now, key, offer);
        self.retire_slots_without_section(key, offer);

        let mut sections = Vec::with_capacity(offer.sections.len());
        let mut published = Vec::new();
        for section in &offer.sections {
            sections.push(self.apply_section(key, section, intents, &mut published));
        }
        for intent in intents {
            if !published.iter().any(|published: &Published| published.mid == intent.mid) {
                let why = format!("the offer has no sending section with mid {}", intent.mid);
                let error = ErrorInfo::new(ErrorCode::BadSdp, why);
                published.push(Published { mid: intent.mid.clone(), publication: None, error: Some(error) });
            }
        }

        let fingerprint = self.config.certificate.fingerprint();
        let missing = || ErrorInfo::new(ErrorCode::Internal, "the transport vanished while it was negotiated");
        let peer = self.participants.get_mut(key).and_then(|participant| participant.peer.as_mut()).ok_or_else(missing)?;
        peer.answer.version = peer.answer.version.wrapping_add(1);
        let answer = Answer {
            offer,
            ice: peer.ice.local(),
            fingerprint,
            candidates: self.config.candidates(),
            session_id: peer.answer.session,
            session_version: peer.answer.version,
            max_message_size: crate::data_channel::MAX_MESSAGE as u32,
            sections: &sections,
        };
        Ok(MediaAnswer { sdp: answer.write(), published })
    }

    /// The participant's transport: made by its first offer, restarted (ICE only) when the credentials changed.
    pub(super) fn ensure_peer(&mut self, now: Instant, key: ParticipantKey, offer: &Offer) -> Result<(), ErrorInfo> {
        let existing = self.participants.get(key).and_then(|participant| participant.peer.as_ref());
        match existing {
            Some(peer) if peer.fingerprint != offer.fingerprint => {
                let why = "the offer has another certificate than the one before; keep the PeerConnection, or send it as `transport`";
                return Err(ErrorInfo::new(ErrorCode::BadSdp, why));
            }
            Some(_) => {
                self.restart_transport(key, &offer.ice.ufrag);
                return Ok(());
            }
            None => {}
        }
        let local = self.random_credentials();
        self.ufrags.insert(local.ufrag.clone(), key);
        let answer = AnswerVersion { session: self.random_u64() >> 1, version: 0 };
        let rtcp_ssrc = self.random_u32();
        let Some(participant) = self.participants.get_mut(key) else { return Ok(()) };
        let ice = IceLite::new(local, offer.ice.ufrag.clone());
        let clientele = if participant.by_http { Clientele::Foreign } else { Clientele::Ours };
        let role = if offer.setup == Setup::Passive { DtlsRole::Client } else { DtlsRole::Server };
        let dtls = DtlsTransport::new(&self.config.certificate, offer.fingerprint, clientele, role, now);
        self.with_transport.insert(key);
        self.stats.transports_begun = self.stats.transports_begun.saturating_add(1);
        participant.peer = Some(Peer::new(ice, dtls, offer.fingerprint, answer, rtcp_ssrc, now));
        Ok(())
    }

    /// A publication whose section stopped sending has ended, whether or not `unpublish` said so.
    fn end_publications_without_section(&mut self, now: Instant, key: ParticipantKey, offer: &Offer) {
        let Some(participant) = self.participants.get(key) else { return };
        let sends = |mid| offer.section(mid).is_some_and(|section| section.sends() && !section.rejected);
        let ended: Vec<_> = participant
            .publications
            .iter()
            .copied()
            .filter(|publication| self.publications.get(*publication).is_some_and(|publication| !sends(&publication.mid)))
            .collect();
        for publication in ended {
            self.unpublish(now, key, publication);
        }
    }

    /// A stopped transceiver never comes back: its section is rejected, and may be recycled for something else under another mid.
    fn retire_slots_without_section(&mut self, key: ParticipantKey, offer: &Offer) {
        let Some(peer) = self.peer(key) else { return };
        let lives = |mid| offer.section(mid).is_some_and(|section| !section.rejected);
        let stopped: Vec<_> =
            peer.slots.iter().enumerate().filter(|(_, slot)| !slot.retired && !lives(&slot.mid)).map(|(index, _)| index).collect();
        for index in stopped {
            self.rest_slot(key, index);
            if let Some(slot) = self.peer_mut(key).and_then(|peer| peer.slots.get_mut(index)) {
                slot.retired = true;
            }
        }
    }

    fn apply_section(
        &mut self,
        key: ParticipantKey,
        section: &Section,
        intents: &[PublishIntent],
        published: &mut Vec<Published>,
    ) -> AnswerSection {
        if section.rejected {
            return AnswerSection::REJECTED;
        }
        match section.kind {
            SectionKind::Data => AnswerSection::data(),
            SectionKind::Other => AnswerSection::REJECTED,
            SectionKind::Audio | SectionKind::Video => {
                let negotiated = sdp::negotiate(section, &OPTIONS);
                let receive = section.sends() && self.apply_sending(key, section, &negotiated, intents, published);
                let send = self.apply_receiving(key, section, &negotiated);
                AnswerSection { accept: true, negotiated, send, receive }
            }
        }
    }

    /// A section that the participant sends: true when it carries a publication.
    fn apply_sending(
        &mut self,
        key: ParticipantKey,
        section: &Section,
        negotiated: &NegotiatedSection,
        intents: &[PublishIntent],
        published: &mut Vec<Published>,
    ) -> bool {
        let known = self.peer(key).and_then(|peer| peer.ingress.publication_of(&section.mid));
        let publication = match (known, intents.iter().find(|intent| intent.mid == section.mid)) {
            (Some(publication), None) => publication,
            // Asked for again: the answer that said so was lost with its WebSocket.
            (Some(publication), Some(_)) => {
                let id = self.publications.get(publication).map(|publication| publication.id().clone());
                published.push(Published { mid: section.mid.clone(), publication: id, error: None });
                publication
            }
            (None, None) => return false,
            (None, Some(intent)) => {
                let outcome = self.publish(key, section, negotiated, intent);
                let id = outcome.as_ref().ok().and_then(|publication| Some(self.publications.get(*publication)?.id().clone()));
                published.push(Published { mid: section.mid.clone(), publication: id, error: outcome.as_ref().err().cloned() });
                match outcome {
                    Ok(publication) => publication,
                    Err(_) => return false,
                }
            }
        };
        let Some(known) = self.publications.get_mut(publication) else { return false };
        known.add_encodings(&negotiated.rids);
        let rids: Vec<_> = known.encodings().iter().filter_map(|encoding| encoding.rid.clone()).collect();
        if let Some(peer) = self.peer_mut(key) {
            peer.ingress.learn(publication, negotiated);
            announce_sources(&mut peer.ingress, publication, section, &negotiated.rids, &rids);
            peer.ingress.set_sender(&section.mid, publication, rids);
        }
        true
    }

    /// A section that the participant receives becomes a slot; one that no longer does is put to rest.
    fn apply_receiving(&mut self, key: ParticipantKey, section: &Section, negotiated: &NegotiatedSection) -> Option<EgressStream> {
        let video = section.kind == SectionKind::Video;
        let willing = section.receives() && negotiated.is_usable() && self.participants.get(key)?.admission.permissions.subscribe;
        let slots = &self.peer(key)?.slots;
        let existing = slots.iter().position(|slot| !slot.retired && slot.mid == section.mid);
        let living = slots.iter().filter(|slot| !slot.retired).count();
        match existing {
            None if !willing || living >= self.config.limits.slots_per_participant => return None,
            None => self.add_slot(key, section, negotiated, video),
            Some(index) => {
                if !willing {
                    self.rest_slot(key, index);
                    return None;
                }
                let rtx = self.fresh_ssrc(key, None);
                let slot = self.peer_mut(key)?.slots.get_mut(index)?;
                slot.active = true;
                let format = SlotFormat::new(section.mid.clone(), negotiated.clone()).with_transport_cc();
                if slot.format != format {
                    slot.format = format;
                    slot.forwarder.forget_sent();
                }
                let repairs = negotiated.codecs.iter().any(|codec| codec.rtx_payload_type.is_some());
                slot.forwarder.set_rtx_ssrc(repairs.then(|| slot.forwarder.rtx_ssrc().unwrap_or(rtx)));
            }
        }
        let slot = self.peer(key)?.slots.iter().find(|slot| !slot.retired && slot.mid == section.mid)?;
        let stream_id = slot.stream_name();
        Some(EgressStream {
            ssrc: slot.forwarder.ssrc(),
            rtx_ssrc: slot.forwarder.rtx_ssrc(),
            track_id: format!("{}-{}", if video { "video" } else { "audio" }, slot.pair),
            cname: stream_id.clone(),
            stream_id,
        })
    }

    fn add_slot(&mut self, key: ParticipantKey, section: &Section, negotiated: &NegotiatedSection, video: bool) {
        let ssrc = self.fresh_ssrc(key, None);
        let (rtx, first) = (self.fresh_ssrc(key, Some(ssrc)), self.random_u32() as u16);
        let repairs = negotiated.codecs.iter().any(|codec| codec.rtx_payload_type.is_some());
        let Some(peer) = self.peer_mut(key) else { return };
        let taken = |pair: &usize| peer.slots.iter().any(|slot| !slot.retired && slot.video == video && slot.pair == *pair);
        let pair = (0..=peer.slots.len()).find(|pair| !taken(pair)).unwrap_or(peer.slots.len());
        let slot = Slot {
            mid: section.mid.clone(),
            video,
            pair,
            active: true,
            retired: false,
            format: SlotFormat::new(section.mid.clone(), negotiated.clone()).with_transport_cc(),
            forwarder: Forwarder::new(ssrc, repairs.then_some(rtx), video, first),
            guard: Guard::default(),
            bound: None,
            chosen: None,
            wants: [None; 2],
            last_report_sent: None,
            reported: None,
        };
        // A retired place is taken again, so that recycling sections for ever costs nothing; positions of the others must not change.
        match peer.slots.iter_mut().find(|slot| slot.retired) {
            Some(place) => *place = slot,
            None => {
                // A browser asks for as many as it wants and seldom for more: no room for doubling.
                peer.slots.reserve_exact(1);
                peer.slots.push(slot);
            }
        }
    }

    /// An SSRC that none of this transport's outgoing streams has: two streams under one would share SRTP numbers.
    fn fresh_ssrc(&mut self, key: ParticipantKey, but: Option<u32>) -> u32 {
        loop {
            let ssrc = self.random_u32();
            let taken = self.peer_mut(key).is_some_and(|peer| peer.rtcp_ssrc == ssrc || peer.slot_of_ssrc(ssrc).is_some());
            if !taken && but != Some(ssrc) && ssrc != 0 {
                return ssrc;
            }
        }
    }

    pub(super) fn peer(&self, key: ParticipantKey) -> Option<&Peer> {
        self.participants.get(key)?.peer.as_ref()
    }

    pub(super) fn peer_mut(&mut self, key: ParticipantKey) -> Option<&mut Peer> {
        self.participants.get_mut(key)?.peer.as_mut()
    }
}

/// Notes the SSRCs that a section announces, as far as it can be told which encoding each is of.
fn announce_sources(ingress: &mut Ingress, publication: PublicationKey, section: &Section, offered: &[String], known: &[String]) {
    let several = offered.len() > 1;
    if several && section.ssrcs.len() != offered.len() {
        return;
    }
    for (index, source) in section.ssrcs.iter().enumerate() {
        let position = if several { known.iter().position(|rid| offered.get(index) == Some(rid)) } else { Some(0) };
        let Some(encoding) = position.and_then(|position| u8::try_from(position).ok()) else { continue };
        ingress.announce(IncomingStream { ssrc: source.ssrc, publication, encoding, repair: false });
        if let Some(rtx) = source.rtx {
            ingress.announce(IncomingStream { ssrc: rtx, publication, encoding, repair: true });
        }
    }
}
