//! WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep): one POST with an offer publishes to a room or plays it, for programs that have no
//! use for our signalling. docs/whip.md is the reference for users.
//!
//! | | | |
//! |---|---|---|
//! | `POST /whip/{room}`, `POST /whep/{room}` | begins a session: 201 with the answer | [`begin`] |
//! | `PATCH …/{session}` | candidates (taken note of), ICE restart | [`patch`] |
//! | `DELETE …/{session}` | ends it | [`end`] |
//! | `OPTIONS` on either | what can be done here, CORS | [`headers`] |
//!
//! A session is a participant without WebSocket: the shard treats it like any other, but for what keeps it (sfu-core,
//! `Command::JoinByHttp`). Its messages have nobody to go to; a task reads them over, carries replies to PATCH, and notices the end
//! ([`session`]). Which offer is good for what: [`offer`]. Who may: [`bearer`]. How many: [`sessions`].
//!
//! The bearer token of every request has to be one for the room in the URL, and for PATCH and DELETE one of the session's identity.

pub mod bearer;
pub mod headers;
pub mod offer;
pub mod precondition;
pub mod session;
pub mod sessions;

use super::problem::Problem;
use crate::clock;
use crate::edge::Context;
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use bearer::Bearer;
use nearcast_protocol::{ErrorCode, ErrorInfo, Join};
use offer::{Parameters, Purpose};
use precondition::Step;
use session::Entered;
use sfu_core::Admission;
use sfu_core::sdp::{SdpFragment, limits};
use std::sync::Arc;

/// The type of offers and answers.
pub const SDP: &str = "application/sdp";

/// The type of what PATCH carries (RFC 8840 §9).
pub const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

/// The routes of both protocols.
pub fn routes() -> Router<Arc<Context>> {
    let mut router = Router::new();
    for purpose in [Purpose::Publish, Purpose::Play] {
        let prefix = purpose.prefix();
        let endpoint = MethodRouter::new()
            .post(move |state, path, query, uri, headers, body| begin(purpose, state, path, query, uri, headers, body))
            .options(|| async { headers::endpoint_options() })
            .fallback(|| async { headers::not_allowed("OPTIONS, POST", "POST an offer here, as application/sdp") });
        let session = MethodRouter::new()
            .patch(move |state, path, headers, body| patch(purpose, state, path, headers, body))
            .delete(move |state, path, headers| end(purpose, state, path, headers))
            .options(|| async { headers::session_options() })
            .fallback(|| async { headers::not_allowed("DELETE, OPTIONS, PATCH", "DELETE ends this session, PATCH restarts its ICE") });
        router = router.route(&format!("{prefix}{{room}}"), endpoint).route(&format!("{prefix}{{room}}/{{session}}"), session);
    }
    router.layer(DefaultBodyLimit::max(limits::MAX_OFFER_BYTES)).layer(map_response(headers::cross_origin))
}

type Body = Result<Bytes, BytesRejection>;

/// `POST`: begins a session.
async fn begin(
    purpose: Purpose,
    State(context): State<Arc<Context>>,
    Path(room): Path<String>,
    parameters: Result<Query<Parameters>, QueryRejection>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match try_begin(purpose, &context, &room, parameters, &headers, body).await {
        Ok(begun) => {
            // The path as it was asked for: whatever way the room's name was escaped in is kept, and it is a path of ours.
            let location = format!("{}/{}", uri.path().trim_end_matches('/'), begun.session);
            headers::created(&location, &begun.tag, begun.answer)
        }
        Err(refusal) => {
            context.counters.count(&context.counters.http_refused);
            refusal.into_response()
        }
    }
}

async fn try_begin(
    purpose: Purpose,
    context: &Arc<Context>,
    room: &str,
    parameters: Result<Query<Parameters>, QueryRejection>,
    headers: &HeaderMap,
    body: Body,
) -> Result<session::Begun, Problem> {
    let busy = |code, message: &str| Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, message).retry_later(5);
    if context.is_stopping() {
        return Err(busy(ErrorCode::ShuttingDown, "this edge is shutting down; use another"));
    }
    let bearer = Bearer::of(context, headers, room)?;
    bearer.may(purpose)?;
    headers::check_type(headers, SDP).map_err(|problem| problem.header("accept-post", SDP))?;
    let Query(parameters) = parameters.map_err(|rejection| {
        let message = format!("{}; known are source=camera, source=screen and name=TEXT", rejection.body_text());
        Problem::new(StatusCode::BAD_REQUEST, ErrorCode::BadMessage, message)
    })?;
    let sdp = text(body)?;
    let media = offer::read(purpose, &sdp, &parameters)?;
    context.http_sessions.admit(&bearer, clock::now())?;
    let moved = context.cluster.enter(room).await.map_err(|error| redirected(room, purpose, error))?;
    context.admission.admit(context.next_connection().0).map_err(refused)?;
    let Ok(slot) = Arc::clone(&context.slots).try_acquire_owned() else {
        context.counters.count(&context.counters.overloaded);
        return Err(busy(ErrorCode::Overloaded, "this edge has as many connections as it takes; use another, or try later"));
    };
    let place = context.http_sessions.reserve(purpose, &bearer)?;
    let admission = bearer.claims.clone().admission(&context.config).map_err(|error| Problem::with(StatusCode::FORBIDDEN, error))?;
    let admission = Admission {
        identity: place.identity().to_owned(),
        // One session does one thing, whatever else the token allows: an offer that says `sendrecv` is answered one way.
        permissions: purpose.permissions(),
        ..admission
    };
    let client = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    tracing::info!(room, identity = admission.identity, client, "{} begins", purpose.name());
    let remote_ufrag = media.remote_ufrag;
    let join = Join { auto_subscribe: purpose == Purpose::Play, offer: Some(media.offer), ..Join::default() };
    session::begin(context, purpose, Entered { place, slot, moved }, remote_ufrag, admission, join).await.map_err(refused)
}

/// The room is on another edge: encoders follow a redirection (RFC 9725 §4.5).
fn redirected(room: &str, purpose: Purpose, error: ErrorInfo) -> Problem {
    let Some(edge) = &error.edge else { return refused(error) };
    let edge = edge.trim_end_matches('/').replacen("ws", "http", usize::from(edge.starts_with("ws")));
    let location = format!("{edge}{}{}", purpose.prefix(), percent_encoded(room));
    Problem::with(StatusCode::TEMPORARY_REDIRECT, error).header("location", location)
}

/// One part of a path (RFC 3986 §2.3).
fn percent_encoded(text: &str) -> String {
    use core::fmt::Write;
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

/// `PATCH`: candidates or an ICE restart.
async fn patch(
    purpose: Purpose,
    State(context): State<Arc<Context>>,
    Path((room, session)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    try_patch(purpose, &context, &room, &session, &headers, body).await.unwrap_or_else(Problem::into_response)
}

async fn try_patch(
    purpose: Purpose,
    context: &Context,
    room: &str,
    session: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let bearer = Bearer::of_anytime(context, headers, room)?;
    let session = context.http_sessions.find(purpose, session, &bearer)?;
    headers::check_type(headers, FRAGMENT).map_err(|problem| problem.header("accept-patch", FRAGMENT))?;
    let sdp = text(body)?;
    let fragment =
        SdpFragment::parse(&sdp).map_err(|error| Problem::new(StatusCode::BAD_REQUEST, ErrorCode::BadSdp, format!("fragment: {error}")))?;
    // One at a time: what a restart does to the entity tag has to be seen by the request after it.
    let mut ice = session.ice.lock().await;
    match precondition::judge(headers, &ice, &fragment)? {
        // An ICE-lite edge learns addresses from checks, so there is nothing to be done with candidates.
        Step::Candidates => Ok(StatusCode::NO_CONTENT.into_response()),
        Step::Restart => {
            let restarted = session.restart(fragment).await.map_err(refused)?;
            ice.replace(restarted.remote_ufrag, restarted.tag);
            let mut response = (StatusCode::OK, [(header::CONTENT_TYPE, FRAGMENT)], restarted.answer).into_response();
            response.headers_mut().insert(header::ETAG, headers::tag_value(ice.tag()));
            Ok(response)
        }
    }
}

/// `DELETE`: ends a session.
async fn end(
    purpose: Purpose,
    State(context): State<Arc<Context>>,
    Path((room, session)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let found = Bearer::of_anytime(&context, &headers, &room).and_then(|bearer| context.http_sessions.find(purpose, &session, &bearer));
    let session = match found {
        Ok(session) => session,
        Err(refusal) => return refusal.into_response(),
    };
    let ice = session.ice.lock().await;
    if let Err(problem) = precondition::unchanged(&headers, &ice) {
        return problem.into_response();
    }
    drop(ice);
    session.end().await;
    StatusCode::OK.into_response()
}

fn text(body: Body) -> Result<String, Problem> {
    let limit = limits::MAX_OFFER_BYTES;
    let body = body.map_err(|rejection| {
        let message = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => format!("more than {limit} bytes; offer fewer sections or fewer codecs"),
            _ => rejection.body_text(),
        };
        Problem::new(rejection.status(), ErrorCode::LimitReached, message)
    })?;
    let unreadable = |_| Problem::new(StatusCode::BAD_REQUEST, ErrorCode::BadSdp, "the body is not UTF-8 text");
    String::from_utf8(body.to_vec()).map_err(unreadable)
}

/// A refusal of the shard as HTTP says it.
fn refused(error: ErrorInfo) -> Problem {
    let status = match error.code {
        ErrorCode::BadSdp => StatusCode::BAD_REQUEST,
        ErrorCode::NoCommonCodec | ErrorCode::LimitReached => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::NotPermitted => StatusCode::FORBIDDEN,
        ErrorCode::SessionUnknown => StatusCode::NOT_FOUND,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    let seconds = error.retry_after_ms.map_or(5, |after| u64::from(after.div_ceil(1_000)));
    let problem = Problem::with(status, error);
    if status == StatusCode::SERVICE_UNAVAILABLE { problem.retry_later(seconds) } else { problem }
}

/// A header value of text that is known to be visible ASCII; empty if it isn't.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}
