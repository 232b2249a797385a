//! A drain ends WHIP and WHEP sessions in good order, where another edge takes them, and is over when they are.

use crate::dtls_client::{Certificate, Said, Transport};
use crate::edges_are_linked::{linked, linking};
use crate::edges_share_rooms::{cluster, one};
use crate::http_sessions_publish_and_play::{delete, offer, offer_with, post};
use crate::redis_server::Redis;
use crate::world::{Client, request, start, token};
use nearcast_edge::clock;
use nearcast_edge::config::Flags;
use nearcast_edge::edge::Edge;
use nearcast_protocol::{ErrorCode, ServerMessage};

/// A session with its transport.
struct Session {
    path: &'static str,
    identity: &'static str,
    location: String,
    transport: Transport,
}

impl Session {
    async fn begin(edge: &Edge, path: &'static str, direction: &str, identity: &'static str) -> Self {
        let certificate = Certificate::new();
        let answer = post(edge, path, &token("stage", identity), &offer_with(direction, &certificate.fingerprint())).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let transport = Transport::connect(edge.udp(), &answer.body, certificate).await;
        Self { path, identity, location: answer.header("location"), transport }
    }

    /// It has ended here, and begins again where it is sent.
    async fn moves(&self, from: &Edge, to: &Edge) {
        let token = token("stage", self.identity);
        delete(from, &self.location, &token).await.says(404, "no such session");
        let direction = if self.path.starts_with("/whip") { "sendonly" } else { "recvonly" };
        let answer = post(from, self.path, &token, &offer(direction)).await;
        assert_eq!(answer.status, 307, "{answer:?}");
        assert_eq!(answer.header("location"), format!("http://{}{}", to.http(), self.path));
        assert_eq!(post(to, self.path, &token, &offer(direction)).await.status, 201);
    }
}

/// The edge of two that takes the room, and the other.
async fn ordered(edges: &[Edge]) -> (&Edge, &Edge) {
    let answer = post(&edges[0], "/whip/stage", &token("stage", "who asks"), &offer("sendonly")).await;
    if answer.status == 201 {
        assert_eq!(delete(&edges[0], &answer.header("location"), &token("stage", "who asks")).await.status, 200);
        return (&edges[0], &edges[1]);
    }
    assert_eq!(answer.status, 307, "{answer:?}");
    (&edges[1], &edges[0])
}

/// What is left of signalling and HTTP.
fn open(edge: &Edge) -> (u64, u64) {
    let counted = edge.context().counters.snapshot();
    (counted.http_open, counted.http_moved)
}

async fn drained(edges: &[Edge]) {
    let (from, to) = ordered(edges).await;
    let mut publisher = Session::begin(from, "/whip/stage", "sendonly", "encoder").await;
    let mut player = Session::begin(from, "/whep/stage", "recvonly", "player").await;
    let (mut alice, _) = Client::joined(from, "stage", "alice").await;
    let begun = clock::now();
    let (answer, (), ()) = tokio::join!(
        request(from, "POST /v1/drain", "", ""),
        publisher.transport.hears(Said::Goodbye),
        player.transport.hears(Said::Goodbye),
    );
    println!("drained of two HTTP sessions in {:?}", clock::now() - begun);
    assert_eq!(answer.json(), serde_json::json!({ "rooms": 1, "kept": 0, "http_sessions": 2 }));
    assert_eq!(open(from), (0, 2), "the answer comes when they are gone");
    let there = format!("http://{}", to.http());
    let told = alice.wait_for(|message| match message {
        ServerMessage::Move { to, .. } => Some(to.clone()),
        ServerMessage::Closed { error } if error.code == ErrorCode::Elsewhere => error.edge.clone(),
        _ => None,
    });
    assert_eq!(told.await, there);
    for session in [&publisher, &player] {
        session.moves(from, to).await;
    }
    // Nothing is left: that edge ends at once.
    assert_eq!(open(to), (2, 0));
}

#[tokio::test]
async fn where_rooms_are_on_one_edge() {
    let redis = Redis::start();
    drained(&cluster(&redis, &["a", "b"]).await).await;
}

#[tokio::test]
async fn where_edges_are_linked() {
    let redis = Redis::start();
    let mut edges = Vec::new();
    for name in ["a", "b"] {
        edges.push(start(&Flags { redis: Some(redis.url()), edge_id: Some(name.to_owned()), ..linking(&[]) }).await);
    }
    linked(&[&edges[0], &edges[1]], 1).await;
    drained(&edges).await;
}

/// With nobody but them, the edge doesn't wait for the end of the time that people have.
#[tokio::test]
async fn and_a_process_that_is_told_to_end_waits_for_nothing_else() {
    let redis = Redis::start();
    let mut edges = cluster(&redis, &["a", "b"]).await;
    let from = ordered(&edges).await.0.http();
    let from = edges.remove(usize::from(edges[0].http() != from));
    let mut publisher = Session::begin(&from, "/whip/stage", "sendonly", "encoder").await;
    let begun = clock::now();
    let ((), ()) = tokio::join!(from.drain(), publisher.transport.hears(Said::Goodbye));
    println!("drained before the end of the process in {:?}", clock::now() - begun);
    assert_eq!(open(&from), (0, 1));
    assert_eq!(from.shutdown().await.http_open, 0);
}

#[tokio::test]
async fn an_edge_that_knows_no_other_keeps_them() {
    let redis = Redis::start();
    let edge = one(&redis, "a").await;
    let session = Session::begin(&edge, "/whip/stage", "sendonly", "encoder").await;
    let answer = request(&edge, "POST /v1/drain", "", "").await.json();
    assert_eq!(answer, serde_json::json!({ "rooms": 0, "kept": 1, "http_sessions": 0 }));
    assert_eq!(open(&edge), (1, 0));
    assert_eq!(delete(&edge, &session.location, &token("stage", "encoder")).await.status, 200);
}
