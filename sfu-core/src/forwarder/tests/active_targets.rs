//! Whoever gets a part of an AV1 stream's layers is told which: at every packet the receiver's idea of the active decode targets is what
//! it is given, of what is being produced.

use super::*;
use crate::codec::dependency_descriptor::DependencyReader;
use crate::codec::dependency_descriptor::test_descriptors::{DescriptorText, L1T3, L2T2, L2T2_KEY, StructureText};
use crate::layer::{Target, Targets};
use crate::publication::layers::{Input, LayerReader};
use crate::rtp::{ExtensionKind, ExtensionMap};
use crate::sdp::{Direction, HeaderExtension};
use proptest::prelude::*;

const AV1: u8 = 45;
const AV1_RTX: u8 = 46;

/// Frames of a pattern: the key frame's templates, then those of the others over and over; one list of spatial layers a picture.
type Pattern = (StructureText, &'static [u32], &'static [&'static [u32]]);

const PATTERNS: [Pattern; 3] =
    [(L1T3, &[0], &[&[3], &[2], &[4], &[1]]), (L2T2_KEY, &[60, 63], &[&[62, 1], &[61, 0]]), (L2T2, &[8, 11], &[&[10, 13], &[9, 12]])];

struct Play {
    stage: Stage,
    map: ExtensionMap,
    source: Source,
    layers: LayerReader,
    receiver: DependencyReader,
    pattern: Pattern,
    number: u32,
    picture: usize,
    /// What the publisher last said it produces.
    produced: u32,
    sent: Vec<(MediaPacketOwned, u16)>,
}

struct MediaPacketOwned {
    info: PacketInfo,
    payload: Vec<u8>,
    dependency: Vec<u8>,
}

impl Play {
    fn new(pattern: Pattern) -> Self {
        let mut negotiated = negotiated();
        let key = CodecKey::of(Codec::Av1);
        negotiated.codecs[0] = OfferedCodec { payload_type: AV1, rtx_payload_type: Some(AV1_RTX), key, ..negotiated.codecs[0].clone() };
        negotiated.extensions = vec![HeaderExtension { id: 1, kind: ExtensionKind::DependencyDescriptor, direction: Direction::SendRecv }];
        let map = negotiated.egress_extensions();
        let mut stage = Stage::new(100);
        stage.format = SlotFormat::new("1".into(), negotiated);
        let source = Source { codec: Codec::Av1, ..stage.source(10, 0, 0) };
        stage.forwarder.bind(source.publication);
        let (layers, receiver) = (LayerReader::default(), DependencyReader::default());
        Self { stage, map, source, layers, receiver, pattern, number: 0, picture: 0, produced: u32::MAX, sent: Vec::new() }
    }

    fn targets(&self) -> u32 {
        self.pattern.0.templates[0].2.len() as u32
    }

    /// Every target that the pattern numbers, in its order.
    fn layers_of_targets(&self) -> Vec<Target> {
        let temporal = if self.targets() == 3 { 3 } else { 2 };
        (0..self.targets() as u8).map(|target| Target { spatial: target / temporal, temporal: target % temporal }).collect()
    }

    /// The next picture; `says`: what the publisher has on from now on.
    fn picture(&mut self, key: bool, says: Option<u32>) -> Result<(), TestCaseError> {
        let (structure, first, others) = self.pattern;
        let templates: &[u32] = if key { first } else { others[self.picture % others.len()] };
        self.picture = if key { 0 } else { self.picture + 1 };
        self.produced = says.unwrap_or(if key { u32::MAX } else { self.produced });
        for (spatial, template) in templates.iter().enumerate() {
            let begins = spatial == 0;
            let text = DescriptorText {
                edges: (true, true),
                template: *template,
                number: self.number,
                structure: (key && begins).then_some(structure),
                active: says.filter(|_| begins).map(|mask| (mask & ((1 << self.targets()) - 1), self.targets())),
                ..Default::default()
            };
            self.number += 1;
            self.packet(&text.bytes(), spatial + 1 == templates.len())?;
        }
        self.source.timestamp = self.source.timestamp.wrapping_add(3_000);
        self.stage.now += Duration::from_micros(33_333);
        Ok(())
    }

    fn packet(&mut self, dependency: &[u8], marker: bool) -> Result<(), TestCaseError> {
        let timestamp = self.source.timestamp;
        let payload = vec![7; 40];
        let input = Input { codec: Codec::Av1, payload: &payload, dependency, marker, timestamp };
        let reading = self.layers.read(&input);
        let info = PacketInfo {
            marker,
            timestamp,
            seq: self.source.seq,
            keyframe: reading.keyframe,
            layer: reading.tag,
            ..self.source.packet(false).info
        };
        self.source.seq = self.source.seq.forward(1);
        let mut out = vec![0; 1_500];
        let packet = MediaPacket { info, payload: &payload, dependency };
        let clocks = CaptureClocks::default();
        let Some(written) = self.stage.forwarder.forward(self.stage.now, &packet, &clocks, &self.stage.format, &mut out) else {
            return Ok(());
        };
        let number = u16::from_be_bytes([out[2], out[3]]);
        self.receive(&out[..written.len])?;
        self.sent.push((MediaPacketOwned { info, payload, dependency: dependency.to_vec() }, number));
        Ok(())
    }

    /// The receiver's idea of what it gets is what it gets.
    fn receive(&mut self, packet: &[u8]) -> Result<(), TestCaseError> {
        let header = RtpHeader::parse(packet).unwrap();
        let descriptor = header.extensions(packet, &self.map).dependency_descriptor.expect("a descriptor").to_vec();
        prop_assert!(self.receiver.read(&descriptor).is_ok());
        let current = self.stage.forwarder.current().expect("something flows").target;
        for (index, target) in (0_u8..).zip(self.layers_of_targets()) {
            let gets = target.spatial <= current.spatial && target.temporal <= current.temporal && self.produced & (1 << index) != 0;
            prop_assert_eq!(self.receiver.is_active(index), gets, "target {:?} of {:?}", target, current);
        }
        Ok(())
    }
}

#[test]
fn a_part_is_told_from_the_key_frame_on_and_the_whole_says_nothing() {
    let mut play = Play::new(PATTERNS[0]);
    for (layer, longer) in [(Target::TOP, false), (Target { spatial: 0, temporal: 1 }, true)] {
        let encoding = LayerChoice { encoding: 0, target: layer };
        play.stage.forwarder.bind(play.source.publication);
        play.stage.forwarder.set_layer(Some(encoding));
        let first = play.sent.len();
        (0..5).for_each(|picture| play.picture(picture == 0, None).unwrap());
        let Play { sent, stage, map, .. } = &mut play;
        for (packet, number) in &sent[first..] {
            let media = MediaPacket { info: packet.info, payload: &packet.payload, dependency: &packet.dependency };
            let resend = stage.forwarder.find_for_resend(*number, stage.now + Duration::from_millis(100), None).unwrap();
            let mut out = vec![0; 1_500];
            let written = stage.forwarder.resend(&resend, &media, &stage.format, &mut out).unwrap();
            let header = RtpHeader::parse(&out[..written.len]).unwrap();
            let again = header.extensions(&out[..written.len], map).dependency_descriptor.unwrap().len();
            assert_eq!(again > packet.dependency.len(), longer, "what is sent again says the same");
        }
    }
    assert_eq!(play.sent.len(), 5 + 3);
}

#[test]
fn streams_that_number_their_targets_otherwise_are_left_alone() {
    let tag = crate::layer::LayerTag::single(true, true, true);
    assert_eq!((tag.known, tag.produced), (Targets::NONE, Targets::NONE));
    const BACKWARDS: StructureText = StructureText {
        offset: 0,
        templates: &[(0, 0, "SS", &[], &[0]), (0, 0, "SS", &[2], &[2]), (0, 1, "D-", &[1], &[1])],
        protected_by: &[0, 0],
        sizes: &[],
    };
    let dependency = DescriptorText { edges: (true, true), structure: Some(BACKWARDS), ..Default::default() }.bytes();
    let input = Input { codec: Codec::Av1, payload: &[7; 40], dependency: &dependency, marker: true, timestamp: 0 };
    assert_eq!(LayerReader::default().read(&input).tag.known, Targets::NONE);
}

proptest! {
    /// Any wishes, key frames and changes of what the publisher has on.
    #[test]
    fn the_receiver_knows_what_it_gets(
        pattern in 0..PATTERNS.len(),
        steps in prop::collection::vec((0..20_u8, 0..2_u8, 0..3_u8, any::<bool>()), 1..60),
    ) {
        let mut play = Play::new(PATTERNS[pattern]);
        play.picture(true, None)?;
        for (what, spatial, temporal, key) in steps {
            match what {
                0..5 => {
                    let target = Target { spatial, temporal };
                    play.stage.forwarder.set_layer(Some(LayerChoice { encoding: 0, target }));
                }
                5 => {
                    // The lowest target is always on.
                    let lower = (1 << (1 + u32::from(temporal) % play.targets())) - 1;
                    play.picture(false, Some(lower))?;
                    continue;
                }
                _ => {}
            }
            play.picture(key && what > 15, None)?;
        }
    }
}
