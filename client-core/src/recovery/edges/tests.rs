//! The best of the others, never one that failed lately, and the first of all when nothing else is left.

use super::*;

fn at(secs: u64) -> MonoTime {
    MonoTime::from_micros(secs * 1_000_000)
}

fn edges(names: &[&str]) -> Edges {
    let mut edges = Edges::new();
    edges.learn(names.iter().map(|name| (*name).into()).collect());
    edges
}

#[test]
fn one_goes_where_one_is_sent_unless_it_failed_lately() {
    let mut edges = edges(&["b"]);
    assert!(edges.go(at(0), "c".into()));
    assert_eq!(edges.address().as_deref(), Some("c"));
    assert!(!edges.go(at(0), "c".into()), "we are there");
    assert!(edges.leave(at(1)));
    assert!(!edges.go(at(2), "c".into()), "it failed");
    assert!(edges.go(at(62_000), "c".into()));
}

#[test]
fn one_after_the_other_and_then_none() {
    let mut edges = edges(&["b", "c"]);
    assert_eq!((edges.address(), edges.scout(at(0))), (None, Some(Some("b".into()))));
    assert!(edges.leave(at(0)));
    assert_eq!(edges.address().as_deref(), Some("b"));
    assert!(edges.leave(at(1)));
    assert_eq!(edges.address().as_deref(), Some("c"));
    assert!(!edges.leave(at(2)), "all of them failed lately");
    assert_eq!(edges.address().as_deref(), Some("c"));
    assert!(edges.leave(at(62)), "the first two are forgiven");
    assert_eq!(edges.address().as_deref(), Some("b"));
}

#[test]
fn alone_there_is_nowhere_to_go() {
    let mut edges = Edges::new();
    assert!(!edges.leave(at(0)) && edges.scout(at(0)).is_none());
}

#[test]
fn another_list_keeps_what_is_known_and_where_we_are() {
    let mut edges = edges(&["b", "c"]);
    edges.leave(at(0));
    edges.leave(at(1)); // at c; b and the first are bad
    edges.learn(vec!["d".into(), "b".into()]);
    assert_eq!(edges.address().as_deref(), Some("c"));
    assert_eq!(edges.scout(at(2)), Some(Some("d".into())));
    edges.leave(at(2));
    assert!(!edges.leave(at(3)), "b is still bad");
}

#[test]
fn the_list_is_bounded() {
    let edges = edges(&["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]);
    assert_eq!(edges.known.len(), 1 + MAX_OTHERS);
}
