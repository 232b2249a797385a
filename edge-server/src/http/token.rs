//! `POST /v1/token`, in development only: a token for whoever asks, so that a page can be tried without an application server.

use super::problem::Problem;
use crate::clock;
use crate::config::keys::Key;
use crate::token::{Grants, keyring};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use core::time::Duration;
use nearcast_protocol::{ErrorCode, Permissions};
use serde::Deserialize;
use serde_json::{Value, json};
use sfu_core::ModePolicy;

/// Life of a token when nothing is said.
pub const DEFAULT_LIFE: Duration = Duration::from_secs(3600);

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    room: String,
    identity: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    role: Option<String>,
    #[serde(default)]
    ttl: Option<Life>,
    #[serde(default)]
    can_publish: Option<bool>,
    #[serde(default)]
    can_subscribe: Option<bool>,
    #[serde(default)]
    can_publish_data: Option<bool>,
    #[serde(default)]
    can_moderate: bool,
    #[serde(default)]
    policy: Option<String>,
    #[serde(default)]
    mode: Option<ModePolicy>,
    #[serde(default)]
    max_participants: Option<u32>,
}

/// `3600` or `"1h"`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Life {
    Seconds(u64),
    Text(String),
}

impl Wish {
    fn grants(self) -> Result<Grants, String> {
        let ttl = match self.ttl {
            None => DEFAULT_LIFE,
            Some(Life::Seconds(seconds)) => Duration::from_secs(seconds),
            Some(Life::Text(text)) => humantime::parse_duration(&text)
                .map_err(|_| format!("ttl = {text:?} is not a time; write seconds as a number, or text such as \"1h\""))?,
        };
        let permissions = Permissions {
            publish: self.can_publish.unwrap_or(true),
            subscribe: self.can_subscribe.unwrap_or(true),
            publish_data: self.can_publish_data.unwrap_or(true),
            moderate: self.can_moderate,
        };
        Ok(Grants {
            room: self.room,
            identity: self.identity,
            name: self.name,
            role: self.role,
            permissions,
            mode: self.mode,
            max_participants: self.max_participants,
            policy: self.policy,
            ttl,
        })
    }
}

/// Mints one with the development key.
///
/// # Errors
/// 400 with what is wrong in the request.
pub async fn mint(body: Result<Json<Wish>, JsonRejection>) -> Result<Json<Value>, Problem> {
    let refuse = |message: String| Problem::new(StatusCode::BAD_REQUEST, ErrorCode::BadMessage, message);
    let Json(wish) = body.map_err(|rejection| {
        refuse(format!("{}; send {{\"room\", \"identity\"}} and perhaps name, role, ttl, can_publish…", rejection.body_text()))
    })?;
    let grants = wish.grants().map_err(refuse)?;
    let claims = grants.claims(clock::unix()).map_err(|fault| refuse(fault.to_string()))?;
    let token = keyring::mint(&Key::development(), &claims).map_err(|fault| refuse(fault.to_string()))?;
    Ok(Json(json!({ "token": token })))
}
