//! One thread's world: rooms, participants, their transports and everything they publish, without a socket and without a clock.
//!
//! Drive it like any sans-IO machine: `handle_datagram`, `handle_command`, `handle_timeout` in; after each (or after a batch),
//! [`Shard::drain_transmits`] and [`Shard::poll_event`] until empty; wake up at [`Shard::poll_timeout`].
//!
//! Where to read on, in the order of a packet: [`ingress`] (datagram → authentic packet → publication), [`fan_out`] (publication →
//! every subscriber), [`feedback`] (RTCP both ways). In the order of a call: [`join`], [`negotiate`], [`publish`], [`subscribe`],
//! [`transport`], [`leave`], [`data`]. What is kept of it: [`stays`]. What a room may forbid: [`moderate`], [`forwarding`]. Time: [`tick`], [`pace`], [`probes`].

pub(crate) mod allocate;
mod config;
mod data;
mod dynacast;
mod fan_out;
mod feedback;
mod forwarding;
mod ingress;
pub mod inspect;
mod join;
mod leave;
mod measure;
mod moderate;
mod modes;
mod names;
mod negotiate;
mod pace;
pub(crate) mod peer_messages;
mod probes;
mod publish;
pub(crate) mod qualities;
pub(crate) mod relay;
mod requests;
mod restart;
mod speakers;
mod stats;
pub mod stays;
pub(crate) mod steer;
mod subscribe;
mod tick;
mod transport;

pub use config::{Limits, Neighbour, ShardConfig, ShardId, Trees};
pub use stats::{ShardStats, Timing};

use crate::egress::frames::Frames;
use crate::egress::{Batch, Egress, Transmit};
use crate::ice::distance::Distance;
use crate::keys::{ParticipantKey, PublicationKey, RoomKey};
use crate::participant::{Admission, ConnectionId, Continuation, Participant, Room};
use crate::publication::Publication;
use crate::relay::{Handle, RelayMessage};
use crate::remote::Remote;
use crate::sdp::SdpFragment;
use join::Newcomer;
use nearcast_protocol::{ClientEnvelope, Join, PublicationId, ServerMessage, SessionId};
use pace::Paced;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use relay::Astray;
pub(crate) use relay::trees::Outline;
use slotmap::SlotMap;
use stays::Stay;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

/// What the edge tells a shard.
#[derive(Clone, Debug)]
pub enum Command {
    /// Somebody with a verified token wants in (or back in).
    Join {
        /// The WebSocket it came on.
        connection: ConnectionId,
        /// Id of the request, repeated by the reply.
        request: u32,
        /// What the token grants.
        admission: Admission,
        /// The stay that goes on here, of whoever has shown that it is theirs. What the message says of it isn't looked at.
        continuation: Option<Continuation>,
        /// The message.
        join: Join,
    },
    /// The same by WHIP or WHEP (RFC 9725): no WebSocket; from now on the transport alone shows that somebody is there. `connection`
    /// names the HTTP session, and its events are those of a WebSocket.
    JoinByHttp {
        /// The HTTP session.
        connection: ConnectionId,
        /// Id of the request, repeated by the reply.
        request: u32,
        /// What the token grants.
        admission: Admission,
        /// With an offer; without one there would be nothing to stay for.
        join: Join,
    },
    /// New ICE credentials for the transport of an HTTP session (RFC 9725 §4.3.3). Reply: `answer`, whose description is a fragment.
    RestartIce {
        /// The HTTP session.
        connection: ConnectionId,
        /// Id of the request, repeated by the reply.
        request: u32,
        /// What the client sent; with credentials.
        fragment: SdpFragment,
    },
    /// Any later message.
    Request {
        /// The WebSocket it came on.
        connection: ConnectionId,
        /// The message.
        envelope: ClientEnvelope,
    },
    /// A WebSocket was lost or closed.
    Disconnected {
        /// Which.
        connection: ConnectionId,
    },
    /// Whoever is at this WebSocket has been told to go on at another edge: other parts wait for them there when they leave.
    SentOn {
        /// Which.
        connection: ConnectionId,
    },
    /// Ends a stay.
    Remove {
        /// Name of the room.
        room: String,
        /// Whose.
        identity: String,
    },
    /// Ends every stay with `shutting-down`.
    Shutdown,
}

/// What a shard tells the edge.
#[derive(Clone, Debug)]
pub enum Event {
    /// Send this on the WebSocket.
    Signal {
        /// Which.
        connection: ConnectionId,
        /// What.
        message: ServerMessage,
    },
    /// Close the WebSocket once everything queued is sent.
    Close {
        /// Which.
        connection: ConnectionId,
    },
    /// Datagrams from this address belong to this shard.
    TupleBound {
        /// The address.
        from: Remote,
    },
    /// They no longer do.
    TupleUnbound {
        /// The address.
        from: Remote,
    },
    /// Give this to another shard ([`Shard::handle_relay`]), in order.
    Relay {
        /// Which.
        to: ShardId,
        /// What.
        message: RelayMessage,
    },
    /// So many participants of a room have their transports on this shard now; none: its part of the room has ended.
    RoomSize {
        /// Name of the room.
        room: String,
        /// How many.
        participants: u32,
    },
    /// A stay has begun, or ended.
    Stay(Box<Stay>),
}

/// One thread's world.
pub struct Shard {
    config: ShardConfig,
    rng: ChaCha12Rng,
    rooms: SlotMap<RoomKey, Room>,
    rooms_by_name: HashMap<String, RoomKey>,
    participants: SlotMap<ParticipantKey, Participant>,
    publications: SlotMap<PublicationKey, Publication>,
    publications_by_id: HashMap<PublicationId, PublicationKey>,
    sessions: HashMap<SessionId, ParticipantKey>,
    connections: HashMap<ConnectionId, ParticipantKey>,
    ufrags: HashMap<String, ParticipantKey>,
    /// In the order of `participants`.
    with_transport: BTreeSet<ParticipantKey>,
    tuples: HashMap<Remote, ParticipantKey>,
    /// Publications of other shards, by their home and what that calls them.
    relayed: HashMap<(ShardId, Handle), PublicationKey>,
    /// Publications of other shards by the parts that pass them on, or are asked to, and what these call them.
    branches: HashMap<(ShardId, Handle), PublicationKey>,
    /// Shards of other edges that can be reached now.
    linked: Vec<ShardId>,
    /// The edges that pass publications on, with their shards.
    neighbours: Vec<(Vec<ShardId>, Neighbour)>,
    /// Ways between two edges on which a publication didn't come, not to be taken until then.
    astray: Vec<Astray>,
    distance: Distance,
    /// Of them those behind a link that is too narrow: how many of the largest encodings aren't passed on to them.
    narrow: HashMap<ShardId, u8>,
    egress: Egress,
    frames: Frames,
    paced: Paced,
    events: VecDeque<Event>,
    stats: ShardStats,
    timing: Timing,
    next_tick: Instant,
    next_speakers: Instant,
    /// Whose path is being probed now, and when the next of them has something to send. No more than there are participants.
    probing: Vec<ParticipantKey>,
    next_probe: Option<Instant>,
    next_relay: Instant,
    next_offers: Instant,
    turn_servers: Box<[IpAddr]>,
    /// Scratch, kept to spare allocations.
    numbers: Vec<u16>,
}

impl std::fmt::Debug for Shard {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Shard").field("shard", &self.config.shard).field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl Shard {
    /// An empty world. `seed` must be unguessable in production: ids, credentials and session secrets are drawn from it.
    #[must_use]
    pub fn new(config: ShardConfig, seed: [u8; 32], now: Instant) -> Self {
        Self {
            config,
            rng: ChaCha12Rng::from_seed(seed),
            rooms: SlotMap::with_key(),
            rooms_by_name: HashMap::new(),
            participants: SlotMap::with_key(),
            publications: SlotMap::with_key(),
            publications_by_id: HashMap::new(),
            sessions: HashMap::new(),
            connections: HashMap::new(),
            ufrags: HashMap::new(),
            with_transport: BTreeSet::new(),
            tuples: HashMap::new(),
            relayed: HashMap::new(),
            branches: HashMap::new(),
            linked: Vec::new(),
            neighbours: Vec::new(),
            astray: Vec::new(),
            distance: Distance::default(),
            narrow: HashMap::new(),
            egress: Egress::new(),
            frames: Frames::default(),
            paced: Paced::default(),
            events: VecDeque::new(),
            stats: ShardStats::default(),
            timing: Timing::default(),
            next_tick: now,
            next_speakers: now,
            probing: Vec::new(),
            next_probe: None,
            next_relay: now,
            next_offers: now,
            turn_servers: Box::default(),
            numbers: Vec::new(),
        }
    }

    /// Takes one datagram that arrived from `from`. Cannot fail: what is not for us is counted and dropped.
    ///
    /// `datagram` is opened in place. `_to`, the local address, isn't needed by an ICE-lite agent and stands here for logs.
    pub fn handle_datagram(&mut self, now: Instant, from: impl Into<Remote>, _to: SocketAddr, datagram: &mut [u8]) {
        self.on_datagram(now, from.into(), datagram);
    }

    /// The connection of `remote` has closed: nothing comes from there any more, and nothing can be sent. What was on its way over it goes
    /// to another address of the peer that has passed a check, if there is one, until the peer nominates one.
    pub fn handle_closed(&mut self, remote: Remote) {
        self.forget_remote(remote);
    }

    /// Takes one command.
    pub fn handle_command(&mut self, now: Instant, command: Command) {
        match command {
            Command::Join { connection, request, admission, continuation, join } => {
                let newcomer = Newcomer { admission, by_http: false, continuation };
                self.join(now, connection, request, newcomer, &join);
            }
            Command::JoinByHttp { connection, request, admission, join } => {
                let newcomer = Newcomer { admission, by_http: true, continuation: None };
                self.join(now, connection, request, newcomer, &join);
            }
            Command::RestartIce { connection, request, fragment } => self.restart_ice(connection, request, &fragment),
            Command::Request { connection, envelope } => self.request(now, connection, envelope),
            Command::Disconnected { connection } => self.disconnected(now, connection),
            Command::SentOn { connection } => self.sent_on(now, connection),
            Command::Remove { room, identity } => self.remove_identity(now, &room, &identity),
            Command::Shutdown => self.shut_down(now),
        }
        self.arm_tick(now);
    }

    /// Lets time pass: frames that wait for their end or for their pacer, resends, reports, key-frame requests, handshakes, the end of resume windows.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.frames.let_go_due(now);
        self.paced.handle_timeout(now);
        self.send_due_probes(now);
        if now >= self.next_tick {
            self.tick(now);
        }
    }

    /// When to call [`Shard::handle_timeout`] next; none while nobody is here. What waits for less than a millisecond (a frame for its
    /// end) wants to be met that well.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let tick = (!self.participants.is_empty()).then_some(self.next_tick)?;
        let sooner = [self.frames.due(), self.next_probe, self.paced.poll_timeout()];
        Some(sooner.into_iter().flatten().fold(tick, Instant::min))
    }

    /// Writes everything that is to be sent and hands it out in batches of runs, one after another out of the same buffer. What a batch
    /// holds must be sent or copied before `send` returns.
    pub fn drain_batches(&mut self, send: impl FnMut(Batch<'_>)) {
        self.drain(send);
    }

    /// [`Shard::drain_batches`], one run at a time.
    pub fn drain_transmits(&mut self, mut send: impl FnMut(Transmit<'_>)) {
        self.drain(|batch| batch.iter().for_each(&mut send));
    }

    /// The next thing to tell the edge.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Counters since start and sizes of the tables now.
    #[must_use]
    pub fn stats(&self) -> ShardStats {
        ShardStats {
            rooms: self.rooms.len() as u64,
            participants: self.participants.values().filter(|participant| participant.home.is_none()).count() as u64,
            participants_elsewhere: self.participants.values().filter(|participant| participant.home.is_some()).count() as u64,
            publications: self.publications.values().filter(|publication| publication.from.is_none()).count() as u64,
            publications_elsewhere: self.relayed.len() as u64,
            subscriptions: self.publications.values().map(|publication| publication.subscribers.len() as u64).sum(),
            sessions: self.sessions.len() as u64,
            connections: self.connections.len() as u64,
            transports: self.participants.values().filter(|participant| participant.peer.is_some()).count() as u64,
            transports_over_tcp: self.count_remotes(|remote| remote.is_tcp()),
            transports_over_turn: self.count_remotes(|remote| self.turn_servers.contains(&remote.address.ip())),
            tuples: self.tuples.len() as u64,
            tuples_over_tcp: self.tuples.keys().filter(|remote| remote.is_tcp()).count() as u64,
            ufrags: self.ufrags.len() as u64,
            publication_ids: self.publications_by_id.len() as u64,
            branches: self.branches.len() as u64,
            children: self.publications.values().map(|publication| publication.branch.children.len() as u64).sum(),
            ..self.stats
        }
    }

    /// How long things took.
    #[must_use]
    pub fn timing(&self) -> Timing {
        self.timing
    }

    /// How much the way to a participant is thought to carry, bits per second with IP and UDP headers; none: nothing is known of it.
    #[must_use]
    pub fn path_estimate(&self, now: Instant, room: &str, identity: &str) -> Option<u64> {
        self.path_to(room, identity)?.estimate(now).map(|estimate| estimate.bps)
    }

    /// What the estimator of the way to a participant holds, in words for people who look for the reason of an estimate.
    #[must_use]
    pub fn path_insides(&self, room: &str, identity: &str) -> Option<String> {
        self.path_to(room, identity).map(crate::congestion::CongestionController::insides)
    }

    /// Says where TURN servers are, so that what they relay can be counted ([`ShardStats::transports_over_turn`]). Decides nothing.
    pub fn told_of_turn_servers(&mut self, addresses: Box<[IpAddr]>) {
        self.turn_servers = addresses;
    }

    /// Transports whose media goes to such a place now.
    fn count_remotes(&self, is_such: impl Fn(&Remote) -> bool) -> u64 {
        let remotes = self.participants.values().filter_map(|participant| participant.peer.as_ref()?.remote());
        remotes.filter(is_such).count() as u64
    }

    fn path_to(&self, room: &str, identity: &str) -> Option<&crate::congestion::CongestionController> {
        let room = self.rooms_by_name.get(room).and_then(|key| self.rooms.get(*key))?;
        let mut participants = room.participants.iter().filter_map(|key| self.participants.get(*key));
        let participant = participants.find(|participant| participant.admission.identity == identity)?;
        Some(&participant.peer.as_ref()?.congestion)
    }

    fn signal(&mut self, key: ParticipantKey, message: ServerMessage) {
        if let Some(connection) = self.participants.get(key).and_then(|participant| participant.connection) {
            self.events.push_back(Event::Signal { connection, message });
        }
    }

    /// Tells everybody in the room but `except`.
    fn announce(&mut self, room: RoomKey, except: Option<ParticipantKey>, message: &ServerMessage) {
        let Some(room) = self.rooms.get(room) else { return };
        for key in &room.participants {
            let connection = self.participants.get(*key).and_then(|participant| participant.connection);
            if let (true, Some(connection)) = (Some(*key) != except, connection) {
                self.events.push_back(Event::Signal { connection, message: message.clone() });
            }
        }
    }
}
