//! One owner, whatever stops, splits or forgets.

use super::*;
use crate::node::{Capacity, Load, Node, Region};
use proptest::prelude::*;
use std::time::Duration;

fn id(name: &str) -> NodeId {
    NodeId::parse(name).unwrap()
}

fn record(owner: &str, epoch: u64) -> Record {
    Record { owner: id(owner), epoch }
}

fn members(now: Instant, names: &[&str]) -> Members {
    let mut members = Members::new();
    for name in names {
        members.register(
            now,
            Node {
                id: id(name),
                incarnation: 1,
                region: Region::parse("eu").unwrap(),
                client_url: "https://edge.example".into(),
                media: None,
                relay: None,
                capacity: Capacity { participants: 500, packets_per_second: 0 },
                load: Load::default(),
                draining: false,
            },
        );
    }
    members.store_answered(now);
    members
}

#[test]
fn the_first_claims_and_the_others_follow() {
    let now = Instant::now();
    let all = members(now, &["a", "b"]);
    let (mut a, mut b) = (Owners::new(id("a")), Owners::new(id("b")));
    assert_eq!(a.wants(now, "r", &all), Wants::Claim { record: record("a", 1), after: 0 });
    assert_eq!(b.wants(now, "r", &all), Wants::Claim { record: record("b", 1), after: 0 });
    // The store took a's: both are told the same.
    assert_eq!((a.learned("r", record("a", 1)), b.learned("r", record("a", 1))), (Follows::Nothing, Follows::Nothing));
    assert_eq!((a.wants(now, "r", &all), b.wants(now, "r", &all)), (Wants::Ours, Wants::Theirs(id("a"))));
}

#[test]
fn a_silent_owner_is_followed_and_lets_go_when_it_wakes() {
    let start = Instant::now();
    let mut all = members(start, &["a", "b"]);
    let (mut a, mut b) = (Owners::new(id("a")), Owners::new(id("b")));
    a.learned("r", record("a", 1));
    b.learned("r", record("a", 1));
    all.heard(start, &id("a"));
    let later = start + Duration::from_secs(2);
    assert_eq!(b.wants(later, "r", &all), Wants::Claim { record: record("b", 2), after: 1 });
    b.learned("r", record("b", 2));
    // The old one goes on, and says so to somebody.
    assert_eq!(b.learned("r", record("a", 1)), Follows::Tell(record("b", 2)));
    assert_eq!(a.learned("r", record("b", 2)), Follows::LetGo(id("b")));
    assert!(!a.is_ours("r"));
}

#[test]
fn a_store_that_forgot_is_told_again() {
    let mut a = Owners::new(id("a"));
    a.learned("r", record("a", 7));
    assert_eq!(a.missing("r", true), Follows::Tell(record("a", 7)));
    assert_eq!(a.ours().collect::<Vec<_>>(), [("r", &record("a", 7))]);
    a.learned("s", record("b", 2));
    assert_eq!(a.missing("s", true), Follows::Nothing);
    assert!(a.get("s").is_some(), "somebody is in it here");
    a.missing("s", false);
    assert!(a.get("s").is_none());
}

#[test]
fn a_drain_hands_over_in_the_next_epoch() {
    let mut a = Owners::new(id("a"));
    a.learned("r", record("a", 3));
    assert_eq!(a.hand_over("r", id("b")), Some(Wants::Claim { record: record("b", 4), after: 3 }));
    assert_eq!(a.learned("r", record("b", 4)), Follows::LetGo(id("b")));
    assert_eq!(a.hand_over("r", id("c")), None, "not ours any more");
    assert_eq!(a.ended("r"), None);
}

/// What may happen, to one of four edges.
#[derive(Clone, Debug)]
enum Happens {
    /// Somebody wants to enter the room here.
    Enters(usize),
    /// The edge stops, or goes on, without noticing.
    Stops(usize),
    Wakes(usize),
    /// Two edges hear from each other.
    Talk(usize, usize),
    /// The store loses its memory.
    Forgets,
    /// The edge looks what the store has.
    Looks(usize),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        4 => (0..4_usize).prop_map(Happens::Enters),
        1 => (0..4_usize).prop_map(Happens::Stops),
        1 => (0..4_usize).prop_map(Happens::Wakes),
        2 => (0..4_usize, 0..4_usize).prop_map(|(one, other)| Happens::Talk(one, other)),
        1 => Just(Happens::Forgets),
        2 => (0..4_usize).prop_map(Happens::Looks),
    ]
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

proptest! {
    /// Any order of stops, claims and lost memories: once everybody has heard from everybody, one owns the room, and nobody's epoch ever fell.
    #[test]
    fn a_room_has_one_owner_per_epoch(story in prop::collection::vec(happens(), 1..60)) {
        let now = Instant::now();
        let mut owners: Vec<_> = NAMES.iter().map(|name| Owners::new(id(name))).collect();
        let mut stopped = [false; 4];
        let mut store: Option<Record> = None;
        let mut granted: BTreeMap<u64, NodeId> = BTreeMap::new();
        let epoch = |owners: &Owners| owners.get("r").map_or(0, |record| record.epoch);
        for one in story {
            let before: Vec<_> = owners.iter().map(&epoch).collect();
            match one {
                Happens::Stops(edge) => stopped[edge] = true,
                Happens::Wakes(edge) => stopped[edge] = false,
                Happens::Forgets => {
                    store = None;
                    granted.clear();
                }
                Happens::Enters(edge) if !stopped[edge] => {
                    let mut all = members(now, &NAMES);
                    // Those who are stopped were heard a while ago.
                    let later = now + Duration::from_secs(2);
                    for (index, name) in NAMES.iter().enumerate() {
                        all.heard(if stopped[index] { now } else { later }, &id(name));
                    }
                    if let Some(stored) = &store {
                        owners[edge].learned("r", stored.clone());
                    }
                    if let Wants::Claim { record, after } = owners[edge].wants(later, "r", &all) {
                        // Compare and set.
                        if store.as_ref().map_or(0, |stored| stored.epoch) == after || store.is_none() {
                            prop_assert!(granted.insert(record.epoch, record.owner.clone()).is_none_or(|other| other == record.owner));
                            store = Some(record);
                        }
                        if let Some(stored) = &store {
                            owners[edge].learned("r", stored.clone());
                        }
                    }
                }
                Happens::Talk(one, other) if one != other && !stopped[one] && !stopped[other] => tell(&mut owners, one, other),
                Happens::Looks(edge) if !stopped[edge] => match store.clone() {
                    Some(stored) => {
                        if let Follows::Tell(record) = owners[edge].learned("r", stored) {
                            store = Some(record);
                        }
                    }
                    None => {
                        if let Follows::Tell(record) = owners[edge].missing("r", true) {
                            store = Some(record);
                        }
                    }
                },
                _ => {}
            }
            for (edge, was) in before.iter().enumerate() {
                prop_assert!(epoch(&owners[edge]) >= *was, "the epoch of {} fell", NAMES[edge]);
            }
        }
        for _ in 0..3 {
            for one in 0..4 {
                for other in 0..4 {
                    if one != other {
                        tell(&mut owners, one, other);
                    }
                }
            }
        }
        let ours = owners.iter().filter(|owners| owners.is_ours("r")).count();
        let known = owners.iter().filter(|owners| owners.get("r").is_some()).count();
        prop_assert!(ours == usize::from(known > 0), "{ours} owners: {owners:?}");
    }
}

/// One edge names the owner it knows; what the other knows better comes back.
fn tell(owners: &mut [Owners], one: usize, other: usize) {
    let Some(record) = owners[one].get("r").cloned() else { return };
    if let Follows::Tell(better) = owners[other].learned("r", record) {
        owners[one].learned("r", better);
    }
}
