//! Bitrates and codec orders are what the documentation promises.

use super::*;

#[test]
fn bitrates_hit_the_presets_and_rise_between_them() {
    let camera = |width, height| video_bitrate(Source::Camera, VideoCodec::Vp8, width, height);
    assert_eq!(camera(1280, 720), 1_700_000);
    assert_eq!(camera(720, 1280), 1_700_000, "a phone held upright");
    assert_eq!(camera(640, 360), 450_000);
    assert_eq!(camera(0, 0), 1_700_000, "unknown size");
    assert_eq!(camera(640, 480), 543_333);
    assert_eq!(camera(7680, 4320), 8_000_000);
    let mut last = 0;
    for height in (18..2160).step_by(18) {
        let bits = camera(height * 16 / 9, height);
        assert!(bits >= last, "{height}p");
        last = bits;
    }
}

#[test]
fn better_codecs_take_fewer_bits() {
    assert_eq!(video_bitrate(Source::Camera, VideoCodec::Vp9, 1280, 720), 1_445_000);
    assert_eq!(video_bitrate(Source::Camera, VideoCodec::Av1, 1280, 720), 1_190_000);
    assert_eq!(video_bitrate(Source::Screen, VideoCodec::Vp8, 1920, 1080), 2_500_000);
}

/// Codecs as Chromium 156 lists them for video.
const CHROMIUM: [(&str, &str); 12] = [
    ("video/VP8", ""),
    ("video/rtx", ""),
    ("video/VP9", "profile-id=0"),
    ("video/VP9", "profile-id=2"),
    ("video/H264", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f"),
    ("video/H264", "level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f"),
    ("video/H264", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"),
    ("video/AV1", "level-idx=5;profile=0;tier=0"),
    ("video/AV1", "level-idx=5;profile=1;tier=0"),
    ("video/red", ""),
    ("video/ulpfec", ""),
    ("video/flexfec-03", "repair-window=10000000"),
];

fn offered(codecs: &[(&str, &str)], video: VideoCodec, red: bool) -> Vec<String> {
    let mut ranked: Vec<_> =
        codecs.iter().filter_map(|(mime, fmtp)| Some((codec_rank(mime, fmtp, video, red)?, format!("{mime} {fmtp}")))).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, name)| name.trim().to_owned()).collect()
}

#[test]
fn one_profile_of_each_codec_is_offered_and_the_wanted_one_first() {
    let vp8 = offered(&CHROMIUM, VideoCodec::Vp8, true);
    assert_eq!(
        vp8,
        [
            "video/VP8",
            "video/VP9 profile-id=0",
            "video/H264 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
            "video/AV1 level-idx=5;profile=0;tier=0",
            "video/rtx"
        ]
    );
    for (codec, first) in [(VideoCodec::Vp9, "video/VP9"), (VideoCodec::Av1, "video/AV1"), (VideoCodec::H264, "video/H264")] {
        assert!(offered(&CHROMIUM, codec, true)[0].starts_with(first));
    }
}

#[test]
fn red_goes_before_opus_unless_it_is_not_wanted() {
    let audio = [("audio/opus", "minptime=10;useinbandfec=1"), ("audio/red", "111/111"), ("audio/G722", ""), ("audio/telephone-event", "")];
    assert_eq!(offered(&audio, VideoCodec::Vp8, true), ["audio/red 111/111", "audio/opus minptime=10;useinbandfec=1"]);
    assert_eq!(offered(&audio, VideoCodec::Vp8, false), ["audio/opus minptime=10;useinbandfec=1"]);
}

#[test]
fn names_of_codecs_are_those_of_the_api() {
    assert_eq!(VideoCodec::from_name("h264"), Some(VideoCodec::H264));
    assert_eq!(VideoCodec::from_name("H264"), None);
}

#[test]
fn voices_come_before_letters_and_these_before_faces() {
    assert_eq!(priorities(Source::Microphone, false), ("high", "high"));
    assert_eq!(priorities(Source::Other, false), ("high", "high"), "a tone of the app is sound as well");
    assert_eq!(priorities(Source::Screen, true), ("high", "medium"));
    assert_eq!(priorities(Source::Camera, true), ("medium", "medium"));
}
