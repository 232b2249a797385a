//! The life of the signalling connection: opening, joining, resuming, heartbeat, outage. States are in [`crate::link`].

use super::{Session, SocketId, Stage, Stay};
use crate::heartbeat::{Beat, Heartbeat};
use crate::link::Link;
use crate::reconnect::{ATTEMPT_WITHIN, Outage, Reason};
use crate::{Code, Event, MonoTime, Output, SessionError, State};
use alloc::string::String;
use core::time::Duration;
use nearcast_protocol::{ClientMessage, ErrorCode, ErrorInfo, Join, Joined, Resume};

impl Session {
    /// Socket, token and first offer, all at once; the socket first, since the network is slower than the browser that makes the offer.
    pub(super) fn start(&mut self, now: MonoTime) {
        if self.stage != Stage::New {
            return;
        }
        self.stage = Stage::Entering { until: now + self.config.join_timeout };
        self.begin_attempt(now);
        self.make_offer();
    }

    fn begin_attempt(&mut self, now: MonoTime) {
        self.sockets = self.sockets.wrapping_add(1);
        let socket = SocketId(self.sockets);
        let within = if self.stage == Stage::In { ATTEMPT_WITHIN } else { self.config.join_timeout };
        self.link = Link::Opening { socket, open: false, token: None, until: now + within };
        self.push(Output::OpenSocket(socket));
        self.push(Output::FetchToken);
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
            self.attempt_failed(now, Duration::ZERO);
        } else {
            self.end(Some(Code::TokenUnavailable.into()));
        }
    }

    pub(super) fn socket_opened(&mut self, now: MonoTime, opened: SocketId) {
        if let Link::Opening { socket, open, .. } = &mut self.link
            && *socket == opened
        {
            *open = true;
            self.send_join_if_ready(now);
        }
    }

    /// The first join carries the first offer, so that it costs one round trip; a resume carries the proof that the session is ours.
    pub(super) fn send_join_if_ready(&mut self, now: MonoTime) {
        let resume = self.stay.as_ref().map(|stay| Resume { session: stay.session.clone() });
        let Link::Opening { socket, open: true, token, until } = &mut self.link else {
            return;
        };
        if token.is_none() || (resume.is_none() && !self.negotiation.is_ready()) {
            return;
        }
        let (socket, until, token) = (*socket, *until, token.take().unwrap_or_default());
        let id = self.next_id();
        let offer = if resume.is_none() { self.negotiation.send(id) } else { None };
        self.link = Link::Joining { socket, join: id, until: until.max(now) };
        let client = Some(self.config.client.clone());
        self.send(id, ClientMessage::Join(Join { token, auto_subscribe: self.config.auto_subscribe, offer, resume, client }));
    }

    pub(super) fn joined(&mut self, now: MonoTime, mut joined: Joined) {
        let Link::Joining { socket, join, .. } = self.link else {
            return;
        };
        if joined.id != join {
            return;
        }
        if self.stage == Stage::In {
            if !joined.resumed {
                // Another session than ours: transport and publications are not in it. Later: join anew instead of ending.
                return self.end(Some(Code::SessionLost.into()));
            }
        } else if let Some(sdp) = joined.answer.take().and_then(|answer| self.negotiation.answered(answer)) {
            self.push(Output::ApplyAnswer { sdp });
        } else {
            return self.end(Some(ErrorCode::BadMessage.into()));
        }
        self.link = Link::Up { socket, heartbeat: Heartbeat::new(now) };
        self.enter(now, joined);
        self.send_requests();
        self.negotiate();
    }

    /// In, for the first time or again: the room as it stands.
    fn enter(&mut self, now: MonoTime, mut joined: Joined) {
        self.stay = Some(Stay {
            session: joined.session.clone(),
            resume_window: Duration::from_millis(u64::from(joined.resume_window_ms)),
            permissions: joined.permissions,
        });
        let reason = if let Some(outage) = self.outage.take() {
            self.recovered = Some(outage.end(now));
            self.wishes.repeat(now);
            Reason::Resumed
        } else {
            self.stage = Stage::In;
            self.silent_since = self.silent_since.map(|_| now);
            let me = &mut joined.participant;
            let (id, identity, name, role) = (me.id.clone(), me.identity.clone(), me.name.clone(), me.role.clone());
            self.event(Event::Joined { room: joined.room.clone(), id, identity, name, role });
            Reason::Joined
        };
        self.with_room(|room, events| room.reconcile(&joined, events));
        self.event(Event::StateChanged { state: State::Connected, reason });
    }

    /// The edge refused our join.
    pub(super) fn join_refused(&mut self, now: MonoTime, error: ErrorInfo) {
        let temporary = error.retryable && error.code != ErrorCode::TokenNotYetValid;
        if self.stage == Stage::In && temporary {
            let not_before = Duration::from_millis(u64::from(error.retry_after_ms.unwrap_or_default()));
            return self.attempt_failed(now, not_before);
        }
        self.end(Some(if self.stage == Stage::In && error.code == ErrorCode::SessionUnknown {
            SessionError { message: error.message, ..Code::SessionLost.into() }
        } else {
            error.into()
        }));
    }

    pub(super) fn socket_closed(&mut self, now: MonoTime, closed: SocketId) {
        if self.link.socket() != Some(closed) {
            return;
        }
        self.link = Link::Down { retry_at: None };
        self.link_lost(now, Reason::SocketClosed);
    }

    pub(super) fn network_available(&mut self, now: MonoTime) {
        if let Link::Down { retry_at: Some(_) } = self.link {
            self.begin_attempt(now);
        }
    }

    pub(super) fn link_timeout(&mut self, now: MonoTime) {
        if self.link.poll_timeout().is_none_or(|at| now < at) {
            return;
        }
        match &mut self.link {
            Link::Down { .. } => self.begin_attempt(now),
            Link::Opening { .. } | Link::Joining { .. } => self.attempt_failed(now, Duration::ZERO),
            Link::Up { heartbeat, .. } => match heartbeat.handle_timeout(now) {
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
        if self.outage.is_none() {
            self.outage = Some(Outage::begin(now, self.recovered));
            self.requests.connection_lost();
            self.negotiation.connection_lost();
            self.event(Event::StateChanged { state: State::Reconnecting, reason });
        }
        self.attempt_failed(now, Duration::ZERO);
    }

    /// This attempt came to nothing: another one later.
    fn attempt_failed(&mut self, now: MonoTime, not_before: Duration) {
        self.drop_link();
        if let Some(outage) = &mut self.outage {
            self.link = Link::Down { retry_at: Some(outage.next_attempt(now, not_before, &mut self.rng)) };
        } else {
            self.end(Some(Code::EdgeUnreachable.into()));
        }
    }

    pub(super) fn drop_link(&mut self) {
        if let Some(socket) = self.link.socket() {
            self.push(Output::CloseSocket(socket));
        }
        self.link = Link::Down { retry_at: None };
    }

    /// When an outage has lasted too long.
    pub(super) fn give_up_at(&self) -> Option<MonoTime> {
        let window = self.stay.as_ref()?.resume_window;
        Some(self.outage.as_ref()?.give_up_at(self.config.give_up_after, window, self.silent_since))
    }
}
