//! Who stays, who is sent on, and whose a room becomes.

use super::*;
use crate::members::EXPIRES_AFTER;
use crate::node::{Capacity, Load, Relay};
use std::time::Duration;

fn id(name: &str) -> NodeId {
    NodeId::parse(name).unwrap()
}

fn edge(name: &str, linked: bool) -> Node {
    Node {
        id: id(name),
        incarnation: 1,
        region: Region::parse("eu").unwrap(),
        client_url: "https://edge.example".into(),
        media: None,
        relay: linked.then(|| Relay { address: "192.0.2.1:7500".parse().unwrap(), fingerprint: None }),
        capacity: Capacity { participants: 100, packets_per_second: 0 },
        load: Load::default(),
        draining: false,
    }
}

struct World {
    now: Instant,
    members: Members,
    /// Of the edge `a`.
    owners: Owners,
}

impl World {
    fn of(edges: &[Node]) -> Self {
        let (now, mut members) = (Instant::now(), Members::new());
        edges.iter().for_each(|edge| assert!(members.register(now, edge.clone())));
        members.store_answered(now);
        Self { now, members, owners: Owners::new(id("a")) }
    }

    fn owned_by(mut self, owner: &str, epoch: u64) -> Self {
        self.owners.learned("room", Record { owner: id(owner), epoch });
        self
    }

    fn seat(&self, shut: &[NodeId]) -> Result<Seat, PlacementError> {
        let region = Region::parse("eu").unwrap();
        let asked = Asked { room: "room", me: &id("a"), region: &region, shut, alone: false };
        seat(self.now, &asked, &self.owners, &self.members)
    }
}

fn claim(owner: &str, after: u64) -> Result<Seat, PlacementError> {
    Ok(Seat::Claim { record: Record { owner: id(owner), epoch: after + 1 }, after })
}

#[test]
fn a_room_of_this_edge_is_entered_here() {
    assert_eq!(World::of(&[edge("a", false), edge("b", false)]).owned_by("a", 3).seat(&[]), Ok(Seat::Here));
}

#[test]
fn without_links_everybody_is_sent_to_the_owner() {
    assert_eq!(World::of(&[edge("a", false), edge("b", false)]).owned_by("b", 3).seat(&[]), Ok(Seat::There(id("b"))));
    // One end of a link is none.
    assert_eq!(World::of(&[edge("a", true), edge("b", false)]).owned_by("b", 3).seat(&[]), Ok(Seat::There(id("b"))));
}

#[test]
fn with_links_everybody_stays_at_the_edge_they_chose_unless_it_is_full() {
    assert_eq!(World::of(&[edge("a", true), edge("b", true)]).owned_by("b", 3).seat(&[]), Ok(Seat::Here));
    assert_eq!(World::of(&[edge("a", true), edge("b", true)]).seat(&[]), claim("a", 0));
    let mut full = edge("a", true);
    full.load.participants = 90;
    assert_eq!(World::of(&[full.clone(), edge("b", true)]).owned_by("b", 3).seat(&[]), Ok(Seat::There(id("b"))));
    assert_eq!(World::of(&[full, edge("b", true)]).seat(&[]), claim("b", 0));
}

#[test]
fn a_new_room_goes_where_its_hash_says_whoever_asks() {
    let world = World::of(&[edge("a", false), edge("b", false), edge("c", false)]);
    let region = Region::parse("eu").unwrap();
    let owners = |room: &str| {
        let seats = ["a", "b", "c"].map(|me| {
            let asked = Asked { room, me: &id(me), region: &region, shut: &[], alone: true };
            seat(world.now, &asked, &world.owners, &world.members).unwrap()
        });
        assert!(seats.iter().all(|seat| *seat == seats[0]), "{seats:?}");
        seats
    };
    let chosen: std::collections::BTreeSet<String> = (0..50).map(|room| format!("{:?}", owners(&format!("room {room}"))[0])).collect();
    assert_eq!(chosen.len(), 3, "{chosen:?}");
}

#[test]
fn without_the_store_loads_that_differ_make_no_difference() {
    let one = World::of(&[edge("a", false), edge("b", false)]);
    let mut busy = [edge("a", false), edge("b", false)];
    busy[0].load.cpu = 0.5;
    let other = World::of(&busy);
    let region = Region::parse("eu").unwrap();
    for room in 0..50 {
        let room = format!("room {room}");
        let asked = Asked { room: &room, me: &id("a"), region: &region, shut: &[], alone: true };
        let seats = [&one, &other].map(|world| seat(world.now, &asked, &world.owners, &world.members).unwrap());
        assert_eq!(seats[0], seats[1]);
    }
}

#[test]
fn a_room_whose_owner_is_gone_or_does_not_open_is_claimed_after_its_epoch() {
    let mut world = World::of(&[edge("a", false), edge("b", false)]).owned_by("b", 3);
    assert_eq!(world.seat(&[id("b")]), claim("a", 3), "its door doesn't open");
    world.now += EXPIRES_AFTER;
    assert!(world.members.register(world.now, edge("a", false)));
    world.members.store_answered(world.now);
    assert_eq!(world.seat(&[]), claim("a", 3), "it is gone");
}

#[test]
fn where_all_are_full_one_is_told_when_to_come_back() {
    let mut full = [edge("a", false), edge("b", false)];
    full.iter_mut().for_each(|edge| edge.load.participants = 99);
    let full = World::of(&full);
    assert_eq!(full.seat(&[]), Err(PlacementError::Full { retry_after: Duration::from_secs(10) }));
}
