//! A database that stands still, dies and comes back, or isn't there yet, costs nobody anything but rows beyond the bound.

use crate::postgres_server::Postgres;
use crate::world::{NOW, came, finish, gone, settings, start, until};
use nearcast_history::{Address, Cursor, Fault, History, QUEUE};

/// Comings and goings in an outage: more than the queue holds.
const MANY: usize = 12_000;

fn churn(history: &History, from: usize, count: usize) {
    for id in from..from + count {
        let stay = came(&format!("p_{id}"), "lobby", "alice", NOW - 10);
        history.recorder().began(stay.clone());
        history.recorder().ended(gone(&stay, NOW));
    }
}

#[tokio::test]
async fn rows_come_after_its_return() {
    let mut server = Postgres::start();
    let history = start(&server.url("postgres"), 1);
    churn(&history, 0, 1);
    until(&history, |stats| stats.queued == 0 && stats.answers).await;

    // Nobody_waits_for_a_database: this test's only thread tells all of it before the writer gets to do anything.
    server.signal("-STOP");
    churn(&history, 1, MANY);
    let stats = history.stats();
    assert_eq!(stats.queued, QUEUE as u64, "the queue has a bound");
    assert_eq!(stats.queued + stats.dropped, 4 * MANY as u64, "what was dropped is counted: {stats:?}");
    // It may take what it is sent, and says nothing.
    let stats = until(&history, |stats| stats.failures > 0).await;
    assert!(!stats.answers);
    assert_eq!(history.reader().of_room("lobby", &Cursor::newest(), 1).await, Err(Fault::Late));

    server.kill();
    let failures = history.stats().failures;
    until(&history, |stats| stats.failures > failures).await;
    assert!(matches!(history.reader().of_room("lobby", &Cursor::newest(), 1).await, Err(Fault::Away(_))));

    server.restart();
    let stats = until(&history, |stats| stats.queued == 0).await;
    assert!(stats.answers && stats.refused == 0, "{stats:?}");
    let kept: u64 = server.run("postgres", "SELECT count(*) FROM sessions WHERE status = 'ended'").parse().unwrap();
    // Each that was kept whole: ends go before beginnings when places run short.
    assert!(kept >= QUEUE as u64 / 4, "{kept} rows of {stats:?}");
    assert_eq!(server.run("postgres", "SELECT count(*) FROM sessions WHERE left_at IS NULL AND status = 'ended'"), "0");
    finish(history).await;
}

#[tokio::test]
async fn a_server_that_is_not_there_yet_is_waited_for() {
    let mut server = Postgres::start();
    server.kill();
    let history = start(&server.url("postgres"), 1);
    churn(&history, 0, 3);
    until(&history, |stats| stats.failures > 0).await;
    server.restart();
    until(&history, |stats| stats.queued == 0).await;
    assert_eq!(server.run("postgres", "SELECT count(*) FROM sessions"), "3");
    finish(history).await;
}

#[tokio::test]
async fn the_replica_is_read() {
    let server = Postgres::start();
    server.run("postgres", "CREATE DATABASE replica");
    let elsewhere = start(&server.url("replica"), 1);
    elsewhere.recorder().began(came("p_1", "lobby", "of the replica", NOW));
    finish(elsewhere).await;
    let mut settings = settings(&server.url("postgres"), 1);
    settings.replica = Some(Address::parse(&server.url("replica")).unwrap());
    let history = History::start(settings).unwrap();
    history.recorder().began(came("p_2", "lobby", "of the server", NOW));
    until(&history, |stats| stats.queued == 0).await;
    let page = history.reader().of_room("lobby", &Cursor::newest(), 10).await.unwrap();
    assert_eq!(page.sessions.iter().map(|row| row.identity.as_str()).collect::<Vec<_>>(), ["of the replica"]);
    assert_eq!(server.run("postgres", "SELECT identity FROM sessions"), "of the server");
    finish(history).await;
}
