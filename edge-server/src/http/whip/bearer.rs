//! Whose request it is.

use super::Problem;
use super::offer::Purpose;
use crate::clock;
use crate::edge::Context;
use crate::token::{Claims, Expiry, TokenFault};
use axum::http::{HeaderMap, StatusCode, header};
use nearcast_protocol::ErrorCode;

/// A token that is valid for the room in the URL.
#[derive(Debug)]
pub struct Bearer {
    /// What it grants.
    pub claims: Claims,
}

impl Bearer {
    /// The bearer of a request that begins something.
    ///
    /// # Errors
    /// 401 without a valid token, 403 with one for another room.
    pub fn of(context: &Context, headers: &HeaderMap, room: &str) -> Result<Self, Problem> {
        Self::verified(context, headers, room, Expiry::Enforced)
    }

    /// The bearer of a request about a session that runs: who came in with a token may go on and leave with it, however old it is.
    ///
    /// # Errors
    /// As [`Bearer::of`].
    pub fn of_anytime(context: &Context, headers: &HeaderMap, room: &str) -> Result<Self, Problem> {
        Self::verified(context, headers, room, Expiry::Waived)
    }

    fn verified(context: &Context, headers: &HeaderMap, room: &str, expiry: Expiry) -> Result<Self, Problem> {
        let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let Some(token) = authorization.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")) else {
            let message = "send `Authorization: Bearer TOKEN`, with a token for this room (docs/tokens.md)";
            let problem = Problem::new(StatusCode::UNAUTHORIZED, ErrorCode::TokenInvalid, message);
            return Err(problem.header("www-authenticate", "Bearer"));
        };
        let claims = context.keyring.verify(token.1.trim(), clock::unix(), expiry).map_err(|fault| {
            let problem = Problem::with(StatusCode::UNAUTHORIZED, fault.info());
            problem.header("www-authenticate", "Bearer error=\"invalid_token\"")
        })?;
        if claims.room != room {
            return Err(Problem::with(StatusCode::FORBIDDEN, TokenFault::WrongRoom.info()));
        }
        Ok(Self { claims })
    }

    /// Whether the token grants what the session is for.
    ///
    /// # Errors
    /// 403.
    pub fn may(&self, purpose: Purpose) -> Result<(), Problem> {
        let (granted, message) = match purpose {
            Purpose::Publish => (self.claims.can_publish, "the token doesn't grant publishing (can_publish)"),
            Purpose::Play => (self.claims.can_subscribe, "the token doesn't grant receiving (can_subscribe)"),
        };
        if granted { Ok(()) } else { Err(Problem::new(StatusCode::FORBIDDEN, ErrorCode::NotPermitted, message)) }
    }
}
