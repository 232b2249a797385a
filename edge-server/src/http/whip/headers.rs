//! What requests and answers carry besides their bodies.

use super::{FRAGMENT, Problem, SDP, value};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use nearcast_protocol::ErrorCode;

const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");
const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");

/// How long a browser may remember that it may ask. A day is what Firefox takes at most, and nothing here changes.
const PREFLIGHT_SECONDS: &str = "86400";

/// Pages of any origin may publish and play: what lets them is the bearer token, which no browser adds by itself.
pub(super) async fn cross_origin(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("Location, ETag, Link, Accept-Post, Accept-Patch, Retry-After, WWW-Authenticate"),
    );
    response
}

/// `OPTIONS` of an endpoint (RFC 9725 §4.2, with what a CORS preflight wants to hear).
pub(super) fn endpoint_options() -> Response {
    let mut response = options("POST, OPTIONS");
    response.headers_mut().insert(ACCEPT_POST, HeaderValue::from_static(SDP));
    response
}

/// `OPTIONS` of a session.
pub(super) fn session_options() -> Response {
    let mut response = options("PATCH, DELETE, OPTIONS");
    response.headers_mut().insert(ACCEPT_PATCH, HeaderValue::from_static(FRAGMENT));
    response
}

fn options(methods: &'static str) -> Response {
    let headers = [
        (header::ALLOW, methods),
        (header::ACCESS_CONTROL_ALLOW_METHODS, methods),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type, If-Match"),
        (header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// 405 for everything else.
pub(super) fn not_allowed(methods: &'static str, instead: &str) -> Response {
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::BadMessage, instead);
    problem.header("allow", methods).into_response()
}

/// 201, as RFC 9725 §4.2 wants it.
pub(super) fn created(location: &str, tag: &str, answer: String) -> Response {
    let mut response = (StatusCode::CREATED, [(header::CONTENT_TYPE, SDP)], answer).into_response();
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, value(location));
    headers.insert(header::ETAG, tag_value(tag));
    headers.insert(ACCEPT_PATCH, HeaderValue::from_static(FRAGMENT));
    response
}

/// An entity tag with its quotes.
pub(super) fn tag_value(tag: &str) -> HeaderValue {
    value(&format!("\"{tag}\""))
}

/// 415 unless the body is of this type; parameters don't matter.
pub(super) fn check_type(headers: &HeaderMap, wanted: &str) -> Result<(), Problem> {
    let found = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = found.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    let message = if essence.is_empty() {
        format!("the body has no type; send `Content-Type: {wanted}`")
    } else {
        format!("the body is {}; send {wanted}", essence.chars().filter(|sign| !sign.is_control()).take(80).collect::<String>())
    };
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, ErrorCode::BadMessage, message))
}
