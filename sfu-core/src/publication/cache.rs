//! The packets of the last moments of one published layer, shared by all its subscribers for resends.
//!
//! Bounds: a fixed number of packets; the oldest make room. Buffers are reused: no allocation once every slot was used.

use crate::packet::{MediaPacket, PacketInfo};
use crate::rtp::Seq;

/// Packets kept of a video layer: 2.5 s at 200 packets/s (720p), 0.7 s at 720 packets/s; resends later than that come too late.
pub(crate) const VIDEO_PACKETS: usize = 512;

/// Packets kept of an audio layer: 1.28 s at 50 packets/s.
pub(crate) const AUDIO_PACKETS: usize = 64;

#[derive(Debug, Default)]
struct Slot {
    info: Option<PacketInfo>,
    /// Payload, and behind it the dependency descriptor.
    bytes: Vec<u8>,
    payload_len: usize,
}

/// A ring indexed by sequence number.
#[derive(Debug)]
pub(crate) struct PacketCache {
    slots: Vec<Slot>,
    capacity: u64,
}

impl PacketCache {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { slots: Vec::new(), capacity: capacity.max(1) as u64 }
    }

    fn index(&self, seq: Seq) -> usize {
        // The remainder is below a `usize` capacity.
        seq.value().checked_rem(self.capacity).unwrap_or(0) as usize
    }

    /// Whether this packet was seen, or is so old that nobody can tell. Sealing two packets under one number would break AES-GCM.
    pub(crate) fn has_seen(&self, seq: Seq) -> bool {
        let held = self.slots.get(self.index(seq)).and_then(|slot| slot.info);
        held.is_some_and(|info| info.seq >= seq)
    }

    /// Keeps a packet, unless its slot holds a newer one.
    pub(crate) fn insert(&mut self, packet: &MediaPacket<'_>) {
        let index = self.index(packet.info.seq);
        if index >= self.slots.len() {
            self.slots.resize_with(index.saturating_add(1), Slot::default);
        }
        let Some(slot) = self.slots.get_mut(index) else { return };
        if slot.info.is_some_and(|held| held.seq > packet.info.seq) {
            return;
        }
        slot.info = Some(packet.info);
        slot.bytes.clear();
        slot.bytes.extend_from_slice(packet.payload);
        slot.bytes.extend_from_slice(packet.dependency);
        slot.payload_len = packet.payload.len();
    }

    /// The packet with this number, while it is held.
    pub(crate) fn lookup(&self, seq: Seq) -> Option<MediaPacket<'_>> {
        let slot = self.slots.get(self.index(seq))?;
        let info = slot.info.filter(|info| info.seq == seq)?;
        let (payload, dependency) = slot.bytes.split_at_checked(slot.payload_len)?;
        Some(MediaPacket { info, payload, dependency })
    }
}
