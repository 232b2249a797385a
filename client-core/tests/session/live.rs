//! A session on a network in virtual time: two ways to each edge that can be cut one by one, beats that come back, sockets that open after three round
//! trips or hang, transports that find their way after two, browsers that give up after twenty seconds, edges that die and forget.

use crate::world::{World, camera, millis, participant, secs};
use client_core::{Event, Input, MonoTime, SocketId, State, TransportId, TransportState};
use core::time::Duration;
use nearcast_protocol::wire::Cbor;
use nearcast_protocol::{
    ClientEnvelope, ClientMessage, DataFrame, ErrorCode, Joined, MediaAnswer, MediaOffer, ParticipantId, ParticipantInfo, Permissions,
    PublicationId, PublicationInfo, Published, ServerMessage, SlotBinding,
};

/// Round trip to every edge.
pub(crate) const RTT: Duration = Duration::from_millis(50);

/// Resolution of this clock.
const TICK: Duration = Duration::from_millis(5);

/// One edge, with the one session that matters.
pub(crate) struct Edge {
    pub(crate) address: Option<&'static str>,
    pub(crate) alive: bool,
    /// Media reaches it.
    pub(crate) media: bool,
    pub(crate) session: Option<String>,
    sessions: usize,
    /// Who it is, where that is who it was at another edge.
    id: Option<ParticipantId>,
    /// What the session publishes there.
    pub(crate) published: Vec<PublicationId>,
    pub(crate) others: Vec<ParticipantInfo>,
    /// The others that it names.
    pub(crate) names: Vec<&'static str>,
    /// Requests that were carried out, offers and joins apart.
    pub(crate) done: Vec<ClientMessage>,
    pub(crate) refuse_joins: Option<ErrorCode>,
    /// It gives claims, and believes in them.
    pub(crate) linked: bool,
    /// Who went on here, for the how-manieth time.
    pub(crate) continued: Vec<(String, u16)>,
}

impl Edge {
    pub(crate) fn new(address: Option<&'static str>) -> Self {
        Self {
            address,
            alive: true,
            media: true,
            session: None,
            sessions: 0,
            id: None,
            published: Vec::new(),
            others: vec![participant("ada", vec![camera("cam")])],
            names: Vec::new(),
            done: Vec::new(),
            refuse_joins: None,
            linked: false,
            continued: Vec::new(),
        }
    }

    fn name(&self) -> &'static str {
        self.address.unwrap_or("first")
    }

    fn answer(&mut self, offer: MediaOffer, fresh: bool) -> MediaAnswer {
        if fresh {
            self.published.retain(|one| offer.publish.iter().any(|intent| intent.publication.as_ref() == Some(one)));
        }
        let name = self.name();
        let published = offer.publish.into_iter().map(|intent| {
            let known = intent.publication.filter(|id| self.published.contains(id));
            let id = known.unwrap_or_else(|| {
                let id: PublicationId = format!("{name}-{}-{}", self.sessions, intent.mid).as_str().into();
                self.published.push(id.clone());
                id
            });
            Published { mid: intent.mid, publication: Some(id), error: None }
        });
        MediaAnswer { sdp: "answer".into(), published: published.collect() }
    }

    /// What the edge says to a request; more than one message for a new transport, whose slots are told after the answer.
    fn serve(&mut self, ClientEnvelope { id, message }: ClientEnvelope) -> Vec<ServerMessage> {
        let cam = self.others.first().and_then(|other| other.publications.first()).map(|publication| publication.id.clone());
        let slot = |mid: &str| SlotBinding { mid: mid.into(), publication: cam.clone() };
        match message {
            ClientMessage::Join(join) => {
                if let Some(code) = self.refuse_joins {
                    return vec![ServerMessage::failed(id, code, "")];
                }
                let resumed = join.resume.is_some();
                if join.resume.is_some_and(|resume| Some(resume.session.0) != self.session) {
                    return vec![ServerMessage::failed(id, ErrorCode::SessionUnknown, "")];
                }
                if !resumed {
                    self.sessions += 1;
                    self.session = Some(format!("{}-{}", self.name(), self.sessions));
                    self.published.clear();
                }
                let moved = join.offer.is_some();
                let continues = join.continues.filter(|shown| self.linked && shown.claim == format!("claim of {}", shown.participant));
                if let Some(continues) = &continues {
                    self.continued.push((continues.participant.0.clone(), continues.count));
                    let intents = join.offer.iter().flat_map(|offer| &offer.publish);
                    self.published = intents.filter_map(|intent| intent.publication.clone()).collect();
                    self.id = Some(continues.participant.clone());
                } else if !resumed {
                    self.id = None;
                }
                let answer = join.offer.map(|offer| self.answer(offer, true));
                let info = |id: &PublicationId| PublicationInfo { id: id.clone(), ..camera("") };
                let mut me = participant("me", self.published.iter().map(info).collect());
                let own = || format!("me-{}", self.session.as_deref().unwrap_or_default()).as_str().into();
                me.id = self.id.clone().unwrap_or_else(own);
                let claim = (self.linked && !resumed).then(|| format!("claim of {}", me.id));
                let joined = Joined {
                    id,
                    session: self.session.as_deref().unwrap_or_default().into(),
                    room: "room".into(),
                    participant: me,
                    others: self.others.clone(),
                    permissions: Permissions { publish: true, subscribe: true, publish_data: true, moderate: false },
                    slots: if moved { Vec::new() } else { vec![slot("1")] },
                    answer,
                    resumed,
                    resume_window_ms: 30_000,
                    edges: self.names.iter().map(|name| (*name).to_owned()).collect(),
                    ice_servers: Vec::new(),
                    mode: Default::default(),
                    direct: false,
                    locked: false,
                    claim,
                };
                let mut all = vec![ServerMessage::Joined(Box::new(joined))];
                all.extend(moved.then(|| ServerMessage::Slot { binding: slot(if self.sessions > 1 { "2" } else { "1" }) }));
                all
            }
            ClientMessage::Offer(offer) => vec![ServerMessage::Answer { id, answer: self.answer(offer, false) }],
            ClientMessage::Transport(offer) => {
                vec![ServerMessage::Answer { id, answer: self.answer(offer, true) }, ServerMessage::Slot { binding: slot("5") }]
            }
            ClientMessage::Ping => vec![ServerMessage::Pong { id }],
            other => {
                self.done.push(other);
                if id == 0 { Vec::new() } else { vec![ServerMessage::Done { id }] }
            }
        }
    }
}

enum Happening {
    Opened(SocketId),
    Refused(SocketId),
    Said(SocketId, ServerMessage),
    Echo(TransportId, Vec<u8>),
}

pub(crate) struct Live {
    pub(crate) world: World,
    pub(crate) edges: Vec<Edge>,
    /// WebSockets pass.
    pub(crate) signalling: bool,
    /// Media passes.
    pub(crate) media: bool,
    pub(crate) token: bool,
    on_the_way: Vec<(MonoTime, Happening)>,
    socket: Option<SocketId>,
    /// When its SYN goes out, and again; empty: one got through.
    attempts: Vec<MonoTime>,
    /// To which edge the socket leads.
    at: usize,
    tokens: usize,
    transport: Option<TransportId>,
    answers: usize,
    /// The transport looks for a way since then.
    checking: Option<MonoTime>,
    found: Option<MonoTime>,
    /// It has one.
    works: bool,
    silent_since: Option<MonoTime>,
    /// When the last beat came back.
    pub(crate) echoed_at: MonoTime,
}

impl Live {
    /// In the room with ada, publishing a camera.
    pub(crate) fn joined(seed: u64, edges: Vec<Edge>) -> Self {
        let mut live = Self {
            world: World::seeded(seed),
            edges,
            signalling: true,
            media: true,
            token: true,
            on_the_way: Vec::new(),
            socket: None,
            attempts: Vec::new(),
            at: 0,
            tokens: 0,
            transport: None,
            answers: 0,
            checking: None,
            found: None,
            works: false,
            silent_since: None,
            echoed_at: MonoTime::default(),
        };
        live.world.input(Input::Start);
        live.run_for(secs(3));
        live.world.publish(1);
        live.run_for(secs(3));
        assert_eq!((live.world.session.state(), live.world.outcome(1)), (State::Connected, Some("first-1-9".into())));
        assert!(live.world.now.since(live.echoed_at) < secs(1));
        live.world.events.clear();
        live
    }

    pub(crate) fn cut(&mut self, signalling: bool, media: bool) {
        (self.signalling, self.media) = (!signalling, !media);
    }

    pub(crate) fn run_for(&mut self, duration: Duration) {
        let end = self.world.now + duration;
        while self.world.now < end {
            self.step();
        }
    }

    /// Runs until `done`; how long that took. Panics when it takes longer than `most`.
    pub(crate) fn run_until(&mut self, most: Duration, done: impl Fn(&Self) -> bool) -> Duration {
        let since = self.world.now;
        while !done(self) {
            assert!(self.world.now.since(since) < most, "not within {most:?}: {:?}", self.world.events);
            self.step();
        }
        self.world.now.since(since)
    }

    /// Signalling works, and beats come back.
    pub(crate) fn is_well(&self, since: MonoTime) -> bool {
        self.world.session.state() == State::Connected && self.echoed_at > since
    }

    fn step(&mut self) {
        self.world.run_for(TICK);
        if self.world.is_closed() {
            return;
        }
        let now = self.world.now;
        self.look_at_socket(now);
        self.look_at_transport(now);
        while self.tokens < self.world.tokens_wanted {
            self.tokens += 1;
            self.world.input(Input::Token(self.token.then(|| "token".into())));
        }
        for envelope in core::mem::take(&mut self.world.inbox) {
            if self.signalling && self.edges[self.at].alive {
                let socket = self.socket.unwrap();
                let replies = self.edges[self.at].serve(envelope);
                self.on_the_way.extend(replies.into_iter().map(|reply| (now + RTT, Happening::Said(socket, reply))));
            }
        }
        for beat in core::mem::take(&mut self.world.beats) {
            if self.passes() {
                self.on_the_way.push((now + RTT, Happening::Echo(self.transport.unwrap(), beat)));
            }
        }
        let (due, later) = core::mem::take(&mut self.on_the_way).into_iter().partition(|(at, _)| *at <= now);
        self.on_the_way = later;
        for (_, happening) in due {
            self.happens(happening);
        }
    }

    fn passes(&self) -> bool {
        self.media && self.works && self.edges[self.at].alive && self.edges[self.at].media
    }

    fn happens(&mut self, happening: Happening) {
        let socket = self.world.socket;
        match happening {
            Happening::Opened(id) if self.signalling && socket == Some(id) => self.world.input(Input::SocketOpened(id)),
            Happening::Refused(id) if socket == Some(id) => self.world.lose_socket(),
            Happening::Said(id, message) if self.signalling && socket == Some(id) => self.world.receive(&message),
            Happening::Echo(id, beat) if self.passes() && self.world.transport == Some(id) => {
                self.echoed_at = self.world.now;
                let frame = DataFrame::from_cbor(&beat).unwrap();
                assert!(frame.beat.is_some());
                self.world.input(Input::Data { frame: beat, reliable: false });
            }
            _ => {}
        }
    }

    fn look_at_socket(&mut self, now: MonoTime) {
        if self.socket != self.world.socket {
            self.socket = self.world.socket;
            self.attempts = if self.socket.is_some() { vec![now, now + secs(1), now + secs(3)] } else { Vec::new() };
        }
        let Some(socket) = self.socket else { return };
        while self.attempts.first().is_some_and(|at| *at <= now) {
            self.attempts.remove(0);
            if self.signalling {
                self.attempts.clear();
                let address = self.world.edge.as_deref();
                self.at = self.edges.iter().position(|edge| edge.address == address).expect("an edge of the list");
                let alive = self.edges[self.at].alive;
                self.on_the_way.push(if alive {
                    (now + RTT * 3, Happening::Opened(socket))
                } else {
                    (now + RTT, Happening::Refused(socket))
                });
            }
        }
    }

    fn look_at_transport(&mut self, now: MonoTime) {
        let reaches = self.media && self.edges[self.at].alive && self.edges[self.at].media;
        if self.transport != self.world.transport {
            (self.transport, self.works, self.checking, self.found, self.silent_since) = (self.world.transport, false, None, None, None);
            self.answers = self.world.answers_applied.len();
        }
        let answered = self.world.answers_applied.len() > self.answers;
        self.answers = self.world.answers_applied.len();
        if answered && (!self.works || self.world.restart) {
            self.checking = Some(now);
        }
        if self.checking.is_some_and(|since| now.since(since) > secs(15)) {
            self.checking = None;
        }
        self.found = self.found.filter(|_| reaches).or((reaches && self.checking.is_some()).then_some(now));
        if self.found.is_some_and(|found| now.since(found) >= RTT * 2) {
            (self.works, self.checking, self.found) = (true, None, None);
            self.world.input(Input::Transport(TransportState::Connected));
        }
        // As Chromium: unhappy after five seconds, gives up after twenty.
        let before = self.silent_since;
        self.silent_since = if reaches { None } else { before.or(Some(now)) };
        let after = |limit| self.silent_since.is_some_and(|since| now.since(since) >= limit && now.since(since) < limit + TICK);
        if self.works && after(secs(5)) {
            self.world.input(Input::Transport(TransportState::Disconnected));
        } else if self.works && after(secs(20)) {
            self.works = false;
            self.world.input(Input::Transport(TransportState::Failed));
        }
    }

    /// The names of all events of these kinds, for what must not happen.
    pub(crate) fn losses(&self) -> Vec<&Event> {
        let loses = |event: &&Event| {
            matches!(
                event,
                Event::ParticipantLeft { .. }
                    | Event::PublicationRemoved { .. }
                    | Event::TrackUnsubscribed { .. }
                    | Event::LocalUnpublished { .. }
                    | Event::Failed { .. }
                    | Event::Closed { .. }
            )
        };
        self.world.events.iter().filter(loses).collect()
    }

    /// The steps that were told, with their reasons.
    pub(crate) fn steps(&self) -> Vec<String> {
        let name = |event: &Event| match event {
            Event::Step(taken) => Some(format!("{} ({})", taken.step.name(), taken.reason.name())),
            _ => None,
        };
        self.world.events.iter().filter_map(name).collect()
    }
}

/// Once more `millis`, for callers that read better so.
pub(crate) fn ms(value: u64) -> Duration {
    millis(value)
}
