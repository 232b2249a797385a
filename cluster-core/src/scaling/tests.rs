//! Growing soon, shrinking late.

use super::*;
use crate::node::{Capacity, Load};

const MONDAY_NOON: Clock = Clock { weekday: 0, hour: 12 };
const MONDAY_NIGHT: Clock = Clock { weekday: 0, hour: 2 };

fn region(name: &str) -> Region {
    Region::parse(name).unwrap()
}

fn cluster(now: Instant, loads: &[Load]) -> Members {
    let mut members = Members::new();
    for (index, load) in loads.iter().enumerate() {
        members.register(
            now,
            Node {
                id: NodeId::parse(&format!("e{index}")).unwrap(),
                incarnation: 1,
                region: region("eu"),
                client_url: "https://edge.example".into(),
                media: None,
                relay: None,
                capacity: Capacity { participants: 100, packets_per_second: 0 },
                load: *load,
                draining: false,
            },
        );
    }
    members
}

fn busy(cpu: f32, participants: u32) -> Load {
    Load { cpu, memory: 0.2, participants, ..Load::default() }
}

/// What is advised at the end of so many seconds during which nothing changed.
fn after(seconds: u64, clock: Clock, loads: &[Load], demand: Demand) -> Vec<Advice> {
    let start = Instant::now();
    let mut scaling = Scaling::new(Policy::default());
    let demand = BTreeMap::from([(region("eu"), demand)]);
    let mut last = Vec::new();
    for second in (0..=seconds).step_by(5) {
        let now = start + Duration::from_secs(second);
        last = scaling.advise(now, clock, &cluster(now, loads), &demand);
    }
    last
}

#[test]
fn busy_processors_grow_after_a_minute() {
    let loads = [busy(0.9, 10), busy(0.8, 10)];
    assert_eq!(after(55, MONDAY_NOON, &loads, Demand::default()), []);
    let advice = after(60, MONDAY_NOON, &loads, Demand::default());
    let reasons = vec!["processors at 85 % of 70 % that edges may have".to_owned()];
    assert_eq!(advice, [Advice::ScaleOut { region: region("eu"), edges: 1, reasons }]);
}

#[test]
fn a_refused_join_needs_no_minute() {
    let advice = after(0, MONDAY_NOON, &[Load { refused: 3, ..busy(0.5, 99) }], Demand::default());
    let [Advice::ScaleOut { edges, reasons, .. }] = advice.as_slice() else { panic!("{advice:?}") };
    assert_eq!((*edges, reasons.len()), (1, 2), "{reasons:?}");
    assert!(reasons[1].contains("3 joins were refused"));
}

#[test]
fn what_is_expected_counts_like_what_is_there() {
    let demand = Demand { forecast: Some(500.0), round_trip: None };
    let advice = after(60, MONDAY_NOON, &[busy(0.2, 50), busy(0.2, 50)], demand);
    let [Advice::ScaleOut { edges, .. }] = advice.as_slice() else { panic!("{advice:?}") };
    assert_eq!(*edges, 5, "500 at 80 % of 100 take seven");
}

#[test]
fn shrinking_waits_for_the_night_and_takes_the_emptiest() {
    let loads = [busy(0.1, 10), busy(0.1, 5), busy(0.1, 20)];
    assert_eq!(after(3600, MONDAY_NOON, &loads, Demand::default()), []);
    assert_eq!(after(895, MONDAY_NIGHT, &loads, Demand::default()), []);
    let advice = after(900, MONDAY_NIGHT, &loads, Demand::default());
    let [Advice::ScaleIn { node, .. }] = advice.as_slice() else { panic!("{advice:?}") };
    assert_eq!(node.as_str(), "e1");
    assert_eq!(after(905, MONDAY_NIGHT, &loads, Demand::default()), [], "one at a time");
    let expected = Demand { forecast: Some(150.0), round_trip: None };
    assert_eq!(after(900, MONDAY_NIGHT, &loads, expected), [], "they will be needed");
    assert_eq!(after(3600, MONDAY_NIGHT, &loads[..1], Demand::default()), [], "the last one stays");
}

#[test]
fn a_far_region_gets_an_edge() {
    let start = Instant::now();
    let demand = BTreeMap::from([
        (region("asia"), Demand { forecast: None, round_trip: Some(Duration::from_millis(210)) }),
        (region("us"), Demand { forecast: None, round_trip: Some(Duration::from_millis(90)) }),
    ]);
    let advice = Scaling::new(Policy::default()).advise(start, MONDAY_NOON, &cluster(start, &[busy(0.1, 1)]), &demand);
    let reasons = vec!["clients are 210 ms from their edge".to_owned()];
    assert_eq!(advice, [Advice::AddEdge { region: region("asia"), reasons }]);
}

#[test]
fn a_short_peak_is_none() {
    let start = Instant::now();
    let mut scaling = Scaling::new(Policy::default());
    for second in (0..600).step_by(5) {
        let now = start + Duration::from_secs(second);
        let cpu = if second % 60 < 50 { 0.95 } else { 0.4 };
        assert_eq!(scaling.advise(now, MONDAY_NOON, &cluster(now, &[busy(cpu, 1)]), &BTreeMap::new()), []);
    }
}
