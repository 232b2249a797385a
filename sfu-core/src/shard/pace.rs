//! Video that waits for its subscriber's pacer, from the moment it has to until it leaves: a few packets at a time, which are a run.
//!
//! Whoever is sent no more than its way takes never comes here. Everything else (audio, resends, reports, data) goes past what waits, and
//! probes are made of it while there is any.

use super::fan_out::{follow_up, gather};
use super::{Shard, ShardStats};
use crate::egress::Egress;
use crate::egress::frames::{Frame, MAX_FRAME};
use crate::egress::waiting::{Spare, Waiting};
use crate::keys::ParticipantKey;
use crate::packet::MediaPacket;
use crate::peer::{FramePackets, Peer};
use crate::publication::Subscriber;
use std::time::{Duration, Instant};

/// Between two looks at what waits: at the pace of a way of 2 Mbit/s two packets, of 20 Mbit/s nineteen. So what can be sent in long runs is,
/// and the path's queue sees no more than 5 ms at once of what waits.
const TICK: Duration = Duration::from_millis(5);

/// The subscribers for which something waits.
#[derive(Debug, Default)]
pub(super) struct Paced {
    /// Each once; some may have nothing left.
    peers: Vec<ParticipantKey>,
    /// The next look.
    next: Option<Instant>,
    /// A look is due with the next drain.
    due: Option<Instant>,
    spare: Spare,
}

impl Paced {
    /// When the next look is due.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.next
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.next.is_some_and(|next| next <= now) {
            self.due = Some(now);
            self.next = None;
        }
    }

    /// A subscriber's transport is gone, with what waited for it.
    pub(super) fn forget(&mut self, key: ParticipantKey) {
        self.peers.retain(|known| *known != key);
    }

    /// Lets the rest of a frame wait.
    #[cold]
    pub(super) fn hold(&mut self, subscriber: &Subscriber, peer: &mut Peer, frame: &Frame, rest: &[Option<MediaPacket<'_>>]) {
        let of = (frame.stream, frame.generation, subscriber.slot);
        peer.waiting.push(of, frame.at, rest.iter().flatten(), &mut self.spare);
        if !peer.waiting.listed {
            peer.waiting.listed = true;
            self.peers.push(subscriber.participant);
        }
        if peer.waiting.is_overfull() {
            self.due = Some(frame.at);
        }
        self.next = self.next.or_else(|| frame.at.checked_add(TICK));
    }
}

impl Shard {
    /// Sends what waits and may leave by now, when a look is due.
    #[inline]
    pub(super) fn send_waiting(&mut self, flush: &mut impl FnMut(&mut ShardStats, &mut Egress)) {
        if let Some(now) = self.paced.due.take() {
            self.look_at_waiting(now, flush);
        }
    }

    #[cold]
    fn look_at_waiting(&mut self, now: Instant, flush: &mut impl FnMut(&mut ShardStats, &mut Egress)) {
        let mut peers = std::mem::take(&mut self.paced.peers);
        peers.retain(|key| {
            self.send_waiting_of(now, *key, None, flush);
            let Some(peer) = self.peer_mut(*key) else { return false };
            peer.waiting.listed = !peer.waiting.is_empty();
            peer.waiting.listed
        });
        self.paced.next = if peers.is_empty() { None } else { now.checked_add(TICK) };
        self.paced.peers = peers;
    }

    /// Sends what one subscriber's pacer allows, or `asked` bytes; returns how many it was.
    pub(super) fn send_waiting_of(
        &mut self,
        now: Instant,
        key: ParticipantKey,
        asked: Option<usize>,
        flush: &mut impl FnMut(&mut ShardStats, &mut Egress),
    ) -> usize {
        let mut bytes = 0_usize;
        loop {
            let Some(peer) = self.peer_mut(key) else { return bytes };
            let Some(front) = peer.waiting.front() else { return bytes };
            let room = match asked {
                Some(asked) => asked.saturating_sub(bytes),
                None => peer.room_for_waiting(now),
            };
            if room == 0 {
                return bytes;
            }
            let Some(sent) = self.send_front(now, key, &front, room, flush) else {
                // Its publication, its stream or its place has gone.
                if let Some(peer) = self.participants.get_mut(key).and_then(|participant| participant.peer.as_mut()) {
                    peer.waiting.on_left(None, &mut self.paced.spare);
                }
                continue;
            };
            bytes = bytes.saturating_add(sent);
        }
    }

    /// Sends what fits of the first that waits; none: there is nothing more to be sent of it.
    fn send_front(
        &mut self,
        now: Instant,
        key: ParticipantKey,
        front: &Waiting,
        room: usize,
        flush: &mut impl FnMut(&mut ShardStats, &mut Egress),
    ) -> Option<usize> {
        let publication = self.publications.get(front.stream.publication).filter(|publication| !publication.info.blocked)?;
        let peer = self.participants.get_mut(key)?.peer.as_mut()?;
        let slot = usize::from(front.slot);
        // Another publication may have taken its place.
        let bound = peer.slots.get(slot)?.bound.map(|(bound, _)| bound);
        let stream = publication.stream(front.stream.encoding);
        let stream = stream.filter(|stream| stream.generation == front.generation && bound == Some(front.stream.publication))?;
        // A picture of the encoding that is to be left needs no sending once a key frame of the new one is here.
        let next = peer.slots.get(slot)?.forwarder.may_leave_for().filter(|next| *next != front.stream.encoding);
        if next.is_some_and(|next| peer.waiting.has_keyframe(slot, next)) {
            return None;
        }
        let mut packets = [None; MAX_FRAME];
        let count = gather(stream, front.numbers(), &mut packets);
        let packets = FramePackets::new(publication, front.stream.encoding, front.at, packets.get(..count)?);
        if self.egress.is_full_for(count) {
            flush(&mut self.stats, &mut self.egress);
        }
        let sent = peer.send_frame(&mut self.egress, slot, now, room, &packets);
        self.stats.packets_paced = self.stats.packets_paced.saturating_add(u64::from(sent.packets));
        let next = packets.packets.get(sent.taken).and_then(Option::as_ref).map(|packet| packet.info.seq);
        let next = next.or_else(|| front.numbers().last().map(|last| last.forward(1))).unwrap_or(front.first());
        peer.waiting.on_left(sent.stopped.then_some(next), &mut self.paced.spare);
        let codec = packets.packets.iter().flatten().next().map(|packet| packet.info.codec);
        if let Some(codec) = codec {
            let clocked = stream.capture_clock.is_some();
            let needs = follow_up(&mut self.stats, peer, slot, &packets, &sent, clocked, codec);
            self.want_keyframes_of(now, front.stream.publication, needs);
        }
        Some(sent.bytes)
    }
}
