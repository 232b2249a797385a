//! What the browser SDK decides. `client-wasm` does what is decided here: it owns the RTCPeerConnection, the WebSocket and the timers.
//!
//! One [`Session`] is one stay in one room, as a state machine without IO: [`Session::handle_input`] and [`Session::handle_timeout`] take
//! what happened and when, [`Session::poll_output`] gives what to do, [`Session::poll_timeout`] when to come back. No clock is read, no
//! randomness drawn: the same inputs and seed give the same outputs.
//!
//! A walk through one join, in reading order:
//! `session` opens a socket (`link`), fetches a token and has the first offer made (`negotiation`), all at once; when all three are
//! there one `join` goes out. `joined` brings answer and room: the answer goes to the transport, the room into `room`, which turns every
//! message, and after a reconnection the difference of two snapshots, into events. `requests` pairs requests with replies and repeats
//! the open ones after a reconnection; `recovery` notices that a way to the edge is lost, and decides what is tried and when it is given up.
//! `direct` connects participants with each other where the room may do without the edge, and says which way each track comes.
//! `journal` keeps what was told and decided, for whoever has to find out later.
//! `wishes` collects how the app shows what it receives; what the edge gives, and which encodings somebody watches, comes back as outputs.
//! `session/quality` has the browser's counters read: `stats` makes them into what can be judged, [`quality`] judges. The edge judges with it too.
//! Beside them, pure functions: [`publish`] (bitrates, codecs), [`encodings`] (simulcast, scalable coding), [`sdp`] (what Opus is told), `data`
//! (messages between participants).
//!
//! Invariants, each with a test of the same name in `tests/session/any_order.rs` or `room/tests.rs`:
//! `one_offer_at_a_time`, `every_request_ends_exactly_once`, `nothing_follows_closed`, `it_gets_well_when_everything_works`,
//! `it_gives_up_when_nothing_works`, `replaying_the_events_gives_the_room`.
//!
//! Not here: JavaScript (`client-wasm`), devices and elements (`npm`), how the edge chooses what a slot carries (`sfu-core`).

// No standard library in browsers: it brings the formatting of panics along (docs/decisions/011).
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

mod climbs;
pub mod cpu;
mod data;
mod direct;
pub mod encodings;
mod error;
pub mod fallback;
mod ice_servers;
mod journal;
mod link;
mod negotiation;
pub mod peer_ladder;
pub mod publish;
pub mod quality;
mod random;
mod recovery;
mod red;
mod requests;
mod room;
pub mod sdp;
mod session;
pub mod stats;
mod time;
mod wire;
mod wishes;

pub use direct::section_name as section;
pub use error::{Code, SessionError};
#[cfg(not(target_arch = "wasm32"))]
pub use journal::trace;
pub use negotiation::{MAX_SLOTS, SlotCounts};
pub use recovery::{Reason, Step, StepTaken};
pub use session::{
    Adapted, DataMessage, Event, Input, JUDGEMENT, Judgement, LinkId, Output, PublishRequest, RequestId, Session, SessionConfig, SocketId,
    State, Subject, TransportId, TransportState,
};
pub use time::MonoTime;
