//! What the browser SDK touches: RTCPeerConnection, WebSocket, data channels and timers. It decides nothing: it executes what
//! `client_core::Session` wants and feeds back what happened.
//!
//! Read in this order: `exports` is what the façade in `npm/` sees; `runner` feeds inputs and executes outputs; `socket`, `transport`,
//! `senders`, `channels`, `links` and `timer` each own one kind of browser object together with its closures; `host` is what the façade hears.
//!
//! Size rules (docs/decisions/004): no serde, no `format!`, no `{:?}`. What crosses the border is numbers, strings, bytes and browser objects.
//! Nothing here outlives its session: closures hold weak references, and browser objects lose their handlers before they are closed.

// No standard library in browsers: it brings the formatting of panics along (docs/decisions/011).
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

mod bindings;
mod channels;
mod exports;
mod host;
mod links;
mod panics;
mod runner;
mod senders;
mod socket;
mod timer;
mod transport;

/// One thread, some hundred living blocks: a list in order of address is fast enough, and 3 kB (gzip) smaller than the standard allocator.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: lol_alloc::LockedAllocator<lol_alloc::FreeListAllocator> =
    lol_alloc::LockedAllocator::new(lol_alloc::FreeListAllocator::new());
