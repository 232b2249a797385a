//! Where rooms begin.

use super::*;
use crate::node::{Capacity, Load};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn id(name: &str) -> NodeId {
    NodeId::parse(name).unwrap()
}

fn region(name: &str) -> Region {
    Region::parse(name).unwrap()
}

fn edge(name: &str, place: &str, participants: u32, of: u32) -> Node {
    Node {
        id: id(name),
        incarnation: 1,
        region: region(place),
        client_url: "https://edge.example".into(),
        media: None,
        relay: None,
        capacity: Capacity { participants: of, packets_per_second: 0 },
        load: Load { participants, ..Load::default() },
        draining: false,
    }
}

fn cluster(now: Instant, edges: impl IntoIterator<Item = Node>) -> Members {
    let mut members = Members::new();
    edges.into_iter().for_each(|edge| {
        members.register(now, edge);
    });
    members
}

fn in_eu(room: &str, members: &Members, now: Instant) -> Placement {
    place(members, now, &Wish { room, regions: &[region("eu")], ..Wish::default() }).unwrap()
}

#[test]
fn the_nearest_region_first_and_another_when_it_is_full() {
    let now = Instant::now();
    let regions = [region("eu"), region("us")];
    let wish = Wish { room: "r", regions: &regions, ..Wish::default() };
    let with = |eu: u32, us: u32| cluster(now, [edge("e", "eu", eu, 100), edge("u", "us", us, 100), edge("a", "asia", 0, 100)]);
    assert_eq!(place(&with(0, 0), now, &wish), Ok(Placement { node: id("e"), reason: Reason::First }));
    assert_eq!(place(&with(90, 0), now, &wish), Ok(Placement { node: id("u"), reason: Reason::OtherRegion }));
    assert_eq!(place(&with(90, 90), now, &wish), Ok(Placement { node: id("a"), reason: Reason::OtherRegion }));
}

#[test]
fn errors_say_what_to_do() {
    let now = Instant::now();
    let wish = Wish { room: "r", ..Wish::default() };
    assert_eq!(place(&Members::new(), now, &wish), Err(PlacementError::NoEdges));
    let full = cluster(now, [edge("e", "eu", 100, 100)]);
    assert_eq!(place(&full, now, &wish).unwrap_err().to_string(), "all edges are full: try again in 10 s");
    let (pin, other) = (id("e"), id("x"));
    assert_eq!(place(&full, now, &Wish { pinned: Some(&pin), ..wish }), Err(PlacementError::PinnedAway(pin)));
    let free = cluster(now, [edge("e", "eu", 0, 100), edge("x", "us", 0, 100)]);
    assert_eq!(place(&free, now, &Wish { pinned: Some(&other), ..wish }).unwrap().reason, Reason::Pinned);
    let except = [id("e"), id("x")];
    assert_eq!(place(&free, now, &Wish { except: &except, ..wish }), Err(PlacementError::NoEdges));
}

#[test]
fn the_emptier_of_two() {
    let now = Instant::now();
    let even = cluster(now, [edge("a", "eu", 10, 100), edge("b", "eu", 10, 100)]);
    let Placement { node: first, reason } = in_eu("r", &even, now);
    assert_eq!(reason, Reason::First);
    let (a, b) = if first == id("a") { (60, 10) } else { (10, 60) };
    let uneven = cluster(now, [edge("a", "eu", a, 100), edge("b", "eu", b, 100)]);
    let placement = in_eu("r", &uneven, now);
    assert_eq!((placement.reason, placement.node != first), (Reason::Emptier, true));
}

#[test]
fn a_load_that_makes_no_sense_is_full() {
    let now = Instant::now();
    let mut broken = edge("a", "eu", 0, 100);
    broken.load.cpu = f32::NAN;
    let members = cluster(now, [broken, edge("b", "eu", 0, 0), edge("c", "eu", 80, 100)]);
    assert_eq!(in_eu("r", &members, now).node, id("c"));
}

#[test]
fn rooms_spread_by_what_edges_were_made_for() {
    let now = Instant::now();
    let members = cluster(now, [edge("small", "eu", 0, 100), edge("large", "eu", 0, 300)]);
    let large = (0..4000).filter(|room| in_eu(&format!("room-{room}"), &members, now).node == id("large")).count();
    assert!((2900..3100).contains(&large), "{large} of 4000, 3000 expected");
}

#[test]
fn only_the_rooms_of_an_edge_that_goes_move() {
    let now = Instant::now();
    let edges = |count: usize| (0..count).map(|index| edge(&format!("e{index}"), "eu", 0, 100));
    let (all, fewer) = (cluster(now, edges(10)), cluster(now, edges(9)));
    for room in 0..2000 {
        let room = format!("room-{room}");
        let (before, after) = (in_eu(&room, &all, now).node, in_eu(&room, &fewer, now).node);
        assert!(before == after || before == id("e9"), "{room} moved from {before} to {after}");
    }
}

/// Forty edges, 20,000 participants in rooms of 2 to 2,000, each room placed as its first participant comes.
#[test]
fn no_edge_is_much_fuller_than_others() {
    let now = Instant::now();
    let mut people: BTreeMap<NodeId, u32> = (0..40).map(|index| (id(&format!("e{index:02}")), 0)).collect();
    let (mut random, mut placed, mut room) = (7_u64, 0, 0);
    while placed < 20_000 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Most rooms are small. A large one begins on one edge too, which takes 300 of it: the rest goes on by cascade.
        let size = match (random >> 33) % 1000 {
            0 => 300,
            1..=20 => 100,
            21..=300 => 12,
            _ => 2,
        };
        let members = cluster(now, people.iter().map(|(name, count)| edge(name.as_str(), "eu", *count, 1000)));
        let chosen = in_eu(&format!("room-{room}"), &members, now).node;
        *people.get_mut(&chosen).unwrap() += size;
        (placed, room) = (placed + size, room + 1);
    }
    let (least, most) = (people.values().min().unwrap(), people.values().max().unwrap());
    println!("{placed} participants in {room} rooms on 40 edges: {least} to {most} on one, mean {}", placed / 40);
    assert!(f64::from(*most) < 1.3 * f64::from(placed) / 40.0, "{least} to {most}");
}

proptest! {
    #[test]
    fn all_edges_place_a_room_alike(room in "[a-z]{1,12}", order in Just((0..12_usize).collect::<Vec<_>>()).prop_shuffle()) {
        let now = Instant::now();
        let edges: Vec<_> = (0..12).map(|index| edge(&format!("e{index}"), "eu", index * 5, 100)).collect();
        let one = cluster(now, edges.iter().cloned());
        let other = cluster(now, order.iter().map(|index| edges[*index].clone()));
        prop_assert_eq!(in_eu(&room, &one, now), in_eu(&room, &other, now));
    }
}
