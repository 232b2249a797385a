//! The form of the extension block follows what is in it, and nothing is written past the buffer.

use super::super::test_bytes::hex;
use super::{EgressHeader, RtpWriteError, append_padding};

const HEADER: EgressHeader = EgressHeader { marker: true, payload_type: 96, seq: 0x1234, timestamp: 5, ssrc: 6 };

fn written(elements: &[(u8, &[u8])]) -> Vec<u8> {
    let mut buf = [0xee; 400];
    let len = HEADER.write(elements, &mut buf).unwrap();
    buf[..len].to_vec()
}

#[test]
fn no_elements_no_block() {
    assert_eq!(written(&[]), hex("80 e0 1234 00000005 00000006"));
}

#[test]
fn short_elements_take_the_one_byte_form() {
    assert_eq!(written(&[(3, &[0xab, 0xcd]), (14, &[0x05])]), hex("90 e0 1234 00000005 00000006 bede 0002 31 ab cd e0 05 00 00 00"));
    assert_eq!(written(&[(1, &[7; 16])])[12..16], hex("bede 0005"));
}

#[test]
fn long_high_or_empty_elements_take_the_two_byte_form() {
    assert_eq!(written(&[(1, &[7; 17])])[12..18], hex("1000 0005 01 11"));
    assert_eq!(written(&[(15, &[7])])[12..], hex("1000 0001 0f 01 07 00"));
    assert_eq!(written(&[(2, &[])])[12..], hex("1000 0001 02 00 00 00"));
}

#[test]
fn impossible_elements_are_refused() {
    let mut buf = [0; 400];
    assert_eq!(HEADER.write(&[(0, &[1])], &mut buf), Err(RtpWriteError::Element));
    assert_eq!(HEADER.write(&[(1, &[1; 256])], &mut buf), Err(RtpWriteError::Element));
}

#[test]
fn every_short_buffer_is_noticed() {
    let elements: [(u8, &[u8]); 2] = [(3, &[1, 2]), (4, &[3])];
    let len = written(&elements).len();
    for short in 0..len {
        assert_eq!(HEADER.write(&elements, &mut vec![0; short]), Err(RtpWriteError::BufferTooSmall), "{short} bytes");
    }
    assert_eq!(HEADER.write(&elements, &mut vec![0; len]), Ok(len));
}

#[test]
fn padding_is_counted_and_flagged() {
    let mut buf = [0x80, 0x60, 0xaa, 9, 9, 9, 9];
    assert_eq!(append_padding(&mut buf, 3, 0), Ok(3));
    assert_eq!(buf[0], 0x80);
    assert_eq!(append_padding(&mut buf, 3, 3), Ok(6));
    assert_eq!(buf, [0xa0, 0x60, 0xaa, 0, 0, 3, 9]);
    assert_eq!(append_padding(&mut buf, 3, 5), Err(RtpWriteError::BufferTooSmall));
}
