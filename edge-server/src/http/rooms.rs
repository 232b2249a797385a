//! `GET /v1/rooms` and `GET /v1/rooms/{room}`: who is there, what they publish, and which layer of what everybody gets, and why.
//!
//! For people who look into a call that isn't as it should be, and for dashboards that do it for them. One request at a time looks into
//! the shards ([`Context::looking`]), and each page is bounded (`sfu_core::inspect`), so that nobody's media waits for a curious
//! dashboard.

use super::admin;
use super::problem::Problem;
use crate::edge::Context;
use crate::media::link::Inspection;
use crate::media::survey::Unanswered;
use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use core::time::Duration;
use nearcast_protocol::{ErrorCode, ErrorInfo};
use serde::Deserialize;
use serde_json::{Value, json};
use sfu_core::inspect::{LARGEST_PAGE, PageQuery};
use std::sync::Arc;
use tokio::sync::SemaphorePermit;

/// How long to wait for one's turn and then for the shards.
const PATIENCE: Duration = Duration::from_secs(2);

/// What to say to somebody whose turn didn't come.
const RETRY_AFTER_MS: u32 = 1_000;

/// Rooms of a page when nothing is said: 10 kB.
const ROOMS: usize = 100;

/// Participants of a page when nothing is said. One who sees forty others is 50 kB of JSON.
const PARTICIPANTS: usize = 20;

/// Most participants of a page.
const MOST_PARTICIPANTS: usize = 100;

/// Which part of a list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    after: Option<String>,
    limit: Option<usize>,
}

/// Which part of a room.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoomPart {
    after: Option<String>,
    limit: Option<usize>,
    participant: Option<String>,
}

/// The rooms there are.
///
/// # Errors
/// 401 and 403 as [`admin::authorize`], 400 for what can't be asked, 503 when a shard doesn't answer.
pub async fn list(
    State(context): State<Arc<Context>>,
    headers: HeaderMap,
    part: Result<Query<Part>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    admin::authorize(&context, &headers, "rooms")?;
    let Query(part) = part.map_err(|rejection| unasked(&rejection.body_text(), "after and limit"))?;
    let page = PageQuery { after: part.after, limit: limit(part.limit, ROOMS, LARGEST_PAGE)? };
    let _turn = turn(&context).await?;
    let rooms = context.media.rooms(page, PATIENCE).await.map_err(unanswered)?;
    let next = rooms.items.last().filter(|_| rooms.more).map(|room| room.room.clone());
    Ok(Json(json!({ "rooms": rooms.items, "next": next })))
}

/// One room.
///
/// # Errors
/// As [`list`], and 404 for a room that nobody is in.
pub async fn show(
    State(context): State<Arc<Context>>,
    headers: HeaderMap,
    room: Result<Path<String>, PathRejection>,
    part: Result<Query<RoomPart>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    admin::authorize(&context, &headers, "rooms")?;
    let Path(room) = room.map_err(|rejection| unasked(&rejection.body_text(), "a room's name in UTF-8, percent-encoded"))?;
    let Query(part) = part.map_err(|rejection| unasked(&rejection.body_text(), "participant, after and limit"))?;
    let page = PageQuery { after: part.after, limit: limit(part.limit, PARTICIPANTS, MOST_PARTICIPANTS)? };
    let _turn = turn(&context).await?;
    let asked = Inspection { room: room.clone(), identity: part.participant, page };
    let Some(participants) = context.media.inspect(asked, PATIENCE).await.map_err(unanswered)? else {
        let message = format!("nobody is in room {room:?} on this edge; GET /v1/rooms lists those that there are");
        return Err(Problem::new(StatusCode::NOT_FOUND, ErrorCode::RoomClosed, message));
    };
    let next = participants.items.last().filter(|_| participants.more).map(|participant| participant.id.clone());
    Ok(Json(json!({ "room": room, "participants": participants.items, "next": next })))
}

fn limit(asked: Option<usize>, usual: usize, most: usize) -> Result<usize, Problem> {
    match asked.unwrap_or(usual) {
        limit if (1..=most).contains(&limit) => Ok(limit),
        limit => {
            Err(unasked(&format!("limit = {limit} is outside 1..={most}"), "the rest with after, which is the next of the last answer"))
        }
    }
}

fn unasked(wrong: &str, instead: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, ErrorCode::BadMessage, format!("{wrong}; ask for {instead}"))
}

async fn turn(context: &Context) -> Result<SemaphorePermit<'_>, Problem> {
    let busy = || overloaded("others are looking into rooms, one request at a time; ask again later, and less often");
    tokio::time::timeout(PATIENCE, context.looking.acquire()).await.map_err(|_| busy())?.map_err(|_| busy())
}

fn unanswered(fault: Unanswered) -> Problem {
    overloaded(&fault.to_string())
}

fn overloaded(message: &str) -> Problem {
    let error = ErrorInfo { retry_after_ms: Some(RETRY_AFTER_MS), ..ErrorInfo::new(ErrorCode::Overloaded, message) };
    Problem::with(StatusCode::SERVICE_UNAVAILABLE, error)
}
