//! How many, how idle, how slow.

use crate::world::{Client, claims, flags, join, sign, soon, start, token};
use nearcast_protocol::{ClientMessage, ErrorCode, SUBPROTOCOL_CBOR, ServerMessage};
use tokio_tungstenite::tungstenite::Error;

#[tokio::test]
async fn one_more_than_allowed_is_told_so_by_http() {
    let mut flags = flags();
    flags.max_connections = Some("2".to_owned());
    let edge = start(&flags).await;
    let (first, _second) = (Client::cbor(&edge).await, Client::cbor(&edge).await);
    let refused = Client::try_connect(edge.http(), &[SUBPROTOCOL_CBOR], "").await.err();
    let Some(Error::Http(response)) = refused else { panic!("{refused:?}") };
    assert_eq!(response.status(), 503);
    let body = String::from_utf8_lossy(response.body().as_deref().unwrap_or_default()).into_owned();
    assert!(body.contains(ErrorCode::Overloaded.name()), "{body}");
    // A place that is given up is there again, as soon as the edge has noticed.
    first.vanish();
    while Client::try_connect(edge.http(), &[SUBPROTOCOL_CBOR], "").await.is_err() {}
}

#[tokio::test]
async fn who_does_not_read_is_closed_and_nobody_else_suffers() {
    let mut flags = flags();
    flags.outgoing_queue = Some("16".to_owned());
    let edge = start(&flags).await;
    let mut slow = Client::narrow(&edge).await;
    slow.join(join(&token("lobby", "slow"))).await.unwrap();
    let mut long = claims("lobby", "x");
    (long.name, long.role) = (Some("n".repeat(256)), Some("r".repeat(64)));
    let counters = &edge.context().counters;
    let mut comings = 0;
    while counters.snapshot().slow == 0 {
        comings += 1;
        assert!(comings < 20_000, "still not slow");
        long.sub = format!("visitor-{comings}-{}", "i".repeat(100));
        let mut visitor = Client::cbor(&edge).await;
        visitor.join(join(&sign(&long))).await.unwrap();
        visitor.send(ClientMessage::Leave).await;
        visitor.end().await;
    }
    let (_visitor, joined) = Client::joined(&edge, "lobby", "late").await;
    assert_eq!(joined.others[0].identity, "slow", "its session waits to be resumed");
    drop(slow);
}

#[tokio::test]
async fn a_peer_that_stopped_answering_is_dropped() {
    let mut flags = flags();
    (flags.ping_interval, flags.idle_timeout) = (Some("100ms".to_owned()), Some("200ms".to_owned()));
    let edge = start(&flags).await;
    // This one reads nothing, so it answers no ping.
    let (mut deaf, _) = Client::joined(&edge, "lobby", "deaf").await;
    // This one reads, and its library answers.
    let (mut alive, _) = Client::joined(&edge, "lobby", "alive").await;
    let counters = &edge.context().counters;
    let dropped = async {
        while counters.snapshot().idle == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = soon(dropped) => (),
        end = alive.end() => panic!("{end:?}"),
    }
    assert_eq!(deaf.end().await.1.unwrap().reason, "idle");
    assert_eq!(edge.context().counters.snapshot().idle, 1);
    let id = alive.send(ClientMessage::Ping).await;
    alive.wait_for(|message| (*message == ServerMessage::Pong { id }).then_some(())).await;
}
