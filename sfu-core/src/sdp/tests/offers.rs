//! What is read from real offers.

use super::*;
use crate::codec::Codec;
use crate::rtp::ExtensionKind;
use crate::sdp::{Direction, Feedback, HeaderExtension, Setup, SourceSsrc};
use nearcast_protocol::Mid;

fn codec_names(section: &Section) -> Vec<(u8, Codec, Option<u8>)> {
    section.codecs.iter().map(|codec| (codec.payload_type, codec.key.codec, codec.rtx_payload_type)).collect()
}

fn shape(offer: &Offer) -> Vec<(&str, SectionKind, Direction, bool)> {
    offer.sections.iter().map(|section| (section.mid.as_str(), section.kind, section.direction, section.rejected)).collect()
}

#[test]
fn chromium_publishes_a_screen() {
    let offer = offer("chromium-screen");
    assert_eq!((offer.setup, offer.extmap_allow_mixed), (Setup::ActPass, true));
    assert_eq!((offer.ice.ufrag.len(), offer.ice.pwd.len()), (4, 24));
    let text = offer_text("chromium-screen");
    assert!(text.contains(&format!("a=fingerprint:sha-256 {}\r\n", offer.fingerprint)), "it reads and writes alike");
    use SectionKind::{Audio, Data, Video};
    let sends = Direction::SendOnly;
    assert_eq!(shape(&offer), [("0", Video, sends, false), ("1", Audio, sends, false), ("2", Data, Direction::SendRecv, false)]);

    let video = offer.section(&Mid::from("0")).unwrap();
    assert!(matches!(video.ssrcs[..], [SourceSsrc { rtx: Some(_), .. }]), "{:?}", video.ssrcs);
    assert_eq!(video.codecs[0].feedback, Feedback { nack: true, pli: true, fir: true, transport_cc: true, remb: true });
    let (stream, track) = video.msid.as_ref().unwrap();
    assert_eq!((stream.len(), track.len()), (36, 36));

    let audio = &offer.sections[1];
    assert_eq!(codec_names(audio), [(111, Codec::Opus, None), (63, Codec::Red, None)]);
    assert_eq!(audio.codecs[0].fmtp.as_deref(), Some("minptime=10;useinbandfec=1"));
    assert_eq!(audio.msid.as_ref().unwrap().0, *stream, "one stream for both");
    assert!(audio.rtcp_rsize);

    assert_eq!((offer.sections[2].sctp_port, offer.sections[2].max_message_size), (Some(5000), Some(262_144)));
}

#[test]
fn chromium_announces_layers_by_rid_and_no_ssrcs() {
    let offer = offer("chromium-simulcast");
    let video = &offer.sections[1];
    assert_eq!(video.rids, ["q", "h", "f"]);
    assert!(video.ssrcs.is_empty());
    for kind in [ExtensionKind::Mid, ExtensionKind::Rid, ExtensionKind::RepairedRid, ExtensionKind::VideoLayersAllocation] {
        assert!(video.extensions.iter().any(|extension| extension.kind == kind), "{kind:?}");
    }
}

#[test]
fn firefox_announces_layers_by_rid_and_ssrcs_in_the_same_order() {
    let offer = offer("firefox-simulcast");
    let video = &offer.sections[1];
    assert_eq!(video.rids, ["q", "h", "f"]);
    assert_eq!(video.ssrcs.len(), 3);
    assert!(video.ssrcs.iter().all(|source| source.rtx.is_some()));
}

#[test]
fn firefox_has_bundle_only_sections_and_one_way_extensions() {
    let offer = offer("firefox-publish-slots");
    assert!(offer.extmap_allow_mixed, "said in every section");
    assert!(offer.sections.iter().all(|section| !section.rejected), "port 0 with a=bundle-only is alive");
    assert_eq!(offer.sections.iter().filter(|section| section.receives() && section.kind != SectionKind::Data).count(), 8);
    let direction_of =
        |kind| offer.sections[1].extensions.iter().find(|extension| extension.kind == kind).map(|extension| extension.direction);
    assert_eq!(direction_of(ExtensionKind::PlayoutDelay), Some(Direction::RecvOnly));
    assert_eq!(direction_of(ExtensionKind::Mid), Some(Direction::SendRecv));
}

#[test]
fn stopped_sections_are_rejected_and_keep_their_mid() {
    for browser in ["chromium", "firefox"] {
        let offer = offer(&format!("{browser}-reoffer-stopped"));
        let rejected: Vec<&str> = offer.sections.iter().filter(|section| section.rejected).map(|section| section.mid.as_str()).collect();
        assert_eq!(rejected, ["0", "3"], "{browser}");
    }
}

#[test]
fn chromium_fills_a_stopped_section_with_another_kind() {
    let offer = offer("chromium-reoffer-recycled");
    assert_eq!(shape(&offer)[0], ("6", SectionKind::Video, Direction::RecvOnly, false), "it was audio, with mid 0");
}

#[test]
fn aiortc_has_credentials_in_sections_and_several_fingerprints() {
    let offer = offer("aiortc-publish-slots");
    assert_eq!(offer.ice.pwd.len(), 22);
    assert!(!offer.extmap_allow_mixed);
    assert_eq!(codec_names(&offer.sections[1]), [(97, Codec::Vp8, Some(98)), (99, Codec::H264, Some(100)), (101, Codec::H264, Some(102))]);
    assert_eq!(offer.sections[0].codecs[0].fmtp, None);
}

#[test]
fn gstreamer_has_long_mids_and_msids_on_ssrc_lines() {
    let offer = offer("gstreamer-sendrecv");
    assert_eq!(shape(&offer)[0], ("audio0", SectionKind::Audio, Direction::SendRecv, false));
    assert_eq!(offer.sections[0].msid, Some(("user@host".to_owned(), "webrtctransceiver0".to_owned())));
    assert!(offer.sections[0].extensions.is_empty());
    assert_eq!(offer.sections[2].max_message_size, Some(65_536), "unless stated");
}

#[test]
fn webrtc_rs_inherits_its_fingerprint_from_the_session() {
    let offer = offer("webrtc-rs-publish-slots");
    assert!(offer_text("webrtc-rs-publish-slots").contains(&offer.fingerprint.to_string()));
    assert_eq!(offer.sections[0].ssrcs, [SourceSsrc { ssrc: 4242, rtx: None }]);
    assert_eq!(offer.sections[1].ssrcs[0].ssrc, 4343);
    assert!(offer.sections[1].ssrcs[0].rtx.is_some());
}

#[test]
fn sections_inherit_what_the_session_says() {
    let text = small_offer()
        .replace("a=setup:actpass", "a=setup:actpass\r\na=inactive\r\na=rtcp-rsize\r\na=extmap:5 urn:ietf:params:rtp-hdrext:sdes:mid")
        .replace("a=recvonly\r\n", "");
    let offer = Offer::parse(&text).unwrap();
    assert_eq!(offer.sections[0].direction, Direction::SendOnly, "its own word counts");
    assert_eq!(offer.sections[1].direction, Direction::Inactive);
    assert!(offer.sections[1].rtcp_rsize);
    assert_eq!(offer.sections[1].extensions, [HeaderExtension { id: 5, kind: ExtensionKind::Mid, direction: Direction::SendRecv }]);
    let silent = small_offer_with("a=recvonly", "a=x");
    assert_eq!(Offer::parse(&silent).unwrap().sections[1].direction, Direction::SendRecv);
}

#[test]
fn repair_streams_are_no_sources() {
    let lines = "a=mid:a\r\na=ssrc-group:FEC-FR 1 3\r\na=ssrc-group:FID 1 2\r\na=ssrc:1 cname:x\r\na=ssrc:2 cname:x\r\na=ssrc:3 cname:x\r\na=ssrc:4 cname:x";
    let offer = Offer::parse(&small_offer_with("a=mid:a", lines)).unwrap();
    assert_eq!(offer.sections[0].ssrcs, [SourceSsrc { ssrc: 1, rtx: Some(2) }, SourceSsrc { ssrc: 4, rtx: None }]);
}

#[test]
fn an_ssrc_belongs_to_the_first_section_that_names_it() {
    let text = small_offer_with("a=mid:a", "a=mid:a\r\na=ssrc:7 cname:x")
        .replace("a=mid:v", "a=mid:v\r\na=ssrc-group:FID 8 7\r\na=ssrc:7 cname:x");
    let offer = Offer::parse(&text).unwrap();
    assert_eq!(offer.sections[0].ssrcs, [SourceSsrc { ssrc: 7, rtx: None }]);
    assert_eq!(offer.sections[1].ssrcs, [SourceSsrc { ssrc: 8, rtx: None }]);
}

#[test]
fn layers_take_the_first_of_alternatives_and_must_be_declared() {
    let lines = "a=mid:a\r\na=rid:a send\r\na=rid:b send\r\na=rid:c recv\r\na=simulcast:recv c send ~a,b;c;b";
    assert_eq!(Offer::parse(&small_offer_with("a=mid:a", lines)).unwrap().sections[0].rids, ["a", "b"]);
}
