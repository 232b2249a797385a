//! Compounds: what is well-formed is read, what is not ends the walk, and nothing panics.

use proptest::prelude::*;

use super::*;
use crate::rtp::test_bytes::hex;

/// Reads everything there is to read.
fn exhaust(packet: &RtcpPacket<'_>) -> usize {
    match packet {
        RtcpPacket::SenderReport(report) => report.reports().count(),
        RtcpPacket::ReceiverReport(report) => report.reports().count(),
        RtcpPacket::Sdes(sdes) => sdes.cnames().map(|(_, cname)| cname.len()).sum(),
        RtcpPacket::Bye(bye) => bye.ssrcs().count(),
        RtcpPacket::Nack(nack) => nack.lost().count(),
        RtcpPacket::TransportFeedback(feedback) => feedback.arrivals().count(),
        RtcpPacket::Pli(_) | RtcpPacket::Other { .. } => 0,
        RtcpPacket::Fir(fir) => fir.entries().count(),
        RtcpPacket::Remb(remb) => remb.ssrcs().count(),
    }
}

#[test]
fn a_compound_is_walked_in_order() {
    let compound = hex("80 c9 0001 00000001  81 ce 0002 00000001 00000002  80 cf 0001 00000001");
    let kinds: Vec<_> = packets(&compound).collect();
    assert_eq!(kinds.len(), 3);
    assert!(matches!(kinds[0], Ok(RtcpPacket::ReceiverReport(report)) if report.ssrc == 1));
    assert_eq!(kinds[1], Ok(RtcpPacket::Pli(Pli { sender_ssrc: 1, media_ssrc: 2 })));
    assert_eq!(kinds[2], Ok(RtcpPacket::Other { packet_type: 207, count: 0 })); // XR
}

#[test]
fn a_malformed_packet_ends_the_walk() {
    for (bad, error) in [
        ("81 ce 0001 00000001  80 c9 0001 00000009", RtcpError::Body { packet_type: 206 }), // PLI without media source
        ("81 ce 0003 00000001 00000002", RtcpError::Truncated),
        ("81 ce", RtcpError::Truncated),
        ("41 ce 0002 00000001 00000002", RtcpError::Version),
        ("a1 ce 0002 00000001 00000000", RtcpError::Padding),
        ("a1 ce 0002 00000001 00000009", RtcpError::Padding),
        ("a1 ce 0000 80 c9 0001 00000009", RtcpError::Padding),
        ("82 c9 0007 00000001 00000002 00000000 00000000 00000000 00000000 00000000", RtcpError::Body { packet_type: 201 }),
        ("82 cb 0001 00000001", RtcpError::Body { packet_type: 203 }),
    ] {
        let compound = [hex("80 c9 0001 00000001"), hex(bad)].concat();
        let results: Vec<_> = packets(&compound).collect();
        assert_eq!(results.len(), 2, "{bad}");
        assert!(results[0].is_ok());
        assert_eq!(results[1], Err(error), "{bad}");
    }
}

#[test]
fn padding_is_not_part_of_the_body() {
    // A NACK with one entry and a word of padding.
    let compound = hex("a1 cd 0004 00000001 00000002 0005 0000 00000004");
    let Some(Ok(RtcpPacket::Nack(nack))) = packets(&compound).next() else { panic!("not a NACK") };
    assert_eq!(nack.lost().collect::<Vec<_>>(), [5]);
}

#[test]
fn an_empty_datagram_has_no_packets() {
    assert_eq!(packets(&[]).count(), 0);
}

proptest! {
    #[test]
    fn no_panic_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for packet in packets(&bytes).flatten() {
            exhaust(&packet);
        }
    }

    /// Random bodies behind well-formed headers of every kind, so that each parser is reached.
    #[test]
    fn no_panic_on_any_body(
        bodies in prop::collection::vec((200u8..208, prop_oneof![0u8..32, Just(15u8), Just(1u8), Just(4u8)], 0usize..30, any::<bool>()), 1..5),
        seed in prop::collection::vec(any::<u8>(), 200),
        remb: bool,
    ) {
        let mut compound = Vec::new();
        for (packet_type, count, words, padded) in bodies {
            compound.extend([if padded { 0xa0 } else { 0x80 } | count, packet_type, 0, words as u8]);
            let at = compound.len();
            compound.extend(seed.iter().cycle().skip(words).take(words * 4));
            if remb && words >= 3 {
                compound[at + 8..at + 12].copy_from_slice(b"REMB");
            }
        }
        for packet in packets(&compound).flatten() {
            let items = exhaust(&packet);
            let bound = match packet {
                RtcpPacket::TransportFeedback(feedback) => usize::from(feedback.status_count),
                _ => compound.len() * 17,
            };
            prop_assert!(items <= bound);
        }
    }
}
