//! `POST /v1/rooms/{room}/moderate`: what a moderator's client may ask for, for an application's server.

use super::admin;
use super::problem::Problem;
use crate::clock;
use crate::edge::Context;
use crate::token::Expiry;
use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use core::time::Duration;
use nearcast_protocol::{ErrorCode, ErrorInfo, Moderation};
use std::sync::Arc;

/// How long the shards may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Does it. Everybody with a token that has `can_moderate` for this room may, and whoever has the role `admin`.
///
/// # Errors
/// 401 and 403 for the token, 400 for what can't be asked, 404 for a room that nobody is in or a publication that isn't there, 409 for a list that is
/// full, 503 when a shard doesn't answer.
pub async fn moderate(
    State(context): State<Arc<Context>>,
    headers: HeaderMap,
    room: Result<Path<String>, PathRejection>,
    body: Result<Json<Moderation>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    let refuse = |message: String| Problem::new(StatusCode::BAD_REQUEST, ErrorCode::BadMessage, message);
    let Path(room) = room.map_err(|rejection| refuse(format!("{}; name a room in UTF-8, percent-encoded", rejection.body_text())))?;
    if !is_moderator(&context, &headers, &room) {
        admin::authorize(&context, &headers, "moderations of rooms that a token with can_moderate isn't for")?;
    }
    let Json(moderation) = body.map_err(|rejection| {
        refuse(format!(
            "{}; send {{\"action\", \"target\"}}, such as {{\"action\": \"remove\", \"target\": IDENTITY}}",
            rejection.body_text()
        ))
    })?;
    tracing::info!(room, action = ?moderation.action, target = moderation.target, "moderating");
    let overloaded = |fault: crate::media::survey::Unanswered| {
        Problem::with(StatusCode::SERVICE_UNAVAILABLE, ErrorInfo::new(ErrorCode::Overloaded, fault.to_string()))
    };
    match context.media.moderate(&room, &moderation, PATIENCE).await.map_err(overloaded)? {
        Some(Ok(())) => Ok(StatusCode::NO_CONTENT),
        Some(Err(error)) => Err(Problem::with(status(error.code), error)),
        None => {
            let message = format!("nobody is in room {room:?} on this edge; GET /v1/rooms lists those that there are");
            Err(Problem::new(StatusCode::NOT_FOUND, ErrorCode::RoomClosed, message))
        }
    }
}

fn is_moderator(context: &Context, headers: &HeaderMap, room: &str) -> bool {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix("Bearer "));
    let claims = bearer.and_then(|token| context.keyring.verify(token.trim(), clock::unix(), Expiry::Enforced).ok());
    claims.is_some_and(|claims| claims.can_moderate && claims.room == room)
}

fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::PublicationUnknown => StatusCode::NOT_FOUND,
        ErrorCode::LimitReached => StatusCode::CONFLICT,
        _ => StatusCode::BAD_REQUEST,
    }
}
