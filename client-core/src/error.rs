//! Why a request or a session failed, as the façade hears it.

use alloc::string::String;
use nearcast_protocol::{ErrorCode, ErrorInfo};

/// Why, for programs. What the edge says, and what only this side can know.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Code {
    /// The edge refused.
    Edge(ErrorCode),
    /// No connection to the edge could be opened.
    EdgeUnreachable,
    /// The edge didn't let us in in time.
    JoinTimeout,
    /// Signalling was gone for too long, or the edge has forgotten the session.
    SessionLost,
    /// The app's token function failed.
    TokenUnavailable,
    /// The session is over: it was left.
    RoomLeft,
    /// An argument is out of its range.
    BadArgument,
    /// A data message or its topic is too long.
    DataTooLarge,
}

impl Code {
    /// The name that apps see.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Edge(code) => code.name(),
            Self::EdgeUnreachable => "edge-unreachable",
            Self::JoinTimeout => "join-timeout",
            Self::SessionLost => "session-lost",
            Self::TokenUnavailable => "token-unavailable",
            Self::RoomLeft => "room-left",
            Self::BadArgument => "bad-argument",
            Self::DataTooLarge => "data-too-large",
        }
    }

    const fn is_retryable(self) -> bool {
        match self {
            Self::Edge(code) => code.is_retryable(),
            Self::EdgeUnreachable | Self::JoinTimeout | Self::SessionLost | Self::TokenUnavailable => true,
            Self::RoomLeft | Self::BadArgument | Self::DataTooLarge => false,
        }
    }
}

/// A refusal or an end.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionError {
    /// Why, for programs.
    pub code: Code,
    /// Why and what to do, for people; empty: the façade has its own text for the code.
    pub message: String,
    /// The same call may succeed later.
    pub retryable: bool,
    /// With `retryable`: not before this many milliseconds.
    pub retry_after_ms: Option<u32>,
}

impl From<Code> for SessionError {
    fn from(code: Code) -> Self {
        Self { code, message: String::new(), retryable: code.is_retryable(), retry_after_ms: None }
    }
}

impl From<ErrorCode> for SessionError {
    fn from(code: ErrorCode) -> Self {
        Code::Edge(code).into()
    }
}

impl From<ErrorInfo> for SessionError {
    fn from(error: ErrorInfo) -> Self {
        Self { code: Code::Edge(error.code), message: error.message, retryable: error.retryable, retry_after_ms: error.retry_after_ms }
    }
}
