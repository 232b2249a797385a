//! The STUN test vectors of RFC 5769 through the library and the HMAC that the edge uses, and the edge's own answer to a check.

use is::stun::StunMessage;
use nearcast_sim::stun::{check, credentials, hmac_sha1};
use nearcast_sim::{Joining, World, secs};
use std::net::SocketAddr;

/// RFC 5769 §2: of all vectors with short-term credentials.
const PASSWORD: &[u8] = b"VOkJxbRl1RmTxUk/WvJxBt";

/// §2.1: request with SOFTWARE (which the library skips), PRIORITY, ICE-CONTROLLED, USERNAME (padded with blanks), MESSAGE-INTEGRITY, FINGERPRINT.
const REQUEST: &str = "000100582112a442b7e7a701bc34d686fa87dfae\
    802200105354554e207465737420636c69656e74002400046e0001ff80290008932ff9b151263b36\
    000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf";
/// §2.2: response with an IPv4 address.
const RESPONSE_V4: &str = "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220\
    002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96";
/// §2.3: response with an IPv6 address.
const RESPONSE_V6: &str = "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220\
    002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

#[test]
fn section_2_1_sample_request() {
    let vector = bytes(REQUEST);
    let message = StunMessage::parse(&vector).unwrap();
    assert!(message.is_binding_request());
    assert_eq!(message.username(), Some("evtj:h6vY"));
    assert_eq!(message.prio(), Some(0x6e00_01ff));
    assert_eq!(message.ice_controlled(), Some(0x932f_f9b1_5126_3b36));
    assert!(!message.use_candidate());
    assert!(message.verify(PASSWORD, hmac_sha1));
    assert!(!message.verify(b"VOkJxbRl1RmTxUk/WvJxBT", hmac_sha1));
}

#[test]
fn sections_2_2_and_2_3_sample_responses() {
    for (vector, address) in [(RESPONSE_V4, "192.0.2.1:32853"), (RESPONSE_V6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853")] {
        let vector = bytes(vector);
        let message = StunMessage::parse(&vector).unwrap();
        assert!(message.is_successful_binding_response());
        assert_eq!(message.mapped_address(), Some(address.parse::<SocketAddr>().unwrap()));
        assert!(message.verify(PASSWORD, hmac_sha1));
    }
}

/// Every bit in front of the integrity attribute counts.
#[test]
fn no_protected_bit_can_be_changed() {
    for hex in [REQUEST, RESPONSE_V4, RESPONSE_V6] {
        let vector = bytes(hex);
        let protected = vector.len() - 8 - 24;
        for bit in 0..protected * 8 {
            let mut changed = vector.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let verified = StunMessage::parse(&changed).is_ok_and(|message| message.verify(PASSWORD, hmac_sha1));
            // The length field is replaced before the sum is taken (§14.5 of RFC 8489); with another length the message doesn't parse.
            assert!(!verified, "bit {bit} of {hex}");
        }
    }
}

/// What follows the integrity attribute is not protected, so it must not be read (RFC 8489 §14.5).
#[test]
fn attributes_behind_the_integrity_are_not_read() {
    let vector = bytes(REQUEST);
    let mut longer = vector[..vector.len() - 8].to_vec();
    longer.extend([0x00, 0x25, 0x00, 0x00]);
    let length = (longer.len() - 20) as u16;
    longer[2..4].copy_from_slice(&length.to_be_bytes());
    let message = StunMessage::parse(&longer);
    assert!(!message.is_ok_and(|message| message.use_candidate() && message.verify(PASSWORD, hmac_sha1)));
}

#[test]
fn the_edge_answers_a_check_as_the_rfc_has_it() {
    let mut world = World::seeded(100);
    let alice = world.joined(Joining::new("alice").microphone());
    let (ours, password) = credentials(&world[alice].joined().unwrap().answer.as_ref().unwrap().sdp);
    let theirs = world[alice].ufrag();
    let check = check(&ours, &theirs, &password, false);
    for from in ["192.0.2.1:32853", "[2001:db8:1234:5678:11:2233:4455:6677]:32853"] {
        let from: SocketAddr = from.parse().unwrap();
        let answers = world.exchange(from, &check);
        assert_eq!(answers.len(), 1);
        let answer = StunMessage::parse(&answers[0]).unwrap();
        assert!(answer.is_successful_binding_response());
        assert_eq!(answer.trans_id(), StunMessage::parse(&check).unwrap().trans_id());
        assert_eq!(answer.mapped_address(), Some(from));
        assert!(answer.verify(password.as_bytes(), hmac_sha1));
        let fingerprint = u32::from_be_bytes(*answers[0].last_chunk().unwrap());
        assert_eq!(fingerprint, crc32(&answers[0][..answers[0].len() - 8]) ^ 0x5354_554e);
    }
    world.run_for(secs(1));
}

/// CRC-32 as in ITU V.42, bit by bit: what FINGERPRINT is made of (RFC 8489 §14.7).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes
        .iter()
        .fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1))))
}

#[test]
fn the_fingerprints_of_the_vectors_are_right() {
    for hex in [REQUEST, RESPONSE_V4, RESPONSE_V6] {
        let vector = bytes(hex);
        let fingerprint = u32::from_be_bytes(*vector.last_chunk().unwrap());
        assert_eq!(fingerprint, crc32(&vector[..vector.len() - 8]) ^ 0x5354_554e);
    }
}
