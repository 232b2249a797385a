//! Which codecs are accepted, and how a publisher's finds the subscriber's.

use super::*;
use crate::codec::Codec;
use crate::sdp::{CodecKey, Feedback, NegotiatedSection};

/// A video section with these `rtpmap`-and-`fmtp` pairs, payload types from 96 up.
fn video(codecs: &[(&str, &str)]) -> NegotiatedSection {
    let lines: Vec<String> = (96..)
        .zip(codecs)
        .map(|(payload_type, (name, fmtp))| {
            let fmtp = if fmtp.is_empty() { String::new() } else { format!("\r\na=fmtp:{payload_type} {fmtp}") };
            format!("a=rtpmap:{payload_type} {name}/90000{fmtp}")
        })
        .collect();
    let formats: Vec<String> = (96..).take(codecs.len()).map(|payload_type: u8| payload_type.to_string()).collect();
    let text = small_offer_with("a=rtpmap:96 VP8/90000", &lines.join("\r\n")).replace("SAVPF 96", &format!("SAVPF {}", formats.join(" ")));
    negotiate(&Offer::parse(&text).unwrap().sections[1], &AnswerOptions::default())
}

fn payload_types(section: &NegotiatedSection) -> Vec<u8> {
    section.codecs.iter().map(|codec| codec.payload_type).collect()
}

#[test]
fn chromium_gets_opus_red_and_the_video_codecs_everybody_decodes() {
    let offer = offer("chromium-publish-slots");
    let [audio, video] = [0, 3].map(|index: usize| negotiate(&offer.sections[index], &AnswerOptions::default()));
    assert_eq!(payload_types(&audio), [111, 63]);
    let names: Vec<(Codec, u8)> = video.codecs.iter().map(|codec| (codec.key.codec, codec.key.profile)).collect();
    assert_eq!(names, [(Codec::Vp8, 0), (Codec::Vp9, 0), (Codec::H264, 0), (Codec::H264, 0), (Codec::Av1, 0)]);
    assert!(video.codecs.iter().all(|codec| codec.rtx_payload_type.is_some()));
}

#[test]
fn a_publishers_h264_finds_the_subscribers_whatever_its_level_and_constraints() {
    let h264 = |level_id: &str| format!("level-asymmetry-allowed=1;packetization-mode=1;profile-level-id={level_id}");
    for published in ["42001f", "42e01f", "42C015", "4d801f", "58801f"] {
        let publisher = video(&[("H264", &h264(published))]);
        let subscriber = video(&[("VP8", ""), ("H264", &h264("42e034"))]);
        assert_eq!(subscriber.payload_type_for(&publisher.codecs[0].key), Some(97), "{published}");
    }
}

#[test]
fn h264_that_not_everybody_decodes_is_left_out() {
    for fmtp in [
        "packetization-mode=1;profile-level-id=4d001f",
        "packetization-mode=1;profile-level-id=64001f",
        "packetization-mode=0;profile-level-id=42e01f",
        "profile-level-id=42e01f",
        "",
        "packetization-mode=1;profile-level-id=42e0",
        "packetization-mode=1;profile-level-id=f4001f",
    ] {
        assert!(!video(&[("H264", fmtp)]).is_usable(), "{fmtp}");
    }
    assert!(video(&[("H264", "packetization-mode=1")]).is_usable(), "baseline is the default (RFC 6184 §8.1)");
}

#[test]
fn vp9_and_av1_are_taken_in_profile_0() {
    let section = video(&[
        ("VP9", "profile-id=2"),
        ("VP9", ""),
        ("VP9", "profile-id=0"),
        ("AV1", "profile=1"),
        ("AV1", "level-idx=5;profile=0;tier=0"),
    ]);
    assert_eq!(payload_types(&section), [97, 98, 100]);
    assert_eq!(section.payload_type_for(&CodecKey::of(Codec::Vp9)), Some(97), "the most preferred");
    assert_eq!(section.payload_type_for(&CodecKey { codec: Codec::Vp9, profile: 2 }), None);
}

#[test]
fn retransmissions_are_found_both_ways() {
    let section = video(&[("VP8", ""), ("rtx", "apt=96"), ("rtx", "apt=99"), ("AV1", ""), ("rtx", "apt=1000"), ("rtx", "")]);
    assert_eq!(section.rtx_payload_type_for(&CodecKey::of(Codec::Vp8)), Some(97));
    assert_eq!(section.rtx_payload_type_for(&CodecKey::of(Codec::Av1)), Some(98), "even when listed first");
    assert_eq!(section.codec_of_rtx(97).map(|codec| codec.payload_type), Some(96));
    assert_eq!(section.codec(97), None, "it carries no media");
    assert_eq!(section.codec(99).map(|codec| codec.key), Some(CodecKey::of(Codec::Av1)));
}

#[test]
fn red_goes_with_the_opus_that_it_names() {
    let audio = |red: &str| {
        let lines = format!("a=rtpmap:111 opus/48000/2\r\na=rtpmap:63 red/48000/2{red}");
        let text = small_offer_with("a=rtpmap:111 opus/48000/2", &lines).replace("SAVPF 111", "SAVPF 63 111");
        payload_types(&negotiate(&Offer::parse(&text).unwrap().sections[0], &AnswerOptions::default()))
    };
    assert_eq!(audio("\r\na=fmtp:63 111/111"), [63, 111]);
    assert_eq!(audio("\r\na=fmtp:63 111/0"), [111]);
    assert_eq!(audio(""), [111]);
    let alone = small_offer_with("a=rtpmap:111 opus/48000/2", "a=rtpmap:111 red/48000/2\r\na=fmtp:111 111/111");
    assert!(!negotiate(&Offer::parse(&alone).unwrap().sections[0], &AnswerOptions::default()).is_usable());
}

#[test]
fn clock_rates_channels_kinds_and_payload_types_must_fit() {
    let section = |line: &str| Offer::parse(&small_offer_with("a=rtpmap:111 opus/48000/2", line)).unwrap().sections.swap_remove(0);
    assert!(section("a=rtpmap:111 opus/48000").codecs.is_empty());
    assert!(section("a=rtpmap:111 opus/16000/2").codecs.is_empty());
    assert!(section("a=rtpmap:111 VP8/90000").codecs.is_empty());
    assert_eq!(section("a=rtpmap:111 OPUS/48000/2").codecs.len(), 1, "GStreamer writes it in capitals");
    let reserved = small_offer().replace("SAVPF 111", "SAVPF 72").replace("rtpmap:111", "rtpmap:72");
    assert!(Offer::parse(&reserved).unwrap().sections[0].codecs.is_empty(), "with a marker bit it is a sender report");
}

#[test]
fn opus_is_asked_for_fec_and_stereo_only_as_offered() {
    let fmtp = |offered: &str| {
        let text = small_offer_with("a=rtpmap:111 opus/48000/2", &format!("a=rtpmap:111 opus/48000/2{offered}"));
        negotiate(&Offer::parse(&text).unwrap().sections[0], &AnswerOptions::default()).codecs.remove(0).fmtp.unwrap()
    };
    assert_eq!(fmtp(""), "minptime=10;useinbandfec=1");
    assert_eq!(fmtp("\r\na=fmtp:111 minptime=20; useinbandfec=0"), "minptime=20; useinbandfec=0");
    assert_eq!(fmtp("\r\na=fmtp:111 stereo=1"), "stereo=1;minptime=10;useinbandfec=1");
}

#[test]
fn the_offerers_decoder_limits_are_not_repeated() {
    let section = video(&[("VP8", "max-fs=12288;max-fr=60"), ("VP9", "profile-id=0; max-fs=12288")]);
    assert_eq!(section.codecs[0].fmtp, None);
    assert_eq!(section.codecs[1].fmtp.as_deref(), Some("profile-id=0"));
}

#[test]
fn feedback_is_what_the_edge_does_for_that_direction() {
    let offer = offer("chromium-publish-slots");
    let feedback = |index: usize, options: &AnswerOptions| negotiate(&offer.sections[index], options).codecs[0].feedback;
    let all = Feedback { nack: true, pli: true, fir: true, transport_cc: true, remb: true };
    assert_eq!(feedback(1, &AnswerOptions::default()), Feedback { remb: false, ..all }, "publishing");
    assert_eq!(feedback(3, &AnswerOptions::default()), all, "subscribing");
}

/// Chromium estimates no bandwidth at all when bundled sections disagree.
#[test]
fn every_section_of_a_bundle_gets_the_same_congestion_feedback() {
    for name in ["chromium-publish-slots", "chromium-sendrecv", "firefox-publish-slots"] {
        let offer = offer(name);
        let media = offer.sections.iter().filter(|section| !section.codecs.is_empty());
        let video = media.filter(|section| section.kind == SectionKind::Video);
        let answered: Vec<_> = video.map(|section| negotiate(section, &AnswerOptions::default()).codecs[0].feedback.transport_cc).collect();
        assert!(answered.iter().all(|transport_cc| *transport_cc), "{name}: {answered:?}");
    }
}

#[test]
fn feedback_for_all_formats_counts_for_each() {
    let text = small_offer_with("a=rtpmap:96 VP8/90000", "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:* nack\r\na=rtcp-fb:96 nack pli");
    let feedback = Offer::parse(&text).unwrap().sections[1].codecs[0].feedback;
    assert_eq!(feedback, Feedback { nack: true, pli: true, ..Feedback::default() });
}
