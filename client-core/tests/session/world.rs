//! A session, and around it the transport, the socket and the edge, as far as a test wants them: it answers what the session asks for, or not.

use crate::counters::Counters;
use client_core::encodings::Caps;
use client_core::{Event, Input, MonoTime, Output, RequestId, Session, SessionConfig, SocketId, State, TransportId};
use core::time::Duration;
use nearcast_protocol::client::Source;
use nearcast_protocol::wire::Cbor;
use nearcast_protocol::{
    ClientEnvelope, ClientMessage, EncodingDemand, IceServer, Joined, MediaAnswer, Mid, ParticipantInfo, Permissions, PublicationInfo,
    Published, ServerMessage,
};
use std::collections::BTreeSet;

pub(crate) struct World {
    pub(crate) session: Session,
    pub(crate) now: MonoTime,
    /// What the app heard.
    pub(crate) events: Vec<Event>,
    /// What the edge received on the present socket and hasn't answered.
    pub(crate) inbox: Vec<ClientEnvelope>,
    pub(crate) socket: Option<SocketId>,
    pub(crate) sockets_opened: usize,
    pub(crate) tokens_wanted: usize,
    pub(crate) offers_made: usize,
    pub(crate) answers_applied: Vec<String>,
    /// How many of them the transport has taken in, or refused.
    pub(crate) answers_taken: usize,
    pub(crate) rolled_back: usize,
    pub(crate) dropped: Vec<RequestId>,
    pub(crate) released: Vec<String>,
    /// Publications that sections carry.
    sending: BTreeSet<String>,
    /// What the transport was told to send of each publication, in order.
    pub(crate) encodings: Vec<(String, Vec<EncodingDemand>)>,
    /// What all videos were held down to, in order.
    pub(crate) caps: Vec<Caps>,
    pub(crate) transport_closed: bool,
    /// The one that is open.
    pub(crate) transport: Option<TransportId>,
    /// Those of an edge that is being left.
    pub(crate) kept: bool,
    pub(crate) transports_opened: usize,
    /// Frames of heartbeats that nobody has carried yet.
    pub(crate) beats: Vec<Vec<u8>>,
    /// Where the present socket leads; none: to the first edge.
    pub(crate) edge: Option<String>,
    /// Whether the offer that is wanted restarts ICE; and how many did.
    pub(crate) restart: bool,
    pub(crate) restarts: usize,
    pub(crate) ice_servers: Vec<IceServer>,
    pub(crate) left_out: u32,
    /// What the edge names with `joined`.
    pub(crate) named_ice_servers: Vec<IceServer>,
    /// Offers being made, sent or applied, and the most there ever were.
    pub(crate) negotiating: usize,
    pub(crate) most_negotiating: usize,
    next_mid: u32,
    /// The transport makes offers and applies answers at once.
    pub(crate) transport_obeys: bool,
    pub(crate) wanted_offer: Option<Vec<RequestId>>,
    /// Counts media, if the test wants any.
    pub(crate) counters: Counters,
    /// Direct connections that are open.
    links: BTreeSet<u32>,
    /// When counters were read.
    pub(crate) readings: Vec<MonoTime>,
}

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

impl World {
    /// Before the start.
    pub(crate) fn seeded(seed: u64) -> Self {
        Self {
            session: Session::new(SessionConfig { client: "test".into(), ..SessionConfig::default() }, seed),
            now: MonoTime::from_micros(1_000_000),
            events: Vec::new(),
            inbox: Vec::new(),
            socket: None,
            sockets_opened: 0,
            tokens_wanted: 0,
            offers_made: 0,
            answers_applied: Vec::new(),
            answers_taken: 0,
            rolled_back: 0,
            dropped: Vec::new(),
            released: Vec::new(),
            sending: BTreeSet::new(),
            encodings: Vec::new(),
            caps: Vec::new(),
            transport_closed: false,
            transport: None,
            kept: false,
            transports_opened: 0,
            beats: Vec::new(),
            edge: None,
            restart: false,
            restarts: 0,
            ice_servers: Vec::new(),
            left_out: 0,
            named_ice_servers: Vec::new(),
            negotiating: 0,
            most_negotiating: 0,
            next_mid: 8,
            transport_obeys: true,
            wanted_offer: None,
            counters: Counters::default(),
            links: BTreeSet::new(),
            readings: Vec::new(),
        }
    }

    /// Joined, with `others` in the room.
    pub(crate) fn joined(seed: u64, others: Vec<ParticipantInfo>) -> Self {
        let mut world = Self::seeded(seed);
        world.input(Input::Start);
        world.open();
        world.token();
        let join = world.take_request();
        world.reply_joined(join.id, others, false);
        assert_eq!(world.session.state(), State::Connected);
        world
    }

    pub(crate) fn input(&mut self, input: Input) {
        self.session.handle_input(self.now, input);
        self.drain();
    }

    /// Lets time pass; timers run when they are due.
    pub(crate) fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(at) = self.session.poll_timeout().filter(|at| *at <= end) {
            let before = (self.now, at);
            self.now = self.now.max(at);
            self.session.handle_timeout(self.now);
            self.drain();
            let again = self.session.poll_timeout();
            assert!(again.is_none_or(|again| again > self.now || (before.0, before.1) != (self.now, again)), "a timer that stays due");
        }
        self.now = end;
    }

    fn drain(&mut self) {
        while let Some(output) = self.session.poll_output() {
            assert!(!self.is_closed(), "after the end: {output:?}");
            self.obey(output);
        }
    }

    fn obey(&mut self, output: Output) {
        match output {
            Output::FetchToken => self.tokens_wanted += 1,
            Output::OpenSocket { socket, edge } => {
                self.edge = edge;
                assert_eq!(self.socket, None, "one socket at a time");
                self.sockets_opened += 1;
                self.socket = Some(socket);
                self.inbox.clear();
            }
            Output::CloseSocket(socket) => assert_eq!(self.socket.take(), Some(socket)),
            Output::Send(bytes) => {
                assert!(self.socket.is_some(), "sent without a socket");
                self.inbox.push(ClientEnvelope::from_cbor(&bytes).unwrap());
            }
            Output::MakeOffer { publish, restart, .. } => {
                assert!(self.transport.is_some(), "an offer of nothing");
                self.restart = restart;
                self.restarts += usize::from(restart);
                self.negotiating += 1;
                self.most_negotiating = self.most_negotiating.max(self.negotiating);
                self.wanted_offer = Some(publish);
                if self.transport_obeys {
                    self.make_offer();
                }
            }
            Output::ApplyAnswer { sdp } => {
                self.answers_applied.push(sdp);
                if self.transport_obeys {
                    self.apply_answer();
                }
            }
            Output::RollBack => {
                self.rolled_back += 1;
                self.negotiating -= 1;
            }
            Output::DropSender { request } => self.dropped.push(request),
            Output::ReleaseSender { publication } => {
                self.sending.remove(&publication.0);
                self.released.push(publication.0);
            }
            Output::Event(Event::Published { request, publication, mid }) => {
                self.sending.insert(publication.0.clone());
                self.events.push(Event::Published { request, publication, mid });
            }
            Output::SetEncodings { publication, encodings } => {
                assert!(self.sending.contains(&publication.0), "{publication:?} isn't sent now");
                self.encodings.push((publication.0, encodings));
            }
            Output::Cap(caps) => self.caps.push(caps),
            Output::ReadStats => {
                self.readings.push(self.now);
                let numbers = self.counters.read(self.now);
                self.session.handle_input(self.now, Input::Stats(numbers));
            }
            Output::Event(Event::Republished { request, was, publication, mid }) => {
                self.sending.remove(&was.0);
                self.sending.insert(publication.0.clone());
                self.events.push(Event::Republished { request, was, publication, mid });
            }
            Output::OpenTransport(transport) => {
                assert_eq!(self.transport, None, "one transport at a time");
                (self.transport, self.transport_closed, self.negotiating) = (Some(transport), false, 0);
                self.transports_opened += 1;
                self.wanted_offer = None;
                self.answers_taken = self.answers_applied.len(); // those of the one before don't matter
            }
            Output::CloseTransport(transport) => {
                assert_eq!(self.transport.take(), Some(transport));
                self.transport_closed = true;
            }
            Output::Keep => {
                assert!(!self.kept, "one is kept at a time");
                assert!(self.transport.take().is_some() && self.socket.take().is_some());
                self.kept = true;
            }
            Output::CloseKept => assert!(std::mem::take(&mut self.kept)),
            Output::SendBeat(frame) => self.beats.push(frame),
            Output::SetIceServers(servers) => self.ice_servers = servers,
            Output::LeaveOutIceServers(addresses) => self.left_out = addresses,
            // What comes of direct connections is in house.rs.
            Output::OfferLink { link, .. } | Output::DescribeLink { link, .. } => {
                self.links.insert(link.0);
            }
            Output::AddCandidate { link, .. } | Output::CapLink { link, .. } => {
                assert!(self.links.contains(&link.0), "{link:?} isn't open")
            }
            Output::CloseLink(link) => assert!(self.links.remove(&link.0), "{link:?} isn't open"),
            Output::Hold(_) => {}
            Output::Event(event) => self.events.push(event),
        }
    }

    /// The transport has made the offer it was asked for.
    pub(crate) fn make_offer(&mut self) {
        let publish = self.wanted_offer.take().expect("an offer was wanted");
        self.offers_made += 1;
        let mids = publish.into_iter().map(|request| {
            self.next_mid += 1;
            (request, Mid(self.next_mid.to_string()))
        });
        let made = Input::OfferMade { sdp: format!("offer {}", self.offers_made), mids: mids.collect() };
        self.session.handle_input(self.now, made);
    }

    /// The transport refuses to make the offer it was asked for.
    pub(crate) fn fail_offer(&mut self) {
        self.wanted_offer.take().expect("an offer was wanted");
        self.negotiating -= 1;
        self.input(Input::OfferFailed);
    }

    /// The transport has taken in an answer.
    pub(crate) fn apply_answer(&mut self) {
        self.negotiating -= 1;
        self.answers_taken += 1;
        self.session.handle_input(self.now, Input::AnswerApplied);
    }

    pub(crate) fn open(&mut self) {
        let socket = self.socket.expect("a socket is opening");
        self.input(Input::SocketOpened(socket));
    }

    pub(crate) fn token(&mut self) {
        self.input(Input::Token(Some("token".into())));
    }

    /// The network takes the socket away.
    pub(crate) fn lose_socket(&mut self) {
        let socket = self.socket.take().expect("a socket");
        self.inbox.clear();
        self.input(Input::SocketClosed(socket));
    }

    pub(crate) fn receive(&mut self, message: &ServerMessage) {
        let socket = self.socket.expect("a socket");
        self.input(Input::SocketMessage(socket, message.to_cbor()));
    }

    /// The only message that the edge hasn't answered.
    pub(crate) fn take_request(&mut self) -> ClientEnvelope {
        assert_eq!(self.inbox.len(), 1, "{:?}", self.inbox);
        self.inbox.remove(0)
    }

    pub(crate) fn reply_joined(&mut self, id: u32, others: Vec<ParticipantInfo>, resumed: bool) {
        let answer = (!resumed).then(|| MediaAnswer { sdp: "answer".into(), published: vec![] });
        self.reply_joined_with(id, others, resumed, answer);
    }

    pub(crate) fn reply_joined_with(&mut self, id: u32, others: Vec<ParticipantInfo>, resumed: bool, answer: Option<MediaAnswer>) {
        let joined = Joined {
            id,
            session: "secret".into(),
            room: "room".into(),
            participant: participant("me", vec![]),
            others,
            permissions: Permissions { publish: true, subscribe: true, publish_data: true, moderate: false },
            slots: vec![],
            answer,
            resumed,
            resume_window_ms: 30_000,
            edges: Vec::new(),
            ice_servers: self.named_ice_servers.clone(),
            mode: Default::default(),
            direct: false,
            locked: false,
            claim: None,
        };
        self.receive(&ServerMessage::Joined(Box::new(joined)));
    }

    /// Comes back after [`Self::lose_socket`], at the first attempt.
    pub(crate) fn resume(&mut self, others: Vec<ParticipantInfo>) {
        self.run_for(Duration::ZERO);
        self.open();
        self.token();
        let join = self.take_request();
        assert!(matches!(&join.message, ClientMessage::Join(join) if join.resume.is_some()));
        self.reply_joined(join.id, others, true);
    }

    /// The edge accepts every track in the offer it received.
    pub(crate) fn answer_offer(&mut self) {
        let ClientEnvelope { id, message: ClientMessage::Offer(offer) } = self.take_request() else {
            panic!("no offer");
        };
        let published = offer.publish.iter().map(|intent| Published {
            mid: intent.mid.clone(),
            publication: Some(format!("pub-{}", intent.mid).as_str().into()),
            error: None,
        });
        let answer = MediaAnswer { sdp: format!("answer to {}", offer.sdp), published: published.collect() };
        self.receive(&ServerMessage::Answer { id, answer });
    }

    /// Somebody who publishes a track and whose transport has yet to take in the edge's answer.
    pub(crate) fn publishing_slowly() -> Self {
        let mut world = Self::joined(1, vec![]);
        world.transport_obeys = false;
        world.publish(1);
        world.make_offer();
        world.input(Input::NetworkAvailable); // drains
        world.answer_offer();
        world
    }

    pub(crate) fn publish(&mut self, request: u32) {
        let request = client_core::PublishRequest {
            request: RequestId(request),
            source: Source::Camera,
            name: String::new(),
            muted: false,
            dtx: false,
        };
        self.input(Input::Publish(request));
    }

    pub(crate) fn states(&self) -> Vec<String> {
        let name = |event: &Event| match event {
            Event::StateChanged { state, reason } => Some(format!("{} ({})", state.name(), reason.name())),
            _ => None,
        };
        self.events.iter().filter_map(name).collect()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.events.iter().any(|event| matches!(event, Event::Closed { .. }))
    }

    /// The code the session ended with; empty: we left.
    pub(crate) fn closed_with(&self) -> Option<&'static str> {
        self.events.iter().find_map(|event| match event {
            Event::Closed { error } => Some(error.as_ref().map_or("", |error| error.code.name())),
            _ => None,
        })
    }

    /// How a request ended: its publication, "done", or a code.
    pub(crate) fn outcome(&self, request: u32) -> Option<String> {
        let mut outcomes = self.events.iter().filter_map(|event| match event {
            Event::Published { request: one, publication, .. } if one.0 == request => Some(publication.0.clone()),
            Event::Done { request: one } if one.0 == request => Some("done".into()),
            Event::Failed { request: one, error } if one.0 == request => Some(error.code.name().into()),
            _ => None,
        });
        let outcome = outcomes.next();
        assert_eq!(outcomes.next(), None, "every_request_ends_exactly_once");
        outcome
    }
}

pub(crate) fn participant(id: &str, publications: Vec<PublicationInfo>) -> ParticipantInfo {
    ParticipantInfo { id: id.into(), identity: id.into(), name: id.to_uppercase(), role: None, publications }
}

pub(crate) fn camera(id: &str) -> PublicationInfo {
    PublicationInfo { id: id.into(), video: true, source: Source::Camera, name: String::new(), muted: false, blocked: false }
}
