//! Offers that nobody would write: real ones with lines lost, repeated, moved and altered, and plain noise.

use super::*;
use crate::sdp::{SdpError, limits};
use proptest::prelude::*;
use std::collections::HashMap;

/// One change to the lines of an offer.
#[derive(Clone, Debug)]
enum Edit {
    Delete(usize),
    Repeat(usize, usize),
    Swap(usize, usize),
    Insert(usize, &'static str),
    Put(usize, usize, char),
    Cut(usize, usize),
}

/// Lines that mean trouble in the wrong place.
const INSERTED: [&str; 20] = [
    "a=group:BUNDLE 0 1 2 3 4 5",
    "a=mid:0",
    "a=mid:",
    "a=ice-lite",
    "a=extmap:15 urn:ietf:params:rtp-hdrext:sdes:mid",
    "a=extmap:4/recvonly urn:ietf:params:rtp-hdrext:sdes:mid",
    "a=extmap:300 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    "a=extmap:77 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
    "a=rtpmap:96 H264/90000",
    "a=rtpmap:111 opus/48000/2",
    "a=fmtp:97 apt=97",
    "a=fmtp:63 111/111/64",
    "a=rtcp-fb:* nack pli",
    "a=simulcast:send ~a,b;;f;q recv q",
    "a=rid:f send",
    "a=ssrc-group:FID 1 1",
    "a=ssrc:1 cname:x",
    "a=inactive",
    "m=video 0 UDP/TLS/RTP/SAVPF 0",
    "m=text 9 RTP/AVP 0",
];

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let line = 0..1000_usize;
    let edit = prop_oneof![
        line.clone().prop_map(Edit::Delete),
        (line.clone(), line.clone()).prop_map(|(from, to)| Edit::Repeat(from, to)),
        (line.clone(), line.clone()).prop_map(|(one, other)| Edit::Swap(one, other)),
        (line.clone(), prop::sample::select(&INSERTED[..])).prop_map(|(at, text)| Edit::Insert(at, text)),
        (line.clone(), 0..60_usize, any::<char>()).prop_map(|(line, at, character)| Edit::Put(line, at, character)),
        (line, 0..60_usize).prop_map(|(line, at)| Edit::Cut(line, at)),
    ];
    prop::collection::vec(edit, 0..12)
}

fn apply(text: &str, edits: &[Edit]) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for edit in edits {
        let count = lines.len().max(1);
        match *edit {
            _ if lines.is_empty() => {}
            Edit::Delete(line) => drop(lines.remove(line % count)),
            Edit::Repeat(from, to) => lines.insert(to % count, lines[from % count].clone()),
            Edit::Swap(one, other) => lines.swap(one % count, other % count),
            Edit::Insert(at, text) => lines.insert(at % count, text.to_owned()),
            Edit::Put(line, at, character) => {
                let line = &mut lines[line % count];
                let kept = line.chars().take(at);
                *line = kept.chain([character]).chain(line.chars().skip(at + 1)).collect();
            }
            Edit::Cut(line, at) => {
                let line = &mut lines[line % count];
                *line = line.chars().take(at).collect();
            }
        }
    }
    lines.into_iter().map(|line| line + "\r\n").collect()
}

/// Whatever was offered: bounds hold, and an answer is lawful.
fn assert_sound(text: &str) {
    let offer = match Offer::parse(text) {
        Ok(offer) => offer,
        Err(error) => {
            assert!(error.to_string().len() < 400, "errors stay short");
            return;
        }
    };
    assert!((1..=limits::MAX_SECTIONS).contains(&offer.sections.len()));
    for section in &offer.sections {
        assert!(section.codecs.len() <= limits::MAX_CODECS);
        assert!(section.extensions.len() <= limits::MAX_EXTENSIONS);
        assert!(section.ssrcs.len() <= limits::MAX_SSRCS);
        assert!(section.rids.len() <= limits::MAX_RIDS);
        assert!(section.mid.as_str().len() <= limits::MAX_MID_BYTES);
    }
    assert_extension_ids(&offer);
    for options in [AnswerOptions::default(), AnswerOptions { simulcast: true }] {
        mirror::assert_answers(text, &write(&offer, &grant_all(&offer, &options)));
    }
}

fn assert_extension_ids(offer: &Offer) {
    let mut kinds = HashMap::new();
    let mut ids = HashMap::new();
    for extension in offer.sections.iter().flat_map(|section| &section.extensions) {
        assert_eq!(*kinds.entry(extension.id).or_insert(extension.kind), extension.kind);
        assert_eq!(*ids.entry(extension.kind).or_insert(extension.id), extension.id);
    }
}

#[test]
fn any_text_is_parsed_or_refused() {
    // Those with several sections that share extensions, codecs and SSRCs; the long ones only repeat what these have.
    let offers: Vec<String> = FIXTURES.into_iter().map(offer_text).filter(|text| text.len() < 15_000).collect();
    assert!(offers.len() > 10);
    proptest!(ProptestConfig::with_cases(1500), |(text in prop::sample::select(offers), edits in edits())| {
        assert_sound(&apply(&text, &edits));
    });
}

#[test]
fn noise_is_parsed_or_refused() {
    proptest!(ProptestConfig::with_cases(300), |(noise in "\\PC{0,200}", attributes in prop::collection::vec("a=[a-z\\-]{1,12}:?\\PC{0,40}", 0..40))| {
        prop_assert!(Offer::parse(&noise).is_err());
        assert_sound(&(small_offer() + &attributes.join("\r\n")));
    });
}

#[test]
fn header_extension_ids_mean_one_thing() {
    FIXTURES.into_iter().for_each(|name| assert_extension_ids(&offer(name)));
    let text = small_offer()
        .replace(
            "a=rtpmap:111",
            "a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=extmap:2 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=rtpmap:111",
        )
        .replace("a=rtpmap:96", "a=extmap:2 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=extmap:1 urn:3gpp:video-orientation\r\na=rtpmap:96");
    let offer = Offer::parse(&text).unwrap();
    assert_extension_ids(&offer);
    assert_eq!(offer.sections[0].extensions.len(), 2, "the first section keeps its ids");
    assert_eq!(offer.sections[1].extensions.len(), 0, "the second contradicts it");
}

#[test]
fn control_characters_cannot_forge_lines() {
    for forged in ["x\ra=candidate:1", "x\0", "x\u{85}a=ice-pwd"] {
        assert_eq!(Offer::parse(&small_offer_with("a=mid:a", &format!("a=mid:a\r\na=fmtp:111 {forged}"))), Err(SdpError::ControlCharacter));
    }
}
