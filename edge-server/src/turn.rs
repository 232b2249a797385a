//! A TURN server inside the edge (RFC 8656): for networks that let nothing out but what looks like TURN or TLS.
//!
//! The protocol is `turn-server-proto`'s, one instance for each client, in a task of its own: what goes wrong there costs one client. Around it,
//! here, is what a relay on the open internet needs: credentials that expire ([`credentials`]), peers that nobody may reach ([`peers`]), and how much
//! of everything ([`limits`]).
//!
//! | by | where | module |
//! |---|---|---|
//! | UDP | `turn` | [`udp`] |
//! | TCP, and TLS with a certificate | `turn`, and `http` with a certificate | [`stream`], behind [`crate::door`] |
//!
//! Relayed are datagrams only; TCP to peers (RFC 6062) is refused, so nobody gets a proxy. What is for the edge's own media port never leaves the machine.

mod client;
mod credentials;
pub mod limits;
pub mod peers;
pub mod stream;
pub mod udp;

use crate::config::Config;
use crate::counters::counters;
use crate::ice_servers::IceServers;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use core::time::Duration;
use limits::{Pace, Quota};
use peers::Peers;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Semaphore;

/// Clients at once, with or without an allocation. Each has a socket for each family and 10 kB.
const MOST_CLIENTS: usize = 4_096;

/// The realm that clients are told of.
const REALM: &str = "nearcast";

/// What all clients of the TURN server share.
#[derive(Debug)]
pub struct Turn {
    secret: String,
    peers: Peers,
    pace: Pace,
    quota: Quota,
    places: Arc<Semaphore>,
    counters: Counters,
}

counters! {
    /// What all clients add to.
    struct Counters;
    /// What the TURN server counts.
    pub struct TurnStats;
    /// Clients now.
    clients;
    /// Allocations now: one for each client and family.
    allocations;
    /// Allocations made.
    allocated;
    /// Allocations refused because there were too many.
    refused;
    /// Requests with credentials that had expired, or were none of ours.
    unauthorized;
    /// Messages dropped because their address sent too many that came to nothing.
    paced;
    /// Messages for peers that nobody may reach.
    denied;
    /// Datagrams to peers.
    relayed_out;
    /// Bytes to peers.
    relayed_out_bytes;
    /// Datagrams from peers.
    relayed_in;
    /// Bytes from peers.
    relayed_in_bytes;
}

impl Turn {
    /// As configured; none: it is off.
    #[must_use]
    pub fn new(config: &Config, servers: &IceServers, media: &[SocketAddr], here: impl Fn(SocketAddr) -> bool) -> Option<Self> {
        config.turn.0.map(|_| Self {
            secret: servers.secret().to_owned(),
            peers: Peers::new(media, here),
            pace: Pace::default(),
            quota: Quota::default(),
            places: Arc::new(Semaphore::new(MOST_CLIENTS)),
            counters: Counters::default(),
        })
    }

    /// Its counters now.
    #[must_use]
    pub fn stats(&self) -> TurnStats {
        self.counters.snapshot()
    }

    fn add(&self, counter: &AtomicU64, much: u64) {
        counter.fetch_add(much, Ordering::Relaxed);
    }

    fn count(&self, counter: &AtomicU64) {
        self.add(counter, 1);
    }
}

/// What clients are told of: by UDP and TCP at `port` of `host` (or else the first address of the media), by TLS at the port for HTTPS if there is a name
/// that its certificate can be for.
#[must_use]
pub fn urls(host: Option<&str>, media: &[SocketAddr], port: u16, https: Option<u16>) -> Vec<String> {
    let first = media.first().map(|address| match address {
        SocketAddr::V4(v4) => v4.ip().to_string(),
        SocketAddr::V6(v6) => format!("[{}]", v6.ip()),
    });
    let Some(reached) = host.map(str::to_owned).or(first) else { return Vec::new() };
    let plain = ["udp", "tcp"].map(|transport| format!("turn:{reached}:{port}?transport={transport}"));
    let tls = host.zip(https).map(|(host, https)| format!("turns:{host}:{https}?transport=tcp"));
    plain.into_iter().chain(tls).collect()
}

/// A number that nobody else has.
///
/// # Errors
/// The system has no random numbers.
pub fn fresh_number() -> Result<u64, &'static str> {
    let mut bytes = [0; 8];
    SystemRandom::new().fill(&mut bytes).map_err(|_| "the system has no random numbers")?;
    Ok(u64::from_le_bytes(bytes))
}

/// A secret that lasts as long as this process.
///
/// # Errors
/// The system has no random numbers.
pub fn fresh_secret() -> Result<String, &'static str> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| "the system has no random numbers")?;
    Ok(crate::ice_servers::base64(&bytes))
}

/// How long a client may be without an allocation.
const PATIENCE: Duration = Duration::from_secs(15);
