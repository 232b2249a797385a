//! Edges that share a store share rooms, and losing the store, or an edge, costs nobody a call.

use crate::redis_server::Redis;
use crate::world::{Client, PATIENCE, flags, join, request, soon, start, token};
use cluster_core::forecast::{Learned, Series};
use nearcast_edge::clock;
use nearcast_edge::edge::Edge;
use nearcast_protocol::{ClientMessage, ErrorCode, Joined, SUBPROTOCOL_CBOR, ServerMessage};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Edges of one cluster that know each other.
pub(crate) async fn cluster(redis: &Redis, names: &[&str]) -> Vec<Edge> {
    let mut edges = Vec::new();
    for name in names {
        edges.push(one(redis, name).await);
    }
    for edge in &edges {
        knows(edge, names.len() - 1).await;
    }
    edges
}

pub(crate) async fn one(redis: &Redis, name: &str) -> Edge {
    let mut flags = flags();
    (flags.redis, flags.edge_id) = (Some(redis.url()), Some(name.to_owned()));
    start(&flags).await
}

pub(crate) async fn knows(edge: &Edge, others: usize) {
    let mut peers = edge.context().cluster.directory().peers();
    drop(soon(peers.wait_for(|peers| peers.len() == others)).await.unwrap());
}

/// Where a join ends.
struct Entered {
    client: Client,
    joined: Box<Joined>,
    at: SocketAddr,
    sent_on: usize,
}

/// Joins as the SDK does: goes where it is sent.
async fn enter(edge: SocketAddr, room: &str, identity: &str) -> Entered {
    let mut at = edge;
    let mut sent_on = 0;
    loop {
        let mut client = Client::try_connect(at, &[SUBPROTOCOL_CBOR], "").await.unwrap();
        match ask(&mut client, room, identity).await {
            Ok(joined) => return Entered { client, joined, at, sent_on },
            Err(error) => {
                assert_eq!(error.code, ErrorCode::Elsewhere, "{error:?}");
                sent_on += 1;
                assert!(sent_on <= 4, "sent in circles");
                at = error.edge.unwrap().strip_prefix("http://").unwrap().parse().unwrap();
            }
        }
    }
}

async fn ask(client: &mut Client, room: &str, identity: &str) -> Result<Box<Joined>, nearcast_protocol::ErrorInfo> {
    client.send(ClientMessage::Join(join(&token(room, identity)))).await;
    client
        .wait_for(|message| match message {
            ServerMessage::Joined(joined) => Some(Ok(joined.clone())),
            ServerMessage::Failed { error, .. } => Some(Err(error.clone())),
            _ => None,
        })
        .await
}

/// Asks the store until it says this.
async fn store_says(redis: &Redis, room: &str, wanted: impl Fn(Option<&str>) -> bool) {
    let until = clock::now() + PATIENCE;
    loop {
        let said = redis.ask(&["GET", &format!("nearcast:room:{room}")]);
        if wanted(said.as_deref()) {
            return;
        }
        assert!(clock::now() < until, "{said:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Whether an edge's last call to the store was answered.
async fn store_answers(edge: &Edge, answers: bool) {
    let until = clock::now() + PATIENCE;
    while edge.context().cluster.stats().unwrap().store_answers != answers {
        assert!(clock::now() < until, "store_answers stays {}", !answers);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn meet(edges: &[Edge], room: &str) -> SocketAddr {
    let mut at = None;
    let mut clients = Vec::new();
    for (number, edge) in edges.iter().enumerate() {
        let entered = enter(edge.http(), room, &format!("person {number}")).await;
        assert_eq!(entered.joined.others.len(), number, "{room}: everybody meets");
        assert_eq!(*at.get_or_insert(entered.at), entered.at);
        assert!(entered.sent_on <= 1, "one round trip more");
        clients.push(entered.client);
    }
    at.unwrap()
}

#[tokio::test]
async fn people_of_one_room_meet_whichever_edge_they_ask() {
    let redis = Redis::start();
    let edges = cluster(&redis, &["a", "b", "c"]).await;
    let mut used = std::collections::BTreeSet::new();
    for room in 0..8 {
        used.insert(meet(&edges, &format!("room {room}")).await);
    }
    assert!(used.len() > 1, "rooms are on different edges");
    let stats = request(&edges[0], "GET /v1/stats", "", "").await.json();
    assert_eq!((&stats["cluster"]["edges"], &stats["cluster"]["store_answers"]), (&2.into(), &true.into()));
    let metrics = request(&edges[0], "GET /metrics", "", "").await;
    assert!(metrics.body.contains("nearcast_cluster_edges 2"), "{}", metrics.body);
}

#[tokio::test]
async fn an_edge_that_ends_says_so() {
    let redis = Redis::start();
    let mut edges = cluster(&redis, &["a", "b"]).await;
    edges.pop().unwrap().shutdown().await;
    assert_eq!(redis.ask(&["HGET", "nearcast:edges", "b"]), None);
    assert!(redis.ask(&["HGET", "nearcast:edges", "a"]).is_some());
}

#[tokio::test]
async fn a_store_that_dies_costs_no_call_and_no_join_and_is_told_again_what_it_forgot() {
    let mut redis = Redis::start();
    let edges = cluster(&redis, &["a", "b"]).await;
    let mut first = enter(edges[0].http(), "known", "alice").await;
    let owner = redis.ask(&["GET", "nearcast:room:known"]).unwrap();
    redis.kill();
    for edge in &edges {
        store_answers(edge, false).await;
    }
    let id = first.client.send(ClientMessage::Ping).await;
    first.client.wait_for(|message| matches!(message, ServerMessage::Pong { id: of } if *of == id).then_some(())).await;
    let second = enter(first.at, "known", "bob").await;
    assert_eq!((second.joined.others.len(), second.sent_on), (1, 0));
    for room in 0..4 {
        meet(&edges, &format!("new room {room}")).await;
    }
    redis.restart();
    store_says(&redis, "known", |said| said == Some(owner.as_str())).await;
    // Forgotten in mid-flight, with nobody noticing.
    redis.ask(&["FLUSHALL"]);
    store_says(&redis, "known", |said| said == Some(owner.as_str())).await;
}

#[tokio::test]
async fn a_store_that_says_nothing_holds_up_nobody() {
    let redis = Redis::start();
    let edges = cluster(&redis, &["a", "b"]).await;
    redis.signal("-STOP");
    meet(&edges, "while it is stopped").await;
    redis.signal("-CONT");
    for edge in &edges {
        store_answers(edge, true).await;
    }
    redis.ask(&["CLIENT", "PAUSE", "500", "ALL"]);
    meet(&edges, "while it is slow").await;
}

#[tokio::test]
async fn an_owner_in_an_old_epoch_lets_go_and_sends_its_people_over() {
    let redis = Redis::start();
    let edges = cluster(&redis, &["a", "b"]).await;
    let mut alice = enter(edges[0].http(), "contested", "alice").await;
    let (name, other) = if alice.at == edges[0].http() { ("b", &edges[1]) } else { ("a", &edges[0]) };
    // As if the owner had been stopped, and another edge had claimed the room meanwhile.
    redis.ask(&["SET", "nearcast:room:contested", &format!("7 {name}")]);
    let closed = alice.client.wait_for(|message| match message {
        ServerMessage::Closed { error } => Some(error.clone()),
        _ => None,
    });
    let error = closed.await;
    assert_eq!((error.code, error.retryable), (ErrorCode::Elsewhere, true));
    assert_eq!(error.edge, Some(format!("http://{}", other.http())));
    let bob = enter(alice.at, "contested", "bob").await;
    assert_eq!(bob.at, other.http());
}

#[tokio::test]
async fn encoders_are_redirected() {
    let redis = Redis::start();
    let edges = cluster(&redis, &["a", "b"]).await;
    let inside = enter(edges[0].http(), "über all", "alice").await;
    let other = edges.iter().find(|edge| edge.http() != inside.at).unwrap();
    let offer = include_str!("../../../sfu-core/src/sdp/fixtures/gstreamer-sendrecv.offer.sdp");
    let headers = format!("authorization: Bearer {}\r\ncontent-type: application/sdp\r\n", token("über all", "encoder"));
    let answer = request(other, "POST /whip/%C3%BCber%20all", &headers, offer).await;
    assert_eq!(answer.status, 307, "{answer:?}");
    assert!(answer.head.contains(&format!("location: http://{}/whip/%c3%bcber%20all\r\n", inside.at)), "{}", answer.head);
}

#[tokio::test]
async fn a_drained_edge_hands_over_its_rooms_and_then_its_people() {
    let redis = Redis::start();
    let edges = cluster(&redis, &["a", "b"]).await;
    let mut alice = enter(edges[0].http(), "moving", "alice").await;
    let (from, to) = if alice.at == edges[0].http() { (&edges[0], &edges[1]) } else { (&edges[1], &edges[0]) };
    assert_eq!(alice.joined.edges, [format!("http://{}", to.http())], "where to go if this edge dies");
    let drained = request(from, "POST /v1/drain", "", "").await.json();
    assert_eq!(drained, serde_json::json!({ "rooms": 1, "kept": 0, "http_sessions": 0 }));
    let error = alice.client.wait_for(|message| match message {
        ServerMessage::Closed { error } => Some(error.clone()),
        _ => None,
    });
    assert_eq!(error.await.edge, Some(format!("http://{}", to.http())));
    for (edge, identity) in [(from, "bob"), (to, "carol")] {
        assert_eq!(enter(edge.http(), "moving", identity).await.at, to.http());
        assert_eq!(enter(edge.http(), &format!("new for {identity}"), identity).await.at, to.http());
    }
    assert_eq!(request(from, "GET /readyz", "", "").await.status, 503);
    assert_eq!(request(from, "DELETE /v1/drain", "", "").await.status, 204);
    assert_eq!(request(from, "GET /readyz", "", "").await.status, 200);
}

#[tokio::test]
async fn clients_and_autoscalers_are_told_of_all_edges() {
    let redis = Redis::start();
    let edges = cluster(&redis, &["a", "b"]).await;
    let answer = request(&edges[0], "GET /v1/edges", "origin: https://app.example\r\n", "").await;
    assert!(answer.head.contains("access-control-allow-origin: *") && answer.head.contains("max-age=2"), "{}", answer.head);
    let told = answer.json();
    let urls: Vec<_> = told["edges"].as_array().unwrap().iter().map(|edge| edge["url"].as_str().unwrap().to_owned()).collect();
    for edge in &edges {
        assert!(urls.contains(&format!("http://{}", edge.http())), "{urls:?}");
    }
    assert_eq!((told["edges"][0]["region"].as_str(), urls.len()), (Some("default"), 2));
    // The next round looks at both.
    let until = clock::now() + PATIENCE;
    loop {
        let scaling = request(&edges[0], "GET /v1/scaling", "", "").await.json();
        if scaling["regions"][0]["edges"] == 2 {
            break;
        }
        assert!(clock::now() < until, "{scaling}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Waits until an edge says how many it expects.
async fn expects(edge: &Edge) -> f64 {
    let expected = async {
        loop {
            let scaling = request(edge, "GET /v1/scaling", "", "").await.json();
            if let Some(expected) = scaling["regions"][0]["expected"].as_f64() {
                return expected;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    soon(expected).await
}

/// A day of forty people, as an edge writes it that has seen it; nobody waits for one. `cluster/forecasts/tests.rs` has the writing.
#[tokio::test]
async fn what_a_region_needs_is_known_after_every_edge_has_been_restarted() {
    const QUARTER: u64 = 900;
    // A quarter that ends meanwhile, with nobody there, is learned, too.
    let about_forty = |expected: f64| assert!((30.0..41.0).contains(&expected), "{expected}");
    let redis = Redis::start();
    let present = clock::unix().as_secs() / QUARTER;
    let mut seen = Series::new(Duration::from_secs((present - 100) * QUARTER));
    for seconds in ((present - 100) * QUARTER..=present * QUARTER).step_by(60) {
        seen.look(Duration::from_secs(seconds), Some(40.0));
    }
    redis.write("nearcast:forecast:default", &seen.learned().to_bytes());
    for name in ["a", "b"] {
        let edge = one(&redis, name).await;
        about_forty(expects(&edge).await);
        edge.shutdown().await;
        assert_eq!(Learned::from_bytes(&redis.bytes("nearcast:forecast:default")).unwrap().whole(), 100, "none has seen a quarter whole");
    }
    // The store dies: who knows goes on knowing, who starts then doesn't, and nothing else is different.
    let mut redis = redis;
    let old = one(&redis, "c").await;
    expects(&old).await;
    redis.kill();
    store_answers(&old, false).await;
    let new = one(&redis, "d").await;
    about_forty(expects(&old).await);
    let scaling = request(&new, "GET /v1/scaling", "", "").await.json();
    assert!(scaling["regions"][0]["expected"].is_null(), "{scaling}");
}

#[tokio::test]
async fn an_edge_alone_is_its_own_choice() {
    let edge = start(&flags()).await;
    let told = request(&edge, "GET /v1/edges", "", "").await.json();
    assert_eq!(told["edges"][0]["url"], serde_json::Value::Null);
    assert_eq!(request(&edge, "POST /v1/drain", "", "").await.json(), serde_json::json!({ "rooms": 0, "kept": 0, "http_sessions": 0 }));
    assert_eq!(request(&edge, "GET /readyz", "", "").await.status, 200);
    assert!(edge.context().cluster.stats().is_none());
}

/// An edge as a process of its own.
struct Process {
    child: Child,
    http: SocketAddr,
}

impl Process {
    fn start(redis: &Redis, name: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nearcast-edge"));
        command.args(["serve", "--dev", "--http", "127.0.0.1:0", "--udp", "127.0.0.1:0", "--shards", "1", "--edge-id", name]);
        command.args(["--redis", &redis.url()]).env_remove("NEARCAST_CONFIG").stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let http = line.split(' ').find_map(|field| field.strip_prefix("http=")).unwrap().parse().unwrap();
        Self { child, http }
    }

    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A room that the hash gives to the edge `at`, with somebody in it who asked another one.
async fn room_at(asked: &Edge, at: SocketAddr) -> (String, Entered) {
    for number in 0..40 {
        let room = format!("room {number}");
        let alice = enter(asked.http(), &room, "alice").await;
        if alice.at == at {
            return (room, alice);
        }
    }
    unreachable!("two edges get forty rooms half and half");
}

#[tokio::test]
async fn rooms_of_an_edge_that_was_killed_are_entered_elsewhere_at_once() {
    let redis = Redis::start();
    let mut doomed = Process::start(&redis, "a");
    let edge = one(&redis, "b").await;
    knows(&edge, 1).await;
    let (room, _alice) = room_at(&edge, doomed.http).await;
    doomed.kill();
    // It is registered for seconds more, and nobody is sent there.
    let until = clock::now() + Duration::from_secs(5);
    loop {
        let mut client = Client::cbor(&edge).await;
        match ask(&mut client, &room, "alice").await {
            Ok(_) => break,
            Err(error) => assert!(error.code == ErrorCode::Elsewhere && clock::now() < until, "{error:?}"),
        }
    }
    assert_eq!(redis.ask(&["GET", &format!("nearcast:room:{room}")]).as_deref(), Some("2 b"));
}

/// Ten seconds, since that is how long a registration holds.
#[tokio::test]
async fn an_edge_that_was_stopped_lets_go_of_what_another_has_claimed() {
    let redis = Redis::start();
    let stopped = Process::start(&redis, "a");
    let edge = one(&redis, "b").await;
    knows(&edge, 1).await;
    let (room, mut alice) = room_at(&edge, stopped.http).await;
    stopped.signal("-STOP");
    knows(&edge, 0).await;
    let bob = enter(edge.http(), &room, "bob").await;
    assert_eq!((bob.at, bob.joined.others.len()), (edge.http(), 0));
    stopped.signal("-CONT");
    let error = alice.client.wait_for(|message| match message {
        ServerMessage::Closed { error } => Some(error.clone()),
        _ => None,
    });
    assert_eq!(error.await.edge, Some(format!("http://{}", edge.http())), "its people are sent over");
    assert_eq!(redis.ask(&["GET", &format!("nearcast:room:{room}")]).as_deref(), Some("2 b"));
}
