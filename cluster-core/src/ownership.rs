//! Whose a room is.
//!
//! One edge owns a room: it decides who is in it. The shared store holds a [`Record`] for each room, written by compare-and-set: a claim names the
//! epoch it follows, and the store takes it only if that is still the last one. Each new owner has a higher epoch. Everything that edges tell each
//! other about a room carries the epoch, and whoever learns of a higher one than its own lets go: an edge that was stopped for a minute and goes
//! on as if nothing had happened is told so by the first message it gets.
//!
//! The store is memory, not a lease: an owner that can't reach it goes on. When the store comes back with nothing in it, owners write their rooms
//! again, with the epochs they have.
//!
//! Driven from outside: [`Owners::wants`] says whether to claim; the store's answer, and what others say, goes into [`Owners::learned`].

use crate::members::{Members, Standing};
use crate::node::NodeId;
use std::collections::BTreeMap;
use std::time::Instant;

/// What is known of a room.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    /// Whose it is.
    pub owner: NodeId,
    /// Which of its owners that is, from 1. Grows with each change.
    pub epoch: u64,
}

impl Record {
    /// Whether this one counts where both are known. Two owners with the same epoch can't be, unless the store has lost its memory: then the one
    /// that comes first by name.
    fn beats(&self, other: &Self) -> bool {
        self.epoch > other.epoch || self.epoch == other.epoch && self.owner < other.owner
    }
}

/// What to do with a room that somebody wants to enter here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Wants {
    /// It is ours.
    Ours,
    /// It is another edge's, and that one is well.
    Theirs(NodeId),
    /// Write this into the store, if the last epoch there is `after` (0: nothing is written).
    Claim {
        /// What to write.
        record: Record,
        /// The epoch that it follows.
        after: u64,
    },
}

/// What follows from something learned.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Follows {
    /// Nothing.
    Nothing,
    /// It isn't ours any more: send everybody to this edge.
    LetGo(NodeId),
    /// Whoever said this doesn't know better: tell it, and write it into the store again.
    Tell(Record),
}

/// Rooms known to one edge, its own and others'.
#[derive(Clone, Debug)]
pub struct Owners {
    me: NodeId,
    rooms: BTreeMap<String, Record>,
}

impl Owners {
    /// Of the edge `me`, which owns nothing yet.
    #[must_use]
    pub fn new(me: NodeId) -> Self {
        Self { me, rooms: BTreeMap::new() }
    }

    /// The record of a room, if one is known.
    #[must_use]
    pub fn get(&self, room: &str) -> Option<&Record> {
        self.rooms.get(room)
    }

    /// Whether the room is ours, in this epoch.
    #[must_use]
    pub fn is_ours(&self, room: &str) -> bool {
        self.get(room).is_some_and(|record| record.owner == self.me)
    }

    /// Ours with their epochs: to be written again when the store has lost its memory.
    pub fn ours(&self) -> impl Iterator<Item = (&str, &Record)> {
        self.rooms.iter().filter(|(_, record)| record.owner == self.me).map(|(room, record)| (room.as_str(), record))
    }

    /// Somebody wants to enter a room here.
    #[must_use]
    pub fn wants(&self, now: Instant, room: &str, members: &Members) -> Wants {
        let known = self.get(room);
        match known {
            Some(record) if record.owner == self.me => Wants::Ours,
            // An edge that drains keeps its rooms until it hands them over itself.
            Some(record) if !matches!(members.standing(now, &record.owner), Standing::Gone | Standing::Silent) => {
                Wants::Theirs(record.owner.clone())
            }
            _ => {
                let after = known.map_or(0, |record| record.epoch);
                Wants::Claim { record: Record { owner: self.me.clone(), epoch: after.saturating_add(1) }, after }
            }
        }
    }

    /// Another edge names an owner, or the store does: its answer to a claim, or to a question.
    pub fn learned(&mut self, room: &str, record: Record) -> Follows {
        match self.rooms.get(room) {
            Some(known) if *known == record => Follows::Nothing,
            Some(known) if known.beats(&record) => Follows::Tell(known.clone()),
            known => {
                let was_ours = known.is_some_and(|known| known.owner == self.me);
                let follows = if was_ours && record.owner != self.me { Follows::LetGo(record.owner.clone()) } else { Follows::Nothing };
                self.rooms.insert(room.into(), record);
                follows
            }
        }
    }

    /// The store has nothing of this room. Ours is to be written again; another's is forgotten unless somebody is in it here.
    pub fn missing(&mut self, room: &str, in_use: bool) -> Follows {
        match self.rooms.get(room) {
            Some(record) if record.owner == self.me => Follows::Tell(record.clone()),
            Some(_) if !in_use => {
                self.rooms.remove(room);
                Follows::Nothing
            }
            _ => Follows::Nothing,
        }
    }

    /// Forgets whose other rooms are, but those in which somebody is here: the store knows.
    pub fn forget_others(&mut self, in_use: impl Fn(&str) -> bool) {
        let me = &self.me;
        self.rooms.retain(|room, record| record.owner == *me || in_use(room));
    }

    /// Hands a room of ours to another edge (a drain): what to write, if the last epoch is that of `after`.
    #[must_use]
    pub fn hand_over(&self, room: &str, to: NodeId) -> Option<Wants> {
        let known = self.get(room).filter(|record| record.owner == self.me)?;
        Some(Wants::Claim { record: Record { owner: to, epoch: known.epoch.saturating_add(1) }, after: known.epoch })
    }

    /// The room has ended everywhere: nobody is in it. The epoch to delete from the store, if it is still that one.
    pub fn ended(&mut self, room: &str) -> Option<u64> {
        let record = self.rooms.get(room).filter(|record| record.owner == self.me)?.clone();
        self.rooms.remove(room);
        Some(record.epoch)
    }
}

#[cfg(test)]
mod tests;
