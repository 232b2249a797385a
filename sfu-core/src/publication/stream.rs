//! One encoding's RTP stream as it arrives: duplicates, gaps, restarts, what is asked of its publisher.
//!
//! Not here: which encoding of a publication it is (`publication`), layers inside it (`publication::rungs`).

use super::CaptureClock;
use super::cache::{self, PacketCache};
use super::nack::{Continuity, NackList};
use super::reception::Reception;
use crate::packet::MediaPacket;
use crate::relay::hop;
use crate::rtp::Seq;
use std::time::Instant;

/// The RTP stream of an encoding as it arrives.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) cache: PacketCache,
    pub(crate) nack: NackList,
    pub(crate) reception: Option<Reception>,
    pub(crate) capture_clock: Option<CaptureClock>,
    /// The highest number that came on any way; `reception` knows only the stream's own.
    pub(crate) newest: Option<Seq>,
    /// When the last packet came that was taken from another part of the room.
    arrived: Option<Instant>,
    /// Lost packets can be asked for. Browsers agree to that for video only.
    repairable: bool,
    /// Counts the starts of streams over the whole publication, so that no two streams of it share one.
    pub(crate) generation: u32,
    /// SSRC of the media stream, known from its first packet.
    pub(crate) ssrc: Option<u32>,
}

/// What became of an arriving packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Arrival {
    /// Seen before: drop it.
    Duplicate,
    /// Forward it.
    Fresh {
        /// Packets before it are missing: ask for them now.
        gap: bool,
        /// Too many are missing to be asked for, or nothing can be: of video a key frame is needed.
        torn: bool,
    },
}

impl Stream {
    pub(super) fn new(video: bool, repairable: bool, generation: u32) -> Self {
        Self {
            cache: PacketCache::new(if video { cache::VIDEO_PACKETS } else { cache::AUDIO_PACKETS }),
            nack: NackList::default(),
            reception: None,
            capture_clock: None,
            newest: None,
            arrived: None,
            repairable,
            generation,
            ssrc: None,
        }
    }

    /// A new SSRC for the same encoding: a publisher that restarted its encoder. Everything about the old stream is void.
    pub(super) fn restart(&mut self, ssrc: u32, video: bool, generation: u32) {
        *self = Self::new(video, self.repairable, generation);
        self.ssrc = Some(ssrc);
    }

    /// Keeps a packet that its home has taken note of, under the generation it has there. Known already, or of an earlier generation, since the way
    /// here may reorder: [`Arrival::Duplicate`]. Torn: the way was down for longer than hops repair, which a receiver would notice after three seconds.
    pub(super) fn take_relayed(&mut self, packet: &MediaPacket<'_>, video: bool, now: Instant) -> Arrival {
        let info = &packet.info;
        if info.generation < self.generation {
            return Arrival::Duplicate;
        }
        if self.generation != info.generation {
            *self = Self { capture_clock: self.capture_clock, ..Self::new(video, false, info.generation) };
        }
        if self.cache.has_seen(info.seq) {
            return Arrival::Duplicate;
        }
        let silent = self.arrived.replace(now).is_some_and(|arrived| now.saturating_duration_since(arrived) > hop::PATIENCE);
        let skipped = self.newest.is_some_and(|newest| info.seq > newest.forward(1));
        self.newest = self.newest.max(Some(info.seq));
        // For the clock rate of sender reports.
        self.reception.get_or_insert_with(|| Reception::new(info.codec.codec.clock_rate(), info.seq, now));
        self.cache.insert(packet);
        Arrival::Fresh { gap: false, torn: video && silent && skipped && !info.keyframe }
    }

    pub(super) fn expect_anew(&mut self) {
        self.arrived = None;
    }

    /// Takes note of an authentic packet. `resent`: it came on the repair stream.
    pub(crate) fn on_packet(&mut self, packet: &MediaPacket<'_>, now: Instant, resent: bool) -> Arrival {
        let info = &packet.info;
        if self.cache.has_seen(info.seq) {
            return Arrival::Duplicate;
        }
        let continuity = self.nack.on_packet(info.seq, self.newest, now, resent);
        self.newest = self.newest.max(Some(info.seq));
        self.reception.get_or_insert_with(|| Reception::new(info.codec.codec.clock_rate(), info.seq, now)).on_packet(
            info.seq,
            info.timestamp,
            now,
            resent,
        );
        self.cache.insert(packet);
        if !self.repairable {
            self.nack.clear();
        }
        let torn = continuity == Continuity::Torn || (continuity == Continuity::Gap && !self.repairable);
        Arrival::Fresh { gap: continuity == Continuity::Gap && self.repairable, torn: torn && info.codec.codec.is_video() }
    }
}
