//! `GET /v1/signal`: the WebSocket of one participant.
//!
//! [`upgrade`] settles the encoding and makes room for one more; [`connection`] is its life. What messages mean is decided by the shard;
//! here is what a WebSocket as such must keep: who may enter (tokens), how much, how fast, how long.
//!
//! WebSocket close codes: 1000 after `leave`; else 4000 plus the number of the error that the message before it carried (`closed`, or
//! `failed` of a join), with its name as the reason, for clients that only look at those.

pub mod addresses;
pub mod codec;
pub mod connection;
pub mod pace;
pub mod socket;

use super::problem::Problem;
use crate::edge::Context;
use addresses::PeerAddress;
use axum::Extension;
use axum::body::Body;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use codec::Encoding;
use connection::Connection;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use nearcast_protocol::{ErrorCode, ErrorInfo, MAX_MESSAGE_BYTES, SUBPROTOCOL_CBOR, SUBPROTOCOL_JSON};
use serde::Deserialize;
use socket::Socket;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// What may stand in the URL.
#[derive(Debug, Deserialize)]
pub struct Parameters {
    /// The room that the client means; a token for another one is refused. Optional: the token says it too.
    room: Option<String>,
}

/// Accepts a WebSocket.
///
/// # Errors
/// 503 when the edge is full or shutting down, 429 when the address has enough, before anything is allocated for the WebSocket.
pub async fn upgrade(
    State(context): State<Arc<Context>>,
    Query(parameters): Query<Parameters>,
    upgraded: Option<Extension<OnUpgrade>>,
    peer: Option<Extension<PeerAddress>>,
    headers: HeaderMap,
    handshake: WebSocketUpgrade,
) -> Result<Response, Problem> {
    let unavailable = |code, message: &str| Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, message);
    if context.is_stopping() {
        return Err(unavailable(ErrorCode::ShuttingDown, "this edge is shutting down; use another"));
    }
    let Ok(slot) = Arc::clone(&context.slots).try_acquire_owned() else {
        context.counters.overloaded.fetch_add(1, Ordering::Relaxed);
        return Err(unavailable(ErrorCode::Overloaded, "this edge has as many connections as it takes; use another, or try later"));
    };
    let most = context.config.max_connections_per_address.0;
    let Some(place) = context.addresses.enter(peer.map(|Extension(peer)| peer), most) else {
        context.counters.crowded.fetch_add(1, Ordering::Relaxed);
        let message = format!("{most} connections of your address are open here already (max_connections_per_address); close some");
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::LimitReached, message).retry_later(5));
    };
    // What axum has looked at: that it is a WebSocket's handshake, and on a connection that can be upgraded. What follows it does
    // only with buffers that stay (`socket`).
    let (Some(Extension(upgraded)), Some(key)) = (upgraded, headers.get(header::SEC_WEBSOCKET_KEY)) else {
        return Err(Problem::new(StatusCode::UPGRADE_REQUIRED, ErrorCode::BadMessage, "this is for WebSockets over HTTP/1.1"));
    };
    let choice = choose(handshake.requested_protocols());
    let mut response = Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_ACCEPT, derive_accept_key(key.as_bytes()));
    if let Some(protocol) = choice.answer {
        response = response.header(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    let response = response.body(Body::empty());
    let response = response.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, ErrorCode::BadMessage, error.to_string()))?;
    let connection = Connection::new(context, choice.encoding, parameters.room);
    tokio::spawn(async move {
        // Whoever goes before the upgrade is done has sent nothing.
        if let Ok(upgraded) = upgraded.await {
            let refusal = (!choice.known).then(|| {
                let message = format!("none of the offered subprotocols is known here; ask for {SUBPROTOCOL_CBOR} or {SUBPROTOCOL_JSON}");
                ErrorInfo::new(ErrorCode::UnsupportedVersion, message)
            });
            connection.run(Socket::new(TokioIo::new(upgraded), MAX_MESSAGE_BYTES), refusal).await;
        }
        drop((slot, place));
    });
    Ok(response)
}

/// How to speak.
struct Choice {
    encoding: Encoding,
    /// For the handshake.
    answer: Option<HeaderValue>,
    /// Something we know was offered, or nothing at all.
    known: bool,
}

/// CBOR if offered, else JSON if offered or if nothing was.
///
/// An unknown name is answered with itself: browsers drop a connection whose subprotocols all go unanswered, and the page would learn
/// nothing. So a client of another version gets its `closed: unsupported-version`, in the encoding that its name ends with.
fn choose<'a>(offered: impl Iterator<Item = &'a HeaderValue>) -> Choice {
    let offered: Vec<&HeaderValue> = offered.filter(|name| !name.is_empty()).collect();
    let known = [(SUBPROTOCOL_CBOR, Encoding::Cbor), (SUBPROTOCOL_JSON, Encoding::Json)];
    for (name, encoding) in known {
        if offered.iter().any(|offer| offer.as_bytes() == name.as_bytes()) {
            return Choice { encoding, answer: Some(HeaderValue::from_static(name)), known: true };
        }
    }
    let ours = |name: &&&HeaderValue| name.as_bytes().starts_with(b"nearcast.");
    let answer = offered.iter().find(ours).or_else(|| offered.first()).map(|name| (*name).clone());
    let encoding = match &answer {
        Some(name) if name.as_bytes().ends_with(b".cbor") => Encoding::Cbor,
        _ => Encoding::Json,
    };
    Choice { encoding, known: answer.is_none(), answer }
}

#[cfg(test)]
mod tests;
