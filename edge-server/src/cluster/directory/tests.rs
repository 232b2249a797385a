//! What readers are told, and when.

use super::*;
use cluster_core::members::{EXPIRES_AFTER, SILENT_AFTER};
use cluster_core::{Capacity, Load};
use std::time::Duration;

fn id(name: &str) -> NodeId {
    NodeId::parse(name).unwrap()
}

fn node(name: &str, incarnation: u64) -> Node {
    Node {
        id: id(name),
        incarnation,
        region: Region::parse("eu").unwrap(),
        client_url: "https://edge.example".into(),
        media: None,
        relay: Some(Relay { address: "192.0.2.1:7500".parse().unwrap(), fingerprint: None }),
        capacity: Capacity { participants: 500, packets_per_second: 0 },
        load: Load::default(),
        draining: false,
    }
}

fn standing(directory: &Directory, name: &str) -> Option<Standing> {
    directory.peer(&id(name)).map(|peer| peer.standing)
}

#[test]
fn others_are_told_of_and_this_edge_is_not() {
    let (directory, now) = (Directory::new(id("a")), Instant::now());
    let mut peers = directory.peers();
    for name in ["a", "b"] {
        assert!(directory.register(now, node(name, 1)));
    }
    assert!(peers.has_changed().unwrap());
    assert_eq!(peers.borrow_and_update().iter().map(|peer| peer.id.as_str().to_owned()).collect::<Vec<_>>(), ["b"]);
    directory.register(now, node("b", 1));
    assert!(!peers.has_changed().unwrap(), "the same again is nothing new");
    directory.register(now, node("b", 2));
    assert_eq!(peers.borrow_and_update().first().map(|peer| peer.incarnation), Some(2));
}

#[test]
fn a_silent_edge_keeps_its_parts_and_one_that_is_gone_loses_them() {
    let (directory, start) = (Directory::new(id("a")), Instant::now());
    directory.register(start, node("b", 1));
    directory.heard(start, &id("b"));
    directory.gained("room", &id("b"));
    let mut changes = directory.changes();
    directory.tick(start + SILENT_AFTER);
    assert_eq!(standing(&directory, "b"), Some(Standing::Silent));
    assert_eq!(directory.holders("room"), [id("b")]);
    directory.tick(start + EXPIRES_AFTER);
    assert_eq!(standing(&directory, "b"), None);
    assert_eq!(changes.try_recv().unwrap(), Change::Lost { room: "room".into(), edge: id("b") });
    assert!(directory.parts().is_empty());
}

#[test]
fn fixed_edges_are_never_gone() {
    let (directory, start) = (Directory::new(id("a")), Instant::now());
    directory.fix(start, [node("b", 0)]);
    directory.heard(start, &id("b"));
    let later = start + Duration::from_secs(3_600);
    directory.tick(later);
    assert_eq!(standing(&directory, "b"), Some(Standing::Silent));
    directory.heard(later, &id("b"));
    assert_eq!(standing(&directory, "b"), Some(Standing::Good));
}

#[test]
fn parts_are_told_once_and_never_of_this_edge() {
    let directory = Directory::new(id("a"));
    let mut changes = directory.changes();
    directory.set_holders("room", &[id("a"), id("b"), id("b")]);
    directory.set_holders("room", &[id("c")]);
    let mut told = Vec::new();
    while let Ok(change) = changes.try_recv() {
        told.push(match change {
            Change::Gained { edge, .. } => format!("+{edge}"),
            Change::Lost { edge, .. } => format!("-{edge}"),
        });
    }
    assert_eq!(told, ["+b", "-b", "+c"]);
    assert_eq!(directory.holders("room"), [id("c")]);
}

#[test]
fn what_this_edge_holds_is_told_when_it_changes() {
    let directory = Directory::new(id("a"));
    let mut held = directory.held();
    directory.hold("room");
    directory.hold("room");
    assert!(held.borrow_and_update().contains("room"));
    directory.release("room");
    directory.release("room");
    assert!(held.borrow_and_update().is_empty());
    assert!(!held.has_changed().unwrap());
}
