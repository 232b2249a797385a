//! A virtual-time bench: links, sources, receivers, and what the controller makes of them. `cargo test -p sfu-core congestion -- --nocapture`
//! prints what was measured.

mod clock;
mod fallback;
mod feedback;
mod flow;
mod history;
mod hostile;
mod link;
mod losses;
mod pacing;
mod probes;
mod rfc8867;
mod score;
mod steady;
mod tcp;
mod trains;
mod world;
