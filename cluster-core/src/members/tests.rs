//! Who is there, who forwards, and who is forgiven.

use super::*;
use crate::node::{Capacity, Load, Region};
use std::time::Duration;

fn node(id: &str, incarnation: u64) -> Node {
    Node {
        id: NodeId::parse(id).unwrap(),
        incarnation,
        region: Region::parse("eu").unwrap(),
        client_url: "https://edge.example".into(),
        media: None,
        relay: None,
        capacity: Capacity { participants: 500, packets_per_second: 0 },
        load: Load::default(),
        draining: false,
    }
}

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn who_stops_registering_is_gone_after_ten_seconds() {
    let (start, id) = (Instant::now(), NodeId::parse("a").unwrap());
    let mut members = Members::new();
    assert!(members.register(start, node("a", 1)));
    members.store_answered(start + s(9));
    assert_eq!(members.standing(start + s(9), &id), Standing::Good);
    members.store_answered(start + s(10));
    assert_eq!(members.standing(start + s(10), &id), Standing::Gone);
    members.expire(start + s(10));
    assert!(members.get(&id).is_none());
}

#[test]
fn a_lost_store_makes_nobody_leave() {
    let (start, id) = (Instant::now(), NodeId::parse("a").unwrap());
    let mut members = Members::new();
    members.register(start, node("a", 1));
    members.store_answered(start);
    assert_eq!(members.standing(start + s(600), &id), Standing::Good, "nobody says that it is gone");
    members.heard(start + s(599), &id);
    assert_eq!(members.standing(start + s(599), &id), Standing::Good);
    assert_eq!(members.standing(start + s(601), &id), Standing::Gone, "the last who could have told is silent too");
}

#[test]
fn who_registers_and_forwards_nothing_gets_nothing_new() {
    let (start, id) = (Instant::now(), NodeId::parse("a").unwrap());
    let mut members = Members::new();
    members.register(start, node("a", 1));
    members.heard(start, &id);
    members.register(start + s(1), node("a", 1));
    assert_eq!(members.standing(start + SILENT_AFTER, &id), Standing::Silent);
    members.heard(start + s(2), &id);
    assert_eq!(members.standing(start + s(2), &id), Standing::Good);
    members.unlinked(&id);
    assert_eq!(members.standing(start + s(8), &id), Standing::Good, "nobody listens any more");
}

#[test]
fn bad_marks_expire() {
    let (start, id) = (Instant::now(), NodeId::parse("a").unwrap());
    let mut members = Members::new();
    members.register(start, node("a", 1));
    for _ in 0..MARKS_TO_AVOID - 1 {
        members.mark(start, &id);
    }
    assert_eq!(members.standing(start, &id), Standing::Good, "it may have been the complainer's network");
    for _ in 0..10 {
        members.mark(start, &id);
    }
    assert_eq!(members.standing(start, &id), Standing::Avoided);
    members.register(start + MARK_EXPIRES_AFTER, node("a", 1));
    assert_eq!(members.standing(start + MARK_EXPIRES_AFTER, &id), Standing::Good);
}

#[test]
fn a_new_process_begins_anew_and_an_old_one_says_nothing_more() {
    let (start, id) = (Instant::now(), NodeId::parse("a").unwrap());
    let mut members = Members::new();
    members.register(start, node("a", 2));
    members.heard(start, &id);
    (0..MARKS_TO_AVOID).for_each(|_| members.mark(start, &id));
    assert!(!members.register(start + s(1), node("a", 1)), "it was stopped, and goes on as if nothing had happened");
    assert!(members.register(start + s(5), node("a", 3)));
    assert_eq!(members.standing(start + s(5), &id), Standing::Good);
    members.left(&id, 2);
    assert_eq!(members.standing(start + s(5), &id), Standing::Good, "the goodbye of the one before");
    members.left(&id, 3);
    assert_eq!(members.standing(start + s(5), &id), Standing::Gone);
}

#[test]
fn there_is_room_for_so_many() {
    let start = Instant::now();
    let mut members = Members::new();
    for index in 0..MOST_NODES + 3 {
        members.register(start, node(&format!("n{index}"), 1));
    }
    assert_eq!((members.all(start).count(), members.left_out()), (MOST_NODES, 3));
}
