use super::*;
use crate::trace::Kind;
use str0m::rtp::Vp8Descriptor;

fn packet(kind: Kind, marker: bool, payload: usize) -> TracePacket {
    TracePacket { at: Duration::ZERO, kind, rtp_timestamp: 0, marker, payload, layer: 0 }
}

fn write(writer: &mut PayloadWriter, marker: bool) -> Vec<u8> {
    writer.write(&packet(Kind::Video, marker, 1000), SystemTime::now()).to_vec()
}

/// As somebody else's parser sees it.
fn is_keyframe(payload: &[u8]) -> bool {
    Vp8Descriptor::parse(payload).unwrap().starts_keyframe(payload)
}

#[test]
fn frames_begin_after_markers_and_a_key_frame_comes_when_wanted() {
    let mut writer = PayloadWriter::new(Codec::Vp8);
    let kinds =
        |writer: &mut PayloadWriter| [false, true].map(|marker| write(writer, marker)).map(|payload| (payload[0], is_keyframe(&payload)));
    assert_eq!(kinds(&mut writer), [(0x90, true), (0x80, false)]);
    assert_eq!(kinds(&mut writer), [(0x90, false), (0x80, false)]);
    writer.want_keyframe();
    assert_eq!(kinds(&mut writer), [(0x90, true), (0x80, false)]);
}

#[test]
fn a_key_frame_wanted_inside_a_frame_waits_for_the_next() {
    let mut writer = PayloadWriter::new(Codec::Vp8);
    write(&mut writer, true);
    write(&mut writer, false);
    writer.want_keyframe();
    assert!(!is_keyframe(&write(&mut writer, true)));
    assert!(is_keyframe(&write(&mut writer, true)));
}

#[test]
fn picture_ids_count_frames_and_tl0_counts_base_layers() {
    let mut writer = PayloadWriter::new(Codec::Vp8);
    let numbers: Vec<_> = (0..9)
        .map(|_| {
            let payload = write(&mut writer, true);
            (u16::from_be_bytes([payload[2] & 0x7f, payload[3]]), payload[4], payload[5] >> 6)
        })
        .collect();
    assert_eq!(numbers, [(1, 1, 0), (2, 1, 2), (3, 1, 1), (4, 1, 2), (5, 2, 0), (6, 2, 2), (7, 2, 1), (8, 2, 2), (9, 3, 0)]);
}

#[test]
fn stamps_survive_and_sizes_are_as_recorded() {
    let now = SystemTime::now();
    let [vp8, vp9, av1, h264, opus] = [Codec::Vp8, Codec::Vp9, Codec::Av1, Codec::H264, Codec::Opus];
    for (codec, kind, size, stamped) in [
        (vp8, Kind::Video, 1170, true),
        (opus, Kind::Audio, 77, true),
        (vp9, Kind::Video, 28, true),
        (av1, Kind::Video, 28, true),
        (h264, Kind::Video, 1053, true),
        (vp8, Kind::Video, 27, false),
        (opus, Kind::Audio, 3, false),
    ] {
        let payload = PayloadWriter::new(codec).write(&packet(kind, true, size), now).to_vec();
        assert_eq!(payload.len(), size);
        assert_eq!(stamp(&payload), stamped.then(|| now.duration_since(SystemTime::UNIX_EPOCH).unwrap()));
    }
    assert_eq!(stamp(&[0; 100]), None);
}

#[test]
fn every_codec_marks_its_key_frames() {
    for (codec, of_sfu) in [
        (Codec::Vp8, sfu_core::codec::Codec::Vp8),
        (Codec::Vp9, sfu_core::codec::Codec::Vp9),
        (Codec::Av1, sfu_core::codec::Codec::Av1),
        (Codec::H264, sfu_core::codec::Codec::H264),
    ] {
        let mut writer = PayloadWriter::new(codec);
        let is_key = |marker, writer: &mut PayloadWriter| sfu_core::codec::is_keyframe(of_sfu, &write(writer, marker));
        let seen = [false, true, false, true].map(|marker| is_key(marker, &mut writer));
        assert_eq!(seen, [true, false, false, false], "{codec:?}");
        writer.want_keyframe();
        assert!(is_key(true, &mut writer), "{codec:?}: in one packet");
    }
}
