//! The signalling language that both halves of Nearcast speak.
//!
//! In: nothing but values and bytes. Out: the same. No sockets, no clocks, no behaviour: what a message *does* is decided in
//! `sfu-core` (edge) and `client-core` (browser).
//!
//! * [`client`]: what a participant says to the edge, each request with an id that its reply repeats;
//! * [`server`]: what the edge says to a participant;
//! * [`layers`]: how much of a video is wanted, what is got and why;
//! * [`moderation`]: what a moderator may do to a room;
//! * [`quality`]: how well participants are connected, and [`route`]: ways that media can take;
//! * [`data`]: the frame that travels inside data channels;
//! * [`error`]: every refusal, as a number that never changes meaning, with a name and whether trying again can help;
//! * [`wire`]: two encodings of the same messages, chosen by WebSocket subprotocol: compact CBOR
//!   ([`SUBPROTOCOL_CBOR`], RFC 8949) for the SDK, JSON ([`SUBPROTOCOL_JSON`]) for people and foreign clients.
//!
//! Rules that keep versions N and N+1 in one room: fields are only ever added, always optional, and numbered (`#[n(…)]`) once and
//! for all; a decoder skips fields it doesn't know; a message of an unknown kind is reported as such and skipped by both halves.

// No standard library in browsers: it brings the formatting of panics along (docs/decisions/011).
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

pub mod client;
pub mod data;
pub mod error;
pub mod ids;
pub mod layers;
pub mod moderation;
pub mod quality;
pub mod route;
pub mod server;
pub mod wire;

pub use client::{ClientEnvelope, ClientMessage, Continues, Join, MAX_PEER_PAYLOAD, MediaOffer, PublishIntent, Resume};
pub use data::{DataFrame, LOSSY_CHANNEL, MAX_DATA_PAYLOAD, RELIABLE_CHANNEL};
pub use error::{ErrorCode, ErrorInfo};
pub use ids::{Mid, ParticipantId, PublicationId, SessionId};
pub use layers::{EncodingDemand, LayerReason, LayerState, Priority, Wish};
pub use moderation::{MAX_MODERATION_TARGET, Moderation, ModerationAction};
pub use quality::{ParticipantQuality, QualityCause, QualityLevel};
pub use route::{IceServer, RoomMode};
pub use server::{
    Joined, LeaveReason, MediaAnswer, ParticipantInfo, Permissions, PublicationInfo, Published, ServerMessage, SlotBinding, Speaker,
};

/// WebSocket subprotocol of the compact encoding; the SDK asks for this one.
pub const SUBPROTOCOL_CBOR: &str = "nearcast.v1.cbor";

/// WebSocket subprotocol of the readable encoding, one JSON object a text frame.
pub const SUBPROTOCOL_JSON: &str = "nearcast.v1.json";

/// Largest signalling message either side accepts, in bytes. An offer with 64 slots is about 60 kB.
pub const MAX_MESSAGE_BYTES: usize = 256 * 1024;
