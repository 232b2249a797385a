//! A publisher with encodings and layers, a network that loses, delays and repeats, a subscriber who changes its mind; and a receiver that
//! knows nothing of how the forwarder works, and holds what it gets against what was sent.

use super::*;
use crate::layer::{LayerTag, Target, Targets};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

mod checks;
mod found;

/// Ticks of 90 kHz in a frame at 30 frames/s.
const FRAME: u32 = 3_000;

/// How an encoding is layered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Structure {
    pub(super) spatial: u8,
    pub(super) temporal: u8,
    /// Spatial layers refer to each other in key pictures only.
    pub(super) key_mode: bool,
}

/// A frame: the encoding, the picture and the spatial layer.
type FrameId = (u8, u32, u8);

/// One frame as it was sent.
#[derive(Clone, Debug)]
struct Frame {
    packets: u8,
    refers_to: Vec<FrameId>,
}

/// One packet on its way to the edge.
#[derive(Clone, Debug)]
struct Sent {
    frame: FrameId,
    part: u8,
    packet: Packet,
}

/// What becomes of a packet on its way.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    InTurn,
    /// Milliseconds.
    Late(u8),
    Lost,
    Twice,
}

/// What happens at a picture.
#[derive(Clone)]
pub(super) struct Step {
    /// Encodings that send a key picture now, one bit each.
    pub(super) keys: u8,
    pub(super) ask: Option<Option<(u8, Target)>>,
    /// Of its packets, in turn.
    pub(super) fates: Vec<Fate>,
    /// A number that the receiver has, this far back, and asks for all the same.
    pub(super) echo: Option<u8>,
}

/// Short, as a failing plan has many and most are dull.
impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let fates: Vec<_> = self.fates.iter().enumerate().filter(|(_, fate)| !matches!(fate, Fate::InTurn)).collect();
        write!(f, "{:b} {:?} {}{fates:?} {:?}", self.keys, self.ask, self.fates.len(), self.echo)
    }
}

/// A run of one plan.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) structures: Vec<Structure>,
    pub(super) steps: Vec<Step>,
    pub(super) rtx: bool,
    /// The publisher's sender reports have come.
    pub(super) clocks: bool,
}

/// One encoding's state at the publisher.
#[derive(Clone, Debug)]
struct Encoder {
    structure: Structure,
    seq: Seq,
    offset: u32,
    first_picture: u16,
    tl0: u8,
    /// Place in the pattern of temporal layers.
    place: usize,
    last: BTreeMap<(u8, &'static str), FrameId>,
}

pub(super) struct World {
    plan: Plan,
    pub(super) stage: Stage,
    encoders: Vec<Encoder>,
    frames: BTreeMap<FrameId, Frame>,
    /// What has come to the edge, by encoding and number.
    cache: BTreeMap<(u8, Seq), Sent>,
    arrivals: BTreeMap<(FrameId, u8), Instant>,
    /// On the way: by time, then order of sending.
    travelling: BTreeMap<(Instant, u32), Sent>,
    lost: u32,
    start: Instant,
    seen: BTreeMap<u64, Seen>,
    rtx_indices: BTreeSet<u64>,
    order: u32,
}

/// What a packet of the model says it is: encoding, picture, spatial layer, part.
pub(super) type Label = (u8, u32, u8, u8);

impl World {
    /// A publisher with these encodings whose clocks are known, and a subscriber with RTX, for tests that play picture by picture.
    pub(super) fn of(structures: &[Structure]) -> Self {
        Self::new(Plan { structures: structures.to_vec(), steps: Vec::new(), rtx: true, clocks: true })
    }

    pub(super) fn ask_for(&mut self, encoding: u8, spatial: u8, temporal: u8) {
        self.stage.forwarder.set_layer(Some(LayerChoice { encoding, target: Target { spatial, temporal } }));
    }

    pub(super) fn new(plan: Plan) -> Self {
        let mut stage = Stage::new(32_700);
        stage.forwarder = Forwarder::new(SSRC, plan.rtx.then_some(RTX_SSRC), true, 32_700);
        let mut format = negotiated();
        if !plan.rtx {
            format.codecs[0].rtx_payload_type = None;
            format.codecs[2].rtx_payload_type = None;
        }
        stage.format = SlotFormat::new("1".into(), format);
        let source = stage.publications.insert(());
        stage.forwarder.bind(source);
        let encoders = plan.structures.iter().zip(0_u32..).map(|(structure, index)| Encoder {
            structure: *structure,
            seq: Seq::first(65_500_u16.wrapping_add(index as u16 * 7_777)),
            offset: index.wrapping_mul(1_234_567_890).wrapping_sub(20 * FRAME),
            first_picture: 0x7ff0 + index as u16,
            tl0: 250 + index as u8,
            place: 0,
            last: BTreeMap::new(),
        });
        let encoders = encoders.collect();
        let start = stage.now;
        Self {
            plan,
            stage,
            encoders,
            frames: BTreeMap::new(),
            cache: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            travelling: BTreeMap::new(),
            lost: 0,
            start,
            seen: BTreeMap::new(),
            rtx_indices: BTreeSet::new(),
            order: 0,
        }
    }

    fn vp9(&self) -> bool {
        self.plan.structures.iter().any(|structure| structure.spatial > 1)
    }

    /// Plays the plan to its end, with all that was lost asked for again.
    pub(super) fn run(mut self) -> Self {
        let steps = self.plan.steps.clone();
        for (step, picture) in steps.iter().zip(0_u32..) {
            if let Some(ask) = step.ask {
                let layer = ask.map(|(encoding, target)| LayerChoice { encoding: encoding % self.encoders.len() as u8, target });
                self.stage.forwarder.set_layer(layer);
            }
            let at = self.start + Duration::from_micros(33_333) * picture;
            for encoding in 0..self.encoders.len() as u8 {
                let key = picture == 0 || step.keys & (1 << encoding) != 0;
                let sent = self.picture(encoding, picture, key, step.fates.len());
                for (index, sent) in sent.into_iter().enumerate() {
                    // Packets of the encodings lie between each other.
                    let at = at + Duration::from_micros(300 * index as u64 + 100 * u64::from(encoding));
                    self.dispatch(at, sent, step.fates[(index + usize::from(encoding) * 5) % step.fates.len()]);
                }
            }
            self.deliver(at + Duration::from_millis(33));
            self.ask_for_missing();
            let echo = step.echo.and_then(|back| self.seen.keys().rev().nth(back.into()).copied());
            echo.into_iter().for_each(|index| self.ask(index));
        }
        for _ in 0..4 {
            self.deliver(self.stage.now + Duration::from_millis(25));
            self.ask_for_missing();
        }
        self
    }

    fn dispatch(&mut self, at: Instant, sent: Sent, fate: Fate) {
        self.order += 1;
        let order = self.order;
        match fate {
            Fate::InTurn => drop(self.travelling.insert((at, order), sent)),
            Fate::Late(by) => drop(self.travelling.insert((at + Duration::from_millis(by.into()), order), sent)),
            Fate::Lost => self.lost += 1,
            Fate::Twice => {
                self.travelling.insert((at, order), sent.clone());
                self.order += 1;
                self.travelling.insert((at + Duration::from_millis(2), self.order), sent);
            }
        }
    }

    fn deliver(&mut self, until: Instant) {
        while let Some(entry) = self.travelling.first_entry().filter(|entry| entry.key().0 <= until) {
            let ((at, _), sent) = entry.remove_entry();
            self.stage.now = at;
            // The edge drops what it has seen, but the forwarder must not depend on it.
            self.arrivals.entry((sent.frame, sent.part)).or_insert(at);
            self.cache.insert((sent.frame.0, sent.packet.info.seq), sent.clone());
            self.offer(&sent.packet);
        }
        self.stage.now = until;
    }

    fn clocks(&self) -> CaptureClocks {
        let mut clocks = CaptureClocks::default();
        for (place, encoder) in clocks.iter_mut().zip(&self.encoders).filter(|_| self.plan.clocks) {
            *place = Some(CaptureClock { ntp: Ntp(1 << 40), rtp: encoder.offset });
        }
        clocks
    }

    /// Offers a packet as the fan-out does; returns what went out.
    pub(super) fn offer(&mut self, packet: &Packet) -> Vec<Seen> {
        if !self.stage.forwarder.wants(packet.info.layer.encoding) {
            return Vec::new();
        }
        let mut out: Vec<_> = self.forward(packet).into_iter().collect();
        while let Some(missed) = self.stage.forwarder.next_missed() {
            if let Some(sent) = self.cache.get(&(missed.encoding, missed.seq)).cloned() {
                out.extend(self.forward(&sent.packet));
            }
        }
        out
    }

    /// A picture that has come to the edge, a frame interval after the one numbered before it.
    pub(super) fn arrive(&mut self, encoding: u8, picture: u32, key: bool) -> Vec<Packet> {
        self.stage.now = self.start + Duration::from_micros(33_333) * picture;
        // Four packets in its lowest layer.
        let salt = (picture as usize + 3 * usize::from(encoding)) % 4 + 3;
        let sent = self.picture(encoding, picture, key, salt);
        for sent in &sent {
            self.cache.insert((encoding, sent.packet.info.seq), sent.clone());
        }
        sent.into_iter().map(|sent| sent.packet).collect()
    }

    /// The same, offered at once.
    pub(super) fn show(&mut self, encoding: u8, picture: u32, key: bool) -> Vec<Seen> {
        self.arrive(encoding, picture, key).iter().flat_map(|packet| self.offer(packet)).collect()
    }

    fn forward(&mut self, packet: &Packet) -> Option<Seen> {
        let mut out = vec![0; 1_500];
        let media = MediaPacket { info: packet.info, payload: &packet.payload, dependency: &[] };
        let clocks = self.clocks();
        let written = self.stage.forwarder.forward(self.stage.now, &media, &clocks, &self.stage.format, &mut out);
        let seen = seen(&out, written?);
        self.note(seen.clone());
        Some(seen)
    }

    fn ask_for_missing(&mut self) {
        let (Some((first, _)), Some((last, _))) = (self.seen.first_key_value(), self.seen.last_key_value()) else { return };
        let missing: Vec<_> = (*first..*last).filter(|index| !self.seen.contains_key(index)).collect();
        missing.into_iter().for_each(|index| self.ask(index));
    }

    fn ask(&mut self, wanted: u64) {
        let Some(resend) = self.stage.forwarder.find_for_resend(wanted as u16, self.stage.now, None) else { return };
        let Some(sent) = self.cache.get(&(resend.encoding(), resend.seq())).cloned() else { return };
        let mut out = vec![0; 1_500];
        let media = MediaPacket { info: sent.packet.info, payload: &sent.packet.payload, dependency: &[] };
        if let Some(written) = self.stage.forwarder.resend(&resend, &media, &self.stage.format, &mut out) {
            self.note(seen(&out, written));
        }
    }

    /// Takes a packet as a receiver does: one from the RTX stream becomes what it repeats.
    fn note(&mut self, seen: Seen) {
        if seen.header.ssrc == RTX_SSRC {
            assert!(self.rtx_indices.insert(seen.index), "an index of the RTX stream was sealed twice");
            let (original, payload) = rtx_decode(&seen.payload).unwrap();
            let newest = *self.seen.last_key_value().unwrap().0;
            let index = Seq::from_packet_index(newest).unwrap_next(original).packet_index().unwrap();
            let header = RtpHeader { ssrc: SSRC, seq: original, ..seen.header };
            let restored = Seen { header, index, payload: payload.to_vec() };
            if let Some(before) = self.seen.get(&index) {
                assert_eq!(before.media(), restored.media(), "another packet was sent again than was lost");
                assert_eq!(before.header.timestamp, restored.header.timestamp);
            } else {
                self.seen.insert(index, restored);
            }
            return;
        }
        if let Some(before) = self.seen.get(&seen.index) {
            assert_eq!(before, &seen, "one index was sealed with two contents");
        }
        self.seen.insert(seen.index, seen);
    }
}

impl Seen {
    /// The payload without RTP padding.
    fn media(&self) -> &[u8] {
        if self.header.has_padding { &[] } else { &self.payload }
    }
}

impl World {
    /// A picture of one encoding: all its packets, in order.
    fn picture(&mut self, encoding: u8, picture: u32, key: bool, salt: usize) -> Vec<Sent> {
        let vp9 = self.vp9();
        let encoder = &mut self.encoders[usize::from(encoding)];
        let structure = encoder.structure;
        let pattern: &[u8] = [&[0][..], &[0, 1], &[0, 2, 1, 2]][usize::from(structure.temporal) - 1];
        encoder.place = if key { 0 } else { (encoder.place + 1) % pattern.len() };
        let temporal = pattern[encoder.place];
        let last_place = encoder.place == 3;
        if temporal == 0 {
            encoder.tl0 = encoder.tl0.wrapping_add(1);
        }
        let number = encoder.first_picture.wrapping_add(picture as u16) & 0x7fff;
        let mut all = Vec::new();
        for spatial in 0..structure.spatial {
            let id = (encoding, picture, spatial);
            let top = spatial + 1 == structure.spatial;
            let mut refers_to = Vec::new();
            if !key {
                let base = encoder.last.get(&(spatial, "base"));
                let middle = encoder.last.get(&(spatial, "middle")).filter(|_| last_place);
                refers_to.extend(base.into_iter().chain(middle).copied());
            }
            if spatial > 0 && (key || !structure.key_mode) {
                refers_to.push((encoding, picture, spatial - 1));
            }
            match temporal {
                0 => drop(encoder.last.insert((spatial, "base"), id)),
                1 => drop(encoder.last.insert((spatial, "middle"), id)),
                _ => {}
            }
            let packets = 1 + ((picture as usize * 7 + salt + usize::from(spatial) + usize::from(encoding)) % 4) as u8;
            self.frames.insert(id, Frame { packets, refers_to });
            let layer = Target { spatial, temporal };
            let present = if structure.key_mode && !key {
                Targets::which(|target| target.temporal >= temporal && (target.spatial == spatial || (top && target.spatial > spatial)))
            } else {
                Targets::at_least(layer)
            };
            let switch = if key && spatial == 0 { Targets::ALL } else { Targets::NONE };
            // The last picture of a pattern of four needs the third.
            let sync = if last_place { Targets::which(|target| target.temporal <= 1) } else { Targets::ALL };
            for part in 0..packets {
                let (first, last) = (part == 0, part + 1 == packets);
                let tag = LayerTag {
                    encoding,
                    layer,
                    present,
                    switch: if first { switch } else { Targets::NONE },
                    sync: if first { sync } else { Targets::NONE },
                    starts_frame: first,
                    ends_frame: last,
                    nested: !structure.key_mode,
                    known: Targets::NONE,
                    produced: Targets::NONE,
                };
                let info = PacketInfo {
                    generation: encoding.into(),
                    seq: encoder.seq,
                    timestamp: encoder.offset.wrapping_add(picture * FRAME),
                    marker: last && top,
                    payload_type: 120,
                    codec: CodecKey::of(if vp9 { Codec::Vp9 } else { Codec::Vp8 }),
                    keyframe: key && first && spatial == 0,
                    layer: tag,
                    audio_level: None,
                    video_orientation: None,
                };
                let [high, low] = number.to_be_bytes();
                let mut payload = if vp9 {
                    let flags = 0xa0 | if key { 0 } else { 0x40 } | if first { 0x08 } else { 0 } | if last { 0x04 } else { 0 };
                    vec![flags, 0x80 | high, low, (temporal << 5) | (spatial << 1), encoder.tl0]
                } else {
                    let flags = 0x80 | if first { 0x10 } else { 0 };
                    vec![flags, 0xe0, 0x80 | high, low, encoder.tl0, temporal << 6, u8::from(!key)]
                };
                payload.extend([encoding, spatial, part, packets]);
                payload.extend(picture.to_be_bytes());
                encoder.seq = encoder.seq.forward(1);
                all.push(Sent { frame: id, part, packet: Packet { info, payload } });
            }
        }
        all
    }
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        20 => Just(Fate::InTurn),
        2 => (1..6_u8).prop_map(Fate::Late),
        1 => (20..60_u8).prop_map(Fate::Late),
        1 => Just(Fate::Lost),
        1 => Just(Fate::Twice),
    ]
}

fn ask() -> impl Strategy<Value = Option<(u8, Target)>> {
    let target = (0..4_u8, 0..4_u8).prop_map(|(spatial, temporal)| Target { spatial, temporal });
    prop_oneof![1 => Just(None), 6 => (0..3_u8, target).prop_map(Some)]
}

fn step(fate: impl Strategy<Value = Fate>) -> impl Strategy<Value = Step> {
    let keys = prop_oneof![4 => Just(0_u8), 1 => any::<u8>()];
    let asks = prop_oneof![4 => Just(None), 1 => ask().prop_map(Some)];
    (keys, asks, prop::collection::vec(fate, 7..13), prop::option::of(0..40_u8)).prop_map(|(keys, ask, fates, echo)| Step {
        keys,
        ask,
        fates,
        echo,
    })
}

fn structure(layered: bool) -> impl Strategy<Value = Structure> {
    let spatial = if layered { 1..4_u8 } else { 1..2_u8 };
    (spatial, 1..4_u8, any::<bool>()).prop_map(|(spatial, temporal, key_mode)| Structure { spatial, temporal, key_mode })
}

fn plan(layered: bool, fates: impl Strategy<Value = Fate>) -> impl Strategy<Value = Plan> {
    (prop::collection::vec(structure(layered), 1..4), prop::collection::vec(step(fates), 10..60), any::<bool>(), any::<bool>())
        .prop_map(|(structures, steps, rtx, clocks)| Plan { structures, steps, rtx, clocks })
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn whatever_happens_to_simulcast_the_receiver_finds_nothing_wrong(plan in plan(false, fate())) {
        World::new(plan).run().check();
    }

    #[test]
    fn whatever_happens_to_layers_the_receiver_finds_nothing_wrong(plan in plan(true, fate())) {
        World::new(plan).run().check();
    }

    #[test]
    fn a_perfect_network_leaves_nothing_out_of_place(plan in plan(true, Just(Fate::InTurn))) {
        let world = World::new(plan).run();
        world.check();
        world.check_without_loss();
    }
}
