use super::*;
use crate::layer::LayerTag;
use crate::packet::PacketInfo;
use crate::rtp::{AudioLevel, Seq};
use crate::sdp::{Direction, HeaderExtension};

fn format(ids: &[(u8, ExtensionKind)]) -> SlotFormat {
    let extensions = ids.iter().map(|(id, kind)| HeaderExtension { id: *id, kind: *kind, direction: Direction::SendRecv }).collect();
    SlotFormat::new("7".into(), NegotiatedSection { extensions, ..NegotiatedSection::default() }).with_transport_cc()
}

fn written(format: &SlotFormat, level: Option<AudioLevel>, orientation: Option<u8>, with_mid: bool) -> (Vec<u8>, Option<usize>) {
    let info = PacketInfo {
        generation: 0,
        seq: Seq::first(1),
        timestamp: 0,
        marker: true,
        payload_type: 120,
        codec: CodecKey::of(Codec::Opus),
        keyframe: true,
        layer: LayerTag::single(true, true, true),
        audio_level: level,
        video_orientation: orientation,
    };
    let header = EgressHeader { marker: true, payload_type: 111, seq: 0xabcd, timestamp: 0x0102_0304, ssrc: 0x5107 };
    let mut out = [0xee; 64];
    let packet = MediaPacket { info, payload: &[], dependency: &[] };
    let written = format.write_header(&header, Some(&packet), None, with_mid, &mut out).unwrap();
    (out[..written.len].to_vec(), written.transport_cc_at)
}

#[test]
fn a_block_put_together_before_is_what_its_elements_make() {
    let all =
        [(3, ExtensionKind::TransportCc), (14, ExtensionKind::AudioLevel), (5, ExtensionKind::VideoOrientation), (4, ExtensionKind::Mid)];
    let high = [(16, ExtensionKind::TransportCc), (1, ExtensionKind::AudioLevel)];
    let mut ready = 0;
    for ids in [&all[..], &all[..1], &all[1..], &high[..], &[]] {
        let format = format(ids);
        let slow = SlotFormat { numbered_block: None, level_block: None, ..format.clone() };
        ready += usize::from(format.numbered_block.is_some()) + usize::from(format.level_block.is_some());
        for level in [None, Some(AudioLevel { voice: true, level: 37 })] {
            for (orientation, with_mid) in [(None, false), (Some(1), false), (None, true), (Some(2), true)] {
                let case = format!("{ids:?} {level:?} {orientation:?} {with_mid}");
                assert_eq!(written(&format, level, orientation, with_mid), written(&slow, level, orientation, with_mid), "{case}");
            }
        }
    }
    assert_eq!(ready, 3);
}
