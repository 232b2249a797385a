//! Key frames in each packetization of RFC 6184.

use super::*;
use crate::rtp::test_bytes::hex;

#[test]
fn single_units() {
    assert!(is_keyframe(&hex("67 42e01f"))); // SPS
    assert!(is_keyframe(&hex("65 88 84"))); // IDR, first macroblock 0
    assert!(!is_keyframe(&hex("65 4a 84"))); // IDR, a later slice
    assert!(!is_keyframe(&hex("68 ce3c80"))); // PPS
    assert!(!is_keyframe(&hex("41 9a 02"))); // slice of another picture
    assert!(!is_keyframe(&hex("65"))); // nothing behind the header
}

#[test]
fn aggregated_units() {
    assert!(is_keyframe(&hex("78 0004 6742e01f 0004 68ce3c80"))); // SPS, PPS
    assert!(is_keyframe(&hex("78 0002 09f0 0003 658884"))); // delimiter, IDR
    assert!(!is_keyframe(&hex("78 0004 68ce3c80 0003 419a02")));
    assert!(!is_keyframe(&hex("78 0009 6742e01f"))); // longer than the packet
    assert!(!is_keyframe(&hex("78 0000 0000")));
}

#[test]
fn fragments() {
    assert!(is_keyframe(&hex("7c 85 88 84"))); // first of an IDR slice
    assert!(!is_keyframe(&hex("7c 05 88 84"))); // a middle one
    assert!(!is_keyframe(&hex("7c 45 88 84"))); // the last
    assert!(!is_keyframe(&hex("7c 81 9a 02"))); // first of another slice
    assert!(!is_keyframe(&hex("7c 85 4a 84"))); // first of a later slice of the picture
    assert!(!is_keyframe(&hex("7c")));
}
