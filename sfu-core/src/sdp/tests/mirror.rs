//! The rules of offer and answer (RFC 3264, RFC 8829, RFC 9143), checked line by line on the texts, without the code under test.

use super::*;
use crate::sdp::Direction;
use std::collections::HashSet;

/// Panics unless `answer` is a lawful answer to `offer`.
pub(super) fn assert_answers(offer: &str, answer: &str) {
    for line in answer.split_terminator("\r\n") {
        let is_line = line.as_bytes().get(1) == Some(&b'=') && line.as_bytes()[0].is_ascii_lowercase();
        assert!(is_line && !line.contains(['\r', '\n']), "not an SDP line: {line:?}");
    }
    assert!(answer.ends_with("\r\n"));

    let (offered, answered) = (split_sections(offer), split_sections(answer));
    assert_eq!(offered.len(), answered.len(), "sections are missing or new");
    let session = &offered[0];
    let mut bundled = Vec::new();
    for (offered, answered) in offered.iter().zip(&answered).skip(1) {
        if let Some(mid) = assert_section(offered, answered, session) {
            bundled.push(mid);
        }
    }
    assert_bundle(&answered, &bundled);
}

/// Gives the mid if the section is accepted.
fn assert_section<'a>(offered: &[&str], answered: &[&'a str], session: &[&str]) -> Option<&'a str> {
    let offered_words: Vec<&str> = offered[0].split_whitespace().collect();
    let words: Vec<&str> = answered[0].split_whitespace().collect();
    assert_eq!((offered_words[0], offered_words[2]), (words[0], words[2]), "media and transport must be as offered");
    assert!(words.len() > 3, "an m-line needs a format: {words:?}");
    let mid = value(answered, "a=mid:");
    let is_offered_rejected = offered_words[1].split('/').next() == Some("0")
        && !offered.iter().any(|line| line.split(':').next().map(str::trim_end) == Some("a=bundle-only"));
    if words[1] == "0" {
        assert!(mid.is_none() || mid == value(offered, "a=mid:"));
        return None;
    }
    assert!(!is_offered_rejected, "a rejected section came back");
    assert_eq!(mid, value(offered, "a=mid:"));

    let offered_formats: HashSet<&str> = offered_words[3..].iter().copied().collect();
    let formats: HashSet<&str> = words[3..].iter().copied().collect();
    assert!(formats.is_subset(&offered_formats), "{formats:?} was not all offered");
    assert_eq!(formats.len(), words.len() - 3, "a format is listed twice");
    for line in answered {
        assert_line(line, offered, session, &formats);
    }
    assert_direction(offered, session, answered);
    mid
}

fn assert_line(line: &str, offered: &[&str], session: &[&str], formats: &HashSet<&str>) {
    let repeated = ["a=rtpmap:", "a=fmtp:", "a=rtcp-fb:"].iter().find_map(|key| line.strip_prefix(key));
    if let Some(value) = repeated {
        assert!(formats.contains(value.split(' ').next().unwrap()), "{line} is for a format that isn't answered");
    }
    let wildcard = line.strip_prefix("a=rtcp-fb:").map(|value| format!("a=rtcp-fb:* {}", value.split_once(' ').unwrap().1));
    if let Some(wildcard) = wildcard {
        assert!(has_words(offered, line) || has_words(offered, &wildcard), "{line} was not offered");
    }
    if let Some(extension) = line.strip_prefix("a=extmap:") {
        let (id, uri) = extension.split_once(' ').unwrap();
        let reversed = match id.split_once('/') {
            Some((id, "sendonly")) => format!("{id}/recvonly"),
            Some((id, "recvonly")) => format!("{id}/sendonly"),
            _ => id.to_owned(),
        };
        let all = || offered.iter().chain(session).filter_map(|line| line.strip_prefix("a=extmap:"));
        let is_offered = all().any(|offered| {
            let words: Vec<&str> = offered.split_whitespace().collect();
            words.get(1) == Some(&uri) && words[0].trim_end_matches("/sendrecv") == reversed
        });
        assert!(is_offered, "{line} was not offered");
    }
    if let Some(rid) = line.strip_prefix("a=rid:").and_then(|rid| rid.strip_suffix(" recv")) {
        assert!(
            offered.iter().any(|line| line.split_whitespace().take(2).eq([format!("a=rid:{rid}").as_str(), "send"])),
            "{line} was not offered"
        );
    }
}

fn has_words(lines: &[&str], wanted: &str) -> bool {
    lines.iter().any(|line| line.split_whitespace().eq(wanted.split_whitespace()))
}

fn value<'a>(lines: &[&'a str], key: &str) -> Option<&'a str> {
    lines.iter().find_map(|line| line.strip_prefix(key)).map(str::trim)
}

fn assert_direction(offered: &[&str], session: &[&str], answered: &[&str]) {
    // An empty value after it changes nothing: `a=sendrecv:`.
    let named = |lines: &[&str]| lines.iter().find_map(|line| Direction::from_name(line.strip_prefix("a=")?.split(':').next()?.trim()));
    // Data channels have no direction.
    let Some(answered) = named(answered) else { return };
    let offered = named(offered).or_else(|| named(session)).unwrap_or_default();
    assert!(!answered.sends() || offered.receives(), "{answered:?} answers {offered:?}");
    assert!(!answered.receives() || offered.sends(), "{answered:?} answers {offered:?}");
}

/// The group holds the accepted sections and nothing else, and candidates stand in its first.
fn assert_bundle(answered: &[Vec<&str>], accepted: &[&str]) {
    let group: Vec<&str> = value(&answered[0], "a=group:BUNDLE").map(|mids| mids.split_whitespace().collect()).unwrap_or_default();
    assert_eq!(group.iter().collect::<HashSet<_>>(), accepted.iter().collect::<HashSet<_>>());
    assert_eq!(group.len(), accepted.len());
    for section in &answered[1..] {
        let is_tagged = !group.is_empty() && value(section, "a=mid:") == group.first().copied() && !section[0].contains(" 0 ");
        let has_candidates = section.iter().any(|line| line.starts_with("a=candidate:"));
        assert_eq!(has_candidates, is_tagged, "candidates belong into the tagged section");
    }
}

#[test]
fn answers_mirror_the_offer() {
    for name in FIXTURES {
        let offer = offer(name);
        let everything = AnswerOptions { simulcast: true };
        for sections in [grant_all(&offer, &everything), grant_all(&offer, &AnswerOptions::default()), Vec::new()] {
            assert_answers(&offer_text(name), &write(&offer, &sections));
        }
    }
}

#[test]
#[should_panic(expected = "was not offered")]
fn the_check_sees_what_was_not_offered() {
    let text = offer_text("aiortc-publish-slots");
    assert_answers(
        &text,
        &answer(&offer("aiortc-publish-slots")).replace("a=rtcp-fb:97 nack\r\n", "a=rtcp-fb:97 nack\r\na=rtcp-fb:97 ccm fir\r\n"),
    );
}
