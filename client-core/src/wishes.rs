//! How one shows what one receives, on its way to the edge. A page that lays out its tiles anew changes many wishes at once, so they are
//! collected for a moment; and as the latest wish for a publication is all that matters, they are told again after a reconnection.
//!
//! Not here: measuring what is shown (the app), and what becomes of a wish (`sfu-core`).

use crate::MonoTime;
use alloc::vec::Vec;
use nearcast_protocol::{PublicationId, Wish};

/// How long wishes are collected. Guess: too short to be noticed, and a window that is being dragged larger costs 20 messages a second at most.
const COLLECT_FOR: u32 = 50; // milliseconds

/// Wishes in one message, so that a message stays far below what an edge reads; the rest goes into the next one.
const MAX_TOLD: usize = 256;

#[derive(Debug)]
struct Known {
    wish: Wish,
    told: bool,
}

/// The latest wish for each publication. Its owner asks only for publications that it knows, and has those forgotten that end.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    all: Vec<Known>,
    due: Option<MonoTime>,
}

impl Wishes {
    /// A wish, perhaps the same as before.
    pub(crate) fn set(&mut self, now: MonoTime, wish: Wish) {
        let known = self.all.iter_mut().find(|known| known.wish.publication == wish.publication);
        match known {
            Some(known) if known.wish == wish => return,
            Some(known) => *known = Known { wish, told: false },
            None => self.all.push(Known { wish, told: false }),
        }
        self.due = self.due.or(Some(now.after(COLLECT_FOR)));
    }

    /// The latest one for this publication.
    pub(crate) fn of(&self, publication: &PublicationId) -> Option<&Wish> {
        self.all.iter().map(|known| &known.wish).find(|wish| wish.publication == *publication)
    }

    /// The publication is gone.
    pub(crate) fn forget(&mut self, publication: &PublicationId) {
        self.all.retain(|known| known.wish.publication != *publication);
    }

    /// The publication has another name now.
    pub(crate) fn rename(&mut self, was: &PublicationId, id: &PublicationId) {
        let of = self.all.iter_mut().filter(|known| known.wish.publication == *was);
        of.for_each(|known| known.wish.publication.clone_from(id));
    }

    /// The edge begins a subscription anew, and knows no wish for it.
    pub(crate) fn subscribed(&mut self, now: MonoTime, publication: &PublicationId) {
        if let Some(known) = self.all.iter_mut().find(|known| known.wish.publication == *publication) {
            known.told = false;
            self.due = self.due.or(Some(now.after(COLLECT_FOR)));
        }
    }

    /// The edge may not have heard the last ones: all of them are due.
    pub(crate) fn repeat(&mut self, now: MonoTime) {
        self.all.iter_mut().for_each(|known| known.told = false);
        self.due = (!self.all.is_empty()).then_some(now);
    }

    /// When [`Self::take`] has something.
    pub(crate) fn poll_timeout(&self) -> Option<MonoTime> {
        self.due
    }

    /// What is to be told now; empty: nothing.
    pub(crate) fn take(&mut self, now: MonoTime) -> Vec<Wish> {
        if self.due.is_none_or(|due| now < due) {
            return Vec::new();
        }
        self.due = None;
        let mut told = Vec::new();
        for known in self.all.iter_mut().filter(|known| !known.told) {
            if told.len() >= MAX_TOLD {
                self.due = Some(now.after(COLLECT_FOR));
                break;
            }
            known.told = true;
            told.push(known.wish.clone());
        }
        told
    }
}

#[cfg(test)]
mod tests;
