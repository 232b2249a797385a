//! What the parts of rooms on different shards tell each other, from thread to thread ([`sfu_core::RelayMessage`]), and where the next
//! participant of a room goes.
//!
//! Bounds: [`RELAYED`] messages wait for one shard. Media that finds no room is dropped and counted; anything else is kept here and sent
//! first when there is room again, since a part that missed a joining would be wrong for as long as the room lasts.

use super::link::{Peer, ThreadStats};
use sfu_core::{RelayMessage, ShardId, place};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// Messages that wait for one shard. Guess: at 20 000 packets a second that cross, 200 ms.
pub(super) const RELAYED: usize = 4096;

/// A message on its way, with its sender.
pub struct Relay {
    /// The shard that says it.
    pub from: ShardId,
    /// What.
    pub message: RelayMessage,
}

/// One shard's way to the others.
pub(super) struct Relays {
    own: ShardId,
    peers: Vec<Peer>,
    /// What waits for room; as large as what changes in rooms while another shard is stuck.
    unsent: Vec<VecDeque<RelayMessage>>,
    pub(super) placement: Arc<Placement>,
}

impl Relays {
    pub(super) fn new(own: u8, peers: Vec<Peer>, placement: Arc<Placement>) -> Self {
        let unsent = peers.iter().map(|_| VecDeque::new()).collect();
        Self { own: ShardId(own), peers, unsent, placement }
    }

    pub(super) fn send(&mut self, to: ShardId, message: RelayMessage, stats: &mut ThreadStats) {
        let to = usize::from(to.0);
        let (Some(peer), Some(unsent)) = (self.peers.get(to), self.unsent.get_mut(to)) else { return };
        // What waits already goes first.
        let rest = if unsent.is_empty() { peer.relay(Relay { from: self.own, message }) } else { Some(Relay { from: self.own, message }) };
        match rest {
            Some(Relay { message, .. }) if message.may_be_lost() => stats.relay_dropped += 1,
            Some(Relay { message, .. }) => unsent.push_back(message),
            None => (),
        }
    }

    /// Sends what couldn't be sent before. True: something is still waiting.
    pub(super) fn flush(&mut self) -> bool {
        let mut waiting = false;
        for (peer, unsent) in self.peers.iter().zip(&mut self.unsent) {
            while let Some(message) = unsent.pop_front() {
                if let Some(Relay { message, .. }) = peer.relay(Relay { from: self.own, message }) {
                    unsent.push_front(message);
                    break;
                }
            }
            waiting |= !unsent.is_empty();
        }
        waiting
    }

    /// This shard has lost everything.
    pub(super) fn lost_everything(&mut self, stats: &mut ThreadStats) {
        self.placement.forget(self.own);
        self.unsent.iter_mut().for_each(VecDeque::clear);
        for to in 0..u8::try_from(self.peers.len()).unwrap_or(u8::MAX) {
            if ShardId(to) != self.own {
                self.send(ShardId(to), RelayMessage::lost(), stats);
            }
        }
    }

    pub(super) fn note_size(&self, room: &str, participants: u32) {
        self.placement.note(self.own, room, participants);
    }
}

/// How many participants each room has on each shard, as the shards told last. Joins that are under way aren't counted yet: a burst may put a
/// few more on one shard than was meant.
pub struct Placement {
    shards: usize,
    spread_at: u32,
    rooms: Mutex<HashMap<String, Vec<u32>>>,
}

impl Placement {
    /// `spread_at`: participants of one room that a shard takes before another gets some.
    #[must_use]
    pub fn new(shards: usize, spread_at: u32) -> Self {
        Self { shards, spread_at, rooms: Mutex::default() }
    }

    /// The shard for the next participant of `room`, whose first goes to `home`.
    #[must_use]
    pub fn place(&self, room: &str, home: usize) -> usize {
        let rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.get(room).map_or(home, |sizes| place(home, sizes, self.spread_at))
    }

    /// Whether somebody is in a room.
    pub(super) fn has(&self, room: &str) -> bool {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner).contains_key(room)
    }

    fn note(&self, shard: ShardId, room: &str, participants: u32) {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sizes) = rooms.get_mut(room) else {
            if participants > 0 {
                let mut sizes = vec![0; self.shards];
                set(&mut sizes, shard, participants);
                rooms.insert(room.to_owned(), sizes);
            }
            return;
        };
        set(sizes, shard, participants);
        if sizes.iter().all(|size| *size == 0) {
            rooms.remove(room);
        }
    }

    fn forget(&self, shard: ShardId) {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.retain(|_, sizes| {
            set(sizes, shard, 0);
            sizes.iter().any(|size| *size > 0)
        });
    }
}

fn set(sizes: &mut [u32], shard: ShardId, participants: u32) {
    if let Some(size) = sizes.get_mut(usize::from(shard.0)) {
        *size = participants;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_stays_on_its_home_until_it_outgrows_it() {
        let placement = Placement::new(3, 2);
        assert_eq!(placement.place("room", 1), 1);
        placement.note(ShardId(1), "room", 1);
        assert_eq!(placement.place("room", 1), 1);
        placement.note(ShardId(1), "room", 2);
        assert_eq!(placement.place("room", 1), 2);
        placement.note(ShardId(2), "room", 2);
        placement.note(ShardId(0), "room", 3);
        assert_eq!(placement.place("room", 1), 1, "all full: the smallest, from home on");
    }

    #[test]
    fn an_empty_room_is_forgotten() {
        let placement = Placement::new(2, 2);
        placement.note(ShardId(0), "room", 2);
        placement.note(ShardId(1), "room", 1);
        placement.forget(ShardId(1));
        placement.note(ShardId(0), "room", 0);
        assert!(placement.rooms.lock().unwrap().is_empty());
    }
}
