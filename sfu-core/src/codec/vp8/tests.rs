//! Descriptors as RFC 7741 §4.2 draws them, in every form encoders send.

use proptest::prelude::*;

use super::*;
use crate::rtp::test_bytes::hex;

const NONE: Vp8Descriptor = Vp8Descriptor {
    non_reference: false,
    start_of_partition: true,
    partition: 0,
    picture_id: None,
    tl0_pic_idx: None,
    tid: None,
    layer_sync: false,
    key_idx: None,
    header_len: 1,
};

#[test]
fn the_shortest_form() {
    assert_eq!(Vp8Descriptor::parse(&hex("10 00 00 00")), Some(NONE));
    assert_eq!(
        Vp8Descriptor::parse(&hex("25")),
        Some(Vp8Descriptor { non_reference: true, start_of_partition: false, partition: 5, ..NONE })
    );
}

#[test]
fn what_chromium_sends_with_temporal_layers() {
    // X S; I L T; 15-bit picture id 0x1234, tl0 0x56, layer 2 with sync.
    let expected = Vp8Descriptor {
        picture_id: Some(PictureId { value: 0x1234, long: true }),
        tl0_pic_idx: Some(0x56),
        tid: Some(2),
        layer_sync: true,
        header_len: 6,
        ..NONE
    };
    assert_eq!(Vp8Descriptor::parse(&hex("90 e0 9234 56 a0 00")), Some(expected));
}

#[test]
fn seven_bit_ids_and_key_index() {
    let expected = Vp8Descriptor { picture_id: Some(PictureId { value: 0x7f, long: false }), key_idx: Some(0x1f), header_len: 4, ..NONE };
    assert_eq!(Vp8Descriptor::parse(&hex("90 90 7f ff")), Some(expected));
}

#[test]
fn descriptors_cut_short_are_refused() {
    let whole = hex("90 f0 9234 56 a0");
    for len in 0..whole.len() {
        assert_eq!(Vp8Descriptor::parse(&whole[..len]), None, "{len} bytes");
    }
}

#[test]
fn key_frames_begin_partition_zero_with_a_clear_bit() {
    // Frame tag of a key frame, start code, 640x360.
    let frame = "50 42 00 9d012a 8002 6801";
    assert!(is_keyframe(&hex(&format!("10 {frame}"))));
    assert!(is_keyframe(&hex(&format!("90 e0 9234 56 00 {frame}"))));
    assert!(!is_keyframe(&hex("10 51 42 00"))); // inter frame
    assert!(!is_keyframe(&hex(&format!("00 {frame}")))); // continues a partition
    assert!(!is_keyframe(&hex(&format!("11 {frame}")))); // begins another partition
    assert!(!is_keyframe(&hex("10"))); // descriptor alone
}

proptest! {
    #[test]
    fn rewritten_numbers_read_back(flags: u8, extensions: u8, rest in prop::collection::vec(any::<u8>(), 5..20), id in 0u16..0x8000, tl0: u8) {
        let mut payload = vec![flags | 0x80, extensions];
        payload.extend(rest);
        let before = Vp8Descriptor::parse(&payload).unwrap();
        before.rewrite(&mut payload, id, tl0);
        let expected = Vp8Descriptor {
            picture_id: before.picture_id.map(|old| PictureId { value: if old.long { id } else { id & 0x7f }, ..old }),
            tl0_pic_idx: before.tl0_pic_idx.map(|_| tl0),
            ..before
        };
        prop_assert_eq!(Vp8Descriptor::parse(&payload), Some(expected));
    }
}
