//! On which edge a new room begins.
//!
//! Rendezvous hashing (Thaler and Ravishankar, 1998) ranks the edges of a region for each room, weighted by what they were made for; whoever asks
//! gets the same ranking, and an edge that comes or goes moves only the rooms that are ranked to it. Of the first two the emptier one is taken
//! (Mitzenmacher's two choices), so that no edge overflows while its neighbour idles.
//!
//! This is where a room *begins*. Whose it is then, [`crate::ownership`] knows.

use crate::members::Members;
use crate::node::{Node, NodeId, Region};
use siphasher::sip::SipHasher13;
use std::hash::Hasher;
use std::time::{Duration, Instant};

/// An edge as full as this takes no new room: the rest is for those who join the rooms that it has.
pub const FULL: f32 = 0.85;

/// The second choice has to be emptier by this much: reports of load are two seconds old. Guess.
const CLEARLY_EMPTIER: f32 = 0.05;

/// When to ask again where all edges are full. New ones need minutes, but people leave all the time. Guess.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// What is wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wish<'a> {
    /// The room.
    pub room: &'a str,
    /// Regions, the nearest first; empty: wherever.
    pub regions: &'a [Region],
    /// The app wants this edge and no other.
    pub pinned: Option<&'a NodeId>,
    /// Edges that don't come into question: the client was there and got nothing.
    pub except: &'a [NodeId],
    /// Loads don't count: edges that see different ones still answer alike.
    pub by_hash_alone: bool,
}

/// Why an edge was chosen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// The app asked for it.
    Pinned,
    /// First by hash in the nearest region.
    First,
    /// Second by hash there, because it is emptier.
    Emptier,
    /// The nearest region has no room: another one.
    OtherRegion,
}

/// Where to go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Placement {
    /// The edge.
    pub node: NodeId,
    /// Why this one.
    pub reason: Reason,
}

/// Why there is no place.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PlacementError {
    /// No edge takes anything new. Remedy: start one, or end a drain.
    #[error("no edge of the cluster is up")]
    NoEdges,
    /// Every edge that would do is full. Remedy: ask again after `retry_after`, or add edges.
    #[error("all edges are full: try again in {} s", retry_after.as_secs())]
    Full {
        /// When it makes sense to ask again.
        retry_after: Duration,
    },
    /// The edge that was asked for isn't up, or is full. Remedy: leave the choice to the cluster.
    #[error("edge {0} takes nothing new")]
    PinnedAway(NodeId),
}

/// Where a new room goes.
///
/// # Errors
/// When no edge takes it; see [`PlacementError`].
pub fn place(members: &Members, now: Instant, wish: &Wish<'_>) -> Result<Placement, PlacementError> {
    let fits = |node: &Node| node.fullness() < FULL;
    if let Some(pinned) = wish.pinned {
        let takes = members.good(now).any(|node| node.id == *pinned && fits(node));
        return if takes {
            Ok(Placement { node: pinned.clone(), reason: Reason::Pinned })
        } else {
            Err(PlacementError::PinnedAway(pinned.clone()))
        };
    }
    let up: Vec<_> = members.good(now).filter(|node| !wish.except.contains(&node.id)).collect();
    let in_region = |region: &Region| up.iter().copied().filter(|node| node.region == *region && fits(node)).collect::<Vec<_>>();
    for (nearness, region) in wish.regions.iter().enumerate() {
        if let Some(placement) = choose(wish, in_region(region)) {
            return Ok(if nearness == 0 { placement } else { Placement { reason: Reason::OtherRegion, ..placement } });
        }
    }
    let elsewhere = choose(wish, up.iter().copied().filter(|node| fits(node)).collect());
    match elsewhere {
        Some(placement) if wish.regions.is_empty() => Ok(placement),
        Some(placement) => Ok(Placement { reason: Reason::OtherRegion, ..placement }),
        None if up.is_empty() => Err(PlacementError::NoEdges),
        None => Err(PlacementError::Full { retry_after: RETRY_AFTER }),
    }
}

/// The emptier of the first two by hash.
fn choose(wish: &Wish<'_>, mut nodes: Vec<&Node>) -> Option<Placement> {
    let room = wish.room;
    nodes.sort_by(|one, other| score(room, other).total_cmp(&score(room, one)).then_with(|| one.id.cmp(&other.id)));
    let first = *nodes.first()?;
    let emptier = nodes.get(1).copied().filter(|second| !wish.by_hash_alone && second.fullness() + CLEARLY_EMPTIER < first.fullness());
    Some(match emptier {
        Some(second) => Placement { node: second.id.clone(), reason: Reason::Emptier },
        None => Placement { node: first.id.clone(), reason: Reason::First },
    })
}

/// The share of rooms for which an edge comes first is its share of all weights: w / -ln(u), u even in (0, 1) (Schindelhauer and Schomaker, 2005).
fn score(room: &str, node: &Node) -> f64 {
    let mut hasher = SipHasher13::new();
    hasher.write(room.as_bytes());
    hasher.write_u8(0xff);
    hasher.write(node.id.as_str().as_bytes());
    // The upper 53 bits, which a double holds, and half a step so that it is never 0 nor 1.
    let even = ((hasher.finish() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
    f64::from(node.capacity.participants) / -even.ln()
}

#[cfg(test)]
mod tests;
