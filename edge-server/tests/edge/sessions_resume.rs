//! A lost WebSocket doesn't end a session; its secret and any token that was once good bring it back.

use crate::world::{Client, claims, closed, flags, join, sign, start, token};
use nearcast_protocol::{ErrorCode, Join, Resume, ServerMessage, SessionId};

fn resume(token: &str, session: &SessionId) -> Join {
    Join { resume: Some(Resume { session: session.clone() }), ..join(token) }
}

#[tokio::test]
async fn after_the_connection_broke() {
    let edge = start(&flags()).await;
    let (mut witness, _) = Client::joined(&edge, "lobby", "witness").await;
    let (client, before) = Client::joined(&edge, "lobby", "alice").await;
    client.vanish();
    let mut client = Client::json(&edge).await;
    let after = client.join(resume(&token("lobby", "alice"), &before.session)).await.unwrap();
    assert!(after.resumed);
    assert_eq!((after.participant.id.clone(), after.others.len()), (before.participant.id.clone(), 1));
    // Nobody else noticed.
    let (_third, _) = Client::joined(&edge, "lobby", "third").await;
    for expected in ["alice", "third"] {
        let came = witness.next().await;
        assert!(matches!(&came, Ok(ServerMessage::ParticipantJoined { participant }) if participant.identity == expected), "{came:?}");
    }
}

#[tokio::test]
async fn with_a_token_that_has_expired_meanwhile() {
    let edge = start(&flags()).await;
    let (client, before) = Client::joined(&edge, "lobby", "alice").await;
    client.vanish();
    let mut expired = claims("lobby", "alice");
    expired.exp = 1;
    let mut client = Client::cbor(&edge).await;
    assert!(client.join(resume(&sign(&expired), &before.session)).await.unwrap().resumed);
    // It doesn't let anybody in who isn't in already.
    let mut stranger = Client::cbor(&edge).await;
    assert_eq!(stranger.join(join(&sign(&expired))).await, Err(ErrorCode::TokenExpired));
}

#[tokio::test]
async fn but_not_for_somebody_else() {
    let edge = start(&flags()).await;
    let (_alice, before) = Client::joined(&edge, "lobby", "alice").await;
    for (room, identity) in [("lobby", "mallory"), ("elsewhere", "alice")] {
        let mut mallory = Client::cbor(&edge).await;
        assert_eq!(mallory.join(resume(&token(room, identity), &before.session)).await, Err(ErrorCode::SessionUnknown));
        assert_eq!(mallory.end().await, (None, closed(ErrorCode::SessionUnknown)));
    }
}

#[tokio::test]
async fn and_not_for_ever() {
    let mut flags = flags();
    flags.resume_window = Some("0s".to_owned());
    let edge = start(&flags).await;
    let (mut witness, _) = Client::joined(&edge, "lobby", "witness").await;
    let (client, before) = Client::joined(&edge, "lobby", "alice").await;
    client.vanish();
    witness.wait_for(|message| matches!(message, ServerMessage::ParticipantLeft { .. }).then_some(())).await;
    let mut client = Client::cbor(&edge).await;
    assert_eq!(client.join(resume(&token("lobby", "alice"), &before.session)).await, Err(ErrorCode::SessionUnknown));
}
