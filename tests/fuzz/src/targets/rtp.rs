//! Headers, extensions, resends.

use sfu_core::fuzzing::Plan;
use sfu_core::rtp::{EgressHeader, ExtensionKind, ExtensionMap, RtpHeader, append_padding, classify, rtx_decode, rtx_encode};

pub(crate) fn run(bytes: &[u8]) {
    let mut plan = Plan::new(bytes);
    let mut map = ExtensionMap::default();
    for kind in ExtensionKind::ALL {
        // Ids that RFC 8285 forbids are refused.
        let _valid = map.insert(plan.byte().unwrap_or(0), kind);
    }
    let packet = plan.rest();
    let _kind = classify(packet);
    let Ok(header) = RtpHeader::parse(packet) else { return };
    assert!(header.header_len <= packet.len());
    let read = header.extensions(packet, &map);
    assert!(format!("{read:?}").len() < 16 * packet.len() + 1_024);
    let values: usize = header.extension_elements(packet).map(|(_, value)| value.len()).sum();
    assert!(values <= packet.len());
    let Ok(range) = header.payload_range(packet) else { return };
    let payload = &packet[range];
    if let Some((number, original)) = rtx_decode(payload) {
        let mut again = vec![0; payload.len()];
        assert_eq!(rtx_encode(number, original, &mut again), Some(payload.len()));
        assert_eq!(again, payload);
    }
    rewritten(&header, packet, payload);
}

/// What is written from it is read as the same.
fn rewritten(header: &RtpHeader, packet: &[u8], payload: &[u8]) {
    let mut out = vec![0; packet.len() + 600];
    let elements: Vec<(u8, &[u8])> = header.extension_elements(packet).take(8).collect();
    let egress = EgressHeader {
        marker: header.marker,
        payload_type: header.payload_type,
        seq: header.seq,
        timestamp: header.timestamp,
        ssrc: header.ssrc,
    };
    let Ok(length) = egress.write(&elements, &mut out) else { return };
    out.truncate(length);
    out.extend_from_slice(payload);
    let read = RtpHeader::parse(&out).expect("what was written is a header");
    assert_eq!((read.seq, read.timestamp, read.ssrc, read.marker), (header.seq, header.timestamp, header.ssrc, header.marker));
    assert_eq!(read.header_len, length);
    let full = out.len();
    out.resize(full + 20, 0);
    let padded = append_padding(&mut out, full, 20).expect("there is room");
    assert_eq!(padded, full + 20);
}
