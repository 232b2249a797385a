//! What takes over when, and who is let go of.

use super::*;

const HOME: (ShardId, Handle) = (ShardId(0), Handle(1));
const PARENT: (ShardId, Handle) = (ShardId(1_000), Handle(7));

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn name() -> PartName {
    PartName { edge: "edge".into(), incarnation: 1, shard: 0 }
}

/// A fork that has asked a parent, which has answered.
fn asked(now: Instant) -> Branch {
    let mut branch = Branch::default();
    branch.ask(PARENT.0, name(), 2, now);
    assert!(!branch.answer(ShardId(1_001), PARENT.1), "another one wasn't asked");
    assert!(branch.answer(PARENT.0, PARENT.1));
    branch
}

/// One that gets it from its parent.
fn supplied(now: Instant) -> Branch {
    let mut branch = asked(now);
    branch.on_packet(now, PARENT, false, (0, false), 1);
    assert_eq!(branch.on_packet(now + DWELL, PARENT, false, (0, false), 1).0, Turn::TakenOver);
    assert!(branch.take_over(now + DWELL).is_none() && branch.is_supplied());
    branch.poll(now + DWELL, 1);
    branch
}

#[test]
fn a_parent_takes_over_when_all_that_comes_from_the_home_comes_from_it_too() {
    let now = Instant::now();
    let mut branch = asked(now);
    branch.on_packet(now, HOME, true, (2, false), 0b101);
    branch.on_packet(now, PARENT, false, (0, false), 0b101);
    let later = now + DWELL;
    assert_eq!(branch.on_packet(later, PARENT, false, (0, false), 0b101).0, Turn::Nothing, "the third encoding doesn't come yet");
    assert_eq!(branch.on_packet(later, PARENT, false, (2, false), 0b101).0, Turn::TakenOver);
    assert!(!branch.is_supplied(), "until it is told so");
}

#[test]
fn a_parent_that_never_sends_is_given_up() {
    let now = Instant::now();
    let mut branch = asked(now);
    branch.on_packet(now, HOME, true, (0, false), 1);
    assert!(matches!(branch.poll(now + TRIED_FOR - ms(1), 1), Due::Nothing));
    assert!(matches!(branch.poll(now + TRIED_FOR, 1), Due::GiveUp(Next::Coming(_))));
    assert!(branch.next.is_none());
}

#[test]
fn a_parent_that_never_answers_is_asked_again_and_given_up() {
    let now = Instant::now();
    let mut branch = Branch::default();
    branch.ask(PARENT.0, name(), 2, now);
    assert!(matches!(branch.poll(now + ASKED_AGAIN, 1), Due::AskAgain(_)));
    assert!(matches!(branch.poll(now + ASKED_AGAIN, 1), Due::Nothing));
    assert!(matches!(branch.poll(now + ASKED_FOR, 1), Due::GiveUp(Next::Asked(_))));
}

#[test]
fn a_silent_parent_is_left_when_the_home_is_heard_instead() {
    let now = Instant::now();
    let mut branch = supplied(now);
    assert!(matches!(branch.poll(now + DWELL, 1), Due::Nothing));
    let silent = now + DWELL + PATIENCE;
    assert!(matches!(branch.poll(silent, 1), Due::Doubt));
    assert!(!branch.is_supplied(), "the home is to send, too");
    assert!(matches!(branch.poll(silent + secs(60), 1), Due::Nothing), "nobody sends: there is nothing to be had");
    assert!(branch.on_packet(silent, HOME, true, (0, true), 1).1, "a hole");
    assert!(matches!(branch.poll(silent + DETOUR, 1), Due::FallBack));
    assert!(branch.has_instead() && branch.go_home().is_some());
}

#[test]
fn one_that_was_silent_with_everybody_stays_and_is_waited_for_longer() {
    let now = Instant::now();
    let mut branch = supplied(now);
    let silent = now + DWELL + PATIENCE;
    branch.poll(silent, 1);
    branch.on_packet(silent, HOME, true, (0, false), 1);
    assert_eq!(branch.on_packet(silent + ms(40), PARENT, false, (0, false), 1).0, Turn::Back);
    assert!(branch.is_supplied());
    assert!(matches!(branch.poll(silent + ms(40) + PATIENCE, 1), Due::Nothing));
    assert!(matches!(branch.poll(silent + ms(40) + 2 * PATIENCE, 1), Due::Doubt));
}

/// What a link on the way is too narrow for isn't expected.
#[test]
fn what_can_not_be_had_is_no_silence() {
    let now = Instant::now();
    let mut branch = supplied(now);
    branch.parents_mut().for_each(|parent| parent.passable = 0b010);
    assert!(matches!(branch.poll(now + secs(5), 0b001), Due::Nothing));
}

#[test]
fn children_are_deeper_than_their_parent() {
    let now = Instant::now();
    let mut branch = Branch::default();
    let (one, two) = (ShardId(2_000), ShardId(2_001));
    assert!(!branch.adopt(one, 1) && branch.adopt(one, 2) && branch.adopt(two, 3));
    branch.ask(PARENT.0, name(), 2, now);
    assert!(!branch.adopt(ShardId(2_002), 2), "it may be as deep in a moment");
    assert!(branch.take_too_high(now).is_empty(), "one that gets deeper along with it says so soon");
    assert_eq!(branch.take_too_high(now + TOO_HIGH), [one]);
    assert!(branch.is_child(two));
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
