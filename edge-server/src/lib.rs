//! The edge's binary as a library: what surrounds `sfu-core`, which does the media.
//!
//! ```text
//! browser ── WebSocket ── http::signal::connection ── queue ── media::thread ── sfu_core::Shard     (signalling)
//! browser ── UDP ──────── media::socket ── media::steer ────── media::thread ── sfu_core::Shard     (media)
//! browser ── TCP ──────── door ─────────── media::tcp ──────── media::thread ── sfu_core::Shard     (media, where UDP is blocked)
//! ```
//!
//! Read [`edge`] first: it starts everything. Then [`media`] for the threads, [`door`] for what comes in by TCP and [`http`] for what is served there. [`config`] is what can be
//! set, [`token`] who may enter. Time comes from [`clock`] alone, and is an argument everywhere else.
//!
//! What this crate must never do: decide anything about media, or let the media path wait for HTTP.

pub mod admission;
pub mod cli;
pub mod clock;
pub mod cluster;
pub mod config;
mod counters;
pub mod door;
pub mod drain;
pub mod edge;
pub mod heap;
pub mod history;
pub mod http;
pub mod ice_servers;
pub mod log;
pub mod media;
pub mod net;
pub mod relay;
pub mod stun;
pub mod token;
pub mod turn;
