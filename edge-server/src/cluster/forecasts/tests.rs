//! With a real Redis server.

use super::*;
use crate::clock;
use crate::cluster::advice::tests::{members, seasoned};
use cluster_core::forecast::Learned;
use cluster_core::{Address, Capacity, Load, Node, NodeId, Region};
use core::time::Duration;
use redis_server::Redis;
use std::time::Instant;

#[expect(dead_code, reason = "other tests need more of it")]
#[path = "../../../tests/edge/redis_server.rs"]
mod redis_server;

const KEY: &str = "nearcast:forecast:eu";

/// Of an edge that the server has heard of.
async fn store(redis: &Redis) -> Store {
    let store = Store::new(&redis.url()).unwrap();
    let node = Node {
        id: NodeId::parse("a").unwrap(),
        incarnation: 1,
        region: Region::parse("eu").unwrap(),
        client_url: Address::from("https://a.example"),
        media: None,
        relay: None,
        capacity: Capacity { participants: 100, packets_per_second: 0 },
        load: Load::default(),
        draining: false,
    };
    store.register(&node).await.unwrap();
    store
}

/// An edge that has seen so many quarters whole, up to the present one.
fn edge(now: Instant, whole: u64) -> Mutex<Adviser> {
    let present = clock::unix().as_secs() / 900;
    Mutex::new(seasoned(now, present - whole..present, 40))
}

fn expected(now: Instant, edge: &Mutex<Adviser>) -> Option<f32> {
    let mut adviser = lock(edge);
    adviser.look(now, clock::unix(), &members(now, 40, 0), true);
    adviser.report().regions[0].expected.map(f32::round)
}

fn whole(redis: &Redis) -> u32 {
    Learned::from_bytes(&redis.bytes(KEY)).unwrap().whole()
}

#[tokio::test]
async fn what_one_has_learned_the_next_one_knows() {
    let redis = Redis::start();
    let (store, now) = (store(&redis).await, Instant::now());
    let old = edge(now, 120);
    exchange(&old, &store).await.unwrap();
    assert_eq!((whole(&redis), lock(&old).due(8)), (120, Vec::new()));
    let left: u64 = redis.ask(&["PTTL", KEY]).unwrap().parse().unwrap();
    assert!(left > 27 * 86_400_000, "{left}");
    drop(old);
    let new = edge(now, 0);
    assert_eq!(expected(now, &new), None);
    exchange(&new, &store).await.unwrap();
    assert_eq!(expected(now, &new), Some(40.0));
    // One that has learned a little by itself, and asks later, doesn't overwrite it.
    let young = edge(now, 3);
    exchange(&young, &store).await.unwrap();
    assert_eq!((whole(&redis), expected(now, &young)), (120, Some(40.0)));
    let older = edge(now, 130);
    exchange(&older, &store).await.unwrap();
    assert_eq!(whole(&redis), 130);
}

#[tokio::test]
async fn whoever_was_faster_stays() {
    let redis = Redis::start();
    let (store, now) = (store(&redis).await, Instant::now());
    let slow = edge(now, 100);
    let eu = lock(&slow).due(8);
    let (learned, quarter) = lock(&slow).meet(&eu[0], None).unwrap();
    exchange(&edge(now, 110), &store).await.unwrap();
    assert_eq!(store.remember(&eu[0], None, &learned, quarter).await.unwrap(), Remembered::Changed);
    exchange(&slow, &store).await.unwrap();
    assert_eq!((whole(&redis), lock(&slow).due(8)), (110, Vec::new()));
}

#[tokio::test]
async fn nonsense_is_written_over_whatever_it_is() {
    let redis = Redis::start();
    let (store, now) = (store(&redis).await, Instant::now());
    for seed in [&["SET", KEY, "hello"][..], &["RPUSH", KEY, "hello"]] {
        redis.ask(&["DEL", KEY]);
        redis.ask(seed);
        exchange(&edge(now, 100), &store).await.unwrap();
        assert_eq!((whole(&redis), store.answers()), (100, true));
    }
    redis.ask(&["SET", KEY, "2 of a later version\n"]);
    let edge = edge(now, 100);
    exchange(&edge, &store).await.unwrap();
    assert_eq!((redis.bytes(KEY), lock(&edge).due(8)), (b"2 of a later version\n".to_vec(), Vec::new()));
}

#[tokio::test]
async fn an_edge_whose_clock_is_wrong_writes_nothing() {
    let redis = Redis::start();
    let (store, now) = (store(&redis).await, Instant::now());
    let present = clock::unix().as_secs() / 900;
    let ahead = Mutex::new(seasoned(now, present - 90..present + 10, 40));
    exchange(&ahead, &store).await.unwrap();
    assert_eq!((redis.ask(&["EXISTS", KEY]).as_deref(), lock(&ahead).due(8)), (Some("0"), Vec::new()));
}

#[tokio::test]
async fn a_store_that_is_away_leaves_everything_as_it_was() {
    let mut redis = Redis::start();
    let (store, now) = (store(&redis).await, Instant::now());
    let edge = edge(now, 100);
    redis.kill();
    assert!(exchange(&edge, &store).await.is_err());
    exchange(&edge, &store).await.unwrap(); // not asked again until it registers
    assert_eq!((expected(now, &edge), lock(&edge).due(8).len()), (Some(40.0), 1));
    redis.restart();
    let until = clock::now() + Duration::from_secs(20);
    while exchange(&edge, &self::store(&redis).await).await.is_err() || !lock(&edge).due(8).is_empty() {
        assert!(clock::now() < until);
    }
    assert_eq!(whole(&redis), 100);
}
