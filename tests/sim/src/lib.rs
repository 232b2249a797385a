//! Calls in virtual time: real [`sfu_core::Shard`]s, clients built on an independent WebRTC implementation (`str0m`), and links
//! modelled by `str0m-netem`, in one process and on one clock that only moves when nothing is left to do.
//!
//! In: a seed, people who join, links that lose and delay. Out: what everybody saw, to assert on. A test reads like this:
//!
//! ```
//! use nearcast_sim::{Joining, World, ms, secs};
//!
//! let mut world = World::seeded(7);
//! let alice = world.joined(Joining::new("alice").camera());
//! let bob = world.joined(Joining::new("bob").slots(1, 1));
//! world.run_for(secs(2));
//! assert!(world[bob].packets_of(alice, 0).len() > 400);
//! # let _ = ms(1);
//! ```
//!
//! Where to look: [`World`] (time, people, links), [`Joining`] (who joins, and with what), [`Client`] (what one of them sent and saw),
//! [`Source`] (what it publishes), [`Edge`] (shards behind one port, with the hand-over between them), [`guest`] and
//! [`stun`] (a participant and checks made by hand, for hostile tests).
//!
//! What the seed decides and what it doesn't is in docs/simulation.md.

mod bottleneck;
pub mod calls;
mod client;
pub mod guest;
mod joining;
pub mod plan;
mod received;
mod source;
pub mod stun;
mod tag;
mod world;

pub use bottleneck::{Bottleneck, Cross, Discipline, Passed, Schedule, Way};
pub use client::{Client, ClientId, SlotSection};
pub use joining::Joining;
pub use received::{Packet, contiguous, extended};
pub use source::{EncodingPlan, Sent, Source, SourcePlan};
pub use tag::Tag;
pub use world::{Edge, Link, Mesh, Misdelivery, World};

use std::time::Duration;

/// Milliseconds.
#[must_use]
pub const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Seconds.
#[must_use]
pub const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
