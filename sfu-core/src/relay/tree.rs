//! Over which edges a publication reaches those that want it.
//!
//! Media crosses a link between two edges once, however many take it behind. The home of a publication sends to few: one edge in each other
//! region, the nearest to it, and that one sends to the others of its region; wide regions grow into a tree. Among the ways that the fan-out allows
//! the one that arrives first is taken, edge by edge, nearest first (a shortest-path tree with bounded degree, built greedily).
//!
//! Whoever knows the same edges, wishes and round trips plans the same tree; only the home plans, and tells (`shard::relay::trees`).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Edges that one edge sends a publication to. At 2.5 Mbit/s a 720p camera takes 20 Mbit/s then. Guess.
pub(crate) const FAN_OUT: usize = 8;

/// What forwarding costs at each edge on the way, beside the way itself. Measured within one edge: below 0.3 ms; more with a thread in between.
const HOP: Duration = Duration::from_millis(1);

/// An edge that takes part.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Site {
    /// Which.
    pub(crate) edge: Arc<str>,
    /// Where.
    pub(crate) region: Arc<str>,
}

/// One edge sends to another.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Hop {
    /// Sends.
    pub(crate) from: Arc<str>,
    /// Receives.
    pub(crate) to: Arc<str>,
}

/// Who sends to whom, in the order in which copies are made.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Plan {
    /// One for each edge that isn't the home; none for one that no way is left to but the home's own.
    pub(crate) hops: Vec<Hop>,
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

/// Whether copies can be spared: several edges of another region want it, or more in all than one edge sends to.
pub(crate) fn is_needed(home: &Site, wanting: &[Site], fan_out: usize) -> bool {
    let far = |site: &&Site| site.region != home.region;
    let together = |site: &Site| wanting.iter().any(|other| other.region == site.region && other.edge != site.edge);
    wanting.len() > fan_out || wanting.iter().filter(far).any(together)
}

/// Plans the way from `home` to all of `wanting`. `one_way`: how long a packet takes between two edges; none: that way isn't to be taken. `fan_out`,
/// two at least: half of it goes to other regions, so that there is always room for the rest of one's own.
#[must_use]
pub(crate) fn plan(home: &Site, wanting: &[Site], one_way: impl Fn(&Arc<str>, &Arc<str>) -> Option<Duration>, fan_out: usize) -> Plan {
    let limits = Limits { far: (fan_out / 2).max(1), near: fan_out.div_ceil(2).max(1) };
    let mut waiting: BTreeMap<&Arc<str>, &Site> = wanting.iter().map(|site| (&site.edge, site)).collect();
    waiting.remove(&home.edge);
    let mut placed = vec![Placed { site: home, arrives: Duration::ZERO, near: 0, far: 0, gateway: true }];
    let mut hops = Vec::new();
    while let Some(next) = best(&placed, &waiting, &one_way, limits) {
        let Some(site) = waiting.remove(&next.to) else { break };
        let gateway = placed.iter().all(|one| one.site.region != site.region);
        if let Some(parent) = placed.get_mut(next.parent) {
            let children = if gateway { &mut parent.far } else { &mut parent.near };
            *children = children.saturating_add(1);
            hops.push(Hop { from: Arc::clone(&parent.site.edge), to: Arc::clone(&site.edge) });
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
    to: Arc<str>,
    arrives: Duration,
}

/// The earliest arrival that is allowed: into a region that has it from there, into another one from a gateway.
fn best(
    placed: &[Placed<'_>],
    waiting: &BTreeMap<&Arc<str>, &Site>,
    one_way: &impl Fn(&Arc<str>, &Arc<str>) -> Option<Duration>,
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
            let Some(way) = one_way(&from.site.edge, &site.edge) else { continue };
            let arrives = from.arrives.saturating_add(HOP).saturating_add(way);
            // Other regions first: their way is long, and the rest of them hangs on it.
            let better = best.as_ref().is_none_or(|(other_near, other)| (near, arrives) < (*other_near, other.arrives));
            if better {
                best = Some((near, Next { parent, to: site.edge.clone(), arrives }));
            }
        }
    }
    best.map(|(_, next)| next)
}

#[cfg(test)]
mod tests;
