//! Why a call with the native client failed, and what to do about it.

use nearcast_protocol::ErrorInfo;
use std::path::PathBuf;
use std::time::Duration;

/// Everything that can go wrong between starting and the report.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Remedy: start the edge, and give the address that its ready line prints.
    #[error("no edge answers at {url}: {why}. Remedy: start nearcast-edge and give ws://HOST:PORT/v1/signal")]
    Unreachable {
        /// As given.
        url: String,
        /// The WebSocket's or the socket's own words.
        why: String,
    },
    /// The edge's own words say what to change.
    #[error("the edge refused: {} ({})", .0.message, .0.code.name())]
    Refused(ErrorInfo),
    /// A file that cannot be read, written, or isn't what its name says.
    #[error("{}: {why}", path.display())]
    Media {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Something took longer than it may.
    #[error("not within {limit:?}: {what}")]
    Late {
        /// What was waited for.
        what: String,
        /// How long.
        limit: Duration,
    },
    /// From the `webrtc` crate.
    #[error("webrtc: {0}")]
    WebRtc(#[from] webrtc::error::Error),
    /// The edge sent something that has no place here: a fault of the edge or of this client.
    #[error("protocol: {0}")]
    Protocol(String),
    /// The edge closed the session, or the connection broke.
    #[error("the session is over: {0}")]
    Ended(String),
}
