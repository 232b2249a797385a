//! The queues between threads: from signalling to a shard, from shard to shard, and from a shard to a participant's WebSocket.
//!
//! Bounds: [`INPUTS`], [`HANDED_OVER`], [`UPDATES`], [`RELAYED`], [`SPARES`], and `outgoing_queue` of the configuration for each WebSocket. Who finds
//! a queue full: signalling waits, datagrams are dropped and counted, updates are kept and tried again ([`super::steer`]), and a
//! WebSocket that doesn't read is closed.

use super::relays::{RELAYED, Relay};
use super::socket::SendStats;
use super::steer::{HandedOver, Update};
use super::tcp::Arrived;
use nearcast_protocol::{ErrorInfo, Moderation, ServerMessage};
use serde::Serialize;
use sfu_core::inspect::{Page, PageQuery, ParticipantView, RoomView};
use sfu_core::{Command, ConnectionId, Durations, ShardStats, Timing};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc as sync;
use tokio::sync::{Notify, mpsc, oneshot};

/// Commands that wait for one shard. Guess: a shard empties this in a few milliseconds; signalling waits meanwhile.
const INPUTS: usize = 1024;

/// Runs of datagrams that wait for one shard. Guess: at 50 000 packets a second in runs of two, 40 ms.
const HANDED_OVER: usize = 1024;

/// Address updates that wait for one shard; the sender keeps what doesn't fit.
pub(super) const UPDATES: usize = 1024;

/// Emptied buffers that wait to be used again. Those that don't fit are freed.
const SPARES: usize = 64;

/// The poll token of a shard's bell.
pub(super) const BELL: mio::Token = mio::Token(0);

/// What signalling tells a shard.
pub enum Input {
    /// A connection wants in: the command is a `Join`; messages for it go to `outgoing` from then on.
    Join {
        /// Whose.
        connection: ConnectionId,
        /// Its queue.
        outgoing: Outgoing,
        /// What the core is told.
        command: Command,
    },
    /// Anything else for the core.
    Command(Command),
    /// A TCP connection whose first check names this shard.
    Connection(Arrived),
    /// Where TURN servers are.
    TurnServers(Box<[IpAddr]>),
    /// How are you? Also the heartbeat of `/readyz`.
    Report(oneshot::Sender<ShardReport>),
    /// Which rooms are there?
    Rooms(PageQuery, oneshot::Sender<Page<RoomView>>),
    /// Who is in a room, and who gets what?
    Inspect(Inspection, oneshot::Sender<Option<Page<ParticipantView>>>),
    /// Moderate a room; none: no part of it is here.
    Moderate(String, Moderation, oneshot::Sender<Option<Result<(), ErrorInfo>>>),
    /// Tell everybody, send the rest, end.
    Stop(oneshot::Sender<()>),
    /// Fall over, as a fault in the core would make you.
    #[cfg(test)]
    Panic,
}

/// Whom [`Input::Inspect`] asks about.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// Name of the room.
    pub room: String,
    /// Only participants of this identity.
    pub identity: Option<String>,
    /// Which of them.
    pub page: PageQuery,
}

/// The way to one connection's WebSocket.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Messages, in order. Dropping the last sender ends the connection when it has sent what is queued. Boxed, since a queue has room
    /// for 32 at the least, in every connection, and is nearly always empty.
    pub queue: mpsc::Sender<Box<ServerMessage>>,
    /// Notified when a message didn't fit: the connection is to be closed at once.
    pub overflow: Arc<Notify>,
}

/// A shard's answer to [`Input::Report`].
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ShardReport {
    /// What the core counted.
    pub core: ShardStats,
    /// What the thread counted.
    pub thread: ThreadStats,
    /// What became of sends by UDP.
    pub send: SendStats,
    /// What its TCP connections brought and took.
    pub tcp: TcpStats,
    /// How long things took.
    pub timing: Timings,
}

/// How long things took in one shard, since the start.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Timings {
    /// What the core has measured.
    #[serde(flatten)]
    pub core: Timing,
    /// From the turn in which a datagram was read to the system call that sent what it caused, by datagrams sent.
    pub forwarding: Durations,
}

/// What a shard's TCP connections count. Bytes are those of frames with their lengths.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct TcpStats {
    /// Connections now.
    pub tcp_connections: u64,
    /// Connections taken over from those who accept.
    pub tcp_accepted: u64,
    /// Connections closed at once because there were too many.
    pub tcp_refused: u64,
    /// Connections closed because no authentic check came in time.
    pub tcp_unclaimed: u64,
    /// Connections closed because what came were no frames of a call.
    pub tcp_malformed: u64,
    /// Frames received.
    pub tcp_received: u64,
    /// Bytes received.
    pub tcp_received_bytes: u64,
    /// Frames sent.
    pub tcp_sent: u64,
    /// Bytes sent.
    pub tcp_sent_bytes: u64,
    /// Frames dropped because their peer read too slowly.
    pub tcp_dropped_full: u64,
}

impl TcpStats {
    pub(super) fn sent(&mut self, frames: usize, bytes: usize) {
        self.tcp_sent += frames as u64;
        self.tcp_sent_bytes += bytes as u64;
    }
}

/// What a shard's thread counts by itself.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct ThreadStats {
    /// Turns of the loop.
    pub turns: u64,
    /// Receive calls that brought something.
    pub receive_calls: u64,
    /// Datagrams received from the socket, also those of other shards.
    pub received: u64,
    /// Their bytes, UDP payload only.
    pub received_bytes: u64,
    /// Datagrams given to the shard that owns them.
    pub handed_over: u64,
    /// Datagrams taken over from other shards.
    pub taken_over: u64,
    /// Datagrams dropped because their owner's queue was full.
    pub hand_over_dropped: u64,
    /// Media between parts of a room dropped because the other shard's queue was full.
    pub relay_dropped: u64,
    /// Datagrams dropped because they name no shard of this edge or come from port 0.
    pub misdirected: u64,
    /// Receive calls that failed.
    pub receive_failed: u64,
    /// WebSockets open on this shard now.
    pub connections: u64,
    /// WebSockets closed because they read too slowly.
    pub slow_readers: u64,
    /// Addresses known to belong to other shards now.
    pub foreign_tuples: u64,
    /// Times the core panicked and was replaced.
    pub restarts: u64,
}

/// Wakes a shard out of its poll. Ringing an already ringing bell costs no system call.
#[derive(Clone)]
pub(super) struct Bell {
    waker: Arc<mio::Waker>,
    ringing: Arc<AtomicBool>,
}

impl Bell {
    pub(super) fn ring(&self) {
        if !self.ringing.swap(true, Ordering::AcqRel)
            && let Err(error) = self.waker.wake()
        {
            tracing::error!(%error, "a media thread could not be woken");
        }
    }

    /// To be called before the queues are looked at, so that whatever is pushed after the look rings again.
    pub(super) fn quieten(&self) {
        self.ringing.store(false, Ordering::Release);
    }
}

/// How often a shard was asked to turn, and which of these it has turned since.
#[derive(Clone, Default)]
struct Turns {
    asked: Arc<AtomicU64>,
    answered: Arc<AtomicU64>,
}

/// Signalling's end of a shard.
#[derive(Clone)]
pub struct ShardLink {
    inputs: mpsc::Sender<Input>,
    relays: sync::SyncSender<Relay>,
    bell: Bell,
    turns: Turns,
}

impl ShardLink {
    /// Wakes the shard, so that [`ShardLink::turned_since_asked`] says whether it turns.
    pub fn ask_to_turn(&self) {
        self.turns.asked.fetch_add(1, Ordering::AcqRel);
        self.bell.ring();
    }

    /// False: it hasn't turned since it was last asked to.
    #[must_use]
    pub fn turned_since_asked(&self) -> bool {
        self.turns.answered.load(Ordering::Acquire) == self.turns.asked.load(Ordering::Acquire)
    }

    /// Queues `input`, waiting for a place. False: the shard has ended.
    pub async fn send(&self, input: Input) -> bool {
        let sent = self.inputs.send(input).await.is_ok();
        self.bell.ring();
        sent
    }

    /// Queues what another edge says; gives it back when the queue is full.
    pub fn relay(&self, relay: Relay) -> Option<Relay> {
        offer(&self.relays, relay, &self.bell)
    }

    /// Queues `input` if there is a place. False: the queue is full, or the shard has ended.
    #[must_use]
    pub fn try_send(&self, input: Input) -> bool {
        let sent = self.inputs.try_send(input).is_ok();
        self.bell.ring();
        sent
    }
}

/// One shard's end of another.
#[derive(Clone)]
pub(super) struct Peer {
    pub(super) datagrams: sync::SyncSender<HandedOver>,
    pub(super) updates: sync::SyncSender<Update>,
    pub(super) relays: sync::SyncSender<Relay>,
    pub(super) spares: sync::SyncSender<Vec<u8>>,
    pub(super) bell: Bell,
}

impl Peer {
    /// Queues a message of another part of a room; gives it back when the queue is full.
    pub(super) fn relay(&self, relay: Relay) -> Option<Relay> {
        offer(&self.relays, relay, &self.bell)
    }

    /// Queues an update; gives it back when the queue is full.
    pub(super) fn tell(&self, update: Update) -> Option<Update> {
        offer(&self.updates, update, &self.bell)
    }
}

/// Queues something for a shard and wakes it; gives it back when the queue is full.
fn offer<T>(queue: &sync::SyncSender<T>, item: T, bell: &Bell) -> Option<T> {
    match queue.try_send(item) {
        Ok(()) => bell.ring(),
        Err(sync::TrySendError::Full(item)) => return Some(item),
        // That shard has ended, and so will everything else.
        Err(sync::TrySendError::Disconnected(_)) => (),
    }
    None
}

/// Everything that one shard receives but datagrams from the network.
pub struct Mailbox {
    index: u8,
    pub(super) poll: mio::Poll,
    pub(super) bell: Bell,
    pub(super) inputs: mpsc::Receiver<Input>,
    pub(super) datagrams: sync::Receiver<HandedOver>,
    pub(super) updates: sync::Receiver<Update>,
    pub(super) relays: sync::Receiver<Relay>,
    pub(super) spares: sync::Receiver<Vec<u8>>,
    /// All shards by number, this one included.
    pub(super) peers: Vec<Peer>,
    turns: Turns,
}

impl Mailbox {
    /// To be called once a turn.
    pub fn turned(&self) {
        self.turns.answered.store(self.turns.asked.load(Ordering::Acquire), Ordering::Release);
    }

    /// Which shard's.
    #[must_use]
    pub fn index(&self) -> u8 {
        self.index
    }
}

/// Makes the queues between `count` shards, and from signalling to each.
///
/// # Errors
/// The system has no descriptors left.
pub fn connect(count: u8) -> io::Result<(Vec<ShardLink>, Vec<Mailbox>)> {
    let mut links = Vec::new();
    let mut mailboxes = Vec::new();
    let mut peers = Vec::new();
    for index in 0..count {
        let poll = mio::Poll::new()?;
        let bell = Bell { waker: Arc::new(mio::Waker::new(poll.registry(), BELL)?), ringing: Arc::default() };
        let (input_sender, inputs) = mpsc::channel(INPUTS);
        let (datagram_sender, datagrams) = sync::sync_channel(HANDED_OVER);
        let (update_sender, updates) = sync::sync_channel(UPDATES);
        let (relay_sender, relays) = sync::sync_channel(RELAYED);
        let (spare_sender, spares) = sync::sync_channel(SPARES);
        let from_links = relay_sender.clone();
        peers.push(Peer {
            datagrams: datagram_sender,
            updates: update_sender,
            relays: relay_sender,
            spares: spare_sender,
            bell: bell.clone(),
        });
        let turns = Turns::default();
        links.push(ShardLink { inputs: input_sender, relays: from_links, bell: bell.clone(), turns: turns.clone() });
        mailboxes.push(Mailbox { index, poll, bell, inputs, datagrams, updates, relays, spares, peers: Vec::new(), turns });
    }
    for mailbox in &mut mailboxes {
        mailbox.peers.clone_from(&peers);
    }
    Ok((links, mailboxes))
}
