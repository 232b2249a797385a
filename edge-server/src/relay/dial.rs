//! Makes the links: to every edge of the directory that takes some, and to those of `relay_peers`; and makes them again.
//!
//! Where the other edge's id is known, the edge with the lower id dials, and the other only when it is still without a link after [`PATIENCE`]: it
//! may be that just one of them can reach the other.
//!
//! An edge that the directory has forgotten is dialled on for [`REMEMBERED`]: when both were cut off from the store, and from each other, the link is
//! back as soon as the network is, and needs no store that first has to hear from them.

use super::Hub;
use super::link::{self, Failed};
use crate::clock;
use cluster_core::node::Fingerprint;
use cluster_core::{NodeId, Relay as RelayAddress};
use core::fmt;
use core::time::Duration;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::lookup_host;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

/// The pause before an edge is tried again, up to half as long again by chance. Short, since a link that is back is of use at once, and a call costs
/// a few packets.
const PAUSE: Duration = Duration::from_millis(250);

/// How long a call may take, but for every fourth one, which has [`link::GREETING`]: QUIC sends the first packet again after 0.3 and 0.9 s, and then after 2.1,
/// so that a call which began before the way was back would wait for a second more.
const BRIEFLY: Duration = Duration::from_secs(1);
const PATIENT_CALLS: u32 = 4;

/// How long the edge with the higher id waits for the other one to dial.
const PATIENCE: Duration = Duration::from_secs(3);

/// Between two looks at whether a link that somebody else made is still there.
const LOOK: Duration = Duration::from_millis(250);

/// How long an edge is dialled on that isn't in the directory any more. Guess: cuts that last longer are somebody's work already.
const REMEMBERED: Duration = Duration::from_secs(120);

/// Every so many failures one is logged: about once in two minutes, where nobody answers.
const TOLD: u32 = 64;

/// Whom to dial.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Target {
    /// From the directory.
    Known(NodeId, SocketAddr, Option<Fingerprint>),
    /// From the configuration.
    Configured(String),
}

impl Target {
    fn id(&self) -> Option<&NodeId> {
        match self {
            Self::Known(id, ..) => Some(id),
            Self::Configured(_) => None,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(id, address, _) => write!(formatter, "{id} at {address}"),
            Self::Configured(name) => formatter.write_str(name),
        }
    }
}

/// Keeps a task for each edge that is to be linked, until a shutdown begins.
pub(super) async fn keep(hub: Arc<Hub>, configured: Vec<String>, mut stopping: watch::Receiver<bool>) {
    let mut peers = hub.directory.peers();
    let mut tasks: HashMap<Target, Dialling> = HashMap::new();
    loop {
        let known: Vec<Target> = {
            let peers = peers.borrow_and_update();
            let known = peers.iter().filter_map(|peer| {
                let RelayAddress { address, fingerprint } = peer.relay?;
                Some(Target::Known(peer.id.clone(), address, fingerprint))
            });
            known.chain(configured.iter().cloned().map(Target::Configured)).collect()
        };
        let now = Instant::now();
        tasks.retain(|target, dialling| {
            let forgotten = dialling.missed(now, known.contains(target)).is_some_and(|until| until <= now);
            // It is somewhere else now, or another process.
            let replaced = || known.iter().any(|other| other != target && other.id().is_some() && other.id() == target.id());
            !forgotten && !replaced()
        });
        for target in known {
            tasks.entry(target.clone()).or_insert_with(|| Dialling::begin(&hub, target));
        }
        let due = tasks.values().filter_map(|dialling| dialling.until).min();
        tokio::select! {
            changed = peers.changed() => if changed.is_err() { return },
            () = sleep_until(due.unwrap_or(now)), if due.is_some() => {}
            () = crate::edge::stopped(&mut stopping) => return,
        }
    }
}

/// Ends with whoever keeps it.
struct Dialling {
    task: JoinHandle<()>,
    /// When it is given up; none: the edge is known.
    until: Option<Instant>,
}

impl Dialling {
    fn begin(hub: &Arc<Hub>, target: Target) -> Self {
        Self { task: tokio::spawn(dial(Arc::clone(hub), target)), until: None }
    }

    /// The edge is known now, or not: when it is given up.
    fn missed(&mut self, now: Instant, known: bool) -> Option<Instant> {
        self.until = (!known).then(|| self.until.unwrap_or(now + REMEMBERED));
        self.until
    }
}

impl Drop for Dialling {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn dial(hub: Arc<Hub>, target: Target) {
    let mut id = target.id().cloned();
    let mut failures = 0_u32;
    loop {
        if let Some(id) = &id {
            wait_for_turn(&hub, id).await;
        }
        let within = if failures % PATIENT_CALLS == PATIENT_CALLS - 1 { link::GREETING } else { BRIEFLY };
        match attempt(&hub, &target, within).await {
            Ok(greeted) => {
                id = Some(greeted.id().clone());
                failures = 0;
                // A task of its own: the link outlives an edge's entry in the directory.
                let hub = Arc::clone(&hub);
                let linked = tokio::spawn(async move { link::run(&hub, greeted).await });
                let _ = linked.await;
            }
            Err(Failed::Linked(other)) => id = Some(other),
            Err(Failed::Because(why)) => {
                hub.totals.fail();
                let expected = id.as_ref().is_none_or(|id| hub.directory.peer(id).is_some());
                if expected && failures.is_multiple_of(TOLD) {
                    tracing::warn!(edge = %target, %why, "no link to an edge; trying again");
                }
                failures = failures.wrapping_add(1);
            }
        }
        sleep(PAUSE + jitter(PAUSE / 2)).await;
    }
}

/// Returns when there is no link to this edge and it is ours to dial.
async fn wait_for_turn(hub: &Hub, id: &NodeId) {
    let mut deadline = None;
    loop {
        if hub.registry.is_linked(id) {
            deadline = None;
        } else if hub.directory.me() < id {
            return;
        } else {
            let deadline = *deadline.get_or_insert_with(|| Instant::now() + PATIENCE);
            if deadline <= Instant::now() {
                return;
            }
        }
        sleep_until(Instant::now() + LOOK).await;
    }
}

async fn attempt(hub: &Hub, target: &Target, within: Duration) -> Result<link::Greeted, Failed> {
    match target {
        Target::Known(_, address, fingerprint) => link::call(hub, *address, *fingerprint, within).await,
        Target::Configured(name) => {
            let addresses: Vec<_> = lookup_host(name).await.map_err(|error| format!("{name}: {error}"))?.collect();
            let mut why = Failed::Because(format!("{name} has no address"));
            for address in addresses.into_iter().take(4) {
                match link::call(hub, address, None, within).await {
                    Err(Failed::Because(error)) => why = Failed::Because(format!("{address}: {error}")),
                    linked => return linked,
                }
            }
            Err(why)
        }
    }
}

/// Up to so much, so that edges that lost each other at once don't dial at once.
fn jitter(most: Duration) -> Duration {
    let nanos = u64::try_from(most.as_nanos()).unwrap_or(u64::MAX).max(1);
    Duration::from_nanos(u64::from(clock::unix().subsec_nanos()) % nanos)
}
