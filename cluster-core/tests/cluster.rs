//! Forty edges, a store and 20,000 people in virtual time: what each edge believes comes from messages that take a while and may get lost.

#![cfg(test)]

use cluster_core::members::{Members, REGISTER_EVERY, Standing};
use cluster_core::node::{Capacity, Load, Node, NodeId, Region};
use cluster_core::ownership::{Follows, Owners, Record, Wants};
use cluster_core::placement::{self, PlacementError, Wish};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const EDGES: usize = 40;
const PEOPLE: u32 = 20_000;
const REGIONS: [&str; 4] = ["eu", "us", "asia", "south"];
const TICK: Duration = Duration::from_millis(50);
const BEAT_EVERY: u32 = 5; // ticks

struct Edge {
    id: NodeId,
    members: Members,
    owners: Owners,
    /// Killed, or stopped: neither registers nor beats.
    down: bool,
}

/// A store that may be away or lose its memory, edges, and rooms with the people in them.
struct World {
    now: Instant,
    tick: u32,
    edges: Vec<Edge>,
    registry: BTreeMap<NodeId, (Node, Instant)>,
    records: BTreeMap<String, Record>,
    store_is_away: bool,
    rooms: BTreeMap<String, u32>,
    random: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let id = |index: usize| NodeId::parse(&format!("e{index:02}")).unwrap();
        let edge = |index| Edge { id: id(index), members: Members::new(), owners: Owners::new(id(index)), down: false };
        let mut world = Self {
            now: Instant::now(),
            tick: 0,
            edges: (0..EDGES).map(edge).collect(),
            registry: BTreeMap::new(),
            records: BTreeMap::new(),
            store_is_away: false,
            rooms: BTreeMap::new(),
            random: seed * 2 + 1,
        };
        world.run(Duration::from_secs(3));
        world
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % below
    }

    fn describe(&self, index: usize) -> Node {
        let edge = &self.edges[index];
        let people = edge.owners.ours().filter_map(|(room, _)| self.rooms.get(room)).sum();
        Node {
            id: edge.id.clone(),
            incarnation: 1,
            region: Region::parse(REGIONS[index % REGIONS.len()]).unwrap(),
            client_url: format!("https://{}.example", edge.id).into(),
            media: None,
            relay: None,
            capacity: Capacity { participants: 1000, packets_per_second: 0 },
            load: Load { participants: people, ..Load::default() },
            draining: false,
        }
    }

    fn run(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            self.now += TICK;
            self.tick += 1;
            self.move_on();
        }
    }

    fn move_on(&mut self) {
        let now = self.now;
        let every = (REGISTER_EVERY.as_millis() / TICK.as_millis()) as usize;
        for index in 0..EDGES {
            // Edges register spread over the interval; now and then a registration gets lost.
            let due = (self.tick as usize + index).is_multiple_of(every) || self.tick < 3;
            if self.edges[index].down || !due || self.store_is_away || (self.tick >= 3 && self.draw(10) == 0) {
                continue;
            }
            self.registry.insert(self.edges[index].id.clone(), (self.describe(index), now));
            self.registry.retain(|_, (_, at)| now - *at < cluster_core::members::EXPIRES_AFTER);
            let all: Vec<_> = self.registry.values().map(|(node, _)| node.clone()).collect();
            let edge = &mut self.edges[index];
            all.into_iter().for_each(|node| {
                edge.members.register(now, node);
            });
            edge.members.store_answered(now);
            edge.members.expire(now);
        }
        if self.tick.is_multiple_of(BEAT_EVERY) {
            let beating: Vec<_> = self.edges.iter().filter(|edge| !edge.down).map(|edge| edge.id.clone()).collect();
            for edge in self.edges.iter_mut().filter(|edge| !edge.down) {
                beating.iter().filter(|id| **id != edge.id).for_each(|id| edge.members.heard(now, id));
            }
        }
    }

    /// Somebody enters a room by way of an edge of theirs; the edge that they end up on.
    fn enter(&mut self, room: &str, by: usize) -> Result<NodeId, PlacementError> {
        let now = self.now;
        if !self.store_is_away
            && let Some(record) = self.records.get(room).cloned()
        {
            self.edges[by].owners.learned(room, record);
        }
        for _ in 0..3 {
            let edge = &self.edges[by];
            match edge.owners.wants(now, room, &edge.members) {
                Wants::Ours => return Ok(edge.id.clone()),
                Wants::Theirs(owner) => return Ok(owner),
                Wants::Claim { record, after } => {
                    let region = [Region::parse(REGIONS[by % REGIONS.len()]).unwrap()];
                    let chosen = placement::place(&edge.members, now, &Wish { room, regions: &region, ..Wish::default() })?.node;
                    let record = Record { owner: chosen.clone(), ..record };
                    let last = self.records.get(room).map_or(0, |record| record.epoch);
                    if last == after {
                        self.records.insert(room.into(), record.clone());
                    }
                    let stored = self.records.get(room).cloned().unwrap();
                    self.edges[by].owners.learned(room, stored.clone());
                    if let Some(owner) = self.edges.iter_mut().find(|edge| edge.id == stored.owner) {
                        owner.owners.learned(room, stored);
                    }
                }
            }
        }
        panic!("three claims and no owner of {room}");
    }

    fn fill(&mut self) {
        let mut people = 0;
        while people < PEOPLE {
            let size = [2, 2, 2, 2, 2, 2, 3, 4, 8, 12, 50, 200][self.draw(12) as usize];
            let (room, by) = (format!("room-{}", self.rooms.len()), self.draw(EDGES as u64) as usize);
            self.enter(&room, by).unwrap();
            self.rooms.insert(room, size);
            people += size;
            // Ten rooms a second begin: five times as many as when every meeting of an hour begins within five minutes of it.
            self.run(2 * TICK);
        }
        self.run(Duration::from_secs(3));
    }

    fn people_on(&self, index: usize) -> u32 {
        self.describe(index).load.participants
    }
}

#[test]
fn everybody_is_somewhere_and_no_edge_is_crowded() {
    let mut world = World::new(1);
    world.fill();
    let people: Vec<_> = (0..EDGES).map(|index| world.people_on(index)).collect();
    let sum: u32 = people.iter().sum();
    let (least, most) = (people.iter().min().unwrap(), people.iter().max().unwrap());
    println!("{sum} people in {} rooms, {least} to {most} on an edge", world.rooms.len());
    // How large a room will be nobody knows when it begins: what an edge is made for is the bound, 85 % of it and one room.
    assert!(sum >= PEOPLE && *most <= 1000, "{people:?}");
}

#[test]
fn a_tenth_of_the_edges_dies_and_their_rooms_go_on_elsewhere() {
    let mut world = World::new(2);
    world.fill();
    let (killed, dead) = (world.now, [3, 14, 25, 36]);
    dead.iter().for_each(|index| world.edges[*index].down = true);
    let lost: Vec<_> =
        dead.iter().flat_map(|index| world.edges[*index].owners.ours().map(|(room, _)| room.to_owned()).collect::<Vec<_>>()).collect();
    // Everybody of these rooms comes back as soon as anybody takes them, by any edge that lives.
    let mut took = BTreeMap::new();
    let mut waiting = lost.clone();
    while !waiting.is_empty() && world.now - killed < Duration::from_secs(10) {
        world.run(TICK);
        waiting.retain(|room| {
            let by = loop {
                let by = world.draw(EDGES as u64) as usize;
                if !world.edges[by].down {
                    break by;
                }
            };
            let owner = world.enter(room, by).unwrap();
            let lives = world.edges.iter().any(|edge| edge.id == owner && !edge.down);
            if lives {
                took.insert(room.clone(), world.now - killed);
            }
            !lives
        });
    }
    let latest = took.values().max().unwrap();
    println!("{} rooms of {} dead edges have an owner again after {} ms at most", lost.len(), dead.len(), latest.as_millis());
    assert!(waiting.is_empty(), "{} rooms were never taken over", waiting.len());
    assert!(*latest <= Duration::from_millis(1500), "{latest:?}");

    // Those who were only stopped wake up, hear of it, and let go.
    for index in dead {
        world.edges[index].down = false;
        let records = world.records.clone();
        let edge = &mut world.edges[index];
        let let_go =
            records.iter().filter(|(room, record)| matches!(edge.owners.learned(room, (*record).clone()), Follows::LetGo(_))).count();
        assert!(let_go > 0);
    }
    for (room, record) in &world.records {
        let owners: Vec<_> = world.edges.iter().filter(|edge| edge.owners.is_ours(room)).map(|edge| &edge.id).collect();
        assert_eq!(owners, [&record.owner], "{room}");
    }
}

#[test]
fn without_the_store_everything_goes_on_and_it_may_come_back_empty() {
    let mut world = World::new(3);
    world.fill();
    world.store_is_away = true;
    world.run(Duration::from_secs(60));
    for edge in &world.edges {
        let good = edge.members.all(world.now).filter(|(_, standing)| *standing == Standing::Good).count();
        assert_eq!(good, EDGES, "{} believes that somebody is gone", edge.id);
    }
    // Rooms that are known are still entered where they are.
    let (room, record) = world.records.iter().next().map(|(room, record)| (room.clone(), record.clone())).unwrap();
    let owner = world.edges.iter().position(|edge| edge.id == record.owner).unwrap();
    assert_eq!(world.enter(&room, owner), Ok(record.owner));

    let before = std::mem::take(&mut world.records);
    world.store_is_away = false;
    for index in 0..EDGES {
        let ours: Vec<_> = world.edges[index].owners.ours().map(|(room, record)| (room.to_owned(), record.clone())).collect();
        for (room, record) in ours {
            assert_eq!(world.edges[index].owners.missing(&room, true), Follows::Tell(record.clone()));
            world.records.insert(room, record);
        }
    }
    assert_eq!(world.records, before, "every room is known again, in the epoch that it had");
}
