//! The life of the signalling connection: opening, joining, resuming, heartbeat, loss. States are in [`crate::link`].

use super::{Session, SocketId, Stage, Stay};
use crate::link::Link;
use crate::recovery::heartbeat::{Beat, Heartbeat};
use crate::recovery::outage::ATTEMPT_WITHIN;
use crate::recovery::{Reason, Step};
use crate::{Code, Event, MonoTime, Output, State};
use alloc::string::String;
use nearcast_protocol::{ClientMessage, Continues, ErrorCode, ErrorInfo, Join, Joined, Resume};

/// How long people, publications and tracks may take to come along to a new session or transport. Guess: most clients of an edge that died have
/// found another one by then.
pub(super) const SETTLE_WITHIN: u32 = 5000; // milliseconds

/// How often an edge may send us to another one before we are in. Two that send us to each other don't agree yet.
const MAX_REDIRECTS: u8 = 4;

impl Session {
    /// Socket, token and first offer, all at once; the socket first, since the network is slower than the browser that makes the offer.
    pub(super) fn start(&mut self, now: MonoTime) {
        if self.stage != Stage::New {
            return;
        }
        self.stage = Stage::Entering { until: now.after(self.config.join_timeout_ms) };
        self.open_transport();
        self.begin_attempt(now);
        self.make_offer();
    }

    /// Another socket: to the present edge, or only to see whether another one answers.
    pub(super) fn begin_attempt(&mut self, now: MonoTime) {
        self.sockets = self.sockets.wrapping_add(1);
        let socket = SocketId(self.sockets);
        // Without a session to go back to, no edge is better than another.
        let scouted = if self.resumes() { self.recovery.scouted(now) } else { None };
        let within = if self.stage == Stage::In { self.recovery.attempt_within() } else { self.config.join_timeout_ms };
        let scout = scouted.is_some();
        self.link = Link::Opening { socket, open: false, token: None, scout, since: now, until: now.after(within) };
        let edge = scouted.unwrap_or_else(|| self.recovery.edges.address());
        self.push(Output::OpenSocket { socket, edge });
        if !scout {
            self.push(Output::FetchToken);
        }
    }

    pub(super) fn token(&mut self, now: MonoTime, fetched: Option<String>) {
        let Link::Opening { token, .. } = &mut self.link else {
            return;
        };
        if fetched.is_some() {
            *token = fetched;
            self.send_join_if_ready(now);
        } else if self.stage == Stage::In {
            // While the network is away, fetching a token fails too.
            self.attempt_failed(now, 0, false);
        } else {
            self.end(Some(Code::TokenUnavailable.into()));
        }
    }

    pub(super) fn socket_opened(&mut self, now: MonoTime, opened: SocketId) {
        let Link::Opening { socket, open, scout, until, .. } = &mut self.link else {
            return;
        };
        if *socket != opened {
            return;
        }
        if *scout {
            // So the network works. Perhaps it didn't a moment ago: our own edge, which knows us, gets one more attempt.
            self.recovery.proven = true;
            self.drop_link();
            return self.begin_attempt(now);
        }
        *open = true;
        *until = (*until).max(now.after(ATTEMPT_WITHIN));
        self.send_join_if_ready(now);
    }

    /// Whether there is a session to take up again.
    fn resumes(&self) -> bool {
        self.stay.as_ref().is_some_and(|stay| stay.session.is_some())
    }

    /// The first join carries the first offer, so that it costs one round trip; a resume carries the proof that the session is ours, and the first
    /// offer of another transport if there is one.
    pub(super) fn send_join_if_ready(&mut self, now: MonoTime) {
        let resume = self.stay.as_ref().and_then(|stay| stay.session.clone()).map(|session| Resume { session });
        let Link::Opening { socket, open: true, token, until, .. } = &mut self.link else {
            return;
        };
        let offers = self.negotiation.is_fresh();
        if token.is_none() || (offers && !self.negotiation.is_ready()) {
            return;
        }
        let (socket, until, token) = (*socket, *until, token.take().unwrap_or_default());
        let id = self.next_id();
        let offer = if offers { self.negotiation.send(id) } else { None };
        self.link = Link::Joining { socket, join: id, until: until.max(now) };
        let client = Some(self.config.client.clone());
        let continues = if resume.is_none() { self.continues() } else { None };
        self.send(id, ClientMessage::Join(Join { token, auto_subscribe: self.config.auto_subscribe, offer, resume, client, continues }));
    }

    /// Who we are, for an edge that doesn't know us.
    fn continues(&mut self) -> Option<Continues> {
        let stay = self.stay.as_ref()?;
        let claim = stay.claim.clone()?;
        self.moves = self.moves.saturating_add(1);
        Some(Continues { participant: stay.id.clone(), claim, count: self.moves })
    }

    pub(super) fn joined(&mut self, now: MonoTime, mut joined: Joined) {
        let Link::Joining { socket, join, .. } = self.link else {
            return;
        };
        if joined.id != join {
            return;
        }
        if self.resumes() && !joined.resumed {
            // Another session than ours: what we have isn't in it.
            return self.rejoin(now, Reason::Failed(Code::Edge(ErrorCode::SessionUnknown)));
        }
        let renewed = self.negotiation.is_fresh();
        if self.negotiation.is_sent_as(join) {
            let Some(sdp) = joined.answer.take().and_then(|answer| self.negotiation.answered(answer)) else {
                return match self.stage {
                    Stage::In => self.rejoin(now, Reason::BadMessage),
                    _ => self.end(Some(ErrorCode::BadMessage.into())),
                };
            };
            self.push(Output::ApplyAnswer { sdp });
        }
        self.link = Link::Up { socket, heartbeat: Heartbeat::new(now) };
        self.enter(now, joined, renewed);
        self.send_requests();
        self.negotiate();
    }

    /// In, for the first time or again: the room as it stands.
    fn enter(&mut self, now: MonoTime, mut joined: Joined, renewed: bool) {
        self.redirects = 0;
        self.recovery.edges.learn(core::mem::take(&mut joined.edges));
        self.name_ice_servers(now, core::mem::take(&mut joined.ice_servers));
        self.direct.mode = joined.mode;
        self.direct.possible = joined.direct;
        let (session, id, permissions) = (Some(joined.session.clone()), joined.participant.id.clone(), joined.permissions);
        // Who resumes has it already.
        let kept = self.stay.as_mut().and_then(|stay| stay.claim.take()).filter(|_| joined.resumed);
        let claim = joined.claim.take().or(kept);
        let before = self.stay.replace(Stay { session, claim, id: id.clone(), permissions });
        if let Some(before) = before {
            if before.id != id {
                self.event(Event::ParticipantRenamed { was: before.id, id });
            }
            self.wishes.repeat(now);
            if renewed {
                self.settle_at = Some(now.after(SETTLE_WITHIN));
            }
            self.with_room(|room, events| room.reconcile(&joined, renewed, events));
            if !joined.resumed {
                self.choose_again(None);
            }
            return self.recovery.signalling_back(now, if joined.resumed { Reason::Resumed } else { Reason::Moved });
        }
        self.stage = Stage::In;
        let me = &mut joined.participant;
        let (identity, name, role) = (me.identity.clone(), me.name.clone(), me.role.clone());
        self.event(Event::Joined { room: joined.room.clone(), id, identity, name, role });
        if joined.permissions.moderate {
            self.event(Event::MayModerate);
        }
        self.with_room(|room, events| room.reconcile(&joined, renewed, events));
        self.event(Event::StateChanged { state: State::Connected, reason: Reason::Joined });
        self.recovery.entered(now, !self.ice_servers.is_empty());
    }

    /// The edge refused our join.
    pub(super) fn join_refused(&mut self, now: MonoTime, mut error: ErrorInfo) {
        if let Some(edge) = error.edge.take()
            && self.redirects < MAX_REDIRECTS
            && self.recovery.edges.go(now, edge)
        {
            self.redirects += 1;
            self.drop_link();
            return self.begin_attempt(now);
        }
        if self.stage == Stage::In {
            if error.retryable && error.code != ErrorCode::TokenNotYetValid {
                let not_before = error.retry_after_ms.unwrap_or_default();
                return self.attempt_failed(now, not_before, false);
            }
            if error.code == ErrorCode::SessionUnknown {
                return self.rejoin(now, Reason::Failed(Code::Edge(error.code)));
            }
        }
        self.end(Some(error.into()));
    }

    pub(super) fn socket_closed(&mut self, now: MonoTime, closed: SocketId) {
        if self.link.socket() != Some(closed) {
            return;
        }
        self.link = Link::Down { retry_at: None };
        self.link_lost(now, Reason::SocketClosed);
    }

    pub(super) fn link_timeout(&mut self, now: MonoTime) {
        if self.link.poll_timeout().is_none_or(|at| now < at) {
            return;
        }
        match &mut self.link {
            Link::Down { .. } => self.begin_attempt(now),
            Link::Opening { open, .. } => {
                let unanswered = !*open;
                self.attempt_failed(now, 0, unanswered);
            }
            Link::Joining { .. } => self.attempt_failed(now, 0, true),
            Link::Up { heartbeat, .. } => match heartbeat.handle_timeout(now, self.recovery.path.is_clean()) {
                Beat::Nothing => {}
                Beat::Ping => {
                    let id = self.next_id();
                    self.send(id, ClientMessage::Ping);
                }
                Beat::Lost => self.link_lost(now, Reason::NoPong),
            },
        }
    }

    /// Signalling is gone. During the first join that is the end: the app is there and knows better than we what to do next.
    pub(super) fn link_lost(&mut self, now: MonoTime, reason: Reason) {
        if self.stage != Stage::In {
            return self.end(Some(if reason == Reason::BadMessage { ErrorCode::BadMessage.into() } else { Code::EdgeUnreachable.into() }));
        }
        self.take_step(now, if self.resumes() { Step::Resuming } else { Step::Moving }, reason);
        self.recovery.path.hasten(now);
        self.attempt_failed(now, 0, reason == Reason::NoPong);
    }

    /// This attempt came to nothing: another one later.
    pub(super) fn attempt_failed(&mut self, now: MonoTime, not_before: u32, unanswered: bool) {
        self.drop_link();
        if self.leaving.is_some() {
            // The way back is closed: whatever comes of it, it is looked for as in any outage, and the edge before plays on as long as it does.
            self.take_step(now, Step::Moving, Reason::EdgeLost);
        }
        if self.resumes() {
            if core::mem::take(&mut self.recovery.proven) && self.recovery.edges.leave(now) {
                return self.rejoin(now, Reason::EdgeLost);
            }
        } else if self.recovery.looks_elsewhere() {
            self.recovery.edges.leave(now);
        }
        let Some(retry_at) = self.recovery.next_attempt(now, not_before, unanswered, &mut self.rng) else {
            return self.end(Some(Code::EdgeUnreachable.into()));
        };
        self.link = Link::Down { retry_at: Some(retry_at) };
    }

    /// No socket, and what was sent over it may be lost.
    pub(super) fn drop_link(&mut self) {
        if let Some(socket) = self.link.socket() {
            self.push(Output::CloseSocket(socket));
        }
        self.link = Link::Down { retry_at: None };
        self.requests.connection_lost();
        self.negotiation.connection_lost();
        self.recovery.signalling_lost();
    }
}
