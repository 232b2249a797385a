//! An edge that is full says so at the door; whoever is inside stays, and may come back.

use crate::world::{Client, flags, join, request, start, token};
use nearcast_protocol::{ErrorCode, ErrorInfo, Join, Resume, ServerMessage};

async fn refused(client: &mut Client, join: Join) -> ErrorInfo {
    client.send(nearcast_protocol::ClientMessage::Join(join)).await;
    client
        .wait_for(|message| match message {
            ServerMessage::Failed { error, .. } => Some(error.clone()),
            message => {
                assert!(!matches!(message, ServerMessage::Joined(_)), "let in: {message:?}");
                None
            }
        })
        .await
}

#[tokio::test]
async fn the_last_place_is_taken_and_kept() {
    let mut flags = flags();
    (flags.edge_participants, flags.edges) = (Some("1".to_owned()), vec!["wss://other.example".to_owned()]);
    let edge = start(&flags).await;
    let (inside, joined) = Client::joined(&edge, "lobby", "alice").await;
    let mut late = Client::cbor(&edge).await;
    let error = refused(&mut late, join(&token("lobby", "late"))).await;
    assert_eq!((error.code, error.retryable), (ErrorCode::Overloaded, true));
    assert!(error.retry_after_ms.is_some_and(|after| after >= 2_000), "{error:?}");
    assert!(error.message.contains("wss://other.example"), "{}", error.message);

    // Its WebSocket is lost: its place isn't.
    inside.vanish();
    let mut again = Client::cbor(&edge).await;
    let resume = Some(Resume { session: joined.session });
    assert!(again.join(Join { resume, ..join(&token("lobby", "alice")) }).await.unwrap().resumed);

    let stats = request(&edge, "GET /v1/stats", "", "").await.json();
    assert_eq!(stats["admission"]["refused"], 1);
}

#[tokio::test]
async fn encoders_are_told_when_to_come_back() {
    let mut flags = flags();
    flags.edge_participants = Some("1".to_owned());
    let edge = start(&flags).await;
    let (_inside, _) = Client::joined(&edge, "lobby", "alice").await;
    let offer = include_str!("../../../sfu-core/src/sdp/fixtures/gstreamer-sendrecv.offer.sdp");
    let headers = format!("authorization: Bearer {}\r\ncontent-type: application/sdp\r\n", token("lobby", "encoder"));
    let answer = request(&edge, "POST /whip/lobby", &headers, offer).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.head.contains("retry-after: "), "{}", answer.head);
    assert_eq!(answer.json()["error"]["code"], "overloaded");
}
