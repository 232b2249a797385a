//! What many edges decide together: which of them there are, which one a room begins on, who owns it when several believe they do, and when there
//! should be more or fewer of them.
//!
//! Sans-IO: no sockets, no clock, no randomness. What a store or another edge says comes in as an argument, with the instant it is judged at, so
//! that forty edges and their failures run in virtual time (`tests/`).
//!
//! | question | module |
//! |---|---|
//! | which edges are there, and how are they | [`members`] |
//! | where does a new room, or one more participant, go | [`placement`] |
//! | does one who comes stay at this edge | [`seating`] |
//! | whose is a room, and who must let go | [`ownership`] |
//! | more edges or fewer | [`scaling`], [`forecast`] |
//!
//! Invariants, each with a test of the same name:
//! * `all_edges_place_a_room_alike` when they see the same members;
//! * `a_room_has_one_owner_per_epoch`, and who learns of a higher epoch lets go;
//! * `bad_marks_expire`: no edge is shunned for longer than it deserves.
//!
//! Not here: connections to Redis or between edges (`edge-server`), what a relayed packet is and over which edges it goes (`sfu-core::relay`).

pub mod forecast;
pub mod members;
pub mod node;
pub mod ownership;
pub mod placement;
pub mod scaling;
pub mod seating;

pub use members::Members;
pub use node::{Address, Capacity, Fingerprint, Load, Media, Node, NodeId, Region, Relay};
pub use placement::{Placement, PlacementError};
