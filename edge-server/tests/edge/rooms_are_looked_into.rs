//! `GET /v1/rooms` and `GET /v1/rooms/{room}` over HTTP. What they say of layers is tested where media flows: tests/sim and tests/native.

use crate::http_answers::{SECRET, in_service};
use crate::world::{Answer, Client, claims, flags, request, start};
use nearcast_edge::config::Flags;
use nearcast_edge::config::keys::Key;
use nearcast_edge::edge::Edge;
use nearcast_edge::token::keyring::mint;
use serde_json::Value;

async fn get(edge: &Edge, path: &str) -> Answer {
    request(edge, &format!("GET {path}"), "", "").await
}

fn names<'a>(answer: &'a Value, list: &str, name: &str) -> Vec<&'a str> {
    answer[list].as_array().unwrap().iter().map(|item| item[name].as_str().unwrap()).collect()
}

/// Follows `next` to the end.
async fn all(edge: &Edge, path: &str, list: &str, name: &str) -> (Vec<String>, usize) {
    let (mut told, mut pages, mut after) = (Vec::new(), 0, String::new());
    loop {
        let answer = get(edge, &format!("{path}?limit=2{after}")).await.json();
        let part = names(&answer, list, name);
        assert!(part.len() <= 2, "{answer}");
        told.extend(part.into_iter().map(str::to_owned));
        pages += 1;
        let Some(next) = answer["next"].as_str() else { return (told, pages) };
        after = format!("&after={next}");
    }
}

#[tokio::test]
async fn rooms_of_all_shards_in_pages() {
    let edge = start(&flags()).await;
    assert_eq!(get(&edge, "/v1/rooms").await.body, r#"{"next":null,"rooms":[]}"#);
    let mut everybody = Vec::new();
    for room in ["e", "b", "a", "d", "c"] {
        everybody.push(Client::joined(&edge, room, "alice").await);
    }
    everybody.push(Client::joined(&edge, "c", "bob").await);
    let answer = get(&edge, "/v1/rooms").await.json();
    assert_eq!(names(&answer, "rooms", "room"), ["a", "b", "c", "d", "e"]);
    assert_eq!(answer["rooms"][2]["participants"], 2);
    assert!(answer["next"].is_null());
    assert_eq!(all(&edge, "/v1/rooms", "rooms", "room").await, (["a", "b", "c", "d", "e"].map(str::to_owned).to_vec(), 3));
}

#[tokio::test]
async fn a_room_spread_over_shards_is_told_whole() {
    let edge = start(&Flags { room_spread: Some("1".to_owned()), ..flags() }).await;
    let mut everybody = Vec::new();
    for name in ["ann", "ben", "cem", "dan", "eve"] {
        everybody.push(Client::joined(&edge, "big room/1", name).await);
    }
    let answer = get(&edge, "/v1/rooms/big%20room%2F1").await.json();
    let shards: Vec<_> = answer["participants"].as_array().unwrap().iter().map(|person| person["shard"].as_u64().unwrap()).collect();
    assert!(shards.contains(&0) && shards.contains(&1), "all on one shard: nothing is shown");
    let mut told = names(&answer, "participants", "identity");
    told.sort_unstable();
    assert_eq!(told, ["ann", "ben", "cem", "dan", "eve"]);
    assert_eq!(get(&edge, "/v1/rooms").await.json()["rooms"][0]["participants"], 5);
    let (mut told, pages) = all(&edge, "/v1/rooms/big%20room%2F1", "participants", "identity").await;
    told.sort_unstable();
    assert_eq!((told, pages), (["ann", "ben", "cem", "dan", "eve"].map(str::to_owned).to_vec(), 3));

    let answer = get(&edge, "/v1/rooms/big%20room%2F1?participant=cem").await.json();
    assert_eq!(names(&answer, "participants", "identity"), ["cem"]);
    let cem = &answer["participants"][0];
    assert_eq!((cem["session"].as_str(), cem["signalling"].as_bool()), (Some("websocket"), Some(true)));
    assert!(cem["path"].is_null() && cem["publications"].as_array().unwrap().is_empty(), "{cem}");
    let nobody = get(&edge, "/v1/rooms/big%20room%2F1?participant=zoe").await.json();
    assert!(nobody["participants"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_with_words() {
    let edge = start(&flags()).await;
    for (path, status, code, words) in [
        ("/v1/rooms/nowhere", 404, "room-closed", "GET /v1/rooms lists"),
        ("/v1/rooms?limit=0", 400, "bad-message", "outside 1..=1000"),
        ("/v1/rooms?limit=many", 400, "bad-message", "ask for after and limit"),
        ("/v1/rooms/nowhere?limit=101", 400, "bad-message", "outside 1..=100"),
        ("/v1/rooms/nowhere?identity=a", 400, "bad-message", "ask for participant"),
        ("/v1/rooms/%ff", 400, "bad-message", "percent-encoded"),
    ] {
        let answer = get(&edge, path).await;
        let error = answer.json()["error"].clone();
        assert_eq!((answer.status, error["code"].as_str()), (status, Some(code)), "{path}: {}", answer.body);
        assert!(error["message"].as_str().unwrap().contains(words), "{path}: {}", answer.body);
    }
    edge.context().media.stop(std::time::Duration::from_secs(5)).await;
    let answer = get(&edge, "/v1/rooms").await;
    let error = answer.json()["error"].clone();
    assert_eq!((answer.status, error["retryable"].as_bool(), error["code"].as_str()), (503, Some(true), Some("overloaded")));
}

#[tokio::test]
async fn in_service_they_are_for_admins() {
    let edge = start(&in_service()).await;
    let key = Key { id: "k1".to_owned(), secret: SECRET.to_owned() };
    let bearer = |key: &Key, role: Option<&str>, expired: bool| {
        let mut claims = claims("any", "me");
        claims.role = role.map(str::to_owned);
        claims.exp -= if expired { 7_200 } else { 0 };
        format!("authorization: Bearer {}\r\n", mint(key, &claims).unwrap())
    };
    for path in ["/v1/rooms", "/v1/rooms/lobby"] {
        let line = format!("GET {path}");
        for (headers, status, code) in [
            (String::new(), 401, "token-invalid"),
            ("authorization: Bearer nonsense\r\n".to_owned(), 401, "token-invalid"),
            (bearer(&Key::development(), Some("admin"), false), 401, "token-key-unknown"),
            (bearer(&key, Some("admin"), true), 401, "token-expired"),
            (bearer(&key, None, false), 403, "not-permitted"),
            (bearer(&key, Some("moderator"), false), 403, "not-permitted"),
        ] {
            let answer = request(&edge, &line, &headers, "").await;
            let error = answer.json()["error"].clone();
            assert_eq!((answer.status, error["code"].as_str()), (status, Some(code)), "{headers}: {}", answer.body);
            if matches!(code, "not-permitted") || headers.is_empty() {
                assert!(error["message"].as_str().unwrap().contains("--role admin"), "no remedy in {}", answer.body);
            }
        }
    }
    let admin = bearer(&key, Some("admin"), false);
    assert_eq!(request(&edge, "GET /v1/rooms", &admin, "").await.status, 200);
    assert_eq!(request(&edge, "GET /v1/rooms/lobby", &admin, "").await.status, 404);
}
