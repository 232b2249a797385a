//! A publisher that may do anything, and one subscriber: what comes out must still be a stream that a receiver can trust.
//!
//! The publisher's packets are authentic (it has keys) and otherwise as the plan says: numbers and times that jump, run back or repeat,
//! descriptors that lie, markers in the wrong place, encodings that stop. What must hold is in [`Stage::check`].

use super::Plan;
use crate::clock::Ntp;
use crate::codec::Codec;
use crate::egress::guard::Guard;
use crate::forwarder::{Forwarder, SlotFormat, Written};
use crate::keys::{ParticipantKey, PublicationKey, RoomKey};
use crate::layer::{LayerChoice, LayerTag, Target};
use crate::packet::{MediaPacket, PacketInfo};
use crate::publication::layers::Input;
use crate::publication::{Arrival, CaptureClock, Publication};
use crate::rtp::{ExtensionKind, RtpHeader, Seq};
use crate::sdp::{CodecKey, Direction, Feedback, HeaderExtension, NegotiatedSection, OfferedCodec};
use nearcast_protocol::PublicationInfo;
use nearcast_protocol::client::Source;
use slotmap::SlotMap;
use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

/// Steps of a plan that are played: more find nothing new.
const STEPS: usize = 2_000;

/// Older packets are refused by SRTP's replay window.
const REPLAY_REACH: u64 = 1_024;

/// A stream number that the subscriber got.
struct Out {
    bytes: Vec<u8>,
    timestamp: u32,
    /// Which packet of the publisher's; none for an empty one.
    of: Option<In>,
    /// What was being forwarded.
    target: Option<Target>,
    /// How many left before it.
    order: usize,
}

impl Out {
    /// For whoever has to find out.
    fn tell(&self) -> String {
        let of = self.of.map(|of| (of.tag.encoding, of.generation, of.seq.value(), of.timestamp));
        format!("{} as {}th of (encoding, generation, number, time) {of:?}", self.timestamp, self.order)
    }
}

/// A packet of the publisher's.
#[derive(Clone, Copy)]
struct In {
    generation: u32,
    seq: Seq,
    timestamp: u32,
    tag: LayerTag,
}

/// One encoding at the publisher.
#[derive(Clone, Copy)]
struct Encoder {
    next: u16,
    timestamp: u32,
    picture: u16,
    ssrc: u32,
}

struct Stage {
    now: Instant,
    keys: SlotMap<PublicationKey, ()>,
    source: PublicationKey,
    publication: Publication,
    forwarder: Forwarder,
    format: SlotFormat,
    guard: Guard,
    codec: Codec,
    encoders: Vec<Encoder>,
    came: BTreeMap<(u32, Seq), In>,
    sent: BTreeMap<u64, Out>,
    repairs: HashSet<u64>,
}

/// Plays a plan to its end and checks what came out.
pub fn egress(bytes: &[u8]) {
    let mut plan = Plan::new(bytes);
    let (Some(kind), Some(shape)) = (plan.byte(), plan.byte()) else { return };
    let mut stage = Stage::new(kind, shape);
    for _ in 0..STEPS {
        let Some(step) = plan.byte() else { break };
        stage.step(step, &mut plan);
    }
    stage.check();
}

fn format(rtx: bool, numbered: bool) -> SlotFormat {
    let all = [Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1, Codec::Opus];
    let codecs = all.into_iter().zip([96_u8, 98, 102, 45, 111]).map(|(codec, payload_type)| OfferedCodec {
        payload_type,
        key: CodecKey::of(codec),
        rtx_payload_type: (rtx && codec.is_video()).then_some(payload_type + 1),
        fmtp: None,
        feedback: Feedback::default(),
    });
    let extension = |id, kind| HeaderExtension { id, kind, direction: Direction::SendRecv };
    let extensions =
        vec![extension(1, ExtensionKind::Mid), extension(3, ExtensionKind::TransportCc), extension(5, ExtensionKind::DependencyDescriptor)];
    let format = SlotFormat::new("0".into(), NegotiatedSection { codecs: codecs.collect(), extensions, rids: Vec::new() });
    if numbered { format.with_transport_cc() } else { format }
}

impl Stage {
    fn new(kind: u8, shape: u8) -> Self {
        let codec = [Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1, Codec::Opus].get(usize::from(kind % 5)).copied();
        let codec = codec.unwrap_or(Codec::Vp8);
        let video = codec.is_video();
        let count = if video { shape % 3 + 1 } else { 1 };
        let rids: Vec<String> = (0..count).filter(|_| count > 1).map(|number| number.to_string()).collect();
        let source = if video { Source::Camera } else { Source::Microphone };
        let info = PublicationInfo { id: "p".into(), video, source, name: String::new(), muted: false, blocked: false };
        let publication = Publication::new(info, ParticipantKey::default(), RoomKey::default(), "0".into(), true, &rids);
        let (rtx, numbered) = (shape & 0x10 != 0, shape & 0x20 != 0);
        let first = if shape & 0x40 != 0 { 0x7fff } else { 0 };
        let mut keys = SlotMap::with_key();
        let bound = keys.insert(());
        let mut forwarder = Forwarder::new(1, (rtx && video).then_some(2), video, first);
        forwarder.bind(bound);
        let encoder = |number: u8| Encoder {
            next: if shape & 0x80 != 0 { 0xfff0 } else { 1 },
            timestamp: u32::MAX - 20_000 * u32::from(number + 1),
            picture: 0x7ff8,
            ssrc: 100 + u32::from(number),
        };
        Self {
            now: Instant::now(),
            keys,
            source: bound,
            publication,
            forwarder,
            format: format(rtx, numbered),
            guard: Guard::default(),
            codec,
            encoders: (0..count).map(encoder).collect(),
            came: BTreeMap::new(),
            sent: BTreeMap::new(),
            repairs: HashSet::new(),
        }
    }

    fn step(&mut self, step: u8, plan: &mut Plan<'_>) {
        match step & 7 {
            0..=4 => self.packet(usize::from(step >> 3), plan),
            5 => {
                let choice = plan.byte().unwrap_or(0);
                let target = Target { spatial: choice & 3, temporal: choice >> 2 & 3 };
                let layer = LayerChoice { encoding: choice >> 4 & 3, target };
                self.forwarder.set_layer((choice & 0x80 == 0).then_some(layer));
            }
            6 => self.ask(plan.word()),
            _ => self.turn_of_events(step >> 3, plan),
        }
    }

    fn turn_of_events(&mut self, which: u8, plan: &mut Plan<'_>) {
        let number = plan.byte().unwrap_or(0);
        let place = usize::from(number) % self.encoders.len();
        match which % 6 {
            // An encoder begins anew.
            0 => {
                if let Some(encoder) = self.encoders.get_mut(place) {
                    encoder.ssrc = encoder.ssrc.wrapping_add(10);
                    encoder.next = plan.word();
                    encoder.timestamp = plan.long();
                }
            }
            1 => {
                self.source = self.keys.insert(());
                self.forwarder.bind(self.source);
            }
            2 => {
                let clock = CaptureClock { ntp: Ntp(u64::from(plan.long()) << 20), rtp: plan.long() };
                if let Some(stream) = self.publication.stream_mut(place as u8) {
                    stream.capture_clock = Some(clock);
                }
            }
            3 => self.now += Duration::from_millis(u64::from(number) * 40),
            4 => self.forwarder.forget_sent(),
            _ => self.probe(),
        }
    }

    /// A packet of one encoding, as the publisher likes.
    fn packet(&mut self, place: usize, plan: &mut Plan<'_>) {
        let (flags, wait) = (plan.byte().unwrap_or(0), plan.byte().unwrap_or(0));
        self.now += Duration::from_micros(u64::from(wait) * 300);
        let count = self.encoders.len();
        let place = place % count;
        let Some(encoder) = self.encoders.get_mut(place) else { return };
        let mut wire = encoder.next;
        match flags & 0xc0 {
            0x40 => wire = encoder.next.wrapping_sub(1 + plan.word() % 80),
            0x80 => {
                wire = plan.word();
                encoder.next = wire.wrapping_add(1);
            }
            0xc0 => {
                encoder.next = encoder.next.wrapping_add(1 + u16::from(wait & 3));
                wire = encoder.next.wrapping_sub(1);
            }
            _ => encoder.next = encoder.next.wrapping_add(1),
        }
        match flags & 0x30 {
            0x10 => {
                encoder.timestamp = encoder.timestamp.wrapping_add(3_000);
                encoder.picture = encoder.picture.wrapping_add(1) & 0x7fff;
            }
            0x20 => encoder.timestamp = plan.long(),
            _ => {}
        }
        let timestamp = if flags & 0x30 == 0x30 { encoder.timestamp.wrapping_sub(u32::from(plan.word())) } else { encoder.timestamp };
        let payload = payload(self.codec, flags, encoder.picture, plan);
        let dependency = if flags & 4 != 0 && self.codec.is_video() { plan.chunk(64) } else { &[] };
        let (encoding, ssrc, marker) = (place as u8, encoder.ssrc, flags & 1 != 0);
        self.arrive(encoding, ssrc, wire, timestamp, marker, &payload, dependency);
    }

    /// What `shard::ingress` does with a packet that SRTP has let in.
    #[expect(clippy::too_many_arguments, reason = "the parts of a packet")]
    fn arrive(&mut self, encoding: u8, ssrc: u32, wire: u16, timestamp: u32, marker: bool, payload: &[u8], dependency: &[u8]) {
        let (codec, now) = (self.codec, self.now);
        self.publication.note_ssrc(encoding, ssrc);
        let Some(stream) = self.publication.stream(encoding) else { return };
        let seq = stream.newest.map_or(Seq::first(wire), |newest| newest.unwrap_next(wire));
        if stream.newest.is_some_and(|newest| newest > seq && newest.since(seq) > REPLAY_REACH) {
            return;
        }
        let generation = stream.generation;
        let reading = self.publication.read_layers(encoding, &Input { codec, payload, dependency, marker, timestamp });
        let info = PacketInfo {
            generation,
            seq,
            timestamp,
            marker,
            payload_type: 120,
            codec: CodecKey::of(codec),
            keyframe: reading.keyframe,
            layer: reading.tag,
            audio_level: None,
            video_orientation: None,
        };
        let packet = MediaPacket { info, payload, dependency };
        if !matches!(self.publication.on_packet(encoding, &packet, now, false), Some(Arrival::Fresh { .. })) {
            return;
        }
        self.publication.measure(&info, payload.len() + 12, now);
        self.came.insert((generation, seq), In { generation, seq, timestamp, tag: reading.tag });
        if !self.forwarder.wants(encoding) {
            return;
        }
        self.forward(&packet);
        while let Some(missed) = self.forwarder.next_missed() {
            let Some(stream) = self.publication.stream(missed.encoding) else { continue };
            let Some(packet) = stream.cache.lookup(missed.seq) else { continue };
            let owned = (packet.info, packet.payload.to_vec(), packet.dependency.to_vec());
            self.forward(&MediaPacket { info: owned.0, payload: &owned.1, dependency: &owned.2 });
        }
    }

    fn forward(&mut self, packet: &MediaPacket<'_>) {
        let mut out = [0; 1_500];
        let clocks = self.publication.capture_clocks();
        let Some(written) = self.forwarder.forward(self.now, packet, &clocks, &self.format, &mut out) else { return };
        let header = self.sent(&out, &written, packet, false);
        let admitted = self.guard.admit(written.index, header.timestamp);
        assert_eq!(admitted, Ok(()), "what the forwarder lets through, the guard would stop");
    }

    fn ask(&mut self, back: u16) {
        let newest = self.sent.last_key_value().map_or(0, |(index, _)| *index as u16);
        let Some(resend) = self.forwarder.find_for_resend(newest.wrapping_sub(back % 200), self.now, None) else { return };
        let Some(stream) = self.publication.stream_of_generation(resend.generation()) else { return };
        let Some(packet) = stream.cache.lookup(resend.seq()) else { return };
        let owned = (packet.info, packet.payload.to_vec(), packet.dependency.to_vec());
        let packet = MediaPacket { info: owned.0, payload: &owned.1, dependency: &owned.2 };
        let mut out = [0; 1_500];
        if let Some(written) = self.forwarder.resend(&resend, &packet, &self.format, &mut out) {
            self.sent(&out, &written, &packet, true);
        }
    }

    fn probe(&mut self) {
        let mut out = [0; 1_500];
        if let Some(written) = self.forwarder.padding(&self.format, 200, &mut out) {
            assert!(self.repairs.insert(written.index), "an index of the RTX stream was used twice");
        }
    }

    /// Notes what left, and that nothing else ever left under its number.
    fn sent(&mut self, out: &[u8], written: &Written, packet: &MediaPacket<'_>, again: bool) -> RtpHeader {
        let bytes = out.get(..written.len).unwrap_or_default().to_vec();
        let header = RtpHeader::parse(&bytes);
        assert!(header.is_ok_and(|header| header.header_len == written.header_len && header.seq == written.index as u16));
        let Ok(header) = header else { unreachable!("checked just now") };
        if header.ssrc == 2 {
            assert!(again && self.repairs.insert(written.index), "an index of the RTX stream was used twice");
            return header;
        }
        let info = &packet.info;
        let of = In { generation: info.generation, seq: info.seq, timestamp: info.timestamp, tag: info.layer };
        let of = (!header.has_padding).then_some(of);
        if let Some(before) = self.sent.get(&written.index) {
            assert!(again, "a number was given twice");
            assert_eq!(before.bytes, bytes, "one number was sealed with two contents");
            return header;
        }
        let target = self.forwarder.current().map(|current| current.target);
        let order = self.sent.len();
        self.sent.insert(written.index, Out { bytes, timestamp: header.timestamp, of, target, order });
        header
    }

    fn check(&self) {
        let mut before: Option<(u64, &Out)> = None;
        for (index, out) in &self.sent {
            if let Some((last, earlier)) = before {
                let step = out.timestamp.wrapping_sub(earlier.timestamp).cast_signed();
                assert!(step >= 0, "time runs {step} ticks from number {last} ({}) to {index} ({})", earlier.tell(), out.tell());
                if last + 1 == *index {
                    self.nothing_is_cut_out(earlier, out);
                }
            }
            before = Some((*index, out));
        }
    }

    /// Two packets of a frame that follow each other without a gap: nothing of the frame lay between them.
    fn nothing_is_cut_out(&self, earlier: &Out, later: &Out) {
        let (Some(first), Some(second), Some(target)) = (earlier.of, later.of, later.target) else { return };
        let one_frame = first.generation == second.generation
            && first.timestamp == second.timestamp
            && earlier.timestamp == later.timestamp
            && first.tag.layer == second.tag.layer
            && earlier.target == later.target;
        if !one_frame || first.seq >= second.seq {
            return;
        }
        for ahead in 1..second.seq.since(first.seq).min(REPLAY_REACH) {
            let Some(between) = self.came.get(&(first.generation, first.seq.forward(ahead))) else { continue };
            let part = between.timestamp == first.timestamp && between.tag.layer == first.tag.layer && between.tag.present.contains(target);
            assert!(
                !part,
                "a frame was cut and looks whole: {target:?} without {:?} between {} and {}",
                between.tag,
                earlier.tell(),
                later.tell()
            );
        }
    }
}

/// A payload of the codec, with what the publisher claims in it.
fn payload(codec: Codec, flags: u8, picture: u16, plan: &mut Plan<'_>) -> Vec<u8> {
    if flags & 8 != 0 {
        return plan.chunk(48).to_vec();
    }
    let key = flags & 2 != 0;
    let layer = plan.byte().unwrap_or(0);
    let starts = layer & 0x80 == 0;
    let [high, low] = picture.to_be_bytes();
    match codec {
        // RFC 7741 §4.2, with picture id, TL0PICIDX and temporal layer.
        Codec::Vp8 => vec![
            0x80 | if starts { 0x10 } else { 0 },
            0xe0,
            0x80 | high,
            low,
            layer,
            layer << 6 | layer & 0x20,
            u8::from(!key),
            0,
            0,
            0x9d,
            1,
            0x2a,
            64,
            0,
            64,
            0,
        ],
        // RFC 9628 §4.2: I, P, L, F=0, B, E.
        Codec::Vp9 => {
            let first = 0xa0 | if key { 0 } else { 0x40 } | if starts { 8 } else { 0 } | if layer & 0x40 != 0 { 4 } else { 0 };
            vec![first, 0x80 | high, low, layer & 0x3f, layer, 1, 2]
        }
        Codec::H264 => vec![if key { 0x65 } else { 0x41 | (layer & 3) << 5 }, 0x88, layer, 3],
        Codec::Av1 => vec![if key { 0x18 } else { 0x10 } | if starts { 0 } else { 0x80 }, 0x30, layer, 4, 5],
        Codec::Opus | Codec::Red => vec![0x78, layer, 1],
    }
}

#[cfg(test)]
mod tests {
    use super::egress;
    use proptest::prelude::*;

    /// Bytes with far more of what is meant than of noise: most steps are packets of one frame after another.
    fn plan() -> impl Strategy<Value = Vec<u8>> {
        let flags = prop_oneof![
            6 => prop::sample::select(&[0x00_u8, 0x01, 0x10, 0x12, 0x13, 0x11][..]),
            1 => any::<u8>(),
        ];
        let packet = (0..3_u8, flags, 0..60_u8, any::<[u8; 6]>()).prop_map(|(place, flags, wait, more)| {
            let mut bytes = vec![place << 3, flags, wait];
            bytes.extend(more);
            bytes
        });
        let other = (any::<u8>(), any::<[u8; 3]>()).prop_map(|(step, more)| {
            let mut bytes = vec![5 | step & 0xfa | step & 2];
            bytes.extend(more);
            bytes
        });
        let step = prop_oneof![8 => packet, 1 => other];
        (any::<[u8; 2]>(), prop::collection::vec(step, 0..150)).prop_map(|(head, steps)| {
            let mut bytes = head.to_vec();
            steps.iter().for_each(|step| bytes.extend(step));
            bytes
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::default())]

        #[test]
        fn whatever_a_publisher_does_its_viewers_get_a_stream_they_can_trust(plan in plan()) {
            egress(&plan);
        }

        #[test]
        fn noise_makes_no_packet_that_breaks_the_stream(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            egress(&bytes);
        }
    }
}
