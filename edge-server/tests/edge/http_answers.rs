//! Health, statistics, development tokens, and the demo page.

use crate::world::{Client, flags, join, request, start};
use nearcast_edge::config::Flags;
use nearcast_edge::config::keys::Key;
use nearcast_edge::token::keyring::mint;

pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// An edge in service: its own key, no development.
pub(crate) fn in_service() -> Flags {
    Flags { dev: None, keys: vec![format!("k1:{SECRET}")], ..flags() }
}

#[tokio::test]
async fn health_and_readiness() {
    let edge = start(&flags()).await;
    assert_eq!(request(&edge, "GET /healthz", "", "").await.status, 200);
    let ready = request(&edge, "GET /readyz", "", "").await;
    assert_eq!(ready.status, 200);
    assert!(ready.body.contains("2 media threads"), "{}", ready.body);
    edge.context().media.stop(std::time::Duration::from_secs(5)).await;
    let ready = request(&edge, "GET /readyz", "", "").await;
    assert_eq!((ready.status, ready.body.contains("0, 1")), (503, true), "{}", ready.body);
    assert_eq!(request(&edge, "GET /healthz", "", "").await.status, 200);
}

#[tokio::test]
async fn a_development_token_lets_one_in() {
    let edge = start(&flags()).await;
    let body = r#"{"room":"lobby","identity":"alice","name":"Alice","ttl":"5m","can_publish":false}"#;
    let answer = request(&edge, "POST /v1/token", "content-type: application/json\r\norigin: http://localhost:5173\r\n", body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.head.contains("access-control-allow-origin: http://localhost:5173"), "{}", answer.head);
    let token = answer.json()["token"].as_str().unwrap().to_owned();
    let joined = Client::cbor(&edge).await.join(join(&token)).await.unwrap();
    assert_eq!((joined.participant.name.as_str(), joined.permissions.publish, joined.permissions.subscribe), ("Alice", false, true));

    let preflight =
        "origin: http://localhost:5173\r\naccess-control-request-method: POST\r\naccess-control-request-headers: content-type\r\n";
    let answer = request(&edge, "OPTIONS /v1/token", preflight, "").await;
    assert!(answer.status == 200 && answer.head.contains("access-control-allow-headers: content-type"), "{}", answer.head);

    for (body, part) in [
        (r#"{"room":"lobby"}"#, "missing field `identity`"),
        (r#"{"room":"lobby","identity":"a","canpublish":true}"#, "unknown field `canpublish`"),
        (r#"{"room":"","identity":"a"}"#, "room has 0 bytes"),
        (r#"{"room":"lobby","identity":"a","ttl":"soon"}"#, "is not a time"),
        (r#"{"room":"lobby","identity":"a","ttl":0}"#, "outside 1s to 31 days"),
        ("room=lobby", "JSON"),
    ] {
        let answer = request(&edge, "POST /v1/token", "content-type: application/json\r\n", body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.json()["error"]["message"].as_str().unwrap().contains(part), "{body}: {}", answer.body);
    }
    let huge = format!(r#"{{"room":"{}"}}"#, "r".repeat(20_000));
    assert_eq!(request(&edge, "POST /v1/token", "content-type: application/json\r\n", &huge).await.status, 400);
}

#[tokio::test]
async fn prometheus_reads_what_is_counted() {
    let edge = start(&flags()).await;
    let _alice = Client::joined(&edge, "lobby", "alice").await;
    let answer = request(&edge, "GET /metrics", "", "").await;
    assert!(answer.head.contains("application/openmetrics-text; version=1.0.0"), "{}", answer.head);
    for line in ["nearcast_joins_total{result=\"joined\"} 1", "nearcast_participants 1.0", "# EOF"] {
        assert!(answer.body.lines().any(|known| known == line), "{line}: {}", answer.body);
    }
    // Whatever is counted is told, by whatever name.
    let stats = request(&edge, "GET /v1/stats", "", "").await.json();
    let of = |table: &serde_json::Value| table.as_object().map_or(0, |numbers| numbers.values().filter(|it| !it.is_null()).count());
    let shards = stats["total"].as_object().unwrap().iter().filter(|(name, _)| *name != "timing").map(|(_, table)| table);
    let tables = shards.chain(["signalling", "admission", "turn", "machine", "join_refusals"].map(|name| &stats[name]));
    let is_of_histogram = |line: &str| ["_seconds_bucket{", "_seconds_sum ", "_seconds_count "].iter().any(|part| line.contains(part));
    let (histograms, told): (Vec<_>, Vec<_>) =
        answer.body.lines().filter(|line| !line.starts_with('#')).partition(|line| is_of_histogram(line));
    assert_eq!(told.len(), tables.map(of).sum::<usize>() + ["build", "uptime"].len());
    assert_eq!(histograms.iter().filter(|line| line.contains("_seconds_count ")).count(), of(&stats["total"]["timing"]));
    let guarded = start(&in_service()).await;
    assert_eq!(request(&guarded, "GET /metrics", "", "").await.status, 401);
}

#[tokio::test]
async fn in_service_nobody_gets_tokens() {
    let edge = start(&in_service()).await;
    let body = r#"{"room":"lobby","identity":"alice"}"#;
    let answer = request(&edge, "POST /v1/token", "content-type: application/json\r\n", body).await;
    assert!(matches!(answer.status, 404 | 405), "{}", answer.status);
    let token = mint(&Key::development(), &crate::world::claims("lobby", "alice")).unwrap();
    let refused = Client::cbor(&edge).await.join(join(&token)).await.unwrap_err();
    assert_eq!(refused, nearcast_protocol::ErrorCode::TokenKeyUnknown);
}

#[tokio::test]
async fn statistics_add_up_and_are_for_admins() {
    let edge = start(&flags()).await;
    let mut everybody = Vec::new();
    for room in ["a", "b", "c", "d"] {
        everybody.push(Client::joined(&edge, room, "alice").await);
    }
    let stats = request(&edge, "GET /v1/stats", "", "").await.json();
    assert_eq!(stats["signalling"]["joined"], 4);
    assert_eq!(stats["total"]["core"]["participants"], 4);
    assert_eq!(stats["total"]["thread"]["connections"], 4);
    let shards = stats["shards"].as_array().unwrap();
    let sum: u64 = shards.iter().map(|shard| shard["core"]["participants"].as_u64().unwrap()).sum();
    assert_eq!((shards.len(), sum), (2, 4));

    let edge = start(&in_service()).await;
    let key = Key { id: "k1".to_owned(), secret: SECRET.to_owned() };
    let bearer = |role: Option<&str>| {
        let mut claims = crate::world::claims("any", "me");
        claims.role = role.map(str::to_owned);
        format!("authorization: Bearer {}\r\n", mint(&key, &claims).unwrap())
    };
    assert_eq!(request(&edge, "GET /v1/stats", "", "").await.status, 401);
    assert_eq!(request(&edge, "GET /v1/stats", "authorization: Bearer nonsense\r\n", "").await.status, 401);
    assert_eq!(request(&edge, "GET /v1/stats", &bearer(None), "").await.status, 403);
    assert_eq!(request(&edge, "GET /v1/stats", &bearer(Some("admin")), "").await.status, 200);
}

#[tokio::test]
async fn the_page_is_there() {
    let edge = start(&flags()).await;
    let page = request(&edge, "GET /", "", "").await;
    assert!(page.status == 200 && page.head.contains("content-type: text/html"), "{page:?}");
    assert_eq!(request(&edge, "GET /no/such/file", "", "").await.status, 404);
    assert_eq!(request(&edge, "GET /v1/signal", "", "").await.status, 400);
}
