//! Publications that come over another part of the room than their home, and go on to others from here. What is kept of it: `publication::branch`.
//!
//! A part is told by the home whom to ask ([`Relayed::Via`]), asks ([`Relayed::Adopt`]), gets both for a moment, and then tells the home that it needn't
//! send. Its demand there goes on, marked, so that the home knows who takes what. What goes wrong on the way ends at the home: it is asked again, and
//! told where nothing came from ([`Relayed::Stray`]).

use crate::keys::PublicationKey;
use crate::packet::MediaPacket;
use crate::publication::Publication;
use crate::publication::branch::{Branch, Due, Next, Parent, Turn};
use crate::publication::keyframes::Need;
use crate::relay::{Handle, PartDemand, PartName, Relayed};
use crate::shard::{Neighbour, Shard, ShardId};
use nearcast_protocol::PublicationId;
use std::time::{Duration, Instant};

impl Shard {
    /// Takes note of which edge the shards that are linked belong to, or of what has changed about it. Those of which nothing is told get publications
    /// from their homes alone, and pass nothing on.
    pub fn handle_neighbour(&mut self, shards: &[ShardId], about: Neighbour) {
        self.neighbours.retain(|(known, _)| !known.iter().any(|known| shards.contains(known)));
        self.neighbours.push((shards.to_vec(), about));
    }

    /// What the way to the edge of these shards takes has changed.
    pub fn handle_one_way(&mut self, shards: &[ShardId], one_way: Duration) {
        let those = self.neighbours.iter_mut().filter(|(known, _)| known.iter().any(|known| shards.contains(known)));
        those.for_each(|(_, about)| about.one_way = one_way);
    }

    pub(super) fn forget_neighbours(&mut self, shards: &[ShardId]) {
        self.neighbours.retain(|(known, _)| !known.iter().any(|known| shards.contains(known)));
    }

    /// The edge that a shard is on.
    pub(super) fn neighbour(&self, shard: ShardId) -> Option<(&[ShardId], &Neighbour)> {
        self.neighbours.iter().find(|(known, _)| known.contains(&shard)).map(|(shards, about)| (&**shards, about))
    }

    /// The part that another edge calls so.
    fn part_named(&self, name: &PartName) -> Option<ShardId> {
        let is_it = |about: &Neighbour| *about.edge == *name.edge && about.incarnation == name.incarnation;
        self.neighbours.iter().find(|(_, about)| is_it(about))?.0.get(usize::from(name.shard)).copied()
    }

    /// The publication that a part passes on here under that name, or is asked to.
    pub(super) fn branch_of(&self, from: ShardId, handle: Handle) -> Option<PublicationKey> {
        self.branches.get(&(from, handle)).copied()
    }

    /// The home says from whom to get a publication.
    pub(super) fn on_via(&mut self, now: Instant, from: ShardId, handle: Handle, parent: Option<PartName>, depth: u8) {
        let Some((_, key)) = self.relayed_publication(from, handle) else { return };
        let Some(known) = self.publications.get(key).filter(|known| known.from == Some((from, handle))) else { return };
        if known.demand_told.is_none() {
            return; // it has heard by now that nothing is taken here
        }
        let Some(name) = parent else {
            self.give_up_next(key);
            if let Some(known) = self.publications.get_mut(key).filter(|known| known.branch.parent.is_some()) {
                known.branch.expect(None);
            }
            return self.tell_demand(key);
        };
        let part = self.part_named(&name).filter(|part| self.rooms.get(known.room).is_some_and(|room| room.parts.contains(part)));
        let Some(part) = part else { return self.tell_part(from, Relayed::Stray { publication: handle, parent: name }) };
        if known.branch.is_trying(part, depth) {
            return;
        }
        self.give_up_next(key);
        let Some(known) = self.publications.get_mut(key) else { return };
        match known.branch.parent.as_mut().filter(|known| known.part == part) {
            // It has to know that this part is deeper now, or it would have to let go of it when it gets deeper itself.
            Some(same) => same.depth = depth,
            None => known.branch.ask(part, name, depth, now),
        }
        let publication = known.id().clone();
        self.tell_demand(key);
        self.tell_part(part, Relayed::Adopt { publication, depth });
    }

    /// A part is to get a publication from here. What can't be isn't answered: it asks again, or turns to the home.
    pub(super) fn on_adopt(&mut self, from: ShardId, publication: PublicationId, depth: u8) {
        let Some(key) = self.publications_by_id.get(&publication).copied() else { return };
        let is_part = |known: &Publication| self.rooms.get(known.room).is_some_and(|room| room.parts.contains(&from));
        let comes = |known: &Publication| known.from.is_some_and(|home| self.relayed.get(&home) == Some(&key));
        if !self.publications.get(key).is_some_and(|known| is_part(known) && comes(known)) {
            return;
        }
        if self.publications.get_mut(key).is_some_and(|known| known.branch.adopt(from, depth)) {
            self.tell_part(from, Relayed::Adopted { publication, handle: Self::handle_of(key) });
        }
    }

    pub(super) fn on_adopted(&mut self, from: ShardId, publication: &PublicationId, handle: Handle) {
        let key = self.publications_by_id.get(publication).copied();
        let Some((key, known)) = key.and_then(|key| Some((key, self.publications.get_mut(key)?))) else {
            return self.tell_part(from, Relayed::Demand { publication: handle, demand: PartDemand::default() });
        };
        if known.branch.answer(from, handle) {
            // It may be the same part as for the home before, which sends already.
            let _ = known.branch.leaving.take_if(|leaving| (leaving.part, leaving.handle) == (from, handle));
            self.branches.insert((from, handle), key);
            self.tell_demand(key);
        } else if !known.branch.has(from, handle) {
            self.tell_part(from, Relayed::Demand { publication: handle, demand: PartDemand::default() });
        }
    }

    /// A part passes a publication on here no more.
    pub(super) fn on_dropped(&mut self, now: Instant, from: ShardId, handle: Handle) {
        if let Some(key) = self.branch_of(from, handle) {
            self.lose_parent(now, key, from);
        }
    }

    /// What came over a part comes no more, or won't come.
    pub(super) fn lose_parent(&mut self, now: Instant, key: PublicationKey, part: ShardId) {
        let Some(known) = self.publications.get_mut(key) else { return };
        if let Some(leaving) = known.branch.leaving.take_if(|leaving| leaving.part == part) {
            self.forget_parent(key, &leaving);
        }
        let Some(known) = self.publications.get_mut(key) else { return };
        let next = known.branch.next.take_if(|next| match next {
            Next::Asked(asked) => asked.part == part,
            Next::Coming(coming) => coming.parent.as_ref().is_some_and(|parent| parent.part == part),
        });
        if let Some(next) = next {
            self.end_next(key, next, true);
        }
        if self.publications.get(key).is_some_and(|known| known.branch.parent.as_ref().is_some_and(|parent| parent.part == part)) {
            self.fall_back(now, key);
        }
        self.tell_demand(key);
    }

    /// The home is told that nothing came from a part.
    fn tell_stray(&mut self, key: PublicationKey, parent: PartName) {
        if let Some((home, publication)) = self.publications.get(key).and_then(|known| known.from) {
            self.tell_part(home, Relayed::Stray { publication, parent });
        }
    }

    /// Takes a publication from its home again, at once.
    fn fall_back(&mut self, now: Instant, key: PublicationKey) {
        let Some(known) = self.publications.get_mut(key) else { return };
        let comes = known.branch.has_instead();
        let Some(parent) = known.branch.go_home() else { return };
        let video = known.info.video;
        let taken = known.demand_told.encodings;
        if video && !comes {
            (0..known.encodings().len() as u8)
                .filter(|encoding| taken & 1_u8.wrapping_shl((*encoding).into()) != 0)
                .for_each(|encoding| known.keyframes.want(encoding, Need::Picture, now));
        }
        self.stats.fallbacks = self.stats.fallbacks.saturating_add(1);
        self.withdraw(key, &parent);
        self.tell_stray(key, parent.name);
        self.tell_demand(key);
        self.relay_due_keyframes(now, key);
    }

    /// A part that sends is asked for nothing more.
    fn withdraw(&mut self, key: PublicationKey, parent: &Parent) {
        // Where the publisher has moved to it, it is the home.
        if self.forget_parent(key, parent) {
            self.tell_part(parent.part, Relayed::Demand { publication: parent.handle, demand: PartDemand::default() });
        }
    }

    /// What it calls the publication means nothing here any more. False: it is its home now.
    fn forget_parent(&mut self, key: PublicationKey, parent: &Parent) -> bool {
        let Some(known) = self.publications.get_mut(key) else { return false };
        if known.branch.has(parent.part, parent.handle) {
            return false;
        }
        if self.branches.get(&(parent.part, parent.handle)) == Some(&key) {
            self.branches.remove(&(parent.part, parent.handle));
        }
        if known.from == Some((parent.part, parent.handle)) {
            if known.demand_told.is_none() {
                known.demand_told = parent.told;
            }
            return false;
        }
        true
    }

    /// What was to take over doesn't.
    fn give_up_next(&mut self, key: PublicationKey) {
        if let Some(next) = self.publications.get_mut(key).and_then(|known| known.branch.next.take()) {
            self.end_next(key, next, false);
        }
    }

    fn end_next(&mut self, key: PublicationKey, next: Next, stray: bool) {
        let name = match next {
            Next::Asked(asked) => Some(asked.name),
            Next::Coming(coming) => coming.parent.map(|parent| {
                self.withdraw(key, &parent);
                parent.name
            }),
        };
        if let Some(name) = name.filter(|_| stray) {
            self.tell_stray(key, name);
        }
    }

    /// A packet of somebody else's publication has come, and is new here or not.
    pub(super) fn on_supplied(&mut self, now: Instant, from: (ShardId, Handle), key: PublicationKey, (encoding, hole): (u8, bool)) {
        let Some(known) = self.publications.get_mut(key) else { return };
        let home = known.from == Some(from);
        let (turn, torn) = known.branch.on_packet(now, from, home, (encoding, hole), known.demand_told.encodings);
        if torn && known.info.video {
            known.keyframes.want(encoding, Need::Picture, now);
            self.relay_due_keyframes(now, key);
        }
        match turn {
            Turn::Nothing => {}
            Turn::Back => self.tell_demand(key),
            Turn::TakenOver => {
                let Some(known) = self.publications.get_mut(key) else { return };
                let before = known.branch.take_over(now);
                if known.branch.parent.is_some() {
                    self.stats.adoptions = self.stats.adoptions.saturating_add(1);
                }
                if let Some(before) = before {
                    self.withdraw(key, &before);
                }
                self.tell_demand(key);
            }
        }
    }

    /// Hands a packet that came from elsewhere to the parts that get it from here.
    pub(super) fn pass_down(&mut self, key: PublicationKey, packet: &MediaPacket<'_>) {
        if self.publications.get(key).is_some_and(|known| !known.branch.children.is_empty()) {
            let before = self.stats.relayed_out;
            self.relay_packet(key, packet);
            self.stats.passed_on = self.stats.passed_on.saturating_add(self.stats.relayed_out.saturating_sub(before));
        }
    }

    /// What time brings, ten times a second.
    pub(super) fn tend_branch(&mut self, now: Instant, key: PublicationKey) {
        let Some(known) = self.publications.get_mut(key) else { return };
        match known.branch.poll(now, known.demand_told.encodings) {
            Due::Nothing => {}
            Due::AskAgain(asked) => {
                let publication = known.id().clone();
                self.tell_part(asked.part, Relayed::Adopt { publication, depth: asked.depth });
            }
            Due::GiveUp(next) => {
                self.end_next(key, next, true);
                self.tell_demand(key);
            }
            Due::Doubt => self.tell_demand(key),
            Due::FallBack => self.fall_back(now, key),
        }
        let Some(known) = self.publications.get_mut(key).filter(|known| !known.branch.children.is_empty()) else { return };
        for part in known.branch.take_too_high(now) {
            self.drop_child(key, part);
        }
        self.tell_passable(key);
    }

    /// Tells those that get it from here which encodings aren't to be had over links that are too narrow.
    fn tell_passable(&mut self, key: PublicationKey) {
        let Some(known) = self.publications.get_mut(key) else { return };
        let here = known.branch.passable();
        let mut told = Vec::new();
        let withheld: Vec<_> = known
            .branch
            .children
            .iter()
            .map(|child| self.narrow.get(&child.part).map_or(u8::MAX, |withheld| known.without_largest(*withheld)))
            .collect();
        for (child, kept) in known.branch.children.iter_mut().zip(withheld) {
            let encodings = here & kept;
            if child.passable != encodings {
                child.passable = encodings;
                told.push((child.part, encodings));
            }
        }
        for (part, encodings) in told {
            self.tell_part(part, Relayed::Passable { publication: Self::handle_of(key), encodings });
        }
    }

    pub(super) fn on_passable(&mut self, now: Instant, from: ShardId, handle: Handle, encodings: u8) {
        let Some(known) = self.branch_of(from, handle).and_then(|key| self.publications.get_mut(key)) else { return };
        known.branch.expect_anew(now);
        let parents = known.branch.parents_mut().filter(|parent| (parent.part, parent.handle) == (from, handle));
        parents.for_each(|parent| parent.passable = encodings);
    }

    fn drop_child(&mut self, key: PublicationKey, part: ShardId) {
        if let Some(known) = self.publications.get_mut(key) {
            known.relays.retain(|(other, _)| *other != part);
        }
        self.tell_part(part, Relayed::Dropped { publication: Self::handle_of(key) });
    }

    /// Its home is gone, or another one: who gets it from here turns to the home, and nothing is taken over others any more.
    pub(super) fn cut_branch(&mut self, key: PublicationKey) {
        let Some(known) = self.publications.get_mut(key) else { return };
        let Branch { parent, next, leaving, children, .. } = std::mem::take(&mut known.branch);
        if !children.is_empty() {
            known.relays.clear();
        }
        for child in children {
            self.tell_part(child.part, Relayed::Dropped { publication: Self::handle_of(key) });
        }
        for parent in parent.iter().chain(&leaving) {
            self.withdraw(key, parent);
        }
        if let Some(next) = next {
            self.end_next(key, next, false);
        }
    }

    /// Its publisher has moved: what comes over another part is taken until a picture comes from the new home, and passed on until then.
    pub(super) fn leave_branch(&mut self, key: PublicationKey) {
        self.give_up_next(key);
        self.end_leaving(key);
        if let Some(known) = self.publications.get_mut(key) {
            known.branch.leaving = known.branch.go_home();
        }
    }

    /// That picture has come.
    pub(super) fn end_leaving(&mut self, key: PublicationKey) {
        if let Some(leaving) = self.publications.get_mut(key).and_then(|known| known.branch.leaving.take()) {
            self.withdraw(key, &leaving);
        }
    }

    /// Nothing is taken any more: no part is asked for anything.
    pub(super) fn end_branch(&mut self, key: PublicationKey) {
        self.give_up_next(key);
        if let Some(parent) = self.publications.get_mut(key).and_then(|known| known.branch.go_home()) {
            self.withdraw(key, &parent);
        }
    }
}
