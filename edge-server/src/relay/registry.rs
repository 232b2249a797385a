//! Which edge each link goes to: one for each.
//!
//! Both edges of a pair may dial at once. They agree without asking: a connection that has stood for [`SETTLED`] stays; of two younger ones to the same
//! process the one that the edge with the lower id dialled, and of two that the same edge dialled the later. A process that was started later than
//! the one that is known takes its place.

use super::MOST_LINKS;
use cluster_core::NodeId;
use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::watch;

/// A link that is as old is in use on both sides. Who has lost it all the same dials until this side has noticed, too.
const SETTLED: Duration = Duration::from_secs(5);

/// A connection whose other end has said who it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Candidate {
    pub(super) id: NodeId,
    pub(super) incarnation: u64,
    /// Whether the edge with the lower id dialled it.
    pub(super) by_lower: bool,
}

/// Why a connection is not to be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Refusal {
    /// There is one already.
    Doubled,
    /// The other end is an earlier process of an edge that has been started again.
    Stale,
    /// There are as many as there may be.
    Full,
}

/// A place in the registry, for as long as the link lasts.
pub(super) struct Place {
    registry: Registry,
    id: NodeId,
    ticket: u64,
    /// Told when another connection takes its place.
    pub(super) replaced: watch::Receiver<bool>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Registry(Arc<Mutex<Links>>);

#[derive(Debug, Default)]
struct Links {
    links: HashMap<NodeId, Entry>,
    tickets: u64,
}

#[derive(Debug)]
struct Entry {
    incarnation: u64,
    by_lower: bool,
    ticket: u64,
    since: Instant,
    replaced: watch::Sender<bool>,
}

impl Registry {
    /// Takes the place of an edge for this connection.
    pub(super) fn enter(&self, now: Instant, candidate: &Candidate) -> Result<Place, Refusal> {
        let mut links = self.lock();
        match links.links.get(&candidate.id) {
            Some(known) if candidate.incarnation < known.incarnation => return Err(Refusal::Stale),
            Some(known) if candidate.incarnation == known.incarnation => {
                let settled = now.saturating_duration_since(known.since) >= SETTLED;
                if settled || (known.by_lower && !candidate.by_lower) {
                    return Err(Refusal::Doubled);
                }
            }
            None if links.links.len() >= MOST_LINKS => return Err(Refusal::Full),
            _ => (),
        }
        links.tickets += 1;
        let (ticket, (replaced, told)) = (links.tickets, watch::channel(false));
        let entry = Entry { incarnation: candidate.incarnation, by_lower: candidate.by_lower, ticket, since: now, replaced };
        if let Some(before) = links.links.insert(candidate.id.clone(), entry) {
            before.replaced.send_replace(true);
        }
        Ok(Place { registry: self.clone(), id: candidate.id.clone(), ticket, replaced: told })
    }

    pub(super) fn linked(&self) -> Vec<NodeId> {
        self.lock().links.keys().cloned().collect()
    }

    pub(super) fn is_linked(&self, id: &NodeId) -> bool {
        self.lock().links.contains_key(id)
    }

    fn lock(&self) -> MutexGuard<'_, Links> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut links = self.registry.lock();
        if links.links.get(&self.id).is_some_and(|entry| entry.ticket == self.ticket) {
            links.links.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(incarnation: u64, by_lower: bool) -> Candidate {
        Candidate { id: NodeId::parse("b").unwrap(), incarnation, by_lower }
    }

    #[test]
    fn of_two_the_one_that_the_lower_dialled_stays_in_whichever_order_they_come() {
        let registry = Registry::default();
        let first = registry.enter(Instant::now(), &candidate(1, false)).unwrap();
        let second = registry.enter(Instant::now(), &candidate(1, true)).unwrap();
        assert!(*first.replaced.borrow());
        assert_eq!(registry.enter(Instant::now(), &candidate(1, false)).err(), Some(Refusal::Doubled));
        drop(first);
        assert!(registry.is_linked(&candidate(1, true).id), "who was replaced takes nothing away");
        drop(second);
        assert!(registry.linked().is_empty());
    }

    #[test]
    fn of_two_that_the_same_dialled_the_later_stays_until_one_has_settled() {
        let (registry, now) = (Registry::default(), Instant::now());
        let first = registry.enter(now, &candidate(1, false)).unwrap();
        let second = registry.enter(now, &candidate(1, false)).unwrap();
        assert!(*first.replaced.borrow());
        assert_eq!(registry.enter(now + SETTLED, &candidate(1, true)).err(), Some(Refusal::Doubled));
        assert!(!*second.replaced.borrow());
    }

    #[test]
    fn a_later_process_takes_the_place_of_the_earlier() {
        let registry = Registry::default();
        let first = registry.enter(Instant::now(), &candidate(5, true)).unwrap();
        assert_eq!(registry.enter(Instant::now(), &candidate(4, true)).err(), Some(Refusal::Stale));
        let _later = registry.enter(Instant::now(), &candidate(6, false)).unwrap();
        assert!(*first.replaced.borrow());
    }

    #[test]
    fn there_are_no_more_than_there_may_be() {
        let registry = Registry::default();
        let enter = |number: usize| {
            registry.enter(Instant::now(), &Candidate { id: NodeId::parse(&format!("e{number}")).unwrap(), ..candidate(1, true) })
        };
        let _places: Vec<_> = (0..MOST_LINKS).map(|number| enter(number).unwrap()).collect();
        assert_eq!(enter(MOST_LINKS).err(), Some(Refusal::Full));
    }
}
