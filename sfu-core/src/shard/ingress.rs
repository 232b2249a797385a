//! From a datagram to an authentic packet of a publication.
//!
//! The first byte decides (RFC 7983). STUN may come from anywhere, is authenticated, and makes its source address known; DTLS and
//! media are taken from known addresses only, so nobody else can begin a handshake or cost more than a table look-up.

use super::{Event, Shard};
use crate::codec::video_layers_allocation::VideoLayersAllocation;
use crate::dtls::{DtlsEvent, DtlsRole};
use crate::ice::Check;
use crate::keys::{ParticipantKey, PublicationKey};
use crate::packet::{MediaPacket, PacketInfo};
use crate::peer::{MAX_TUPLES, Meaning, SrtpPair};
use crate::publication::Arrival;
use crate::publication::layers::Input;
use crate::remote::Remote;
use crate::rtp::{DatagramKind, RtpHeader, Seq, classify, rtx_decode};
use crate::srtp::{SrtpError, SrtpProfile};
use is::stun::StunMessage;
use std::time::Instant;

/// Room for a STUN response.
const STUN_RESPONSE: usize = 256;

impl Shard {
    pub(super) fn on_datagram(&mut self, now: Instant, from: Remote, datagram: &mut [u8]) {
        self.stats.datagrams_in = self.stats.datagrams_in.saturating_add(1);
        self.stats.bytes_in = self.stats.bytes_in.saturating_add(datagram.len() as u64);
        let kind = classify(datagram);
        if kind == DatagramKind::Stun {
            self.on_stun(now, from, datagram);
            return;
        }
        let Some(key) = self.tuples.get(&from).copied() else {
            self.stats.dropped_unknown_address = self.stats.dropped_unknown_address.saturating_add(1);
            return;
        };
        match kind {
            DatagramKind::Rtp => self.on_rtp(now, key, datagram),
            DatagramKind::Rtcp => self.on_rtcp(now, key, datagram),
            DatagramKind::Dtls => self.on_dtls(now, key, datagram),
            DatagramKind::Stun | DatagramKind::TurnChannel | DatagramKind::Unknown => {
                self.stats.dropped_unknown_kind = self.stats.dropped_unknown_kind.saturating_add(1);
            }
        }
    }

    fn on_stun(&mut self, now: Instant, from: Remote, datagram: &[u8]) {
        if self.answer_check(now, from, datagram).or_else(|| self.answer_measuring(now, from, datagram)).is_none() {
            self.stats.dropped_stun = self.stats.dropped_stun.saturating_add(1);
        }
    }

    /// None: not a check of one of our participants, or not authentic.
    fn answer_check(&mut self, now: Instant, from: Remote, datagram: &[u8]) -> Option<()> {
        let message = StunMessage::parse(datagram).ok()?;
        let (ours, _) = message.username()?.split_once(':')?;
        let key = *self.ufrags.get(ours)?;
        let peer = self.participants.get_mut(key)?.peer.as_mut()?;
        let outdated = peer.ice.previous_ufrag().map(str::to_owned);
        let mut response = [0; STUN_RESPONSE];
        let (check, length) = peer.ice.handle_check(now, from, &message, &mut response)?;
        peer.send_raw(&mut self.egress, from, response.get(..length)?);
        if let Some(outdated) = outdated.filter(|_| peer.ice.previous_ufrag().is_none()) {
            self.ufrags.remove(&outdated);
        }
        self.bind_tuple(key, from);
        if let Some(peer) = self.participants.get_mut(key).and_then(|participant| participant.peer.as_mut()) {
            peer.dtls.start(now);
            if check == Check::Nominated || peer.dtls.role() == DtlsRole::Client {
                // What the handshake had to say before there was an address.
                peer.flush(&mut self.egress);
            }
        }
        Some(())
    }

    /// None: not a check by which somebody measures how far this edge is, or one too many.
    #[cold]
    fn answer_measuring(&mut self, now: Instant, from: Remote, datagram: &[u8]) -> Option<()> {
        let message = StunMessage::parse(datagram).ok()?;
        let mut response = [0; STUN_RESPONSE];
        let length = self.distance.answer(now, from.address, &message, datagram.len(), &mut response)?;
        self.egress.push(from, response.get(..length)?);
        self.stats.distance_checks = self.stats.distance_checks.saturating_add(1);
        Some(())
    }

    fn bind_tuple(&mut self, key: ParticipantKey, from: Remote) {
        if self.tuples.get(&from) == Some(&key) {
            return;
        }
        // An address that passes somebody else's check has changed hands (a NAT reused its port).
        if let Some(previous) = self.tuples.insert(from, key)
            && let Some(peer) = self.participants.get_mut(previous).and_then(|participant| participant.peer.as_mut())
        {
            peer.tuples.retain(|known| *known != from);
        }
        self.events.push_back(Event::TupleBound { from });
        let Some(peer) = self.participants.get_mut(key).and_then(|participant| participant.peer.as_mut()) else { return };
        peer.tuples.push(from);
        if peer.tuples.len() > MAX_TUPLES {
            let nominated = peer.ice.nominated();
            if let Some(oldest) = peer.tuples.iter().position(|known| Some(*known) != nominated) {
                let oldest = peer.tuples.remove(oldest);
                self.tuples.remove(&oldest);
                self.events.push_back(Event::TupleUnbound { from: oldest });
            }
        }
    }

    /// Nothing is sent to `remote` any more, nor taken from there.
    pub(super) fn forget_remote(&mut self, remote: Remote) {
        let Some(key) = self.tuples.remove(&remote) else { return };
        if let Some(peer) = self.peer_mut(key) {
            peer.tuples.retain(|known| *known != remote);
            if peer.ice.nominated() == Some(remote) {
                peer.ice.forget_nomination();
            }
        }
        self.events.push_back(Event::TupleUnbound { from: remote });
    }

    fn on_dtls(&mut self, now: Instant, key: ParticipantKey, datagram: &[u8]) {
        if let Some(peer) = self.peer_mut(key) {
            peer.dtls.handle_datagram(now, datagram);
        }
        self.after_dtls(now, key);
    }

    /// Takes what the handshake produced: keys, SCTP packets, the end.
    pub(super) fn after_dtls(&mut self, now: Instant, key: ParticipantKey) {
        let mut connected = false;
        let Some(peer) = self.participants.get_mut(key).and_then(|participant| participant.peer.as_mut()) else { return };
        while let Some(event) = peer.dtls.poll_event() {
            match event {
                DtlsEvent::Keys(profile, keys) => match SrtpPair::new(&keys, peer.dtls.role()) {
                    Ok(pair) => {
                        if peer.srtp.replace(pair).is_none() {
                            self.timing.setup.note(now.saturating_duration_since(peer.began), 1);
                        }
                        connected = true;
                        let count = match profile {
                            SrtpProfile::AeadAes256Gcm => &mut self.stats.srtp_aes256_gcm,
                            SrtpProfile::AeadAes128Gcm => &mut self.stats.srtp_aes128_gcm,
                            SrtpProfile::Aes128CmSha1_80 => &mut self.stats.srtp_aes128_cm_sha1_80,
                        };
                        *count = count.saturating_add(1);
                    }
                    Err(error) => tracing::warn!(%error, "the handshake's keys can't be used"),
                },
                DtlsEvent::Data(packet) => peer.data.handle_packet(now, packet),
                DtlsEvent::Closed(reason) => {
                    tracing::debug!(reason, "a transport closed");
                    peer.closed = true;
                    if peer.srtp.is_none() {
                        self.stats.dtls_failed = self.stats.dtls_failed.saturating_add(1);
                    }
                }
            }
        }
        peer.flush(&mut self.egress);
        if connected {
            self.want_keyframes(now, key);
        }
        self.route_data(now, key);
        self.leave_if_gone(now, key);
    }

    /// A transport closed in good order by somebody without signalling: a page that was closed.
    fn leave_if_gone(&mut self, now: Instant, key: ParticipantKey) {
        let gone = self
            .participants
            .get(key)
            .is_some_and(|participant| participant.disconnected_at.is_some() && participant.peer.as_ref().is_some_and(|peer| peer.closed));
        if gone {
            self.leave(now, key, nearcast_protocol::LeaveReason::Left);
        }
    }

    fn on_rtp(&mut self, now: Instant, key: ParticipantKey, datagram: &mut [u8]) {
        let Some(peer) = self.participants.get_mut(key).and_then(|participant| participant.peer.as_mut()) else { return };
        let Ok(header) = RtpHeader::parse(datagram) else {
            self.stats.dropped_malformed = self.stats.dropped_malformed.saturating_add(1);
            return;
        };
        let Some(srtp) = peer.srtp.as_mut() else {
            self.stats.dropped_before_keys = self.stats.dropped_before_keys.saturating_add(1);
            return;
        };
        let mut opened = srtp.receiver.unprotect_rtp(datagram, &header);
        if matches!(opened, Err(SrtpError::TooManySsrcs)) {
            // Replay windows of ended streams are kept as long as there is room, since a browser may resume one.
            srtp.receiver.retain(|ssrc| peer.ingress.knows(ssrc));
            opened = srtp.receiver.unprotect_rtp(datagram, &header);
        }
        let Ok(opened) = opened else {
            self.stats.dropped_srtp = self.stats.dropped_srtp.saturating_add(1);
            return;
        };
        let (Some(packet), index, length) = (datagram.get(..opened.len), opened.index, opened.len) else { return };
        let extensions = header.extensions(packet, &peer.ingress.extensions);
        if let Some(number) = extensions.transport_cc {
            peer.twcc.on_packet(number, now);
            peer.twcc_media_ssrc = header.ssrc;
        }
        let meaning = peer.ingress.meaning(header.payload_type);
        let repair = matches!(meaning, Meaning::Repair { .. });
        let Some(stream) = peer.ingress.resolve(header.ssrc, header.payload_type, &extensions, repair) else {
            self.stats.dropped_unknown_stream = self.stats.dropped_unknown_stream.saturating_add(1);
            return;
        };
        let Some(payload) = header.payload_range(packet).ok().and_then(|range| packet.get(range)) else {
            self.stats.dropped_malformed = self.stats.dropped_malformed.saturating_add(1);
            return;
        };
        let Some(publication) = self.publications.get_mut(stream.publication) else { return };
        if publication.from.is_some() {
            return; // its publisher is on the way to another edge, and the picture comes from there already
        }
        let encoding = stream.encoding;

        let (seq, payload_type, codec, payload) = match meaning {
            Meaning::Nothing => {
                self.stats.dropped_unknown_stream = self.stats.dropped_unknown_stream.saturating_add(1);
                return;
            }
            Meaning::Media(codec) => {
                publication.note_ssrc(encoding, header.ssrc);
                (Seq::from_packet_index(index), header.payload_type, codec, payload)
            }
            Meaning::Repair { payload_type, codec } => {
                // Probing padding carries no original packet; before the first media packet there is nothing to repair.
                let original = rtx_decode(payload);
                let newest = publication.stream(encoding).filter(|stream| stream.ssrc.is_some()).and_then(|stream| stream.newest);
                let (Some((osn, original)), Some(newest)) = (original, newest) else { return };
                (newest.unwrap_next(osn), payload_type, codec, original)
            }
        };
        // A packet of padding only has no payload left; it is forwarded all the same, or receivers would wait for its number.
        let dependency = extensions.dependency_descriptor.unwrap_or_default();
        let (marker, timestamp) = (header.marker, header.timestamp);
        let reading = publication.read_layers(encoding, &Input { codec: codec.codec, payload, dependency, marker, timestamp });
        let Some(incoming) = publication.stream(encoding) else { return };
        let info = PacketInfo {
            generation: incoming.generation,
            seq,
            timestamp: header.timestamp,
            marker: header.marker,
            payload_type,
            codec,
            keyframe: reading.keyframe,
            layer: reading.tag,
            audio_level: extensions.audio_level,
            video_orientation: extensions.video_orientation,
        };
        let packet = MediaPacket { info, payload, dependency };
        let Some(arrival) = publication.on_packet(encoding, &packet, now, repair) else { return };
        if let Some(allocation) = extensions.video_layers_allocation.filter(|_| !repair).and_then(VideoLayersAllocation::parse) {
            publication.note_allocation(encoding, allocation, now);
        }
        if !publication.info.video {
            publication.note_loudness(&packet, now);
        }
        let (heard, blocked) = (publication.heard, publication.info.blocked);
        match arrival {
            Arrival::Duplicate => self.stats.dropped_duplicate = self.stats.dropped_duplicate.saturating_add(1),
            Arrival::Fresh { gap, .. } => {
                // Padding probes the publisher's way; it shows of no layer that it is there.
                if !packet.payload.is_empty() {
                    publication.measure(&info, length, now);
                }
                if blocked {
                    self.stats.packets_blocked = self.stats.packets_blocked.saturating_add(1);
                } else if heard || self.becomes_heard(now, stream.publication) {
                    self.fan_out(now, stream.publication, &packet);
                    self.relay_packet(stream.publication, &packet);
                }
                self.after_packet(now, key, stream.publication, gap);
            }
        }
    }

    /// What a packet made urgent: asking for the ones before it, or for a key frame.
    fn after_packet(&mut self, now: Instant, owner: ParticipantKey, publication: PublicationKey, gap: bool) {
        if gap {
            self.request_missing(now, owner, publication);
        }
        self.request_due_keyframe(now, owner, publication);
    }
}
