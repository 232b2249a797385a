//! A retransmission carries its original number and payload unchanged.

use super::{rtx_decode, rtx_encode};

#[test]
fn payload_comes_back() {
    let mut out = [0; 8];
    assert_eq!(rtx_encode(0xfffe, b"frame", &mut out), Some(7));
    assert_eq!(out, *b"\xff\xfeframe\0");
    assert_eq!(rtx_decode(&out[..7]), Some((0xfffe, &b"frame"[..])));
}

#[test]
fn what_does_not_fit_is_not_written() {
    let mut out = [9; 6];
    assert_eq!(rtx_encode(1, b"frame", &mut out), None);
    assert_eq!(out, [9; 6]);
}

#[test]
fn probes_without_a_number_are_told_apart() {
    assert_eq!(rtx_decode(&[]), None);
    assert_eq!(rtx_decode(&[1]), None);
    assert_eq!(rtx_decode(&[0, 1]), Some((1, &[][..])));
}
