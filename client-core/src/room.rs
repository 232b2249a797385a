//! The room as this participant sees it: who is there, what they publish, which slot carries what.
//!
//! Every message changes this model and yields the events that say so; a snapshot (after a reconnection) yields the difference. Playing the
//! events over a copy always gives the model (`replaying_the_events_gives_the_room`): parts leave before wholes, wholes come before parts,
//! and a track is announced only while its publication is known.
//!
//! Small vectors on purpose: rooms have tens of members, and a map costs kilobytes of wasm.

use crate::Event;
use alloc::{string::String, vec::Vec};
use nearcast_protocol::client::Source;
use nearcast_protocol::{
    Joined, LeaveReason, Mid, ModerationAction, ParticipantId, ParticipantInfo, PublicationId, PublicationInfo, SlotBinding,
};

/// Participants we keep track of; later ones are not shown. Guess: far above what an edge lets in, below what hurts.
const MAX_PARTICIPANTS: usize = 4096;

/// Publications of one participant we keep track of; the edge allows fewer.
const MAX_PUBLICATIONS: usize = 64;

/// Bound slots we keep track of: both kinds.
const MAX_BINDINGS: usize = 2 * crate::MAX_SLOTS as usize;

#[derive(Clone, Debug)]
struct Participant {
    id: ParticipantId,
    identity: String,
    publications: Vec<Publication>,
    /// Was in the room of the session before this one; may follow us into it.
    held: bool,
}

#[derive(Clone, Debug)]
struct Publication {
    info: PublicationInfo,
    /// The app has it subscribed.
    wanted: bool,
}

/// Somebody's view of a room.
#[derive(Clone, Debug, Default)]
pub(crate) struct Room {
    others: Vec<Participant>,
    /// One's own publications.
    own: Vec<PublicationId>,
    auto_subscribe: bool,
    /// As the edge says.
    bindings: Vec<(Mid, PublicationId)>,
    /// Those of `bindings` whose publication is known, as the app was told. An empty name: the section was one of the transport before this one,
    /// and the new one for it has yet to be named.
    shown: Vec<(Mid, PublicationId)>,
}

impl Room {
    pub(crate) fn new(auto_subscribe: bool) -> Self {
        Self { auto_subscribe, ..Self::default() }
    }

    /// Another transport: its sections carry the same, as soon as the edge names them.
    pub(crate) fn transport_renewed(&mut self) {
        self.bindings.clear();
        self.shown.iter_mut().for_each(|(mid, _)| mid.0.clear());
    }

    /// Time is up for what has not come along to a new transport or session.
    pub(crate) fn settle(&mut self, events: &mut Vec<Event>) {
        while let Some(id) = self.others.iter().find(|other| other.held).map(|other| other.id.clone()) {
            self.participant_left(&id, LeaveReason::TimedOut, events);
        }
        while let Some(at) = self.shown.iter().position(|(mid, _)| mid.0.is_empty()) {
            let (_, publication) = self.shown.swap_remove(at);
            events.push(Event::TrackUnsubscribed { publication });
        }
    }

    /// The app wants a publication, or no longer.
    pub(crate) fn want(&mut self, id: &PublicationId, wanted: bool) {
        if let Some(publication) = self.find(id) {
            publication.wanted = wanted;
        }
    }

    /// Publications that the app wants, or doesn't, unlike what a new session begins with.
    pub(crate) fn choices(&self, of: Option<&ParticipantId>) -> Vec<PublicationId> {
        let chosen = |one: &&Publication| one.wanted != self.auto_subscribe;
        let of = self.others.iter().filter(|other| !other.held && of.is_none_or(|id| other.id == *id));
        of.flat_map(|other| &other.publications).filter(chosen).map(|one| one.info.id.clone()).collect()
    }

    /// Everything as it stands: the difference to before becomes events. `renewed`: over another transport, whose answer says what became of
    /// one's own publications.
    pub(crate) fn reconcile(&mut self, snapshot: &Joined, renewed: bool, events: &mut Vec<Event>) {
        let still_here = |id: &ParticipantId| snapshot.others.iter().any(|other| other.id == *id);
        let gone: Vec<_> = self.others.iter().filter(|other| !still_here(&other.id)).map(|other| other.id.clone()).collect();
        for id in gone {
            if snapshot.resumed {
                // Nobody told us how while we were away; that they left is true of all.
                self.participant_left(&id, LeaveReason::Left, events);
            } else {
                self.others.iter_mut().filter(|other| other.id == id).for_each(|other| other.held = true);
            }
        }
        for info in &snapshot.others {
            self.participant_joined(info, events);
        }
        let published = |id: &PublicationId| snapshot.participant.publications.iter().any(|one| one.id == *id);
        let dropped: Vec<_> = self.own.iter().filter(|id| !renewed && !published(id)).cloned().collect();
        for publication in dropped {
            self.unpublished(&publication);
            events.push(Event::LocalUnpublished { publication });
        }
        self.bindings.clear();
        for binding in snapshot.slots.iter().take(MAX_BINDINGS) {
            self.rebind(binding);
        }
        self.sync_tracks(events);
    }

    /// Somebody came, or is described anew.
    pub(crate) fn participant_joined(&mut self, info: &ParticipantInfo, events: &mut Vec<Event>) {
        self.recognize(info, events);
        if let Some(known) = self.others.iter().find(|other| other.id == info.id) {
            let published = |id: &PublicationId| info.publications.iter().any(|one| one.id == *id);
            let gone: Vec<_> = known.publications.iter().filter(|one| !published(&one.info.id)).map(|one| one.info.id.clone()).collect();
            for publication in gone {
                self.publication_removed(&info.id, &publication, events);
            }
        } else {
            if self.others.len() >= MAX_PARTICIPANTS {
                return;
            }
            let identity = info.identity.clone();
            self.others.push(Participant { id: info.id.clone(), identity, publications: Vec::new(), held: false });
            let (id, identity, name, role) = (info.id.clone(), info.identity.clone(), info.name.clone(), info.role.clone());
            events.push(Event::ParticipantJoined { id, identity, name, role });
        }
        for publication in &info.publications {
            self.publication_added(&info.id, publication, events);
        }
    }

    /// Somebody of the session before this one, under another name: the same identity, with publications of the same source.
    fn recognize(&mut self, info: &ParticipantInfo, events: &mut Vec<Event>) {
        let Some(held) = self.others.iter_mut().find(|other| other.held && other.identity == info.identity) else {
            return;
        };
        held.held = false;
        let was = core::mem::replace(&mut held.id, info.id.clone());
        if was != info.id {
            events.push(Event::ParticipantRenamed { was, id: info.id.clone() });
        }
        for new in &info.publications {
            let same = |one: &&mut Publication| (one.info.video, one.info.source, &one.info.name) == (new.video, new.source, &new.name);
            let free = |one: &&mut Publication| info.publications.iter().all(|other| other.id != one.info.id);
            if held.publications.iter().all(|one| one.info.id != new.id)
                && let Some(known) = held.publications.iter_mut().filter(free).find(same)
            {
                let was = core::mem::replace(&mut known.info.id, new.id.clone());
                self.shown.iter_mut().filter(|(_, shown)| *shown == was).for_each(|(_, shown)| shown.clone_from(&new.id));
                events.push(Event::PublicationRenamed { was, id: new.id.clone() });
            }
        }
    }

    pub(crate) fn participant_left(&mut self, id: &ParticipantId, reason: LeaveReason, events: &mut Vec<Event>) {
        let Some(at) = self.others.iter().position(|other| other.id == *id) else {
            return;
        };
        let publications: Vec<_> =
            self.others.get(at).map(|other| other.publications.iter().map(|one| one.info.id.clone()).collect()).unwrap_or_default();
        for publication in publications {
            self.publication_removed(id, &publication, events);
        }
        self.others.swap_remove(at);
        events.push(Event::ParticipantLeft { id: id.clone(), reason });
    }

    /// A publication is there, perhaps already known.
    pub(crate) fn publication_added(&mut self, participant: &ParticipantId, info: &PublicationInfo, events: &mut Vec<Event>) {
        if let Some(known) = self.find(&info.id) {
            if core::mem::replace(&mut known.info.blocked, info.blocked) != info.blocked {
                let action = if info.blocked { ModerationAction::Mute } else { ModerationAction::AllowUnmute };
                events.push(Event::Moderated { action, publication: info.id.clone() });
            }
            self.publication_muted(&info.id, info.muted, events);
            return;
        }
        let Some(owner) = self.others.iter_mut().find(|other| other.id == *participant) else {
            return;
        };
        if owner.publications.len() >= MAX_PUBLICATIONS {
            return;
        }
        owner.publications.push(Publication { info: info.clone(), wanted: self.auto_subscribe });
        events.push(Event::PublicationAdded {
            participant: participant.clone(),
            publication: info.clone(),
            subscribed: self.auto_subscribe,
        });
        if info.blocked {
            events.push(Event::Moderated { action: ModerationAction::Mute, publication: info.id.clone() });
        }
        self.sync_tracks(events);
    }

    pub(crate) fn publication_removed(&mut self, participant: &ParticipantId, id: &PublicationId, events: &mut Vec<Event>) {
        let Some(owner) = self.others.iter_mut().find(|other| other.id == *participant) else {
            return;
        };
        let Some(at) = owner.publications.iter().position(|one| one.info.id == *id) else {
            return;
        };
        owner.publications.swap_remove(at);
        self.sync_tracks(events);
        events.push(Event::PublicationRemoved { participant: participant.clone(), publication: id.clone() });
    }

    pub(crate) fn publication_muted(&mut self, id: &PublicationId, muted: bool, events: &mut Vec<Event>) {
        let Some(publication) = self.find(id) else {
            return;
        };
        if core::mem::replace(&mut publication.info.muted, muted) != muted {
            events.push(Event::PublicationMuted { publication: id.clone(), muted });
        }
    }

    /// A moderator stopped somebody else's publication, or allows it again.
    pub(crate) fn blocked(&mut self, id: &PublicationId, blocked: bool) {
        if let Some(publication) = self.find(id) {
            publication.info.blocked = blocked;
        }
    }

    /// A slot carries another publication, or none.
    pub(crate) fn bind(&mut self, binding: &SlotBinding, events: &mut Vec<Event>) {
        self.rebind(binding);
        self.sync_tracks(events);
    }

    /// One of our own tracks is published.
    pub(crate) fn published(&mut self, id: PublicationId) {
        self.own.push(id);
    }

    /// One of our own tracks is no longer published; whether it was.
    pub(crate) fn unpublished(&mut self, id: &PublicationId) -> bool {
        let before = self.own.len();
        self.own.retain(|one| one != id);
        self.own.len() != before
    }

    /// Whether this is one of our own publications.
    pub(crate) fn is_own(&self, id: &PublicationId) -> bool {
        self.own.contains(id)
    }

    /// Whether somebody else publishes this.
    pub(crate) fn knows(&self, id: &PublicationId) -> bool {
        self.others.iter().flat_map(|other| &other.publications).any(|one| one.info.id == *id)
    }

    /// Whose media comes in the section that `is`; none: nobody's, or the publisher has muted it.
    pub(crate) fn carried(&self, is: impl Fn(&Mid, &PublicationId) -> bool) -> Option<(&PublicationId, Source)> {
        let (_, id) = self.shown.iter().find(|(mid, id)| is(mid, id))?;
        let mut all = self.others.iter().flat_map(|other| &other.publications);
        all.find(|one| one.info.id == *id && !one.info.muted).map(|one| (&one.info.id, one.info.source))
    }

    /// Others in the room.
    pub(crate) fn count(&self) -> usize {
        self.others.len()
    }

    /// Who they are.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &ParticipantId> {
        self.others.iter().map(|other| &other.id)
    }

    /// Whether somebody is in the room.
    pub(crate) fn has(&self, id: &ParticipantId) -> bool {
        self.ids().any(|other| other == id)
    }

    /// One's own publications.
    pub(crate) fn own(&self) -> &[PublicationId] {
        &self.own
    }

    /// What the app wants of somebody, and may have.
    pub(crate) fn wanted(&self, of: &ParticipantId) -> impl Iterator<Item = &PublicationId> {
        let publications = self.others.iter().filter(move |other| other.id == *of).flat_map(|other| &other.publications);
        publications.filter(|one| one.wanted && !one.info.blocked).map(|one| &one.info.id)
    }

    /// The slot that shows a publication.
    pub(crate) fn shown_in(&self, id: &PublicationId) -> Option<&Mid> {
        self.shown.iter().find(|(_, shown)| shown == id).map(|(mid, _)| mid)
    }

    /// The slot that shows a publication of this participant, and what it is said to be: muted, blocked by a moderator.
    pub(crate) fn slot(&self, id: &PublicationId, of: &ParticipantId) -> Option<(&Mid, &PublicationInfo)> {
        let mid = self.shown_in(id)?;
        let owner = self.others.iter().find(|other| other.id == *of)?;
        owner.publications.iter().find(|one| one.info.id == *id).map(|one| (mid, &one.info))
    }

    fn find(&mut self, id: &PublicationId) -> Option<&mut Publication> {
        self.others.iter_mut().flat_map(|other| &mut other.publications).find(|one| one.info.id == *id)
    }

    fn rebind(&mut self, SlotBinding { mid, publication }: &SlotBinding) {
        // A publication is in one slot: the latest word counts.
        self.bindings.retain(|(other_mid, other)| other_mid != mid && Some(other) != publication.as_ref());
        if let Some(publication) = publication
            && self.bindings.len() < MAX_BINDINGS
        {
            self.bindings.push((mid.clone(), publication.clone()));
        }
    }

    /// Announces what bindings of known publications have changed: first what ended, so that a slot never seems to carry two.
    fn sync_tracks(&mut self, events: &mut Vec<Event>) {
        let known = |id: &PublicationId| self.others.iter().flat_map(|other| &other.publications).any(|one| one.info.id == *id);
        let bindings = &self.bindings;
        self.shown.retain(|shown| {
            let stays = (bindings.contains(shown) || shown.0.0.is_empty()) && known(&shown.1);
            if !stays {
                events.push(Event::TrackUnsubscribed { publication: shown.1.clone() });
            }
            stays
        });
        for binding in bindings.iter().filter(|binding| known(&binding.1)) {
            if !self.shown.contains(binding) {
                if let Some(at) = self.shown.iter().position(|(_, publication)| *publication == binding.1) {
                    self.shown.swap_remove(at);
                }
                self.shown.push(binding.clone());
                events.push(Event::TrackSubscribed { publication: binding.1.clone(), mid: binding.0.clone() });
            }
        }
    }
}

#[cfg(test)]
mod tests;
