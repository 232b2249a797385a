//! The media plane of the Nearcast edge: peers, SRTP, RTP and RTCP, routing. Sans-IO: no socket, no clock, no thread, no randomness of
//! its own; time and a seed are arguments, so a whole room runs in virtual time.
//!
//! One packet's way, in the order of the code:
//!
//! ```text
//! shard::ingress   datagram → STUN | DTLS | SRTP; opened in place, header read once
//! publication      duplicate? gap? kept in the publication's cache, shared by all subscribers
//! egress::frames   noted, and held until the frame's marker has come
//! shard::fan_out   when drained: for each subscriber
//! forwarder          SSRC, sequence, timestamp, payload type, extensions, picture id → written where it is sent from
//! peer               sealed in place
//! egress           runs of equal-sized datagrams per destination → Batch of Transmits
//! ```
//!
//! Who is in which room and what they may do: `shard::{join, negotiate, publish, subscribe, leave}`. RTCP: `shard::feedback`.
//! Invariants that hold everywhere: hostile input costs its sender, every queue and table has a bound, and after the last
//! participant left every table is empty.

// Numbers from the network are everywhere here: say which arithmetic is meant. Clippy has no switch that exempts tests.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod allocation;
pub mod clock;
pub mod codec;
mod congestion;
mod data_channel;
mod dtls;
pub mod durations;
mod dynacast;
mod egress;
mod forwarder;
mod forwarding_policy;
pub mod framing;
#[doc(hidden)]
pub mod fuzzing;
mod ice;
mod keys;
mod layer;
mod link_report;
mod loudest;
mod moderation;
mod packet;
mod participant;
mod peer;
mod publication;
mod relay;
mod remote;
mod room_mode;
pub mod rtcp;
pub mod rtp;
pub mod sdp;
mod shard;
mod slot;
mod speakers;
pub mod srtp;

pub use clock::{Ntp, WallClock};
pub use dtls::{Certificate, CertificateError};
pub use durations::Durations;
pub use egress::{Batch, Transmit};
pub use forwarding_policy::{ForwardingPolicy, PolicyError};
pub use ice::distance;
pub use link_report::{LinkReport, LinkScore, LinkScorer, TrackReport, Way};
pub use participant::{Admission, ConnectionId, Continuation};
pub use relay::{RelayMessage, hop, wire};
pub use remote::{Remote, Via};
pub use room_mode::ModePolicy;
pub use shard::inspect;
pub use shard::stays;
pub use shard::steer::{place, shard_of_session, steer};
pub use shard::{Command, Event, Limits, Neighbour, Shard, ShardConfig, ShardId, ShardStats, Timing, Trees};
