use super::*;
use proptest::prelude::*;

fn policy(text: &str) -> ForwardingPolicy {
    ForwardingPolicy::parse("test", text).unwrap()
}

#[test]
fn the_audience_of_an_arena_sees_and_does_not_hear() {
    let arena = policy("judge player: audio video; audience: video");
    for role in ["judge", "player"] {
        assert!(arena.allows(Some(role), Some("player"), true) && arena.allows(Some(role), None, false));
    }
    assert!(arena.allows(Some("audience"), Some("player"), true));
    assert!(!arena.allows(Some("audience"), Some("player"), false));
    assert!(!arena.allows(Some("stranger"), Some("player"), true) && !arena.allows(None, Some("player"), true), "what nobody grants");
}

#[test]
fn a_clause_can_name_senders_and_everybody() {
    let lecture = policy("*: audio video from teacher; teacher: audio video");
    assert!(lecture.allows(None, Some("teacher"), false) && lecture.allows(Some("pupil"), Some("teacher"), true));
    assert!(!lecture.allows(Some("pupil"), Some("pupil"), false) && !lecture.allows(Some("pupil"), None, true));
    assert!(lecture.allows(Some("teacher"), Some("pupil"), false) && lecture.allows(Some("teacher"), None, true));
    assert!(!policy("*: nothing").allows(None, None, true));
}

#[test]
fn what_is_wrong_is_said() {
    for (text, part) in [
        ("", "no clause"),
        ("judge", "no clause"),
        ("judge:", "no clause"),
        (": audio", "no clause"),
        ("judge: sound", "neither audio, video nor nothing"),
        ("judge: audio from", "names nobody"),
        ("judge: from player", "neither audio"),
    ] {
        let error = ForwardingPolicy::parse("arena", text).unwrap_err().to_string();
        assert!(error.contains("arena") && error.contains(part), "{text:?}: {error}");
    }
    assert!(ForwardingPolicy::parse("", "*: audio").is_err());
    assert!(ForwardingPolicy::parse("long", &"a: audio;".repeat(500)).is_err());
    assert!(ForwardingPolicy::parse("many", &"a: audio;".repeat(33)).is_err());
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(text in ".{0,200}") {
        if let Ok(policy) = ForwardingPolicy::parse("any", &text) {
            prop_assert_eq!(policy.text(), text.as_str());
        }
    }

    /// Adding a clause never takes anything away.
    #[test]
    fn clauses_add_up(clauses in prop::collection::vec("(a|b|\\*)( c)?: (audio|video|audio video|nothing)( from (a|b|\\*))?", 1..6)) {
        let roles = [None, Some("a"), Some("b"), Some("c")];
        let (fewer, all) = (policy(&clauses[..clauses.len().div_ceil(2)].join(";")), policy(&clauses.join(";")));
        for (to, from) in roles.iter().flat_map(|to| roles.iter().map(move |from| (*to, *from))) {
            for video in [false, true] {
                prop_assert!(!fewer.allows(to, from, video) || all.allows(to, from, video));
            }
        }
    }
}
