//! Who was at one edge goes on at another as who they were, and nobody goes on as anybody else.
//!
//! Media: tests/sim (participants_move_between_edges), tests/browser (elsewhere.test.ts, chaos).

use crate::edges_are_linked::{linked, linking, misses, pair, relay, sees, sum};
use crate::proxy::Proxy;
use crate::redis_server::Redis;
use crate::world::{Client, join, request, soon, start, token};
use nearcast_edge::config::Flags;
use nearcast_edge::edge::Edge;
use nearcast_protocol::{Continues, ErrorCode, Join, Joined, LeaveReason, ServerMessage};
use std::time::Duration;

fn going_on(of: &Joined, count: u16) -> Option<Continues> {
    let claim = of.claim.clone().expect("edges that are linked give one");
    Some(Continues { participant: of.participant.id.clone(), claim, count })
}

async fn go_on(edge: &Edge, identity: &str, continues: Option<Continues>) -> (Client, Box<Joined>) {
    let mut client = Client::cbor(edge).await;
    let joined = client.join(Join { continues, ..join(&token("lobby", identity)) }).await.unwrap();
    (client, joined)
}

/// Waits until each edge knows so many people, wherever they are.
async fn knows(edges: &[&Edge], people: u64) {
    let counted = async {
        for edge in edges {
            while sum(edge, "participants").await + sum(edge, "participants_elsewhere").await != people {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    };
    soon(counted).await;
}

/// Waits until so many are at this edge itself.
async fn has(edge: &Edge, people: u64) {
    let counted = async {
        while sum(edge, "participants").await != people {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    soon(counted).await;
}

/// What somebody is told of people until somebody of this name has come.
async fn told_until(client: &mut Client, last: &str) -> Vec<String> {
    let mut told = Vec::new();
    loop {
        match client.next().await.expect("the call goes on") {
            ServerMessage::ParticipantJoined { participant } if participant.identity == last => return told,
            ServerMessage::ParticipantJoined { participant } => told.push(format!("+{}", participant.identity)),
            ServerMessage::ParticipantLeft { participant, .. } => told.push(format!("-{participant}")),
            _ => (),
        }
    }
}

#[tokio::test]
async fn who_shows_the_claim_is_the_same_and_the_old_edge_lets_go() {
    let (first, second) = pair().await;
    let (mut witness, _) = Client::joined(&first, "lobby", "witness").await;
    let (mut old, before) = Client::joined(&first, "lobby", "alice").await;
    sees(&mut witness, "alice").await;
    let (_alice, after) = go_on(&second, "alice", going_on(&before, 1)).await;
    assert_eq!(after.participant.id, before.participant.id);
    assert_eq!(after.claim, before.claim, "it says the same wherever it is written");
    assert_ne!(after.session, before.session);
    assert_eq!(old.end().await.0, Some(ErrorCode::DuplicateIdentity), "the old edge has let go");
    knows(&[&first, &second], 2).await;
    let (_dave, _) = Client::joined(&second, "lobby", "dave").await;
    assert_eq!(told_until(&mut witness, "dave").await, Vec::<String>::new(), "nobody went and nobody came");
}

#[tokio::test]
async fn to_the_edge_that_it_left_and_at_the_same_one_it_comes_back() {
    let (first, second) = pair().await;
    let (mut witness, _) = Client::joined(&second, "lobby", "witness").await;
    let (_gone, before) = Client::joined(&first, "lobby", "alice").await;
    sees(&mut witness, "alice").await;
    for (count, edge, here, there) in [(1, &second, 0, 2), (2, &first, 1, 1), (3, &first, 1, 1), (4, &second, 0, 2)] {
        let (client, after) = go_on(edge, "alice", going_on(&before, count)).await;
        assert_eq!((&after.participant.id, after.resumed), (&before.participant.id, count == 3), "{count}");
        client.vanish();
        // Where she came from has heard of it: else she would find herself there when she goes back.
        has(&first, here).await;
        has(&second, there).await;
    }
    knows(&[&first], 0).await;
    let (_dave, _) = Client::joined(&first, "lobby", "dave").await;
    assert_eq!(told_until(&mut witness, "dave").await, Vec::<String>::new());
}

#[tokio::test]
async fn without_a_claim_of_ones_own_one_is_a_newcomer() {
    let (first, second) = pair().await;
    let (mut witness, _) = Client::joined(&first, "lobby", "witness").await;
    let (_alice, alices) = Client::joined(&first, "lobby", "alice").await;
    let (_mallory, mallorys) = Client::joined(&first, "lobby", "mallory").await;
    let stolen = going_on(&alices, 7);
    let made_up = Some(Continues { claim: "0".repeat(48), ..stolen.clone().unwrap() });
    let mixed = Some(Continues { participant: alices.participant.id.clone(), ..going_on(&mallorys, 7).unwrap() });
    for continues in [stolen, made_up, mixed] {
        let (_client, joined) = go_on(&second, "mallory", continues).await;
        assert_ne!(joined.participant.id, alices.participant.id);
    }
    let (_dave, _) = Client::joined(&second, "lobby", "dave").await;
    let told = told_until(&mut witness, "dave").await;
    assert!(!told.contains(&format!("-{}", alices.participant.id)), "{told:?}");
}

/// The link is cut before she goes, and both sides have missed it.
#[tokio::test]
async fn while_edges_do_not_hear_each_other_the_later_place_counts_when_they_do() {
    let first = start(&linking(&[])).await;
    let proxy = Proxy::to(relay(&first)).await;
    let second = start(&linking(&[proxy.address()])).await;
    linked(&[&first, &second], 1).await;
    let (mut bob, _) = Client::joined(&second, "lobby", "bob").await;
    let (mut old, before) = Client::joined(&first, "lobby", "alice").await;
    let id = sees(&mut bob, "alice").await;
    proxy.cut(true);
    linked(&[&first, &second], 0).await;
    let (_alice, after) = go_on(&second, "alice", going_on(&before, 1)).await;
    assert_eq!(after.participant.id, id);
    proxy.cut(false);
    assert_eq!(old.end().await.0, Some(ErrorCode::DuplicateIdentity));
    knows(&[&second], 2).await;
    let (_dave, _) = Client::joined(&first, "lobby", "dave").await;
    assert_eq!(told_until(&mut bob, "dave").await, Vec::<String>::new());
}

/// The claim outlives the session that it was given with: it says who somebody is, not that they are there.
#[tokio::test]
async fn who_left_for_good_may_come_again_as_who_they_were() {
    let (first, second) = pair().await;
    let (mut witness, _) = Client::joined(&first, "lobby", "witness").await;
    let (mut alice, before) = Client::joined(&first, "lobby", "alice").await;
    let id = sees(&mut witness, "alice").await;
    alice.send(nearcast_protocol::ClientMessage::Leave).await;
    assert_eq!(misses(&mut witness, &id).await, LeaveReason::Left);
    let (_alice, after) = go_on(&second, "alice", going_on(&before, 1)).await;
    assert_eq!(after.participant.id, id);
    assert_eq!(sees(&mut witness, "alice").await, id);
}

/// A drain where edges are linked: everybody is told where to go and may take their time, and who doesn't go is sent.
#[tokio::test]
async fn an_edge_that_is_drained_says_where_to_go_and_waits() {
    let redis = Redis::start();
    let mut edges = Vec::new();
    for name in ["first", "second"] {
        edges.push(start(&Flags { redis: Some(redis.url()), edge_id: Some(name.to_owned()), ..linking(&[]) }).await);
    }
    let (first, second) = (&edges[0], &edges[1]);
    linked(&[first, second], 1).await;
    let (mut alice, alices) = Client::joined(first, "lobby", "alice").await;
    let (mut bob, _) = Client::joined(first, "lobby", "bob").await;
    assert_eq!(request(first, "POST /v1/drain", "", "").await.json(), serde_json::json!({ "rooms": 1, "kept": 0, "http_sessions": 0 }));
    let moved = |message: &ServerMessage| match message {
        ServerMessage::Move { to, deadline_ms } => Some((to.clone(), *deadline_ms)),
        _ => None,
    };
    let there = format!("http://{}", second.http());
    let (to, within) = alice.wait_for(moved).await;
    assert_eq!((&to, bob.wait_for(moved).await.0), (&there, there.clone()));
    assert!((1_000..=4_500).contains(&within), "{within} ms are left");
    let (_alice, after) = go_on(second, "alice", going_on(&alices, 1)).await;
    assert_eq!(after.participant.id, alices.participant.id);
    assert_eq!(alice.end().await.0, Some(ErrorCode::DuplicateIdentity), "nothing came over a transport of hers that could be kept");
    assert_eq!(bob.end().await.0, Some(ErrorCode::Elsewhere), "he stayed for as long as he could");
}
