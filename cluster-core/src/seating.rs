//! Whether one who wants to enter a room at this edge stays here or is sent to another one.
//!
//! Where links carry media between edges ([`crate::Relay`]), a room has parts on several: whoever comes stays at the edge that they chose, the
//! nearest. Where there are none, a room is on its owner alone, and everybody is sent there. An owner whose door doesn't open is passed over, and
//! its room claimed: the store's compare-and-set decides who of those that try it gets it.

use crate::members::{Members, Standing};
use crate::node::{Node, NodeId, Region};
use crate::ownership::{Owners, Record, Wants};
use crate::placement::{FULL, Placement, PlacementError, Wish, place};
use std::slice;
use std::time::Instant;

/// Somebody at the door.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The room that they want to enter.
    pub room: &'a str,
    /// Whose door it is.
    pub me: &'a NodeId,
    /// Where that edge stands.
    pub region: &'a Region,
    /// Edges that were tried just now and didn't open.
    pub shut: &'a [NodeId],
    /// The store doesn't answer: what edges told of their loads is old, and each may have heard something else.
    pub alone: bool,
}

/// What becomes of them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Seat {
    /// They stay.
    Here,
    /// That edge takes them.
    There(NodeId),
    /// The room is nobody's. Write this into the store, if the last epoch there is `after` (0: nothing is written), and ask again.
    Claim {
        /// What to write; its owner may be another edge than this one.
        record: Record,
        /// The epoch that it follows.
        after: u64,
    },
}

/// Decides it.
///
/// # Errors
/// When no edge takes a new room; see [`PlacementError`].
pub fn seat(now: Instant, asked: &Asked<'_>, owners: &Owners, members: &Members) -> Result<Seat, PlacementError> {
    let me = asked.me;
    let takes = |node: &Node| members.standing(now, &node.id) == Standing::Good && node.fullness() < FULL;
    let linked = |node: Option<&Node>| node.is_some_and(|node| node.relay.is_some());
    let stays = linked(members.get(me)) && members.get(me).is_some_and(takes);
    let known = owners.get(asked.room);
    match owners.wants(now, asked.room, members) {
        Wants::Ours => return Ok(Seat::Here),
        Wants::Theirs(owner) if !asked.shut.contains(&owner) => {
            return Ok(if stays && linked(members.get(&owner)) { Seat::Here } else { Seat::There(owner) });
        }
        Wants::Theirs(_) | Wants::Claim { .. } => (),
    }
    let after = known.map_or(0, |record| record.epoch);
    let claim = |owner: NodeId| Seat::Claim { record: Record { owner, epoch: after.saturating_add(1) }, after };
    if stays {
        return Ok(claim(me.clone()));
    }
    let except: Vec<NodeId> = asked.shut.iter().cloned().chain(known.map(|record| record.owner.clone())).collect();
    let wish =
        Wish { room: asked.room, regions: slice::from_ref(asked.region), except: &except, by_hash_alone: asked.alone, ..Wish::default() };
    let Placement { node, .. } = place(members, now, &wish)?;
    Ok(claim(node))
}

#[cfg(test)]
mod tests;
