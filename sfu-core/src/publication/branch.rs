//! Where a part that didn't publish something gets its media from, and whom it passes that on to: one fork of the tree by which a publication reaches
//! many edges.
//!
//! Without a parent it comes from its home. A change is made before the old way is broken: the new supply is asked, sends, and when everything that
//! comes over the old one has come over the new one, too, the old one is let go of. Both have the same streams under the same numbers, so what comes
//! twice is dropped and nothing is missing.
//!
//! A part has a *depth*, that of its parent and one more. It takes children that are deeper than it is or is about to be, so that nothing goes round in
//! circles whatever is on its way between them.
//!
//! Not here: who is whose parent (`shard::relay::trees`), messages (`shard::relay::branches`).

use crate::relay::{Handle, PartDemand, PartName};
use crate::shard::ShardId;
use std::time::{Duration, Instant};

/// How long both supplies are taken: in it everything that is sent at all comes from each. Guess: six pictures, ten packets of sound.
const DWELL: Duration = Duration::from_millis(200);

/// A parent is asked again after so long, and no longer than so.
const ASKED_AGAIN: Duration = Duration::from_millis(500);
const ASKED_FOR: Duration = Duration::from_secs(4);

/// A parent that hasn't sent what came over the other way for so long doesn't.
const TRIED_FOR: Duration = Duration::from_secs(2);

/// One that has sent some of it is given that time so often.
const TRIES: u8 = 3;

/// A silence of the parent after which the home is to send, too: the first, and the longest, for what is silent often.
const PATIENCE: Duration = Duration::from_millis(150);
const MOST_PATIENCE: Duration = Duration::from_secs(4);

/// How much later than from the home it may come from the parent that was silent. Guess: more than any detour.
const DETOUR: Duration = Duration::from_millis(300);

/// A child that is no deeper than this part is let go of after so long, in which it may say that it is.
const TOO_HIGH: Duration = Duration::from_secs(1);

/// A part that sends.
#[derive(Clone, Debug)]
pub(crate) struct Parent {
    pub(crate) part: ShardId,
    pub(crate) name: PartName,
    /// What it calls the publication.
    pub(crate) handle: Handle,
    /// Of this part, below it.
    pub(crate) depth: u8,
    /// What it was last told that is taken here.
    pub(crate) told: PartDemand,
    /// What it has of it, one bit for each encoding: links on the way are too narrow for the others.
    pub(crate) passable: u8,
}

/// A part that gets from this one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Child {
    pub(crate) part: ShardId,
    pub(crate) depth: u8,
    /// What it was last told that can be had from here.
    pub(crate) passable: u8,
    too_high: Option<Instant>,
}

/// A parent that was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) part: ShardId,
    pub(crate) name: PartName,
    pub(crate) depth: u8,
    since: Instant,
    last: Instant,
}

/// A supply that is to take over.
#[derive(Clone, Debug)]
pub(crate) struct Coming {
    /// None: the home.
    pub(crate) parent: Option<Parent>,
    /// Encodings that came from it, and over the way that is in use, one bit each; since when.
    from_it: u8,
    other: u8,
    first: Option<Instant>,
    other_first: Option<Instant>,
    tries: u8,
}

/// What comes next.
#[derive(Clone, Debug)]
pub(crate) enum Next {
    Asked(Asked),
    Coming(Coming),
}

/// The parent is silent, and the home is asked for the same.
#[derive(Clone, Copy, Debug, Default)]
struct Doubt {
    /// When something came from there.
    home: Option<Instant>,
    /// Encodings of which a hole was looked for, one bit each.
    looked: u8,
}

/// What a packet has changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Turn {
    Nothing,
    /// What was to take over has.
    TakenOver,
    /// The parent sends again.
    Back,
}

/// What time has changed.
#[derive(Clone, Debug)]
pub(crate) enum Due {
    Nothing,
    /// It is to be asked once more.
    AskAgain(Asked),
    /// What was to take over didn't come.
    GiveUp(Next),
    /// The parent is silent.
    Doubt,
    /// It sends to others and not to this part, or doesn't at all.
    FallBack,
}

/// One fork.
#[derive(Debug)]
pub(crate) struct Branch {
    /// What is in use. None: the home.
    pub(crate) parent: Option<Parent>,
    pub(crate) next: Option<Next>,
    /// What was in use when the publisher moved: taken until a picture comes from the new home.
    pub(crate) leaving: Option<Parent>,
    pub(crate) children: Vec<Child>,
    /// What the home says that its link isn't too narrow for.
    home_passable: u8,
    heard: Option<Instant>,
    doubt: Option<Doubt>,
    patience: Duration,
    /// Encodings that were taken a moment ago, one bit each.
    taken: u8,
}

impl Default for Branch {
    fn default() -> Self {
        Self {
            parent: None,
            next: None,
            leaving: None,
            children: Vec::new(),
            home_passable: u8::MAX,
            heard: None,
            doubt: None,
            patience: PATIENCE,
            taken: 0,
        }
    }
}

impl Branch {
    /// How deep this part is, or is about to be. The home's own is 0, and nobody asks there.
    pub(crate) fn depth(&self) -> u8 {
        let next = match &self.next {
            Some(Next::Asked(asked)) => asked.depth,
            Some(Next::Coming(coming)) => coming.parent.as_ref().map_or(1, |parent| parent.depth),
            None => 1,
        };
        self.parent.as_ref().map_or(1, |parent| parent.depth).max(next)
    }

    /// The home needn't send.
    pub(crate) fn is_supplied(&self) -> bool {
        let home_next = matches!(&self.next, Some(Next::Coming(coming)) if coming.parent.is_none());
        self.parent.is_some() && self.doubt.is_none() && !home_next
    }

    /// All parents that send now, or shall soon.
    pub(crate) fn parents_mut(&mut self) -> impl Iterator<Item = &mut Parent> {
        let next = match &mut self.next {
            Some(Next::Coming(coming)) => coming.parent.as_mut(),
            _ => None,
        };
        self.parent.iter_mut().chain(next)
    }

    /// What can be had of it here, one bit for each encoding.
    pub(crate) fn passable(&self) -> u8 {
        self.parent.as_ref().map_or(self.home_passable, |parent| parent.passable)
    }

    pub(crate) fn note_home_passable(&mut self, passable: Option<u8>) {
        self.home_passable = passable.unwrap_or(u8::MAX);
    }

    /// All ways here but the home's.
    pub(crate) fn ways(&self) -> impl Iterator<Item = (ShardId, Handle)> {
        let next = match &self.next {
            Some(Next::Coming(coming)) => coming.parent.as_ref(),
            _ => None,
        };
        self.parent.iter().chain(next).chain(&self.leaving).map(|parent| (parent.part, parent.handle))
    }

    /// Whether any of them is that one.
    pub(crate) fn has(&self, part: ShardId, handle: Handle) -> bool {
        self.ways().any(|way| way == (part, handle))
    }

    /// Whether a part sends here, or is to.
    pub(crate) fn uses(&self, part: ShardId) -> bool {
        let next = match &self.next {
            Some(Next::Asked(asked)) => Some(asked.part),
            Some(Next::Coming(coming)) => coming.parent.as_ref().map(|parent| parent.part),
            None => None,
        };
        self.parent.iter().chain(&self.leaving).map(|parent| parent.part).chain(next).any(|other| other == part)
    }

    /// Whether that part is to take over already.
    pub(crate) fn is_trying(&self, part: ShardId, depth: u8) -> bool {
        match &self.next {
            Some(Next::Asked(asked)) => (asked.part, asked.depth) == (part, depth),
            Some(Next::Coming(coming)) => coming.parent.as_ref().is_some_and(|parent| (parent.part, parent.depth) == (part, depth)),
            None => false,
        }
    }

    pub(crate) fn is_child(&self, part: ShardId) -> bool {
        self.children.iter().any(|child| child.part == part)
    }

    /// Takes a child, or takes note that it is deeper than it was. False: it isn't deep enough.
    pub(crate) fn adopt(&mut self, part: ShardId, depth: u8) -> bool {
        if depth <= self.depth() {
            return false;
        }
        match self.children.iter_mut().find(|child| child.part == part) {
            Some(known) => (known.depth, known.too_high) = (depth, None),
            None => self.children.push(Child { part, depth, passable: u8::MAX, too_high: None }),
        }
        true
    }

    /// Children that haven't been deep enough for too long; they are none from now on.
    pub(crate) fn take_too_high(&mut self, now: Instant) -> Vec<ShardId> {
        let depth = self.depth();
        let mut gone = Vec::new();
        self.children.retain_mut(|child| {
            if child.depth > depth {
                child.too_high = None;
                return true;
            }
            let since = *child.too_high.get_or_insert(now);
            let stays = now.saturating_duration_since(since) < TOO_HIGH;
            if !stays {
                gone.push(child.part);
            }
            stays
        });
        gone
    }

    /// Begins to ask a parent.
    pub(crate) fn ask(&mut self, part: ShardId, name: PartName, depth: u8, now: Instant) {
        self.next = Some(Next::Asked(Asked { part, name, depth, since: now, last: now }));
    }

    /// That one was asked, and answers.
    pub(crate) fn answer(&mut self, part: ShardId, handle: Handle) -> bool {
        let Some(Next::Asked(asked)) = self.next.take_if(|next| matches!(next, Next::Asked(asked) if asked.part == part)) else {
            return false;
        };
        let parent = Parent { part, name: asked.name, handle, depth: asked.depth, told: PartDemand::default(), passable: u8::MAX };
        self.expect(Some(parent));
        true
    }

    /// Lets another supply take over as soon as it can.
    pub(crate) fn expect(&mut self, parent: Option<Parent>) {
        self.next = Some(Next::Coming(Coming { parent, from_it: 0, other: 0, first: None, other_first: None, tries: 0 }));
    }

    /// A packet of an encoding came: from whom, whether that is the home, and with others before it missing. `wanted`: the encodings that are taken here.
    pub(crate) fn on_packet(
        &mut self,
        now: Instant,
        from: (ShardId, Handle),
        home: bool,
        (encoding, hole): (u8, bool),
        wanted: u8,
    ) -> (Turn, bool) {
        let is_it = |parent: &Parent| (parent.part, parent.handle) == from;
        let bit = 1_u8.wrapping_shl(encoding.into());
        let in_use = self.parent.as_ref().map_or(home, is_it);
        let mut turn = Turn::Nothing;
        let mut torn = false;
        if in_use && self.parent.is_some() {
            self.heard = Some(now);
            if self.doubt.take().is_some() {
                self.patience = self.patience.saturating_mul(2).min(MOST_PATIENCE);
                turn = Turn::Back;
            }
        }
        if home && let Some(doubt) = &mut self.doubt {
            doubt.home.get_or_insert(now);
            torn = hole && doubt.looked & bit == 0;
            doubt.looked |= bit;
        }
        let Some(Next::Coming(coming)) = &mut self.next else { return (turn, torn) };
        if coming.parent.as_ref().map_or(home, is_it) {
            coming.first.get_or_insert(now);
            coming.from_it |= bit;
        } else if in_use {
            coming.other_first.get_or_insert(now);
            coming.other |= bit;
        }
        let dwelt = coming.first.is_some_and(|first| now.saturating_duration_since(first) >= DWELL);
        if dwelt && wanted & coming.other & !coming.from_it == 0 { (Turn::TakenOver, torn) } else { (turn, torn) }
    }

    /// What was to take over does. What was in use until now.
    pub(crate) fn take_over(&mut self, now: Instant) -> Option<Parent> {
        let Some(Next::Coming(coming)) = self.next.take() else { return None };
        (self.heard, self.doubt, self.patience) = (Some(now), None, PATIENCE);
        std::mem::replace(&mut self.parent, coming.parent)
    }

    /// The home is in use from now on. What was until now.
    pub(crate) fn go_home(&mut self) -> Option<Parent> {
        (self.heard, self.doubt, self.patience) = (None, None, PATIENCE);
        if matches!(&self.next, Some(Next::Coming(coming)) if coming.parent.is_none()) {
            self.next = None;
        }
        self.parent.take()
    }

    /// Something else is taken of the parent, or to be had there: until that comes its silence says nothing.
    pub(crate) fn expect_anew(&mut self, now: Instant) {
        self.heard = self.heard.max(Some(now));
    }

    /// Whether the home was heard in place of a silent parent.
    pub(crate) fn has_instead(&self) -> bool {
        self.doubt.is_some_and(|doubt| doubt.home.is_some())
    }

    /// What is due. `taken`: the encodings that are taken here, one bit each.
    pub(crate) fn poll(&mut self, now: Instant, taken: u8) -> Due {
        if std::mem::replace(&mut self.taken, taken) != taken {
            self.expect_anew(now);
        }
        let comes = taken & self.passable() != 0;
        let since = |at: Instant| now.saturating_duration_since(at);
        match &mut self.next {
            Some(Next::Asked(asked)) if since(asked.since) >= ASKED_FOR => return self.next.take().map_or(Due::Nothing, Due::GiveUp),
            Some(Next::Asked(asked)) if since(asked.last) >= ASKED_AGAIN => {
                asked.last = now;
                return Due::AskAgain(asked.clone());
            }
            Some(Next::Coming(coming)) if coming.other_first.is_some_and(|first| since(first) >= TRIED_FOR) => {
                if coming.first.is_some() && coming.tries < TRIES {
                    // An encoding that has been turned off meanwhile would be waited for in vain.
                    (coming.from_it, coming.other, coming.first, coming.other_first) = (0, 0, None, None);
                    coming.tries = coming.tries.saturating_add(1);
                    return Due::Nothing;
                }
                return self.next.take().map_or(Due::Nothing, Due::GiveUp);
            }
            _ => {}
        }
        if self.parent.is_none() {
            return Due::Nothing;
        }
        match self.doubt {
            Some(Doubt { home: Some(at), .. }) if since(at) >= DETOUR => Due::FallBack,
            None if comes && self.heard.is_none_or(|heard| since(heard) >= self.patience) => {
                self.doubt = Some(Doubt::default());
                Due::Doubt
            }
            _ => Due::Nothing,
        }
    }
}

#[cfg(test)]
mod tests;
