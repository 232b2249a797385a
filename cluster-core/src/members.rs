//! Which edges there are, and how much each is to be trusted.
//!
//! Two things are known of an edge, and both age. It *registers* itself, which shows that its process runs and reaches the store; and others
//! *hear* its media heartbeats over their links, which shows that it forwards. An edge that registers and forwards nothing (a gray failure)
//! gets nothing new after [`SILENT_AFTER`], and comes back by itself when it is heard again: marks expire, nobody has to take them away.
//!
//! Losing the store is not losing the edges: while nothing is heard from it, whoever was there and is still heard stays.

use crate::node::{Node, NodeId};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How often an edge registers.
pub const REGISTER_EVERY: Duration = Duration::from_secs(2);

/// A registration counts for so long: five of them may get lost.
pub const EXPIRES_AFTER: Duration = Duration::from_secs(10);

/// An edge that was heard and is silent for so long forwards nothing: four heartbeats of 250 ms.
pub const SILENT_AFTER: Duration = Duration::from_secs(1);

/// A complaint about an edge (a client that got no media there, a relay that broke) counts for so long.
pub const MARK_EXPIRES_AFTER: Duration = Duration::from_secs(30);

/// So many complaints at a time, and an edge is avoided. One may be the complainer's own network.
pub const MARKS_TO_AVOID: usize = 3;

/// Edges of one cluster. What registers beyond that is left out, and counted.
pub const MOST_NODES: usize = 1024;

/// What may be asked of an edge now.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Standing {
    /// Registered or heard, and nothing speaks against it.
    Good,
    /// Nothing new goes there: too many complaints.
    Avoided,
    /// Nothing new goes there: it says so itself.
    Draining,
    /// It registers, but its media heartbeats stopped.
    Silent,
    /// Neither registered nor heard for too long.
    Gone,
}

#[derive(Clone, Debug)]
struct Member {
    node: Node,
    registered: Instant,
    /// Its last media heartbeat; none: there is no link to it.
    heard: Option<Instant>,
    marks: Vec<Instant>,
}

/// The edges as one of them sees them.
#[derive(Clone, Debug, Default)]
pub struct Members {
    members: BTreeMap<NodeId, Member>,
    /// The last time that the store gave an answer.
    store_answered: Option<Instant>,
    left_out: u64,
}

impl Members {
    /// Knows nobody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An edge has registered, or has told of itself over a link. Of two incarnations the higher one counts. False: it was left out, because it is
    /// older than what is known or there are [`MOST_NODES`].
    pub fn register(&mut self, now: Instant, node: Node) -> bool {
        let full = self.members.len() >= MOST_NODES;
        match self.members.get_mut(&node.id) {
            Some(known) if node.incarnation < known.node.incarnation => false,
            Some(known) => {
                if node.incarnation > known.node.incarnation {
                    // Another process: what was said of the one before says nothing of it.
                    (known.heard, known.marks) = (None, Vec::new());
                }
                (known.node, known.registered) = (node, now);
                true
            }
            None if full => {
                self.left_out = self.left_out.saturating_add(1);
                false
            }
            None => {
                self.members.insert(node.id.clone(), Member { node, registered: now, heard: None, marks: Vec::new() });
                true
            }
        }
    }

    /// The store has given an answer: who isn't in it any more may go.
    pub fn store_answered(&mut self, now: Instant) {
        self.store_answered = Some(now);
    }

    /// A media heartbeat of an edge came in.
    pub fn heard(&mut self, now: Instant, id: &NodeId) {
        if let Some(member) = self.members.get_mut(id) {
            member.heard = Some(now);
        }
    }

    /// The link to an edge was taken down on purpose: that nothing is heard of it says nothing from now on.
    pub fn unlinked(&mut self, id: &NodeId) {
        if let Some(member) = self.members.get_mut(id) {
            member.heard = None;
        }
    }

    /// Somebody got no media from this edge.
    pub fn mark(&mut self, now: Instant, id: &NodeId) {
        if let Some(member) = self.members.get_mut(id) {
            member.marks.retain(|mark| now.saturating_duration_since(*mark) < MARK_EXPIRES_AFTER);
            if member.marks.len() < MARKS_TO_AVOID {
                member.marks.push(now);
            }
        }
    }

    /// An edge has said goodbye.
    pub fn left(&mut self, id: &NodeId, incarnation: u64) {
        if self.members.get(id).is_some_and(|member| member.node.incarnation <= incarnation) {
            self.members.remove(id);
        }
    }

    /// Forgets who is gone.
    pub fn expire(&mut self, now: Instant) {
        let store_answered = self.store_answered;
        self.members.retain(|_, member| member.standing(now, store_answered) != Standing::Gone);
    }

    /// How an edge stands; [`Standing::Gone`] of one that isn't known.
    #[must_use]
    pub fn standing(&self, now: Instant, id: &NodeId) -> Standing {
        self.members.get(id).map_or(Standing::Gone, |member| member.standing(now, self.store_answered))
    }

    /// An edge by its id, however it stands.
    #[must_use]
    pub fn get(&self, id: &NodeId) -> Option<&Node> {
        self.members.get(id).map(|member| &member.node)
    }

    /// All with their standing, by id.
    pub fn all(&self, now: Instant) -> impl Iterator<Item = (&Node, Standing)> {
        self.members.values().map(move |member| (&member.node, member.standing(now, self.store_answered)))
    }

    /// Those that take something new, by id.
    pub fn good(&self, now: Instant) -> impl Iterator<Item = &Node> {
        self.all(now).filter(|(_, standing)| *standing == Standing::Good).map(|(node, _)| node)
    }

    /// How many registrations were left out for want of room.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out
    }
}

impl Member {
    fn standing(&self, now: Instant, store_answered: Option<Instant>) -> Standing {
        let age = |since: Instant| now.saturating_duration_since(since);
        let is_heard = self.heard.is_some_and(|heard| age(heard) < SILENT_AFTER);
        // A store that gives no answers says of nobody that it is gone.
        let store_knows = store_answered.is_some_and(|answered| age(answered) < EXPIRES_AFTER);
        let registered = age(self.registered) < EXPIRES_AFTER;
        let complaints = self.marks.iter().filter(|mark| age(**mark) < MARK_EXPIRES_AFTER).count();
        match () {
            () if !registered && !is_heard && (store_knows || self.heard.is_some()) => Standing::Gone,
            () if self.heard.is_some() && !is_heard => Standing::Silent,
            () if self.node.draining => Standing::Draining,
            () if complaints >= MARKS_TO_AVOID => Standing::Avoided,
            () => Standing::Good,
        }
    }
}

#[cfg(test)]
mod tests;
