//! Everything on the HTTP port. docs/edge-http.md is the reference for users.
//!
//! | path | what | module |
//! |---|---|---|
//! | `GET /v1/signal` | signalling over WebSocket | [`signal`] |
//! | `POST /v1/token` | tokens for everybody, in development only | [`token`] |
//! | `/whip/{room}`, `/whep/{room}` | publishing and playing without our signalling | [`whip`] |
//! | `GET /v1/stats` | counters | [`stats`] |
//! | `GET /metrics` | the same for Prometheus | [`metrics`] |
//! | `GET /v1/rooms`, `GET /v1/rooms/{room}` | who is there, who gets what and why | [`rooms`] |
//! | `POST /v1/rooms/{room}/moderate` | remove, mute, lock, end | [`moderate`] |
//! | `GET /v1/history/rooms/{room}`, `GET /v1/history/participants/{identity}` | who was there | [`history`] |
//! | `GET /v1/edges` | the edges that a client may choose from | [`edges`] |
//! | `GET /v1/scaling` | more edges or fewer, and why | [`edges`] |
//! | `POST /v1/drain` | hand over what this edge has | [`edges`] |
//! | `GET /healthz`, `GET /readyz` | for supervisors and load balancers | [`health`] |
//! | anything else | the demo page | [`assets`] |

pub mod admin;
pub mod assets;
pub mod edges;
pub mod health;
pub mod history;
pub mod metrics;
pub mod moderate;
pub mod problem;
pub mod rooms;
pub mod serve;
pub mod signal;
pub mod stats;
pub mod token;
pub mod whip;

use crate::edge::Context;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use core::time::Duration;
use std::sync::Arc;
use tower_http::cors::{Any, CorsLayer};

/// Largest request body but of offers: the only one we take is a few hundred bytes of JSON.
const LARGEST_BODY: usize = 16 * 1024;

/// How long a browser remembers that anybody may ask.
const PREFLIGHT: Duration = Duration::from_secs(3_600);

/// All routes.
pub fn router(context: Arc<Context>) -> Router {
    let mut router = Router::new()
        .route("/v1/signal", get(signal::upgrade))
        .route("/v1/stats", get(stats::show))
        .route("/metrics", get(metrics::show))
        .route("/v1/rooms", get(rooms::list))
        .route("/v1/rooms/{room}", get(rooms::show))
        .route("/v1/rooms/{room}/moderate", post(moderate::moderate))
        .route("/v1/history/rooms/{room}", get(history::room))
        .route("/v1/history/participants/{identity}", get(history::participant))
        .route("/v1/edges", get(edges::list).layer(CorsLayer::new().allow_origin(Any).max_age(PREFLIGHT)))
        .route("/v1/scaling", get(edges::scaling))
        .route("/v1/drain", post(edges::drain).delete(edges::stop_draining))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(assets::serve);
    if context.config.dev.0 {
        // Pages under development come from another port than the edge, so anybody may ask.
        router = router.route("/v1/token", post(token::mint).layer(CorsLayer::very_permissive()));
    }
    router.layer(DefaultBodyLimit::max(LARGEST_BODY)).merge(whip::routes()).with_state(context)
}
