//! Moderation from outside: by a moderator's WebSocket, in both encodings, and by an application's server over HTTP.

use crate::http_answers::{SECRET, in_service};
use crate::world::{Client, claims, closed, flags, join, request, sign, start};
use nearcast_edge::config::Flags;
use nearcast_edge::config::keys::Key;
use nearcast_edge::token::keyring::mint;
use nearcast_protocol::{ClientMessage, ErrorCode, LeaveReason, Moderation, ModerationAction, ServerMessage};

fn moderate(action: ModerationAction, target: &str) -> ClientMessage {
    ClientMessage::Moderate(Moderation { action, target: target.to_owned() })
}

fn chair(room: &str) -> String {
    let mut claims = claims(room, "chair");
    claims.can_moderate = true;
    sign(&claims)
}

#[tokio::test]
async fn a_moderator_removes_somebody_for_good() {
    for spread in ["100", "1"] {
        let edge = start(&Flags { room_spread: Some(spread.to_owned()), ..flags() }).await;
        let mut moderator = Client::json(&edge).await;
        let joined = moderator.join(join(&chair("lobby"))).await.unwrap();
        assert!(joined.permissions.moderate && !joined.locked);
        let (mut mallory, hers) = Client::joined(&edge, "lobby", "mallory").await;
        assert!(!hers.permissions.moderate);
        let id = mallory.send(moderate(ModerationAction::Lock, "")).await;
        let (refused, code, message) = mallory.refusal().await;
        assert_eq!((refused, code), (id, ErrorCode::NotPermitted));
        assert!(message.contains("can_moderate"), "{message}");

        moderator.send(moderate(ModerationAction::Remove, "mallory")).await;
        let reason = moderator
            .wait_for(|message| match message {
                ServerMessage::ParticipantLeft { participant, reason } if *participant == hers.participant.id => Some(*reason),
                _ => None,
            })
            .await;
        assert_eq!(reason, LeaveReason::Removed);
        assert_eq!(mallory.end().await, (Some(ErrorCode::Removed), closed(ErrorCode::Removed)));
        let mut again = Client::cbor(&edge).await;
        match again.join(join(&crate::world::token("lobby", "mallory"))).await {
            Err(code) => assert_eq!(code, ErrorCode::Removed),
            // The first on another shard is in until that has heard of the room.
            Ok(_) => assert_eq!(again.end().await.0, Some(ErrorCode::Removed)),
        }
    }
}

#[tokio::test]
async fn a_locked_room_says_so() {
    let edge = start(&flags()).await;
    let mut moderator = Client::cbor(&edge).await;
    moderator.join(join(&chair("lobby"))).await.unwrap();
    moderator.send(moderate(ModerationAction::Lock, "")).await;
    moderator
        .wait_for(|message| matches!(message, ServerMessage::Moderated(told) if told.action == ModerationAction::Lock).then_some(()))
        .await;
    let mut late = Client::json(&edge).await;
    let id = late.send(ClientMessage::Join(join(&crate::world::token("lobby", "late")))).await;
    let (refused, code, message) = late.refusal().await;
    assert_eq!((refused, code), (id, ErrorCode::RoomLocked));
    assert!(message.contains("locked"), "{message}");
}

#[tokio::test]
async fn an_application_moderates_over_http() {
    let edge = start(&Flags { room_spread: Some("1".to_owned()), ..in_service() }).await;
    let key = Key { id: "k1".to_owned(), secret: SECRET.to_owned() };
    let token = |room: &str, identity: &str, moderates: bool, role: Option<&str>| {
        let mut claims = claims(room, identity);
        (claims.can_moderate, claims.role) = (moderates, role.map(str::to_owned));
        mint(&key, &claims).unwrap()
    };
    let bearer = |token: String| format!("content-type: application/json\r\nauthorization: Bearer {token}\r\n");
    let line = "POST /v1/rooms/lobby/moderate";
    let lock = r#"{"action": "lock"}"#;
    let admin = bearer(token("any", "me", false, Some("admin")));
    let moderator = bearer(token("lobby", "server", true, None));
    assert_eq!(request(&edge, line, &moderator, lock).await.status, 404, "nobody is there");

    let mut people = Vec::new();
    for name in ["ann", "ben", "cem"] {
        let mut client = Client::cbor(&edge).await;
        client.join(join(&token("lobby", name, false, None))).await.unwrap();
        people.push(client);
    }
    for (headers, body, status, code) in [
        ("content-type: application/json\r\n".to_owned(), lock, 401, "token-invalid"),
        (bearer(token("lobby", "ann", false, Some("moderator"))), lock, 403, "not-permitted"),
        (bearer(token("elsewhere", "server", true, None)), lock, 403, "not-permitted"),
        (moderator.clone(), r#"{"action": "shout"}"#, 400, "bad-message"),
        (moderator.clone(), r#"{"action": "remove"}"#, 400, "bad-message"),
        (moderator.clone(), r#"{"action": "mute", "target": "t_nothing"}"#, 404, "publication-unknown"),
    ] {
        let answer = request(&edge, line, &headers, body).await;
        assert_eq!((answer.status, answer.json()["error"]["code"].as_str()), (status, Some(code)), "{body}: {}", answer.body);
    }
    assert_eq!(request(&edge, line, &admin, lock).await.status, 204);
    for client in &mut people {
        client
            .wait_for(|message| matches!(message, ServerMessage::Moderated(told) if told.action == ModerationAction::Lock).then_some(()))
            .await;
    }
    let end = request(&edge, line, &moderator, r#"{"action": "end"}"#).await;
    assert_eq!(end.status, 204, "{}", end.body);
    for mut client in people {
        assert_eq!(client.end().await.0, Some(ErrorCode::RoomClosed));
    }
}

#[tokio::test]
async fn a_policy_that_the_edge_does_not_know_opens_nothing() {
    let edge = start(&Flags { policies: vec!["arena=judge: audio video; audience: video".to_owned()], ..flags() }).await;
    let named = |policy: &str| {
        let mut claims = claims("lobby", "ann");
        claims.policy = Some(policy.to_owned());
        sign(&claims)
    };
    let mut client = Client::cbor(&edge).await;
    client.send(ClientMessage::Join(join(&named("lecture")))).await;
    let (_, code, message) = client.refusal().await;
    assert_eq!(code, ErrorCode::NotPermitted);
    assert!(message.contains("lecture") && message.contains("policies"), "{message}");
    let joined = Client::cbor(&edge).await.join(join(&named("arena"))).await.unwrap();
    assert!(!joined.direct);
}
