//! `GET /v1/edges`: the edges that a client may choose from, for `nearcast/regions`. Public, and small: one answer serves everybody for two seconds.
//!
//! `GET /v1/scaling`: more edges or fewer. `POST /v1/drain`, `DELETE /v1/drain`: this edge goes away in order, or does not after all.

use super::admin;
use super::problem::Problem;
use crate::cluster::advice::Report;
use crate::drain::Drained;
use crate::edge::Context;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use core::time::Duration;
use serde_json::json;
use sfu_core::distance;
use std::sync::Arc;

/// How long a drain may take that nobody hurries.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lists them, the emptier of a region first, and what they know checks by that measure how far they are.
pub async fn list(State(context): State<Arc<Context>>) -> impl IntoResponse {
    let measuring = json!({ "ufrag": distance::UFRAG, "pwd": distance::PWD });
    let edges = context.cluster.candidates(&context.config.edges.0);
    ([(header::CACHE_CONTROL, "public, max-age=2")], Json(json!({ "edges": edges, "measuring": measuring })))
}

/// Says what should be started or stopped, and why: to whoever bears a token with the role `admin`, in development to everybody.
///
/// # Errors
/// 401 without a valid token, 403 with another role.
pub async fn scaling(State(context): State<Arc<Context>>, headers: HeaderMap) -> Result<Json<Report>, Problem> {
    admin::authorize(&context, &headers, "advice on scaling")?;
    Ok(Json(context.cluster.advice()))
}

/// Hands over what this edge has; answers when that is done.
///
/// # Errors
/// 401 without a valid token, 403 with another role.
pub async fn drain(State(context): State<Arc<Context>>, headers: HeaderMap) -> Result<Json<Drained>, Problem> {
    admin::authorize(&context, &headers, "drains")?;
    // Whoever asked may hang up: what has begun goes on.
    let drained = tokio::spawn(async move { context.drain(PATIENCE).await }).await;
    Ok(Json(drained.unwrap_or_default()))
}

/// Takes new rooms again.
///
/// # Errors
/// 401 without a valid token, 403 with another role.
pub async fn stop_draining(State(context): State<Arc<Context>>, headers: HeaderMap) -> Result<StatusCode, Problem> {
    admin::authorize(&context, &headers, "drains")?;
    context.cluster.stop_draining();
    Ok(StatusCode::NO_CONTENT)
}
