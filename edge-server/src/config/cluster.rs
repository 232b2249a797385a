//! This edge among others. Nothing here is resolved or contacted.

use super::values::Setting;
use cluster_core::{NodeId, Region};

/// The address of a Redis server; none: this edge is alone. It may have a password: never printed.
#[derive(Clone, Default, PartialEq)]
pub struct RedisUrl(pub Option<String>);

impl core::fmt::Debug for RedisUrl {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str(&self.text())
    }
}

impl Setting for RedisUrl {
    const PUBLIC: bool = false;

    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self(None));
        }
        // Not what the library says of it: that repeats the address, and with it the password.
        match redis::parse_redis_url(text) {
            Some(_) if redis::Client::open(text).is_ok() => Ok(Self(Some(text.to_owned()))),
            _ => {
                Err("is no address of a Redis server; write redis://HOST:PORT, redis://:PASSWORD@HOST:PORT/DATABASE or unix:///PATH"
                    .to_owned())
            }
        }
    }

    fn text(&self) -> String {
        if self.0.is_some() { "(secret)".to_owned() } else { String::new() }
    }
}

/// Which edge this is; none: a name is made up at each start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EdgeId(pub Option<NodeId>);

impl Setting for EdgeId {
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            Ok(Self(None))
        } else {
            NodeId::parse(text).map(|id| Self(Some(id))).map_err(|error| format!("is none: {error}"))
        }
    }

    fn text(&self) -> String {
        self.0.as_ref().map(ToString::to_string).unwrap_or_default()
    }
}

/// Where this edge stands.
#[derive(Clone, Debug, PartialEq)]
pub struct InRegion(pub Region);

impl Setting for InRegion {
    fn parse(text: &str) -> Result<Self, String> {
        Region::parse(text).map(Self).map_err(|error| format!("is none: {error}"))
    }

    fn text(&self) -> String {
        self.0.to_string()
    }
}
