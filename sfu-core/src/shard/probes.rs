//! Probes: padding on the RTX stream, sent a few milliseconds apart while a subscriber's path is asked whether it carries more.
//!
//! When to probe and how much is the controller's to say (`congestion`); here the packets are found and sent. The best padding is what the
//! subscriber may have lost: its newest packets, again. Without RTX there is none, and a probe is what media makes of it.

use super::Shard;
use crate::congestion::SentClass;
use crate::keys::ParticipantKey;
use crate::slot::Slot;
use std::time::Instant;

/// Packets sent for one probe at one time: 20 Mbit/s in steps of 2 ms, when they are all small.
const MAX_PACKETS: usize = 32;

/// From this many bytes on a packet sent again fits; below, padding comes closer to what was asked for.
const WORTH_A_PACKET: usize = 700;

/// Most that one packet is padded by (RFC 3550 §5.1: one byte counts it).
const MAX_PADDING: usize = 255;

impl Shard {
    /// Takes note that the controller of `key` may have begun a probe.
    pub(super) fn note_probe(&mut self, now: Instant, key: ParticipantKey) {
        let Some(due) = self.peer(key).and_then(|peer| peer.congestion.poll_timeout(now)) else { return };
        if !self.probing.contains(&key) {
            self.probing.push(key);
        }
        self.next_probe = Some(self.next_probe.map_or(due, |next| next.min(due)));
    }

    /// Sends what probes ask for by now.
    pub(super) fn send_due_probes(&mut self, now: Instant) {
        if self.next_probe.is_none_or(|due| due > now) {
            return;
        }
        self.next_probe = None;
        let mut probing = std::mem::take(&mut self.probing);
        probing.retain(|key| {
            let next = self.send_probe(now, *key);
            self.next_probe = [self.next_probe, next].into_iter().flatten().min();
            next.is_some()
        });
        self.probing = probing;
    }

    /// Sends what one probe asks for by now; returns when it asks again.
    fn send_probe(&mut self, now: Instant, key: ParticipantKey) -> Option<Instant> {
        for _ in 0..MAX_PACKETS {
            let peer = self.peer_mut(key)?;
            let Some(bytes) = peer.congestion.poll_padding(now) else { break };
            // What waits is better than padding.
            if !peer.waiting.is_empty() && self.send_waiting_of(now, key, Some(bytes), &mut |_, _| {}) > 0 {
                continue;
            }
            let sent = self.send_again(now, key, bytes).or_else(|| self.send_padding(now, key, bytes));
            let Some(sent) = sent else { break };
            self.stats.probe_packets = self.stats.probe_packets.saturating_add(1);
            self.stats.probe_bytes = self.stats.probe_bytes.saturating_add(sent as u64);
        }
        self.peer(key)?.congestion.poll_timeout(now)
    }

    /// A packet that went out lately, again.
    fn send_again(&mut self, now: Instant, key: ParticipantKey, bytes: usize) -> Option<usize> {
        if bytes < WORTH_A_PACKET {
            return None;
        }
        let peer = self.participants.get_mut(key)?.peer.as_mut()?;
        let found = |(index, slot): (usize, &mut Slot)| slot.forwarder.recent_for_probe(now).map(|resend| (index, resend));
        let (index, resend) = peer.slots.iter_mut().enumerate().filter(|(_, slot)| slot.video && slot.bound.is_some()).find_map(found)?;
        let stream = self.publications.get(resend.publication())?.stream_of_generation(resend.generation())?;
        let packet = stream.cache.lookup(resend.seq())?;
        peer.send_rtp(&mut self.egress, index, now, SentClass::Padding, |slot, buffer| {
            slot.forwarder.resend(&resend, &packet, &slot.format, buffer)
        })
    }

    /// Nothing but padding.
    fn send_padding(&mut self, now: Instant, key: ParticipantKey, bytes: usize) -> Option<usize> {
        let padding = bytes.min(MAX_PADDING) as u8;
        let peer = self.participants.get_mut(key)?.peer.as_mut()?;
        let slots = peer.slots.len();
        (0..slots).find_map(|index| {
            peer.send_rtp(&mut self.egress, index, now, SentClass::Padding, |slot, buffer| {
                slot.forwarder.padding(&slot.format, padding, buffer)
            })
        })
    }
}
