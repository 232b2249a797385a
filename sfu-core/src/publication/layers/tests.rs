use super::*;
use crate::codec::dependency_descriptor::test_descriptors::{DescriptorText, L1T3, L2T2, L2T2_KEY, StructureText};

mod codecs;

const fn target(spatial: u8, temporal: u8) -> Target {
    Target { spatial, temporal }
}

/// Those of the targets up to (1, 2) that a set holds.
fn low(targets: Targets) -> Vec<(u8, u8)> {
    let all = (0..2).flat_map(|spatial| (0..3).map(move |temporal| (spatial, temporal)));
    all.filter(|(spatial, temporal)| targets.contains(target(*spatial, *temporal))).collect()
}

/// A stream with descriptors.
struct Described {
    reader: LayerReader,
    number: u32,
}

impl Described {
    fn begin(structure: StructureText) -> (Self, Reading) {
        let mut stream = Self { reader: LayerReader::default(), number: 65_533 };
        let key = stream.send(DescriptorText { template: structure.offset, structure: Some(structure), ..Default::default() });
        (stream, key)
    }

    fn send(&mut self, text: DescriptorText) -> Reading {
        let bytes = DescriptorText { edges: (true, true), number: self.number & 0xffff, ..text }.bytes();
        self.number += 1;
        self.reader.read(&Input { codec: Codec::Av1, payload: &[0x10, 0], dependency: &bytes, marker: true, timestamp: self.number })
    }

    fn frame(&mut self, template: u32) -> LayerTag {
        self.send(DescriptorText { template, ..Default::default() }).tag
    }
}

#[test]
fn temporal_layers_by_descriptor() {
    let (mut stream, key) = Described::begin(L1T3);
    assert!(key.keyframe && key.tag.switch == Targets::ALL && key.tag.nested);
    assert_eq!(stream.reader.size(0), Some(Resolution { width: 1280, height: 720 }));
    let [t2, t1, other_t2, t0] = [3, 2, 4, 1].map(|template| stream.frame(template));
    assert_eq!([t0, t1, t2, other_t2].map(|tag| tag.layer.temporal), [0, 1, 2, 2]);
    assert_eq!(low(t0.present), [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]);
    assert_eq!(low(t1.present), [(0, 1), (0, 2), (1, 1), (1, 2)]);
    assert_eq!(low(t2.present), [(0, 2), (1, 2)]);
    assert!([t0, t1, t2].iter().all(|tag| tag.present.contains(Target::TOP)), "whatever is above is the best there is");
    assert_eq!(low(t0.switch), low(t0.present), "from the base layer everything goes on");
    assert_eq!(low(t1.switch), [(0, 2), (1, 2)], "T1 is discardable in its own target");
    assert_eq!(t2.switch, Targets::NONE);
}

#[test]
fn a_switch_needs_everything_the_frame_refers_to() {
    let (mut stream, _) = Described::begin(L1T3);
    stream.frame(3);
    // The T1 frame after a lost base frame: what it refers to never came.
    stream.number += 3;
    assert_eq!(stream.frame(2).switch, Targets::NONE);
}

#[test]
fn key_modes_keep_spatial_layers_apart() {
    let (mut stream, key) = Described::begin(L2T2_KEY);
    assert!(key.keyframe && key.tag.switch == Targets::ALL && !key.tag.nested);
    let [key_s1, s0_t1, s1_t1, s0_t0, s1_t0] = [63, 62, 1, 61, 0].map(|template| stream.frame(template));
    assert_eq!(low(key_s1.present), [(1, 0), (1, 1), (1, 2)]);
    assert_eq!(low(s0_t0.present), [(0, 0), (0, 1), (0, 2)], "not needed above");
    assert_eq!(low(s0_t1.present), [(0, 1), (0, 2)]);
    assert_eq!(low(s1_t1.present), [(1, 1), (1, 2)]);
    assert_eq!(low(s1_t0.sync), [(1, 0), (1, 1), (1, 2)], "up in frame rate");
    assert_eq!((s1_t0.switch, s0_t0.switch), (Targets::NONE, Targets::NONE), "but not in size");
    assert_eq!(stream.reader.size(1), Some(Resolution { width: 1280, height: 720 }));
}

/// libwebrtc's templates for VP9 are the same whatever the mode; what its frames say of themselves differs.
#[test]
fn frames_tell_more_than_templates() {
    let (mut stream, key) = Described::begin(L2T2);
    assert!(key.tag.nested);
    let tag = stream.send(DescriptorText { template: 9, indications: Some("SS--"), ..Default::default() }).tag;
    assert!(!tag.nested && low(tag.present) == [(0, 0), (0, 1), (0, 2)]);
    let again = stream.send(DescriptorText { template: 8, structure: Some(L2T2), ..Default::default() }).tag;
    assert!(!again.nested, "the same stream with another key frame");
}

#[test]
fn full_scalability_is_nested() {
    let (mut stream, key) = Described::begin(L2T2);
    assert!(key.tag.nested);
    let [_, s0_t1, s1_t1, s0_t0, s1_t0] = [11, 10, 13, 9, 12].map(|template| stream.frame(template));
    assert_eq!(low(s0_t0.present).len(), 6);
    assert_eq!(low(s0_t1.present), [(0, 1), (0, 2), (1, 1), (1, 2)]);
    assert_eq!(low(s1_t1.present), [(1, 1), (1, 2)]);
    assert_eq!(low(s0_t0.sync), [(0, 0), (0, 1), (0, 2)]);
    assert_eq!(low(s1_t0.sync), [(1, 0), (1, 1), (1, 2)]);
    assert_eq!(s1_t0.switch, Targets::NONE);
}

#[test]
fn layers_that_are_switched_off_are_not_waited_for() {
    let (mut stream, _) = Described::begin(L2T2_KEY);
    assert!(stream.reader.produces(target(1, 1)));
    let tag = stream.send(DescriptorText { template: 61, active: Some((0b0011, 4)), ..Default::default() }).tag;
    assert!(tag.present.contains(Target::TOP), "the best there is now");
    assert!(!stream.reader.produces(target(1, 1)) && stream.reader.produces(target(0, 1)));
    assert!(stream.reader.produces(target(3, 3)), "what the stream never had isn't off");
}

#[test]
fn without_a_structure_all_is_forwarded() {
    let mut stream = Described { reader: LayerReader::default(), number: 1 };
    let tag = stream.frame(3);
    assert_eq!((tag.present, tag.switch), (Targets::ALL, Targets::NONE));
}

#[test]
fn another_codec_begins_anew() {
    let (mut stream, _) = Described::begin(L1T3);
    stream.reader.read(&Input { codec: Codec::H264, payload: &[0x41], dependency: &[], marker: true, timestamp: 9 });
    assert_eq!(stream.frame(3).present, Targets::ALL, "templates of the old stream mean nothing");
}
