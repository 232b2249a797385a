//! Every first byte goes to the protocol that RFC 7983 gives it.

use super::{DatagramKind, classify};

#[test]
fn first_bytes_follow_rfc_7983() {
    for first in 0..=255u8 {
        let expected = match first {
            0..=3 => DatagramKind::Stun,
            20..=63 => DatagramKind::Dtls,
            64..=79 => DatagramKind::TurnChannel,
            128..=191 => DatagramKind::Rtp,
            _ => DatagramKind::Unknown,
        };
        assert_eq!(classify(&[first, 96, 0, 0]), expected, "first byte {first}");
    }
}

#[test]
fn rtcp_is_known_by_its_packet_type() {
    for second in 0..=255u8 {
        let expected = if (192..=223).contains(&second) { DatagramKind::Rtcp } else { DatagramKind::Rtp };
        assert_eq!(classify(&[0x80, second]), expected, "second byte {second}");
    }
    // A marker bit on a dynamic payload type is not RTCP: 0x80 | 96 = 224.
    assert_eq!(classify(&[0x90, 0x80 | 96]), DatagramKind::Rtp);
}

#[test]
fn too_short_to_tell_is_unknown() {
    assert_eq!(classify(&[]), DatagramKind::Unknown);
    assert_eq!(classify(&[0x80]), DatagramKind::Unknown);
}
