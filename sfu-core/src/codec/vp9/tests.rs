//! Descriptors as RFC 9628 §4.2 draws them.

use super::*;
use crate::rtp::test_bytes::hex;

#[test]
fn non_flexible_mode_with_layers() {
    // I L B E; 15-bit picture id 5; layer T1 S2, switching up, inter-layer; tl0 9.
    let descriptor = Vp9Descriptor::parse(&hex("ac 8005 35 09 aa")).unwrap();
    assert_eq!(descriptor.picture_id, Some(PictureId { value: 5, long: true }));
    assert_eq!(descriptor.layer, Some(Vp9Layer { tid: 1, switching_up: true, sid: 2, inter_layer: true }));
    assert_eq!((descriptor.tl0_pic_idx, descriptor.header_len), (Some(9), 5));
    assert!(descriptor.start_of_frame && descriptor.end_of_frame && !descriptor.inter_predicted);
}

#[test]
fn flexible_mode_skips_its_references() {
    // I P L F; 7-bit id; layer; three references.
    let descriptor = Vp9Descriptor::parse(&hex("f1 07 00 03 05 06 aa")).unwrap();
    assert_eq!((descriptor.header_len, descriptor.tl0_pic_idx), (6, None));
    assert!(descriptor.flexible && descriptor.inter_predicted && descriptor.not_reference_for_upper);
    assert_eq!(Vp9Descriptor::parse(&hex("f0 07 00 03 05 07 aa")), None); // a fourth reference is not allowed
}

#[test]
fn scalability_structure_with_sizes_and_pictures() {
    // V: three layers (N_S = 2), sizes, picture group of two with one and two references.
    let payload = hex("8a 07  58 0140 00b4 0280 0168 0500 02d0  02 04 01 28 01 02  aa");
    let descriptor = Vp9Descriptor::parse(&payload).unwrap();
    let structure = descriptor.scalability.unwrap();
    assert_eq!(structure.spatial_layers, 3);
    let sizes: Vec<_> = structure.resolutions().iter().map(|size| (size.width, size.height)).collect();
    assert_eq!(sizes, [(320, 180), (640, 360), (1280, 720)]);
    assert_eq!(descriptor.header_len, payload.len() - 1);
}

#[test]
fn scalability_structure_without_sizes() {
    let descriptor = Vp9Descriptor::parse(&hex("0a e0")).unwrap();
    let structure = descriptor.scalability.unwrap();
    assert_eq!((structure.spatial_layers, structure.resolutions()), (8, &[][..]));
}

#[test]
fn descriptors_cut_short_are_refused() {
    let whole = hex("aa 8005 35 09 58 0140 00b4 0280 0168 0500 02d0 02 04 01 28 01 02");
    for len in 0..whole.len() {
        assert_eq!(Vp9Descriptor::parse(&whole[..len]), None, "{len} bytes");
    }
    assert!(Vp9Descriptor::parse(&whole).is_some());
}

#[test]
fn key_pictures_begin_in_the_lowest_layer() {
    assert!(is_keyframe(&hex("88 07 aa"))); // no layers
    assert!(is_keyframe(&hex("a8 07 00 01 aa"))); // S0
    assert!(!is_keyframe(&hex("a8 07 02 01 aa"))); // S1 of a key picture
    assert!(!is_keyframe(&hex("a0 07 00 01 aa"))); // not its first packet
    assert!(!is_keyframe(&hex("e8 07 00 01 aa"))); // inter-predicted
}
