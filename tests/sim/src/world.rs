//! Time, people and the links between them.
//!
//! The clock jumps to the next thing that is due; everything due at one instant is done in a fixed order (signalling, uplinks, edge,
//! downlinks, clients by number) until nothing is left. Nothing here reads the machine's clock but [`World::seeded`], once, because an
//! `Instant` can't be made from nothing.

mod edge;
mod link;
mod mesh;
mod people;
mod trace;

pub use edge::{Edge, Misdelivery};
pub use link::Link;
pub use mesh::Mesh;

use crate::bottleneck::{Bottleneck, Cross, Discipline, Schedule, Way};
use crate::client::{Client, ClientId};
use crate::guest::Mailbox;
pub(crate) use link::Datagram;
use nearcast_protocol::{ClientMessage, ServerMessage};
use sfu_core::{Command, ConnectionId, Event, ShardConfig, ShardStats};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::{Index, IndexMut};
use std::time::{Duration, Instant};

/// One way of a client's signalling, when nothing else is said: that of its media link.
const SIGNAL_DELAY: Duration = Duration::from_millis(25);

/// Where the edge is.
const EDGE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)), 7_000);

/// A message on a WebSocket.
#[derive(Debug)]
enum Signal {
    Up(Box<Command>),
    Down(ConnectionId, Box<ServerMessage>),
    Closed(ConnectionId),
}

/// Everything.
#[derive(Debug)]
pub struct World {
    /// The edge: shards behind one port.
    pub edge: Edge,
    seed: u64,
    base: Instant,
    pub(crate) now: Instant,
    clients: Vec<Client>,
    links: Vec<Link>,
    bottlenecks: Vec<Bottleneck>,
    signals: Vec<(Instant, u64, Signal)>,
    signal_count: u64,
    connections: u64,
    ports: u16,
    outgoing: Vec<Vec<u8>>,
    mailboxes: Vec<Mailbox>,
    lost_to_nat: u64,
}

impl Index<ClientId> for World {
    type Output = Client;

    fn index(&self, id: ClientId) -> &Client {
        &self.clients[usize::from(id.0)]
    }
}

impl IndexMut<ClientId> for World {
    fn index_mut(&mut self, id: ClientId) -> &mut Client {
        &mut self.clients[usize::from(id.0)]
    }
}

impl World {
    /// A world with an edge of one shard.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self::sharded(seed, 1, |_| {})
    }

    /// A world with an edge of several shards, configured by `configure`.
    #[must_use]
    pub fn sharded(seed: u64, shards: u8, configure: impl Fn(&mut ShardConfig)) -> Self {
        // The one base; every other instant is derived from it.
        let base = Instant::now();
        Self::around(Edge::new(EDGE, seed, shards, base, configure), seed, base)
    }

    /// A world with several edges that are linked. Whoever joins a room goes to the next edge when `edge.spread_at` are on one.
    #[must_use]
    pub fn linked(seed: u64, edges: u8) -> Self {
        let base = Instant::now();
        Self::around(Edge::linked(EDGE, seed, edges, base), seed, base)
    }

    /// The same with an edge in each of these regions, which have `far` between each other, one way.
    #[must_use]
    pub fn in_regions(seed: u64, regions: &[&'static str], far: Duration) -> Self {
        let base = Instant::now();
        Self::around(Edge::in_regions(EDGE, seed, regions, far, base), seed, base)
    }

    fn around(edge: Edge, seed: u64, base: Instant) -> Self {
        Self {
            edge,
            seed,
            base,
            now: base,
            clients: Vec::new(),
            links: Vec::new(),
            bottlenecks: Vec::new(),
            signals: Vec::new(),
            signal_count: 0,
            connections: 0,
            ports: 0,
            outgoing: Vec::new(),
            mailboxes: Vec::new(),
            lost_to_nat: 0,
        }
    }

    /// Virtual time since the world began.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.now.duration_since(self.base)
    }

    /// Virtual time as shards are told it.
    #[must_use]
    pub fn instant(&self) -> Instant {
        self.now
    }

    /// Counters and sizes of the first shard.
    #[must_use]
    pub fn stats(&self) -> ShardStats {
        self.edge.shard_stats(0)
    }

    /// Datagrams that arrived for an address no client has any more.
    #[must_use]
    pub fn lost_to_nat(&self) -> u64 {
        self.lost_to_nat
    }

    /// Everybody who ever joined, in order.
    pub fn everybody(&self) -> impl Iterator<Item = ClientId> + use<> {
        (0..self.clients.len() as u16).map(ClientId)
    }

    /// A client's link to the edge, to make it worse.
    pub fn link(&mut self, id: ClientId) -> &mut Link {
        &mut self.links[usize::from(id.0)]
    }

    /// Puts a queue with a rate in front of some clients' links, shared by them and by `cross` traffic; returns its number.
    pub fn share(&mut self, way: Way, clients: &[ClientId], schedule: Schedule, discipline: Discipline, cross: &[Cross]) -> usize {
        self.bottlenecks.push(Bottleneck::new(way, clients, schedule, discipline, cross, self.base));
        self.bottlenecks.len() - 1
    }

    /// Somebody's traffic passes a shared queue from now on.
    pub fn widen(&mut self, number: usize, client: ClientId) {
        self.bottlenecks[number].widen(client);
    }

    /// What the edge believes a client's path holds, bits per second; none: it doesn't know yet.
    #[must_use]
    pub fn estimate(&self, id: ClientId) -> Option<u64> {
        self.edge.path_estimate(self.now, &self[id].room, &self[id].name)
    }

    /// How the edge's estimator explains its estimate of a client's path, in words for people.
    #[must_use]
    pub fn estimator(&self, id: ClientId) -> String {
        self.edge.path_insides(&self[id].room, &self[id].name).unwrap_or_default()
    }

    /// Who publishes in somebody's room.
    #[must_use]
    pub fn publisher_beside(&self, id: ClientId) -> ClientId {
        let beside = |other: &ClientId| self[*other].room == self[id].room && !self[*other].sources.is_empty();
        self.everybody().find(beside).expect("a publisher")
    }

    /// A shared queue, by its number.
    #[must_use]
    pub fn bottleneck(&self, number: usize) -> &Bottleneck {
        &self.bottlenecks[number]
    }

    /// Lets time pass.
    pub fn run_for(&mut self, time: Duration) {
        self.run(self.now + time, |_| false);
    }

    /// Lets time pass until `done`; panics, naming `what`, when that takes longer than `limit`. Returns how long it took.
    pub fn run_until(&mut self, limit: Duration, what: &str, done: impl Fn(&Self) -> bool) -> Duration {
        let began = self.now;
        let is_done = self.run(self.now + limit, done);
        assert!(is_done, "not within {limit:?}: {what}");
        self.now.duration_since(began)
    }

    fn run(&mut self, end: Instant, done: impl Fn(&Self) -> bool) -> bool {
        loop {
            self.settle();
            if done(self) {
                return true;
            }
            let next = self.next_due().filter(|next| *next <= end);
            let Some(next) = next else {
                self.now = end;
                return false;
            };
            self.now = next.max(self.now);
        }
    }

    fn next_due(&self) -> Option<Instant> {
        let signals = self.signals.iter().map(|(at, ..)| *at);
        let links = self.links.iter().filter_map(Link::next_due);
        let clients = self.clients.iter().filter(|client| client.alive);
        let wakes = clients.flat_map(|client| {
            let sources = client.sources.iter().filter_map(crate::source::Source::next_due);
            std::iter::once(client.timeout).chain(sources)
        });
        let queues = self.bottlenecks.iter().filter_map(Bottleneck::next_due);
        signals.chain(links).chain(queues).chain(wakes).chain(self.edge.next_due()).min()
    }

    /// Does everything that is due now.
    fn settle(&mut self) {
        loop {
            let mut busy = self.deliver_signals();
            busy |= self.empty_bottlenecks();
            busy |= self.deliver_uplinks();
            busy |= self.edge.tick(self.now);
            self.take_edge_output();
            busy |= self.deliver_downlinks();
            busy |= self.wake_clients();
            if !busy {
                return;
            }
        }
    }

    fn deliver_signals(&mut self) -> bool {
        let now = self.now;
        let mut due: Vec<_> = self.signals.extract_if(.., |(at, ..)| *at <= now).collect();
        due.sort_by_key(|(at, order, _)| (*at, *order));
        let busy = !due.is_empty();
        for (_, _, signal) in due {
            match signal {
                Signal::Up(command) => {
                    self.edge.command(self.now, *command);
                    self.take_edge_output();
                }
                Signal::Down(connection, message) => {
                    if let Some(mailbox) = self.mailboxes.iter_mut().find(|mailbox| mailbox.connection == connection) {
                        mailbox.signals.push(*message);
                        continue;
                    }
                    let Some(index) = self.connected(connection) else { continue };
                    if let Some(request) = self.clients[index].hear(self.now, *message) {
                        self.send_request(index, request);
                    }
                }
                Signal::Closed(connection) => {
                    if let Some(index) = self.connected(connection) {
                        self.clients[index].connection = None;
                    }
                }
            }
        }
        busy
    }

    fn connected(&self, connection: ConnectionId) -> Option<usize> {
        self.clients.iter().position(|client| client.alive && client.connection == Some(connection))
    }

    /// What has left a shared queue goes on its way.
    fn empty_bottlenecks(&mut self) -> bool {
        let mut busy = false;
        for bottleneck in &mut self.bottlenecks {
            while let Some((client, bytes)) = bottleneck.departed(self.now) {
                busy = true;
                let (link, from) = (&mut self.links[usize::from(client.0)], self.clients[usize::from(client.0)].outside);
                match bottleneck.way {
                    Way::Up => link.send_up(self.now, Datagram { from, bytes }),
                    Way::Down => link.send_down(self.now, Datagram { from: self.edge.address(), bytes }),
                }
            }
        }
        busy
    }

    fn deliver_uplinks(&mut self) -> bool {
        let mut busy = false;
        for index in 0..self.links.len() {
            while let Some(datagram) = self.links[index].arrived_up(self.now) {
                busy = true;
                self.edge.receive(self.now, datagram.from, datagram.bytes);
                self.take_edge_output();
            }
        }
        busy
    }

    /// Everything the edge has to say, on its way.
    fn take_edge_output(&mut self) {
        let Self { edge, clients, links, bottlenecks, mailboxes, now, lost_to_nat, .. } = self;
        edge.drain_transmits(|to, bytes| {
            if let Some(mailbox) = mailboxes.iter_mut().find(|mailbox| mailbox.address == to) {
                mailbox.datagrams.push(bytes.to_vec());
                return;
            }
            let owner = clients.iter().position(|client| client.alive && client.outside == to);
            match owner {
                Some(index) => {
                    let client = ClientId(index as u16);
                    match bottlenecks.iter_mut().find(|queue| queue.takes(Way::Down, client)) {
                        Some(queue) => queue.send(*now, client, bytes.to_vec()),
                        None => links[index].send_down(*now, Datagram { from: to, bytes: bytes.to_vec() }),
                    }
                }
                None => *lost_to_nat += 1,
            }
        });
        while let Some(event) = self.edge.poll_event() {
            match event {
                Event::Signal { connection, message } => self.signal(Signal::Down(connection, Box::new(message))),
                Event::Close { connection } => {
                    self.signal(Signal::Closed(connection));
                    // The WebSocket's end is told to the shard, as for any other reason.
                    self.edge.command(self.now, Command::Disconnected { connection });
                }
                // Between the edge's own shards.
                Event::TupleBound { .. } | Event::TupleUnbound { .. } | Event::Relay { .. } | Event::RoomSize { .. } | Event::Stay(_) => {}
            }
        }
    }

    fn deliver_downlinks(&mut self) -> bool {
        let mut busy = false;
        for index in 0..self.links.len() {
            while let Some(datagram) = self.links[index].arrived_down(self.now) {
                busy = true;
                let client = &mut self.clients[index];
                if client.alive {
                    client.receive(self.now, self.edge.address(), &datagram.bytes, &mut self.outgoing);
                    self.send_up(index);
                }
            }
        }
        busy
    }

    fn wake_clients(&mut self) -> bool {
        let mut busy = false;
        for index in 0..self.clients.len() {
            let client = &mut self.clients[index];
            if !client.alive {
                continue;
            }
            if client.timeout <= self.now {
                busy = true;
                client.wake(self.now, &mut self.outgoing);
            }
            if client.sources.iter().filter_map(crate::source::Source::next_due).any(|due| due <= self.now) {
                busy = true;
                client.capture(self.now, &mut self.outgoing);
            }
            self.send_up(index);
        }
        busy
    }

    fn send_up(&mut self, index: usize) {
        let from = self.clients[index].outside;
        let client = ClientId(index as u16);
        let mut queue = self.bottlenecks.iter_mut().find(|queue| queue.takes(Way::Up, client));
        for bytes in self.outgoing.drain(..) {
            match &mut queue {
                Some(queue) => queue.send(self.now, client, bytes),
                None => self.links[index].send_up(self.now, Datagram { from, bytes }),
            }
        }
    }

    fn signal(&mut self, signal: Signal) {
        self.signal_count += 1;
        self.signals.push((self.now + SIGNAL_DELAY, self.signal_count, signal));
    }

    /// A message for the edge, on its way.
    pub(crate) fn command(&mut self, command: Command) {
        self.signal(Signal::Up(Box::new(command)));
    }

    fn send_request(&mut self, index: usize, message: ClientMessage) -> u32 {
        let client = &mut self.clients[index];
        let envelope = client.envelope(message);
        let id = envelope.id;
        if let Some(connection) = client.connection {
            self.command(Command::Request { connection, envelope });
        }
        id
    }

    /// Sends the edge a datagram from an address that is nobody's, and returns what it answers there and then.
    pub fn exchange(&mut self, from: SocketAddr, bytes: &[u8]) -> Vec<Vec<u8>> {
        self.take_edge_output();
        self.edge.receive(self.now, from, bytes.to_vec());
        let mut answers = Vec::new();
        self.edge.drain_transmits(|to, datagram| {
            assert_eq!(to, from, "an answer to somebody else");
            answers.push(datagram.to_vec());
        });
        answers
    }

    /// A datagram from this address has met a fault of the core, and whoever has that address is let go of. False: nobody has it.
    pub fn fault_of(&mut self, from: SocketAddr) -> bool {
        let evicted = self.edge.evict(self.now, from);
        self.take_edge_output();
        evicted
    }

    /// A datagram from anywhere, as it would arrive on the edge's port now.
    pub fn inject(&mut self, from: SocketAddr, bytes: &[u8]) {
        self.edge.receive(self.now, from, bytes.to_vec());
        self.take_edge_output();
    }
}
