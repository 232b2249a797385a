//! Shards behind one port, as the edge's threads run them: each has its own receive loop and its own table of which address belongs to
//! which shard; a datagram that arrives at the wrong one is handed over.

use super::mesh::{Arrival, Mesh};
use nearcast_protocol::ServerMessage;
use sfu_core::{
    Certificate, Command, ConnectionId, Event, Limits, Neighbour, Shard, ShardConfig, ShardId, ShardStats, Trees, WallClock, place,
    shard_of_session, steer,
};
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// What the edge's wall clock shows when a world begins: some day, and no client's clock.
const UNIX_TIME: Duration = Duration::from_secs(1_700_000_000);

/// Where the kernel delivers a datagram.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Misdelivery {
    /// Wherever the hash of its address says (SO_REUSEPORT).
    #[default]
    Hashed,
    /// Always to another shard than its own: the worst luck.
    Always,
}

/// The edge; or several, each with one shard, that are linked ([`Mesh`]).
#[derive(Debug)]
pub struct Edge {
    /// The links between its shards, when each is an edge of its own.
    pub mesh: Option<Mesh>,
    /// Where datagrams are delivered first.
    pub misdelivery: Misdelivery,
    /// Datagrams handed from one shard's loop to another's.
    pub handed_over: u64,
    /// Datagrams that no loop could place.
    pub unplaced: u64,
    /// Messages between parts of rooms.
    pub relayed: u64,
    /// Media packets that were sent a second time as they were, under their old number (resends without RTX).
    pub repeated_packets: u64,
    /// Media packets that differ but were sent by one stream under one number: AES-GCM would give its key away.
    pub clashing_packets: u64,
    address: SocketAddr,
    shards: Vec<Shard>,
    tables: Vec<HashMap<SocketAddr, usize>>,
    connections: HashMap<ConnectionId, usize>,
    /// Participants of each room on each shard, as the shards tell.
    rooms: HashMap<String, Vec<u32>>,
    /// Participants of one room that a shard takes before the next gets some.
    pub spread_at: u32,
    /// Where the next one who joins goes, whatever the room says.
    next_at: Option<usize>,
    /// Edges that do nothing: killed, or stopped for a while.
    still: Vec<usize>,
    /// What happened to these meanwhile.
    missed: Vec<(usize, Arrival)>,
    events: VecDeque<Event>,
    sent: HashMap<(SocketAddr, u32), SentStream>,
}

/// What was sent of one stream: a hash of the packet by its number, roll-overs counted.
#[derive(Debug, Default)]
struct SentStream {
    newest: u64,
    packets: HashMap<u64, u64>,
}

impl Edge {
    pub(crate) fn new(address: SocketAddr, seed: u64, shards: u8, now: Instant, configure: impl Fn(&mut ShardConfig)) -> Self {
        static CERTIFICATE: OnceLock<Arc<Certificate>> = OnceLock::new();
        let certificate = CERTIFICATE.get_or_init(|| Arc::new(Certificate::generate().expect("a certificate")));
        let shard = |number: u8| {
            let mut config = ShardConfig {
                shard: ShardId::from(number),
                shards,
                candidates: vec![address],
                tcp_candidates: Vec::new(),
                certificate: Arc::clone(certificate),
                resume_window: Duration::from_secs(30),
                limits: Limits::default(),
                audio_top_k: 10,
                scorer: None,
                wall_clock: WallClock::new(now, UNIX_TIME),
                trees: Trees::default(),
            };
            configure(&mut config);
            let mut bytes = [number; 32];
            bytes[..8].copy_from_slice(&seed.to_be_bytes());
            Shard::new(config, bytes, now)
        };
        Self {
            mesh: None,
            misdelivery: Misdelivery::default(),
            handed_over: 0,
            unplaced: 0,
            relayed: 0,
            repeated_packets: 0,
            clashing_packets: 0,
            address,
            shards: (0..shards).map(shard).collect(),
            tables: vec![HashMap::new(); usize::from(shards)],
            connections: HashMap::new(),
            rooms: HashMap::new(),
            spread_at: u32::MAX,
            next_at: None,
            still: Vec::new(),
            missed: Vec::new(),
            events: VecDeque::new(),
            sent: HashMap::new(),
        }
    }

    /// As many edges of one shard each, with links between all of them.
    pub(crate) fn linked(address: SocketAddr, seed: u64, edges: u8, now: Instant) -> Self {
        // None of the others is in the same process.
        let mut edge = Self::new(address, seed, edges, now, |config| config.shards = 0);
        let mut mesh = Mesh::new(usize::from(edges), seed);
        mesh.link_all(now);
        edge.mesh = Some(mesh);
        edge
    }

    /// One edge of one shard in each of these regions, linked with all others; between regions the way is `far`.
    pub(crate) fn in_regions(address: SocketAddr, seed: u64, regions: &[&'static str], far: Duration, now: Instant) -> Self {
        let mut edge = Self::new(address, seed, regions.len() as u8, now, |config| {
            config.shards = 0;
            config.trees.region = Arc::from(regions[config.shard.index()]);
        });
        let mut mesh = Mesh::new(regions.len(), seed);
        (mesh.regions, mesh.far) = (regions.to_vec(), Some(far));
        mesh.link_all(now);
        edge.mesh = Some(mesh);
        edge
    }

    /// The links of one edge are too narrow for so many of the largest encodings from now on.
    pub fn narrow(&mut self, now: Instant, edge: usize, withheld: u8) {
        let others = self.mesh.as_ref().map(|mesh| mesh.names_at(edge)).unwrap_or_default();
        self.shards[edge].handle_narrow(&others, withheld);
        self.collect(now, edge);
    }

    /// The next one who joins does so at this shard, whatever the room says.
    pub fn next_at(&mut self, shard: usize) {
        self.next_at = Some(shard);
    }

    /// Whether somebody's transport is on this shard.
    #[must_use]
    pub fn carries(&self, shard: usize, room: &str, identity: &str) -> bool {
        self.shards[shard].path_insides(room, identity).is_some()
    }

    /// One of the edges stands still: nothing reaches it and nothing leaves it. One that is killed does so for ever.
    pub fn stop(&mut self, edge: usize) {
        self.still.push(edge);
        if let Some(mesh) = &mut self.mesh {
            (0..self.shards.len()).filter(|other| *other != edge).for_each(|other| mesh.cut(edge, other));
        }
    }

    /// It goes on where it stood, and learns what has happened to its links.
    pub fn go_on(&mut self, now: Instant, edge: usize) {
        self.still.retain(|still| *still != edge);
        let (missed, rest) = std::mem::take(&mut self.missed).into_iter().partition(|(at, _)| *at == edge);
        self.missed = rest;
        for (edge, arrival) in missed {
            self.arrive(now, edge, arrival);
        }
        if let Some(mesh) = &mut self.mesh {
            (0..self.shards.len()).filter(|other| *other != edge).for_each(|other| mesh.mend(now, edge, other));
        }
    }

    fn arrive(&mut self, now: Instant, edge: usize, arrival: Arrival) {
        match arrival {
            arrival if self.still.contains(&edge) => return self.missed.push((edge, arrival)),
            Arrival::Said(from, message) => self.shards[edge].handle_relay(now, from, *message),
            Arrival::Linked(other, which) => {
                if let Some(mesh) = self.mesh.as_ref().filter(|mesh| !mesh.plain.contains(&which) && !mesh.plain.contains(&edge)) {
                    let (id, region) = (Arc::from(format!("edge-{which}")), Arc::from(mesh.region(which)));
                    let about = Neighbour { edge: id, incarnation: 1, region, one_way: mesh.delay_between((edge, which)) };
                    self.shards[edge].handle_neighbour(&[other], about);
                }
                self.shards[edge].handle_linked(&[other]);
            }
            Arrival::Unlinked(other) => self.shards[edge].handle_unlinked(now, &[other]),
        }
        self.collect(now, edge);
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// One shard by itself, to be driven and drained without the world.
    pub fn shard_mut(&mut self, shard: usize) -> &mut Shard {
        &mut self.shards[shard]
    }

    /// Counters and sizes of one shard.
    #[must_use]
    pub fn shard_stats(&self, shard: usize) -> ShardStats {
        self.shards[shard].stats()
    }

    /// What the edge believes a path holds.
    pub(crate) fn path_estimate(&self, now: Instant, room: &str, identity: &str) -> Option<u64> {
        // A room that was spread is on several shards.
        self.shards.iter().find_map(|shard| shard.path_estimate(now, room, identity))
    }

    /// How its estimator explains that.
    pub(crate) fn path_insides(&self, room: &str, identity: &str) -> Option<String> {
        self.shards.iter().find_map(|shard| shard.path_insides(room, identity))
    }

    /// What is in the tables of all shards together, and how many addresses their receive loops know; all zero when nobody is here.
    #[must_use]
    pub fn table_sizes(&self) -> Vec<(&'static str, u64)> {
        let of_shard = |stats: ShardStats| {
            [
                ("rooms", stats.rooms),
                ("participants", stats.participants),
                ("publications", stats.publications),
                ("subscriptions", stats.subscriptions),
                ("sessions", stats.sessions),
                ("connections", stats.connections),
                ("transports", stats.transports),
                ("tuples", stats.tuples),
                ("ufrags", stats.ufrags),
                ("publication_ids", stats.publication_ids),
            ]
        };
        let mut sizes = of_shard(ShardStats::default());
        for shard in &self.shards {
            sizes.iter_mut().zip(of_shard(shard.stats())).for_each(|(sum, (_, size))| sum.1 += size);
        }
        let known = self.tables.iter().map(HashMap::len).sum::<usize>() as u64;
        sizes.into_iter().chain([("steering", known)]).collect()
    }

    /// Where the next participant of a room goes.
    fn place(&self, room: &str) -> usize {
        let home = (fnv(room.as_bytes()) % self.shards.len() as u64) as usize;
        let empty = vec![0; self.shards.len()];
        place(home, self.rooms.get(room).unwrap_or(&empty), self.spread_at)
    }

    pub(crate) fn command(&mut self, now: Instant, command: Command) {
        let shard = match &command {
            Command::Join { connection, admission, join, .. } | Command::JoinByHttp { connection, admission, join, .. } => {
                let resumed = join.resume.as_ref().and_then(|resume| shard_of_session(&resume.session)).map(|shard| shard.index());
                let shard = resumed.or(self.next_at.take()).unwrap_or_else(|| self.place(&admission.room));
                self.connections.insert(*connection, shard);
                Some(shard)
            }
            Command::Request { connection, .. } | Command::RestartIce { connection, .. } | Command::SentOn { connection } => {
                self.connections.get(connection).copied()
            }
            Command::Disconnected { connection } => self.connections.remove(connection),
            // Whichever part of the room it is in.
            Command::Remove { .. } | Command::Shutdown => {
                for shard in 0..self.shards.len() {
                    self.shards[shard].handle_command(now, command.clone());
                    self.collect(now, shard);
                }
                None
            }
        };
        if let Some(shard) = shard.filter(|shard| self.moves(*shard)) {
            self.shards[shard].handle_command(now, command);
            self.collect(now, shard);
        }
    }

    /// What an edge does when a datagram from this address has made its core panic.
    pub(crate) fn evict(&mut self, now: Instant, from: SocketAddr) -> bool {
        let mut evicted = false;
        for shard in 0..self.shards.len() {
            evicted |= self.shards[shard].evict_address(now, from);
            self.collect(now, shard);
        }
        evicted
    }

    /// A datagram from the network.
    pub(crate) fn receive(&mut self, now: Instant, from: SocketAddr, mut bytes: Vec<u8>) {
        let arrival = self.arrival(from, &bytes);
        let owner = self.tables[arrival].get(&from).copied().or_else(|| steer(&bytes).map(|shard| shard.index()));
        let Some(owner) = owner.filter(|owner| *owner < self.shards.len()) else {
            // Nobody knows the address: the loop's own shard counts and drops it.
            self.unplaced += 1;
            self.shards[arrival].handle_datagram(now, from, self.address, &mut bytes);
            self.collect(now, arrival);
            return;
        };
        if !self.moves(owner) {
            return;
        }
        self.handed_over += u64::from(owner != arrival);
        self.shards[owner].handle_datagram(now, from, self.address, &mut bytes);
        self.collect(now, owner);
    }

    fn arrival(&self, from: SocketAddr, bytes: &[u8]) -> usize {
        let count = self.shards.len();
        match self.misdelivery {
            Misdelivery::Hashed => usize::from(from.port()) % count,
            Misdelivery::Always => {
                let bound = self.tables.iter().find_map(|table| table.get(&from)).copied();
                let owner = bound.or_else(|| steer(bytes).map(|shard| shard.index())).unwrap_or(0);
                (owner + 1) % count
            }
        }
    }

    /// Lets every shard that wants it have its time; false when none did.
    pub(crate) fn tick(&mut self, now: Instant) -> bool {
        let mut busy = false;
        for index in 0..self.shards.len() {
            if self.moves(index) && self.shards[index].poll_timeout().is_some_and(|at| at <= now) {
                busy = true;
                self.shards[index].handle_timeout(now);
                self.collect(now, index);
            }
        }
        while let Some((edge, arrival)) = self.mesh.as_mut().and_then(|mesh| mesh.poll(now)) {
            busy = true;
            self.arrive(now, edge, arrival);
        }
        busy
    }

    pub(crate) fn next_due(&self) -> Option<Instant> {
        let links = self.mesh.as_ref().and_then(Mesh::next_due);
        let moving = self.shards.iter().enumerate().filter(|(edge, _)| self.moves(*edge));
        moving.filter_map(|(_, shard)| shard.poll_timeout()).chain(links).min()
    }

    fn moves(&self, edge: usize) -> bool {
        !self.still.contains(&edge)
    }

    /// Events out of a shard, and out of those it told something; the receive loops learn whose addresses are whose.
    fn collect(&mut self, now: Instant, shard: usize) {
        let mut told = vec![shard];
        while let Some(shard) = told.pop() {
            while let Some(event) = self.shards[shard].poll_event() {
                match event {
                    Event::TupleBound { from } => {
                        for table in &mut self.tables {
                            table.insert(from.address, shard);
                        }
                    }
                    Event::TupleUnbound { from } => self.tables.iter_mut().for_each(|table| {
                        if table.get(&from.address) == Some(&shard) {
                            table.remove(&from.address);
                        }
                    }),
                    Event::RoomSize { room, participants } => {
                        let shards = self.shards.len();
                        self.rooms.entry(room).or_insert_with(|| vec![0; shards])[shard] = participants;
                    }
                    Event::Relay { to, message } if to >= ShardId::FIRST_ELSEWHERE => {
                        self.relayed += 1;
                        if let Some(mesh) = &mut self.mesh {
                            mesh.send(now, shard, to, &message);
                        }
                    }
                    Event::Relay { to, message } => {
                        self.relayed += 1;
                        self.shards[to.index()].handle_relay(now, ShardId(shard as u32), message);
                        told.insert(0, to.index());
                    }
                    event => {
                        if let Event::Signal { connection, message: ServerMessage::Closed { .. } } = &event {
                            let known = self.connections.get(connection);
                            assert!(known.is_none_or(|known| *known == shard), "a message for somebody else's connection");
                        }
                        self.events.push_back(event);
                    }
                }
            }
        }
    }

    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    pub(crate) fn drain_transmits(&mut self, mut send: impl FnMut(SocketAddr, &[u8])) {
        let Self { shards, sent, repeated_packets, clashing_packets, .. } = self;
        for shard in shards {
            shard.drain_transmits(|transmit| {
                assert!(!transmit.contents.is_empty() && transmit.segment_size > 0, "an empty run");
                for datagram in transmit.contents.chunks(transmit.segment_size) {
                    match sent_before(sent, transmit.destination.address, datagram) {
                        Some(true) => *repeated_packets += 1,
                        Some(false) => *clashing_packets += 1,
                        None => {}
                    }
                    send(transmit.destination.address, datagram);
                }
            });
        }
    }
}

/// Notes a sealed RTP packet (its header isn't encrypted). Some: its stream has used the number before, for the same packet or not.
fn sent_before(streams: &mut HashMap<(SocketAddr, u32), SentStream>, to: SocketAddr, datagram: &[u8]) -> Option<bool> {
    let &[flags, kind, q0, q1, _, _, _, _, s0, s1, s2, s3, ..] = datagram else { return None };
    if flags >> 6 != 2 || (64..96).contains(&(kind & 0x7f)) {
        return None;
    }
    let wire = u16::from_be_bytes([q0, q1]);
    let fresh = || SentStream { newest: (1 << 32) + u64::from(wire), packets: HashMap::new() };
    let stream = streams.entry((to, u32::from_be_bytes([s0, s1, s2, s3]))).or_insert_with(fresh);
    let number = stream.newest.wrapping_add_signed(i64::from(wire.wrapping_sub(stream.newest as u16) as i16));
    stream.newest = stream.newest.max(number);
    let hash = fnv(datagram);
    stream.packets.insert(number, hash).map(|before| before == hash)
}

/// FNV-1a: short, and the same on every machine.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}
