//! Both forms of RFC 8285 are read to their end, and no further.

use super::super::test_bytes::hex;
use super::{AudioLevel, ExtensionElements, Extensions};
use crate::rtp::{ExtensionKind, ExtensionMap};

fn elements(profile: u16, block: &[u8]) -> Vec<(u8, Vec<u8>)> {
    ExtensionElements::new(profile, block).map(|(id, data)| (id, data.to_vec())).collect()
}

#[test]
fn one_byte_form_with_padding_between() {
    // RFC 8285 §4.2, figure 1: id 1 of one byte, id 2 of two bytes with padding before, id 3 of four bytes.
    let block = hex("10 aa 21 bb bc 00 00 33 c1 c2 c3 c4");
    let expected = vec![(1, hex("aa")), (2, hex("bbbc")), (3, hex("c1c2c3c4"))];
    assert_eq!(elements(0xbede, &block), expected);
}

#[test]
fn two_byte_form_with_an_empty_element() {
    // RFC 8285 §4.3, figure 2: id 1 without data, id 2 of one byte, padding, id 255 of four bytes.
    let block = hex("01 00 02 01 bb 00 ff 04 d1 d2 d3 d4");
    for profile in [0x1000, 0x100f] {
        assert_eq!(elements(profile, &block), vec![(1, vec![]), (2, hex("bb")), (255, hex("d1d2d3d4"))]);
    }
}

#[test]
fn id_15_ends_a_one_byte_block() {
    assert_eq!(elements(0xbede, &hex("10 aa f0 bb 20 cc 00 00")), vec![(1, hex("aa"))]);
}

#[test]
fn id_0_with_a_length_ends_a_one_byte_block() {
    assert_eq!(elements(0xbede, &hex("10 aa 01 bb cc 20 dd 00")), vec![(1, hex("aa"))]);
}

#[test]
fn an_element_beyond_its_block_is_not_read() {
    assert_eq!(elements(0xbede, &hex("10 aa 25 bb")), vec![(1, hex("aa"))]);
    assert_eq!(elements(0x1000, &hex("02 01 bb 07 09 01 02 03")), vec![(2, hex("bb"))]);
    assert_eq!(elements(0x1000, &hex("02 01 bb 07")), vec![(2, hex("bb"))]);
}

#[test]
fn other_profiles_have_no_elements() {
    assert_eq!(elements(0xabcd, &hex("10 aa 00 00")), vec![]);
}

#[test]
fn known_extensions_are_typed() {
    let mut map = ExtensionMap::default();
    for (id, kind) in (1..).zip(ExtensionKind::ALL) {
        map.insert(id, kind).unwrap();
    }
    let block =
        hex("10 30  20 71  30 72  41 12 34  50 85  62 ab cd ef  70 03  82 00 01 64  92 80 00 01  a0 55  b7 0102030405060708  c0 99 00");
    let found = Extensions::read(ExtensionElements::new(0xbede, &block), &map);
    let expected = Extensions {
        mid: Some(b"0"),
        rid: Some(b"q"),
        repaired_rid: Some(b"r"),
        transport_cc: Some(0x1234),
        audio_level: Some(AudioLevel { voice: true, level: 5 }),
        abs_send_time: Some(0x00ab_cdef),
        video_orientation: Some(3),
        playout_delay: Some(&[0, 1, 0x64]),
        dependency_descriptor: Some(&[0x80, 0, 1]),
        video_layers_allocation: Some(&[0x55]),
        abs_capture_time: Some(&[1, 2, 3, 4, 5, 6, 7, 8]),
    };
    assert_eq!(found, expected);
}

#[test]
fn short_values_count_as_absent() {
    let mut map = ExtensionMap::default();
    map.insert(4, ExtensionKind::TransportCc).unwrap();
    map.insert(6, ExtensionKind::AbsSendTime).unwrap();
    let block = hex("40 12 61 ab cd 00 00 00");
    let found = Extensions::read(ExtensionElements::new(0xbede, &block), &map);
    assert_eq!(found, Extensions::default());
}
