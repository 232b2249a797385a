//! What is told is what is read, in a file as on a server.

use crate::postgres_server::Postgres;
use crate::world::{Folder, NOW, came, finish, gone, settings, start, until};
use nearcast_history::{Cursor, History};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

const DAY: i64 = 86_400_000;

/// Everything but what needs a server, at this address.
async fn holds(address: &str) {
    rows_are_what_was_told(address).await;
    what_a_crash_left_open_is_ended(address).await;
    old_rows_go(address).await;
}

async fn rows_are_what_was_told(address: &str) {
    let history = start(address, 1);
    let alice = came("p_1", "lobby", "alice", NOW - 1_000);
    history.recorder().began(alice.clone());
    until(&history, |stats| stats.written == 2).await;
    let page = history.reader().of_room("lobby", &Cursor::newest(), 10).await.unwrap();
    assert_eq!((page.sessions.len(), page.next), (1, None));
    assert_eq!((page.sessions[0].status.as_str(), page.sessions[0].left_at), ("active", None));

    // Characters that one of the databases wouldn't take cost themselves and nobody's row.
    let bob = came("p_2", "lobby", "b\0ob", NOW - 500);
    history.recorder().began(bob.clone());
    history.recorder().ended(gone(&alice, NOW - 100));
    history.recorder().ended(gone(&bob, NOW));
    until(&history, |stats| stats.queued == 0).await;
    let page = history.reader().of_identity("alice", &Cursor::newest(), 10).await.unwrap();
    let row = &page.sessions[0];
    assert_eq!((row.id.as_str(), row.node.as_str(), row.incarnation, row.room.as_str()), ("p_1", "edge-1", 1, "lobby"));
    assert_eq!((row.role.as_deref(), row.client.as_deref(), row.kind.as_str()), (Some("teacher"), Some("nearcast/0.1"), "websocket"));
    assert_eq!((row.joined_at, row.left_at, row.status.as_str()), (NOW - 1_000, Some(NOW - 100), "ended"));
    assert_eq!((row.reason.as_deref(), row.path.as_deref()), (Some("left"), Some("udp")));
    assert_eq!((row.quality_mean, row.quality_worst, row.quality_level.as_deref()), (Some(80.5), Some(12), Some("poor")));
    let lives = history.reader().lives("lobby", 10).await.unwrap();
    assert_eq!((lives.len(), lives[0].peak_participants, lives[0].stays), (1, 2, 2));
    assert_eq!((lives[0].first_joined_at, lives[0].last_left_at), (NOW - 1_000, Some(NOW)));

    let (newest, next) = one(&history, &Cursor::newest()).await;
    let next = Cursor::parse(&next.unwrap().text()).unwrap();
    let (second, end) = one(&history, &next).await;
    assert_eq!((newest.as_str(), second.as_str(), end), ("bob", "alice", None));
    assert!(history.reader().of_room("nobody's", &Cursor::newest(), 1).await.unwrap().sessions.is_empty());
    finish(history).await;
}

/// A page of one.
async fn one(history: &History, after: &Cursor) -> (String, Option<Cursor>) {
    let page = history.reader().of_room("lobby", after, 1).await.unwrap();
    assert_eq!(page.sessions.len(), 1);
    (page.sessions[0].identity.clone(), page.next)
}

async fn what_a_crash_left_open_is_ended(address: &str) {
    let crashed = start(address, 10);
    crashed.recorder().began(came("p_3", "cut", "carol", NOW - 5_000));
    finish(crashed).await;
    // Another edge that lives, on the same database.
    let mut other = settings(address, 10);
    other.node = "edge-2".to_owned();
    let other = History::start(other).unwrap();
    other.recorder().began(came("p_4", "cut", "dave", NOW - 4_000));
    until(&other, |stats| stats.queued == 0).await;
    assert_eq!(other.stats().edge_lost, 0, "an edge that was seen just now isn't gone");

    // Tables that are there already are left alone.
    let again = start(address, 11);
    until(&again, |stats| stats.edge_lost == 1).await;
    let page = again.reader().of_room("cut", &Cursor::newest(), 10).await.unwrap();
    let told: Vec<_> =
        page.sessions.iter().map(|row| (row.identity.as_str(), row.status.as_str(), row.reason.as_deref(), row.left_at)).collect();
    assert_eq!(told, [("dave", "active", None, None), ("carol", "ended", Some("edge-lost"), Some(NOW))]);
    let lives = again.reader().lives("cut", 10).await.unwrap();
    let ended: Vec<_> = lives.iter().map(|life| (life.node.as_str(), life.last_left_at)).collect();
    assert_eq!(ended, [("edge-2", None), ("edge-1", Some(NOW))]);
    finish(again).await;
    finish(other).await;
}

async fn old_rows_go(address: &str) {
    let history = start(address, 20);
    for day in 0..60 {
        let stay = came(&format!("p_{}", 100 + day), "daily", "erin", NOW - day * DAY - 1_000);
        history.recorder().began(stay.clone());
        history.recorder().ended(gone(&stay, NOW - day * DAY));
    }
    // Whoever is there is kept, however long.
    history.recorder().began(came("p_99", "forever", "frank", NOW - 300 * DAY));
    until(&history, |stats| stats.queued == 0).await;
    history.stop(Duration::from_secs(60)).await;
    // The first sign of life may come before the rows, or after.
    let before = history.stats().expired;
    let history = start(address, 20);
    until(&history, |stats| stats.answers && stats.expired + before > 0).await;
    // Stays and lives of 29 days, the thirty-first to the fifty-ninth: those of thirty days ago are thirty days old, and stay.
    assert_eq!(history.stats().expired + before, 2 * 29);
    assert_eq!(history.reader().of_identity("erin", &Cursor::newest(), 100).await.unwrap().sessions.len(), 31);
    assert_eq!(history.reader().of_identity("frank", &Cursor::newest(), 100).await.unwrap().sessions.len(), 1);
    finish(history).await;
}

#[tokio::test]
async fn in_a_file() {
    let folder = Folder::new();
    holds(&folder.file()).await;
    let mode = std::fs::metadata(folder.file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "people's names are in it");
}

#[tokio::test]
async fn on_a_server() {
    let server = Postgres::start();
    holds(&server.url("postgres")).await;
}

#[tokio::test]
async fn a_file_that_cannot_be_made_is_told_at_once() {
    let folder = Folder::new();
    let missing = folder.0.join("missing").join("history.db");
    let error = History::start(settings(missing.to_str().unwrap(), 1)).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
}

#[tokio::test]
async fn a_file_that_another_program_holds_delays_and_loses_nothing() {
    let folder = Folder::new();
    let (history, other) = (start(&folder.file(), 1), start(&folder.file(), 2));
    for id in 0..1_000 {
        for history in [&history, &other] {
            let stay = came(&format!("p_{id}"), "lobby", "alice", NOW);
            history.recorder().began(stay.clone());
            history.recorder().ended(gone(&stay, NOW));
        }
        tokio::time::sleep(Duration::from_micros(10)).await;
    }
    for history in [&history, &other] {
        let stats = until(history, |stats| stats.queued == 0).await;
        assert_eq!((stats.dropped, stats.refused), (0, 0), "{stats:?}");
    }
    assert_eq!(history.reader().of_room("lobby", &Cursor::newest(), 1_000).await.unwrap().sessions.len(), 1_000);
    finish(history).await;
    finish(other).await;
}
