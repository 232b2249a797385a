//! `GET /v1/history/rooms/{room}` and `GET /v1/history/participants/{identity}`: who was there, from when to when, and how it went.
//!
//! Looked up in the replica where there is one, one request at a time. A database that is away is a 503 within two seconds.

use super::admin;
use super::problem::Problem;
use crate::edge::Context;
use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use nearcast_history::{Cursor, Fault, LARGEST_PAGE, Page, Reader};
use nearcast_protocol::{ErrorCode, ErrorInfo};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Stays of a page when nothing is said: 30 kB.
const SESSIONS: usize = 100;

/// Lives of a room that are told of, the newest.
const LIVES: usize = 20;

/// What to say to somebody who finds the database away.
const RETRY_AFTER_MS: u32 = 5_000;

/// Which part of a list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    after: Option<String>,
    limit: Option<usize>,
}

/// The stays in a room, and on the first page its lives.
///
/// # Errors
/// 401 and 403 as [`admin::authorize`], 400 for what can't be asked, 404 where nothing is kept, 503 when the database is away.
pub async fn room(
    State(context): State<Arc<Context>>,
    headers: HeaderMap,
    room: Result<Path<String>, PathRejection>,
    part: Result<Query<Part>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let (reader, Path(room), after, limit) = asked(&context, &headers, room, part)?;
    let lives = match after {
        None => Some(reader.lives(&room, LIVES).await.map_err(|fault| away(&fault))?),
        Some(_) => None,
    };
    let Page { sessions, next } =
        reader.of_room(&room, &after.unwrap_or_else(Cursor::newest), limit).await.map_err(|fault| away(&fault))?;
    Ok(Json(json!({ "room": room, "lives": lives, "sessions": sessions, "next": next.map(|next| next.text()) })))
}

/// The stays of a person.
///
/// # Errors
/// As [`room`].
pub async fn participant(
    State(context): State<Arc<Context>>,
    headers: HeaderMap,
    identity: Result<Path<String>, PathRejection>,
    part: Result<Query<Part>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let (reader, Path(identity), after, limit) = asked(&context, &headers, identity, part)?;
    let Page { sessions, next } =
        reader.of_identity(&identity, &after.unwrap_or_else(Cursor::newest), limit).await.map_err(|fault| away(&fault))?;
    Ok(Json(json!({ "identity": identity, "sessions": sessions, "next": next.map(|next| next.text()) })))
}

type Asked<'a> = (&'a Reader, Path<String>, Option<Cursor>, usize);

fn asked<'a>(
    context: &'a Context,
    headers: &HeaderMap,
    of: Result<Path<String>, PathRejection>,
    part: Result<Query<Part>, QueryRejection>,
) -> Result<Asked<'a>, Problem> {
    admin::authorize(context, headers, "what is kept")?;
    let Some(history) = &context.history else {
        let message = "nothing is kept on this edge; start it with --history, see docs/history.md";
        return Err(Problem::new(StatusCode::NOT_FOUND, ErrorCode::NotPermitted, message));
    };
    let of = of.map_err(|rejection| unasked(&rejection.body_text(), "a name in UTF-8, percent-encoded"))?;
    let Query(part) = part.map_err(|rejection| unasked(&rejection.body_text(), "after and limit"))?;
    let after = match part.after {
        Some(text) => Some(Cursor::parse(&text).ok_or_else(|| unasked("after is none", "the next of the last answer"))?),
        None => None,
    };
    let limit = part.limit.unwrap_or(SESSIONS);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(unasked(
            &format!("limit = {limit} is outside 1..={LARGEST_PAGE}"),
            "the rest with after, which is the next of the last answer",
        ));
    }
    Ok((history.reader(), of, after, limit))
}

fn unasked(wrong: &str, instead: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, ErrorCode::BadMessage, format!("{wrong}; ask for {instead}"))
}

/// What the database said is for the log: it may tell of more than whoever asks should know.
fn away(fault: &Fault) -> Problem {
    tracing::warn!(%fault, "the history can't be read");
    let message = "the database of the history does not answer; calls go on, ask again later";
    let error = ErrorInfo { retry_after_ms: Some(RETRY_AFTER_MS), ..ErrorInfo::new(ErrorCode::Overloaded, message) };
    Problem::with(StatusCode::SERVICE_UNAVAILABLE, error)
}
