//! What is advised, and what forecasts meet.

use super::*;
use cluster_core::{Capacity, Load, Node, NodeId};

/// Length of one value of the forecast.
const QUARTER: u64 = 900;

pub(in crate::cluster) fn members(now: Instant, participants: u32, refused: u32) -> Members {
    let mut members = Members::new();
    let node = Node {
        id: NodeId::parse("a").unwrap(),
        incarnation: 1,
        region: Region::parse("eu").unwrap(),
        client_url: "https://a.example".into(),
        media: None,
        relay: None,
        capacity: Capacity { participants: 100, packets_per_second: 0 },
        load: Load { participants, refused, ..Load::default() },
        draining: false,
    };
    assert!(members.register(now, node));
    members
}

/// An adviser that has seen these quarters since 1970 whole.
pub(in crate::cluster) fn seasoned(now: Instant, quarters: core::ops::Range<u64>, participants: u32) -> Adviser {
    let mut adviser = Adviser::new(None);
    let members = members(now, participants, 0);
    for seconds in (quarters.start * QUARTER..=quarters.end * QUARTER).step_by(60) {
        adviser.look(now, Duration::from_secs(seconds), &members, true);
    }
    adviser
}

#[test]
fn the_clock_of_1970_stands_on_thursday() {
    assert_eq!(clock(Duration::ZERO), Clock { weekday: 3, hour: 0 });
    // Monday, 5 January 1970, 09:14.
    let monday = Duration::from_secs(4 * DAY + 9 * 3_600 + 14 * 60);
    assert_eq!(clock(monday), Clock { weekday: 0, hour: 9 });
}

#[test]
fn refused_joins_ask_for_an_edge_at_once() {
    let now = Instant::now();
    let mut adviser = Adviser::new(None);
    adviser.look(now, Duration::ZERO, &members(now, 10, 0), true);
    assert_eq!(adviser.report().advice, []);
    adviser.look(now, Duration::ZERO, &members(now, 100, 3), true);
    let report = adviser.report();
    assert!(matches!(&report.advice[..], [Advised::ScaleOut { edges: 1, .. }]), "{report:?}");
    assert_eq!((report.regions[0].participants, report.regions[0].seats), (100, 100));
}

#[test]
fn what_is_expected_is_told_after_a_day() {
    let now = Instant::now();
    assert_eq!(seasoned(now, 0..95, 40).report().regions[0].expected, None);
    let expected = seasoned(now, 0..96, 40).report().regions[0].expected;
    assert!((expected.unwrap() - 40.0).abs() < 1.0, "{expected:?}");
}

#[test]
fn old_loads_teach_nothing() {
    let now = Instant::now();
    let mut adviser = seasoned(now, 0..50, 40);
    for seconds in (50 * QUARTER..=200 * QUARTER).step_by(60) {
        adviser.look(now, Duration::from_secs(seconds), &members(now, 40, 0), false);
    }
    assert_eq!(adviser.report().regions[0].expected, None);
}

#[test]
fn what_a_newer_edge_wrote_stays_and_damage_is_replaced() {
    let now = Instant::now();
    let eu = Region::parse("eu").unwrap();
    let mut adviser = seasoned(now, 1_000..1_002, 40);
    assert_eq!(adviser.due(8), std::slice::from_ref(&eu));
    assert!(adviser.meet(&eu, Some(b"hello")).is_some());
    assert_eq!(adviser.due(8), std::slice::from_ref(&eu), "until it is written");
    assert_eq!(adviser.meet(&eu, Some(b"2 1 1\n")), None);
    assert_eq!(adviser.due(8), []);
}
