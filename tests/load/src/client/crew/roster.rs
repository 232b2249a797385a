//! Peers by number.

use super::PeerNumber;
use crate::client::peer::Peer;
use std::time::Instant;

/// The peers of a crew. Numbers are given once; who goes leaves a hole.
#[derive(Debug, Default)]
pub(super) struct Roster {
    peers: Vec<Option<Peer>>,
    publishers: Vec<PeerNumber>,
    /// Kept silent, so that nothing tells the server that they are gone.
    vanished: Vec<Peer>,
}

impl Roster {
    pub(super) fn add(&mut self, mut peer: Peer) -> PeerNumber {
        let number = self.peers.len();
        if peer.publisher().is_some() {
            self.publishers.push(number);
        }
        self.peers.push(Some(peer));
        number
    }

    pub(super) fn get_mut(&mut self, number: PeerNumber) -> Option<&mut Peer> {
        self.peers.get_mut(number)?.as_mut()
    }

    pub(super) fn remove(&mut self, number: PeerNumber) -> Option<Peer> {
        self.publishers.retain(|publisher| *publisher != number);
        self.peers.get_mut(number)?.take()
    }

    pub(super) fn keep_silent(&mut self, peer: Peer) {
        self.vanished.push(peer);
    }

    pub(super) fn all(&mut self) -> impl Iterator<Item = &mut Peer> {
        self.peers.iter_mut().flatten()
    }

    pub(super) fn publishers(&self) -> Vec<PeerNumber> {
        self.publishers.clone()
    }

    /// Whose turn it is to send, and when.
    pub(super) fn next_due(&mut self) -> Option<(PeerNumber, Instant)> {
        let Self { peers, publishers, .. } = self;
        let due = |number: &PeerNumber| Some((*number, peers.get_mut(*number)?.as_mut()?.publisher()?.next_due()?));
        publishers.iter().filter_map(due).min_by_key(|(_, at)| *at)
    }

    /// Everybody who wants to be woken by `now`, and when the first of the others does.
    pub(super) fn overdue(&self, now: Instant) -> (Vec<PeerNumber>, Option<Instant>) {
        let (mut overdue, mut next) = (Vec::new(), None::<Instant>);
        for (number, peer) in self.peers.iter().enumerate() {
            let Some(deadline) = peer.as_ref().map(Peer::deadline) else { continue };
            if deadline <= now {
                overdue.push(number);
            } else {
                next = Some(next.map_or(deadline, |next| next.min(deadline)));
            }
        }
        (overdue, next)
    }
}
