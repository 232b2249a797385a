//! Where signalling stands: one socket at a time, from opening it to being joined. The transitions are in `session`; here are the states.

use crate::recovery::heartbeat::Heartbeat;
use crate::{MonoTime, SocketId};
use alloc::string::String;

/// The signalling connection.
#[derive(Debug)]
pub(crate) enum Link {
    /// No socket. The next attempt begins then; never: before the start and after the end.
    Down {
        /// When the next attempt begins.
        retry_at: Option<MonoTime>,
    },
    /// The socket opens while the token is fetched.
    Opening {
        socket: SocketId,
        open: bool,
        token: Option<String>,
        /// Leads to another edge, only to see whether any answers.
        scout: bool,
        since: MonoTime,
        /// The attempt has failed then.
        until: MonoTime,
    },
    /// `join` was sent with this request id.
    Joining { socket: SocketId, join: u32, until: MonoTime },
    /// Joined: requests may be sent.
    Up { socket: SocketId, heartbeat: Heartbeat },
}

impl Link {
    /// The socket that exists now.
    pub(crate) fn socket(&self) -> Option<SocketId> {
        match self {
            Self::Down { .. } => None,
            Self::Opening { socket, .. } | Self::Joining { socket, .. } | Self::Up { socket, .. } => Some(*socket),
        }
    }

    /// Requests may be sent.
    pub(crate) fn is_up(&self) -> bool {
        matches!(self, Self::Up { .. })
    }

    /// Up, and heard since media fell silent.
    pub(crate) fn is_proven(&self) -> bool {
        matches!(self, Self::Up { heartbeat, .. } if heartbeat.is_proven())
    }

    pub(crate) fn poll_timeout(&self) -> Option<MonoTime> {
        match self {
            Self::Down { retry_at } => *retry_at,
            Self::Opening { until, .. } | Self::Joining { until, .. } => Some(*until),
            Self::Up { heartbeat, .. } => Some(heartbeat.poll_timeout()),
        }
    }
}
