//! A participant that goes on in another part of the room: its edge died, stood still, or is going away.
//!
//! It is the same participant there, with the same publications, and each part only changes where it gets them from: nobody is told that it went or
//! came, slots and wishes stay, and pictures go on with a key frame. Of two parts that both say they have it the later one is right
//! ([`Incarnation`]); the other lets go of it as soon as it hears. So it doesn't matter what is noticed first, the end of the old part or the
//! beginning of the new one: a part that can't be reached leaves its people *missing*, and only who stays so has left (`shard::tick`).

use crate::keys::{ParticipantKey, PublicationKey, RoomKey};
use crate::participant::{Admission, ConnectionId, Continuation, Incarnation};
use crate::relay::{RelayedParticipant, RelayedPublication};
use crate::shard::{Event, Shard, ShardId};
use nearcast_protocol::{ErrorCode, ErrorInfo, LeaveReason, ParticipantId};
use std::time::Instant;

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

    pub(in crate::shard) fn sent_on(&mut self, connection: ConnectionId) {
        if let Some(participant) = self.connections.get(&connection).and_then(|key| self.participants.get_mut(*key)) {
            participant.sent_on = true;
        }
    }

    fn forget_handle(&mut self, publication: PublicationKey) {
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
        // The same one again comes by another link than before.
        if theirs > ours || (theirs == ours && known.home.is_some()) {
            self.rehome(now, from, key, relayed);
        }
    }

    fn rehome(&mut self, now: Instant, from: ShardId, key: ParticipantKey, mut relayed: RelayedParticipant) {
        let was_here = self.home(key).is_none();
        let Some(room) = self.participants.get(key).map(|known| known.room) else { return };
        if was_here {
            self.let_go(now, key);
        }
        let incarnation = relayed.incarnation();
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
                Some(known) => self.rehome_publication(now, from, (key, known), &publication),
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
    ) {
        self.forget_handle(key);
        self.relayed.insert((from, relayed.handle), key);
        let Some(known) = self.publications.get_mut(key) else { return };
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
        (participant.home, participant.missing, participant.incarnation) = (None, None, incarnation);
        (participant.admission, participant.since) = (admission, continuation.since.0);
        for publication in participant.publications.clone() {
            self.forget_handle(publication);
            if let Some(known) = self.publications.get_mut(publication) {
                known.rehome(None, incarnation.first_generation(), now);
            }
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
