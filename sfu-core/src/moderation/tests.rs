use super::*;

#[test]
fn who_was_removed_stays_removed_until_readmitted() {
    let mut decisions = Decisions::default();
    decisions.remove("mallory").unwrap();
    decisions.remove("mallory").unwrap();
    assert!(decisions.has_removed("mallory") && !decisions.has_removed("alice"));
    decisions.readmit("mallory");
    assert!(!decisions.has_removed("mallory"));
}

#[test]
fn lists_end_somewhere_and_the_refusal_says_what_to_do() {
    let mut decisions = Decisions::default();
    for number in 0..MOST_REMOVED {
        decisions.remove(&number.to_string()).unwrap();
    }
    let error = decisions.remove("one more").unwrap_err();
    assert_eq!(error.code, ErrorCode::LimitReached);
    assert!(error.message.contains("readmit"), "{}", error.message);
    decisions.remove("7").expect("removed already");
    for number in 0..MOST_SILENCED {
        decisions.silence(&number.to_string(), false).unwrap();
    }
    assert_eq!(decisions.silence("one more", false).unwrap_err().code, ErrorCode::LimitReached);
}

#[test]
fn sound_and_picture_are_muted_apart() {
    let mut decisions = Decisions::default();
    decisions.silence("bob", false).unwrap();
    assert!(decisions.silences("bob", false) && !decisions.silences("bob", true) && decisions.silences_any("bob"));
    decisions.allow("bob", true);
    assert!(decisions.has_silenced());
    decisions.allow("bob", false);
    assert!(!decisions.has_silenced());
}

#[test]
fn a_lock_shuts_out_those_who_come_later_only() {
    let mut decisions = Decisions::default();
    assert!(decisions.lock(10) && !decisions.lock(20), "the first counts");
    assert!(decisions.shuts_out(11) && !decisions.shuts_out(10));
    let mut elsewhere = Decisions::default();
    elsewhere.merge(&decisions);
    assert!(elsewhere.shuts_out(11));
    assert!(decisions.unlock() && !decisions.unlock() && !decisions.shuts_out(11));
}
