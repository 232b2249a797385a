//! Who may enter which room, as a JWT (RFC 7519) signed with HMAC-SHA256: minted by the application's server, verified here.
//!
//! In: a token's text and the time. Out: [`Claims`], or a [`TokenFault`] that maps to one error code of the protocol. What the claims
//! mean for foreign code is in docs/tokens.md.
//!
//! Invariants, each with a row in `token/tests.rs`:
//! * nothing but HS256 is accepted, whatever the header says; `alg: none` is not an algorithm;
//! * the key is chosen by `kid`; without `kid` only where there is one key to choose;
//! * no claim is looked at before the signature has been verified.
//!
//! The clock is an argument; `jsonwebtoken` would read its own, so it verifies signatures only and times are checked here.
//! Not here: what a participant may do with its permissions (`sfu-core`).

pub mod claims;
pub mod keyring;

pub use claims::{Claims, Grants};
pub use keyring::{Expiry, Keyring};

use core::time::Duration;
use nearcast_protocol::{ErrorCode, ErrorInfo};

/// How far the clocks of the minting server and the edge may be apart. Guess: machines on NTP are within a second of each other;
/// ten leave room for one that has just booted, and shorten no token noticeably.
pub const LEEWAY: Duration = Duration::from_secs(10);

/// Longest token in bytes. Guess: ours have 300; the longest room, identity, name and role make 1100.
pub const LONGEST_TOKEN: usize = 4096;

/// Why a token was refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TokenFault {
    /// Not a token, signed with another secret, another algorithm, or with claims that make no sense.
    #[error("the token is not valid: {0}")]
    Invalid(String),
    /// Its `exp` has passed.
    #[error("the token expired {} ago; fetch a new one from the application's server", humantime::format_duration(*.0))]
    Expired(Duration),
    /// Its `nbf` is yet to come.
    #[error("the token becomes valid in {}; wait, or compare the clocks of the minting server and the edge", humantime::format_duration(*.0))]
    NotYetValid(Duration),
    /// Its `kid` names no key of this edge, or is missing where several keys make it necessary.
    #[error("{0}")]
    KeyUnknown(String),
    /// It is for another room than the one in the URL.
    #[error("the token is for another room than the one in the URL; fetch one for this room")]
    WrongRoom,
}

impl TokenFault {
    /// The protocol's code for it.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Invalid(_) => ErrorCode::TokenInvalid,
            Self::Expired(_) => ErrorCode::TokenExpired,
            Self::NotYetValid(_) => ErrorCode::TokenNotYetValid,
            Self::KeyUnknown(_) => ErrorCode::TokenKeyUnknown,
            Self::WrongRoom => ErrorCode::TokenWrongRoom,
        }
    }

    /// As it travels. A token that isn't valid yet says when to come back.
    #[must_use]
    pub fn info(&self) -> ErrorInfo {
        let mut info = ErrorInfo::new(self.code(), self.to_string());
        if let Self::NotYetValid(wait) = self {
            info.retry_after_ms = u32::try_from(wait.as_millis()).ok();
        }
        info
    }
}

#[cfg(test)]
mod tests;
