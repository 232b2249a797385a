//! From a publication to every subscriber: the inner loop of the whole edge.
//!
//! A packet that came is only noted; when the edge drains, each subscriber's copies of a frame are written straight into the buffer they
//! will be sent from, one behind the other, and sealed there: one copy of the payload, no allocation in steady state.

use super::{Shard, ShardStats};
use crate::congestion::SentClass;
use crate::egress::frames::{Frame, MAX_FRAME, StreamKey};
use crate::egress::{Batch, Egress};
use crate::forwarder::Underway;
use crate::keys::{ParticipantKey, PublicationKey};
use crate::packet::MediaPacket;
use crate::peer::{FramePackets, Peer, SentFrame};
use crate::publication::Stream;
use crate::publication::keyframes::Needs;
use crate::rtp::Seq;
use crate::sdp::CodecKey;
use std::time::Instant;

impl Shard {
    /// Notes that a packet, which is in its publication's cache, is to be forwarded: audio with the next drain, video with its frame.
    pub(super) fn fan_out(&mut self, now: Instant, publication: PublicationKey, packet: &MediaPacket<'_>) {
        let Some(known) = self.publications.get_mut(publication) else { return };
        let info = &packet.info;
        let encoding = info.layer.encoding;
        let stream = StreamKey { publication, encoding };
        let noted = if known.info.video {
            let late = known.stream(encoding).and_then(|stream| stream.newest).is_some_and(|newest| newest > info.seq);
            self.frames.hold(now, stream, info, late)
        } else {
            self.frames.pass(now, stream, info)
        };
        self.stats.dropped_backlog = self.stats.dropped_backlog.saturating_add(u64::from(!noted));
    }

    /// Writes what is due for everybody and hands it out, a buffer's fill at a time.
    pub(super) fn drain(&mut self, mut send: impl FnMut(Batch<'_>)) {
        let mut send = |stats: &mut ShardStats, egress: &mut Egress| {
            egress.flush(|batch| {
                for transmit in batch.iter() {
                    stats.datagrams_out = stats.datagrams_out.saturating_add(transmit.datagrams() as u64);
                    stats.runs_out = stats.runs_out.saturating_add(1);
                    stats.bytes_out = stats.bytes_out.saturating_add(transmit.contents.len() as u64);
                }
                send(batch);
            });
        };
        while let Some(frame) = self.frames.next() {
            self.send_frame(&frame, &mut send);
            self.frames.recycle(frame);
        }
        self.send_waiting(&mut send);
        send(&mut self.stats, &mut self.egress);
    }

    fn send_frame(&mut self, frame: &Frame, flush: &mut impl FnMut(&mut ShardStats, &mut Egress)) {
        let publication = self.publications.get_mut(frame.stream.publication);
        // What was held when a moderator stopped it isn't sent either.
        let Some(publication) = publication.filter(|publication| !publication.info.blocked) else { return };
        let encoding = frame.stream.encoding;
        let Some(stream) = publication.stream(encoding).filter(|stream| stream.generation == frame.generation) else { return };
        let mut packets = [None; MAX_FRAME];
        let count = gather(stream, frame.numbers.iter().copied(), &mut packets);
        let packets = packets.get(..count).unwrap_or_default();
        let Some(codec) = packets.iter().flatten().next().map(|packet| packet.info.codec) else { return };
        let (video, clocked) = (publication.info.video, stream.capture_clock.is_some());
        let packets = FramePackets::new(publication, encoding, frame.at, packets);

        let mut needs = Needs::default();
        for subscriber in &publication.subscribers {
            let peer = self.participants.get_mut(subscriber.participant).and_then(|participant| participant.peer.as_mut());
            let Some(peer) = peer else { continue };
            if self.egress.is_full_for(count) {
                flush(&mut self.stats, &mut self.egress);
            }
            let room = if video { peer.room_for_frame(frame.at) } else { usize::MAX };
            let sent = peer.send_frame(&mut self.egress, subscriber.slot, frame.at, room, &packets);
            if sent.stopped {
                self.paced.hold(subscriber, peer, frame, packets.packets.get(sent.taken..).unwrap_or_default());
            }
            needs |= follow_up(&mut self.stats, peer, subscriber.slot, &packets, &sent, clocked, codec);
        }
        self.want_keyframes_of(frame.at, frame.stream.publication, needs);
    }

    /// Asks the publisher for the key frames that somebody needs.
    pub(super) fn want_keyframes_of(&mut self, now: Instant, publication: PublicationKey, needs: Needs) {
        let Some(known) = self.publications.get_mut(publication).filter(|_| needs != Needs::default()) else { return };
        known.keyframes.want_all(needs, now);
        let owner = known.owner;
        self.request_due_keyframe(now, owner, publication);
    }

    /// Answers a subscriber's NACK from the publication's cache.
    pub(super) fn resend(&mut self, now: Instant, key: ParticipantKey, slot: usize, wire: u16) {
        let Some(peer) = self.participants.get_mut(key).and_then(|participant| participant.peer.as_mut()) else { return };
        let before = peer.slots.get(slot).map_or(0, |slot| slot.forwarder.resends_of(wire));
        if !peer.resends.allows(now, before) {
            self.stats.resends_over_budget = self.stats.resends_over_budget.saturating_add(1);
            return;
        }
        let round_trip = peer.round_trip;
        let found = peer.slots.get_mut(slot).and_then(|slot| slot.forwarder.find_for_resend(wire, now, round_trip));
        let Some(resend) = found else { return };
        let Some(publication) = self.publications.get(resend.publication()) else { return };
        let Some(stream) = publication.stream_of_generation(resend.generation()) else { return };
        // Not here either: the publisher has been asked for it, and it will be forwarded when it comes.
        let Some(packet) = stream.cache.lookup(resend.seq()) else { return };
        let number = peer.congestion.next_number();
        let sent = peer.send_rtp(&mut self.egress, slot, now, SentClass::Resend, |slot, buffer| {
            slot.forwarder.resend(&resend, &packet, &slot.format, buffer)
        });
        if let Some(size) = sent {
            peer.resends.on_resend(now, size, before);
            if peer.congestion.next_number() != number {
                peer.resends_underway.push(Underway { number, slot, wire });
            }
            self.stats.packets_resent = self.stats.packets_resent.saturating_add(1);
        }
    }
}

/// Finds packets in their stream's cache; returns how many there are.
pub(super) fn gather<'a>(
    stream: &'a Stream,
    numbers: impl Iterator<Item = Seq>,
    packets: &mut [Option<MediaPacket<'a>>; MAX_FRAME],
) -> usize {
    let found = numbers.filter_map(|number| stream.cache.lookup(number));
    packets.iter_mut().zip(found).map(|(place, packet)| *place = Some(packet)).count()
}

/// Counts what became of a frame for one slot; returns what key frame the slot needs.
pub(super) fn follow_up(
    stats: &mut ShardStats,
    peer: &mut Peer,
    slot: usize,
    frame: &FramePackets<'_>,
    sent: &SentFrame,
    clocked: bool,
    codec: CodecKey,
) -> Needs {
    stats.packets_forwarded = stats.packets_forwarded.saturating_add(u64::from(sent.packets));
    stats.packets_padded = stats.packets_padded.saturating_add(u64::from(sent.padded));
    stats.egress_refused = stats.egress_refused.saturating_add(u64::from(sent.refused));
    let Some(known) = peer.slots.get(slot) else { return Needs::default() };
    // The first report of a source is what lip-sync waits for.
    if sent.packets > 0 && clocked && known.last_report_sent.is_none() {
        peer.next_report = frame.at;
    }
    let needed = known.forwarder.needs_keyframe().filter(|encoding| {
        // Whoever can't decode it waits for ever; a key frame wouldn't help. And it may be among what waits.
        peer.srtp.is_some() && known.format.takes(codec) && !sent.stopped && !peer.waiting.has_keyframe(slot, *encoding)
    });
    let need = || frame.publication.need(known.chosen.flatten(), known.forwarder.current());
    needed.map_or_else(Needs::default, |encoding| Needs::of(encoding, need()))
}
