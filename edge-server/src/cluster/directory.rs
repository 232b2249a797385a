//! Which other edges there are, and which of them hold a part of which room: what the store and the links know, in one place.
//!
//! Filled by whoever knows: the store, configuration ([`Directory::fix`]), links ([`Directory::heard`]), tests. Read by whoever makes links, and by
//! signalling. Nothing here waits: every call takes a lock for microseconds and returns.
//!
//! Bounds: [`MOST_NODES`](cluster_core::members::MOST_NODES) edges, [`MOST_ROOMS`] rooms with parts elsewhere. A reader of changes who falls
//! [`CHANGES`] behind is told so ([`RecvError::Lagged`](broadcast::error::RecvError::Lagged)) and reads [`Directory::parts`] again.

use cluster_core::members::Standing;
use cluster_core::{Members, Node, NodeId, Region, Relay};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::{broadcast, watch};

/// Rooms of which other edges hold parts; more are left out, and have no parts here until others end.
pub const MOST_ROOMS: usize = 65_536;

/// Changes that a slow reader may be behind.
const CHANGES: usize = 1024;

/// Another edge.
#[derive(Clone, Debug, PartialEq)]
pub struct Peer {
    /// Which.
    pub id: NodeId,
    /// Grows with every start of it.
    pub incarnation: u64,
    /// Where it stands.
    pub region: Region,
    /// Where it takes links; none: it takes none.
    pub relay: Option<Relay>,
    /// What may be asked of it.
    pub standing: Standing,
}

/// Another edge got, or no longer has, a part of a room.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// It has a part now.
    Gained {
        /// Of this room.
        room: Arc<str>,
        /// Which edge.
        edge: NodeId,
    },
    /// It has none any more, or is gone.
    Lost {
        /// Of this room.
        room: Arc<str>,
        /// Which edge.
        edge: NodeId,
    },
}

/// See the [module](self). Clones are the same directory.
#[derive(Clone, Debug)]
pub struct Directory {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    me: NodeId,
    state: Mutex<State>,
    peers: watch::Sender<Arc<[Peer]>>,
    changes: broadcast::Sender<Change>,
    /// Rooms of which this edge has a part.
    held: watch::Sender<BTreeSet<Arc<str>>>,
    /// Where this edge takes links.
    relay: watch::Sender<Option<Relay>>,
}

#[derive(Debug, Default)]
struct State {
    members: Members,
    /// Edges of the configuration: nobody registers them, so nobody forgets them.
    fixed: Vec<Node>,
    holders: BTreeMap<Arc<str>, BTreeSet<NodeId>>,
}

impl Directory {
    /// Of the edge `me`, which knows nobody.
    #[must_use]
    pub fn new(me: NodeId) -> Self {
        let shared = Shared {
            me,
            state: Mutex::default(),
            peers: watch::Sender::new(Arc::new([])),
            changes: broadcast::Sender::new(CHANGES),
            held: watch::Sender::default(),
            relay: watch::Sender::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Which edge this is.
    #[must_use]
    pub fn me(&self) -> &NodeId {
        &self.shared.me
    }

    /// Edges that are there for good: from the configuration, or a test.
    pub fn fix(&self, now: Instant, edges: impl IntoIterator<Item = Node>) {
        self.state().fixed.extend(edges);
        self.tick(now);
    }

    /// An edge has registered, this one included. False: it was left out (see [`Members::register`]).
    pub fn register(&self, now: Instant, node: Node) -> bool {
        let mut state = self.state();
        let taken = state.members.register(now, node);
        self.tell(&mut state, now);
        taken
    }

    /// The same of many at once, each with when it registered; readers are told once.
    pub fn register_all(&self, now: Instant, nodes: impl IntoIterator<Item = (Node, Instant)>) {
        let mut state = self.state();
        for (node, at) in nodes {
            let _ = state.members.register(at, node);
        }
        self.tell(&mut state, now);
    }

    /// Lets time pass: who has been silent or gone for long enough is so from now on. To be called a few times a second.
    pub fn tick(&self, now: Instant) {
        let mut state = self.state();
        let State { members, fixed, .. } = &mut *state;
        for node in fixed.iter() {
            let _ = members.register(now, node.clone());
        }
        members.expire(now);
        self.tell(&mut state, now);
    }

    /// Reads, or changes, what is known of edges.
    pub fn members<T>(&self, now: Instant, look: impl FnOnce(&mut Members) -> T) -> T {
        let mut state = self.state();
        let seen = look(&mut state.members);
        self.tell(&mut state, now);
        seen
    }

    /// The other edges, by id: now, and whenever one comes, goes, moves or stands otherwise.
    #[must_use]
    pub fn peers(&self) -> watch::Receiver<Arc<[Peer]>> {
        self.shared.peers.subscribe()
    }

    /// Another edge by its id.
    #[must_use]
    pub fn peer(&self, id: &NodeId) -> Option<Peer> {
        self.shared.peers.borrow().iter().find(|peer| peer.id == *id).cloned()
    }

    /// Which other edges hold a part of a room.
    #[must_use]
    pub fn holders(&self, room: &str) -> Vec<NodeId> {
        self.state().holders.get(room).map(|holders| holders.iter().cloned().collect()).unwrap_or_default()
    }

    /// All rooms of which other edges hold parts.
    #[must_use]
    pub fn parts(&self) -> Vec<(Arc<str>, Vec<NodeId>)> {
        self.state().holders.iter().map(|(room, holders)| (Arc::clone(room), holders.iter().cloned().collect())).collect()
    }

    /// Parts that are gained and lost from now on. Subscribe first, then read [`Self::parts`]: nothing is missed then.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.shared.changes.subscribe()
    }

    /// Another edge has a part of a room. Of this edge it says nothing.
    pub fn gained(&self, room: &str, edge: &NodeId) {
        let mut state = self.state();
        let full = state.holders.len() >= MOST_ROOMS && !state.holders.contains_key(room);
        if *edge == self.shared.me || full {
            return;
        }
        let room: Arc<str> = room.into();
        if state.holders.entry(Arc::clone(&room)).or_default().insert(edge.clone()) {
            self.say(Change::Gained { room, edge: edge.clone() });
        }
    }

    /// Another edge has no part of a room any more.
    pub fn gone(&self, room: &str, edge: &NodeId) {
        let mut state = self.state();
        if let Some((room, _)) = state.holders.get_key_value(room) {
            let room = Arc::clone(room);
            self.take(&mut state, &room, edge);
        }
    }

    /// Who holds a room by somebody who knows all of it: whoever isn't named holds it no more.
    pub fn set_holders(&self, room: &str, edges: &[NodeId]) {
        let before = self.holders(room);
        for edge in before.iter().filter(|edge| !edges.contains(edge)) {
            self.gone(room, edge);
        }
        edges.iter().for_each(|edge| self.gained(room, edge));
    }

    /// This edge has a part of a room now.
    pub fn hold(&self, room: &str) {
        self.shared.held.send_if_modified(|held| held.insert(room.into()));
    }

    /// This edge has no part of a room any more.
    pub fn release(&self, room: &str) {
        self.shared.held.send_if_modified(|held| held.remove(room));
    }

    /// Rooms of which this edge has a part: now, and whenever that changes.
    #[must_use]
    pub fn held(&self) -> watch::Receiver<BTreeSet<Arc<str>>> {
        self.shared.held.subscribe()
    }

    /// This edge takes links there; others are told when they are told of this edge the next time.
    pub fn offer_relay(&self, relay: Relay) {
        self.shared.relay.send_replace(Some(relay));
    }

    /// Where this edge takes links.
    #[must_use]
    pub fn relay(&self) -> watch::Receiver<Option<Relay>> {
        self.shared.relay.subscribe()
    }

    /// A media heartbeat of an edge came in.
    pub fn heard(&self, now: Instant, id: &NodeId) {
        self.members(now, |members| members.heard(now, id));
    }

    /// The link to an edge broke: a complaint, which is forgotten after a while. Its heartbeats tell the rest.
    pub fn lost(&self, now: Instant, id: &NodeId) {
        self.members(now, |members| members.mark(now, id));
    }

    /// The link to an edge was taken down because nothing needs it: that says nothing of the edge.
    pub fn unlinked(&self, now: Instant, id: &NodeId) {
        self.members(now, |members| members.unlinked(id));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells readers what is different, with the lock held so that they are told in order.
    fn tell(&self, state: &mut State, now: Instant) {
        let others = state.members.all(now).filter(|(node, standing)| node.id != self.shared.me && *standing != Standing::Gone);
        let peers: Arc<[Peer]> = others.map(|(node, standing)| Peer::of(node, standing)).collect();
        let was = Arc::clone(&self.shared.peers.borrow());
        if was == peers {
            return;
        }
        for peer in was.iter().filter(|peer| !peers.iter().any(|other| other.id == peer.id)) {
            let rooms: Vec<_> =
                state.holders.iter().filter(|(_, holders)| holders.contains(&peer.id)).map(|(room, _)| Arc::clone(room)).collect();
            rooms.iter().for_each(|room| self.take(state, room, &peer.id));
        }
        self.shared.peers.send_replace(peers);
    }

    fn take(&self, state: &mut State, room: &Arc<str>, edge: &NodeId) {
        let Some(holders) = state.holders.get_mut(room) else { return };
        if holders.remove(edge) {
            self.say(Change::Lost { room: Arc::clone(room), edge: edge.clone() });
        }
        if holders.is_empty() {
            state.holders.remove(room);
        }
    }

    fn say(&self, change: Change) {
        // Nobody listens: who comes later reads what is so then.
        let _ = self.shared.changes.send(change);
    }
}

impl Peer {
    fn of(node: &Node, standing: Standing) -> Self {
        let Node { id, incarnation, region, relay, .. } = node;
        Self { id: id.clone(), incarnation: *incarnation, region: region.clone(), relay: *relay, standing }
    }
}

#[cfg(test)]
mod tests;
