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

/// What a participant can't receive now, whatever it wishes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct WishCap {
    /// The shorter side, in pixels; none: no limit.
    pub(crate) lines: Option<u16>,
    /// Nothing at all.
    pub(crate) hidden: bool,
}

impl WishCap {
    /// What to tell instead of `wish`.
    fn apply(self, mut wish: Wish) -> Wish {
        wish.visible &= !self.hidden;
        if let Some(lines) = self.lines {
            let least = wish.width.min(wish.height);
            if least == 0 {
                // As wide as a screen: unknown would be as large as it comes.
                (wish.width, wish.height) = (lines.saturating_mul(16) / 9, lines);
            } else if least > lines {
                let scaled = |side: u16| u16::try_from(u32::from(side) * u32::from(lines) / u32::from(least)).unwrap_or(u16::MAX);
                (wish.width, wish.height) = (scaled(wish.width), scaled(wish.height));
            }
        }
        wish
    }
}

/// The latest wish for each publication. Its owner asks only for publications that it knows, and has those forgotten that end.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    all: Vec<Known>,
    due: Option<MonoTime>,
    cap: WishCap,
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

    /// What is told of all wishes from now on.
    pub(crate) fn cap(&mut self, now: MonoTime, cap: WishCap) {
        if self.cap != cap {
            self.cap = cap;
            self.repeat(now);
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
            told.push(self.cap.apply(known.wish.clone()));
        }
        told
    }
}

#[cfg(test)]
mod tests;
