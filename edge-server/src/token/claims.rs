//! What a token says.

use super::TokenFault;
use crate::config::Config;
use core::time::Duration;
use nearcast_protocol::{ErrorCode, ErrorInfo, Permissions};
use serde::{Deserialize, Deserializer, Serialize};
use sfu_core::{Admission, ModePolicy};

/// Longest room name and identity, in bytes. Guess: a UUID has 36, a mail address up to 254 but hardly ever 128.
pub const LONGEST_ID: usize = 128;

/// Longest display name, in bytes.
pub const LONGEST_NAME: usize = 256;

/// Longest role, in bytes.
pub const LONGEST_ROLE: usize = 64;

/// Longest name of a policy, in bytes.
pub const LONGEST_POLICY: usize = 64;

/// Longest life that [`Grants::claims`] gives a token: a month. Longer needs are better served by minting anew.
pub const LONGEST_LIFE: Duration = Duration::from_secs(31 * 24 * 3600);

/// The payload of a token. Claims we don't know are passed over, so that one token can serve other systems too.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Claims {
    /// The one room that may be entered: 1 to 128 bytes.
    pub room: String,
    /// The identity: 1 to 128 bytes, unique in the room; who joins with one that is there replaces it.
    pub sub: String,
    /// What others see: up to 256 bytes; the identity if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Free text for the application, shown to others: up to 64 bytes. `admin` opens the edge's statistics and rooms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// May publish tracks.
    #[serde(default = "yes")]
    pub can_publish: bool,
    /// May receive tracks.
    #[serde(default = "yes")]
    pub can_subscribe: bool,
    /// May send data messages.
    #[serde(default = "yes")]
    pub can_publish_data: bool,
    /// May moderate the room: remove, mute, lock, end.
    #[serde(default)]
    pub can_moderate: bool,
    /// Name of the forwarding policy (`policies` of the configuration) that the room goes by: 1 to 64 bytes. What the first participant's token
    /// names holds for all; a later one may name no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// How the room's media goes, if this is its first participant; as configured (`room_mode`) if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<ModePolicy>,
    /// Participants that the room takes: 1 and up. What the first participant's token says holds for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_participants: Option<u32>,
    /// Seconds since 1970 from which on the token opens nothing.
    #[serde(deserialize_with = "numeric_date")]
    pub exp: u64,
    /// Seconds since 1970 before which the token opens nothing.
    #[serde(default, deserialize_with = "optional_numeric_date", skip_serializing_if = "Option::is_none")]
    pub nbf: Option<u64>,
    /// Seconds since 1970 at which it was minted; for people, not checked.
    #[serde(default, deserialize_with = "optional_numeric_date", skip_serializing_if = "Option::is_none")]
    pub iat: Option<u64>,
}

impl Claims {
    /// Checks lengths and characters.
    pub(super) fn check(self) -> Result<Self, TokenFault> {
        bounded("room", &self.room, 1, LONGEST_ID)?;
        bounded("sub (the identity)", &self.sub, 1, LONGEST_ID)?;
        bounded("name", self.name.as_deref().unwrap_or_default(), 0, LONGEST_NAME)?;
        bounded("role", self.role.as_deref().unwrap_or_default(), 0, LONGEST_ROLE)?;
        bounded("policy", self.policy.as_deref().unwrap_or("-"), 1, LONGEST_POLICY)?;
        if self.max_participants == Some(0) {
            return Err(TokenFault::Invalid("max_participants is 0, which lets nobody in".to_owned()));
        }
        Ok(self)
    }

    /// The grants as the protocol counts them.
    #[must_use]
    pub fn permissions(&self) -> Permissions {
        Permissions {
            publish: self.can_publish,
            subscribe: self.can_subscribe,
            publish_data: self.can_publish_data,
            moderate: self.can_moderate,
        }
    }

    /// What the media plane is told of whoever bears this token.
    ///
    /// # Errors
    /// A policy that this edge doesn't know: without it, more would be forwarded than the application meant.
    pub fn admission(self, config: &Config) -> Result<Admission, ErrorInfo> {
        let unknown = |name: &str| {
            let why = format!("the token names the policy {name:?}, which this edge has not: add it to `policies` in its configuration");
            ErrorInfo::new(ErrorCode::NotPermitted, why)
        };
        let named = |name: &String| config.policies.named(name).cloned().ok_or_else(|| unknown(name));
        Ok(Admission {
            name: self.shown_name().to_owned(),
            permissions: self.permissions(),
            mode: self.mode.unwrap_or(config.room_mode.0),
            max_participants: self.max_participants,
            forwarding: self.policy.as_ref().map(named).transpose()?,
            room: self.room,
            identity: self.sub,
            role: self.role,
        })
    }

    /// What others see.
    #[must_use]
    pub fn shown_name(&self) -> &str {
        self.name.as_deref().filter(|name| !name.is_empty()).unwrap_or(&self.sub)
    }
}

/// What somebody who mints a token decides.
#[derive(Clone, Debug)]
pub struct Grants {
    /// The room.
    pub room: String,
    /// Who.
    pub identity: String,
    /// What others see.
    pub name: Option<String>,
    /// Free text for the application.
    pub role: Option<String>,
    /// What may be done.
    pub permissions: Permissions,
    /// How the room's media goes.
    pub mode: Option<ModePolicy>,
    /// Participants that the room takes.
    pub max_participants: Option<u32>,
    /// Name of the forwarding policy.
    pub policy: Option<String>,
    /// How long the token opens the room, from now.
    pub ttl: Duration,
}

impl Grants {
    /// The claims of a token minted at `now` (since 1970).
    ///
    /// # Errors
    /// A text that is too long or has control characters, or a life outside 1 s to 31 days.
    pub fn claims(self, now: Duration) -> Result<Claims, TokenFault> {
        if self.ttl < Duration::from_secs(1) || self.ttl > LONGEST_LIFE {
            return Err(TokenFault::Invalid("its life (ttl) is outside 1s to 31 days".to_owned()));
        }
        let claims = Claims {
            room: self.room,
            sub: self.identity,
            name: self.name,
            role: self.role,
            can_publish: self.permissions.publish,
            can_subscribe: self.permissions.subscribe,
            can_publish_data: self.permissions.publish_data,
            can_moderate: self.permissions.moderate,
            policy: self.policy,
            mode: self.mode,
            max_participants: self.max_participants,
            exp: now.saturating_add(self.ttl).as_secs(),
            nbf: None,
            iat: Some(now.as_secs()),
        };
        claims.check()
    }
}

/// Control characters are refused since names end up in logs and on screens.
fn bounded(what: &str, text: &str, least: usize, most: usize) -> Result<(), TokenFault> {
    if !(least..=most).contains(&text.len()) {
        return Err(TokenFault::Invalid(format!("{what} has {} bytes, outside {least} to {most}", text.len())));
    }
    if text.chars().any(char::is_control) {
        return Err(TokenFault::Invalid(format!("{what} has control characters")));
    }
    Ok(())
}

fn yes() -> bool {
    true
}

/// A NumericDate (RFC 7519 §2): seconds, possibly with a fraction. Times before 1970 count as 1970.
fn numeric_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let number = serde_json::Number::deserialize(deserializer)?;
    if let Some(seconds) = number.as_u64() {
        return Ok(seconds);
    }
    // JSON has no infinities, so what is left is negative or has a fraction: Duration refuses what it can't hold.
    let seconds = number.as_f64().unwrap_or_default().max(0.0);
    Duration::try_from_secs_f64(seconds).map(|time| time.as_secs()).map_err(|_| serde::de::Error::custom("time out of range"))
}

fn optional_numeric_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    numeric_date(deserializer).map(Some)
}
