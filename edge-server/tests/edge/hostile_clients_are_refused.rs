//! Whatever comes over a WebSocket, it costs its sender.

use crate::world::{Client, closed, flags, join, start, token};
use nearcast_protocol::{ClientMessage, ErrorCode, MAX_MESSAGE_BYTES, ServerMessage};
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn silence_is_closed() {
    let mut flags = flags();
    flags.join_timeout = Some("100ms".to_owned());
    let edge = start(&flags).await;
    let mut client = Client::cbor(&edge).await;
    assert_eq!(client.end().await, (Some(ErrorCode::OutOfOrder), closed(ErrorCode::OutOfOrder)));
}

#[tokio::test]
async fn the_first_message_is_join_and_the_only_one() {
    let edge = start(&flags()).await;
    let mut client = Client::json(&edge).await;
    let id = client.send(ClientMessage::Ping).await;
    let (failed, code, message) = client.refusal().await;
    assert_eq!((failed, code, message.as_str()), (id, ErrorCode::OutOfOrder, "join first"));
    client.join(join(&token("lobby", "alice"))).await.unwrap();
    assert_eq!(client.join(join(&token("lobby", "alice"))).await, Err(ErrorCode::OutOfOrder));
    let id = client.send(ClientMessage::Ping).await;
    assert_eq!(client.next().await, Ok(ServerMessage::Pong { id }), "the session goes on");
}

#[tokio::test]
async fn garbage_is_answered_with_its_place_and_ten_of_it_close() {
    let edge = start(&flags()).await;
    let mut json = Client::json(&edge).await;
    json.send_frame(Message::Text(r#"{"id":5,"type":"ping""#.into())).await;
    let (_, code, message) = json.refusal().await;
    assert_eq!(code, ErrorCode::BadMessage);
    assert!(message.contains("line 1 column 21"), "{message}");
    for depth in [1, 200, 100_000] {
        json.send_frame(Message::Text("[".repeat(depth).into())).await;
        assert_eq!(json.refusal().await.1, ErrorCode::BadMessage, "depth {depth}");
    }

    let mut cbor = Client::cbor(&edge).await;
    for garbage in [&[][..], &[0xff; 100], &[0x9f; 5000], b"{\"id\":1}", &[0xbb, 255, 255, 255, 255, 255, 255, 255, 255]] {
        cbor.send_frame(Message::Binary(garbage.to_vec().into())).await;
        assert_eq!(cbor.refusal().await.1, ErrorCode::BadMessage);
    }
    for _ in 0..5 {
        cbor.send_frame(Message::Text("wrong kind of frame".into())).await;
    }
    assert_eq!(cbor.end().await, (Some(ErrorCode::BadMessage), closed(ErrorCode::BadMessage)));
    assert_eq!(edge.context().counters.snapshot().bad_messages, 14);
}

#[tokio::test]
async fn requests_of_a_later_version_are_skipped() {
    let edge = start(&flags()).await;
    let mut client = Client::json(&edge).await;
    client.join(join(&token("lobby", "alice"))).await.unwrap();
    for id in 100..150 {
        client.send_frame(Message::Text(format!(r#"{{"id":{id},"type":"dance","with":"bob"}}"#).into())).await;
        let (failed, code, _) = client.refusal().await;
        assert_eq!((failed, code), (id, ErrorCode::BadMessage));
    }
    client.send_frame(Message::Text(r#"{"id":7,"type":"ping","mood":"good"}"#.into())).await;
    assert_eq!(client.next().await, Ok(ServerMessage::Pong { id: 7 }));
}

#[tokio::test]
async fn a_message_of_the_largest_size_is_read_and_a_larger_one_is_not() {
    let edge = start(&flags()).await;
    let mut client = Client::json(&edge).await;
    client.join(join(&token("lobby", "alice"))).await.unwrap();
    let ping = r#"{"id":3,"type":"ping","#;
    let padded = |length: usize| format!(r#"{ping}"pad":"{}"}}"#, "x".repeat(length - ping.len() - r#""pad":""}"#.len()));
    client.send_frame(Message::Text(padded(MAX_MESSAGE_BYTES).into())).await;
    assert_eq!(client.next().await, Ok(ServerMessage::Pong { id: 3 }));
    client.send_frame(Message::Text(padded(MAX_MESSAGE_BYTES + 1).into())).await;
    assert_eq!(client.end().await.0, Some(ErrorCode::LimitReached));
}

#[tokio::test]
async fn haste_is_refused_and_a_flood_is_closed() {
    let mut flags = flags();
    (flags.message_rate, flags.message_burst) = (Some("10".to_owned()), Some("20".to_owned()));
    let edge = start(&flags).await;
    let mut client = Client::cbor(&edge).await;
    client.join(join(&token("lobby", "alice"))).await.unwrap();
    for _ in 0..30 {
        client.send(ClientMessage::Ping).await;
    }
    let error = client
        .wait_for(|message| match message {
            ServerMessage::Failed { error, .. } => Some(error.clone()),
            _ => None,
        })
        .await;
    assert_eq!((error.code, error.retryable), (ErrorCode::LimitReached, true));
    assert!(error.retry_after_ms.is_some_and(|wait| (1..=100).contains(&wait)), "{error:?}");
    for _ in 0..50 {
        client.send(ClientMessage::Ping).await;
    }
    assert_eq!(client.end().await, (Some(ErrorCode::LimitReached), closed(ErrorCode::LimitReached)));
}

#[tokio::test]
async fn pings_of_the_websocket_itself_count_as_messages() {
    let mut flags = flags();
    (flags.message_rate, flags.message_burst) = (Some("10".to_owned()), Some("20".to_owned()));
    let edge = start(&flags).await;
    let mut client = Client::cbor(&edge).await;
    for _ in 0..60 {
        client.send_frame(Message::Ping(Vec::new().into())).await;
    }
    assert_eq!(client.end().await.0, Some(ErrorCode::LimitReached));
}
