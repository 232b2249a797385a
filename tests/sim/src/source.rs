//! What a client publishes: a camera or a microphone whose every packet carries a [`Tag`].

mod encoder;
mod scalable;

pub(crate) use encoder::Encoder;
pub use encoder::EncodingPlan;

use crate::tag::Tag;
use nearcast_protocol::client::Source as SourceKind;
use nearcast_protocol::{EncodingDemand, PublicationId};
use std::time::{Duration, Instant};
use str0m::media::Mid;

/// How a source behaves. Times are virtual.
#[derive(Clone, Debug)]
pub struct SourcePlan {
    /// What the room is told it is; decides between video and audio.
    pub kind: SourceKind,
    /// Video (VP8) or audio (Opus).
    pub video: bool,
    /// Frames a second.
    pub rate: u32,
    /// Packets of an ordinary frame.
    pub parts: u16,
    /// Packets of a key frame.
    pub key_parts: u16,
    /// Bytes of a payload.
    pub size: usize,
    /// Sequence number of the first packet.
    pub first_seq: u16,
    /// RTP timestamp of the first frame.
    pub first_timestamp: u32,
    /// Picture id of the first frame.
    pub first_picture: u16,
    /// From capture to sending.
    pub encoding: Duration,
    /// Level of RFC 6464, negative dBov; audio only.
    pub level: i8,
    /// Joins muted.
    pub muted: bool,
    /// Answers key-frame requests.
    pub obeys: bool,
    /// Answers one for any encoding with key frames of all that are on, as browsers do.
    pub answers_for_all: bool,
    /// Sends each payload twice (RED, RFC 2198): audio only, and only where it was negotiated.
    pub redundant: bool,
    /// Several encodings (simulcast) of three temporal layers each, instead of one of `parts` packets a frame. Lowest first.
    pub encodings: Vec<EncodingPlan>,
    /// One encoding (VP9) of these spatial layers, of three temporal layers each, every one made from the one below. Lowest first.
    pub scalable: Vec<EncodingPlan>,
}

impl SourcePlan {
    /// 30 frames/s of eight packets: about 2 Mbit/s.
    #[must_use]
    pub fn camera() -> Self {
        Self {
            kind: SourceKind::Camera,
            video: true,
            rate: 30,
            parts: 8,
            key_parts: 20,
            size: 1_100,
            first_seq: 1_000,
            first_timestamp: 123_456_789,
            first_picture: 500,
            encoding: Duration::from_millis(20),
            level: 0,
            muted: false,
            obeys: true,
            answers_for_all: false,
            redundant: false,
            encodings: Vec::new(),
            scalable: Vec::new(),
        }
    }

    /// 20 ms a packet.
    #[must_use]
    pub fn microphone() -> Self {
        Self {
            kind: SourceKind::Microphone,
            video: false,
            rate: 50,
            parts: 1,
            key_parts: 1,
            size: 80,
            first_seq: 7_000,
            first_timestamp: 987_654_321,
            first_picture: 0,
            encoding: Duration::from_millis(5),
            level: -70,
            muted: false,
            obeys: true,
            answers_for_all: false,
            redundant: false,
            encodings: Vec::new(),
            scalable: Vec::new(),
        }
    }

    /// A camera in three encodings, as browsers send 720p: 150 kbit/s, 500 kbit/s, 3 Mbit/s.
    #[must_use]
    pub fn simulcast() -> Self {
        let encoding = |rid, width, height, bitrate| EncodingPlan { rid, width, height, bitrate };
        let encodings = vec![encoding("q", 320, 180, 150_000), encoding("h", 640, 360, 500_000), encoding("f", 1280, 720, 3_000_000)];
        Self { encodings, ..Self::camera() }
    }

    /// A camera in three spatial layers of one stream (VP9 L3T3), as browsers send 720p.
    #[must_use]
    pub fn scalable() -> Self {
        let plan = Self::simulcast();
        Self { scalable: plan.encodings, encodings: Vec::new(), ..plan }
    }

    /// Starts at these numbers.
    #[must_use]
    pub fn starting_at(mut self, seq: u16, timestamp: u32) -> Self {
        (self.first_seq, self.first_timestamp) = (seq, timestamp);
        self
    }

    /// Sends this many frames a second of this many packets.
    #[must_use]
    pub fn paced(mut self, rate: u32, parts: u16) -> Self {
        (self.rate, self.parts, self.key_parts) = (rate, parts, parts);
        self
    }

    fn clock_rate(&self) -> u32 {
        if self.video { 90_000 } else { 48_000 }
    }
}

/// One packet as it was sent.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// When, in virtual time since the world began.
    pub at: Duration,
    /// Sequence number with its roll-overs.
    pub seq: u64,
    /// RTP timestamp.
    pub timestamp: u32,
    /// Starts a key frame.
    pub keyframe: bool,
    /// What it is.
    pub tag: Tag,
}

/// A packet to be handed to the client's WebRTC stack.
pub(crate) struct Outgoing {
    pub(crate) sent: Sent,
    pub(crate) captured: Instant,
    pub(crate) marker: bool,
    pub(crate) payload: Vec<u8>,
}

/// A source that runs.
#[derive(Debug)]
pub struct Source {
    /// How it behaves.
    pub plan: SourcePlan,
    /// The section it is sent in.
    pub mid: Mid,
    /// Set once the edge accepted it.
    pub publication: Option<PublicationId>,
    /// Everything it sent.
    pub sent: Vec<Sent>,
    /// When key frames were asked for, in virtual time since the world began.
    pub keyframe_requests: Vec<Duration>,
    /// What the edge said it needs of its encodings, and when.
    pub demands: Vec<(Duration, Vec<EncodingDemand>)>,
    /// Sends nothing while set; what the camera sees meanwhile is lost, as its timestamps tell.
    pub silent: bool,
    client: u16,
    index: u16,
    next_due: Option<Instant>,
    frame: u32,
    started: Option<Instant>,
    pub(crate) encoders: Vec<Encoder>,
    pub(crate) earlier: Vec<u8>,
}

impl Source {
    pub(crate) fn new(plan: SourcePlan, mid: Mid, client: u16, index: u16) -> Self {
        let plans = if plan.encodings.is_empty() { vec![None] } else { plan.encodings.iter().copied().map(Some).collect() };
        let encoders = plans.into_iter().zip(0..).map(|(encoding, number)| Encoder::new(&plan, number, encoding)).collect();
        Self {
            mid,
            publication: None,
            sent: Vec::new(),
            keyframe_requests: Vec::new(),
            demands: Vec::new(),
            silent: plan.muted,
            client,
            index,
            next_due: None,
            frame: 0,
            started: None,
            encoders,
            earlier: Vec::new(),
            plan,
        }
    }

    /// Begins to send at `now`; nothing happens when it runs already.
    pub(crate) fn start(&mut self, now: Instant) {
        if self.next_due.is_none() {
            let started = *self.started.get_or_insert(now);
            let period = self.period();
            // On its own beat, whatever happened meanwhile.
            let beats = (now.duration_since(started).as_nanos() / period.as_nanos().max(1)) as u32;
            self.frame = self.frame.max(beats);
            self.next_due = Some(started + period * self.frame);
        }
    }

    /// Another transport carries it on, in this section, once it has come up: under new numbers, in the middle of a picture.
    pub(crate) fn move_to(&mut self, mid: Mid) {
        (self.mid, self.next_due) = (mid, None);
        self.plan.first_timestamp = self.plan.first_timestamp.wrapping_add(0x1357_9bdf);
        for encoder in &mut self.encoders {
            encoder.seq = (encoder.seq + 0x4567) & 0x7fff;
        }
    }

    /// As after a restart of the encoder: new numbers, a key frame first.
    pub(crate) fn renumber(&mut self, seq: u16, timestamp: u32) {
        self.plan.first_timestamp = timestamp;
        let encoder = &mut self.encoders[0];
        (encoder.seq, encoder.wants_keyframe) = (u64::from(seq), true);
    }

    /// The same of one encoding, whose timestamps go on.
    pub(crate) fn renumber_encoding(&mut self, encoding: usize, seq: u16) {
        let encoder = &mut self.encoders[encoding];
        (encoder.seq, encoder.wants_keyframe) = (u64::from(seq), true);
    }

    /// The publisher can't afford an encoding any more (or again): it stops, whatever the edge wants.
    pub fn afford(&mut self, encoding: usize, affordable: bool) {
        let encoder = &mut self.encoders[encoding];
        (encoder.affordable, encoder.wants_keyframe) = (affordable, true);
    }

    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.next_due
    }

    /// The edge wants a key frame of the encoding `rid`, or of the only one.
    pub(crate) fn on_keyframe_request(&mut self, at: Duration, rid: Option<&str>) {
        self.keyframe_requests.push(at);
        let all = rid.is_none() || self.plan.answers_for_all;
        for encoder in self.encoders.iter_mut().filter(|encoder| all || encoder.rid() == rid) {
            encoder.wants_keyframe |= self.plan.obeys;
        }
    }

    /// The edge says which encodings it needs.
    pub(crate) fn on_demand(&mut self, at: Duration, encodings: &[EncodingDemand]) {
        self.demands.push((at, encodings.to_vec()));
        for demand in encodings {
            let asked = |encoder: &&mut Encoder| encoder.rid().unwrap_or_default() == demand.rid;
            if let Some(encoder) = self.encoders.iter_mut().find(asked) {
                encoder.wants_keyframe |= demand.active && !encoder.active;
                encoder.active = demand.active;
                encoder.limit(demand.spatial_layers);
            }
        }
    }

    fn period(&self) -> Duration {
        Duration::from_secs(1) / self.plan.rate
    }

    /// The packets of the frame due at `now`, where the world began at `base`.
    pub(crate) fn frame(&mut self, now: Instant, base: Instant) -> Vec<Outgoing> {
        let frame = self.frame;
        self.frame += 1;
        self.next_due = self.started.map(|started| started + self.period() * self.frame);
        if self.silent {
            self.encoders.iter_mut().for_each(|encoder| encoder.wants_keyframe = true);
            return Vec::new();
        }
        let captured = now.checked_sub(self.plan.encoding).unwrap_or(now);
        let timestamp = self.plan.first_timestamp.wrapping_add(frame.wrapping_mul(self.plan.clock_rate() / self.plan.rate));
        let captured_us = captured.saturating_duration_since(base).as_micros() as u64;
        let (client, source) = (self.client, self.index);
        let tag = Tag { client, source, frame, part: 0, parts: 0, encoding: 0, temporal: 0, captured: captured_us };
        let at = now.duration_since(base);
        let encoders = self.encoders.iter_mut().filter(|encoder| encoder.active && encoder.affordable);
        let packets: Vec<_> = encoders.flat_map(|encoder| encoder.frame(&self.plan, tag, timestamp, captured, at)).collect();
        self.sent.extend(packets.iter().map(|packet| packet.sent));
        packets
    }
}

/// A RED payload (RFC 2198) of two blocks of one payload type, the second of which is the packet's own.
pub(crate) fn red(payload_type: u8, earlier: &[u8], own: &[u8]) -> Vec<u8> {
    let length = earlier.len() as u16;
    // 14 bits of timestamp offset (a 20 ms frame at 48 kHz), 10 bits of length.
    let [a, b, c] = [(960 >> 6) as u8, ((960 << 2) & 0xff) as u8 | (length >> 8) as u8, length as u8];
    [&[0x80 | payload_type, a, b, c, payload_type], earlier, own].concat()
}
