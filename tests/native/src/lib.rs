//! A participant without a browser: joins a room of a real edge with the `webrtc` crate, which shares no line with the edge's
//! own media plane. What only works between Chromium and us would show here.
//!
//! * [`client`]: join, wait for things, send messages, leave with a report; start reading here;
//! * [`clip`]: encoded media from files (VP8 in IVF, Opus in Ogg), played in real time by `publish`;
//! * [`received`]: what arrived in which slot, in numbers; `reorder` and `record` turn packets back into files;
//! * [`notice`], [`report`]: what the binary prints, one JSON object a line;
//! * `signal`, `peer`, `room`: the WebSocket, the PeerConnection, and who is who; `session` is the task that ties them together.
//!
//! Invariants: every wait has a limit, every queue a bound; media is never decoded here (ffmpeg does that, for the tests).
//! Not here: re-offers. Slots are counted once, at joining; more publications than slots stay unseen.

pub mod client;
pub mod clip;
mod error;
mod interceptors;
pub mod log;
pub mod notice;
mod peer;
mod publish;
mod receive;
pub mod received;
mod record;
mod reorder;
pub mod report;
mod room;
mod sdp;
mod session;
mod signal;
mod time;

pub use client::{Client, JoinOptions, Message, Publish};
pub use clip::{Clip, Kind};
pub use error::Error;
pub use notice::Notice;
pub use received::{Received, SlotFigures};
pub use report::Report;
