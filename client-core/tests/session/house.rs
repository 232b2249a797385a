//! A room of whole sessions in virtual time: an edge that hands everything on after a while, browsers that connect, and media that flows where it
//! is sent. Every few milliseconds it is looked whether each track's present source delivers.

use client_core::stats::{Field, Kind, STRIDE};
use client_core::{Event, Input, LinkId, MonoTime, Output, PublishRequest, RequestId, Session, SessionConfig, SocketId, TransportState};
use core::time::Duration;
use nearcast_protocol::client::Source;
use nearcast_protocol::wire::Cbor;
use nearcast_protocol::{
    ClientEnvelope, ClientMessage, Joined, LeaveReason, MediaAnswer, Mid, Moderation, ModerationAction, ParticipantId, ParticipantInfo,
    Permissions, PublicationId, PublicationInfo, Published, RoomMode, ServerMessage, SlotBinding,
};
use std::collections::BTreeMap;

/// How often the world moves, in milliseconds.
const TICK: u64 = 5;

/// How long the edge waits before a room goes back to direct connections, in milliseconds.
const HOLD_DOWN: u64 = 10_000;

/// How long a browser takes to describe or to connect, in milliseconds.
const BROWSER: u64 = 20;

/// Where a track's media comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum From {
    Edge,
    Link(u32),
}

#[derive(Debug)]
enum Parcel {
    Edge(Vec<u8>),
    Page(ServerMessage),
    Input(Input),
}

pub(crate) struct Page {
    pub(crate) name: &'static str,
    pub(crate) session: Session,
    pub(crate) here: bool,
    joined: bool,
    socket: Option<SocketId>,
    pub(crate) publications: Vec<PublicationId>,
    next_request: u32,
    slots: Vec<(Mid, PublicationId)>,
    /// The source of each track that the app has.
    pub(crate) tracks: BTreeMap<String, From>,
    pub(crate) held: bool,
    pub(crate) holds: usize,
    /// Nothing of the edge's media gets here, or from here.
    pub(crate) cut: bool,
    /// Connections: with whom, by the number there once it is known; whether it is up; sections.
    pub(crate) links: BTreeMap<u32, Wire>,
    /// Frames delivered by section.
    frames: BTreeMap<u32, f64>,
    pub(crate) paths: Vec<(String, bool, &'static str)>,
    /// Milliseconds for which a track's source has not delivered, and the longest such time of each.
    dry: BTreeMap<String, u64>,
    pub(crate) longest: BTreeMap<String, u64>,
    /// What it said to others, in order.
    pub(crate) said: Vec<String>,
    pub(crate) unsubscribed: usize,
}

#[derive(Debug, Default)]
pub(crate) struct Wire {
    other: Option<(usize, u32)>,
    pub(crate) up: bool,
    publisher: bool,
    sections: Vec<(PublicationId, Mid)>,
}

pub(crate) struct House {
    pub(crate) now: MonoTime,
    pub(crate) pages: Vec<Page>,
    /// What is under way: for whom and when, in order for each.
    parcels: Vec<(MonoTime, usize, Parcel)>,
    pub(crate) direct_while: usize,
    pub(crate) possible: bool,
    mode: RoomMode,
    mode_due: Option<MonoTime>,
    /// Two browsers can't reach each other.
    pub(crate) blocked: bool,
    /// Milliseconds that messages take, at least and at most.
    pub(crate) delay: (u64, u64),
    /// Messages between participants that get lost, of a hundred.
    pub(crate) lost: u64,
    random: u64,
}

impl House {
    /// A room whose participants talk directly while they are no more than this.
    pub(crate) fn new(seed: u64, direct_while: usize) -> Self {
        Self {
            now: MonoTime::from_micros(5_000_000),
            pages: Vec::new(),
            parcels: Vec::new(),
            direct_while,
            possible: direct_while > 0,
            mode: RoomMode::Sfu,
            mode_due: None,
            blocked: false,
            delay: (5, 30),
            lost: 0,
            random: seed.wrapping_mul(2).wrapping_add(1),
        }
    }

    /// 0 to `below`, by a multiplier of Knuth's.
    pub(crate) fn draw(&mut self, below: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % below.max(1)
    }

    /// Somebody begins to join; who.
    pub(crate) fn join(&mut self, name: &'static str) -> usize {
        let mut session = Session::new(SessionConfig::default(), 7 + self.pages.len() as u64);
        session.handle_input(self.now, Input::Start);
        self.pages.push(Page {
            name,
            session,
            here: true,
            joined: false,
            socket: None,
            publications: Vec::new(),
            next_request: 0,
            slots: Vec::new(),
            tracks: BTreeMap::new(),
            held: false,
            holds: 0,
            cut: false,
            links: BTreeMap::new(),
            frames: BTreeMap::new(),
            paths: Vec::new(),
            dry: BTreeMap::new(),
            longest: BTreeMap::new(),
            said: Vec::new(),
            unsubscribed: 0,
        });
        let page = self.pages.len() - 1;
        self.drain(page);
        page
    }

    /// The page goes away.
    pub(crate) fn leave(&mut self, page: usize) {
        self.input(page, Input::Leave);
    }

    pub(crate) fn publish(&mut self, page: usize) {
        self.pages[page].next_request += 1;
        let request = RequestId(self.pages[page].next_request);
        self.input(page, Input::Publish(PublishRequest { request, source: Source::Camera, name: String::new(), muted: false, dtx: false }));
    }

    pub(crate) fn unpublish(&mut self, page: usize) {
        if let Some(publication) = self.pages[page].publications.first().cloned() {
            self.pages[page].next_request += 1;
            let request = RequestId(self.pages[page].next_request);
            self.input(page, Input::Unpublish { request, publication });
        }
    }

    /// A moderator mutes a publication for everybody, or allows it again.
    pub(crate) fn moderate(&mut self, publication: &PublicationId, action: ModerationAction) {
        self.tell(None, &ServerMessage::Moderated(Moderation { action, target: publication.0.clone() }));
    }

    /// Breaks every direct connection.
    pub(crate) fn break_links(&mut self) {
        self.blocked = true;
        for page in 0..self.pages.len() {
            let up: Vec<_> =
                self.pages[page].links.iter_mut().filter(|(_, wire)| wire.up).map(|(link, wire)| (wire.up = false, *link).1).collect();
            for link in up {
                self.input(page, Input::LinkState { link: LinkId(link), state: TransportState::Disconnected });
            }
        }
    }

    /// Somebody's software says anything.
    pub(crate) fn say(&mut self, from: usize, to: usize, payload: &str) {
        let id = id_of(&self.pages[from]);
        self.send(to, 0, Parcel::Page(ServerMessage::Peer { from: id, payload: payload.into() }));
    }

    pub(crate) fn input(&mut self, page: usize, input: Input) {
        self.pages[page].session.handle_input(self.now, input);
        self.drain(page);
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, ms: u64) {
        for _ in 0..ms / TICK {
            self.now = self.now + Duration::from_millis(TICK);
            self.deliver();
            for page in 0..self.pages.len() {
                while self.pages[page].session.poll_timeout().is_some_and(|at| at <= self.now) {
                    let now = self.now;
                    self.pages[page].session.handle_timeout(now);
                    self.drain(page);
                }
            }
            if self.mode_due.is_some_and(|due| due <= self.now) {
                self.set_mode(RoomMode::P2p);
            }
            self.flow();
        }
    }

    /// Lets time pass until this is so.
    pub(crate) fn until(&mut self, ms: u64, what: &str, holds: impl Fn(&Self) -> bool) {
        for _ in 0..ms / TICK {
            if holds(self) {
                return;
            }
            self.run(TICK);
        }
        panic!("not within {ms} ms: {what}; {}", self.describe());
    }

    pub(crate) fn describe(&self) -> String {
        let page = |page: &Page| {
            let Page { name, tracks, held, links, said, paths, longest, .. } = page;
            let said: Vec<_> = said.iter().rev().take(12).rev().collect();
            format!("{name}: held {held} tracks {tracks:?} links {links:?} paths {paths:?} dry {longest:?} said {said:?}\n")
        };
        self.pages.iter().filter(|page| page.here).map(page).collect()
    }

    /// Everybody gets everybody's media this way.
    pub(crate) fn all(&self, directly: bool) -> bool {
        let here = || self.pages.iter().filter(|page| page.here);
        let expected: usize = here().map(|page| page.publications.len()).sum();
        expected > 0
            && here().all(|page| {
                page.joined
                    && page.tracks.len() == expected - page.publications.len()
                    && page.tracks.values().all(|from| (*from == From::Edge) != directly)
                    && (page.publications.is_empty() || page.held == directly)
            })
    }

    /// The longest time for which any track's source has not delivered, since the last call of this.
    pub(crate) fn longest_gap(&mut self) -> u64 {
        let longest = self.pages.iter().flat_map(|page| page.longest.values()).max().copied().unwrap_or(0);
        self.pages.iter_mut().for_each(|page| page.longest.clear());
        longest
    }

    fn send(&mut self, to: usize, after: u64, parcel: Parcel) {
        let due = self.now + Duration::from_millis(after);
        // No message overtakes another one that goes the same way.
        let message = !matches!(parcel, Parcel::Input(_));
        let same = |other: &Parcel| message && core::mem::discriminant(other) == core::mem::discriminant(&parcel);
        let last = self.parcels.iter().filter(|(_, page, other)| *page == to && same(other)).map(|(due, ..)| *due).max();
        self.parcels.push((due.max(last.unwrap_or(due)), to, parcel));
    }

    fn on_the_way(&mut self, to: usize, parcel: Parcel) {
        let (least, most) = self.delay;
        let delay = least + self.draw(most - least);
        self.send(to, delay, parcel);
    }

    fn deliver(&mut self) {
        loop {
            let Some(at) = self.parcels.iter().position(|(due, ..)| *due <= self.now) else { return };
            let (_, page, parcel) = self.parcels.remove(at);
            match parcel {
                Parcel::Input(input) => self.input(page, input),
                Parcel::Page(message) => {
                    if let Some(socket) = self.pages[page].socket {
                        self.input(page, Input::SocketMessage(socket, message.to_cbor()));
                    }
                }
                Parcel::Edge(bytes) => self.serve(page, ClientEnvelope::from_cbor(&bytes).unwrap()),
            }
        }
    }

    fn set_mode(&mut self, mode: RoomMode) {
        self.mode_due = None;
        self.mode = mode;
        self.tell(None, &ServerMessage::Mode { mode });
    }

    fn review_mode(&mut self, came: bool) {
        let small = self.members().len() <= self.direct_while;
        match (small, self.mode) {
            (false, RoomMode::P2p) => self.set_mode(RoomMode::Sfu),
            (false, _) => self.mode_due = None,
            (true, RoomMode::Sfu) if came && self.mode_due.is_none() => self.set_mode(RoomMode::P2p),
            (true, RoomMode::Sfu) => self.mode_due = self.mode_due.or(Some(self.now + Duration::from_millis(HOLD_DOWN))),
            _ => {}
        }
    }

    fn members(&self) -> Vec<usize> {
        (0..self.pages.len()).filter(|page| self.pages[*page].joined && self.pages[*page].here).collect()
    }

    fn tell(&mut self, except: Option<usize>, message: &ServerMessage) {
        for page in self.members() {
            if Some(page) != except {
                self.on_the_way(page, Parcel::Page(message.clone()));
            }
        }
    }

    /// Gives a publication a slot.
    fn bind(&mut self, page: usize, publication: &PublicationId) {
        let mid = Mid((self.pages[page].slots.len() + 1).to_string());
        self.pages[page].slots.push((mid.clone(), publication.clone()));
        let binding = SlotBinding { mid, publication: Some(publication.clone()) };
        self.on_the_way(page, Parcel::Page(ServerMessage::Slot { binding }));
    }

    fn answer(&mut self, page: usize, offer: nearcast_protocol::MediaOffer) -> MediaAnswer {
        let name = self.pages[page].name;
        let mut published = Vec::new();
        for intent in offer.publish {
            let id: PublicationId = intent.publication.unwrap_or_else(|| format!("{name}-{}", intent.mid).as_str().into());
            if !self.pages[page].publications.contains(&id) {
                self.pages[page].publications.push(id.clone());
                let (participant, publication) = (id_of(&self.pages[page]), info(&id));
                self.tell(Some(page), &ServerMessage::PublicationAdded { participant, publication });
                for other in self.members() {
                    if other != page {
                        self.bind(other, &id);
                    }
                }
            }
            published.push(Published { mid: intent.mid, publication: Some(id), error: None });
        }
        MediaAnswer { sdp: "v=0\r\n".into(), published }
    }

    fn serve(&mut self, page: usize, ClientEnvelope { id, message }: ClientEnvelope) {
        let me = id_of(&self.pages[page]);
        let reply = match message {
            ClientMessage::Join(join) => {
                self.pages[page].joined = true;
                let members: Vec<_> = self.members().into_iter().filter(|other| *other != page).collect();
                let describe = |other: &Page| ParticipantInfo {
                    id: id_of(other),
                    identity: other.name.into(),
                    name: other.name.into(),
                    role: None,
                    publications: other.publications.iter().map(info).collect(),
                };
                let others: Vec<_> = members.iter().map(|other| describe(&self.pages[*other])).collect();
                self.tell(Some(page), &ServerMessage::ParticipantJoined { participant: describe(&self.pages[page]) });
                self.review_mode(true);
                let answer = join.offer.map(|offer| self.answer(page, offer));
                let joined = Joined {
                    id,
                    session: "secret".into(),
                    room: "room".into(),
                    participant: describe(&self.pages[page]),
                    others,
                    permissions: Permissions { publish: true, subscribe: true, publish_data: true, moderate: false },
                    slots: vec![],
                    answer,
                    resumed: false,
                    resume_window_ms: 30_000,
                    edges: vec![],
                    ice_servers: vec![],
                    mode: self.mode,
                    direct: self.possible,
                    locked: false,
                    claim: None,
                };
                self.on_the_way(page, Parcel::Page(ServerMessage::Joined(Box::new(joined))));
                let publications: Vec<_> = members.iter().flat_map(|other| self.pages[*other].publications.clone()).collect();
                publications.iter().for_each(|publication| self.bind(page, publication));
                return;
            }
            ClientMessage::Offer(offer) => ServerMessage::Answer { id, answer: self.answer(page, offer) },
            ClientMessage::Transport(offer) => {
                let answer = self.answer(page, offer);
                self.on_the_way(page, Parcel::Page(ServerMessage::Answer { id, answer }));
                for (mid, publication) in self.pages[page].slots.clone() {
                    let binding = SlotBinding { mid, publication: Some(publication) };
                    self.on_the_way(page, Parcel::Page(ServerMessage::Slot { binding }));
                }
                return;
            }
            ClientMessage::Ping => ServerMessage::Pong { id },
            ClientMessage::Peer { to, payload } => {
                self.pages[page].said.push(payload.split('\n').next().unwrap_or_default().into());
                let other = self.members().into_iter().find(|other| id_of(&self.pages[*other]) == to);
                if let Some(other) = other
                    && self.draw(100) >= self.lost
                {
                    self.on_the_way(other, Parcel::Page(ServerMessage::Peer { from: me, payload }));
                }
                ServerMessage::Done { id }
            }
            ClientMessage::Unpublish { publication } => {
                self.pages[page].publications.retain(|one| *one != publication);
                self.tell(Some(page), &ServerMessage::PublicationRemoved { participant: me, publication });
                ServerMessage::Done { id }
            }
            ClientMessage::Leave => {
                self.pages[page].here = false;
                self.tell(Some(page), &ServerMessage::ParticipantLeft { participant: me, reason: LeaveReason::Left });
                return self.review_mode(false);
            }
            _ => ServerMessage::Done { id },
        };
        self.on_the_way(page, Parcel::Page(reply));
    }

    fn drain(&mut self, page: usize) {
        while let Some(output) = self.pages[page].session.poll_output() {
            self.obey(page, output);
        }
    }

    fn obey(&mut self, page: usize, output: Output) {
        let me = &mut self.pages[page];
        match output {
            Output::FetchToken => self.send(page, 0, Parcel::Input(Input::Token(Some("token".into())))),
            Output::OpenSocket { socket, .. } => {
                me.socket = Some(socket);
                self.send(page, 0, Parcel::Input(Input::SocketOpened(socket)));
            }
            Output::Send(bytes) => self.on_the_way(page, Parcel::Edge(bytes)),
            Output::MakeOffer { publish, .. } => {
                let mids = publish.into_iter().map(|request| (request, Mid((100 + request.0).to_string()))).collect();
                self.send(page, 0, Parcel::Input(Input::OfferMade { sdp: "v=0\r\n".into(), mids }));
            }
            Output::ApplyAnswer { .. } => self.send(page, 0, Parcel::Input(Input::AnswerApplied)),
            Output::SendBeat(frame) if !me.cut => self.send(page, 30, Parcel::Input(Input::Data { frame, reliable: false })),
            Output::ReadStats => {
                let numbers = self.counters(page);
                self.send(page, 5, Parcel::Input(Input::Stats(numbers)));
            }
            Output::Hold(held) => {
                assert_ne!(me.held, held, "told twice");
                me.holds += usize::from(held);
                me.held = held;
            }
            Output::OfferLink { link, publications } => {
                let wire = me.links.entry(link.0).or_default();
                wire.publisher = true;
                let mut sections = Vec::new();
                for publication in publications {
                    let mid = Mid(wire.sections.len().to_string());
                    wire.sections.push((publication.clone(), mid.clone()));
                    sections.push((publication, mid));
                }
                let sdp = format!("v=0\r\no={page} {}\r\na=fingerprint:sha-256 00\r\n", link.0);
                self.send(page, BROWSER, Parcel::Input(Input::LinkDescribed { link, sdp, sections }));
                self.send(page, BROWSER, Parcel::Input(Input::LinkCandidate { link, candidate: "candidate:1".into() }));
            }
            Output::DescribeLink { link, sdp } => self.describe_link(page, link, &sdp),
            Output::AddCandidate { link, .. } => assert!(me.links.contains_key(&link.0), "a candidate for nothing"),
            Output::CloseLink(link) => {
                let wire = me.links.remove(&link.0).expect("closed once");
                // The other end hears nothing of that for a while.
                if let Some((other, theirs)) = wire.other
                    && let Some(end) = self.pages[other].links.get_mut(&theirs)
                    && core::mem::take(&mut end.up)
                {
                    let input = Input::LinkState { link: LinkId(theirs), state: TransportState::Disconnected };
                    self.send(other, 4000, Parcel::Input(input));
                }
            }
            Output::Event(event) => self.hear(page, event),
            _ => {}
        }
    }

    fn describe_link(&mut self, page: usize, link: LinkId, sdp: &str) {
        let parse = || -> Option<(usize, u32)> {
            let (other, theirs) = sdp.lines().find_map(|line| line.strip_prefix("o="))?.split_once(' ')?;
            Some((other.parse().ok()?, theirs.parse().ok()?))
        };
        let Some((other, theirs)) = parse() else {
            self.pages[page].links.entry(link.0).or_default();
            return self.send(page, BROWSER, Parcel::Input(Input::LinkState { link, state: TransportState::Failed }));
        };
        let wire = self.pages[page].links.entry(link.0).or_default();
        wire.other = Some((other, theirs));
        if !wire.publisher {
            let sdp = format!("v=0\r\no={page} {}\r\na=fingerprint:sha-256 00\r\n", link.0);
            self.send(page, BROWSER, Parcel::Input(Input::LinkDescribed { link, sdp, sections: vec![] }));
            self.send(page, BROWSER, Parcel::Input(Input::LinkCandidate { link, candidate: "candidate:1".into() }));
        } else if !wire.up && !self.blocked && self.pages[other].links.contains_key(&theirs) {
            for (page, link) in [(page, link.0), (other, theirs)] {
                self.pages[page].links.get_mut(&link).unwrap().up = true;
                self.send(page, BROWSER, Parcel::Input(Input::LinkState { link: LinkId(link), state: TransportState::Connected }));
            }
        }
    }

    fn hear(&mut self, page: usize, event: Event) {
        let me = &mut self.pages[page];
        match event {
            Event::TrackSubscribed { publication, .. } => {
                me.tracks.insert(publication.0, From::Edge);
            }
            Event::TrackRouted { publication, link, .. } => {
                assert!(me.links.contains_key(&link.0), "a track of a closed connection");
                let before = me.tracks.insert(publication.0, From::Link(link.0));
                assert!(before.is_some(), "a track that isn't there");
            }
            Event::TrackUnsubscribed { publication } => {
                me.unsubscribed += 1;
                me.tracks.remove(&publication.0);
                me.dry.remove(&publication.0);
            }
            Event::Closed { .. } => me.here = false,
            Event::PathChanged { participant, direct, reason } => me.paths.push((participant.0, direct, reason)),
            _ => {}
        }
    }

    /// Who publishes it.
    fn publisher(&self, publication: &str) -> Option<usize> {
        self.members().into_iter().find(|page| self.pages[*page].publications.iter().any(|one| one.0 == publication))
    }

    /// Media moves, where it is sent, and it is noted where none comes though it should.
    fn flow(&mut self) {
        for page in self.members() {
            for (mid, publication) in self.pages[page].slots.clone() {
                let sent = self.publisher(&publication.0).is_some_and(|of| !self.pages[of].held && !self.pages[of].cut);
                if sent && !self.pages[page].cut {
                    *self.pages[page].frames.entry(mid.0.parse().unwrap()).or_default() += TICK as f64 * 0.03;
                }
            }
            for link in self.pages[page].links.keys().copied().collect::<Vec<_>>() {
                let wire = &self.pages[page].links[&link];
                let Some((other, theirs)) = wire.other.filter(|_| wire.up && !wire.publisher) else { continue };
                let sections =
                    self.pages[other].links.get(&theirs).filter(|end| end.up).map(|end| end.sections.clone()).unwrap_or_default();
                for (publication, mid) in sections {
                    if self.pages[other].publications.contains(&publication) {
                        *self.pages[page].frames.entry(link * 1000 + mid.0.parse::<u32>().unwrap()).or_default() += TICK as f64 * 0.03;
                    }
                }
            }
            for (publication, from) in self.pages[page].tracks.clone() {
                let Some(of) = self.publisher(&publication) else { continue };
                let flows = match from {
                    From::Edge => ![of, page].iter().any(|end| self.pages[*end].cut) && !self.pages[of].held,
                    From::Link(link) => self.pages[page].links.get(&link).is_some_and(|wire| {
                        let end = wire.other.and_then(|(other, theirs)| self.pages[other].links.get(&theirs));
                        wire.up && end.is_some_and(|end| end.up && end.sections.iter().any(|(id, _)| id.0 == publication))
                    }),
                };
                let me = &mut self.pages[page];
                let dry = me.dry.entry(publication.clone()).or_default();
                *dry = if flows { 0 } else { *dry + TICK };
                let longest = me.longest.entry(publication).or_default();
                *longest = (*longest).max(*dry);
            }
        }
    }

    fn counters(&self, page: usize) -> Vec<f64> {
        let at = self.now.as_micros() as f64 / 1000.0;
        let mut numbers = vec![f64::NAN; STRIDE];
        (numbers[0], numbers[Field::At as usize]) = (0.0, at);
        for (section, frames) in &self.pages[page].frames {
            if *section >= 1000 && !self.pages[page].links.contains_key(&(section / 1000)) {
                continue;
            }
            let mut record = vec![f64::NAN; STRIDE];
            let known = [(Field::Mid, f64::from(*section)), (Field::Ssrc, 1.0), (Field::At, at), (Field::Frames, frames.floor())];
            record[0] = f64::from(Kind::VideoReceived as u8);
            known
                .into_iter()
                .chain([(Field::Packets, frames * 3.0), (Field::Bytes, frames * 3000.0)])
                .for_each(|(field, number)| record[field as usize] = number);
            numbers.extend(record);
        }
        numbers
    }
}

pub(crate) fn id_of(page: &Page) -> ParticipantId {
    page.name.into()
}

fn info(id: &PublicationId) -> PublicationInfo {
    PublicationInfo { id: id.clone(), video: true, source: Source::Camera, name: String::new(), muted: false, blocked: false }
}
