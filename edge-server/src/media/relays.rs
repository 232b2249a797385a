//! What the parts of rooms on different shards tell each other, from thread to thread and to other edges ([`sfu_core::RelayMessage`]), and where
//! the next participant of a room goes.
//!
//! Bounds: [`RELAYED`] messages wait for one shard, [`ELSEWHERE`] for one link. Media that finds no room is dropped and counted; anything else is kept
//! here and sent first when there is room again, since a part that missed a joining would be wrong for as long as the room lasts. A link for which
//! [`UNSENT`] of these wait is ended and made anew: then its parts are told again.

use super::link::{Peer, ThreadStats};
use crate::cluster::directory::Directory;
use core::time::Duration;
use sfu_core::{Neighbour, RelayMessage, ShardId, place};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, mpsc};

/// Messages that wait for one shard. Guess: at 20 000 packets a second that cross, 200 ms.
pub(super) const RELAYED: usize = 4096;

/// Messages that wait for one link. Guess: as for a shard, 200 ms and more of what one link carries.
pub const ELSEWHERE: usize = 4096;

/// Messages other than media that one shard keeps for a link that doesn't take them: minutes of a busy room.
const UNSENT: usize = 65_536;

/// What comes to a shard from the others.
pub enum Relay {
    /// A part of a room says something.
    Said {
        /// The shard that says it.
        from: ShardId,
        /// What.
        message: RelayMessage,
    },
    /// Another edge can be reached.
    Linked(Way),
    /// It can no longer; the number of its first shard.
    Cut(ShardId),
    /// The way to it is too narrow; the number of its first shard, and how many of the largest encodings are to be withheld.
    Narrow(ShardId, u8),
    /// What the way to it takes has changed; the number of its first shard.
    OneWay(ShardId, Duration),
}

/// A message on its way to another edge.
pub struct Outgoing {
    /// The shard here that says it.
    pub from: u8,
    /// The shard there that it is for.
    pub to: u8,
    /// What.
    pub message: RelayMessage,
}

/// The way to the shards of another edge, for as long as one link lasts.
#[derive(Clone)]
pub struct Way {
    /// What its first shard is called here; the others have the numbers behind it.
    pub first: ShardId,
    /// How many there are.
    pub shards: u8,
    /// To whoever writes to the link.
    pub queue: mpsc::Sender<Outgoing>,
    /// Notified when the link doesn't keep up: it is to be ended.
    pub stuck: Arc<Notify>,
    /// The other edge; none: of a version that passes nothing on.
    pub about: Option<Neighbour>,
}

impl Way {
    /// What its shards are called here.
    pub fn ids(&self) -> impl Iterator<Item = ShardId> + use<> {
        let first = self.first.0;
        (0..u32::from(self.shards)).map(move |number| ShardId(first.saturating_add(number)))
    }

    /// The number there of the shard that is called so here.
    fn number(&self, id: ShardId) -> Option<u8> {
        let number = id.0.checked_sub(self.first.0).and_then(|number| u8::try_from(number).ok())?;
        (number < self.shards).then_some(number)
    }
}

/// A way, with what waits for room on it.
struct Elsewhere {
    way: Way,
    unsent: VecDeque<Outgoing>,
}

impl Elsewhere {
    fn send(&mut self, outgoing: Outgoing, stats: &mut ThreadStats) {
        let media = outgoing.message.may_be_lost();
        let rest = if media || self.unsent.is_empty() { self.way.queue.try_send(outgoing) } else { Err(TrySendError::Full(outgoing)) };
        match rest {
            // A link that has ended is taken away in a moment.
            Ok(()) | Err(TrySendError::Closed(_)) => (),
            Err(TrySendError::Full(_)) if media => stats.relay_dropped += 1,
            Err(TrySendError::Full(outgoing)) if self.unsent.len() < UNSENT => self.unsent.push_back(outgoing),
            Err(TrySendError::Full(_)) => {
                self.unsent.clear();
                self.way.stuck.notify_one();
            }
        }
    }

    fn flush(&mut self) -> bool {
        while let Some(outgoing) = self.unsent.pop_front() {
            match self.way.queue.try_send(outgoing) {
                Ok(()) => (),
                Err(TrySendError::Full(outgoing)) => {
                    self.unsent.push_front(outgoing);
                    return true;
                }
                Err(TrySendError::Closed(_)) => self.unsent.clear(),
            }
        }
        false
    }
}

/// One shard's way to the others.
pub(super) struct Relays {
    own: ShardId,
    peers: Vec<Peer>,
    /// What waits for room; as large as what changes in rooms while another shard is stuck.
    unsent: Vec<VecDeque<RelayMessage>>,
    elsewhere: Vec<Elsewhere>,
    pub(super) placement: Arc<Placement>,
}

impl Relays {
    pub(super) fn new(own: u8, peers: Vec<Peer>, placement: Arc<Placement>) -> Self {
        let unsent = peers.iter().map(|_| VecDeque::new()).collect();
        Self { own: ShardId::from(own), peers, unsent, elsewhere: Vec::new(), placement }
    }

    /// Another edge can be reached. Its shards, as they are called here.
    pub(super) fn link(&mut self, way: Way) -> Vec<ShardId> {
        let ids = way.ids().collect();
        self.elsewhere.push(Elsewhere { way, unsent: VecDeque::new() });
        ids
    }

    /// The edges that pass publications on, with what their shards are called here.
    pub(super) fn neighbours(&self) -> impl Iterator<Item = (Vec<ShardId>, Neighbour)> {
        self.elsewhere.iter().filter_map(|elsewhere| Some((elsewhere.way.ids().collect(), elsewhere.way.about.clone()?)))
    }

    /// It can no longer. Its shards, as they were called here.
    pub(super) fn cut(&mut self, first: ShardId) -> Vec<ShardId> {
        let gone = self.elsewhere.iter().position(|elsewhere| elsewhere.way.first == first).map(|place| self.elsewhere.swap_remove(place));
        gone.map(|gone| gone.way.ids().collect()).unwrap_or_default()
    }

    /// The shards of one edge, as they are called here.
    pub(super) fn behind(&self, first: ShardId) -> Vec<ShardId> {
        self.elsewhere.iter().filter(|elsewhere| elsewhere.way.first == first).flat_map(|elsewhere| elsewhere.way.ids()).collect()
    }

    /// Everybody who can be reached on other edges.
    pub(super) fn linked(&self) -> Vec<ShardId> {
        self.elsewhere.iter().flat_map(|elsewhere| elsewhere.way.ids()).collect()
    }

    pub(super) fn send(&mut self, to: ShardId, message: RelayMessage, stats: &mut ThreadStats) {
        if to >= ShardId::FIRST_ELSEWHERE {
            let found = self.elsewhere.iter_mut().find_map(|elsewhere| elsewhere.way.number(to).map(|number| (elsewhere, number)));
            // Else the link has ended; whoever says this will hear of it.
            if let Some((elsewhere, number)) = found {
                let from = u8::try_from(self.own.0).unwrap_or(u8::MAX);
                elsewhere.send(Outgoing { from, to: number, message }, stats);
            }
            return;
        }
        let (Some(peer), Some(unsent)) = (self.peers.get(to.index()), self.unsent.get_mut(to.index())) else { return };
        // What waits already goes first.
        let said = Relay::Said { from: self.own, message };
        let rest = if unsent.is_empty() { peer.relay(said) } else { Some(said) };
        match rest {
            Some(Relay::Said { message, .. }) if message.may_be_lost() => stats.relay_dropped += 1,
            Some(Relay::Said { message, .. }) => unsent.push_back(message),
            _ => (),
        }
    }

    /// Sends what couldn't be sent before. True: something is still waiting.
    pub(super) fn flush(&mut self) -> bool {
        let mut waiting = false;
        for (peer, unsent) in self.peers.iter().zip(&mut self.unsent) {
            while let Some(message) = unsent.pop_front() {
                if let Some(Relay::Said { message, .. }) = peer.relay(Relay::Said { from: self.own, message }) {
                    unsent.push_front(message);
                    break;
                }
            }
            waiting |= !unsent.is_empty();
        }
        for elsewhere in &mut self.elsewhere {
            waiting |= elsewhere.flush();
        }
        waiting
    }

    /// This shard has lost everything.
    pub(super) fn lost_everything(&mut self, stats: &mut ThreadStats) {
        self.placement.forget(self.own);
        self.unsent.iter_mut().for_each(VecDeque::clear);
        self.elsewhere.iter_mut().for_each(|elsewhere| elsewhere.unsent.clear());
        let local = (0..u8::try_from(self.peers.len()).unwrap_or(u8::MAX)).map(ShardId::from);
        for to in local.chain(self.linked()) {
            if to != self.own {
                self.send(to, RelayMessage::lost(), stats);
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
    /// Told which rooms have parts here.
    directory: OnceLock<Directory>,
}

impl Placement {
    /// `spread_at`: participants of one room that a shard takes before another gets some.
    #[must_use]
    pub fn new(shards: usize, spread_at: u32) -> Self {
        Self { shards, spread_at, rooms: Mutex::default(), directory: OnceLock::new() }
    }

    /// Tells `directory` from now on which rooms have parts here. The first one only.
    pub(super) fn tell(&self, directory: &Directory) {
        let _ = self.directory.set(directory.clone());
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
                self.directory.get().into_iter().for_each(|directory| directory.hold(room));
            }
            return;
        };
        set(sizes, shard, participants);
        if sizes.iter().all(|size| *size == 0) {
            rooms.remove(room);
            self.directory.get().into_iter().for_each(|directory| directory.release(room));
        }
    }

    fn forget(&self, shard: ShardId) {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.retain(|room, sizes| {
            set(sizes, shard, 0);
            let held = sizes.iter().any(|size| *size > 0);
            self.directory.get().into_iter().filter(|_| !held).for_each(|directory| directory.release(room));
            held
        });
    }
}

fn set(sizes: &mut [u32], shard: ShardId, participants: u32) {
    if let Some(size) = sizes.get_mut(shard.index()) {
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
