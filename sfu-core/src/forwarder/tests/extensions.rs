use super::*;
use crate::rtp::{ExtensionKind, ExtensionMap};
use crate::sdp::{Direction, HeaderExtension};

const CC: u8 = 3;
const DESCRIPTOR: u8 = 12;
const MID: u8 = 4;
const AV1: u8 = 45;

fn extensions() -> ExtensionMap {
    let mut map = ExtensionMap::default();
    for (id, kind) in [(CC, ExtensionKind::TransportCc), (DESCRIPTOR, ExtensionKind::DependencyDescriptor), (MID, ExtensionKind::Mid)] {
        map.insert(id, kind).unwrap();
    }
    map
}

fn format() -> SlotFormat {
    let offered = |id, kind| HeaderExtension { id, kind, direction: Direction::SendRecv };
    let extensions = vec![
        offered(CC, ExtensionKind::TransportCc),
        offered(DESCRIPTOR, ExtensionKind::DependencyDescriptor),
        offered(MID, ExtensionKind::Mid),
    ];
    let mut negotiated = negotiated();
    let av1 = OfferedCodec { payload_type: AV1, key: CodecKey::of(Codec::Av1), ..negotiated.codecs[0].clone() };
    negotiated.codecs.push(av1);
    SlotFormat::new("1".into(), NegotiatedSection { extensions, ..negotiated })
}

/// Writes one packet with this descriptor; returns the bytes.
fn write(stage: &mut Stage, packet: &Packet, dependency: &[u8]) -> (Vec<u8>, Written) {
    let mut out = vec![0; 1_500];
    let media = MediaPacket { info: packet.info, payload: &packet.payload, dependency };
    stage.now += Duration::from_millis(33);
    let written = stage.forwarder.forward(stage.now, &media, &CaptureClocks::default(), &stage.format, &mut out).unwrap();
    out.truncate(written.len);
    (out, written)
}

#[test]
fn the_place_of_the_transport_wide_number_is_told_in_both_forms() {
    let mut stage = Stage::new(10);
    stage.format = format().with_transport_cc();
    let mut source = stage.source(1, 0, 0);
    stage.forwarder.bind(source.publication);
    source.codec = Codec::Av1;
    // More than 16 bytes need the two-byte form.
    for (keyframe, dependency) in [(true, &[0x80, 0, 1, 9, 9][..]), (false, &[7; 40]), (false, &[])] {
        let (mut bytes, written) = write(&mut stage, &source.next(keyframe), dependency);
        let at = written.transport_cc_at.unwrap();
        bytes[at..at + 2].copy_from_slice(&0xabcd_u16.to_be_bytes());
        let header = RtpHeader::parse(&bytes).unwrap();
        let read = header.extensions(&bytes, &extensions());
        assert_eq!(read.transport_cc, Some(0xabcd));
        assert_eq!(read.mid, Some(&b"1"[..]));
    }
    let mut out = vec![0; 1_500];
    assert!(stage.forwarder.padding(&stage.format, 200, &mut out).unwrap().transport_cc_at.is_some(), "probes are measured, too");
}

#[test]
fn without_somebody_to_fill_it_in_there_is_no_transport_wide_number() {
    let mut stage = Stage::new(10);
    stage.format = format();
    let mut source = stage.source(1, 0, 0);
    stage.forwarder.bind(source.publication);
    let (bytes, written) = write(&mut stage, &source.next(true), &[]);
    assert_eq!(written.transport_cc_at, None);
    assert_eq!(RtpHeader::parse(&bytes).unwrap().extensions(&bytes, &extensions()).transport_cc, None);
}
