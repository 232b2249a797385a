//! The media plane's threads: N shards, each with its own UDP socket on the one shared port, and the way to talk to them.
//!
//! A room lives on one shard until it outgrows it; then it has a part on each of several ([`Media::shard_for`], [`relays`]). A participant's
//! WebSocket sends its commands to the shard that its transport is on. The kernel spreads datagrams
//! over the sockets without knowing rooms, so a shard that receives another's datagram hands it over ([`steer`]).
//!
//! Threads share nothing: between them and the signalling there are bounded queues, and a bell ([`link::Bell`]) that wakes a thread
//! out of its poll. All decisions about media are in `sfu-core`; here are only its socket, its clock and its queues.
//!
//! When `sfu-core` panics, whoever sent what it panicked at is told `closed: internal` and let go of ([`contain`]). Where nobody sent it, or
//! it happens too often, the shard is thrown away and a new one takes its place, without touching the others: its participants are
//! told `closed: internal`, which invites them to join again. A shard that does this more than [`thread::RESTARTS`] times a minute ends
//! the process, since something is wrong that starting afresh doesn't cure. docs/edge-http.md tells operators the same.

mod alarm;
pub mod announce;
pub mod contain;
pub mod link;
pub mod quality;
pub mod relays;
pub mod socket;
pub mod sources;
pub mod steer;
pub mod survey;
pub mod tcp;
pub mod thread;

use crate::clock;
use crate::cluster::directory::Directory;
use crate::config::Config;
use crate::config::network::TcpListen;
use crate::door::listen;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use core::time::Duration;
use link::{Input, ShardLink, ShardReport};
use nearcast_history::Recorder;
use nearcast_protocol::SessionId;
use relays::Placement;
use sfu_core::{Certificate, Limits, ShardConfig, ShardId, Trees, WallClock, shard_of_session};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

/// Why the media plane could not start.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// The UDP port.
    #[error("udp = {address} cannot be bound: {source}; stop what uses the port, or choose another with --udp")]
    Bind {
        /// What was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The TCP port.
    #[error(
        "tcp = {address} cannot be bound: {source}; stop what uses the port, choose another with --tcp IP:PORT, or do without media over TCP \
         with --tcp off"
    )]
    BindTcp {
        /// What was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// No address for browsers.
    #[error("announce: no address found that browsers could reach; name one with --announce")]
    NothingToAnnounce,
    /// Threads, epoll, random numbers.
    #[error("the media threads cannot start: {0}")]
    System(String),
}

/// The running shards.
pub struct Media {
    shards: Vec<ShardLink>,
    address: SocketAddr,
    candidates: Vec<SocketAddr>,
    tcp_candidates: Vec<SocketAddr>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    placement: Arc<Placement>,
}

impl Media {
    /// Binds the sockets and starts the threads; also what takes TCP connections, if that is wanted. `https`: connections for media are
    /// taken there too. `fatal` receives a sentence when a shard has given up. `history` is told of stays.
    ///
    /// # Errors
    /// What could not be had, and the remedy.
    pub fn start(
        config: &Config,
        https: Option<SocketAddr>,
        fatal: &mpsc::Sender<String>,
        history: Option<&Recorder>,
    ) -> Result<(Self, Option<TcpListener>), MediaError> {
        let system = |error: &dyn core::fmt::Display| MediaError::System(error.to_string());
        let cores = std::thread::available_parallelism().map_or(1, core::num::NonZero::get);
        let count = config.shards.on(cores).get();
        let mut sockets = socket::bind(config.udp.0, count, config.socket_buffer.as_usize())
            .map_err(|source| MediaError::Bind { address: config.udp.0, source })?;
        let code_point = |value| u8::try_from(value).unwrap_or_default();
        for socket in &mut sockets {
            if let Err(error) = socket.mark(code_point(config.dscp.0), code_point(config.dscp_audio.0)) {
                tracing::warn!(%error, dscp = config.dscp.0, "the system does not let media be marked; it goes unmarked");
                break;
            }
        }
        let address = sockets.first().map_or(config.udp.0, socket::MediaSocket::local_address);
        let interfaces = announce::interfaces();
        let candidates = announce::candidates(&config.announce.0, address, &interfaces, config.dev.0);
        if candidates.is_empty() {
            return Err(MediaError::NothingToAnnounce);
        }
        let listener = bind_tcp(config, address)?;
        let tcp = listener.as_ref().and_then(|listener| listener.local_addr().ok());
        // The port for HTTPS first: it is the one that firewalls let through.
        let tcp_candidates: Vec<SocketAddr> = [https, tcp]
            .into_iter()
            .flatten()
            .flat_map(|bound| announce::candidates(&config.announce.0, bound, &interfaces, config.dev.0))
            .collect();
        let certificate = Arc::new(Certificate::generate().map_err(|error| system(&error))?);
        let wall_clock = WallClock::new(clock::now(), clock::unix());
        let (links, mailboxes) = link::connect(count).map_err(|error| system(&error))?;
        let spread_at = u32::try_from(config.room_spread.0).unwrap_or(u32::MAX);
        let placement = Arc::new(Placement::new(usize::from(count), spread_at));
        let trees = Trees { region: Arc::from(config.region.0.as_str()), fan_out: config.relay_fan_out.as_usize() };
        let mut threads = Vec::new();
        for (socket, mailbox) in sockets.into_iter().zip(mailboxes) {
            let shard = ShardConfig {
                shard: ShardId::from(mailbox.index()),
                shards: count,
                candidates: candidates.clone(),
                tcp_candidates: tcp_candidates.clone(),
                certificate: Arc::clone(&certificate),
                resume_window: config.resume_window.0,
                limits: Limits::default(),
                audio_top_k: config.audio_top_k.as_usize(),
                scorer: Some(quality::scorer),
                wall_clock,
                trees: trees.clone(),
            };
            let sources = sources::Sources::new(address, &interfaces, candidates.iter().any(|candidate| candidate.ip().is_loopback()));
            let worker = thread::Worker::new(shard, socket, sources, mailbox, Arc::clone(&placement), fatal.clone(), history.cloned())
                .map_err(|error| system(&error))?;
            let name = worker.name();
            threads.push(std::thread::Builder::new().name(name).spawn(move || worker.run()).map_err(|error| system(&error))?);
        }
        let media = Self { shards: links, address, candidates, tcp_candidates, threads: Mutex::new(threads), placement };
        Ok((media, listener))
    }

    /// The bound address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What answers announce.
    #[must_use]
    pub fn candidates(&self) -> &[SocketAddr] {
        &self.candidates
    }

    /// What they announce over TCP.
    #[must_use]
    pub fn tcp_candidates(&self) -> &[SocketAddr] {
        &self.tcp_candidates
    }

    /// Gives a TCP connection to the shard that its first check names. False: there is no such shard, or it has no time.
    #[must_use]
    pub fn hand_over(&self, shard: ShardId, arrived: tcp::Arrived) -> bool {
        self.shards.get(shard.index()).is_some_and(|link| link.try_send(Input::Connection(arrived)))
    }

    /// The ways to the shards, by their numbers: for the links to other edges.
    #[must_use]
    pub fn links(&self) -> &[ShardLink] {
        &self.shards
    }

    /// How many shards there are.
    #[must_use]
    pub fn shard_count(&self) -> usize {
        self.shards.len()
    }

    /// The shard for somebody who enters `room`, or comes back to a session there.
    #[must_use]
    pub fn shard_for(&self, room: &str, resume: Option<&SessionId>) -> Option<&ShardLink> {
        if let Some(session) = resume {
            // A session of another edge, or of none: any shard will say that it doesn't know it.
            let shard = shard_of_session(session).and_then(|shard| self.shards.get(shard.index()));
            return shard.or_else(|| self.shards.first());
        }
        let count = u64::try_from(self.shards.len()).ok().filter(|count| *count > 0)?;
        let home = usize::try_from(stable_hash(room.as_bytes()) % count).ok()?;
        self.shards.get(self.placement.place(room, home))
    }

    /// Tells `directory` from now on which rooms have parts here. Once, before anybody is in one.
    pub fn tell(&self, directory: &Directory) {
        self.placement.tell(directory);
    }

    /// Whether somebody is in a room here, as the shards told last.
    #[must_use]
    pub fn has_room(&self, room: &str) -> bool {
        self.placement.has(room)
    }

    /// What each shard says about itself; `None` for one that didn't answer `within` that time.
    pub async fn reports(&self, within: Duration) -> Vec<Option<ShardReport>> {
        self.ask(within, Input::Report).await
    }

    /// Tells every shard where TURN servers are: what comes from there was relayed.
    pub async fn told_of_relays(&self, relays: &[IpAddr]) {
        for shard in &self.shards {
            // A shard that has ended counts nothing any more.
            shard.send(Input::TurnServers(relays.into())).await;
        }
    }

    /// Asks every shard the same; `None` of one that didn't answer `within` that time.
    async fn ask<T>(&self, within: Duration, question: impl Fn(oneshot::Sender<T>) -> Input) -> Vec<Option<T>> {
        let mut questions = Vec::new();
        for shard in &self.shards {
            let (answer, answered) = oneshot::channel();
            questions.push((shard.try_send(question(answer)), answered));
        }
        let deadline = clock::deadline(within);
        let mut answers = Vec::new();
        for (asked, answered) in questions {
            let answer = if asked { tokio::time::timeout_at(deadline, answered).await.ok().and_then(Result::ok) } else { None };
            answers.push(answer);
        }
        answers
    }

    /// Tells every participant that the edge goes away, sends what is left to send, and ends the threads, `within` that time.
    pub async fn stop(&self, within: Duration) {
        let deadline = clock::deadline(within);
        let mut endings = Vec::new();
        for shard in &self.shards {
            let (ended, ending) = oneshot::channel();
            if tokio::time::timeout_at(deadline, shard.send(Input::Stop(ended))).await.is_ok() {
                endings.push(ending);
            }
        }
        let mut all_ended = endings.len() == self.shards.len();
        for ending in endings {
            all_ended &= tokio::time::timeout_at(deadline, ending).await.is_ok();
        }
        let threads = self.threads.lock().map(|mut threads| core::mem::take(&mut *threads)).unwrap_or_default();
        if all_ended {
            for thread in threads {
                // Each has said that it is past its loop. A panic there was logged by the panic hook.
                let _ = thread.join();
            }
        } else {
            tracing::warn!("a media thread did not end in time; leaving it behind");
        }
    }
}

impl Drop for Media {
    /// Threads that nobody stopped end on their own, without anybody waiting for them.
    fn drop(&mut self) {
        for shard in &self.shards {
            // A full queue belongs to a thread that is stuck anyway.
            let _ = shard.try_send(Input::Stop(oneshot::channel().0));
        }
    }
}

/// What takes TCP connections for media, beside the UDP sockets that are bound to `udp`.
fn bind_tcp(config: &Config, udp: SocketAddr) -> Result<Option<TcpListener>, MediaError> {
    let address = match config.tcp {
        TcpListen::Off => return Ok(None),
        TcpListen::At(address) => address,
        TcpListen::Same => udp,
    };
    let bound = match listen::bind(address) {
        // A free UDP port that the system picked may be somebody's TCP port.
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && config.tcp == TcpListen::Same && config.udp.0.port() == 0 => {
            listen::bind(SocketAddr::new(udp.ip(), 0))
        }
        bound => bound,
    };
    bound.map(Some).map_err(|source| MediaError::BindTcp { address, source })
}

/// FNV-1a, 64 bits: the standard library's hashers promise no stability across versions, and an upgrade of the edge, or another edge,
/// must agree with this one about where a room lives.
fn stable_hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// 32 bytes of the operating system's randomness, from which a shard derives all of its own.
fn seed() -> Result<[u8; 32], MediaError> {
    let mut seed = [0; 32];
    SystemRandom::new().fill(&mut seed).map_err(|_| MediaError::System("the system has no random numbers".to_owned()))?;
    Ok(seed)
}

#[cfg(test)]
mod tests;
