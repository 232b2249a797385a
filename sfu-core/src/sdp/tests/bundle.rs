//! The one transport: whose credentials count, and which section it hangs on in the answer.

use super::*;

fn group(answer: &str) -> &str {
    answer.lines().find_map(|line| line.strip_prefix("a=group:BUNDLE ")).unwrap_or_default()
}

#[test]
fn the_first_of_the_group_that_is_alive_has_the_credentials() {
    let own = |mid: &str, ufrag: &str| format!("a=mid:{mid}\r\na=ice-ufrag:{ufrag}");
    let text = small_offer_with("a=mid:a", &own("a", "of-a")).replace("a=mid:v\r\n", &(own("v", "of-v") + "\r\n"));
    assert_eq!(Offer::parse(&text).unwrap().ice.ufrag, "of-a");
    let reordered = text.replace("BUNDLE a v d", "BUNDLE v a d");
    assert_eq!(Offer::parse(&reordered).unwrap().ice.ufrag, "of-v", "the group's order counts, not that of the sections");
    let stopped = text.replace("m=audio 9", "m=audio 0");
    assert_eq!(Offer::parse(&stopped).unwrap().ice.ufrag, "of-v");
    let fallback = text.replace("BUNDLE a v d", "BUNDLE d a v");
    assert_eq!(Offer::parse(&fallback).unwrap().ice.ufrag, "abcd", "the data section has none, the session has");
}

#[test]
fn the_answer_hangs_on_the_same_section() {
    for name in ["chromium-reoffer-recycled", "firefox-reoffer-recycled", "firefox-reoffer-stopped"] {
        let text = offer_text(name);
        let offered = text.lines().find_map(|line| line.strip_prefix("a=group:BUNDLE ")).unwrap();
        let answer = answer(&offer(name));
        assert_eq!(group(&answer).split(' ').next(), offered.split(' ').next(), "{name}");
    }
}

/// Chromium 156 refuses an answer that rejects this section and accepts others.
#[test]
fn the_section_the_bundle_hangs_on_is_kept_inactive_rather_than_rejected() {
    let text = small_offer();
    let offer = Offer::parse(&text).unwrap();
    let mut sections = grant_all(&offer, &AnswerOptions::default());
    sections[0] = AnswerSection::REJECTED;
    let answer = write(&offer, &sections);
    let audio = &split_sections(&answer)[1];
    assert_eq!(audio[0], "m=audio 9 UDP/TLS/RTP/SAVPF 111");
    assert!(audio.contains(&"a=inactive"));
    assert_eq!(group(&answer), "a v d");
    mirror::assert_answers(&text, &answer);
}

#[test]
fn without_a_common_codec_the_bundle_hangs_on_the_next_section() {
    let text = small_offer_with("a=rtpmap:111 opus/48000/2", "a=rtpmap:111 speex/16000");
    let answer = answer(&Offer::parse(&text).unwrap());
    assert_eq!(group(&answer), "v d");
    mirror::assert_answers(&text, &answer);
}

#[test]
fn when_all_is_rejected_there_is_no_bundle() {
    let offer = Offer::parse(&small_offer()).unwrap();
    let answer = write(&offer, &[]);
    assert!(!answer.contains("a=group") && !answer.contains("candidate"));
    assert_eq!(answer.matches(" 0 U").count(), 3, "{answer}");
}
