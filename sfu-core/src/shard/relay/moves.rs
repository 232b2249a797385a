//! A participant that goes on in another part of the room: its edge died, stood still, or is going away.
//!
//! It is the same participant there, with the same publications, and each part only changes where it gets them from: nobody is told that it went or
//! came, slots and wishes stay, and pictures go on with a key frame. Of two parts that both say they have it the later one is right
//! ([`Incarnation`]); the other lets go of it as soon as it hears. So it doesn't matter what is noticed first, the end of the old part or the
//! beginning of the new one: a part that can't be reached leaves its people *missing*, and only who stays so has left (`shard::tick`).

use super::{Keeping, Settling};
use crate::keys::{ParticipantKey, PublicationKey, RoomKey};
use crate::participant::{Admission, ConnectionId, Continuation, Incarnation, Participant, Yielding};
use crate::relay::{Handle, PartDemand, Relayed, RelayedParticipant, RelayedPublication};
use crate::shard::join::Newcomer;
use crate::shard::{Event, Shard, ShardId};
use nearcast_protocol::{ErrorCode, ErrorInfo, LeaveReason, ParticipantId, PublicationId};
use std::time::{Duration, Instant};

/// How long somebody may take to get from one edge to another with both of them at work. Guess: ICE, DTLS and some losses on a way of 300 ms.
const ARRIVING: Duration = Duration::from_secs(5);

/// How long the old edge goes on when somebody has arrived at the new one: until they see there what they see here, and everybody has their picture
/// from there. Guess: a key frame on a way of 300 ms; clients of ours end it themselves.
const ARRIVED: Duration = Duration::from_millis(1_500);

/// Without a check for so long there is nothing to be kept (browsers check every 5 s at most).
const ALIVE: Duration = Duration::from_secs(6);

/// Whether a participant's transport here still carries anything.
fn is_alive(participant: &Participant, now: Instant) -> bool {
    let peer = participant.peer.as_ref().filter(|peer| !peer.closed);
    peer.and_then(|peer| peer.ice.last_check()).is_some_and(|at| now.saturating_duration_since(at) < ALIVE)
}

impl Shard {
    /// The participant of that id, wherever it is.
    pub(in crate::shard) fn stay_in(&self, room: RoomKey, id: &ParticipantId) -> Option<ParticipantKey> {
        let is_it = |key: &&ParticipantKey| self.participants.get(**key).is_some_and(|participant| participant.id == *id);
        self.rooms.get(room)?.participants.iter().find(is_it).copied()
    }

    /// Its home is gone, or has let go of it. What it published there is asked for no more: the name may be another one's next.
    pub(super) fn miss(&mut self, now: Instant, key: ParticipantKey) {
        let Some(participant) = self.participants.get_mut(key) else { return };
        participant.missing = Some(now);
        for publication in participant.publications.clone() {
            self.forget_handle(publication);
        }
    }

    pub(in crate::shard) fn sent_on(&mut self, now: Instant, connection: ConnectionId) {
        if let Some(participant) = self.connections.get(&connection).and_then(|key| self.participants.get_mut(*key)) {
            participant.sent_on = true;
            participant.keeping.get_or_insert_with(|| Box::new(Keeping::new(now)));
        }
    }

    fn forget_handle(&mut self, publication: PublicationKey) {
        self.leave_home_before(publication);
        self.cut_branch(publication);
        let Some(from) = self.publications.get(publication).and_then(|known| known.from) else { return };
        if self.relayed.get(&from) == Some(&publication) {
            self.relayed.remove(&from);
        }
    }

    /// A part says that it has a participant that is known here.
    pub(super) fn follow(&mut self, now: Instant, from: ShardId, key: ParticipantKey, relayed: RelayedParticipant) {
        let Some(known) = self.participants.get(key) else { return };
        let (theirs, ours) = (relayed.incarnation(), known.incarnation);
        if known.home == Some(from) && known.missing.is_none() {
            if let Some(known) = self.participants.get_mut(key) {
                known.incarnation = theirs.max(ours);
            }
            return self.update_relayed(now, from, key, relayed.publications);
        }
        if relayed.admission.identity != known.admission.identity {
            return;
        }
        let yields = known.home.is_none() && (relayed.arriving || known.yielding.is_some()) && is_alive(known, now);
        if theirs > ours && yields {
            return self.put_off(now, from, key, relayed);
        }
        // The same one again comes by another link than before.
        if theirs > ours || (theirs == ours && known.home.is_some()) {
            if known.home.is_none() {
                self.tell_handed_over(from, key);
            }
            self.rehome(now, from, key, relayed);
        }
    }

    /// A participant of this part is elsewhere now, where its media has yet to arrive: until then, and for the moment that it takes to see there what
    /// it sees here, it is kept.
    fn put_off(&mut self, now: Instant, from: ShardId, key: ParticipantKey, relayed: RelayedParticipant) {
        let Some(known) = self.participants.get_mut(key) else { return };
        if known.yielding.as_ref().is_some_and(|yielding| yielding.relayed.incarnation() > relayed.incarnation()) {
            return;
        }
        let first = known.yielding.is_none();
        let until = now + if relayed.arriving { ARRIVING } else { ARRIVED };
        let coming: Vec<_> = relayed.publications.iter().map(|publication| (publication.info.id.clone(), publication.handle)).collect();
        known.yielding = Some(Box::new(Yielding { to: from, relayed, until }));
        if first {
            self.hand_over(now, from, key);
        }
        for (id, handle) in coming {
            self.look_forward_to(key, &id, (from, handle));
        }
    }

    /// Asks the new home of a publication for what is taken of it here, so that its first picture can take over.
    fn look_forward_to(&mut self, owner: ParticipantKey, id: &PublicationId, next: (ShardId, Handle)) {
        let Some(key) = self.publications_by_id.get(id).copied() else { return };
        let Some(known) = self.publications.get_mut(key).filter(|known| known.owner == owner && known.from.is_none()) else { return };
        match known.next.replace(next) {
            Some(before) if before == next => return,
            Some(before) => drop(self.relayed.remove(&before)),
            None => {}
        }
        known.demand_told = PartDemand::default();
        self.relayed.insert(next, key);
        self.tell_demand(key);
    }

    /// Lets go of a participant whose time is up, or that has gone by itself; false: it isn't elsewhere.
    pub(in crate::shard) fn yield_if(&mut self, now: Instant, key: ParticipantKey, at_once: bool) -> bool {
        let due = |yielding: &mut Box<Yielding>| at_once || now >= yielding.until;
        let Some(yielding) = self.participants.get_mut(key).and_then(|participant| participant.yielding.take_if(due)) else { return false };
        let Yielding { to, relayed, .. } = *yielding;
        self.rehome(now, to, key, relayed);
        true
    }

    /// Somebody who went on elsewhere comes back to a part that still keeps what it had here: that ends, as it would have in a moment, so that the new stay
    /// is later than the one elsewhere.
    pub(in crate::shard) fn end_stay_before(&mut self, now: Instant, newcomer: &Newcomer) {
        let Some(continuation) = &newcomer.continuation else { return };
        let room = self.rooms_by_name.get(&newcomer.admission.room).copied();
        let Some(key) = room.and_then(|room| self.stay_in(room, &continuation.participant)) else { return };
        let is_own = |known: &Participant| known.admission.identity == newcomer.admission.identity;
        if self.participants.get(key).is_some_and(is_own) {
            self.yield_if(now, key, true);
        }
    }

    /// A part says something else of a participant that is on its way there, or of whichever is: what it says is to be understood.
    pub(super) fn yield_at_once(&mut self, now: Instant, to: ShardId, id: Option<&ParticipantId>) {
        let on_the_way = |participant: &Participant| {
            participant.yielding.as_ref().is_some_and(|yielding| yielding.to == to) && id.is_none_or(|id| participant.id == *id)
        };
        let all: Vec<_> = self.participants.iter().filter(|(_, participant)| on_the_way(participant)).map(|(key, _)| key).collect();
        for key in all {
            self.yield_if(now, key, true);
        }
    }

    /// Tells the other parts when a participant that goes on here has arrived: something has come over its transport, if it sends anything.
    pub(in crate::shard) fn note_arrival(&mut self, now: Instant, key: ParticipantKey) {
        let Some(participant) = self.participants.get(key) else { return };
        let Some(since) = participant.arriving else { return };
        let mut sent =
            participant.publications.iter().filter_map(|key| self.publications.get(*key)).filter(|known| !known.info.muted).peekable();
        let sends_nothing = sent.peek().is_none();
        let comes = sent.any(|known| known.encodings().iter().any(|encoding| encoding.stream.ssrc.is_some()));
        let connected = participant.peer.as_ref().is_some_and(|peer| peer.srtp.is_some());
        if !(comes || (sends_nothing && connected) || now.saturating_duration_since(since) >= ARRIVING) {
            return;
        }
        let Some(participant) = self.participants.get_mut(key) else { return };
        participant.arriving = None;
        for publication in participant.publications.clone() {
            self.leave_home_before(publication);
        }
        self.relay_join(key);
    }

    /// What a part that speaks of a publication of its own means. Whose publisher is on the way there is taken to be there; one that has moved on since
    /// isn't that part's any more.
    pub(super) fn publication_at_home(&mut self, now: Instant, from: ShardId, handle: Handle) -> Option<(ParticipantKey, PublicationKey)> {
        let comes_from = |shard: &Self| {
            let found = shard.relayed_publication(from, handle)?;
            shard.publications.get(found.1).filter(|known| known.from == Some((from, handle))).map(|_| found)
        };
        if comes_from(self).is_none() {
            self.yield_at_once(now, from, None);
        }
        comes_from(self)
    }

    /// The first picture of the new home is here: the one before is asked for nothing more.
    pub(super) fn leave_home_before(&mut self, key: PublicationKey) {
        self.end_leaving(key);
        let Some(known) = self.publications.get_mut(key) else { return };
        let Some((home, handle)) = known.before.take() else { return };
        if known.from.is_none() {
            known.rungs_told = None;
        }
        if self.relayed.get(&(home, handle)) == Some(&key) {
            self.relayed.remove(&(home, handle));
            self.tell_part(home, Relayed::Demand { publication: handle, demand: PartDemand::default() });
        }
    }

    fn rehome(&mut self, now: Instant, from: ShardId, key: ParticipantKey, mut relayed: RelayedParticipant) {
        let was_here = self.home(key).is_none();
        let Some(room) = self.participants.get(key).map(|known| known.room) else { return };
        if was_here {
            self.let_go(now, key);
        }
        let incarnation = relayed.incarnation();
        // What works where it was is taken until the new place sends.
        let softly = relayed.arriving && !was_here && self.participants.get(key).is_some_and(|known| known.missing.is_none());
        let publications = std::mem::take(&mut relayed.publications);
        let Some(known) = self.participants.get_mut(key) else { return };
        (known.home, known.missing, known.sent_on, known.incarnation) = (Some(from), None, false, incarnation);
        (known.admission, known.by_http) = (relayed.admission, relayed.by_http);
        let before = known.publications.clone();
        if was_here {
            // Not before it is another part's: whoever asks is not to be told of it as here.
            self.tell_moved(room, &relayed.id);
        }
        let named = |id: &crate::relay::RelayedPublication, known: &crate::publication::Publication| known.info.id == id.info.id;
        for ended in before.iter().copied() {
            let goes_on =
                self.publications.get(ended).is_some_and(|known| publications.iter().any(|publication| named(publication, known)));
            if !goes_on {
                self.forget_handle(ended);
                self.unpublish(now, key, ended);
            }
        }
        for publication in publications {
            let known = before.iter().copied().find(|key| self.publications.get(*key).is_some_and(|known| named(&publication, known)));
            match known {
                Some(known) => self.rehome_publication(now, from, (key, known), &publication, softly),
                None => self.add_relayed_publication(now, from, key, publication),
            }
        }
        if was_here && !self.has_part(room) {
            self.end_part(now, room);
            if let Some(room) = self.rooms.remove(room) {
                self.rooms_by_name.remove(&room.name);
            }
        }
    }

    fn rehome_publication(
        &mut self,
        now: Instant,
        from: ShardId,
        (owner, key): (ParticipantKey, PublicationKey),
        relayed: &RelayedPublication,
        softly: bool,
    ) {
        let comes = self.publications.get(key).is_some_and(|known| known.from == Some((from, relayed.handle)));
        if comes && self.relayed.get(&(from, relayed.handle)) == Some(&key) {
            // It has taken over already.
            return self.mute(now, owner, key, relayed.info.muted);
        }
        self.leave_home_before(key);
        let before = self.publications.get(key).and_then(|known| known.from).filter(|_| softly);
        if before.is_none() {
            self.forget_handle(key);
        } else {
            self.leave_branch(key);
        }
        self.relayed.insert((from, relayed.handle), key);
        let Some(known) = self.publications.get_mut(key) else { return };
        known.before = before;
        known.rehome(Some((from, relayed.handle)), 0, now);
        known.add_encodings(&relayed.rids);
        self.mute(now, owner, key, relayed.info.muted);
        self.tell_demand(key);
    }

    /// A participant of this part goes on elsewhere: what it had here ends, but for its name and what it publishes.
    fn let_go(&mut self, now: Instant, key: ParticipantKey) {
        self.close_with(key, ErrorInfo::new(ErrorCode::DuplicateIdentity, "this participant goes on at another edge"));
        self.unsubscribe_from_all(key);
        self.tell_ended(now, key, LeaveReason::Replaced);
        self.end_transport(key);
        let Some(participant) = self.participants.get_mut(key) else { return };
        (participant.keeping, participant.settling) = (None, None);
        (participant.disconnected_at, participant.auto_subscribe) = (None, false);
        let session = std::mem::replace(&mut participant.session, nearcast_protocol::SessionId(String::new()));
        let connection = participant.connection.take();
        self.sessions.remove(&session);
        if let Some(connection) = connection {
            self.connections.remove(&connection);
            self.events.push_back(Event::Close { connection });
        }
        self.stats.leaves = self.stats.leaves.saturating_add(1);
    }

    /// Parts that have yet to hear from the new place keep it.
    fn tell_moved(&mut self, room: RoomKey, id: &ParticipantId) {
        self.relay_leave(room, id, LeaveReason::Replaced, true);
        self.tell_size(room);
    }

    /// What no offer carries on has ended.
    pub(in crate::shard) fn unpublish_all(&mut self, now: Instant, key: ParticipantKey) {
        for ended in self.participants.get(key).map(|participant| participant.publications.clone()).unwrap_or_default() {
            self.unpublish(now, key, ended);
        }
    }

    /// Somebody of another part goes on here: it is this part's from now on, with what it published, and with nothing else yet.
    pub(in crate::shard) fn bring_home(&mut self, now: Instant, key: ParticipantKey, admission: Admission, continuation: &Continuation) {
        let at = self.config.wall_clock.ntp(now).0;
        let Some(participant) = self.participants.get_mut(key) else { return };
        // Who asks last is right, however often it thinks to have moved.
        let count = continuation.count.max(participant.incarnation.count.saturating_add(1));
        let incarnation = Incarnation { count, at };
        let before = participant.home.filter(|_| participant.missing.is_none());
        participant.settling = Some(Box::new(Settling::new(now, before)));
        (participant.home, participant.missing, participant.incarnation) = (None, None, incarnation);
        (participant.admission, participant.since, participant.arriving) = (admission, continuation.since.0, Some(now));
        for publication in participant.publications.clone() {
            self.leave_home_before(publication);
            self.leave_branch(publication);
            let Some(known) = self.publications.get_mut(publication) else { continue };
            // Of one that is missing nothing comes, and its name may be another one's by now.
            let before = known.from.filter(|from| self.relayed.get(from) == Some(&publication));
            known.before = before;
            known.rehome(None, incarnation.first_generation(), now);
        }
    }
}

/// What is known of a publication's name shows whose it is: it begins with its participant's.
pub(in crate::shard) fn names(participant: &ParticipantId, publication: &str) -> bool {
    let own = participant.as_str().strip_prefix("p_").unwrap_or_default();
    let rest = publication.strip_prefix("t_").and_then(|name| name.strip_prefix(own));
    !own.is_empty()
        && rest.is_some_and(|rest| !rest.is_empty() && rest.len() <= MOST_SIGNS && rest.bytes().all(|sign| sign.is_ascii_alphanumeric()))
}

/// Signs of a publication's own name that are taken from who says it is theirs.
const MOST_SIGNS: usize = 16;
