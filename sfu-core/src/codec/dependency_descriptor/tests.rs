use super::test_descriptors::{DescriptorText, L1T3, L2T2_KEY, StructureText};
use super::*;
use Indication::{Discardable, NotPresent, Required, Switch};
use proptest::prelude::*;

const WHOLE: (bool, bool) = (true, true);

fn reader_after(structure: StructureText) -> DependencyReader {
    let mut reader = DependencyReader::default();
    let key = DescriptorText { edges: WHOLE, template: structure.offset, number: 7, structure: Some(structure), ..Default::default() };
    reader.read(&key.bytes()).unwrap();
    reader
}

fn read(reader: &mut DependencyReader, text: DescriptorText) -> FrameDependency {
    reader.read(&text.bytes()).unwrap().0
}

fn near(references: References) -> Vec<u16> {
    references.near().collect()
}

/// Three bytes as they stand in the specification: flags and template, frame number.
#[test]
fn three_bytes_name_a_template() {
    let mut reader = reader_after(L1T3);
    let (frame, changed) = reader.read(&[0b1000_0010, 0x12, 0x34]).unwrap();
    assert!(!changed);
    assert_eq!((frame.start_of_frame, frame.end_of_frame, frame.frame_number), (true, false, 0x1234));
    assert_eq!((frame.spatial, frame.temporal, frame.starts_sequence), (0, 1, false));
    assert_eq!([0, 1, 2].map(|target| frame.indications.of(target)), [NotPresent, Discardable, Switch]);
    assert_eq!(near(frame.references), [2]);
}

/// A structure written by hand: L1T1 with one chain and no sizes.
#[test]
fn a_structure_is_read_bit_by_bit() {
    // start, end, template 0 | number 1 | structure, no active mask, nothing custom; offset 0, one target;
    // one more template of the same layer, then none; S, S; no reference, one reference 1 back; one chain (ns of 2 values, one bit);
    // which protects the target (no bit); 0 and 1 back; no sizes.
    let bits = "11000000 0000000000000001 10000 000000 00000 00 11 10 10 0 1 0000 0 1 0000 0001 0";
    let bits: Vec<u8> = bits.bytes().filter(|bit| *bit != b' ').map(|bit| bit - b'0').collect();
    let bytes: Vec<u8> = bits.chunks(8).map(|byte| byte.iter().enumerate().map(|(at, bit)| bit << (7 - at)).sum()).collect();
    let mut reader = DependencyReader::default();
    let (frame, changed) = reader.read(&bytes).unwrap();
    assert!(changed && frame.starts_sequence && frame.references.is_none());
    let structure = reader.structure().unwrap();
    assert_eq!((structure.decode_targets(), structure.templates().len(), structure.resolution(0)), (1, 2, None));
    assert_eq!(near(structure.templates()[1].references), [1]);
    assert_eq!(structure.templates()[1].indications.of(0), Switch);
}

/// What Chromium 156 sent on the first packet of a VP9 key frame in L2T3_KEY, and on two packets after it.
#[test]
fn chromiums_descriptors_are_read() {
    let key = [
        0xc0, 0x00, 0x01, 0x80, 0x05, 0x14, 0x85, 0x3a, 0xaa, 0xa8, 0x01, 0x80, 0x04, 0x00, 0x40, 0x02, 0xa0, 0x2a, 0x00, 0x60, 0x01, 0x00,
        0x15, 0xd3, 0x45, 0x14, 0x17, 0x4d, 0x14, 0x4c, 0x70, 0x08, 0x74, 0x32, 0x16, 0x51, 0x11, 0x85, 0x43, 0x27, 0x68, 0x09, 0xf8, 0x05,
        0x98, 0x13, 0xf8, 0x0b, 0x38,
    ];
    let mut reader = DependencyReader::default();
    let (frame, _) = reader.read(&key).unwrap();
    assert!(frame.starts_sequence && frame.references.is_none() && frame.frame_number == 1);
    let structure = reader.structure().unwrap();
    let layers: Vec<_> = (0..structure.decode_targets()).map(|target| structure.layer_of(target)).collect();
    assert_eq!(layers, [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]);
    let sizes = [0, 1].map(|spatial| structure.resolution(spatial).unwrap());
    assert_eq!(sizes, [Resolution { width: 320, height: 180 }, Resolution { width: 640, height: 360 }]);
    let layer =
        |reader: &mut DependencyReader, bytes: [u8; 3]| reader.read(&bytes).map(|(frame, _)| (frame.spatial, frame.temporal)).unwrap();
    assert_eq!(layer(&mut reader, [0xc4, 0x00, 0x17]), (0, 2));
    assert_eq!(layer(&mut reader, [0x86, 0x00, 0x1a]), (1, 0));
}

#[test]
fn a_key_frame_brings_the_structure() {
    let mut reader = DependencyReader::default();
    assert_eq!(reader.read(&[0xc1, 0, 0]), Err(Unreadable::UnknownTemplate), "before it nothing is known");
    let key = DescriptorText { edges: WHOLE, template: 60, number: 7, structure: Some(L2T2_KEY), ..Default::default() };
    let frame = read(&mut reader, key);
    assert!(frame.starts_sequence && frame.references.is_none());
    let structure = reader.structure().unwrap();
    assert_eq!((0..4).map(|target| structure.layer_of(target)).collect::<Vec<_>>(), [(0, 0), (0, 1), (1, 0), (1, 1)]);
    assert_eq!(structure.resolution(1), Some(Resolution { width: 1280, height: 720 }));
    // Ids go on from 0 after 63.
    let last = read(&mut reader, DescriptorText { edges: WHOLE, template: 1, number: 8, ..Default::default() });
    assert_eq!((last.spatial, last.temporal), (1, 1));
    let beyond = DescriptorText { edges: WHOLE, template: 2, number: 9, ..Default::default() };
    assert_eq!(reader.read(&beyond.bytes()), Err(Unreadable::UnknownTemplate));
}

#[test]
fn a_frame_may_differ_from_its_template() {
    let mut reader = reader_after(L1T3);
    let text = DescriptorText {
        edges: WHOLE,
        template: 3,
        number: 9,
        indications: Some("-RD"),
        references: Some(&[1, 16, 17, 300]),
        chains: Some(&[200]),
        ..Default::default()
    };
    let frame = read(&mut reader, text);
    assert_eq!([0, 1, 2].map(|target| frame.indications.of(target)), [NotPresent, Required, Discardable]);
    assert_eq!((near(frame.references), frame.references.far), (vec![1, 16], true));
    let next = read(&mut reader, DescriptorText { edges: WHOLE, template: 3, number: 10, ..Default::default() });
    assert_eq!(next.indications.of(1), NotPresent, "for that frame alone");
}

#[test]
fn targets_are_switched_off_and_on() {
    let mut reader = reader_after(L2T2_KEY);
    assert!((0..4).all(|target| reader.is_active(target)));
    let off = DescriptorText { edges: WHOLE, template: 61, number: 9, active: Some((0b0011, 4)), ..Default::default() };
    assert!(reader.read(&off.bytes()).unwrap().1);
    assert_eq!((0..4).map(|target| reader.is_active(target)).collect::<Vec<_>>(), [true, true, false, false]);
    assert!(!reader.read(&off.bytes()).unwrap().1, "nothing new");
    let plain = DescriptorText { edges: WHOLE, template: 61, number: 11, ..Default::default() };
    assert!(!reader.read(&plain.bytes()).unwrap().1, "still so");
    let key = DescriptorText { edges: WHOLE, template: 60, number: 13, structure: Some(L2T2_KEY), ..Default::default() };
    reader.read(&key.bytes()).unwrap();
    assert!((0..4).all(|target| reader.is_active(target)), "a structure without a mask means all");
}

#[test]
fn what_is_cut_short_changes_nothing() {
    let mut reader = reader_after(L1T3);
    let key = DescriptorText { edges: WHOLE, template: 60, number: 8, structure: Some(L2T2_KEY), ..Default::default() }.bytes();
    for length in 4..key.len() {
        assert_eq!(reader.read(&key[..length]), Err(Unreadable::Malformed), "{length} of {} bytes", key.len());
        assert_eq!(reader.structure().unwrap().decode_targets(), 3);
    }
    assert!((0..3).all(|length| reader.read(&key[..length]) == Err(Unreadable::Malformed)));
}

#[test]
fn frame_numbers_are_rewritten_in_place() {
    let mut bytes = DescriptorText { edges: WHOLE, template: 60, number: 8, structure: Some(L2T2_KEY), ..Default::default() }.bytes();
    let before = bytes.clone();
    rewrite_frame_number(&mut bytes, 0xabcd);
    assert_eq!((frame_number(&bytes), &bytes[3..], bytes[0]), (Some(0xabcd), &before[3..], before[0]));
    rewrite_frame_number(&mut bytes[..2], 1);
    assert_eq!(frame_number(&bytes), Some(0xabcd));
}

fn telling(descriptor: &[u8], count: u8, mask: u32) -> Option<Vec<u8>> {
    let mut out = [0xff; LONGEST];
    let len = tell_active_targets(descriptor, ActiveTargets { count, mask }, &mut out)?;
    Some(out[..len].to_vec())
}

/// Bit by bit: start, end, template 2 | number 0x1234 | nothing but the mask: three targets, of which the lowest two.
#[test]
fn three_bytes_grow_by_one() {
    assert_eq!(telling(&[0b1100_0010, 0x12, 0x34], 3, 0b011), Some(vec![0b1100_0010, 0x12, 0x34, 0b0100_0011]));
    // Nine targets take one byte more: flags 01000, then 000000111.
    assert_eq!(telling(&[0xc0, 0, 7], 9, 0b111), Some(vec![0xc0, 0, 7, 0b0100_0000, 0b0001_1100]));
}

/// What Chromium sends, with the upper half of its targets left out: only the mask is new, and everything is read as before.
#[test]
fn chromiums_descriptors_tell_the_mask() {
    let key = [
        0xc0, 0x00, 0x01, 0x80, 0x05, 0x14, 0x85, 0x3a, 0xaa, 0xa8, 0x01, 0x80, 0x04, 0x00, 0x40, 0x02, 0xa0, 0x2a, 0x00, 0x60, 0x01, 0x00,
        0x15, 0xd3, 0x45, 0x14, 0x17, 0x4d, 0x14, 0x4c, 0x70, 0x08, 0x74, 0x32, 0x16, 0x51, 0x11, 0x85, 0x43, 0x27, 0x68, 0x09, 0xf8, 0x05,
        0x98, 0x13, 0xf8, 0x0b, 0x38,
    ];
    let (mut before, mut after) = (DependencyReader::default(), DependencyReader::default());
    for descriptor in [&key[..], &[0xc4, 0x00, 0x17], &[0x86, 0x00, 0x1a]] {
        let told = telling(descriptor, 6, 0b000_111).unwrap();
        assert!(told.len() <= descriptor.len() + 2, "{} of {} bytes", told.len(), descriptor.len());
        assert_eq!(after.read(&told).unwrap().0, before.read(descriptor).unwrap().0);
        assert_eq!(after.structure(), before.structure());
        assert_eq!((0..6).map(|target| after.is_active(target)).collect::<Vec<_>>(), [true, true, true, false, false, false]);
    }
}

/// Every combination of what a descriptor can say, against the writer of these tests.
#[test]
fn the_mask_is_all_that_changes() {
    for case in 0..32 {
        let has = |bit: u32| case & 1 << bit != 0;
        let text = DescriptorText {
            edges: (has(0), true),
            template: 61,
            number: 0xbeef,
            structure: has(0).then_some(L2T2_KEY),
            active: has(1).then_some((0b1111, 4)),
            indications: has(2).then_some("S-D-"),
            references: has(3).then_some(&[1, 17, 300]),
            chains: has(4).then_some(&[200, 3]),
        };
        let mut expected = DescriptorText { active: Some((0b0011, 4)), ..text }.bytes();
        let mut told = telling(&text.bytes(), 4, 0b0011).unwrap();
        // What was filled up to a byte before stays filled up.
        let len = told.len().max(expected.len());
        assert!(len <= expected.len() + 1, "case {case}");
        expected.resize(len, 0);
        told.resize(len, 0);
        assert_eq!(told, expected, "case {case}");
        assert_eq!(
            telling(&told, 4, 0b0011).map(|mut again| {
                again.resize(len, 0);
                again
            }),
            Some(told),
            "telling it twice changes nothing"
        );
    }
}

#[test]
fn what_cannot_be_read_or_has_no_room_is_left_alone() {
    assert_eq!(telling(&[0xc0, 0], 4, 1), None);
    let key = DescriptorText { edges: WHOLE, template: 60, number: 8, structure: Some(L2T2_KEY), ..Default::default() }.bytes();
    assert!((4..key.len() - 1).all(|length| telling(&key[..length], 4, 1).is_none()));
    let mut long = key;
    long.resize(LONGEST, 0);
    assert_eq!(telling(&long, 4, 1), None);
}

proptest! {
    #[test]
    fn any_bytes_are_told_or_left_alone(bytes in prop::collection::vec(any::<u8>(), 0..=255), count in 1..=32_u8, mask: u32) {
        if let Some(told) = telling(&bytes, count, mask) {
            prop_assert!(told.len() <= LONGEST && told.len() <= bytes.len() + 5);
            prop_assert_eq!(&told[1..3], &bytes[1..3]);
        }
    }

    #[test]
    fn no_panic_on_any_bytes(descriptors in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..255), 1..6)) {
        let mut reader = reader_after(L1T3);
        for descriptor in descriptors {
            if let Ok((frame, _)) = reader.read(&descriptor) {
                prop_assert!(frame.references.near().all(|back| (1..=16).contains(&back)));
            }
            let structure = reader.structure().unwrap();
            prop_assert!(structure.decode_targets() <= MAX_DECODE_TARGETS && structure.templates().len() <= 64);
        }
    }

    /// Noise behind the flags of a structure, so that it is read as one.
    #[test]
    fn no_panic_on_any_structure(noise in prop::collection::vec(any::<u8>(), 0..252)) {
        let mut reader = DependencyReader::default();
        let _ = reader.read(&[&[0xc0, 0, 0, 0x80][..], &noise].concat());
    }
}
