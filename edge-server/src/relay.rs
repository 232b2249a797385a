//! Links to other edges: what the parts of a room tell each other, over QUIC (RFC 9000) with datagrams (RFC 9221).
//!
//! One connection for each pair of edges carries all their rooms. Control goes over one ordered stream ([`control`]); media, numbered and repaired
//! hop by hop, in datagrams ([`traffic`], `sfu_core::relay::hop`). Who may link is who knows the cluster's secret ([`identity`]).
//!
//! Edges are known from the [`Directory`] or from `relay_peers`. Both ends may dial; of two connections the one that the edge with the lower id
//! dialled stays ([`registry`]). A link that breaks is made again, with growing pauses ([`dial`]).
//!
//! Heartbeats are the links' own, but say whether the media threads turn ([`pulse`]): what other edges hear is that this one forwards.
//!
//! Each link gives the other edge's shards names that nobody had before, and takes them back when it ends: so what was meant for an earlier link
//! reaches nobody.
//!
//! Bounds: [`MOST_LINKS`] links; the queues of [`crate::media::relays`], [`control::BACKLOG`] bytes of control, [`queue`] for media. What happens
//! in each failure: docs/cluster.md.

pub mod claim;
pub mod congestion;
mod control;
mod dial;
mod hello;
pub mod identity;
mod link;
mod narrow;
mod pulse;
mod queue;
mod registry;
pub mod stats;
mod traffic;

use crate::cluster::Cluster;
use crate::cluster::directory::Directory;
use crate::config::Config;
use crate::media::Media;
use crate::media::link::ShardLink;
use claim::ClaimKey;
use cluster_core::{NodeId, Relay as RelayAddress};
use hello::Hello;
use identity::{Identity, IdentityError};
use pulse::Pulse;
use registry::Registry;
use sfu_core::ShardId;
use stats::{RelayStats, Totals};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Links at once: what one mesh is good for. docs/cluster.md says what comes after it.
pub const MOST_LINKS: usize = 64;

/// Why links can't be had.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The port.
    #[error("relay = {address} cannot be bound: {source}; stop what uses the port, or choose another with --relay")]
    Bind {
        /// What was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The key of claims.
    #[error("no key can be derived from relay_secret")]
    Claims,
    /// Keys and certificates.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// The links of this edge.
pub struct Relay {
    hub: Arc<Hub>,
    address: SocketAddr,
    claims: ClaimKey,
    tasks: Vec<JoinHandle<()>>,
}

/// What all links share.
pub(crate) struct Hub {
    endpoint: quinn::Endpoint,
    directory: Directory,
    hello: Hello,
    shards: Vec<ShardLink>,
    pulse: Pulse,
    registry: Registry,
    totals: Totals,
    next: AtomicU32,
}

impl Hub {
    /// Names for the shards of another edge that nobody had before; none when four billion were given.
    fn names(&self, shards: u8) -> Option<ShardId> {
        let count = u32::from(shards);
        let take = |next: u32| next.checked_add(count);
        self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).ok().map(ShardId)
    }
}

impl Relay {
    /// Binds the port and begins to make links; `None` when the configuration wants none.
    ///
    /// # Errors
    /// What could not be had, and the remedy.
    pub fn start(config: &Config, media: &Media, cluster: &Cluster, stopping: &watch::Sender<bool>) -> Result<Option<Self>, RelayError> {
        let Some(wanted) = config.relay.0 else { return Ok(None) };
        let identity = Identity::of(&config.relay_secret)?;
        let claims = ClaimKey::of(&config.relay_secret).ok_or(RelayError::Claims)?;
        let bound = |source| RelayError::Bind { address: wanted, source };
        let endpoint = link::bind(wanted, &identity).map_err(bound)?;
        let address = endpoint.local_addr().map_err(bound)?;
        let directory = cluster.directory().clone();
        directory.offer_relay(RelayAddress { address: announced(config, media, address), fingerprint: Some(identity.fingerprint()) });
        let shards = media.links().to_vec();
        let hello = Hello {
            version: hello::VERSION,
            id: directory.me().to_string(),
            incarnation: cluster.incarnation(),
            shards: u8::try_from(shards.len()).unwrap_or(u8::MAX),
            region: config.region.0.to_string(),
            passes_on: true,
        };
        let hub = Arc::new(Hub {
            endpoint,
            directory,
            hello,
            shards,
            pulse: Pulse::default(),
            registry: Registry::default(),
            totals: Totals::default(),
            next: AtomicU32::new(ShardId::FIRST_ELSEWHERE.0),
        });
        tracing::info!(%address, id = %hub.directory.me(), peers = config.relay_peers.0.len(), "linking to other edges");
        let tasks = vec![
            tokio::spawn(link::accept(Arc::clone(&hub), stopping.subscribe())),
            tokio::spawn(pulse::keep(Arc::clone(&hub))),
            tokio::spawn(dial::keep(Arc::clone(&hub), config.relay_peers.0.clone(), stopping.subscribe())),
        ];
        Ok(Some(Self { hub, address, claims, tasks }))
    }

    /// What shows other edges who was here.
    #[must_use]
    pub fn claims(&self) -> &ClaimKey {
        &self.claims
    }

    /// Where links are taken.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The edges that are linked now.
    #[must_use]
    pub fn linked(&self) -> Vec<NodeId> {
        self.hub.registry.linked()
    }

    /// What the links count.
    #[must_use]
    pub fn stats(&self) -> RelayStats {
        self.hub.totals.snapshot()
    }

    /// Ends all links, so that the other edges needn't wait to notice.
    pub async fn stop(&self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        self.hub.endpoint.close(link::Ended::Shutdown.code(), b"the edge shuts down");
        self.hub.endpoint.wait_idle().await;
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        self.hub.endpoint.close(link::Ended::Shutdown.code(), b"the edge shuts down");
    }
}

/// Where others reach the port: as configured, else where it is bound, or by the first address that media is announced with.
fn announced(config: &Config, media: &Media, bound: SocketAddr) -> SocketAddr {
    if let Some(announced) = config.relay_announce.0 {
        return announced;
    }
    let same_family = |ip: &IpAddr| ip.is_ipv4() == bound.is_ipv4() || bound.is_ipv6();
    let ip = if bound.ip().is_unspecified() {
        let announced = config.announce.0.iter().copied().chain(media.candidates().iter().map(SocketAddr::ip));
        announced.into_iter().find(same_family).unwrap_or(bound.ip())
    } else {
        bound.ip()
    };
    SocketAddr::new(ip, bound.port())
}
