//! Whole calls in virtual time: pages with the SDK's own core ([`client_core::Session`]) on an independent WebRTC implementation, edges with real
//! shards behind a door that checks tokens, and a network between them that hangs, loses, moves and comes back.
//!
//! ```
//! use nearcast_sim::calls::Calls;
//! use nearcast_sim::{SourcePlan, secs};
//!
//! let mut calls = Calls::seeded(7, 1);
//! let [ana, ben] = ["ana", "ben"].map(|name| calls.open(name));
//! calls.publish(ana, SourcePlan::microphone());
//! calls.run_until(secs(5), "ben to hear ana", |calls| calls[ben].heard_of(ana, 0).len() > 50);
//! ```
//!
//! [`World`](crate::World) is the same network without the SDK: there the tests themselves say what a client asks of the edge.

mod front;
mod network;
mod page;

pub use page::{Page, PageId};

use crate::source::SourcePlan;
use client_core::{Input, MonoTime, Output, PublishRequest};
use front::Front;
use network::{Letter, Mail};
use page::Socket;
use sfu_core::ConnectionId;
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::{Index, IndexMut};
use std::time::{Duration, Instant};

/// What an app's function takes to fetch a token.
const FETCHING: Duration = Duration::from_millis(20);

/// What a browser takes to set a description, or to read its counters.
const SETTING: Duration = Duration::from_millis(3);

/// Silence after which a browser calls a transport disconnected, and failed (Chromium, roughly).
const PATIENCE: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(20)];

/// Pages, edges, and what is on its way between them.
pub struct Calls {
    seed: u64,
    base: Instant,
    now: Instant,
    fronts: Vec<Front>,
    pages: Vec<Page>,
    letters: Vec<Letter>,
    /// Whose the WebSockets are that edges know.
    connections: HashMap<ConnectionId, PageId>,
    drawn: u64,
    ports: u16,
    outgoing: Vec<Vec<u8>>,
}

impl std::fmt::Debug for Calls {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Calls").field("now", &self.now()).field("pages", &self.pages).finish_non_exhaustive()
    }
}

impl Index<PageId> for Calls {
    type Output = Page;

    fn index(&self, id: PageId) -> &Page {
        &self.pages[id.0]
    }
}

impl IndexMut<PageId> for Calls {
    fn index_mut(&mut self, id: PageId) -> &mut Page {
        &mut self.pages[id.0]
    }
}

impl Calls {
    /// A world with so many edges, each of which tells of the others. Pages are given the first.
    #[must_use]
    pub fn seeded(seed: u64, edges: u8) -> Self {
        let base = Instant::now();
        let others = |one: u8| (1..edges).filter(|other| *other != one).map(front::address).collect();
        let mut fronts: Vec<_> = (0..edges).map(|number| Front::new(number, others(number))).collect();
        fronts.iter_mut().for_each(|front| front.start(seed, base));
        let (pages, letters, outgoing) = (Vec::new(), Vec::new(), Vec::new());
        Self { seed, base, now: base, fronts, pages, letters, connections: HashMap::new(), drawn: 0, ports: 0, outgoing }
    }

    /// Virtual time since the world began.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.now.duration_since(self.base)
    }

    /// Every page, in order.
    pub fn everybody(&self) -> impl Iterator<Item = PageId> + use<> {
        (0..self.pages.len()).map(PageId)
    }

    /// How many participants an edge has; none: it is dead.
    #[must_use]
    pub fn participants(&self, edge: usize) -> Option<u64> {
        Some(self.fronts[edge].edge.as_ref()?.shard_stats(0).participants)
    }

    /// Where a page is, or tries to be.
    #[must_use]
    pub fn edge_of(&self, id: PageId) -> Option<usize> {
        Some(self[id].socket.as_ref()?.front)
    }

    /// A page is opened and connects; returns at once.
    pub fn open(&mut self, name: &str) -> PageId {
        let id = PageId(self.pages.len());
        let outside = self.fresh_port();
        let seed = self.seed.wrapping_mul(1_000).wrapping_add(id.0 as u64);
        self.pages.push(Page::new(id.0, name, outside, seed, self.base, self.now));
        self.feed(id, Input::Start);
        id
    }

    /// Publishes something.
    pub fn publish(&mut self, id: PageId, plan: SourcePlan) {
        let (source, muted) = (plan.kind, plan.muted);
        let request = self[id].adds(plan);
        self.feed(id, Input::Publish(PublishRequest { request, source, name: String::new(), muted, dtx: false }));
    }

    /// Something happens in the page or its browser.
    pub fn feed(&mut self, id: PageId, input: Input) {
        let at = self.mono(self.now);
        self[id].session.handle_input(at, input);
        self.drain(id);
    }

    /// What media, WebSockets and the page's own timers go through, cut: nothing passes and nobody is told.
    pub fn cut(&mut self, id: PageId, cut: bool) {
        self[id].link.cut(cut);
        self.hang(id, cut);
    }

    /// The NAT forgets its mapping and makes another one.
    pub fn rebind(&mut self, id: PageId) {
        self[id].client.outside = self.fresh_port();
    }

    /// The machine sleeps: nothing runs in it and nothing reaches it. On waking, everything that waited is due.
    pub fn sleep(&mut self, id: PageId, asleep: bool) {
        self[id].asleep = asleep;
        self.cut(id, asleep);
    }

    /// An edge dies without a word; its machine answers that nobody is there.
    pub fn kill(&mut self, edge: usize) {
        self.fronts[edge].edge = None;
        for id in self.everybody() {
            if let Some(socket) = self[id].socket.as_ref().filter(|socket| socket.front == edge) {
                let socket = socket.id;
                self.post(id, network::ONE_WAY, Mail::Ended(socket));
            }
        }
    }

    /// An edge stands still for good, with its sockets open: nothing comes from there, and nobody says so.
    pub fn stand_still(&mut self, edge: usize) {
        self.fronts[edge].edge = None;
        self.fronts[edge].still = true;
    }

    /// It is there again, and knows nobody.
    pub fn start(&mut self, edge: usize) {
        self.fronts[edge].start(self.seed, self.now);
    }

    /// Lets time pass.
    pub fn run_for(&mut self, time: Duration) {
        self.run(self.now + time, |_| false);
    }

    /// Lets time pass until `done`; panics, naming `what`, when that takes longer than `limit`. Returns how long it took.
    pub fn run_until(&mut self, limit: Duration, what: &str, done: impl Fn(&Self) -> bool) -> Duration {
        let began = self.now;
        let is_done = self.run(self.now + limit, done);
        assert!(is_done, "not within {limit:?}: {what}; {self:?}");
        self.now.duration_since(began)
    }

    fn run(&mut self, end: Instant, done: impl Fn(&Self) -> bool) -> bool {
        loop {
            self.settle();
            if done(self) {
                return true;
            }
            let Some(next) = self.next_due().filter(|next| *next <= end) else {
                self.now = end;
                return false;
            };
            self.now = next.max(self.now);
        }
    }

    fn next_due(&self) -> Option<Instant> {
        let pages = self.pages.iter().filter(|page| !page.asleep).flat_map(|page| {
            let sources = page.client.sources.iter().filter_map(crate::source::Source::next_due);
            let session = page.session.poll_timeout().map(|at| self.instant(at));
            let complaint = page.complaint_due();
            let rtc = page.transport.map(|_| page.client.timeout);
            sources.chain(session).chain(complaint).chain(rtc)
        });
        let links = self.pages.iter().filter_map(|page| page.link.next_due());
        let edges = self.fronts.iter().filter_map(|front| front.edge.as_ref()?.next_due());
        let letters = self.letters.iter().filter(|letter| !letter.waits(&self.pages)).map(|letter| letter.at);
        pages.chain(links).chain(edges).chain(letters).min()
    }

    /// Does everything that is due now.
    fn settle(&mut self) {
        loop {
            let mut busy = self.deliver_letters();
            busy |= self.deliver_media();
            for front in &mut self.fronts {
                busy |= front.edge.as_mut().is_some_and(|edge| edge.tick(self.now));
            }
            self.take_edge_output();
            for id in self.everybody() {
                busy |= self.wake(id);
            }
            if !busy {
                return;
            }
        }
    }

    /// Timers of the page and its browser.
    fn wake(&mut self, id: PageId) -> bool {
        let now = self.now;
        if self[id].asleep {
            return false;
        }
        let mut busy = false;
        let mut outgoing = std::mem::take(&mut self.outgoing);
        let page = &mut self[id];
        if page.transport.is_some() {
            if page.client.timeout <= now {
                busy = true;
                page.client.wake(now, &mut outgoing);
            }
            if page.client.sources.iter().filter_map(crate::source::Source::next_due).any(|due| due <= now) {
                busy = true;
                page.client.capture(now, &mut outgoing);
            }
        }
        self.outgoing = outgoing;
        self.send_media(id);
        self.report(id);
        if self[id].session.poll_timeout().is_some_and(|at| self.instant(at) <= now) {
            busy = true;
            let at = self.mono(now);
            self[id].session.handle_timeout(at);
            self.drain(id);
        }
        busy
    }

    /// Does what the SDK wants, in order.
    fn drain(&mut self, id: PageId) {
        while let Some(output) = self[id].session.poll_output() {
            self.execute(id, output);
        }
    }

    fn execute(&mut self, id: PageId, output: Output) {
        let now = self.now;
        match output {
            Output::FetchToken => {
                let until = self.now() + FETCHING + self[id].token_lasts;
                let token = front::token(&self[id].client.name, until);
                self.post(id, FETCHING, Mail::Told(None, Input::Token(Some(token))));
            }
            Output::OpenSocket { socket, edge } => {
                let front = self.fronts.iter().position(|front| front.address == edge).expect("an edge of this world");
                let connection = ConnectionId(self.draw());
                self.close_socket(id);
                self[id].socket = Some(Socket { id: socket, front, connection });
                self.post(id, network::HANDSHAKE, Mail::Open { socket, front, connection });
            }
            Output::Send(bytes) => {
                if let Some(&Socket { front, connection, .. }) = self[id].socket.as_ref() {
                    self.post(id, network::ONE_WAY, Mail::Said { front, connection, bytes });
                }
            }
            Output::CloseSocket(socket) => {
                if self[id].socket.as_ref().is_some_and(|present| present.id == socket) {
                    self.close_socket(id);
                }
            }
            Output::MakeOffer { publish, grow, restart } => {
                let page = &mut self[id];
                let sources: Vec<_> = publish.iter().filter_map(|request| page.source_of(*request)).collect();
                let sdp = page.client.driven_offer(&sources, grow.audio.into(), grow.video.into(), restart);
                let sections = page.requests.iter().zip(&page.client.sources).filter(|(_, source)| &*source.mid != "none");
                let mids: Vec<_> = sections.map(|(request, source)| (*request, (&*source.mid).into())).collect();
                self.told(id, sdp.map_or(Input::OfferFailed, |sdp| Input::OfferMade { sdp, mids }));
            }
            Output::ApplyAnswer { sdp } => {
                let page = &mut self[id];
                page.media = page.socket.as_ref().map(|socket| socket.front);
                let fits = page.client.driven_answer(now, &sdp);
                self.told(id, if fits { Input::AnswerApplied } else { Input::AnswerFailed });
            }
            Output::RollBack => self[id].client.roll_back(),
            Output::DropSender { request } => self.silence(id, |page| page.source_of(request)),
            Output::ReleaseSender { publication } => {
                self.silence(id, |page| page.client.sources.iter().position(|source| source.publication.as_ref() == Some(&publication)));
            }
            Output::SetEncodings { publication, encodings } => {
                let at = self.now();
                let sources = &mut self[id].client.sources;
                if let Some(source) = sources.iter_mut().find(|source| source.publication.as_ref() == Some(&publication)) {
                    source.on_demand(at, &encodings);
                }
            }
            Output::ReadStats => {
                let numbers = self[id].counters(self.mono(now), self.mono(self[id].heard_at));
                self.told(id, Input::Stats(numbers));
            }
            Output::Keep | Output::CloseKept => unreachable!("these edges are not linked: nobody is asked to move"),
            Output::OpenTransport(transport) => {
                // Another socket of the browser's: another mapping.
                self.rebind(id);
                let page = &mut self[id];
                page.client.replace_transport(now);
                (page.transport, page.complaints, page.heard_at) = (Some(transport.0), 0, now);
                page.connects_seen = page.client.connected_at.len();
            }
            Output::CloseTransport(_) => {
                let mut outgoing = std::mem::take(&mut self.outgoing);
                let page = &mut self[id];
                drop(page.client.rtc.close());
                page.client.drain(now, &mut outgoing);
                page.transport = None;
                self.outgoing = outgoing;
                self.send_media(id);
            }
            Output::SendBeat(frame) => {
                if self[id].client.has_channels() {
                    self[id].client.write_channel(nearcast_protocol::data::LOSSY_CHANNEL, &frame);
                    self[id].client.timeout = now;
                }
            }
            // Sources of this world don't encode, and its network has no relays.
            Output::Cap(_) | Output::SetIceServers(_) | Output::LeaveOutIceServers(_) => {}
            // Its rooms are the edge's; direct connections have a world of their own (client-core/tests/session/house.rs).
            Output::OfferLink { .. }
            | Output::DescribeLink { .. }
            | Output::AddCandidate { .. }
            | Output::CloseLink(_)
            | Output::CapLink { .. }
            | Output::Hold(_) => panic!("a direct connection in a room of the edge's: {output:?}"),
            Output::Event(event) => {
                use client_core::Event::{Published, Republished};
                if let Published { request, publication, .. } | Republished { request, publication, .. } = &event
                    && let Some(source) = self[id].source_of(*request)
                {
                    self[id].client.published(now, source, publication);
                }
                let at = self.now();
                self[id].events.push((at, event));
            }
        }
    }

    fn silence(&mut self, id: PageId, find: impl Fn(&Page) -> Option<usize>) {
        if let Some(source) = find(&self[id]) {
            self[id].client.sources[source].silent = true;
        }
    }

    /// What the browser says of its transport, and what came through its channels.
    fn report(&mut self, id: PageId) {
        use client_core::TransportState::{Connected, Disconnected, Failed};
        let now = self.now;
        let page = &mut self[id];
        let mut said = Vec::new();
        if page.client.connected_at.len() > page.connects_seen {
            page.connects_seen = page.client.connected_at.len();
            said.push(Input::Transport(Connected));
        } else if page.complaints > 0 && page.heard_at == now {
            said.push(Input::Transport(Connected));
        }
        if page.heard_at == now {
            page.complaints = 0;
        }
        if std::mem::take(&mut page.client.transport_closed) {
            said.push(Input::Transport(Failed));
            page.complaints = PATIENCE.len();
        }
        if page.complaint_due().is_some_and(|due| due <= now) {
            said.push(Input::Transport([Disconnected, Failed][page.complaints]));
            page.complaints += 1;
        }
        for (_, stream, frame) in &page.client.data[page.data_seen..] {
            let reliable = *stream == nearcast_protocol::data::RELIABLE_CHANNEL;
            said.push(Input::Data { frame: nearcast_protocol::wire::Cbor::to_cbor(frame), reliable });
        }
        page.data_seen = page.client.data.len();
        for input in said {
            self.feed(id, input);
        }
    }

    fn told(&mut self, id: PageId, input: Input) {
        let transport = self[id].transport;
        self.post(id, SETTING, Mail::Told(transport, input));
    }

    fn mono(&self, at: Instant) -> MonoTime {
        MonoTime::from_micros(at.duration_since(self.base).as_micros() as u64)
    }

    fn instant(&self, at: MonoTime) -> Instant {
        self.base + Duration::from_micros(at.as_micros())
    }

    fn draw(&mut self) -> u64 {
        self.drawn += 1;
        self.drawn
    }

    fn fresh_port(&mut self) -> SocketAddr {
        self.ports += 1;
        SocketAddr::from((Ipv4Addr::new(198, 51, 100, 7), 10_000 + self.ports))
    }
}

impl Page {
    /// When the browser complains next of silence.
    fn complaint_due(&self) -> Option<Instant> {
        self.transport.filter(|_| self.connects_seen > 0)?;
        Some(self.heard_at + *PATIENCE.get(self.complaints)?)
    }
}
