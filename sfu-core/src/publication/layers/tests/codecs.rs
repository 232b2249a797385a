//! Layers by the codecs' own descriptors.

use super::*;

fn read(reader: &mut LayerReader, codec: Codec, payload: &[u8], timestamp: u32, marker: bool) -> Reading {
    reader.read(&Input { codec, payload, dependency: &[], marker, timestamp })
}

/// A VP8 packet (RFC 7741 §4.2): picture id, TL0 index, layer and sync bit; then a frame header.
fn vp8(temporal: u8, sync: bool, keyframe: bool) -> Vec<u8> {
    let mut payload = vec![0x90, 0xe0, 0x80, 1, 1, temporal << 6 | u8::from(sync) << 5, u8::from(!keyframe), 0, 0];
    if keyframe {
        // 1280x720, scale bits set.
        payload.extend([0x9d, 0x01, 0x2a, 0x00, 0x45, 0xd0, 0x42]);
    }
    payload
}

#[test]
fn vp8_temporal_layers() {
    let mut reader = LayerReader::default();
    let mut send = |temporal, sync, keyframe| read(&mut reader, Codec::Vp8, &vp8(temporal, sync, keyframe), 0, true);
    let key = send(0, false, true);
    assert!(key.keyframe && key.tag.switch == Targets::ALL && key.tag.starts_frame && key.tag.ends_frame);
    let [t2, t1, other_t2, t0] = [(2, true), (1, true), (2, false), (0, false)].map(|(temporal, sync)| send(temporal, sync, false).tag);
    assert_eq!(low(t1.present), [(0, 1), (0, 2), (1, 1), (1, 2)]);
    assert_eq!(low(t1.switch), [(0, 1), (1, 1)], "to its own layer");
    assert_eq!(low(t2.switch), [(0, 2), (1, 2)]);
    assert!(t2.switch.contains(Target::TOP), "the top is T2 here");
    assert_eq!((other_t2.switch, t0.switch), (Targets::NONE, Targets::NONE));
    assert!(t0.nested && t0.present == Targets::ALL);
    assert_eq!(reader.size(0), Some(Resolution { width: 1280, height: 720 }));
}

#[test]
fn vp8_says_better_than_its_dependency_descriptor_where_to_switch() {
    use crate::codec::dependency_descriptor::test_descriptors::{DescriptorText, L1T3};
    let mut reader = LayerReader::default();
    let mut send = |text: DescriptorText, payload: Vec<u8>| {
        let dependency = DescriptorText { edges: (true, true), ..text }.bytes();
        reader.read(&Input { codec: Codec::Vp8, payload: &payload, dependency: &dependency, marker: true, timestamp: 0 })
    };
    // Encrypted: what looks like the bit for key frames is noise.
    let key = send(DescriptorText { structure: Some(L1T3), ..Default::default() }, vp8(0, false, false));
    assert!(key.keyframe && key.tag.switch == Targets::ALL);
    send(DescriptorText { template: 3, number: 1, ..Default::default() }, vp8(2, true, false));
    let t1 = send(DescriptorText { template: 2, number: 2, ..Default::default() }, vp8(1, true, true));
    assert!(!t1.keyframe);
    assert_eq!(low(t1.tag.switch), [(0, 1), (1, 1)], "the descriptor's says (0, 2)");
    let plain = send(DescriptorText { template: 2, number: 4, ..Default::default() }, vec![0x10, 1, 0, 0]);
    assert_eq!(plain.tag.layer, target(0, 1), "without layers of its own");
}

#[test]
fn vp8_without_layers_is_one() {
    let mut reader = LayerReader::default();
    let tag = read(&mut reader, Codec::Vp8, &[0x10, 1, 0, 0], 0, false).tag;
    assert_eq!(tag, LayerTag::single(false, true, false));
    assert_eq!(read(&mut reader, Codec::Vp8, &[], 0, true).tag, LayerTag::single(false, false, true), "padding");
}

/// A VP9 packet (RFC 9628 §4.2) of one frame of one spatial layer, in non-flexible mode.
struct Vp9 {
    spatial: u8,
    temporal: u8,
    /// P, U, D and Z.
    inter: bool,
    up: bool,
    below: bool,
    alone: bool,
}

impl Vp9 {
    fn bytes(&self, structure: bool) -> Vec<u8> {
        let flags = 0xac | u8::from(self.inter) << 6 | u8::from(structure) << 1 | u8::from(self.alone);
        let layer = self.temporal << 5 | u8::from(self.up) << 4 | self.spatial << 1 | u8::from(self.below);
        let mut bytes = vec![flags, 0x80, 1, layer, 1];
        if structure {
            // Two spatial layers with sizes, no picture group.
            bytes.push(0b0011_0000);
            bytes.extend([320_u16, 180, 640, 360].iter().flat_map(|side| side.to_be_bytes()));
        }
        bytes.extend([0; 8]);
        bytes
    }
}

fn vp9(reader: &mut LayerReader, packet: &Vp9, structure: bool) -> Reading {
    read(reader, Codec::Vp9, &packet.bytes(structure), 0, packet.spatial == 1)
}

#[test]
fn vp9_key_mode() {
    let mut reader = LayerReader::default();
    let base = Vp9 { spatial: 0, temporal: 0, inter: false, up: false, below: false, alone: false };
    let key = vp9(&mut reader, &base, true);
    assert!(key.keyframe && key.tag.switch == Targets::ALL && key.tag.present == Targets::ALL);
    let key_s1 = vp9(&mut reader, &Vp9 { spatial: 1, below: true, alone: true, ..base }, false);
    assert!(!key_s1.keyframe && key_s1.tag.switch == Targets::NONE);
    assert_eq!(low(key_s1.tag.present), [(1, 0), (1, 1), (1, 2)]);

    let s0 = vp9(&mut reader, &Vp9 { temporal: 1, inter: true, up: true, alone: true, ..base }, false).tag;
    assert_eq!(low(s0.present), [(0, 1), (0, 2)], "not a reference for the layer above");
    assert_eq!((low(s0.sync), s0.switch, s0.nested), (vec![(0, 1), (0, 2)], Targets::NONE, false));
    let s1 = vp9(&mut reader, &Vp9 { spatial: 1, temporal: 1, inter: true, up: true, alone: true, ..base }, false).tag;
    assert_eq!((low(s1.sync), s1.layer), (vec![(1, 1), (1, 2)], target(1, 1)));
    assert!(s1.present.contains(Target::TOP) && !s0.present.contains(Target::TOP));
    assert_eq!([0, 1].map(|spatial| reader.size(spatial).unwrap().width), [320, 640]);
}

#[test]
fn vp9_full_scalability() {
    let mut reader = LayerReader::default();
    let base = Vp9 { spatial: 0, temporal: 0, inter: false, up: false, below: false, alone: false };
    vp9(&mut reader, &base, true);
    let s0 = vp9(&mut reader, &Vp9 { temporal: 1, inter: true, up: true, ..base }, false).tag;
    assert_eq!(low(s0.present), [(0, 1), (0, 2), (1, 1), (1, 2)]);
    assert_eq!((low(s0.sync), s0.nested), (vec![(0, 1), (0, 2), (1, 1), (1, 2)], true), "the picture begins here");
    let s1 = vp9(&mut reader, &Vp9 { spatial: 1, temporal: 1, inter: true, up: true, below: true, ..base }, false).tag;
    assert_eq!(s1.sync, Targets::NONE, "the frame below it had to be there");
}

#[test]
fn h264_pictures_that_no_other_refers_to() {
    let mut reader = LayerReader::default();
    let mut send = |payload: &[u8], timestamp, marker| read(&mut reader, Codec::H264, payload, timestamp, marker);
    let key = send(&[0x65, 0x88], 1, true);
    assert!(key.keyframe && key.tag.starts_frame && key.tag.present == Targets::ALL);
    // nal_ref_idc 0: a slice in two pieces.
    let first = send(&[0x1c, 0x81, 0], 2, false).tag;
    let second = send(&[0x1c, 0x41, 0], 2, true).tag;
    assert_eq!([first, second].map(|tag| (tag.starts_frame, tag.ends_frame, tag.layer.temporal)), [(true, false, 1), (false, true, 1)]);
    assert!(low(first.present) == [(0, 1), (0, 2), (1, 1), (1, 2)] && first.switch == first.present);
    let referred = send(&[0x41, 0x9a], 3, true).tag;
    assert_eq!((referred.layer.temporal, referred.present), (0, Targets::ALL));
    // Information in front of a disposable slice: the picture stays whole.
    assert_eq!(send(&[0x06, 0], 4, false).tag.present, Targets::ALL);
    assert_eq!(send(&[0x01, 0x9a], 4, true).tag.present, Targets::ALL);
}

#[test]
fn av1_without_descriptors_is_one_layer() {
    let mut reader = LayerReader::default();
    let key = read(&mut reader, Codec::Av1, &[0x18, 0x0a, 0x01, 0], 1, false);
    assert!(key.keyframe && key.tag == LayerTag::single(true, true, false));
    assert_eq!(read(&mut reader, Codec::Av1, &[0x90, 0x32, 0], 1, true).tag, LayerTag::single(false, false, true));
    assert!(read(&mut reader, Codec::Av1, &[0x10, 0x32, 0], 2, true).tag.starts_frame);
}

proptest::proptest! {
    #[test]
    fn no_panic_on_any_packets(packets in proptest::collection::vec((0usize..6, proptest::collection::vec(proptest::num::u8::ANY, 0..40), proptest::collection::vec(proptest::num::u8::ANY, 0..40)), 1..20)) {
        let mut reader = LayerReader::default();
        for (timestamp, (codec, payload, dependency)) in (0..).zip(packets) {
            let reading = reader.read(&Input { codec: Codec::ALL[codec], payload: &payload, dependency: &dependency, marker: true, timestamp });
            proptest::prop_assert!(Target::all().all(|target| !reading.tag.switch.contains(target) || reading.tag.sync.contains(target)));
        }
    }
}
