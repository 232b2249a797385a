//! Offers that real clients made (`fixtures/`, headless Chromium 156, Firefox ESR 153, GStreamer 1.22, aiortc 1.16, webrtc-rs 0.21),
//! addresses replaced, and what becomes of them.

mod answers;
mod bounds;
mod bundle;
mod codecs;
mod extensions;
mod fragments;
mod mirror;
mod offers;
mod properties;
mod refusals;
mod snapshots;

use super::{
    Answer, AnswerOptions, AnswerSection, Candidates, EgressStream, Fingerprint, IceCredentials, Offer, Section, SectionKind, negotiate,
};
use std::path::PathBuf;

/// All offers in `fixtures/`.
const FIXTURES: [&str; 17] = [
    "aiortc-publish-slots",
    "chromium-data-only",
    "chromium-publish-slots",
    "chromium-reoffer-recycled",
    "chromium-reoffer-stopped",
    "chromium-screen",
    "chromium-sendrecv",
    "chromium-simulcast",
    "firefox-data-only",
    "firefox-publish-slots",
    "firefox-reoffer-recycled",
    "firefox-reoffer-stopped",
    "firefox-screen",
    "firefox-sendrecv",
    "firefox-simulcast",
    "gstreamer-sendrecv",
    "webrtc-rs-publish-slots",
];

fn fixture_path(name: &str, extension: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/sdp/fixtures").join(format!("{name}.{extension}.sdp"))
}

fn offer_text(name: &str) -> String {
    std::fs::read_to_string(fixture_path(name, "offer")).unwrap()
}

fn offer(name: &str) -> Offer {
    Offer::parse(&offer_text(name)).unwrap()
}

/// A small complete offer to vary: one audio section that sends, one video section that receives, data.
fn small_offer() -> String {
    [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE a v d",
        "a=ice-ufrag:abcd",
        "a=ice-pwd:abcdefghijklmnopqrstuv",
        "a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F",
        "a=setup:actpass",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "a=mid:a",
        "a=sendonly",
        "a=rtcp-mux",
        "a=rtpmap:111 opus/48000/2",
        "m=video 9 UDP/TLS/RTP/SAVPF 96",
        "a=mid:v",
        "a=recvonly",
        "a=rtcp-mux",
        "a=rtpmap:96 VP8/90000",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "a=mid:d",
        "a=sctp-port:5000",
        "",
    ]
    .join("\r\n")
}

/// [`small_offer`] with one line replaced.
fn small_offer_with(line: &str, replacement: &str) -> String {
    let original = format!("{line}\r\n");
    assert!(small_offer().contains(&original), "{line} is not in the small offer");
    small_offer().replacen(&original, &format!("{replacement}\r\n"), 1)
}

/// What an edge that grants everything makes of each section. SSRCs and stream ids go by the position of the section.
fn grant_all(offer: &Offer, options: &AnswerOptions) -> Vec<AnswerSection> {
    (1000..).zip(&offer.sections).map(|(ssrc, section)| grant(ssrc, section, options)).collect()
}

fn grant(ssrc: u32, section: &Section, options: &AnswerOptions) -> AnswerSection {
    match section.kind {
        SectionKind::Data => AnswerSection::data(),
        SectionKind::Other => AnswerSection::REJECTED,
        SectionKind::Audio | SectionKind::Video => AnswerSection {
            accept: true,
            negotiated: negotiate(section, options),
            send: section.receives().then(|| EgressStream {
                ssrc,
                rtx_ssrc: Some(ssrc + 1000),
                stream_id: format!("stream-{ssrc}"),
                track_id: format!("track-{ssrc}"),
                cname: "edge".to_owned(),
            }),
            receive: true,
        },
    }
}

fn write(offer: &Offer, sections: &[AnswerSection]) -> String {
    let ice = IceCredentials { ufrag: "edge".to_owned(), pwd: "0123456789abcdefghijkl".to_owned() };
    let candidates = ["192.0.2.1:7878".parse().unwrap(), "[2001:db8::1]:7878".parse().unwrap(), "192.0.2.1:443".parse().unwrap()];
    let tcp = ["192.0.2.1:443".parse().unwrap(), "[2001:db8::1]:443".parse().unwrap()];
    Answer {
        offer,
        ice: &ice,
        fingerprint: Fingerprint([0xed; 32]),
        candidates: Candidates { udp: &candidates, tcp: &tcp },
        session_id: 42,
        session_version: 7,
        max_message_size: 65_536,
        sections,
    }
    .write()
}

/// The answer of an edge that grants everything.
fn answer(offer: &Offer) -> String {
    write(offer, &grant_all(offer, &AnswerOptions::default()))
}

/// The lines of each section of `sdp`, those of the session first.
fn split_sections(sdp: &str) -> Vec<Vec<&str>> {
    let mut sections = vec![Vec::new()];
    for line in sdp.lines() {
        if line.starts_with("m=") {
            sections.push(Vec::new());
        }
        sections.last_mut().unwrap().push(line);
    }
    sections
}
