//! AV1's dependency descriptor on its way to the subscriber.

use super::*;
use crate::codec::dependency_descriptor::test_descriptors::{DescriptorText, L1T3};
use crate::rtp::{ExtensionKind, ExtensionMap};
use crate::sdp::{Direction, HeaderExtension};

const AV1: u8 = 45;

fn stage(kinds: &[ExtensionKind], transport_cc: bool) -> (Stage, ExtensionMap) {
    let mut negotiated = negotiated();
    negotiated.codecs[0] = OfferedCodec { payload_type: AV1, key: CodecKey::of(Codec::Av1), ..negotiated.codecs[0].clone() };
    let extension = |(id, kind): (u8, &ExtensionKind)| HeaderExtension { id, kind: *kind, direction: Direction::SendRecv };
    negotiated.extensions = (1..).zip(kinds).map(extension).collect();
    let map = negotiated.egress_extensions();
    let mut stage = Stage::new(100);
    stage.format = SlotFormat::new("1".into(), negotiated);
    if transport_cc {
        stage.format = stage.format.with_transport_cc();
    }
    (stage, map)
}

/// The descriptor that the subscriber sees of the next frame of `source`, and its transport-wide number as it is filled in.
fn send(stage: &mut Stage, map: &ExtensionMap, source: &mut Source, text: DescriptorText) -> (Option<Vec<u8>>, Option<u16>) {
    let packet = source.next(text.structure.is_some());
    let dependency = DescriptorText { edges: (true, true), ..text }.bytes();
    stage.now += Duration::from_micros(33_333);
    let mut out = vec![0; 1_500];
    let packet = MediaPacket { info: packet.info, payload: &packet.payload, dependency: &dependency };
    let written = stage.forwarder.forward(stage.now, &packet, &CaptureClocks::default(), &stage.format, &mut out).unwrap();
    if let Some(at) = written.transport_cc_at {
        out[at..at + 2].copy_from_slice(&0x1234_u16.to_be_bytes());
    }
    let header = RtpHeader::parse(&out).unwrap();
    let extensions = header.extensions(&out[..written.len], map);
    (extensions.dependency_descriptor.map(<[u8]>::to_vec), extensions.transport_cc)
}

fn with_number(text: DescriptorText, number: u32) -> Option<Vec<u8>> {
    Some(DescriptorText { edges: (true, true), number, ..text }.bytes())
}

#[test]
fn frame_numbers_go_on_when_the_source_changes() {
    use ExtensionKind::{DependencyDescriptor, Mid, TransportCc};
    for (kinds, transport_cc) in [(&[DependencyDescriptor][..], false), (&[Mid, TransportCc, DependencyDescriptor], true)] {
        let (mut stage, map) = stage(kinds, transport_cc);
        let [mut one, mut other] = [(10, 0), (50_000, 77)].map(|(seq, time)| Source { codec: Codec::Av1, ..stage.source(seq, time, 0) });
        // The structure doesn't fit a one-byte element, the others do.
        let key = DescriptorText { structure: Some(L1T3), ..Default::default() };
        let delta = DescriptorText { template: 3, ..Default::default() };
        let number = transport_cc.then_some(0x1234);
        stage.forwarder.bind(one.publication);
        assert_eq!(send(&mut stage, &map, &mut one, DescriptorText { number: 65_534, ..key }), (with_number(key, 65_534), number));
        assert_eq!(send(&mut stage, &map, &mut one, DescriptorText { number: 65_535, ..delta }), (with_number(delta, 65_535), number));
        stage.forwarder.bind(other.publication);
        assert_eq!(send(&mut stage, &map, &mut other, DescriptorText { number: 300, ..key }), (with_number(key, 3), number));
        assert_eq!(
            send(&mut stage, &map, &mut other, DescriptorText { number: 302, ..delta }),
            (with_number(delta, 5), number),
            "as far apart"
        );
    }
}

#[test]
fn whoever_did_not_ask_for_descriptors_gets_none() {
    let (mut stage, map) = stage(&[ExtensionKind::Mid], false);
    let mut source = Source { codec: Codec::Av1, ..stage.source(10, 0, 0) };
    stage.forwarder.bind(source.publication);
    let key = DescriptorText { structure: Some(L1T3), ..Default::default() };
    assert_eq!(send(&mut stage, &map, &mut source, key), (None, None));
}
