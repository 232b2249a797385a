//! Over which edges a publication reaches those that want it.
//!
//! Media crosses a link between two edges once, however many take it behind. The home of a publication sends to few: one edge in each other
//! region, the nearest to it, and that one sends to the others of its region; wide regions grow into a tree. Among the ways that the fan-out allows
//! the one that arrives first is taken, edge by edge, nearest first (a shortest-path tree with bounded degree, built greedily).
//!
//! Whoever knows the same edges, wishes and round trips plans the same tree; only the home plans, and tells.

use crate::node::{NodeId, Region};
use std::collections::BTreeMap;
use std::time::Duration;

/// Edges that one edge sends a publication to. At 2.5 Mbit/s a 720p camera takes 20 Mbit/s then. Guess.
pub const FAN_OUT: usize = 8;

/// What forwarding costs at each edge on the way, beside the way itself. Measured within one edge: below 0.3 ms; more with a thread in between.
const HOP: Duration = Duration::from_millis(1);

/// An edge that takes part.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Site {
    /// Which.
    pub node: NodeId,
    /// Where.
    pub region: Region,
}

/// One edge sends to another.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Hop {
    /// Sends.
    pub from: NodeId,
    /// Receives.
    pub to: NodeId,
}

/// Who sends to whom, in the order in which copies are made.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Plan {
    /// One for each edge that isn't the home.
    pub hops: Vec<Hop>,
}

impl Plan {
    /// To whom an edge sends.
    pub fn from<'a>(&'a self, node: &'a NodeId) -> impl Iterator<Item = &'a NodeId> {
        self.hops.iter().filter(move |hop| hop.from == *node).map(|hop| &hop.to)
    }

    /// What is new in `self`, and what is no longer: new ways are opened before old ones are closed.
    #[must_use]
    pub fn changes_from<'a>(&'a self, before: &'a Self) -> (Vec<&'a Hop>, Vec<&'a Hop>) {
        let not_in = |one: &'a Self, other: &'a Self| one.hops.iter().filter(|hop| !other.hops.contains(hop)).collect();
        (not_in(self, before), not_in(before, self))
    }
}

struct Placed<'a> {
    site: &'a Site,
    arrives: Duration,
    /// Edges of its own region, and of others, that it sends to.
    near: usize,
    far: usize,
    /// It has brought the publication into its region; the home has, too.
    gateway: bool,
}

/// Plans the way from `home` to all of `wanting`. `one_way`: how long a packet takes between two edges. `fan_out`, two at least: half of it goes
/// to other regions, so that there is always room for the rest of one's own.
#[must_use]
pub fn plan(home: &Site, wanting: &[Site], one_way: impl Fn(&NodeId, &NodeId) -> Duration, fan_out: usize) -> Plan {
    let limits = Limits { far: (fan_out / 2).max(1), near: fan_out.div_ceil(2).max(1) };
    let mut waiting: BTreeMap<&NodeId, &Site> = wanting.iter().map(|site| (&site.node, site)).collect();
    waiting.remove(&home.node);
    let mut placed = vec![Placed { site: home, arrives: Duration::ZERO, near: 0, far: 0, gateway: true }];
    let mut hops = Vec::new();
    while let Some(next) = best(&placed, &waiting, &one_way, limits) {
        let Some(site) = waiting.remove(&next.to) else { break };
        let gateway = placed.iter().all(|one| one.site.region != site.region);
        if let Some(parent) = placed.get_mut(next.parent) {
            let children = if gateway { &mut parent.far } else { &mut parent.near };
            *children += 1;
            hops.push(Hop { from: parent.site.node.clone(), to: site.node.clone() });
        }
        placed.push(Placed { site, arrives: next.arrives, near: 0, far: 0, gateway });
    }
    Plan { hops }
}

#[derive(Clone, Copy)]
struct Limits {
    far: usize,
    near: usize,
}

struct Next {
    parent: usize,
    to: NodeId,
    arrives: Duration,
}

/// The earliest arrival that is allowed: into a region that has it from there, into another one from a gateway.
fn best(
    placed: &[Placed<'_>],
    waiting: &BTreeMap<&NodeId, &Site>,
    one_way: &impl Fn(&NodeId, &NodeId) -> Duration,
    limits: Limits,
) -> Option<Next> {
    let mut best: Option<(bool, Next)> = None;
    for site in waiting.values() {
        let region_has_it = placed.iter().any(|one| one.site.region == site.region);
        for (parent, from) in placed.iter().enumerate() {
            let near = from.site.region == site.region;
            let room = if near { from.near < limits.near } else { from.gateway && from.far < limits.far };
            if near != region_has_it || !room {
                continue;
            }
            let arrives = from.arrives.saturating_add(HOP).saturating_add(one_way(&from.site.node, &site.node));
            // Other regions first: their way is long, and the rest of them hangs on it.
            let better = best.as_ref().is_none_or(|(other_near, other)| (near, arrives) < (*other_near, other.arrives));
            if better {
                best = Some((near, Next { parent, to: site.node.clone(), arrives }));
            }
        }
    }
    best.map(|(_, next)| next)
}

#[cfg(test)]
mod tests;
