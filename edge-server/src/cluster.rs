//! This edge among others: which of them there are, which have a part of which room, and who is sent where. What follows from that, `cluster-core`
//! decides; docs/cluster.md tells it to people.
//!
//! Without `redis` in the configuration an edge is alone, and nothing here runs but the [`Directory`]. With it, [`keeper`] keeps in touch with the
//! [`store`], and [`Cluster::enter`] asks it when somebody wants into a room of which nothing is known here. The store is never asked about a call
//! that runs, and an answer that doesn't come costs a newcomer 0.3 s at most.

pub mod advice;
pub mod directory;
pub mod drain;
mod forecasts;
mod keeper;
mod knock;
pub(crate) mod memory;
mod record;
pub mod rooms;
mod store;

pub use keeper::keep;

use crate::clock;
use crate::config::Config;
use crate::config::servers::MOST_SERVERS;
use advice::{Adviser, Report};
use cluster_core::members::Standing;
use cluster_core::ownership::{Follows, Record};
use cluster_core::seating::{Asked, Seat};
use cluster_core::{Address, Capacity, Load, Media, Node, NodeId, PlacementError, Region};
use directory::Directory;
use knock::Doors;
use nearcast_protocol::{ErrorCode, ErrorInfo};
use rooms::{Destination, Moved, Rooms};
use serde::Serialize;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::Store;

/// Participants for each core where the configuration says nothing: only how edges compare hangs on it. Guess.
const SEATS_PER_CORE: u32 = 500;

/// Edges that a client is told of: all of a large cluster are more than it measures.
const MOST_CANDIDATES: usize = 64;

/// Edges that are tried in turn for one who wants in.
const TRIES: usize = 6;

/// This edge's place in its cluster.
pub struct Cluster {
    directory: Directory,
    me: Me,
    url_is_configured: bool,
    rooms: Rooms,
    doors: Doors,
    store: Option<Store>,
    adviser: Mutex<Adviser>,
    draining: AtomicBool,
    superseded: AtomicBool,
    counted: Counted,
}

/// Which edge this is, and which process of that name.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Its name.
    pub id: NodeId,
    /// Grows with every start.
    pub incarnation: u64,
}

impl Identity {
    /// As configured, or made up of `seed`, which no other edge has.
    ///
    /// # Errors
    /// None that the configuration lets through.
    pub fn of(config: &Config, seed: u64) -> Result<Self, String> {
        let made_up = || NodeId::parse(&format!("edge-{seed:016x}")).map_err(|error| error.to_string());
        let id = config.edge_id.0.clone().map_or_else(made_up, Ok)?;
        Ok(Self { id, incarnation: u64::try_from(clock::unix().as_millis()).unwrap_or_default() })
    }
}

/// What this edge says of itself and doesn't change.
struct Me {
    id: NodeId,
    incarnation: u64,
    region: Region,
    url: Address,
    media: Media,
    capacity: Capacity,
}

/// An edge that a client may choose.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Candidate {
    /// Its name; none: it is known from the configuration alone.
    pub id: Option<String>,
    /// Where it stands.
    pub region: Option<String>,
    /// Its address, as `connect` takes it; none: the one that was asked.
    pub url: Option<String>,
    /// How full it is, 0 to 1, to two places; 0 where it isn't known.
    pub fullness: f64,
    /// Where its media goes, for measuring how far it is; none: it isn't known.
    pub media: Option<CandidateMedia>,
}

/// What answers of an edge announce.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CandidateMedia {
    /// By UDP.
    pub udp: Vec<SocketAddr>,
    /// By TCP.
    pub tcp: Vec<SocketAddr>,
}

impl Candidate {
    fn of(node: &Node) -> Self {
        let fullness = (f64::from(node.fullness()).min(1.0) * 100.0).round() / 100.0;
        Self {
            id: Some(node.id.to_string()),
            region: Some(node.region.to_string()),
            url: Some(node.client_url.to_string()),
            fullness,
            media: node.media.clone().map(|Media { udp, tcp }| CandidateMedia { udp, tcp }),
        }
    }

    fn unknown(url: &str) -> Self {
        Self { id: None, region: None, url: Some(url.to_owned()), fullness: 0.0, media: None }
    }
}

#[derive(Debug, Default)]
struct Counted {
    sent_elsewhere: AtomicU64,
    without_store: AtomicU64,
    claimed: AtomicU64,
    let_go: AtomicU64,
    moved: AtomicU64,
}

/// What is known, for people and dashboards.
#[derive(Clone, Debug, Serialize)]
pub struct Stats {
    /// Name of this edge.
    pub id: String,
    /// Where it stands.
    pub region: String,
    /// Other edges, however they stand.
    pub edges: u64,
    /// Those that take something new.
    pub edges_good: u64,
    /// Rooms that are this edge's.
    pub rooms_owned: u64,
    /// Rooms that somebody has entered here.
    pub rooms_here: u64,
    /// The store answered the last time.
    pub store_answers: bool,
    /// It takes nothing new, and sends away what it has.
    pub draining: bool,
    /// Calls to the store since the start.
    pub store_calls: u64,
    /// Those without an answer.
    pub store_failures: u64,
    /// People who were sent to another edge at the door.
    pub sent_elsewhere: u64,
    /// People who were let in, or sent on, without the store's word.
    pub without_store: u64,
    /// Rooms claimed from an edge that was gone or didn't open.
    pub claimed: u64,
    /// Rooms let go because another edge has them in a later epoch.
    pub let_go: u64,
    /// People who were told in a call that their room has moved.
    pub moved: u64,
}

impl Cluster {
    /// From the configuration. `me`: which edge this is; `http`: where HTTP is served; `media`: what answers announce.
    ///
    /// # Errors
    /// An address of the store that the configuration let through all the same.
    pub fn new(config: &Config, me: Identity, http: SocketAddr, media: Media) -> Result<Self, String> {
        let Identity { id, incarnation } = me;
        let cores = std::thread::available_parallelism().map_or(1, core::num::NonZero::get);
        let seats = match u32::try_from(config.edge_participants.0).unwrap_or(u32::MAX) {
            0 => SEATS_PER_CORE.saturating_mul(u32::try_from(cores).unwrap_or(1)),
            seats => seats,
        };
        let me = Me {
            id: id.clone(),
            incarnation,
            region: config.region.0.clone(),
            url: config.client_url.0.clone().unwrap_or_else(|| own_url(config, http, &media.udp)).into(),
            media,
            capacity: Capacity { participants: seats, packets_per_second: 0 },
        };
        let store = config.redis.0.as_deref().map(Store::new).transpose().map_err(|error| error.to_string())?;
        let cluster = Self {
            directory: Directory::new(id.clone()),
            me,
            url_is_configured: config.client_url.0.is_some(),
            rooms: Rooms::new(id),
            doors: Doors::default(),
            store,
            adviser: Mutex::new(Adviser::new(config.business_hours.0.clone())),
            draining: AtomicBool::new(false),
            superseded: AtomicBool::new(false),
            counted: Counted::default(),
        };
        // Known to itself before the store has said anything.
        cluster.directory.register(clock::now(), cluster.node(Load::default()));
        Ok(cluster)
    }

    /// Which other edges there are, and which have parts of which rooms.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Grows with every start of this edge: milliseconds since 1970.
    #[must_use]
    pub fn incarnation(&self) -> u64 {
        self.me.incarnation
    }

    /// This edge shares a store with others.
    #[must_use]
    pub fn is_joined(&self) -> bool {
        self.store.is_some()
    }

    /// Whether one who wants into a room, not back into it, stays at this edge; then what tells them that it moves (none: it never does).
    ///
    /// # Errors
    /// `elsewhere` with the edge to go to; `overloaded` with a time where all are full.
    pub async fn enter(&self, room: &str) -> Result<Option<Moved>, ErrorInfo> {
        let Some(store) = &self.store else { return Ok(None) };
        let mut shut: Vec<NodeId> = Vec::new();
        let mut alone = !store.answers();
        // What is known of other edges' rooms may be old: they change hands without a word to those that don't have them.
        let mut fresh = false;
        for _ in 0..TRIES {
            let now = clock::now();
            let asked = Asked { room, me: &self.me.id, region: &self.me.region, shut: &shut, alone };
            let seat = self.directory.members(now, |members| self.rooms.seat(now, &asked, members)).map_err(nowhere)?;
            let there = match seat {
                Seat::Here if self.is_draining() && !alone && !self.rooms.is_used(room) && self.hand_over(room).await => continue,
                Seat::Here => {
                    if alone {
                        self.counted.without_store.fetch_add(1, Ordering::Relaxed);
                    }
                    return Ok(Some(self.rooms.enter(now, room)));
                }
                Seat::There(_) if !alone && !fresh => {
                    fresh = true;
                    match store.owners(&[room.to_owned()]).await.map(|mut owners| owners.pop().flatten()) {
                        Ok(Some(record)) => drop(self.learned(room, record)),
                        Ok(None) => drop(self.rooms.missing(room)),
                        Err(_) => alone = true,
                    }
                    continue;
                }
                Seat::There(owner) => owner,
                Seat::Claim { record, .. } => match store.claim(room, &record).await {
                    Ok(written) => {
                        self.note_claim(&record, &written);
                        let _ = self.learned(room, written);
                        fresh = true;
                        continue;
                    }
                    Err(why) => {
                        tracing::debug!(room, %why, "the store was not asked whose a room is");
                        alone = true;
                        if record.owner == self.me.id {
                            self.note_claim(&record, &record);
                            let _ = self.learned(room, record);
                            continue;
                        }
                        record.owner
                    }
                },
            };
            let node = self.directory.members(now, |members| members.get(&there).cloned());
            match node {
                Some(node) if self.doors.open(now, &node).await => {
                    self.counted.sent_elsewhere.fetch_add(1, Ordering::Relaxed);
                    return Err(elsewhere(room, &node));
                }
                _ => {
                    tracing::info!(room, edge = %there, "its door doesn't open; looking for another edge");
                    shut.push(there);
                }
            }
        }
        let message = "this room is on its way from one edge to another; try again in a second";
        Err(ErrorInfo { retry_after_ms: Some(1_000), ..ErrorInfo::new(ErrorCode::Overloaded, message) })
    }

    /// Somebody comes back to a session of this edge, whosever the room is.
    #[must_use]
    pub fn come_back(&self, room: &str) -> Option<Moved> {
        self.store.is_some().then(|| self.rooms.enter(clock::now(), room))
    }

    /// What is known; none: this edge is alone.
    #[must_use]
    pub fn stats(&self) -> Option<Stats> {
        let store = self.store.as_ref()?;
        let peers = self.directory.peers().borrow().clone();
        let (rooms_owned, rooms_here) = self.rooms.counts();
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Some(Stats {
            id: self.me.id.to_string(),
            region: self.me.region.to_string(),
            edges: peers.len() as u64,
            edges_good: peers.iter().filter(|peer| peer.standing == Standing::Good).count() as u64,
            rooms_owned,
            rooms_here,
            store_answers: store.answers(),
            draining: self.is_draining(),
            store_calls: count(&store.calls),
            store_failures: count(&store.failures),
            sent_elsewhere: count(&self.counted.sent_elsewhere),
            without_store: count(&self.counted.without_store),
            claimed: count(&self.counted.claimed),
            let_go: count(&self.counted.let_go),
            moved: count(&self.counted.moved),
        })
    }

    /// What a client may choose from: edges that take something new, the emptier of a region first. `configured`: more, of which nothing is known. An
    /// edge that is alone may not know its own address: `url` is none then, and whoever asked knows it.
    #[must_use]
    pub fn candidates(&self, configured: &[String]) -> Vec<Candidate> {
        let now = clock::now();
        let mut candidates: Vec<Candidate> = self.directory.members(now, |members| members.good(now).map(Candidate::of).collect());
        if !self.is_joined() && !self.url_is_configured {
            candidates.iter_mut().for_each(|candidate| candidate.url = None);
        }
        candidates.sort_by(|one, other| one.region.cmp(&other.region).then(one.fullness.total_cmp(&other.fullness)));
        let known = |url: &&String| candidates.iter().any(|candidate| candidate.url.as_ref() == Some(url));
        let more: Vec<_> = configured.iter().filter(|url| !known(url)).map(|url| Candidate::unknown(url)).collect();
        candidates.extend(more);
        candidates.truncate(MOST_CANDIDATES);
        candidates
    }

    /// Where clients may go when this edge is gone: those nearby first. As many as they are told of.
    #[must_use]
    pub fn others(&self) -> Vec<String> {
        if !self.is_joined() {
            return Vec::new();
        }
        let mut others = self.candidates(&[]);
        others.retain(|candidate| candidate.id.as_deref() != Some(self.me.id.as_str()));
        let far = |candidate: &Candidate| candidate.region.as_deref() != Some(self.me.region.as_str());
        others.sort_by_key(far); // stable: the emptier of each stay first
        others.into_iter().filter_map(|candidate| candidate.url).take(MOST_SERVERS).collect()
    }

    /// More edges or fewer.
    #[must_use]
    pub fn advice(&self) -> Report {
        self.adviser().report()
    }

    fn adviser(&self) -> MutexGuard<'_, Adviser> {
        self.adviser.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It takes nothing new.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// This edge as it tells others of itself.
    fn node(&self, load: Load) -> Node {
        let Me { id, incarnation, region, url, media, capacity } = &self.me;
        Node {
            id: id.clone(),
            incarnation: *incarnation,
            region: region.clone(),
            client_url: url.clone(),
            media: Some(media.clone()),
            relay: *self.directory.relay().borrow(),
            capacity: *capacity,
            load,
            draining: self.is_draining(),
        }
    }

    /// Takes in whose a room is; who has to go goes. Answers what the store has to be told again.
    fn learned(&self, room: &str, record: Record) -> Option<Record> {
        let now = clock::now();
        match self.rooms.learned(now, room, record) {
            Follows::Nothing => None,
            Follows::Tell(record) => Some(record),
            Follows::LetGo(owner) => {
                self.counted.let_go.fetch_add(1, Ordering::Relaxed);
                self.send_away(room, &owner);
                None
            }
        }
    }

    /// Sends everybody in a room to the edge that has it now. Where links carry media they may stay: false.
    fn send_away(&self, room: &str, to: &NodeId) -> bool {
        let node = self.directory.members(clock::now(), |members| members.get(to).cloned());
        let Some(node) = node.filter(|node| node.relay.is_none() || self.directory.relay().borrow().is_none() || self.is_draining()) else {
            return false;
        };
        // Where links carry media nobody has to be apart from the others for a moment.
        let linked = node.relay.is_some() && self.directory.relay().borrow().is_some();
        let destination =
            Destination { url: Arc::clone(&node.client_url), within: (linked && self.is_draining()).then_some(drain::WITHIN) };
        let people = self.rooms.send_away(room, &destination);
        self.counted.moved.fetch_add(people as u64, Ordering::Relaxed);
        tracing::info!(room, edge = %to, people, "this room is another edge's now");
        true
    }

    fn note_claim(&self, wanted: &Record, written: &Record) {
        if wanted == written && wanted.epoch > 1 {
            self.counted.claimed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Where clients find this edge, for tests and development: everywhere else the configuration says it.
fn own_url(config: &Config, http: SocketAddr, candidates: &[SocketAddr]) -> String {
    let scheme = if config.tls_certificate.0.is_some() { "https" } else { "http" };
    let ip = if http.ip().is_unspecified() { candidates.first().map_or(http.ip(), SocketAddr::ip) } else { http.ip() };
    format!("{scheme}://{}", SocketAddr::new(ip, http.port()))
}

fn elsewhere(room: &str, node: &Node) -> ErrorInfo {
    let message = format!("room {room:?} is on another edge: join at {}, with the same token", node.client_url);
    ErrorInfo { edge: Some(node.client_url.to_string()), ..ErrorInfo::new(ErrorCode::Elsewhere, message) }
}

fn nowhere(why: PlacementError) -> ErrorInfo {
    let after = match why {
        PlacementError::Full { retry_after } => retry_after.as_millis(),
        PlacementError::NoEdges | PlacementError::PinnedAway(_) => 2_000,
    };
    ErrorInfo { retry_after_ms: u32::try_from(after).ok(), ..ErrorInfo::new(ErrorCode::Overloaded, why.to_string()) }
}
