//! Many light WebRTC peers against a real edge process: what one forwarded packet costs, and what a participant leaves behind.
//!
//! In: a built edge (`target/release/nearcast-edge`) and recorded browser traffic (`traces/`). Out: a table, rows in a JSON file, or
//! a verdict. Where to read on: [`bench`] (one scenario's measurement, windows and floor in turn), [`client`] (the peers), [`floor`]
//! (what sealing and sending alone cost here), [`churn`] (500 joins and leaves), [`rush`] (as many joins at once), [`big_room`] (all of them in one room on three edges), [`instructions`] (the packet path's, counted), [`server`] (what is measured; others can be added).
//!
//! Invariants, each with a test of the same name: `every_window_replays_the_same_packets`, `runs_of_the_floor_are_as_long_as_asked`,
//! `a_gap_is_a_loss`. Docs: `docs/benchmarks.md`.
//!
//! Not here: what browsers do (`tests/browser`), what the core does under a scripted network (`sfu-core/tests`).

pub mod bench;
pub mod big_room;
pub mod churn;
pub mod client;
pub mod cpu;
pub mod delay;
pub mod error;
pub mod floor;
pub mod http;
pub mod instructions;
pub mod media;
pub mod path;
pub mod process;
pub mod progress;
pub mod replay;
pub mod rush;
pub mod scenario;
pub mod server;
pub mod signalling;
pub mod trace;

pub use error::LoadError;
