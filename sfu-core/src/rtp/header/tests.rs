//! Headers as RFC 3550 draws them, and every way to cut them short.

use proptest::prelude::*;

use super::super::test_bytes::hex;
use super::{ExtensionBlock, RtpError, RtpHeader};
use crate::rtp::{EgressHeader, ExtensionKind, ExtensionMap, append_padding, classify};

#[test]
fn plain_header() {
    let packet = hex("80 e0 1234 00010203 cafebabe aabbcc");
    let header = RtpHeader::parse(&packet).unwrap();
    let expected = RtpHeader {
        marker: true,
        payload_type: 96,
        seq: 0x1234,
        timestamp: 0x0001_0203,
        ssrc: 0xcafe_babe,
        csrc_count: 0,
        has_padding: false,
        header_len: 12,
        extension: None,
    };
    assert_eq!(header, expected);
    assert_eq!(header.payload_range(&packet), Ok(12..15));
    assert_eq!(header.extension_elements(&packet).count(), 0);
}

#[test]
fn csrcs_extension_and_padding() {
    let packet = hex("b2 60 0001 00000002 00000003  11111111 22222222  bede 0001 10 aa 00 00  f1 f2 f3 00 02");
    let header = RtpHeader::parse(&packet).unwrap();
    assert_eq!((header.csrc_count, header.has_padding, header.header_len), (2, true, 28));
    assert_eq!(header.extension, Some(ExtensionBlock { profile: 0xbede, start: 24, len: 4 }));
    assert_eq!(header.extension_elements(&packet).collect::<Vec<_>>(), vec![(1, &[0xaa][..])]);
    assert_eq!(header.payload_range(&packet), Ok(28..31));
}

#[test]
fn every_truncation_is_noticed() {
    let packet = hex("92 60 0001 00000002 00000003  11111111 22222222  bede 0001 10 aa 00 00");
    for len in 0..packet.len() {
        assert_eq!(RtpHeader::parse(&packet[..len]), Err(RtpError::Truncated), "{len} bytes");
    }
    assert_eq!(RtpHeader::parse(&packet).map(|header| header.header_len), Ok(packet.len()));
}

#[test]
fn other_versions_are_refused() {
    for flags in [0x00, 0x40, 0xc0] {
        let mut packet = hex("80 60 0001 00000002 00000003");
        packet[0] = flags;
        assert_eq!(RtpHeader::parse(&packet), Err(RtpError::Version));
    }
}

#[test]
fn padding_must_fit_the_payload() {
    for (payload, expected) in
        [("aa bb 00", Err(RtpError::Padding)), ("aa bb 04", Err(RtpError::Padding)), ("", Err(RtpError::Padding)), ("00 00 03", Ok(12..12))]
    {
        let packet = hex(&format!("a0 60 0001 00000002 00000003 {payload}"));
        assert_eq!(RtpHeader::parse(&packet).unwrap().payload_range(&packet), expected, "payload {payload}");
    }
}

#[test]
fn a_packet_cut_after_parsing_has_no_payload() {
    let packet = hex("80 60 0001 00000002 00000003 aa");
    let header = RtpHeader::parse(&packet).unwrap();
    assert_eq!(header.payload_range(&packet[..11]), Err(RtpError::Truncated));
}

proptest! {
    #[test]
    fn no_panic_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut map = ExtensionMap::default();
        for (id, kind) in (1..).zip(ExtensionKind::ALL) {
            map.insert(id, kind).unwrap();
        }
        let _ = classify(&bytes);
        if let Ok(header) = RtpHeader::parse(&bytes) {
            let _ = header.payload_range(&bytes);
            let _ = header.extensions(&bytes, &map);
            // A header held against another packet must not panic either.
            let _ = header.payload_range(&bytes[..bytes.len() / 2]);
            let _ = header.extensions(&bytes[..bytes.len() / 2], &map);
        }
    }

    #[test]
    fn ranges_lie_inside_the_packet(flags in 0x80u8..0xc0, mut bytes in prop::collection::vec(any::<u8>(), 12..300)) {
        bytes[0] = flags;
        if let Ok(header) = RtpHeader::parse(&bytes) {
            prop_assert!(header.header_len <= bytes.len());
            if let Some(block) = header.extension {
                prop_assert_eq!(block.start + block.len, header.header_len);
            }
            if let Ok(payload) = header.payload_range(&bytes) {
                prop_assert_eq!(payload.start, header.header_len);
                prop_assert!(payload.end <= bytes.len() && payload.start <= payload.end);
            }
        }
    }

    #[test]
    fn written_headers_read_back(
        marker: bool, payload_type in 0u8..128, seq: u16, timestamp: u32, ssrc: u32,
        elements in prop::collection::vec((1u8..=255, prop::collection::vec(any::<u8>(), 0..40)), 0..6),
        payload in prop::collection::vec(any::<u8>(), 0..40), padding: u8,
    ) {
        let borrowed: Vec<(u8, &[u8])> = elements.iter().map(|(id, data)| (*id, &data[..])).collect();
        let mut buf = [0xee; 1000];
        let header_len = EgressHeader { marker, payload_type, seq, timestamp, ssrc }.write(&borrowed, &mut buf).unwrap();
        let len = header_len + payload.len();
        buf[header_len..len].copy_from_slice(&payload);
        let padded_len = append_padding(&mut buf, len, padding).unwrap();
        let packet = &buf[..padded_len];

        let header = RtpHeader::parse(packet).unwrap();
        prop_assert_eq!((header.marker, header.payload_type, header.seq), (marker, payload_type, seq));
        prop_assert_eq!((header.timestamp, header.ssrc, header.header_len), (timestamp, ssrc, header_len));
        prop_assert_eq!(&packet[header.payload_range(packet).unwrap()], &payload[..]);
        prop_assert_eq!(header.extension_elements(packet).collect::<Vec<_>>(), borrowed);
    }
}
