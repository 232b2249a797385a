//! Every refusal. Numbers are wire format: add, never renumber.

use alloc::string::String;
use minicbor::{Decode, Encode};

/// A refusal as it travels.
#[derive(Clone, Debug, Decode, Encode, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cbor(map)]
pub struct ErrorInfo {
    /// Why, for programs.
    #[n(0)]
    pub code: ErrorCode,
    /// Why and what to do, for people.
    #[n(1)]
    pub message: String,
    /// The same request may succeed later, unchanged.
    #[n(2)]
    pub retryable: bool,
    /// With `retryable`: not before this many milliseconds.
    #[n(3)]
    pub retry_after_ms: Option<u32>,
    /// Where to go instead, with the same token: an edge's address as `connect` takes it.
    #[n(4)]
    pub edge: Option<String>,
}

impl ErrorInfo {
    /// An error whose `retryable` is that of its code.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retryable: code.is_retryable(), retry_after_ms: None, edge: None }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal, retryable: $retryable:literal;)*) => {
        /// Why something was refused.
        #[derive(Clone, Copy, Debug, Decode, Encode, Eq, Hash, PartialEq)]
        #[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
        #[cbor(index_only)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[$doc])* #[n($number)] #[cfg_attr(feature = "json", serde(rename = $name))] $variant,)*
        }

        impl ErrorCode {
            /// All codes, for documentation and tests.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name that the SDK and JSON use.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// The number on the wire.
            #[must_use]
            pub const fn number(self) -> u16 {
                match self { $(Self::$variant => $number),* }
            }

            /// Whether the same request can succeed later.
            #[must_use]
            pub const fn is_retryable(self) -> bool {
                match self { $(Self::$variant => $retryable),* }
            }
        }
    };
}

codes! {
    /// Not a message of this protocol, or out of order. Remedy: check the client's version.
    BadMessage = 1, "bad-message", retryable: false;
    /// Neither subprotocol was offered. Remedy: ask for `nearcast.v1.cbor` or `nearcast.v1.json`.
    UnsupportedVersion = 2, "unsupported-version", retryable: false;
    /// A request before `join`, or a second `join`.
    OutOfOrder = 3, "out-of-order", retryable: false;
    /// More than the edge allows of something; the message says of what.
    LimitReached = 4, "limit-reached", retryable: false;

    /// Not a token, signed with another key, or with an algorithm that isn't HS256. Remedy: mint one with the edge's key.
    TokenInvalid = 10, "token-invalid", retryable: false;
    /// Remedy: fetch a new token; this one cannot work again.
    TokenExpired = 11, "token-expired", retryable: false;
    /// Not valid yet. Remedy: wait, or compare clocks.
    TokenNotYetValid = 12, "token-not-yet-valid", retryable: true;
    /// The token's key id is none of the edge's. Remedy: sign with a current key.
    TokenKeyUnknown = 13, "token-key-unknown", retryable: false;
    /// The token is for another room.
    TokenWrongRoom = 14, "token-wrong-room", retryable: false;

    /// The grants of the token don't cover this.
    NotPermitted = 20, "not-permitted", retryable: false;
    /// No such session: it ended or its resume window passed. Remedy: join anew.
    SessionUnknown = 21, "session-unknown", retryable: false;
    /// The same identity joined from elsewhere.
    DuplicateIdentity = 22, "duplicate-identity", retryable: false;
    /// Removed by a moderator.
    Removed = 23, "removed", retryable: false;
    /// The room has as many participants as it may.
    RoomFull = 24, "room-full", retryable: true;
    /// The room was ended.
    RoomClosed = 25, "room-closed", retryable: false;
    /// No such publication (any more).
    PublicationUnknown = 26, "publication-unknown", retryable: false;
    /// No such participant (any more), or none that can be reached now; `retryable` tells which.
    ParticipantUnknown = 27, "participant-unknown", retryable: false;
    /// A moderator locked the room: nobody new gets in until it is unlocked.
    RoomLocked = 28, "room-locked", retryable: true;

    /// The session description could not be read; the message says where.
    BadSdp = 30, "bad-sdp", retryable: false;
    /// No codec in common for a section.
    NoCommonCodec = 31, "no-common-codec", retryable: false;
    /// ICE or DTLS failed or fell silent. Remedy: new transport.
    TransportFailed = 32, "transport-failed", retryable: true;

    /// The edge takes no more for now. Remedy: another edge, or later.
    Overloaded = 40, "overloaded", retryable: true;
    /// The edge is going away. Remedy: another edge.
    ShuttingDown = 41, "shutting-down", retryable: true;
    /// A fault of the edge; it is logged there.
    Internal = 42, "internal", retryable: true;
    /// The room is on another edge, which `edge` names. Remedy: join there, with the same token.
    Elsewhere = 43, "elsewhere", retryable: true;
}
