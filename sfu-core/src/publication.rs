//! One published source: what is known of it, who receives it, and the stream it arrives on.
//!
//! Not here: which participant it belongs to and who may see it (`shard`), what each subscriber gets (`forwarder`).

pub(crate) mod branch;
pub(crate) mod cache;
pub(crate) mod keyframes;
pub(crate) mod layers;
pub(crate) mod nack;
pub(crate) mod offer;
pub(crate) mod reception;
mod rungs;
mod stream;
#[cfg(test)]
mod tests;

use crate::clock::Ntp;
use crate::codec::video_layers_allocation::VideoLayersAllocation;
use crate::codec::{Codec, red};
use crate::dynacast::Dynacast;
use crate::keys::{ParticipantKey, RoomKey};
use crate::layer::{LayerChoice, LayerTag, MAX_ENCODINGS, MAX_SPATIAL, Rung, Rungs, Target};
use crate::packet::{MediaPacket, PacketInfo};
use crate::relay::{Handle, PartDemand};
use crate::shard::Outline;
use crate::shard::ShardId;
use crate::speakers::Loudness;
use branch::Branch;
use keyframes::{KeyframeRequests, Need, Sent};
use layers::{LayerReader, Reading};
use minicbor::{Decode, Encode};
use nearcast_protocol::{Mid, PublicationId, PublicationInfo};
use offer::Offer;
use rungs::{Meter, SILENCE};
use std::time::{Duration, Instant};
pub(crate) use stream::{Arrival, Stream};

/// An encoding that falls silent is off when others of its publication go on for this many pictures, of all together: where a screen
/// stands still and all send one picture a second, none is off.
const PASSED_PICTURES: u64 = 4;

/// All of a publication silent for this long: it has no live encoding. Guess: longer than any pause of a source that lives.
const GONE: Duration = Duration::from_secs(5);

/// Packets that were on their way when the publisher said that their layer is off: guess, with room for a resend.
const ON_THEIR_WAY: Duration = Duration::from_millis(300);

/// One slot of one participant that receives this publication.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Subscriber {
    pub(crate) participant: ParticipantKey,
    /// Index into the participant's slots.
    pub(crate) slot: usize,
}

/// The publisher's last sender report on our clock: which RTP timestamp was captured when.
#[derive(Clone, Copy, Debug, Decode, Encode)]
#[cbor(map)]
pub(crate) struct CaptureClock {
    /// NTP time of the edge's clock.
    #[n(0)]
    pub(crate) ntp: Ntp,
    #[n(1)]
    pub(crate) rtp: u32,
}

/// One encoding of a publication: an RTP stream with its own numbers, cache and feedback.
#[derive(Debug)]
pub(crate) struct Encoding {
    /// What the offer calls it (RFC 8851); none for the only stream of a section.
    pub(crate) rid: Option<String>,
    pub(crate) stream: Stream,
    layers: LayerReader,
    meter: Meter,
    /// Pictures of the publication until its last packet.
    pictures: u64,
    /// What the publisher's allocations call it.
    allocated_as: u8,
}

/// The clocks of a publication's encodings, by index: whose are known can be switched between without a leap in time.
pub(crate) type CaptureClocks = [Option<CaptureClock>; MAX_ENCODINGS];

/// A published source.
#[derive(Debug)]
pub(crate) struct Publication {
    pub(crate) info: PublicationInfo,
    pub(crate) owner: ParticipantKey,
    /// Its home and what that calls it; none: it is published on this shard.
    pub(crate) from: Option<(ShardId, Handle)>,
    /// Where it came from until its publisher moved: what comes from there is taken until the first picture comes from the new home.
    pub(crate) before: Option<(ShardId, Handle)>,
    /// Where it will come from: its publisher is on the way there, and what comes from here is taken until the first picture comes from there.
    pub(crate) next: Option<(ShardId, Handle)>,
    /// Other parts of the room that take some of its encodings, or would: of this one, or of what is passed on here.
    pub(crate) relays: Vec<(ShardId, PartDemand)>,
    /// Over which parts it comes here and goes on, when it is published elsewhere.
    pub(crate) branch: Branch,
    /// The tree that was planned for it, when it is published here.
    pub(crate) outline: Outline,
    /// What its home was last told that is taken here.
    pub(crate) demand_told: PartDemand,
    /// What its next home says it can be had in.
    pub(crate) rungs_next: Option<Box<Rungs>>,
    /// What its home says it can be had in.
    pub(crate) rungs_told: Option<Box<Rungs>>,
    /// What the other parts were last told that it can be had in, and when.
    pub(crate) rungs_sent: Option<(Box<Rungs>, Instant)>,
    pub(crate) room: RoomKey,
    /// The section of the publisher's description that carries it.
    pub(crate) mid: Mid,
    pub(crate) subscribers: Vec<Subscriber>,
    /// 1 to [`MAX_ENCODINGS`], in the offer's order. That is smallest first with browsers, by habit and not by rule: who compares
    /// encodings compares what was measured of them. A position never changes, so that it can stand for the encoding everywhere.
    encodings: Vec<Encoding>,
    pub(crate) keyframes: KeyframeRequests,
    pub(crate) loudness: Loudness,
    /// Its packets are passed on: always in video, in audio while it is among the loudest of the room.
    pub(crate) heard: bool,
    /// When that last changed.
    pub(crate) heard_since: Option<Instant>,
    /// The room knows of it.
    pub(crate) announced: bool,
    /// What it can be had in, as subscribers are told of it.
    pub(crate) offer: Offer,
    /// What its publisher was told to be wanted.
    pub(crate) dynacast: Dynacast,
    generations: u32,
    /// Streams of an earlier generation come from where it was published before.
    begins: u32,
    /// Pictures that began, of all encodings together.
    pictures: u64,
    /// What the publisher last said it has on, and when.
    allocation: Option<(VideoLayersAllocation, Instant)>,
    /// The publisher agreed to send lost packets again (NACK).
    repairable: bool,
    /// Share of its packets that didn't reach us in the last second: 0 to 1.
    pub(crate) upstream_loss: f32,
}

impl Publication {
    /// `rids`: what the offer calls the encodings, in its order; empty for a single stream.
    pub(crate) fn new(info: PublicationInfo, owner: ParticipantKey, room: RoomKey, mid: Mid, repairable: bool, rids: &[String]) -> Self {
        let heard = info.video;
        let mut publication = Self {
            info,
            owner,
            from: None,
            before: None,
            next: None,
            relays: Vec::new(),
            branch: Branch::default(),
            outline: Outline::default(),
            demand_told: PartDemand::default(),
            rungs_next: None,
            rungs_told: None,
            rungs_sent: None,
            room,
            mid,
            subscribers: Vec::new(),
            encodings: Vec::new(),
            keyframes: KeyframeRequests::default(),
            loudness: Loudness::default(),
            heard,
            heard_since: None,
            announced: false,
            offer: Offer::default(),
            dynacast: Dynacast::default(),
            generations: 0,
            begins: 0,
            pictures: 0,
            allocation: None,
            repairable,
            upstream_loss: 0.0,
        };
        publication.add_encodings(rids);
        if publication.encodings.is_empty() {
            publication.add_encoding(None);
        }
        publication
    }

    pub(crate) fn capture_clocks(&self) -> CaptureClocks {
        let mut clocks = CaptureClocks::default();
        clocks.iter_mut().zip(&self.encodings).for_each(|(clock, encoding)| *clock = encoding.stream.capture_clock);
        clocks
    }

    pub(crate) fn id(&self) -> &PublicationId {
        &self.info.id
    }

    /// Takes note of the encodings a later offer names; those it no longer names keep their places.
    pub(crate) fn add_encodings(&mut self, rids: &[String]) {
        for rid in rids {
            if self.encodings.iter().any(|encoding| encoding.rid.as_ref() == Some(rid)) {
                continue;
            }
            match self.encodings.first_mut().filter(|first| first.rid.is_none()) {
                // What was the only stream is the first of several now.
                Some(first) => first.rid = Some(rid.clone()),
                None => self.add_encoding(Some(rid.clone())),
            }
        }
    }

    fn add_encoding(&mut self, rid: Option<String>) {
        if self.encodings.len() < MAX_ENCODINGS {
            let stream = Stream::new(self.info.video, self.repairable, self.generations);
            self.generations = self.generations.wrapping_add(1);
            let allocated_as = u8::try_from(self.encodings.len()).unwrap_or(u8::MAX);
            let (layers, meter) = (LayerReader::default(), Meter::default());
            self.encodings.push(Encoding { rid, stream, layers, meter, pictures: 0, allocated_as });
        }
    }

    /// Takes note of how loud an audio packet is.
    pub(crate) fn note_loudness(&mut self, packet: &MediaPacket<'_>, now: Instant) {
        match packet.info.audio_level {
            Some(level) => self.loudness.on_packet(level, now),
            None => {
                let own = if packet.info.codec.codec == Codec::Red { red::primary(packet.payload).map(|red| red.block) } else { None };
                self.loudness.on_unmarked_packet(own.unwrap_or(packet.payload).len(), now);
            }
        }
    }

    /// All encodings, by index.
    pub(crate) fn encodings(&self) -> &[Encoding] {
        &self.encodings
    }

    /// The stream of an encoding.
    pub(crate) fn stream(&self, encoding: u8) -> Option<&Stream> {
        self.encodings.get(usize::from(encoding)).map(|encoding| &encoding.stream)
    }

    /// The stream of an encoding.
    pub(crate) fn stream_mut(&mut self, encoding: u8) -> Option<&mut Stream> {
        self.encodings.get_mut(usize::from(encoding)).map(|encoding| &mut encoding.stream)
    }

    /// The streams of all encodings.
    pub(crate) fn streams_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.encodings.iter_mut().map(|encoding| &mut encoding.stream)
    }

    /// The stream whose packets have this generation, while it lasts.
    pub(crate) fn stream_of_generation(&self, generation: u32) -> Option<&Stream> {
        self.encodings.iter().map(|encoding| &encoding.stream).find(|stream| stream.generation == generation)
    }

    /// The stream with this SSRC, and its encoding.
    pub(crate) fn stream_of_ssrc(&mut self, ssrc: u32) -> Option<(u8, &mut Stream)> {
        (0..).zip(self.streams_mut()).find(|(_, stream)| stream.ssrc == Some(ssrc))
    }

    /// Takes note of the SSRC that a media packet of an encoding has. Another one than before: the encoding starts anew, alone.
    pub(crate) fn note_ssrc(&mut self, encoding: u8, ssrc: u32) {
        let (video, generation, repairable) = (self.info.video, self.generations, self.repairable);
        let Some(Encoding { stream, layers, meter, .. }) = self.encodings.get_mut(usize::from(encoding)) else { return };
        match stream.ssrc {
            Some(known) if known == ssrc => {}
            // The first packet from here: what came from elsewhere until now is over.
            None if stream.generation < self.begins => {
                *stream = Stream::new(video, repairable, generation);
                stream.ssrc = Some(ssrc);
                self.generations = generation.wrapping_add(1);
            }
            None => stream.ssrc = Some(ssrc),
            Some(_) => {
                stream.restart(ssrc, video, generation);
                layers.clear();
                meter.restart();
                self.generations = generation.wrapping_add(1);
            }
        }
    }

    /// Its publisher has a new transport, and `mid` is the section that carries it there: every encoding starts anew, under whatever SSRC.
    /// What was measured of them stays, so that nobody is given another layer for it.
    pub(crate) fn move_to(&mut self, mid: Mid, repairable: bool, now: Instant) {
        let (video, mut generation) = (self.info.video, self.generations);
        (self.mid, self.repairable, self.allocation) = (mid, repairable, None);
        for Encoding { stream, layers, meter, .. } in &mut self.encodings {
            // What still comes from where it was before is passed on until something comes from here.
            if self.before.is_none() {
                *stream = Stream::new(video, repairable, generation);
                generation = generation.wrapping_add(1);
            }
            layers.clear();
            meter.restart();
        }
        self.generations = generation;
        self.keyframes = KeyframeRequests::default();
        if video && !(self.subscribers.is_empty() && self.relays.is_empty()) {
            (0..MAX_ENCODINGS as u8).zip(&self.encodings).for_each(|(encoding, _)| self.keyframes.want(encoding, Need::Picture, now));
        }
    }

    /// It is published from elsewhere now, or from here: nothing of its streams goes on, and those that come begin at `generation`. What is known of
    /// its qualities stays, so that nobody is given another layer before there is news.
    pub(crate) fn rehome(&mut self, from: Option<(ShardId, Handle)>, generation: u32, now: Instant) {
        if self.from.is_none() {
            // Those that it was sent to ask its new home. Those that it is passed on to have it from here until they have it from there.
            self.relays.clear();
        }
        (self.from, self.next) = (from, None);
        self.outline = Outline::default();
        self.demand_told = PartDemand::default();
        self.rungs_sent = None;
        self.generations = generation;
        if from.is_none() {
            // They get it from its home now.
            self.branch.children.clear();
            self.begins = generation;
            if self.before.is_none() {
                self.rungs_told = None;
            }
        }
        self.keyframes = KeyframeRequests::default();
        if self.info.video && !self.subscribers.is_empty() {
            (0..MAX_ENCODINGS as u8).zip(&self.encodings).for_each(|(encoding, _)| self.keyframes.want(encoding, Need::Picture, now));
        }
    }

    /// Takes note of what a home says that it can be had in. While two have it the one counts from which its packets are taken.
    pub(crate) fn note_rungs(&mut self, home: (ShardId, Handle), rungs: Box<Rungs>) {
        if self.next == Some(home) {
            self.rungs_next = Some(rungs);
        } else if self.before.is_none_or(|before| before == home) {
            self.rungs_told = Some(rungs);
        }
    }

    /// Whether the part that passes it on has that encoding of it.
    fn is_passable(&self, encoding: u8) -> bool {
        self.branch.passable() & 1_u8.wrapping_shl(encoding.into()) != 0
    }

    /// It was published elsewhere before: generations go on behind those that its streams had there.
    pub(crate) fn begin_at(&mut self, generation: u32) {
        self.generations = generation;
        let (video, repairable) = (self.info.video, self.repairable);
        for (generation, encoding) in (generation..).zip(&mut self.encodings) {
            encoding.stream = Stream::new(video, repairable, generation);
            self.generations = generation.wrapping_add(1);
        }
    }

    /// Whether an offer that names its encodings so can carry it on: what was several can't be one, since no packet would say which.
    pub(crate) fn fits(&self, video: bool, rids: &[String]) -> bool {
        self.info.video == video && !(rids.is_empty() && self.encodings.iter().any(|encoding| encoding.rid.is_some()))
    }

    /// Reads which layers a packet of an encoding is of.
    pub(crate) fn read_layers(&mut self, encoding: u8, input: &layers::Input<'_>) -> Reading {
        let reader = self.encodings.get_mut(usize::from(encoding)).map(|encoding| &mut encoding.layers);
        let reading = reader.map_or_else(|| LayerReader::default().read(input), |reader| reader.read(input));
        Reading { tag: LayerTag { encoding, ..reading.tag }, ..reading }
    }

    /// Counts a packet of `bytes`, RTP header included.
    pub(crate) fn measure(&mut self, info: &PacketInfo, bytes: usize, now: Instant) {
        let Some(encoding) = self.encodings.get_mut(usize::from(info.layer.encoding)) else { return };
        if encoding.meter.on_packet(&info.layer, info.timestamp, bytes, now) {
            self.pictures = self.pictures.saturating_add(1);
        }
        encoding.pictures = self.pictures;
    }

    /// Takes note of what the publisher says it has on, on a packet of an encoding.
    pub(crate) fn note_allocation(&mut self, encoding: u8, allocation: VideoLayersAllocation, now: Instant) {
        if let Some(encoding) = self.encodings.get_mut(usize::from(encoding)).filter(|_| allocation.streams > 0) {
            encoding.allocated_as = allocation.stream;
        }
        for encoding in &mut self.encodings {
            for spatial in 0..MAX_SPATIAL {
                let layer = allocation.layer(encoding.allocated_as, spatial);
                if let Some((size, _)) = layer.and_then(|layer| layer.picture) {
                    encoding.layers.note_size(spatial, size);
                }
            }
        }
        self.allocation = Some((allocation, now));
    }

    /// Whether an encoding is being sent: its packets come, or nothing of the publication does for the moment.
    pub(crate) fn is_live(&self, encoding: u8, now: Instant) -> bool {
        if let Some(told) = &self.rungs_told {
            return self.is_passable(encoding) && told.iter().any(|rung| rung.encoding == encoding && rung.live);
        }
        let Some(encoding) = self.encodings.get(usize::from(encoding)) else { return false };
        let Some(last) = encoding.meter.last_packet() else { return false };
        let quiet = now.saturating_duration_since(last);
        let passed = self.pictures.saturating_sub(encoding.pictures) >= PASSED_PICTURES;
        quiet <= SILENCE || (!passed && quiet <= GONE)
    }

    /// Every quality it can be had in, lowest cost first; those that aren't live may come back when they are wanted. An encoding that
    /// never sent has one rung all the same.
    pub(crate) fn rungs(&self, now: Instant) -> Rungs {
        if let Some(told) = &self.rungs_told {
            return told.without(|rung| !self.is_passable(rung.encoding));
        }
        let mut rungs = Rungs::default();
        for (index, encoding) in (0_u8..).zip(&self.encodings) {
            let live = self.is_live(index, now);
            let none = encoding.meter.layers().next().is_none().then(Target::default);
            for target in encoding.meter.layers().chain(none) {
                let allocated = self.allocation.as_ref().and_then(|(layers, _)| layers.layer(encoding.allocated_as, target.spatial));
                let claimed = allocated.and_then(|layer| layer.bitrates().get(usize::from(target.temporal)).copied()).unwrap_or(0);
                let measured = encoding.meter.bitrate(target, now);
                let size = encoding.layers.size(target.spatial).unwrap_or_default();
                rungs.push(Rung {
                    encoding: index,
                    target,
                    bitrate: if measured > 0 { measured } else { u64::from(claimed).saturating_mul(1_000) },
                    width: size.width,
                    height: size.height,
                    fps: encoding.meter.fps(target, now),
                    live: live && self.is_on(encoding, target, now),
                });
            }
        }
        rungs.sort_by_cost();
        rungs
    }

    /// Whether a layer is still being sent while others of its encoding are, and the publisher doesn't say otherwise.
    fn is_on(&self, encoding: &Encoding, target: Target, now: Instant) -> bool {
        let off = self.allocation.as_ref().is_some_and(|(allocation, said)| {
            let layer = allocation.layer(encoding.allocated_as, target.spatial);
            let sent_since = encoding.meter.last_seen(target).is_some_and(|seen| seen > *said + ON_THEIR_WAY);
            layer.is_none_or(|layer| layer.bitrates().len() <= usize::from(target.temporal)) && !sent_since
        });
        !off && encoding.layers.produces(target) && encoding.meter.has(target, now)
    }

    /// A packet of a new home, while the one before, or this part, still sends: until a whole picture begins there is no reason to leave a stream that goes on.
    pub(crate) fn comes_early(&self, encoding: u8, packet: &MediaPacket<'_>) -> bool {
        let newer = self.stream(encoding).is_some_and(|stream| packet.info.generation > stream.generation);
        (self.before.is_some() || self.next.is_some()) && self.info.video && newer && !packet.info.keyframe
    }

    /// Keeps a packet that came from its home, which has asked for what is missing.
    pub(crate) fn take_relayed(&mut self, encoding: u8, packet: &MediaPacket<'_>, now: Instant) -> Arrival {
        let video = self.info.video;
        let Some(stream) = self.stream_mut(encoding) else { return Arrival::Duplicate };
        let arrival = stream.take_relayed(packet, video, now);
        if let Arrival::Fresh { torn, .. } = arrival {
            if video && packet.info.keyframe {
                self.keyframes.on_keyframe(encoding, now);
            }
            if torn {
                self.keyframes.want(encoding, Need::Picture, now);
            }
        }
        arrival
    }

    /// An encoding is taken of its home that wasn't a moment ago: the pause before its first packet was no outage.
    pub(crate) fn expect_anew(&mut self, encoding: u8) {
        if let Some(stream) = self.stream_mut(encoding) {
            stream.expect_anew();
        }
    }

    /// Takes note of an authentic packet of an encoding. `resent`: it came on the repair stream.
    pub(crate) fn on_packet(&mut self, encoding: u8, packet: &MediaPacket<'_>, now: Instant, resent: bool) -> Option<Arrival> {
        let arrival = self.stream_mut(encoding)?.on_packet(packet, now, resent);
        if let Arrival::Fresh { torn, .. } = arrival {
            if packet.info.keyframe && packet.info.codec.codec.is_video() {
                self.keyframes.on_keyframe(encoding, now);
            }
            if torn {
                self.keyframes.want(encoding, Need::Picture, now);
            }
        }
        Some(arrival)
    }

    /// What a key frame is needed for by somebody who is to see `wanted` and sees `current`.
    pub(crate) fn need(&self, wanted: Option<LayerChoice>, current: Option<LayerChoice>) -> Need {
        let area = |layer: LayerChoice| {
            let rungs =
                self.offer.rungs().iter().filter(|rung| rung.encoding == layer.encoding && rung.target.spatial <= layer.target.spatial);
            rungs.map(|rung| u32::from(rung.width).saturating_mul(rung.height.into())).max().unwrap_or(0)
        };
        match (wanted, current) {
            (Some(wanted), Some(current)) if area(wanted) > area(current) => Need::Larger,
            _ => Need::Picture,
        }
    }

    /// Encodings to ask the publisher for now, one bit each; once.
    pub(crate) fn take_due_keyframes(&mut self, now: Instant) -> u8 {
        if !self.keyframes.is_wanted() {
            return 0;
        }
        let mut sent = Sent { several: self.encodings.len() > 1, live: 0, off: 0, first_hand: self.from.is_none() };
        for (encoding, bit) in (0..self.encodings.len()).zip([1_u8, 2, 4, 8]) {
            // Who has just got a new transport was live a moment ago, and can't be asked before its first packet.
            let unknown = sent.first_hand && self.encodings.get(encoding).is_none_or(|it| it.stream.ssrc.is_none());
            if !unknown && self.is_live(u8::try_from(encoding).unwrap_or(u8::MAX), now) {
                sent.live |= bit;
            } else if unknown || (sent.first_hand && self.dynacast.told(encoding) == 0) {
                sent.off |= bit;
            }
        }
        self.keyframes.take_due(now, sent)
    }

    /// Looks at what it can be had in now. True: its subscribers should be looked at anew.
    pub(crate) fn refresh_offer(&mut self, now: Instant) -> bool {
        let rungs = self.rungs(now);
        self.offer.refresh(&rungs, now)
    }

    /// There is something that could be left out.
    pub(crate) fn has_choices(&self) -> bool {
        self.encodings.len() > 1 || self.spatial_layers(0) > 1
    }

    /// Spatial layers known of an encoding, at least one.
    pub(crate) fn spatial_layers(&self, encoding: u8) -> u8 {
        let of_it = self.offer.rungs().iter().filter(|rung| rung.encoding == encoding);
        of_it.map(|rung| rung.target.spatial).max().unwrap_or(0).saturating_add(1)
    }

    /// The encoding with the smallest pictures: the first, until all sizes are known.
    pub(crate) fn smallest_encoding(&self) -> u8 {
        let area = |rung: &Rung| u32::from(rung.width).saturating_mul(u32::from(rung.height));
        let smallest = self.offer.rungs().iter().min_by_key(|rung| (area(rung), rung.encoding));
        smallest.filter(|rung| area(rung) > 0).map_or(0, |rung| rung.encoding)
    }

    /// Encodings that are left, one bit each, when so many of the largest are withheld: never fewer than the smallest. All, while sizes aren't known.
    pub(crate) fn without_largest(&self, withheld: u8) -> u8 {
        let area = |encoding: u8| {
            let of_it = self.offer.rungs().iter().filter(|rung| rung.encoding == encoding);
            of_it.map(|rung| u32::from(rung.width).saturating_mul(rung.height.into())).max().unwrap_or(0)
        };
        let mut sizes: Vec<_> = (0..self.encodings.len() as u8).map(|encoding| (area(encoding), encoding)).collect();
        if sizes.iter().any(|(area, _)| *area == 0) {
            return u8::MAX;
        }
        sizes.sort_unstable();
        let kept = sizes.len().saturating_sub(withheld.into()).max(1);
        sizes.iter().take(kept).fold(0, |kept, (_, encoding)| kept | 1_u8.wrapping_shl((*encoding).into()))
    }

    /// Audio that is sent and not passed on.
    pub(crate) fn is_held_back(&self) -> bool {
        !self.heard && self.stream(0).is_some_and(|stream| stream.ssrc.is_some())
    }
}
