//! Which shard a datagram belongs to, and how it gets there.
//!
//! The kernel picks a socket by hashing addresses (SO_REUSEPORT), so a participant's datagrams all arrive at one socket, which most
//! of the time isn't that of the room's shard. A STUN request says whose it is, in its username. Everything else (DTLS, RTP, RTCP) is
//! told by its source address: the owner announces each address it has accepted to the other shards ([`Update`]), and forgets it the
//! same way. What is neither is for nobody and goes to the own core, which counts it.
//!
//! A STUN username wins over a known address, since an address may be used again by a peer of another room.
//! An update that finds a queue full is kept and sent later; without it, media would be dropped for as long as the call lasts.

use super::link::{Peer, ThreadStats};
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};

/// What the owner of addresses tells the other shards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Update {
    /// Datagrams from here are mine.
    Bound {
        /// The address.
        from: SocketAddr,
        /// Whose.
        owner: u8,
    },
    /// No longer.
    Unbound {
        /// The address.
        from: SocketAddr,
        /// Whose it was; it may be another's by now.
        owner: u8,
    },
    /// None of this shard's addresses are valid any longer.
    Forget {
        /// Whose.
        owner: u8,
    },
}

/// A run of datagrams on its way to its owner.
pub struct HandedOver {
    /// The sender, canonical.
    pub from: SocketAddr,
    /// The local IP address they were sent to.
    pub to: Option<IpAddr>,
    /// Size of each datagram but perhaps the last.
    pub stride: usize,
    /// All of them, end to end.
    pub bytes: Vec<u8>,
    /// The shard that wants the buffer back.
    pub origin: u8,
}

/// STUN by its first byte (RFC 7983).
#[must_use]
pub fn is_stun(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| *first < 4)
}

/// Whose a datagram is.
enum Verdict {
    Own,
    Other(u8),
    Nobody,
}

/// One shard's view of who owns what.
pub(super) struct Steering {
    own: u8,
    peers: Vec<Peer>,
    /// Addresses that belong to other shards. As large as there are peers on them.
    foreign: HashMap<SocketAddr, u8>,
    /// Updates that wait for a place in a queue. As large as there are changes of own addresses that the receiver hasn't read yet.
    unsent: Vec<VecDeque<Update>>,
    /// Runs being put together, one for each shard.
    batches: Vec<Option<HandedOver>>,
}

impl Steering {
    pub(super) fn new(own: u8, peers: Vec<Peer>) -> Self {
        let batches = peers.iter().map(|_| None).collect();
        let unsent = peers.iter().map(|_| VecDeque::new()).collect();
        Self { own, peers, foreign: HashMap::new(), unsent, batches }
    }

    /// There is nobody to hand anything to.
    pub(super) fn is_alone(&self) -> bool {
        self.peers.len() < 2
    }

    fn owner(&self, from: SocketAddr, datagram: &[u8]) -> Verdict {
        let owner = match is_stun(datagram).then(|| sfu_core::steer(datagram)).flatten() {
            Some(shard) => match u8::try_from(shard.0) {
                Ok(named) if usize::from(named) < self.peers.len() => named,
                _ => return Verdict::Nobody,
            },
            None => self.foreign.get(&from).copied().unwrap_or(self.own),
        };
        if owner == self.own { Verdict::Own } else { Verdict::Other(owner) }
    }

    /// True: the datagram is for this shard. False: it was put aside for its owner, or dropped and counted; [`Steering::flush`] follows.
    pub(super) fn keep(
        &mut self,
        from: SocketAddr,
        to: Option<IpAddr>,
        datagram: &[u8],
        spare: impl FnOnce() -> Vec<u8>,
        stats: &mut ThreadStats,
    ) -> bool {
        match self.owner(from, datagram) {
            Verdict::Own => true,
            Verdict::Other(owner) => {
                self.put_aside(owner, from, to, datagram, spare, stats);
                false
            }
            Verdict::Nobody => {
                stats.misdirected += 1;
                false
            }
        }
    }

    fn put_aside(
        &mut self,
        owner: u8,
        from: SocketAddr,
        to: Option<IpAddr>,
        datagram: &[u8],
        spare: impl FnOnce() -> Vec<u8>,
        stats: &mut ThreadStats,
    ) {
        let Some(batch) = self.batches.get_mut(usize::from(owner)) else { return };
        if let Some(run) = batch {
            // A run stays one as long as only its last datagram is shorter.
            let even = run.bytes.len() % run.stride == 0 && datagram.len() <= run.stride;
            if run.from == from && run.to == to && even && run.bytes.len() + datagram.len() <= LONGEST_RUN {
                run.bytes.extend_from_slice(datagram);
                return;
            }
        }
        let mut bytes = spare();
        bytes.clear();
        bytes.extend_from_slice(datagram);
        let next = HandedOver { from, to, stride: datagram.len().max(1), bytes, origin: self.own };
        if let Some(full) = batch.replace(next) {
            self.hand_over(usize::from(owner), full, stats);
        }
    }

    /// Sends what was put aside and what couldn't be sent before. True: something is still waiting.
    pub(super) fn flush(&mut self, stats: &mut ThreadStats) -> bool {
        for owner in 0..self.batches.len() {
            if let Some(run) = self.batches.get_mut(owner).and_then(Option::take) {
                self.hand_over(owner, run, stats);
            }
        }
        let mut waiting = false;
        for (peer, unsent) in self.peers.iter().zip(&mut self.unsent) {
            while let Some(update) = unsent.pop_front() {
                if let Some(update) = peer.tell(update) {
                    unsent.push_front(update);
                    break;
                }
            }
            waiting |= !unsent.is_empty();
        }
        waiting
    }

    fn hand_over(&self, owner: usize, run: HandedOver, stats: &mut ThreadStats) {
        let count = u64::try_from(run.bytes.len().div_ceil(run.stride)).unwrap_or_default();
        let Some(peer) = self.peers.get(owner) else { return };
        if peer.datagrams.try_send(run).is_ok() {
            stats.handed_over += count;
            peer.bell.ring();
        } else {
            stats.hand_over_dropped += count;
        }
    }

    /// Gives an emptied buffer back to the shard it came from.
    pub(super) fn give_back(&self, run: HandedOver) {
        if let Some(peer) = self.peers.get(usize::from(run.origin)) {
            // A full queue of spares means that there are enough.
            if run.bytes.capacity() <= LARGEST_SPARE {
                let _ = peer.spares.try_send(run.bytes);
            }
        }
    }

    /// Tells all other shards.
    fn announce(&mut self, update: Update) {
        for (other, (peer, unsent)) in self.peers.iter().zip(&mut self.unsent).enumerate() {
            if other == usize::from(self.own) {
                continue;
            }
            // What waits already goes first, or a late Bound would undo an Unbound.
            let rest = if unsent.is_empty() { peer.tell(update) } else { Some(update) };
            unsent.extend(rest);
        }
    }

    /// Another shard told something.
    pub(super) fn learn(&mut self, update: Update) {
        match update {
            Update::Bound { from, owner } => {
                self.foreign.insert(from, owner);
            }
            Update::Unbound { from, owner } => {
                if self.foreign.get(&from) == Some(&owner) {
                    self.foreign.remove(&from);
                }
            }
            Update::Forget { owner } => self.foreign.retain(|_, other| *other != owner),
        }
    }

    /// This shard has accepted `from`: whatever another one said of it is over.
    pub(super) fn bound_here(&mut self, from: SocketAddr) {
        self.foreign.remove(&from);
        self.announce(Update::Bound { from, owner: self.own });
    }

    /// This shard is done with `from`.
    pub(super) fn unbound_here(&mut self, from: SocketAddr) {
        self.announce(Update::Unbound { from, owner: self.own });
    }

    /// This shard has lost everything.
    pub(super) fn lost_everything(&mut self) {
        self.announce(Update::Forget { owner: self.own });
    }

    pub(super) fn foreign_count(&self) -> usize {
        self.foreign.len()
    }
}

/// Bytes of the longest run that is handed over in one piece; the size that a received run can have.
const LONGEST_RUN: usize = 65_535;

/// What a spare buffer may hold, a few full packets. Each would grow to the longest run that ever came, in time, and keep that: 4 MB for
/// each thread.
const LARGEST_SPARE: usize = 8 << 10;

#[cfg(test)]
mod tests;
