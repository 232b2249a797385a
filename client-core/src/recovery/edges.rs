//! Where else one can go: the edges that the present one named, and which of them were no good lately.

use crate::MonoTime;
use alloc::{string::String, vec::Vec};

/// How long an edge that failed us is passed over. Guess: longer than a restart takes.
const BAD_FOR: u32 = 60_000;

/// Others that are remembered, as many as `joined` names.
const MAX_OTHERS: usize = 8;

#[derive(Debug)]
struct Edge {
    /// As `connect` takes it; none: the one that `connect` was given.
    address: Option<String>,
    bad_until: MonoTime,
}

/// Every edge that is known, the one that `connect` was given first.
#[derive(Debug)]
pub(crate) struct Edges {
    known: Vec<Edge>,
    present: usize,
}

impl Edges {
    pub(crate) fn new() -> Self {
        Self { known: Vec::from([Edge { address: None, bad_until: MonoTime::default() }]), present: 0 }
    }

    /// Where to connect now; none: to the address that `connect` was given.
    pub(crate) fn address(&self) -> Option<String> {
        self.known.get(self.present)?.address.clone()
    }

    /// What the present edge says of the others. What is known of those that it names again stays.
    pub(crate) fn learn(&mut self, others: Vec<String>) {
        let present = self.address();
        let named = |edge: &Edge| edge.address.as_ref().is_none_or(|address| others.contains(address) || present.as_ref() == Some(address));
        while let Some(at) = self.known.iter().position(|edge| !named(edge)) {
            self.known.remove(at);
        }
        for address in others {
            if self.known.len() <= MAX_OTHERS && self.known.iter().all(|edge| edge.address.as_ref() != Some(&address)) {
                self.known.push(Edge { address: Some(address), bad_until: MonoTime::default() });
            }
        }
        self.present = self.known.iter().position(|edge| edge.address == present).unwrap_or_default();
    }

    /// The best of the others that isn't bad; the first of all comes last.
    fn next(&self, now: MonoTime) -> Option<usize> {
        let usable = |at: &usize| *at != self.present && self.known.get(*at).is_some_and(|edge| edge.bad_until <= now);
        (1..self.known.len()).chain([0]).find(usable)
    }

    /// The address to try when the present edge doesn't answer; none: there is no other. The outer: whether there is one.
    pub(crate) fn scout(&self, now: MonoTime) -> Option<Option<String>> {
        Some(self.known.get(self.next(now)?)?.address.clone())
    }

    /// Goes where an edge sends us; false: it has been no good lately, or there were too many to remember.
    pub(crate) fn go(&mut self, now: MonoTime, address: String) -> bool {
        let at = self.known.iter().position(|edge| edge.address.as_ref() == Some(&address)).unwrap_or(self.known.len());
        if at == self.known.len() && at <= MAX_OTHERS + 1 {
            self.known.push(Edge { address: Some(address), bad_until: MonoTime::default() });
        }
        let good = at != self.present && self.known.get(at).is_some_and(|edge| edge.bad_until <= now);
        if good {
            self.present = at;
        }
        good
    }

    /// Goes to another one; false: there is none that isn't bad, and we stay.
    pub(crate) fn leave(&mut self, now: MonoTime) -> bool {
        let Some(next) = self.next(now) else { return false };
        if let Some(edge) = self.known.get_mut(self.present) {
            edge.bad_until = now.after(BAD_FOR);
        }
        self.present = next;
        true
    }
}

#[cfg(test)]
mod tests;
