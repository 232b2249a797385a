//! Coming in, coming back, losing the WebSocket.

use super::allocate::Allocating;
use super::peer_messages::PeerBudget;
use super::qualities::Rated;
use super::relay::Settling;
use super::stays::Noted;
use super::{Event, Shard};
use crate::keys::{ParticipantKey, RoomKey};
use crate::loudest::Loudest;
use crate::moderation::Decisions;
use crate::participant::{Admission, ConnectionId, Continuation, Incarnation, Participant, Room};
use crate::room_mode::{Mode, ModePolicy, Occasion, Terms};
use crate::sdp::Offer;
use nearcast_protocol::{
    ErrorCode, ErrorInfo, Join, Joined, LeaveReason, MediaAnswer, ParticipantInfo, ServerMessage, SessionId, SlotBinding,
};
use std::time::Instant;

/// Who wants in.
pub(super) struct Newcomer {
    pub(super) admission: Admission,
    /// By WHIP or WHEP.
    pub(super) by_http: bool,
    /// The stay that goes on here.
    pub(super) continuation: Option<Continuation>,
}

impl Shard {
    pub(super) fn join(&mut self, now: Instant, connection: ConnectionId, request: u32, newcomer: Newcomer, join: &Join) {
        if self.connections.contains_key(&connection) {
            let error = ErrorInfo::new(ErrorCode::OutOfOrder, "this connection has joined already");
            self.events.push_back(Event::Signal { connection, message: ServerMessage::Failed { id: request, error } });
            return;
        }
        let outcome = match &join.resume {
            Some(resume) => self.resume(now, connection, request, &resume.session, &newcomer.admission, join),
            None => self.enter(now, connection, request, newcomer, join),
        };
        if let Err(error) = outcome {
            self.events.push_back(Event::Signal { connection, message: ServerMessage::Failed { id: request, error } });
            self.events.push_back(Event::Close { connection });
        }
    }

    fn enter(&mut self, now: Instant, connection: ConnectionId, request: u32, newcomer: Newcomer, join: &Join) -> Result<(), ErrorInfo> {
        // Refused before anything changes: a broken offer must not throw out the same person's working session.
        let offer = join.offer.as_ref().map(Self::read_offer).transpose()?;
        self.end_stay_before(now, &newcomer);
        let room = self.room_for(now, &newcomer)?;
        let Newcomer { admission, by_http, continuation } = newcomer;
        let known = continuation.as_ref().and_then(|continuation| self.stay_in(room, &continuation.participant));
        let is_own = known.and_then(|key| self.participants.get(key)).is_none_or(|known| known.admission.identity == admission.identity);
        // What is someone else's stays that, whatever was shown.
        let (known, continuation) = if is_own { (known, continuation) } else { (None, None) };
        if let Some(key) = known.filter(|key| self.home(*key).is_none()) {
            // It never went.
            return self.come_back(now, connection, request, key, join, offer);
        }
        let key = if let (Some(key), Some(continuation)) = (known, &continuation) {
            self.bring_home(now, key, admission, continuation);
            key
        } else {
            self.replace_same_identity(now, room, &admission.identity);
            self.insert_newcomer(now, room, Newcomer { admission, by_http, continuation })
        };
        self.open_session(now, key, connection, join);
        self.stats.joins = self.stats.joins.saturating_add(1);
        self.tell_begun(key);

        let answered = match (&join.offer, offer) {
            (Some(message), Some(offer)) if known.is_some() => self.replace_transport(now, key, &offer, &message.publish).map(Some),
            (Some(message), Some(offer)) => self.apply_offer(now, key, &offer, &message.publish).map(Some),
            _ => {
                self.unpublish_all(now, key);
                Ok(None)
            }
        };
        let answer = match answered {
            Ok(answer) => answer,
            Err(error) => {
                self.leave(now, key, LeaveReason::Failed);
                return Err(error);
            }
        };
        self.tell_size(room);
        self.review_mode(now, room, Occasion::Came, Some(key));
        self.send_joined(key, request, answer, false);
        if known.is_none() {
            self.announce_participant(room, key);
        }
        self.subscribe_to_room(now, key);
        if known.is_none() {
            self.publish_announced(now, key);
        } else {
            self.announce_new_publications(now, key);
        }
        // With what is published: who goes on here is known elsewhere, and what isn't named has ended.
        if !self.has_parts(room) && self.is_alone(room, key) {
            self.look_for_parts(room);
        }
        self.relay_join(key);
        Ok(())
    }

    /// Somebody who isn't known in this part of the room.
    fn insert_newcomer(&mut self, now: Instant, room: RoomKey, newcomer: Newcomer) -> ParticipantKey {
        let Newcomer { admission, by_http, continuation } = newcomer;
        let at = self.config.wall_clock.ntp(now).0;
        let (id, since, count) = match continuation {
            Some(Continuation { participant, since, count }) => (participant, since.0, count),
            None => (format!("p_{}", self.random_name(10)).as_str().into(), at, 0),
        };
        let key = self.participants.insert(Participant {
            id,
            admission,
            room,
            since,
            incarnation: Incarnation { count, at },
            home: None,
            missing: None,
            sent_on: false,
            arriving: (count > 0).then_some(now),
            yielding: None,
            keeping: None,
            settling: (count > 0).then(|| Box::new(Settling::new(now, None))),
            session: SessionId(String::new()),
            connection: None,
            by_http,
            disconnected_at: None,
            auto_subscribe: false,
            publications: Vec::new(),
            subscriptions: Vec::new(),
            peer: None,
            slots_asked: (0, 0),
            allocating: Allocating::new(now),
            peer_budget: PeerBudget::default(),
            rated: Rated::new(now),
            noted: Noted::default(),
        });
        if let Some(room) = self.rooms.get_mut(room) {
            room.participants.push(key);
        }
        key
    }

    /// What somebody has at the shard that carries its transport, from `join` on.
    fn open_session(&mut self, now: Instant, key: ParticipantKey, connection: ConnectionId, join: &Join) {
        let session = self.random_session();
        let Some(participant) = self.participants.get_mut(key) else { return };
        participant.session = session.clone();
        participant.connection = Some(connection);
        participant.disconnected_at = participant.by_http.then_some(now);
        participant.auto_subscribe = join.auto_subscribe;
        participant.allocating = Allocating::new(now);
        participant.noted = Noted::new(join.client.as_deref());
        self.sessions.insert(session, key);
        self.connections.insert(connection, key);
    }

    /// The room of that name, created on first entry.
    fn room_for(&mut self, now: Instant, newcomer: &Newcomer) -> Result<RoomKey, ErrorInfo> {
        let Newcomer { admission, by_http, .. } = newcomer;
        let own = admission.max_participants.map(|most| most as usize);
        if let Some(key) = self.rooms_by_name.get(&admission.room) {
            let others = |key: &&ParticipantKey| {
                self.participants.get(**key).is_some_and(|participant| participant.admission.identity != admission.identity)
            };
            let present = self.rooms.get(*key).map_or(0, |room| room.participants.iter().filter(others).count());
            let agreed = self.rooms.get(*key).and_then(|room| room.terms.most);
            let is_there = self.rooms.get(*key).is_some_and(|room| room.participants.len() > present);
            self.check_entry(*key, person(admission, *by_http), is_there)?;
            self.check_policy(*key, admission)?;
            let most = [agreed, own].into_iter().flatten().fold(self.config.limits.participants_per_room, usize::min);
            if present >= most {
                return Err(ErrorInfo::new(ErrorCode::RoomFull, format!("the room holds {present} participants and takes no more")));
            }
            return Ok(*key);
        }
        if self.rooms.len() >= self.config.limits.rooms {
            return Err(ErrorInfo::new(ErrorCode::Overloaded, "this edge takes no more rooms; try another edge, or later"));
        }
        let room = Room {
            name: admission.room.clone(),
            participants: Vec::new(),
            parts: Vec::new(),
            speakers: Vec::new(),
            active_speaker: None,
            loudest: Loudest::default(),
            terms: Terms {
                founded: self.config.wall_clock.ntp(now).0,
                // Between two participants nobody could keep to it.
                policy: if admission.forwarding.is_some() { ModePolicy::Sfu } else { admission.mode },
                most: own,
                forwarding: admission.forwarding.clone(),
            },
            mode: Mode::default(),
            decisions: Decisions::default(),
            qualities_due: now,
        };
        let key = self.rooms.insert(room);
        self.rooms_by_name.insert(admission.room.clone(), key);
        Ok(key)
    }

    pub(super) fn replace_same_identity(&mut self, now: Instant, room: RoomKey, identity: &str) {
        let old = self.rooms.get(room).and_then(|room| {
            let same = |key: &&ParticipantKey| self.participants.get(**key).is_some_and(|held| held.admission.identity == identity);
            room.participants.iter().find(same).copied()
        });
        if let Some(old) = old {
            let error = ErrorInfo::new(ErrorCode::DuplicateIdentity, "the same identity joined from elsewhere");
            self.close_with(old, error);
            self.leave_keeping_room(now, old, LeaveReason::Replaced);
        }
    }

    fn resume(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        request: u32,
        session: &SessionId,
        admission: &Admission,
        join: &Join,
    ) -> Result<(), ErrorInfo> {
        let unknown = || ErrorInfo::new(ErrorCode::SessionUnknown, "no such session: it ended, or its resume window passed; join anew");
        let offer = join.offer.as_ref().map(Self::read_offer).transpose()?;
        let key = *self.sessions.get(session).ok_or_else(unknown)?;
        let participant = self.participants.get(key).ok_or_else(unknown)?;
        if participant.admission.identity != admission.identity || participant.admission.room != admission.room {
            return Err(unknown());
        }
        self.come_back(now, connection, request, key, join, offer)
    }

    /// Takes up a session of this shard: over its transport, or over another if the offer is that of one.
    fn come_back(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        request: u32,
        key: ParticipantKey,
        join: &Join,
        offer: Option<Offer>,
    ) -> Result<(), ErrorInfo> {
        let Some(participant) = self.participants.get_mut(key) else { return Ok(()) };
        // The old WebSocket may not have noticed yet that it is dead.
        if let Some(old) = participant.connection.replace(connection) {
            self.connections.remove(&old);
            self.events.push_back(Event::Close { connection: old });
        }
        participant.disconnected_at = None;
        // What was asked without a WebSocket was not heard.
        participant.slots_asked = (0, 0);
        participant.allocating.tell_anew(now);
        participant.subscriptions.iter_mut().for_each(|wish| wish.told = None);
        self.connections.insert(connection, key);
        self.stats.resumes = self.stats.resumes.saturating_add(1);
        let answer = match (&join.offer, offer) {
            (Some(message), Some(offer)) if self.peer(key).is_some_and(|peer| peer.fingerprint != offer.fingerprint) => {
                Some(self.replace_transport(now, key, &offer, &message.publish)?)
            }
            (Some(message), Some(offer)) => Some(self.apply_offer(now, key, &offer, &message.publish)?),
            _ => None,
        };
        if let Some(room) = self.participants.get(key).map(|participant| participant.room) {
            self.review_mode(now, room, Occasion::Came, Some(key));
        }
        self.send_joined(key, request, answer, true);
        self.tell_publisher_anew(key);
        self.announce_new_publications(now, key);
        self.fill_slots(now, key);
        Ok(())
    }

    /// The WebSocket is gone; media and the session go on until the resume window has passed.
    pub(super) fn disconnected(&mut self, now: Instant, connection: ConnectionId) {
        let Some(key) = self.connections.remove(&connection) else { return };
        let Some(participant) = self.participants.get_mut(key) else { return };
        participant.connection = None;
        participant.disconnected_at = Some(now);
        // Both gone and the transport closed in good order: a page that was closed won't come back.
        if participant.peer.as_ref().is_some_and(|peer| peer.closed) {
            self.leave(now, key, LeaveReason::Left);
        }
    }

    fn send_joined(&mut self, key: ParticipantKey, request: u32, answer: Option<MediaAnswer>, resumed: bool) {
        let Some(info) = self.participant_info(key) else { return };
        let Some(participant) = self.participants.get(key) else { return };
        let Some(room) = self.rooms.get(participant.room) else { return };
        let others =
            room.participants.iter().filter(|other| **other != key).filter_map(|other| self.participant_info_for(key, *other)).collect();
        let slots = participant.peer.iter().flat_map(|peer| &peer.slots).map(|slot| SlotBinding {
            mid: slot.mid.clone(),
            publication: slot.bound.and_then(|(publication, _)| Some(self.publications.get(publication)?.id().clone())),
        });
        let joined = Joined {
            id: request,
            session: participant.session.clone(),
            room: room.name.clone(),
            participant: info,
            others,
            permissions: participant.admission.permissions,
            slots: slots.filter(|binding| binding.publication.is_some()).collect(),
            answer,
            resumed,
            resume_window_ms: u32::try_from(self.config.resume_window.as_millis()).unwrap_or(u32::MAX),
            edges: Vec::new(),
            ice_servers: Vec::new(),
            mode: self.mode_of(participant.room),
            direct: room.terms.policy != ModePolicy::Sfu,
            locked: room.decisions.is_locked(),
            claim: None,
        };
        self.signal(key, ServerMessage::Joined(Box::new(joined)));
        self.tell_moderation_to(key, resumed);
        self.tell_speakers_to(key, resumed);
        self.tell_qualities_to(key);
    }

    /// A participant as the others see it.
    pub(super) fn participant_info(&self, key: ParticipantKey) -> Option<ParticipantInfo> {
        let participant = self.participants.get(key)?;
        let publications = participant.publications.iter().filter_map(|key| Some(self.publications.get(*key)?.info.clone())).collect();
        Some(ParticipantInfo {
            id: participant.id.clone(),
            identity: participant.admission.identity.clone(),
            name: participant.admission.name.clone(),
            role: participant.admission.role.clone(),
            publications,
        })
    }
}

/// Whom a moderator removes. Players by WHEP may share an identity, and each has its own name behind a slash.
pub(super) fn person(admission: &Admission, by_http: bool) -> &str {
    let identity = admission.identity.as_str();
    let player = by_http && !admission.permissions.publish;
    identity.rsplit_once('/').filter(|_| player).map_or(identity, |(person, _)| person)
}
