//! Whether an edge's door opens, before people are sent there: its port takes a TCP connection.
//!
//! A process that was killed registers for up to ten seconds more; its port refuses at once. A door that has never opened for this edge says
//! nothing, since there may be no way between the two that clients have: only one that used to open and doesn't is shut.
//!
//! Bounds: an answer within [`PATIENCE`], and four knocks a second at each edge.

use axum::http::Uri;
use cluster_core::members::MOST_NODES;
use cluster_core::{Node, NodeId};
use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use tokio::net::TcpStream;

/// How long a door may take to open. Guess: the longest round trip on earth; a region's own need a millisecond.
const PATIENCE: Duration = Duration::from_millis(250);

/// What was seen holds for so long.
const HOLDS: Duration = Duration::from_millis(250);

#[derive(Clone, Copy, Debug)]
struct Seen {
    incarnation: u64,
    at: Instant,
    opens: bool,
    has_opened: bool,
}

/// What is known of doors.
#[derive(Debug, Default)]
pub(super) struct Doors {
    seen: Mutex<HashMap<NodeId, Seen>>,
}

impl Doors {
    /// Whether it makes sense to send somebody there.
    pub(super) async fn open(&self, now: Instant, node: &Node) -> bool {
        if let Some(seen) = self.seen(node).filter(|seen| now.saturating_duration_since(seen.at) < HOLDS) {
            return seen.opens || !seen.has_opened;
        }
        let opens = knock(&node.client_url).await;
        let has_opened = opens || self.seen(node).is_some_and(|seen| seen.has_opened);
        let mut doors = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if doors.len() >= MOST_NODES {
            doors.clear();
        }
        doors.insert(node.id.clone(), Seen { incarnation: node.incarnation, at: now, opens, has_opened });
        opens || !has_opened
    }

    /// Nobody has knocked there yet with success.
    pub(super) fn is_new(&self, node: &Node) -> bool {
        !self.seen(node).is_some_and(|seen| seen.has_opened)
    }

    fn seen(&self, node: &Node) -> Option<Seen> {
        let doors = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        doors.get(&node.id).copied().filter(|seen| seen.incarnation == node.incarnation)
    }
}

async fn knock(url: &str) -> bool {
    let Some((host, port)) = door(url) else { return false };
    let connect = TcpStream::connect((host, port));
    tokio::time::timeout(PATIENCE, connect).await.is_ok_and(|connected| connected.is_ok())
}

/// Host and port of an address as `connect` takes it.
fn door(url: &str) -> Option<(String, u16)> {
    let uri: Uri = url.parse().ok()?;
    let port = uri.port_u16().or(match uri.scheme_str()? {
        "https" | "wss" => Some(443),
        "http" | "ws" => Some(80),
        _ => None,
    })?;
    Some((uri.host()?.trim_matches(['[', ']']).to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_is_where_the_address_says() {
        let door = |url| door(url).map(|(host, port)| format!("{host} {port}"));
        assert_eq!(door("https://a.example").as_deref(), Some("a.example 443"));
        assert_eq!(door("wss://a.example:8443/edge").as_deref(), Some("a.example 8443"));
        assert_eq!(door("http://[::1]").as_deref(), Some("::1 80"));
        assert_eq!(door("a.example"), None);
    }
}
