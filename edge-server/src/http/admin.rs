//! Who may look at what concerns the whole edge.

use super::problem::Problem;
use crate::clock;
use crate::edge::Context;
use crate::token::Expiry;
use axum::http::{HeaderMap, StatusCode, header};
use nearcast_protocol::ErrorCode;

/// The role that may look.
pub const ADMIN: &str = "admin";

/// Lets everybody through in development, else whoever bears a token with the role `admin`, whatever room it is for.
///
/// # Errors
/// 401 without a valid token, 403 with another role. `what` begins the sentence: "statistics".
pub fn authorize(context: &Context, headers: &HeaderMap, what: &str) -> Result<(), Problem> {
    if context.config.dev.0 {
        return Ok(());
    }
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix("Bearer "));
    let Some(token) = bearer else {
        let message =
            format!("{what} need `Authorization: Bearer TOKEN`; mint one: nearcast-edge token --room any --identity me --role {ADMIN}");
        return Err(Problem::new(StatusCode::UNAUTHORIZED, ErrorCode::TokenInvalid, message));
    };
    let claims = context.keyring.verify(token.trim(), clock::unix(), Expiry::Enforced);
    let claims = claims.map_err(|fault| Problem::with(StatusCode::UNAUTHORIZED, fault.info()))?;
    if claims.role.as_deref() == Some(ADMIN) {
        Ok(())
    } else {
        let message = format!("{what} are for tokens with the role `{ADMIN}`; mint one with --role {ADMIN}");
        Err(Problem::new(StatusCode::FORBIDDEN, ErrorCode::NotPermitted, message))
    }
}
