//! Ways that media can take: through the edge or directly, and the servers that help to find one.

use alloc::{string::String, vec::Vec};
use minicbor::{Decode, Encode};

/// How media goes in a room.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[cbor(index_only)]
pub enum RoomMode {
    /// Through the edge.
    #[default]
    #[n(0)]
    Sfu,
    /// From participant to participant; the edge carries signalling only.
    #[n(1)]
    P2p,
}

/// One STUN or TURN server (RFC 7064, RFC 7065).
#[derive(Clone, Debug, Decode, Encode, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cbor(map)]
pub struct IceServer {
    /// `stun:`, `turn:` and `turns:` addresses of one server.
    #[n(0)]
    pub urls: Vec<String>,
    /// TURN: until when they hold, and for whom.
    #[n(1)]
    #[cfg_attr(feature = "json", serde(default))]
    pub username: Option<String>,
    /// TURN.
    #[n(2)]
    #[cfg_attr(feature = "json", serde(default))]
    pub credential: Option<String>,
    /// Seconds for which the credential holds, from now; fresh ones come before (`ice_servers`).
    #[n(3)]
    #[cfg_attr(feature = "json", serde(default))]
    pub lifetime_s: Option<u32>,
}
