//! A WebSocket, a token, a room; in both encodings.

use crate::world::{Client, Closed, closed, flags, join, soon, start, token};
use nearcast_protocol::{ClientMessage, ErrorCode, LeaveReason, SUBPROTOCOL_JSON, ServerMessage};

#[tokio::test]
async fn both_encodings_meet_in_one_room() {
    let edge = start(&flags()).await;
    let mut alice = Client::cbor(&edge).await;
    let joined = alice.join(join(&token("lobby", "alice"))).await.unwrap();
    assert_eq!((joined.room.as_str(), joined.participant.identity.as_str(), joined.others.len()), ("lobby", "alice", 0));
    assert!(!joined.resumed && joined.permissions.publish);

    let mut bob = Client::json(&edge).await;
    let joined = bob.join(join(&token("lobby", "bob"))).await.unwrap();
    assert_eq!(joined.others[0].identity, "alice");
    let came = alice.next().await;
    assert!(matches!(&came, Ok(ServerMessage::ParticipantJoined { participant }) if participant.identity == "bob"), "{came:?}");

    bob.send(ClientMessage::Leave).await;
    assert_eq!(bob.end().await, (None, Some(Closed { code: 1000, reason: String::new() })));
    let went = alice.next().await;
    assert!(matches!(went, Ok(ServerMessage::ParticipantLeft { reason: LeaveReason::Left, .. })), "{went:?}");
}

#[tokio::test]
async fn json_is_spoken_without_a_subprotocol() {
    let edge = start(&flags()).await;
    let mut client = Client::try_connect(edge.http(), &[], "").await.unwrap();
    client.join(join(&token("lobby", "telnet"))).await.unwrap();
    let id = client.send(ClientMessage::Ping).await;
    assert_eq!(client.next().await, Ok(ServerMessage::Pong { id }));
}

#[tokio::test]
async fn an_unknown_subprotocol_is_told_so() {
    let edge = start(&flags()).await;
    for protocol in ["nearcast.v9.cbor", "nearcast.v9.json"] {
        let mut client = Client::try_connect(edge.http(), &[protocol], "").await.unwrap();
        assert_eq!(client.end().await, (Some(ErrorCode::UnsupportedVersion), closed(ErrorCode::UnsupportedVersion)));
    }
    assert!(Client::try_connect(edge.http(), &["nearcast.v9.cbor", SUBPROTOCOL_JSON], "").await.is_ok());
}

#[tokio::test]
async fn the_same_identity_replaces_itself() {
    let edge = start(&flags()).await;
    let (mut first, _) = Client::joined(&edge, "lobby", "alice").await;
    let (_second, joined) = Client::joined(&edge, "lobby", "alice").await;
    assert!(joined.others.is_empty());
    assert_eq!(first.end().await, (Some(ErrorCode::DuplicateIdentity), closed(ErrorCode::DuplicateIdentity)));
}

#[tokio::test]
async fn a_shutdown_is_announced_to_everybody() {
    let edge = start(&flags()).await;
    let mut inside = Vec::new();
    for (room, identity) in [("one", "a"), ("two", "b"), ("three", "c")] {
        inside.push(Client::joined(&edge, room, identity).await.0);
    }
    let mut outside = Client::json(&edge).await;
    let counts = tokio::spawn(edge.shutdown());
    for client in inside.iter_mut().chain([&mut outside]) {
        assert_eq!(client.end().await, (Some(ErrorCode::ShuttingDown), closed(ErrorCode::ShuttingDown)));
    }
    let counts = soon(counts).await.unwrap();
    assert_eq!((counts.opened, counts.joined, counts.open), (4, 3, 0));
}
