//! RTCP both ways: what subscribers tell us, what we ask of publishers, and the regular reports (RFC 3550 §6, RFC 4585, RFC 5104).

use super::Shard;
use crate::clock::{Ntp, ntp_units_to_ticks};
use crate::keys::{ParticipantKey, PublicationKey};
use crate::peer::Peer;
use crate::publication::CaptureClock;
use crate::publication::keyframes::Need;
use crate::rtcp::{CompoundWriter, ReportBlock, RtcpPacket, SenderInfo, SenderReport, TransportFeedback, packets};
use crate::slot::Reported;
use crate::srtp::SrtpError;
use std::time::{Duration, Instant};

/// Time between two reports of one transport. RFC 3550 allows 5 s; a second makes lip-sync quick and round trips fresh.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// Report blocks of one receiver report (RFC 3550 §6.4.2).
const MAX_BLOCKS: usize = 31;

/// Lost packets one NACK may name and we look up: what a cache holds.
const MAX_NACKED: usize = 512;

/// How fast the offset may grow: follows clocks that drift apart (quartz: 50 ppm and less), not a queue. One part in 10,000.
const CLOCK_DRIFT: u128 = 10_000;

/// A publisher's clock that jumps by more than this was set anew: a second.
const CLOCK_JUMP: i64 = 1 << 32;

impl Shard {
    pub(super) fn on_rtcp(&mut self, now: Instant, key: ParticipantKey, datagram: &mut [u8]) {
        let Some(peer) = self.participants.get_mut(key).and_then(|participant| participant.peer.as_mut()) else { return };
        let Some(srtp) = peer.srtp.as_mut() else {
            self.stats.dropped_before_keys = self.stats.dropped_before_keys.saturating_add(1);
            return;
        };
        let mut opened = srtp.receiver.unprotect_rtcp(datagram);
        if matches!(opened, Err(SrtpError::TooManySsrcs)) {
            srtp.receiver.retain(|ssrc| peer.ingress.knows(ssrc));
            opened = srtp.receiver.unprotect_rtcp(datagram);
        }
        let Ok(length) = opened else {
            self.stats.dropped_srtp = self.stats.dropped_srtp.saturating_add(1);
            return;
        };
        peer.heard = Some(now);
        let Some(compound) = datagram.get(..length) else { return };
        for packet in packets(compound) {
            let Ok(packet) = packet else {
                self.stats.dropped_malformed = self.stats.dropped_malformed.saturating_add(1);
                return;
            };
            match packet {
                RtcpPacket::SenderReport(report) => {
                    self.on_sender_report(now, key, &report);
                    self.on_report_blocks(now, key, report.reports());
                }
                RtcpPacket::ReceiverReport(report) => self.on_report_blocks(now, key, report.reports()),
                RtcpPacket::Nack(nack) => {
                    self.stats.nacks_received = self.stats.nacks_received.saturating_add(1);
                    let slot = self.peer(key).and_then(|peer| peer.slots.iter().position(|slot| slot.forwarder.ssrc() == nack.media_ssrc));
                    if let Some(slot) = slot {
                        nack.lost().take(MAX_NACKED).for_each(|wire| self.resend(now, key, slot, wire));
                    }
                }
                RtcpPacket::Pli(pli) => self.on_keyframe_request(now, key, pli.media_ssrc),
                RtcpPacket::Fir(fir) => fir.entries().for_each(|(ssrc, _)| self.on_keyframe_request(now, key, ssrc)),
                RtcpPacket::Remb(remb) => {
                    self.stats.rembs_received = self.stats.rembs_received.saturating_add(1);
                    if let Some(peer) = self.peer_mut(key) {
                        peer.congestion.on_remb(now, remb.bitrate);
                    }
                }
                RtcpPacket::TransportFeedback(feedback) => self.on_transport_feedback(now, key, &feedback),
                // BYE and SDES change nothing.
                RtcpPacket::Sdes(_) | RtcpPacket::Bye(_) | RtcpPacket::Other { .. } => {}
            }
        }
    }

    /// Translates the publisher's capture clock to ours, with one offset for all its streams so that they stay in sync.
    fn on_sender_report(&mut self, now: Instant, key: ParticipantKey, report: &SenderReport<'_>) {
        let arrival = self.config.wall_clock.ntp(now);
        let theirs = Ntp(report.info.ntp);
        let Some(participant) = self.participants.get_mut(key) else { return };
        let Some(peer) = participant.peer.as_mut() else { return };
        let measured = arrival.offset_from(theirs);
        // The smallest offset is the one that queued least on its way.
        let offset = match peer.clock_offset {
            Some((known, since)) if measured.wrapping_sub(known).abs() < CLOCK_JUMP => {
                let drifted = (now.saturating_duration_since(since).as_nanos() << 32) / 1_000_000_000 / CLOCK_DRIFT;
                measured.min(known.saturating_add(i64::try_from(drifted).unwrap_or(0)))
            }
            _ => measured,
        };
        peer.clock_offset = Some((offset, now));
        let mut clocked = None;
        for publication in &participant.publications {
            let Some(known) = self.publications.get_mut(*publication) else { continue };
            if let Some((encoding, stream)) = known.stream_of_ssrc(report.ssrc) {
                clocked = Some((*publication, encoding));
                stream.capture_clock = Some(CaptureClock { ntp: theirs.shifted(offset), rtp: report.info.rtp_timestamp });
                if let Some(reception) = stream.reception.as_mut() {
                    reception.on_sender_report(theirs.middle(), now);
                }
            }
        }
        if let Some((publication, encoding)) = clocked {
            self.relay_clock(publication, encoding);
        }
    }

    fn on_report_blocks(&mut self, now: Instant, key: ParticipantKey, blocks: impl Iterator<Item = ReportBlock>) {
        let Some(peer) = self.peer_mut(key) else { return };
        let (mut lost, mut ours) = (0_u32, 0_u32);
        for block in blocks {
            on_report_block(now, peer, &block);
            if peer.slot_of_ssrc(block.ssrc).is_some() {
                lost = lost.saturating_add(u32::from(block.fraction_lost));
                ours = ours.saturating_add(256);
            }
        }
        if ours > 0 {
            peer.congestion.on_report_loss(now, f64::from(lost) / f64::from(ours));
        }
    }

    /// What a receiver says of our transport-wide numbers.
    fn on_transport_feedback(&mut self, now: Instant, key: ParticipantKey, feedback: &TransportFeedback<'_>) {
        let Some(peer) = self.participants.get_mut(key).and_then(|participant| participant.peer.as_mut()) else { return };
        let before = peer.congestion.stats();
        let outage_ended = peer.congestion.on_feedback(now, feedback);
        let after = peer.congestion.stats();
        let (congestion, slots) = (&peer.congestion, &mut peer.slots);
        peer.resends_underway.settle(
            |number| congestion.has_arrived(number),
            |resend| {
                if let Some(slot) = slots.get_mut(resend.slot) {
                    slot.forwarder.on_resend_arrived(resend.wire);
                }
            },
        );
        self.stats.transport_feedbacks_received = self.stats.transport_feedbacks_received.saturating_add(1);
        self.stats.packets_answered = self.stats.packets_answered.saturating_add(after.answered.saturating_sub(before.answered));
        self.stats.packets_lost = self.stats.packets_lost.saturating_add(after.lost.saturating_sub(before.lost));
        self.stats.rate_cuts = self.stats.rate_cuts.saturating_add(after.cuts.saturating_sub(before.cuts));
        self.note_probe(now, key);
        if outage_ended {
            self.renew_pictures(now, key);
        }
    }

    /// Asks for a key frame of every picture that `key` receives. Left alone, libwebrtc asks when it has decoded nothing for three seconds.
    fn renew_pictures(&mut self, now: Instant, key: ParticipantKey) {
        let Some(peer) = self.peer(key) else { return };
        let ssrcs: Vec<u32> = peer.slots.iter().filter(|slot| slot.bound.is_some()).map(|slot| slot.forwarder.ssrc()).collect();
        for ssrc in ssrcs {
            self.want_keyframe(now, key, ssrc);
        }
    }

    fn on_keyframe_request(&mut self, now: Instant, key: ParticipantKey, ssrc: u32) {
        self.stats.keyframe_requests_received = self.stats.keyframe_requests_received.saturating_add(1);
        self.want_keyframe(now, key, ssrc);
    }

    /// `key` can't go on with the picture that it receives as `ssrc`.
    fn want_keyframe(&mut self, now: Instant, key: ParticipantKey, ssrc: u32) {
        let asked = self.peer_mut(key).and_then(|peer| peer.slot_of_ssrc(ssrc)).and_then(|(_, slot)| {
            let (publication, _) = slot.bound?;
            let encoding = slot.forwarder.needs_keyframe().or_else(|| slot.forwarder.current().map(|layer| layer.encoding))?;
            Some((publication, encoding))
        });
        if let Some((publication, encoding)) = asked
            && let Some(known) = self.publications.get_mut(publication)
            && known.info.video
        {
            known.keyframes.want(encoding, Need::Picture, now);
            let owner = known.owner;
            self.request_due_keyframe(now, owner, publication);
        }
    }

    /// Asks the publisher for key frames of the encodings of which somebody wants one and the last request is long enough ago.
    pub(super) fn request_due_keyframe(&mut self, now: Instant, owner: ParticipantKey, publication: PublicationKey) {
        if self.relay_due_keyframes(now, publication) {
            return;
        }
        let Some(known) = self.publications.get_mut(publication) else { return };
        let Some(peer) = self.participants.get_mut(owner).and_then(|participant| participant.peer.as_mut()) else { return };
        if peer.srtp.is_none() {
            return;
        }
        let due = known.take_due_keyframes(now);
        for (encoding, _) in (0..).zip([1_u8, 2, 4, 8]).filter(|(_, bit)| due & bit != 0) {
            let Some(ssrc) = known.stream(encoding).and_then(|stream| stream.ssrc) else { continue };
            let sender = peer.rtcp_ssrc;
            let sent = peer.send_rtcp(&mut self.egress, |buffer| {
                let mut writer = CompoundWriter::new(buffer);
                writer.receiver_report(sender, &[]).ok()?;
                writer.pli(sender, ssrc).ok()?;
                Some(writer.len())
            });
            if sent.is_some() {
                self.stats.keyframe_requests_sent = self.stats.keyframe_requests_sent.saturating_add(1);
            }
        }
    }

    /// Asks the publisher for what is missing and due, of every encoding.
    pub(super) fn request_missing(&mut self, now: Instant, owner: ParticipantKey, publication: PublicationKey) {
        let Some(known) = self.publications.get_mut(publication) else { return };
        let Some(peer) = self.participants.get_mut(owner).and_then(|participant| participant.peer.as_mut()) else { return };
        for stream in known.streams_mut() {
            let Some(ssrc) = stream.ssrc else { continue };
            stream.nack.due(now, peer.round_trip, &mut self.numbers);
            if self.numbers.is_empty() {
                continue;
            }
            let (sender, numbers) = (peer.rtcp_ssrc, &self.numbers);
            let sent = peer.send_rtcp(&mut self.egress, |buffer| {
                let mut writer = CompoundWriter::new(buffer);
                writer.receiver_report(sender, &[]).ok()?;
                writer.nack(sender, ssrc, numbers).ok()?;
                Some(writer.len())
            });
            if sent.is_some() {
                self.stats.nacks_sent = self.stats.nacks_sent.saturating_add(1);
            }
        }
    }

    /// Transport-wide feedback to a publisher, when due.
    pub(super) fn send_transport_feedback(&mut self, now: Instant, key: ParticipantKey) {
        let Some(peer) = self.participants.get_mut(key).and_then(|participant| participant.peer.as_mut()) else { return };
        if peer.twcc.poll_timeout().is_none_or(|at| at > now) {
            return;
        }
        // One datagram may not hold it all after a long pause of ours; the bound ends a loop that a fault would make endless.
        for _ in 0..8 {
            let (sender, media, mut twcc) = (peer.rtcp_ssrc, peer.twcc_media_ssrc, std::mem::take(&mut peer.twcc));
            let mut more = false;
            peer.send_rtcp(&mut self.egress, |buffer| {
                let mut writer = CompoundWriter::new(buffer.get_mut(..MAX_FEEDBACK)?);
                more = twcc.build_feedback(sender, media, &mut writer).unwrap_or(false);
                Some(writer.len())
            });
            peer.twcc = twcc;
            if !more {
                return;
            }
        }
    }

    /// Receiver reports to the publisher, sender reports to the subscriber: both are one transport.
    pub(super) fn send_reports(&mut self, now: Instant, key: ParticipantKey) {
        let Some(participant) = self.participants.get_mut(key) else { return };
        let Some(peer) = participant.peer.as_mut() else { return };
        if now < peer.next_report || peer.srtp.is_none() {
            return;
        }
        peer.next_report = now + REPORT_INTERVAL;
        let mut blocks = Vec::new();
        for publication in &participant.publications {
            for stream in self.publications.get_mut(*publication).into_iter().flat_map(|known| known.streams_mut()) {
                if let (Some(ssrc), Some(reception)) = (stream.ssrc, stream.reception.as_mut()) {
                    blocks.push(reception.report(ssrc, now));
                }
            }
        }
        let sender = peer.rtcp_ssrc;
        for blocks in blocks.chunks(MAX_BLOCKS) {
            peer.send_rtcp(&mut self.egress, |buffer| {
                let mut writer = CompoundWriter::new(buffer);
                writer.receiver_report(sender, blocks).ok()?;
                writer.sdes_cname(sender, b"nearcast").ok()?;
                Some(writer.len())
            });
        }
        let ntp = self.config.wall_clock.ntp(now);
        for index in 0..peer.slots.len() {
            let Some(slot) = peer.slots.get_mut(index) else { continue };
            let Some(known) = slot.bound.and_then(|(publication, _)| self.publications.get(publication)) else { continue };
            let Some(stream) = slot.forwarder.current().and_then(|layer| known.stream(layer.encoding)) else { continue };
            let codec_rate = stream.reception.as_ref().map(|reception| reception.clock_rate());
            let (Some(clock), Some(shift), Some(rate)) = (stream.capture_clock, slot.forwarder.timestamp_shift(), codec_rate) else {
                continue;
            };
            let ticks = ntp_units_to_ticks(ntp.offset_from(clock.ntp), rate);
            let counters = slot.forwarder.counters();
            let info = SenderInfo {
                ntp: ntp.0,
                rtp_timestamp: clock.rtp.wrapping_add(shift).wrapping_add(ticks as u32),
                packets: counters.packets,
                octets: counters.octets,
            };
            let ssrc = slot.forwarder.ssrc();
            let cname = slot.stream_name();
            slot.last_report_sent = Some((ntp.middle(), now));
            peer.send_rtcp(&mut self.egress, |buffer| {
                let mut writer = CompoundWriter::new(buffer);
                writer.sender_report(ssrc, &info, &[]).ok()?;
                writer.sdes_cname(ssrc, cname.as_bytes()).ok()?;
                Some(writer.len())
            });
        }
    }
}

/// Feedback datagrams stay below the smallest path we care for.
const MAX_FEEDBACK: usize = 1100;

/// The round trip, from a report on a stream of ours that echoes a report of ours (RFC 3550 §6.4.1).
fn on_report_block(now: Instant, peer: &mut Peer, block: &ReportBlock) {
    let slot = peer.slot_of_ssrc(block.ssrc).map(|(_, slot)| slot);
    let sent = slot.and_then(|slot| {
        if slot.forwarder.ssrc() == block.ssrc && slot.bound.is_some() {
            let packets = slot.forwarder.counters().packets;
            slot.reported = Some(Reported { at: now, fraction_lost: block.fraction_lost, jitter: block.jitter, packets });
        }
        slot.last_report_sent
    });
    if let Some((middle, at)) = sent
        && middle == block.last_sr
        && block.last_sr != 0
    {
        let held = Duration::from_micros(u64::from(block.delay_since_last_sr).saturating_mul(1_000_000) >> 16);
        let sample = now.saturating_duration_since(at).saturating_sub(held);
        peer.congestion.on_round_trip(sample);
        peer.round_trip = Some(peer.round_trip.map_or(sample, |known| known.saturating_mul(7).saturating_add(sample) / 8));
    }
}
