//! The whole edge, started and stopped: media threads first, HTTP when they answer.

use crate::admission::{self, Admission};
use crate::clock;
use crate::cluster::{self, Cluster, Identity};
use crate::config::Config;
use crate::config::servers::Endpoint;
use crate::config::values::Setting;
use crate::counters::counters;
use crate::door::tls::{Tls, TlsError};
use crate::door::{Door, listen};
use crate::history::{self, LAST_ROWS};
use crate::http;
use crate::http::signal::addresses::Addresses;
use crate::http::whip::sessions::Sessions;
use crate::ice_servers::{IceServers, measure};
use crate::media::{Media, MediaError};
use crate::relay::{Relay, RelayError};
use crate::stun;
use crate::token::Keyring;
use crate::turn::{self, Turn};
use core::time::Duration;
use nearcast_history::History;
use nearcast_protocol::ErrorCode;
use sfu_core::ConnectionId;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinHandle;

/// How long a shutdown may take in all; what isn't done by then is cut off. Supervisors commonly allow ten seconds.
const SHUTDOWN: Duration = Duration::from_millis(1800);

/// How long handing over rooms may take before that. Both together stay below the ten seconds.
const DRAIN: Duration = Duration::from_secs(6);

/// How long the media threads may take to answer for the first time.
const FIRST_HEARTBEAT: Duration = Duration::from_secs(5);

/// Why the edge could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The media plane.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// The HTTP port.
    #[error("http = {address} cannot be bound: {source}; stop what uses the port, or choose another with --http")]
    Http {
        /// What was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The TURN port.
    #[error("turn = {address} cannot be bound: {source}; stop what uses the port, or choose another with --turn")]
    Turn {
        /// What was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The address that NAT gives this host.
    #[error(
        "announce = stun:{host}:{port} did not tell this host's address: {source}; name a STUN server that answers by UDP, or the address itself with \
         --announce IP"
    )]
    Undiscovered {
        /// Who was asked.
        host: String,
        /// Its port.
        port: u16,
        /// What went wrong.
        source: io::Error,
    },
    /// Links to other edges.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// The cluster.
    #[error("redis cannot be used: {0}")]
    Cluster(String),
    /// The file of the history.
    #[error("history = {file} cannot be opened: {source}; make its folder, writable for the edge, or give another with --history")]
    History {
        /// What was asked for.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// A media thread didn't answer.
    #[error("a media thread did not answer within {} s of its start; the log above may say why", FIRST_HEARTBEAT.as_secs())]
    Silent,
}

/// What every request may look at.
pub struct Context {
    /// The configuration.
    pub config: Arc<Config>,
    /// The keys.
    pub keyring: Keyring,
    /// What clients are told of STUN and TURN.
    pub ice_servers: IceServers,
    /// The shards.
    pub media: Media,
    /// The links to other edges, if there are any.
    pub relay: Option<Relay>,
    /// What is kept of who was where, if anything is.
    pub history: Option<History>,
    /// The TURN server of this edge, if there is one.
    pub turn: Option<Arc<Turn>>,
    /// What signalling counts.
    pub counters: Counters,
    /// Joins refused, by reason.
    pub refusals: Refusals,
    /// This edge among others.
    pub cluster: Arc<Cluster>,
    /// Whether one more may join.
    pub admission: Admission,
    /// WebSockets by the address that they come from.
    pub addresses: Addresses,
    /// What came by WHIP and WHEP.
    pub http_sessions: Sessions,
    /// One permit for each WebSocket or HTTP session that may be open.
    pub slots: Arc<Semaphore>,
    /// For whoever looks into rooms: one at a time, since that is work for the shards.
    pub looking: Semaphore,
    /// Turns true when a shutdown begins.
    pub stopping: watch::Sender<bool>,
    /// Since when.
    pub started: Instant,
    connections: AtomicU64,
}

impl Context {
    /// A number that no WebSocket has had.
    pub fn next_connection(&self) -> ConnectionId {
        ConnectionId(self.connections.fetch_add(1, Ordering::Relaxed))
    }

    /// A shutdown is under way.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }
}

/// Waits until a shutdown begins.
pub async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that the edge is gone, which is a shutdown too.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

counters! {
    /// What signalling counts.
    pub struct Counters;
    /// [`Counters`] at one moment.
    pub struct CounterSnapshot;
    /// WebSockets open now.
    open;
    /// WebSockets opened.
    opened;
    /// Joins that succeeded, resumed sessions included.
    joined;
    /// Joins refused for their token.
    joins_refused;
    /// Messages that could not be read.
    bad_messages;
    /// Messages refused for coming too fast.
    limited;
    /// WebSockets refused because there were too many.
    overloaded;
    /// WebSockets refused because there were too many of one address.
    crowded;
    /// WebSockets closed by the other side.
    closed_by_peer;
    /// WebSockets whose TCP connection broke.
    lost;
    /// WebSockets closed by the edge for what they did: the join timeout, strikes, size, pace, version, shutdown.
    refused;
    /// WebSockets closed by a refused join or the session's end: leave, removal, replacement, shutdown.
    dismissed;
    /// WebSockets closed because they read too slowly.
    slow;
    /// WebSockets closed because nothing came any more.
    idle;
    /// WHIP and WHEP sessions now.
    http_open;
    /// WHIP sessions begun.
    whip_begun;
    /// WHEP sessions begun.
    whep_begun;
    /// WHIP and WHEP sessions ended because their room had moved to another edge.
    http_moved;
    /// Offers by WHIP or WHEP that were refused.
    http_refused;
    /// HTTP connections.
    http_connections;
    /// TLS handshakes that succeeded.
    tls_handshakes;
    /// TCP connections closed because what came was nothing that is spoken here, or too slow in coming.
    strangers;
}

impl Counters {
    /// One more.
    pub fn count(&self, counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// Joins that were refused, by the code of the answer: as many entries as there are codes, at most.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<BTreeMap<&'static str, u64>>);

impl Refusals {
    /// One more.
    pub fn count(&self, code: ErrorCode) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(code.name()).or_default();
        *count = count.saturating_add(1);
    }

    /// How many of each.
    #[must_use]
    pub fn snapshot(&self) -> BTreeMap<&'static str, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The sockets of the TURN server, of one port.
struct Listening {
    address: SocketAddr,
    tcp: TcpListener,
    udp: UdpSocket,
}

impl Listening {
    async fn at(address: SocketAddr) -> io::Result<Self> {
        let tcp = listen::bind(address)?;
        let address = tcp.local_addr()?;
        Ok(Self { address, tcp, udp: UdpSocket::bind(address).await? })
    }
}

/// Asks the STUN servers of `announce`, and adds what they say.
async fn announcing(mut config: Config) -> Result<Config, StartError> {
    for Endpoint { host, port, .. } in core::mem::take(&mut config.announce.1) {
        match stun::discover(&host, port).await {
            Ok(found) => {
                tracing::info!(?found, server = %host, "this host is seen at these addresses, and announces them");
                config.announce.0.extend(found);
            }
            Err(source) => return Err(StartError::Undiscovered { host, port, source }),
        }
    }
    Ok(config)
}

/// A running edge.
pub struct Edge {
    context: Arc<Context>,
    http: SocketAddr,
    tcp: Option<SocketAddr>,
    turn: Option<SocketAddr>,
    accepting: Vec<JoinHandle<()>>,
    keeping: JoinHandle<()>,
    fatal: mpsc::Receiver<String>,
}

impl Edge {
    /// Starts it. Sockets are bound and every media thread has answered when this returns.
    ///
    /// # Errors
    /// What could not be had, and the remedy.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let started = clock::now();
        let (fatal_sender, fatal) = mpsc::channel(1);
        let http_address = config.http.0;
        // HTTP first: a port that is taken is the most common mistake, and nothing has to be taken down then.
        let bound = |source| StartError::Http { address: http_address, source };
        let listener = listen::bind(http_address).map_err(bound)?;
        let http = listener.local_addr().map_err(bound)?;
        let tls = match (&config.tls_certificate.0, &config.tls_key.0) {
            (Some(certificate), Some(key)) => Some(Arc::new(Tls::load(certificate, key)?)),
            _ => None,
        };
        let config = announcing(config).await?;
        let seed = turn::fresh_number().map_err(|why| MediaError::System(why.to_owned()))?;
        let me = Identity::of(&config, seed).map_err(StartError::Cluster)?;
        let history = history::start(&config, me.id.as_str(), me.incarnation)
            .map_err(|source| StartError::History { file: config.history.text(), source })?;
        let recorder = history.as_ref().map(History::recorder);
        let (media, tcp_listener) = Media::start(&config, tls.as_ref().map(|_| http), &fatal_sender, recorder)?;
        if media.reports(FIRST_HEARTBEAT).await.iter().any(Option::is_none) {
            return Err(StartError::Silent);
        }
        let turn_port = match config.turn.0 {
            Some(address) => Some(Listening::at(address).await.map_err(|source| StartError::Turn { address, source })?),
            None => None,
        };
        let mut ice_servers = IceServers::new(&config);
        if let Some(relay) = &turn_port {
            let https = tls.as_ref().map(|_| http.port());
            let urls = turn::urls(config.turn_host.0.as_deref(), media.candidates(), relay.address.port(), https);
            let secret = turn::fresh_secret().map_err(|why| MediaError::System(why.to_owned()))?;
            ice_servers.add_own(urls, || secret);
        }
        let interfaces = crate::media::announce::interfaces();
        let here = |address: SocketAddr| interfaces.iter().any(|interface| interface.address == address.ip());
        let turn = Turn::new(&config, &ice_servers, media.candidates(), here).map(Arc::new);
        let announced = cluster_core::Media { udp: media.candidates().to_vec(), tcp: media.tcp_candidates().to_vec() };
        let cluster = Cluster::new(&config, me, http, announced).map_err(StartError::Cluster)?;
        media.tell(cluster.directory());
        let stopping = watch::Sender::new(false);
        let relay = Relay::start(&config, &media, &cluster, &stopping)?;
        let context = Arc::new(Context {
            cluster: Arc::new(cluster),
            keyring: Keyring::new(&config),
            ice_servers,
            relay,
            history,
            turn,
            admission: Admission::new(&config),
            addresses: Addresses::default(),
            http_sessions: Sessions::default(),
            slots: Arc::new(Semaphore::new(config.max_connections.as_usize())),
            looking: Semaphore::new(1),
            config: Arc::new(config),
            media,
            counters: Counters::default(),
            refusals: Refusals::default(),
            stopping,
            started,
            connections: AtomicU64::new(1),
        });
        tokio::spawn(admission::watch(Arc::clone(&context)));
        tokio::spawn(measure::watch(Arc::clone(&context)));
        let keeping = tokio::spawn(cluster::keep(Arc::clone(&context)));
        let router = http::router(Arc::clone(&context));
        let mut accepting = Vec::new();
        let stopping = || context.stopping.subscribe();
        let shared = || Arc::clone(&context);
        let turn = || context.turn.clone();
        let media = tls.is_some();
        let door = Door { context: shared(), address: http, http: Some(router), media, tls: tls.clone(), turn: turn() };
        accepting.push(tokio::spawn(door.keep(listener, stopping())));
        let mut tcp = None;
        if let Some(listener) = tcp_listener {
            tcp = listener.local_addr().ok();
            let address = tcp.unwrap_or(http);
            let door = Door { context: shared(), address, http: None, media: true, tls: None, turn: None };
            accepting.push(tokio::spawn(door.keep(listener, stopping())));
        }
        let mut turn_address = None;
        if let (Some(Listening { address, tcp, udp }), Some(turn)) = (turn_port, turn()) {
            turn_address = Some(address);
            accepting.push(tokio::spawn(turn::udp::serve(Arc::clone(&turn), udp, stopping())));
            let door = Door { context: shared(), address, http: None, media: false, tls: tls.clone(), turn: Some(turn) };
            accepting.push(tokio::spawn(door.keep(tcp, stopping())));
        }
        if let Some(tls) = tls {
            accepting.push(tokio::spawn(tls.watch()));
        }
        let media = &context.media;
        let (udp, shards) = (media.address(), media.shard_count());
        tracing::info!(%http, %udp, ?tcp, candidates = ?media.candidates(), over_tcp = ?media.tcp_candidates(), shards, "serving");
        if let Some(turn) = turn_address {
            tracing::info!(%turn, "relaying");
        }
        Ok(Self { context, keeping, http, tcp, turn: turn_address, accepting, fatal })
    }

    /// Where HTTP is served.
    #[must_use]
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// Where media is served.
    #[must_use]
    pub fn udp(&self) -> SocketAddr {
        self.context.media.address()
    }

    /// Where media is taken over TCP, besides where HTTP speaks TLS.
    #[must_use]
    pub fn tcp(&self) -> Option<SocketAddr> {
        self.tcp
    }

    /// Where TURN is served.
    #[must_use]
    pub fn turn(&self) -> Option<SocketAddr> {
        self.turn
    }

    /// Where other edges link to this one.
    #[must_use]
    pub fn relay(&self) -> Option<SocketAddr> {
        self.context.relay.as_ref().map(Relay::address)
    }

    /// What everybody shares.
    #[must_use]
    pub fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// Waits until something goes wrong for good, and says what.
    pub async fn failure(&mut self) -> String {
        match self.fatal.recv().await {
            Some(why) => why,
            // All threads are gone, and none said why.
            None => "the media threads have ended".to_owned(),
        }
    }

    /// Hands rooms over to other edges of the cluster before a shutdown; returns at once where there are none.
    pub async fn drain(&self) {
        if self.context.cluster.stats().is_some_and(|cluster| cluster.edges_good > 0) {
            let deadline = clock::deadline(DRAIN);
            self.context.drain(DRAIN).await;
            // Whoever is on the way to another edge is told when the time is up, and goes in any case.
            let all = u32::try_from(self.context.config.max_connections.0).unwrap_or(u32::MAX);
            let _ = tokio::time::timeout_at(deadline, self.context.slots.acquire_many(all)).await;
        }
    }

    /// Tells everybody, lets them hear it, and ends; within two seconds.
    pub async fn shutdown(self) -> CounterSnapshot {
        let deadline = clock::deadline(SHUTDOWN);
        self.context.stopping.send_replace(true);
        self.context.media.stop(SHUTDOWN / 2).await;
        if let Some(relay) = &self.context.relay {
            // Behind what the shards said last.
            let _ = tokio::time::timeout_at(deadline, relay.stop()).await;
        }
        // The shards have told of everybody; what remains is done while WebSockets close.
        let context = Arc::clone(&self.context);
        let history = tokio::spawn(async move {
            if let Some(history) = &context.history {
                let lost = history.stop(LAST_ROWS).await;
                if lost > 0 {
                    tracing::warn!(lost, "rows of the history could not be written before the end");
                }
            }
        });
        // All permits back: all WebSockets closed.
        let all = u32::try_from(self.context.config.max_connections.0).unwrap_or(u32::MAX);
        if tokio::time::timeout_at(deadline, self.context.slots.acquire_many(all)).await.is_err() {
            tracing::warn!(open = self.context.counters.snapshot().open, "some WebSockets did not close in time; cutting them off");
        }
        let _ = tokio::time::timeout_at(deadline, history).await;
        // The goodbye to the cluster, which is bounded by itself.
        let _ = tokio::time::timeout_at(deadline, self.keeping).await;
        self.accepting.iter().for_each(JoinHandle::abort);
        self.context.counters.snapshot()
    }
}
