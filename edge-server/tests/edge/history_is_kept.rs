//! Who comes and goes is kept, where the configuration says so, and whatever the database does, joins don't notice.

use crate::postgres_server::Postgres;
use crate::world::{Answer, Client, claims, flags, join, request, sign, soon, start};
use nearcast_edge::config::{Config, Flags};
use nearcast_edge::edge::Edge;
use nearcast_history::Stats;
use nearcast_protocol::{ClientMessage, ErrorCode};
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;

/// A folder that is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("nearcast-edge-history-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn flags(&self) -> Flags {
        Flags { history: Some(self.0.join("history.db").display().to_string()), edge_id: Some("edge-1".to_owned()), ..flags() }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn stats(edge: &Edge) -> Stats {
    edge.context().history.as_ref().unwrap().stats()
}

async fn until(edge: &Edge, so: impl Fn(&Stats) -> bool) {
    while !so(&stats(edge)) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn look(edge: &Edge, what: &str) -> Answer {
    request(edge, &format!("GET /v1/history/{what}"), "", "").await
}

fn column<'a>(answer: &'a Value, name: &str) -> Vec<&'a str> {
    answer["sessions"].as_array().unwrap().iter().map(|row| row[name].as_str().unwrap_or("none")).collect()
}

#[tokio::test]
async fn comings_and_goings_are_kept() {
    let folder = Folder::new("kept");
    let edge = start(&folder.flags()).await;
    let (mut alice, joined) = Client::joined(&edge, "lobby", "alice").await;
    let mut bob = Client::cbor(&edge).await;
    let mut claims = claims("lobby", "bob");
    claims.role = Some("teacher".to_owned());
    let mut request = join(&sign(&claims));
    request.client = Some("a phone".to_owned());
    bob.join(request).await.unwrap();
    // The room, and two stays.
    soon(until(&edge, |stats| stats.written == 3)).await;
    let answer = look(&edge, "rooms/lobby").await.json();
    assert_eq!(column(&answer, "status"), ["active", "active"]);

    // Somebody else of that name; then one goes, and the edge with the other.
    let (_again, _) = Client::joined(&edge, "lobby", "alice").await;
    assert_eq!(alice.end().await.0, Some(ErrorCode::DuplicateIdentity));
    bob.send(ClientMessage::Leave).await;
    bob.end().await;
    soon(until(&edge, |stats| stats.written == 6)).await;
    let answer = look(&edge, "participants/bob").await.json();
    let row = &answer["sessions"][0];
    assert_eq!((&row["role"], &row["client"], &row["kind"]), (&"teacher".into(), &"a phone".into(), &"websocket".into()));
    assert_eq!((&row["reason"], &row["path"], &row["node"]), (&"left".into(), &Value::Null, &"edge-1".into()));
    assert!(row["left_at"].as_i64().unwrap() >= row["joined_at"].as_i64().unwrap());
    let now = i64::try_from(nearcast_edge::clock::unix().as_millis()).unwrap();
    assert!(row["joined_at"].as_i64().unwrap().abs_diff(now) < 60_000, "{row} at {now}");
    edge.shutdown().await;

    let edge = start(&folder.flags()).await;
    let answer = look(&edge, "participants/alice?limit=1").await.json();
    assert_eq!(column(&answer, "reason"), ["removed"], "a shutdown ends stays, and waits for the rows");
    let next = answer["next"].as_str().unwrap();
    let answer = look(&edge, &format!("participants/alice?after={next}")).await.json();
    assert_eq!((column(&answer, "reason"), column(&answer, "id")), (vec!["replaced"], vec![joined.participant.id.as_str()]));
    assert_eq!(answer["next"], Value::Null);
    let answer = look(&edge, "rooms/lobby").await.json();
    let life = &answer["lives"][0];
    assert_eq!((&life["peak_participants"], &life["stays"]), (&2.into(), &3.into()));
    assert!(life["last_left_at"].is_i64());
    edge.shutdown().await;
}

#[tokio::test]
async fn who_only_changes_the_connection_stays() {
    let folder = Folder::new("resumed");
    let edge = start(&folder.flags()).await;
    let (alice, joined) = Client::joined(&edge, "lobby", "alice").await;
    alice.vanish();
    let mut alice = Client::cbor(&edge).await;
    let mut again = join(&crate::world::token("lobby", "alice"));
    again.resume = Some(nearcast_protocol::Resume { session: joined.session });
    alice.join(again).await.unwrap();
    alice.send(ClientMessage::Leave).await;
    alice.end().await;
    soon(until(&edge, |stats| stats.written == 4)).await;
    let answer = look(&edge, "rooms/lobby").await.json();
    assert_eq!(column(&answer, "reason"), ["left"]);
    edge.shutdown().await;
}

#[tokio::test]
async fn a_database_that_stands_still_costs_nobody_anything() {
    let mut server = Postgres::start();
    let edge = start(&Flags { history: Some(server.url("postgres")), ..flags() }).await;
    let (_alice, _) = Client::joined(&edge, "lobby", "alice").await;
    soon(until(&edge, |stats| stats.written == 2)).await;

    server.signal("-STOP");
    // Rows are told of before `joined` is, so whoever waited for them would wait here.
    for number in 0..50 {
        let (mut client, _) = Client::joined(&edge, "lobby", &format!("p{number}")).await;
        assert_eq!(stats(&edge).written, 2, "nothing can be written yet, and {number} have joined");
        client.send(ClientMessage::Leave).await;
        client.end().await;
    }
    assert!(stats(&edge).queued > 0);
    let answer = look(&edge, "rooms/lobby").await;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.body.contains("\"retry_after_ms\":5000") && !answer.body.contains("ncpg"), "{answer:?}");
    let metrics = request(&edge, "GET /metrics", "", "").await.body;
    assert!(metrics.contains("nearcast_history_queued_rows") && metrics.contains("nearcast_history_dropped_total"), "{metrics}");

    server.kill();
    let (_bob, _) = Client::joined(&edge, "lobby", "bob").await;
    server.restart();
    // Tries are up to fifteen seconds apart.
    for _ in 0..3 {
        let _ = tokio::time::timeout(crate::world::PATIENCE, until(&edge, |stats| stats.queued == 0)).await;
    }
    assert_eq!((stats(&edge).queued, stats(&edge).dropped), (0, 0), "{:?}", stats(&edge));
    assert_eq!(server.run("postgres", "SELECT status, count(*) FROM sessions GROUP BY status ORDER BY status"), "active|2\nended|50");
    assert_eq!(request(&edge, "GET /v1/stats", "", "").await.json()["history"]["answers"], true);
    edge.shutdown().await;
    assert_eq!(server.run("postgres", "SELECT count(*) FROM sessions WHERE status = 'active'"), "0");
}

#[tokio::test]
async fn nothing_is_kept_unless_asked_for() {
    let edge = start(&flags()).await;
    let answer = look(&edge, "rooms/lobby").await;
    assert!(answer.status == 404 && answer.body.contains("--history"), "{answer:?}");
    assert_eq!(request(&edge, "GET /v1/stats", "", "").await.json()["history"], Value::Null);
    edge.shutdown().await;
}

#[tokio::test]
async fn admins_alone_may_look() {
    let folder = Folder::new("admins");
    let secret = "0123456789abcdef0123456789abcdef";
    let edge = start(&Flags { dev: None, keys: vec![format!("k:{secret}")], ..folder.flags() }).await;
    assert_eq!(look(&edge, "rooms/lobby").await.status, 401);
    edge.shutdown().await;
}

#[tokio::test]
async fn what_cannot_be_asked_is_told_what_can() {
    let folder = Folder::new("asked");
    let edge = start(&folder.flags()).await;
    for (what, says) in [("rooms/a?after=7", "next"), ("rooms/a?limit=0", "1..=1000"), ("participants/a?page=2", "after and limit")] {
        let answer = look(&edge, what).await;
        assert!(answer.status == 400 && answer.body.contains(says), "{what}: {answer:?}");
    }
    edge.shutdown().await;
}

#[tokio::test]
async fn a_file_that_cannot_be_made_stops_the_start() {
    let folder = Folder::new("missing");
    let mut flags = folder.flags();
    flags.history = Some(folder.0.join("missing/history.db").display().to_string());
    let fault = match Edge::start(Config::load(&flags, []).unwrap()).await {
        Ok(_) => panic!("it started"),
        Err(fault) => fault.to_string(),
    };
    assert!(fault.contains("missing/history.db") && fault.contains("make its folder"), "{fault}");
}

#[test]
fn a_replica_needs_a_server() {
    let with = |history: &str, replica: &str| {
        let flags = Flags { history: Some(history.to_owned()), history_replica: Some(replica.to_owned()), ..flags() };
        Config::load(&flags, []).map(drop).map_err(|faults| faults.to_string())
    };
    let replica = "postgres://edge:hunter2@replica/calls";
    assert_eq!(with("postgres://edge:hunter2@db/calls", replica), Ok(()));
    let fault = with("history.db", replica).unwrap_err();
    assert!(fault.contains("history_replica needs history") && !fault.contains("hunter2"), "{fault}");
}
