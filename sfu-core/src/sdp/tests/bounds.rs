//! How much of an offer is kept, and how much is refused: `limits`.

use super::*;
use crate::sdp::{SdpError, limits};

fn with_lines(line: &str, added: impl Iterator<Item = String>) -> Offer {
    let added: Vec<String> = std::iter::once(line.to_owned()).chain(added).collect();
    Offer::parse(&small_offer_with(line, &added.join("\r\n"))).unwrap()
}

#[test]
fn offers_of_too_many_bytes_lines_or_sections_are_refused() {
    let padded = |line: &str, count: usize| small_offer() + &format!("{line}\r\n").repeat(count);
    let too_long = |text: &str| match Offer::parse(text) {
        Err(SdpError::TooLong { unit, .. }) => unit,
        other => panic!("{other:?}"),
    };
    assert_eq!(too_long(&padded(&format!("a=x:{}", "y".repeat(1000)), 270)), "bytes");
    assert_eq!(too_long(&padded("a=x", limits::MAX_OFFER_LINES)), "lines");
    let sections = |count: usize| padded("m=audio 0 UDP/TLS/RTP/SAVPF 0", count);
    assert_eq!(too_long(&sections(limits::MAX_SECTIONS - 2)), "sections");
    assert_eq!(Offer::parse(&sections(limits::MAX_SECTIONS - 3)).unwrap().sections.len(), limits::MAX_SECTIONS);
}

#[test]
fn a_section_keeps_its_first_codecs() {
    let formats: Vec<String> = (96..=127).chain(0..=63).map(|payload_type| payload_type.to_string()).collect();
    let rtpmaps: String = formats.iter().map(|payload_type| format!("a=rtpmap:{payload_type} VP8/90000\r\n")).collect();
    let text = small_offer_with("a=rtpmap:96 VP8/90000", rtpmaps.trim_end()).replace("SAVPF 96", &format!("SAVPF {}", formats.join(" ")));
    let codecs = &Offer::parse(&text).unwrap().sections[1].codecs;
    assert_eq!(codecs.iter().map(|codec| codec.payload_type).collect::<Vec<_>>(), (96..=127).collect::<Vec<_>>());
}

#[test]
fn a_section_keeps_its_first_sources() {
    let offer = with_lines("a=mid:a", (1..=20).map(|ssrc| format!("a=ssrc:{ssrc} cname:x")));
    assert_eq!(offer.sections[0].ssrcs.iter().map(|source| source.ssrc).collect::<Vec<_>>(), (1..=8).collect::<Vec<_>>());
    let grouped = with_lines("a=mid:a", (1..=20).map(|ssrc| format!("a=ssrc-group:FID {ssrc} {}", ssrc + 100)));
    assert_eq!(grouped.sections[0].ssrcs.len(), limits::MAX_SSRCS);
}

#[test]
fn a_section_keeps_its_first_layers() {
    let rids = (1..=6).map(|rid| format!("a=rid:{rid} send")).chain(["a=simulcast:send 1;2;3;4;5;6".to_owned()]);
    assert_eq!(with_lines("a=mid:a", rids).sections[0].rids, ["1", "2", "3", "4"]);
}

#[test]
fn texts_that_are_too_long_are_left_out() {
    let long = "x".repeat(300);
    let offer = with_lines("a=mid:a", [format!("a=msid:{long} t"), format!("a=fmtp:111 {long}")].into_iter());
    assert_eq!(offer.sections[0].msid, None);
    assert!(offer.sections[0].codecs.is_empty(), "its parameters could not be repeated");
    let offer = with_lines("a=mid:a", [format!("a=rid:{long} send"), format!("a=simulcast:send {long}")].into_iter());
    assert!(offer.sections[0].rids.is_empty());
}

#[test]
fn a_slot_for_everybody_in_a_large_room_fits() {
    let slots: String = (0..120)
        .map(|mid| {
            format!(
                "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:{mid}\r\na=recvonly\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n\
            m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:v{mid}\r\na=recvonly\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n"
            )
        })
        .collect();
    let mids: String = (0..120).map(|mid| format!(" {mid} v{mid}")).collect();
    let text = small_offer_with("a=group:BUNDLE a v d", &format!("a=group:BUNDLE a v d{mids}")) + &slots;
    let offer = Offer::parse(&text).unwrap();
    assert_eq!(offer.sections.len(), 243);
    mirror::assert_answers(&text, &answer(&offer));
}
