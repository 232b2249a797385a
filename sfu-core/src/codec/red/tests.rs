//! Packets as RFC 2198 draws them.

use super::*;
use crate::rtp::test_bytes::hex;

#[test]
fn the_primary_is_behind_its_repeats() {
    // Two repeats, of two and three bytes, 960 and 1920 ticks old.
    let payload = hex("ef 1e00 03  ef 0f00 02  6f  a1a2a3 b1b2 c1c2c3c4");
    assert_eq!(primary(&payload), Some(RedPrimary { payload_type: 111, block: &[0xc1, 0xc2, 0xc3, 0xc4] }));
}

#[test]
fn ten_bits_of_length_count_and_the_age_does_not() {
    let payload = [&hex("ef ffff 00 6f")[..], &[1; 768], &[2; 4]].concat();
    assert_eq!(primary(&payload).map(|primary| primary.block), Some(&[2; 4][..]));
}

#[test]
fn no_repeats() {
    assert_eq!(primary(&hex("6f c1")), Some(RedPrimary { payload_type: 111, block: &[0xc1] }));
    assert_eq!(primary(&hex("6f")), Some(RedPrimary { payload_type: 111, block: &[] }));
}

#[test]
fn headers_that_do_not_fit_are_refused() {
    for payload in ["", "ef", "ef 1e00 03", "ef 1e00 03 6f a1a2"] {
        assert_eq!(primary(&hex(payload)), None, "{payload}");
    }
}

#[test]
fn block_types_are_rewritten_and_nothing_else() {
    let mut payload = hex("ef 1e00 03  ef 0f00 02  6f  a1a2a3 b1b2 c1");
    rewrite_block_types(&mut payload, 63);
    assert_eq!(payload, hex("bf 1e00 03  bf 0f00 02  3f  a1a2a3 b1b2 c1"));
    let mut cut = hex("ef 1e00");
    rewrite_block_types(&mut cut, 63);
    assert_eq!(cut, hex("bf 1e00"));
}
