//! What the token table of the unit tests says, seen from the WebSocket.

use crate::world::{Client, claims, closed, flags, join, sign, start, token};
use nearcast_edge::config::keys::Key;
use nearcast_edge::token::keyring::mint;
use nearcast_protocol::{ErrorCode, SUBPROTOCOL_CBOR};

#[tokio::test]
async fn bad_tokens_are_refused_with_their_code() {
    let edge = start(&flags()).await;
    let good = token("lobby", "alice");
    let payload = good.split('.').nth(1).unwrap().to_owned();
    let (mut expired, mut early) = (claims("lobby", "alice"), claims("lobby", "alice"));
    expired.exp = 1;
    early.nbf = Some(early.exp);
    let stranger = Key { id: "stranger".to_owned(), ..Key::development() };
    let impostor = Key { secret: "f".repeat(32), ..Key::development() };
    let table = [
        ("not a token", ErrorCode::TokenInvalid),
        // {"alg":"none","kid":"dev"}
        (&format!("eyJhbGciOiJub25lIiwia2lkIjoiZGV2In0.{payload}."), ErrorCode::TokenInvalid),
        (&mint(&impostor, &claims("lobby", "alice")).unwrap(), ErrorCode::TokenInvalid),
        (&sign(&expired), ErrorCode::TokenExpired),
        (&sign(&early), ErrorCode::TokenNotYetValid),
        (&mint(&stranger, &claims("lobby", "alice")).unwrap(), ErrorCode::TokenKeyUnknown),
    ];
    for (token, code) in table {
        let mut client = Client::cbor(&edge).await;
        assert_eq!(client.join(join(token)).await, Err(code), "{token}");
        assert_eq!(client.end().await, (None, closed(code)), "{token}");
    }
    assert_eq!(edge.context().counters.snapshot().joins_refused, 6);
}

#[tokio::test]
async fn the_room_in_the_url_must_be_that_of_the_token() {
    let edge = start(&flags()).await;
    for (query, outcome) in [("?room=lobby", None), ("?room=k%C3%BCche", Some(ErrorCode::TokenWrongRoom)), ("?other=1", None)] {
        let mut client = Client::try_connect(edge.http(), &[SUBPROTOCOL_CBOR], query).await.unwrap();
        assert_eq!(client.join(join(&token("lobby", "alice"))).await.err(), outcome, "{query}");
    }
    let mut client = Client::try_connect(edge.http(), &[SUBPROTOCOL_CBOR], "?room=k%C3%BCche").await.unwrap();
    assert!(client.join(join(&token("küche", "alice"))).await.is_ok());
}
