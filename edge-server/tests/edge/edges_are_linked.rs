//! Edges that are linked share their rooms: who is where makes no difference to anybody.
//!
//! Media between edges: tests/native, tests/browser/cluster.test.ts.

use crate::proxy::Proxy;
use crate::redis_server::Redis;
use crate::world::{Client, PATIENCE, flags, soon, start};
use cluster_core::{Capacity, Load, Node, Region, Relay};
use nearcast_edge::clock;
use nearcast_edge::config::Flags;
use nearcast_edge::edge::Edge;
use nearcast_protocol::{ClientMessage, LeaveReason, ParticipantId, ServerMessage};
use std::net::SocketAddr;
use std::time::Duration;

pub(crate) fn linking(peers: &[SocketAddr]) -> Flags {
    let relay_peers = peers.iter().map(ToString::to_string).collect();
    Flags { relay: Some("127.0.0.1:0".to_owned()), relay_peers, ..flags() }
}

pub(crate) fn relay(edge: &Edge) -> SocketAddr {
    edge.relay().expect("it links")
}

/// Waits until something holds of an edge.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "not in time: {what}");
}

pub(crate) async fn linked(edges: &[&Edge], others: usize) {
    until("linked", || edges.iter().all(|edge| edge.context().relay.as_ref().unwrap().linked().len() == others)).await;
}

pub(crate) async fn pair() -> (Edge, Edge) {
    let first = start(&linking(&[])).await;
    let second = start(&linking(&[relay(&first)])).await;
    linked(&[&first, &second], 1).await;
    (first, second)
}

pub(crate) async fn sees(client: &mut Client, identity: &str) -> ParticipantId {
    let joined = |message: &ServerMessage| match message {
        ServerMessage::ParticipantJoined { participant } if participant.identity == identity => Some(participant.id.clone()),
        _ => None,
    };
    client.wait_for(joined).await
}

/// Whoever is told of next.
async fn name_of_next(client: &mut Client) -> String {
    let joined = |message: &ServerMessage| match message {
        ServerMessage::ParticipantJoined { participant } => Some(participant.identity.clone()),
        _ => None,
    };
    client.wait_for(joined).await
}

pub(crate) async fn misses(client: &mut Client, id: &ParticipantId) -> LeaveReason {
    let left = |message: &ServerMessage| match message {
        ServerMessage::ParticipantLeft { participant, reason } if participant == id => Some(*reason),
        _ => None,
    };
    client.wait_for(left).await
}

#[tokio::test]
async fn whoever_joins_anywhere_is_seen_everywhere() {
    let first = start(&linking(&[])).await;
    let (mut alice, _) = Client::joined(&first, "lobby", "alice").await;
    let second = start(&linking(&[relay(&first)])).await;
    let third = start(&linking(&[relay(&first), relay(&second)])).await;
    linked(&[&first, &second, &third], 2).await;
    // One room that began before the links and one part after another; each hears of all others, in whatever order.
    let (mut bob, _) = Client::joined(&second, "lobby", "bob").await;
    let bob_id = sees(&mut alice, "bob").await;
    let (mut carol, joined) = Client::joined(&third, "lobby", "carol").await;
    sees(&mut alice, "carol").await;
    sees(&mut bob, "carol").await;
    assert!(joined.others.is_empty(), "who is elsewhere is told of a moment later");
    let mut told = vec![name_of_next(&mut carol).await, name_of_next(&mut carol).await];
    told.sort_unstable();
    assert_eq!(told, ["alice", "bob"]);
    let (_, joined) = Client::joined(&third, "lobby", "dave").await;
    let mut others: Vec<_> = joined.others.iter().map(|other| other.identity.as_str()).collect();
    others.sort_unstable();
    assert_eq!(others, ["alice", "bob", "carol"]);
    bob.send(ClientMessage::Leave).await;
    assert_eq!(misses(&mut alice, &bob_id).await, LeaveReason::Left);
    assert_eq!(misses(&mut carol, &bob_id).await, LeaveReason::Left);
}

#[tokio::test]
async fn the_same_identity_replaces_itself_across_edges() {
    let (first, second) = pair().await;
    let (mut old, _) = Client::joined(&first, "lobby", "alice").await;
    let (_new, _) = Client::joined(&second, "lobby", "alice").await;
    let (code, _) = old.end().await;
    assert_eq!(code, Some(nearcast_protocol::ErrorCode::DuplicateIdentity));
}

#[tokio::test]
async fn who_comes_and_goes_within_a_round_trip_leaves_no_ghost() {
    let (first, second) = pair().await;
    let (mut alice, _) = Client::joined(&first, "lobby", "alice").await;
    for number in 0..20 {
        let (mut guest, _) = Client::joined(&second, "lobby", &format!("guest-{number}")).await;
        guest.send(ClientMessage::Leave).await;
        drop(guest);
    }
    let (_last, _) = Client::joined(&second, "lobby", "last").await;
    let mut here: Vec<ParticipantId> = Vec::new();
    let settled = async {
        loop {
            match alice.next().await.expect("the call goes on") {
                ServerMessage::ParticipantJoined { participant } => {
                    here.push(participant.id.clone());
                    if participant.identity == "last" && here.len() == 1 {
                        return;
                    }
                }
                ServerMessage::ParticipantLeft { participant, .. } => here.retain(|id| *id != participant),
                _ => (),
            }
            if here.len() == 1 && guests_gone(&second).await {
                return;
            }
        }
    };
    soon(settled).await;
    let total = async || (sum(&first, "participants_elsewhere").await, sum(&second, "participants_elsewhere").await);
    let counted = async {
        while total().await != (1, 1) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    soon(counted).await;
}

async fn guests_gone(edge: &Edge) -> bool {
    sum(edge, "participants").await == 1
}

pub(crate) async fn sum(edge: &Edge, what: &str) -> u64 {
    let stats = crate::world::request(edge, "GET /v1/stats", "", "").await.json();
    stats["total"]["core"][what].as_u64().expect("a count")
}

#[tokio::test]
async fn an_edge_that_ends_takes_its_people_along() {
    let first = start(&Flags { resume_window: Some("1s".to_owned()), ..linking(&[]) }).await;
    let second = start(&linking(&[relay(&first)])).await;
    linked(&[&first, &second], 1).await;
    let (mut alice, _) = Client::joined(&first, "lobby", "alice").await;
    let (_bob, _) = Client::joined(&second, "lobby", "bob").await;
    let bob_id = sees(&mut alice, "bob").await;
    second.shutdown().await;
    misses(&mut alice, &bob_id).await;
}

/// The link is cut for longer than it may be silent: everybody else is told as gone, once, and as come again when it is back, once.
#[tokio::test]
async fn a_link_that_was_down_brings_everybody_back_once() {
    let briefly = |flags: Flags| Flags { resume_window: Some("1s".to_owned()), ..flags };
    let first = start(&briefly(linking(&[]))).await;
    let proxy = Proxy::to(relay(&first)).await;
    let second = start(&briefly(linking(&[proxy.address()]))).await;
    linked(&[&first, &second], 1).await;
    let (mut alice, _) = Client::joined(&first, "lobby", "alice").await;
    let (mut bob, _) = Client::joined(&second, "lobby", "bob").await;
    let (bob_id, alice_id) = (sees(&mut alice, "bob").await, sees(&mut bob, "alice").await);
    proxy.cut(true);
    assert_eq!(misses(&mut alice, &bob_id).await, LeaveReason::TimedOut);
    assert_eq!(misses(&mut bob, &alice_id).await, LeaveReason::TimedOut);
    // Somebody comes meanwhile, and somebody goes.
    let (_carol, joined) = Client::joined(&second, "lobby", "carol").await;
    assert_eq!(joined.others.len(), 1);
    proxy.cut(false);
    let (again, _) = (sees(&mut alice, "bob").await, sees(&mut bob, "alice").await);
    assert_eq!(again, bob_id, "it is the same stay");
    let (_dave, joined) = Client::joined(&first, "lobby", "dave").await;
    let mut others: Vec<_> = joined.others.iter().map(|other| other.identity.as_str()).collect();
    others.sort_unstable();
    assert_eq!(others, ["alice", "bob", "carol"]);
}

/// They learn of each other from the store, and whoever comes stays where they came.
#[tokio::test]
async fn edges_of_one_cluster_link_by_themselves_and_keep_who_comes() {
    let redis = Redis::start();
    let mut edges = Vec::new();
    for name in ["first", "second"] {
        let flags = Flags { redis: Some(redis.url()), edge_id: Some(name.to_owned()), ..linking(&[]) };
        edges.push(start(&flags).await);
    }
    linked(&[&edges[0], &edges[1]], 1).await;
    let (mut alice, _) = Client::joined(&edges[0], "lobby", "alice").await;
    let (mut bob, _) = Client::joined(&edges[1], "lobby", "bob").await;
    sees(&mut alice, "bob").await;
    sees(&mut bob, "alice").await;
}

/// Both were cut off from the store for so long that they count as gone, and from each other: the link doesn't wait for the store.
#[tokio::test]
async fn an_edge_that_the_directory_has_forgotten_is_linked_again_when_the_network_is_back() {
    let named = |name: &str| Flags { edge_id: Some(name.to_owned()), ..linking(&[]) };
    let (first, second) = (start(&named("a")).await, start(&named("b")).await);
    let proxy = Proxy::to(relay(&second)).await;
    let directory = first.context().cluster.directory();
    let node = Node {
        id: second.context().cluster.directory().me().clone(),
        incarnation: 1,
        region: Region::parse("default").unwrap(),
        client_url: "http://b.example".into(),
        media: None,
        relay: Some(Relay { address: proxy.address(), fingerprint: None }),
        capacity: Capacity { participants: 10, packets_per_second: 0 },
        load: Load::default(),
        draining: false,
    };
    assert!(directory.register(clock::now(), node.clone()));
    linked(&[&first, &second], 1).await;
    proxy.cut(true);
    directory.members(clock::now(), |members| members.left(&node.id, node.incarnation));
    assert_eq!(directory.peer(&node.id), None);
    linked(&[&first, &second], 0).await;
    proxy.cut(false);
    linked(&[&first, &second], 1).await;
    assert_eq!(directory.peer(&node.id), None, "it wasn't the directory that made the link");
}

#[tokio::test]
async fn without_the_secret_there_is_no_link() {
    let first = start(&linking(&[])).await;
    let stranger = Flags { relay_secret: Some("x".repeat(32)), ..linking(&[relay(&first)]) };
    let stranger = start(&stranger).await;
    until("refused twice", || stranger.context().relay.as_ref().unwrap().stats().failed >= 2).await;
    assert!(stranger.context().relay.as_ref().unwrap().linked().is_empty());
    assert!(first.context().relay.as_ref().unwrap().linked().is_empty());
}

#[tokio::test]
async fn two_that_dial_each_other_at_once_have_one_link() {
    let first = start(&linking(&[])).await;
    let proxy = Proxy::to(relay(&first)).await;
    proxy.cut(true);
    let second = start(&linking(&[relay(&first)])).await;
    linked(&[&first, &second], 1).await;
    let third = start(&linking(&[relay(&first), relay(&second)])).await;
    // It dials the first twice, by two ways.
    let fourth = start(&linking(&[relay(&first), proxy.address(), relay(&second), relay(&third)])).await;
    proxy.cut(false);
    linked(&[&first, &second, &third, &fourth], 3).await;
    let (mut alice, _) = Client::joined(&first, "lobby", "alice").await;
    let (_bob, _) = Client::joined(&fourth, "lobby", "bob").await;
    sees(&mut alice, "bob").await;
}
