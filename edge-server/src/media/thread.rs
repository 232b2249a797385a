//! One shard's thread: waits for its socket, its queues and its timer, feeds the core, sends what the core says.
//!
//! A turn: wait; read the clock once; take inputs, updates and handed-over datagrams; read the socket; fire the timer. After each of
//! them the core is drained ([`Worker::drain`]). Every source is read for a bounded number of items a turn, so that none starves the
//! others; when something is left, the next turn doesn't wait.
//!
//! Invariants: the thread never blocks but in its poll; in steady state it allocates nothing per datagram; a panic of the core costs who
//! caused it ([`super::contain`]) or, where nobody did, the core, and never the thread.

use super::alarm::Alarm;
use super::contain::Containment;
use super::link::{BELL, Input, Mailbox, Outgoing, ShardReport, ThreadStats, Timings, UPDATES};
use super::relays::{Placement, Relay, Relays};
use super::socket::{BATCH, Buffers, MediaSocket, Outbox};
use super::sources::Sources;
use super::steer::{HandedOver, Steering, is_stun};
use super::tcp::Connections;
use crate::{clock, history};
use core::time::Duration;
use mio::unix::SourceFd;
use mio::{Events, Interest, Token};
use nearcast_history::Recorder;
use nearcast_protocol::{ErrorCode, ErrorInfo, ServerMessage};
use sfu_core::{Command, ConnectionId, Durations, Event, Shard, ShardConfig, Transmit, Via};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::os::fd::AsRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

/// Panics of one shard within [`RESTART_WINDOW`] that are answered by starting afresh; one more ends the process.
pub const RESTARTS: usize = 3;

/// See [`RESTARTS`]. Guess: long enough to tell a poisoned room, whose participants come back at once, from an accident a day.
pub const RESTART_WINDOW: Duration = Duration::from_secs(60);

/// Items that one turn takes from each queue. Guess: a millisecond's work or less.
const PER_TURN: usize = 128;

/// Messages of other parts of rooms that one turn takes: mostly single packets of media. Guess: as many as one read of the socket brings.
const RELAYS_PER_TURN: usize = 512;

/// Receive calls in one turn: 4 × 16 runs.
const RECEIVES_PER_TURN: usize = 4;

/// Datagrams given to the core before what they cause is sent, when a batch is as large as that: half a video stream's cache, which what
/// is sent is read from.
const UNDRAINED: u64 = 256;

/// Events that one poll brings; more are had from the next.
const EVENTS: usize = 64;

/// How soon something that found a full queue is tried again.
const RETRY: Duration = Duration::from_millis(1);

/// The poll token of the socket.
const SOCKET: Token = Token(1);

/// The poll token of the alarm.
const ALARM: Token = Token(2);

/// Everything that a shard's thread owns.
pub struct Worker {
    config: ShardConfig,
    shard: Shard,
    mailbox: Mailbox,
    socket: MediaSocket,
    alarm: Alarm,
    buffers: Buffers,
    steering: Steering,
    relays: Relays,
    sources: Sources,
    tcp: Connections,
    connections: HashMap<ConnectionId, Outgoing>,
    stats: ThreadStats,
    forwarding: Forwarding,
    fatal: mpsc::Sender<String>,
    history: Option<Recorder>,
    panics: VecDeque<Instant>,
    containment: Containment,
    /// The socket may have more to read: polling is edge-triggered.
    readable: bool,
    /// Something was left over in this turn.
    unfinished: bool,
    /// Updates wait for a place.
    waiting: bool,
    stopped: Option<oneshot::Sender<()>>,
}

impl Worker {
    /// Sets up a shard; [`Worker::run`] is its life.
    ///
    /// # Errors
    /// No randomness, or the socket can't be polled.
    pub fn new(
        config: ShardConfig,
        socket: MediaSocket,
        sources: Sources,
        mailbox: Mailbox,
        placement: Arc<Placement>,
        fatal: mpsc::Sender<String>,
        history: Option<Recorder>,
    ) -> io::Result<Self> {
        let shard = birth(&config)?;
        let descriptor = socket.inner().as_raw_fd();
        mailbox.poll.registry().register(&mut SourceFd(&descriptor), SOCKET, Interest::READABLE)?;
        let tcp = Connections::new(mailbox.poll.registry().try_clone()?);
        let alarm = Alarm::new(mailbox.poll.registry(), ALARM);
        let steering = Steering::new(mailbox.index(), mailbox.peers.clone());
        let relays = Relays::new(mailbox.index(), mailbox.peers.clone(), placement);
        Ok(Self {
            config,
            shard,
            mailbox,
            socket,
            alarm,
            buffers: Buffers::default(),
            steering,
            relays,
            sources,
            tcp,
            connections: HashMap::new(),
            stats: ThreadStats::default(),
            forwarding: Forwarding { turn: clock::now(), delays: Durations::default() },
            fatal,
            history,
            panics: VecDeque::new(),
            containment: Containment::default(),
            readable: true,
            unfinished: false,
            waiting: false,
            stopped: None,
        })
    }

    /// What the thread is called: at most 15 characters reach `top` and `perf`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("shard-{}", self.mailbox.index())
    }

    /// Turns until told to stop, or until the core has panicked too often.
    pub fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS);
        let mut outbox = Outbox::default();
        while self.stopped.is_none() {
            let turned = catch_unwind(AssertUnwindSafe(|| self.turn(&mut events, &mut outbox)));
            match turned {
                Ok(Ok(())) => (),
                Ok(Err(error)) => {
                    self.give_up(&format!("shard {} cannot poll its socket: {error}", self.mailbox.index()));
                    return;
                }
                Err(_) => {
                    if let Err(why) = self.start_afresh() {
                        self.give_up(&why);
                        return;
                    }
                }
            }
        }
        if let Some(stopped) = self.stopped.take() {
            // Nobody listens any more: then nobody waits.
            let _ = stopped.send(());
        }
    }

    fn turn(&mut self, events: &mut Events, outbox: &mut Outbox) -> io::Result<()> {
        let patience = self.patience();
        match self.mailbox.poll.poll(events, patience) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            polled => polled?,
        }
        let now = clock::now();
        self.forwarding.turn = now;
        self.stats.turns += 1;
        self.unfinished = false;
        for event in events.iter() {
            match event.token() {
                SOCKET => self.readable = true,
                BELL => self.mailbox.bell.quieten(),
                _ => {
                    self.tcp.note(event);
                }
            }
        }
        self.take_inputs(now, outbox);
        self.take_over(now, outbox);
        self.take_relays(now, outbox);
        self.read_socket(now, outbox);
        self.read_connections(now, outbox);
        if self.shard.poll_timeout().is_some_and(|due| due <= now) {
            self.shard.handle_timeout(now);
            self.drain(outbox);
        }
        self.waiting = self.steering.flush(&mut self.stats) | self.relays.flush();
        self.mailbox.turned();
        Ok(())
    }

    /// How long to wait for something to happen; `None`: for ever.
    fn patience(&mut self) -> Option<Duration> {
        if self.unfinished || self.readable {
            return Some(Duration::ZERO);
        }
        let (now, due) = (clock::now(), self.shard.poll_timeout());
        if let Some(due) = due {
            self.alarm.arm(now, due);
        }
        let due = [due, self.tcp.poll_timeout()].into_iter().flatten().min();
        let due = due.map(|due| due.saturating_duration_since(now));
        if self.waiting { Some(due.map_or(RETRY, |due| due.min(RETRY))) } else { due }
    }

    fn take_inputs(&mut self, now: Instant, outbox: &mut Outbox) {
        for _ in 0..PER_TURN {
            let Ok(input) = self.mailbox.inputs.try_recv() else { return };
            match input {
                Input::Join { connection, outgoing, command } => {
                    self.connections.insert(connection, outgoing);
                    self.carry_out(now, command);
                }
                Input::Command(command) => {
                    if let Command::Disconnected { connection } = &command {
                        self.connections.remove(connection);
                    }
                    self.carry_out(now, command);
                }
                Input::Connection(arrived) => self.tcp.take(now, arrived),
                Input::TurnServers(addresses) => self.shard.told_of_turn_servers(addresses),
                Input::Report(answer) => {
                    // Who asked may have stopped waiting.
                    let _ = answer.send(self.report());
                }
                Input::Rooms(page, answer) => drop(answer.send(self.shard.rooms(&page))),
                Input::Inspect(asked, answer) => {
                    drop(answer.send(self.shard.inspect(now, &asked.room, asked.identity.as_deref(), &asked.page)));
                }
                Input::Moderate(room, moderation, answer) => drop(answer.send(self.shard.moderate_room(now, &room, &moderation))),
                Input::Stop(ended) => {
                    self.shard.handle_command(now, Command::Shutdown);
                    self.stopped = Some(ended);
                }
                #[cfg(test)]
                Input::Panic => panic!("a panic on request"),
            }
            self.drain(outbox);
        }
        self.unfinished = true;
    }

    /// Carries out a command; a fault in it costs the connection that it came from.
    fn carry_out(&mut self, now: Instant, command: Command) {
        let Some(broken) = self.containment.command(&mut self.shard, now, command) else { return };
        // Whoever was in a room has been told by the core, and this finds nobody any more once that is passed on.
        if let Some(outgoing) = self.connections.get(&broken) {
            let error = ErrorInfo::new(ErrorCode::Internal, "a fault of the edge ended this session; join again");
            let _ = outgoing.queue.try_send(Box::new(ServerMessage::Closed { error }));
        }
        self.connections.remove(&broken);
    }

    fn take_over(&mut self, now: Instant, outbox: &mut Outbox) {
        if self.steering.is_alone() {
            return;
        }
        self.learn();
        for _ in 0..PER_TURN {
            let Ok(mut run) = self.mailbox.datagrams.try_recv() else { return };
            let HandedOver { from, to, stride, bytes, .. } = &mut run;
            let to = self.sources.note(*from, *to, is_stun(bytes));
            for datagram in bytes.chunks_mut(*stride) {
                self.stats.taken_over += 1;
                self.containment.datagram(&mut self.shard, now, *from, to, datagram);
            }
            self.steering.give_back(run);
            self.drain(outbox);
        }
        self.unfinished = true;
    }

    /// Takes what other parts of this shard's rooms say, and which edges can be reached.
    fn take_relays(&mut self, now: Instant, outbox: &mut Outbox) {
        for taken in 0..RELAYS_PER_TURN {
            let Ok(relay) = self.mailbox.relays.try_recv() else {
                if taken > 0 {
                    self.drain(outbox);
                }
                return;
            };
            match relay {
                Relay::Said { from, message } => self.shard.handle_relay(now, from, message),
                Relay::Linked(way) => {
                    let about = way.about.clone();
                    let shards = self.relays.link(way);
                    about.into_iter().for_each(|about| self.shard.handle_neighbour(&shards, about));
                    self.shard.handle_linked(&shards);
                }
                Relay::Narrow(first, withheld) => self.shard.handle_narrow(&self.relays.behind(first), withheld),
                Relay::OneWay(first, takes) => self.shard.handle_one_way(&self.relays.behind(first), takes),
                Relay::Cut(first) => {
                    let shards = self.relays.cut(first);
                    self.shard.handle_unlinked(now, &shards);
                }
            }
        }
        self.drain(outbox);
        self.unfinished = true;
    }

    /// Takes what other shards say of their addresses; at most as much as the queue holds.
    fn learn(&mut self) {
        for _ in 0..UPDATES {
            let Ok(update) = self.mailbox.updates.try_recv() else { return };
            self.steering.learn(update);
        }
    }

    fn read_socket(&mut self, now: Instant, outbox: &mut Outbox) {
        for _ in 0..RECEIVES_PER_TURN {
            if !self.readable {
                return;
            }
            match self.socket.receive(&mut self.buffers) {
                Ok(runs) => {
                    // A short batch means that the socket was empty just now, and what comes after it is a new event: one system call
                    // saved. (Elsewhere than on Linux a call returns one datagram, whatever else is there.)
                    if cfg!(target_os = "linux") && runs < BATCH {
                        self.readable = false;
                    }
                    // The owner of an address announces it before it answers the peer's check. Learning between receiving and
                    // looking up, the first datagram after that answer finds its way, however short the network's.
                    self.learn();
                    self.take_batch(now, outbox);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.readable = false,
                Err(error) => {
                    // Not worth a restart: the next event tries again.
                    self.stats.receive_failed += 1;
                    self.readable = false;
                    tracing::debug!(%error, "the media socket could not be read");
                }
            }
        }
    }

    /// Reads each TCP connection that has something, once.
    fn read_connections(&mut self, now: Instant, outbox: &mut Outbox) {
        for _ in 0..self.tcp.readable() {
            let Some(mut brought) = self.tcp.read_next() else { continue };
            let intact = loop {
                match brought.deframer.next_frame() {
                    Ok(Some(frame)) => {
                        self.tcp.stats.tcp_received += 1;
                        let stun = is_stun(frame);
                        self.containment.datagram(&mut self.shard, now, brought.remote, brought.to, frame);
                        if stun {
                            self.drain(outbox);
                        }
                    }
                    Ok(None) => break true,
                    Err(error) => {
                        tracing::debug!(%error, "a TCP connection is closed");
                        break false;
                    }
                }
            };
            self.tcp.put_back(brought, intact);
            self.drain(outbox);
        }
        if self.tcp.poll_timeout().is_some_and(|due| due <= now) {
            self.tcp.handle_timeout(now);
        }
        while let Some(ended) = self.tcp.poll_ended() {
            self.shard.handle_closed(ended);
            self.drain(outbox);
        }
        self.unfinished |= self.tcp.readable() > 0;
    }

    fn take_batch(&mut self, now: Instant, outbox: &mut Outbox) {
        let Self {
            shard,
            mailbox,
            socket,
            buffers,
            steering,
            relays,
            sources,
            tcp,
            connections,
            stats,
            forwarding,
            containment,
            history,
            ..
        } = self;
        stats.receive_calls += 1;
        let alone = steering.is_alone();
        let mut undrained = 0;
        for run in buffers.runs() {
            let count = u64::try_from(run.bytes.len().div_ceil(run.stride)).unwrap_or_default();
            stats.received += count;
            stats.received_bytes += u64::try_from(run.bytes.len()).unwrap_or_default();
            if run.from.port() == 0 {
                // Nothing can be answered to there, and trying confuses the kernel's offload (socket.rs).
                stats.misdirected += count;
                continue;
            }
            undrained += count;
            if undrained > UNDRAINED {
                undrained = 0;
                tell(shard, steering, relays, sources, tcp, connections, stats, history.as_ref());
                send(shard, socket, outbox, sources, tcp, forwarding);
            }
            for datagram in run.bytes.chunks_mut(run.stride) {
                let spare = || mailbox.spares.try_recv().unwrap_or_default();
                if alone || steering.keep(run.from, run.to, datagram, spare, stats) {
                    let stun = is_stun(datagram);
                    let to = sources.note(run.from, run.to, stun);
                    containment.datagram(shard, now, run.from, to, datagram);
                    if stun {
                        // Its answer must leave from where it was sent to, and the next datagram may tell of another place.
                        tell(shard, steering, relays, sources, tcp, connections, stats, history.as_ref());
                        send(shard, socket, outbox, sources, tcp, forwarding);
                    }
                }
            }
        }
        self.drain(outbox);
    }

    /// Carries out everything the core wants: events first, since they say where datagrams must leave from.
    fn drain(&mut self, outbox: &mut Outbox) {
        let Self { shard, socket, steering, relays, sources, tcp, connections, stats, forwarding, history, .. } = self;
        tell(shard, steering, relays, sources, tcp, connections, stats, history.as_ref());
        send(shard, socket, outbox, sources, tcp, forwarding);
    }

    fn report(&self) -> ShardReport {
        let mut thread = self.stats;
        thread.connections = u64::try_from(self.connections.len()).unwrap_or(u64::MAX);
        thread.foreign_tuples = u64::try_from(self.steering.foreign_count()).unwrap_or(u64::MAX);
        let timing = Timings { core: self.shard.timing(), forwarding: self.forwarding.delays };
        ShardReport { core: self.shard.stats(), thread, send: self.socket.stats, tcp: self.tcp.stats(), timing }
    }

    /// Replaces the core after it panicked (the panic hook has logged where). Its participants are told to join again.
    fn start_afresh(&mut self) -> Result<(), String> {
        let now = clock::now();
        let index = self.mailbox.index();
        self.stats.restarts += 1;
        self.panics.push_back(now);
        self.panics.retain(|at| now.saturating_duration_since(*at) < RESTART_WINDOW);
        tracing::error!(
            shard = index,
            connections = self.connections.len(),
            "the media core panicked; its rooms are lost, a new core starts"
        );
        let broken = ErrorInfo::new(ErrorCode::Internal, "a fault of the edge ended this session; join again");
        for (_, outgoing) in self.connections.drain() {
            // One whose queue is full is closed by losing its sender anyway.
            let _ = outgoing.queue.try_send(Box::new(ServerMessage::Closed { error: broken.clone() }));
        }
        self.steering.lost_everything();
        self.relays.lost_everything(&mut self.stats);
        self.sources.clear();
        self.tcp.clear();
        if self.panics.len() > RESTARTS {
            return Err(format!(
                "shard {index} panicked {} times within {} s; please report the messages above",
                self.panics.len(),
                RESTART_WINDOW.as_secs()
            ));
        }
        let fresh = birth(&self.config).map_err(|error| error.to_string())?;
        let old = core::mem::replace(&mut self.shard, fresh);
        self.relays.neighbours().for_each(|(shards, about)| self.shard.handle_neighbour(&shards, about));
        self.shard.handle_linked(&self.relays.linked());
        // What panicked once may panic again while it is taken apart.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(old)));
        self.unfinished = true;
        Ok(())
    }

    fn give_up(&self, why: &str) {
        tracing::error!("{why}");
        // Full: somebody else has given up already.
        let _ = self.fatal.try_send(why.to_owned());
    }
}

fn birth(config: &ShardConfig) -> io::Result<Shard> {
    let seed = super::seed().map_err(io::Error::other)?;
    Ok(Shard::new(config.clone(), seed, clock::now()))
}

/// Passes on what the core has to tell.
#[expect(clippy::too_many_arguments, reason = "parts of the worker, told apart so that its socket and buffers may be in use")]
fn tell(
    shard: &mut Shard,
    steering: &mut Steering,
    relays: &mut Relays,
    sources: &mut Sources,
    tcp: &mut Connections,
    connections: &mut HashMap<ConnectionId, Outgoing>,
    stats: &mut ThreadStats,
    history: Option<&Recorder>,
) {
    while let Some(event) = shard.poll_event() {
        match event {
            Event::Signal { connection, message } => signal(connections, stats, connection, message),
            Event::Close { connection } => drop(connections.remove(&connection)),
            // A connection belongs to this shard as it is; the other shards needn't know.
            Event::TupleBound { from } => match from.via {
                Via::Tcp(number) => tcp.bound(number),
                Via::Udp => {
                    sources.bind(from.address);
                    steering.bound_here(from.address);
                }
            },
            Event::TupleUnbound { from } => match from.via {
                Via::Tcp(number) => tcp.close(number),
                Via::Udp => {
                    sources.unbind(from.address);
                    steering.unbound_here(from.address);
                }
            },
            Event::Relay { to, message } => relays.send(to, message, stats),
            Event::RoomSize { room, participants } => relays.note_size(&room, participants),
            Event::Stay(stay) => {
                if let Some(history) = history {
                    history::record(history, *stay);
                }
            }
        }
    }
}

/// Sends what the core has to send, from the addresses that [`tell`] has learned of.
fn send(
    shard: &mut Shard,
    socket: &mut MediaSocket,
    outbox: &mut Outbox,
    sources: &mut Sources,
    tcp: &mut Connections,
    forwarding: &mut Forwarding,
) {
    let before = socket.stats.datagrams;
    shard.drain_batches(|batch| {
        let over_tcp = |number, run: Transmit<'_>| tcp.send(number, run.segment_size, run.contents);
        socket.send_batch(outbox, batch, |destination| sources.of(destination), over_tcp);
    });
    sources.answered();
    let sent = socket.stats.datagrams.saturating_sub(before);
    if sent > 0 {
        forwarding.delays.note(clock::now().saturating_duration_since(forwarding.turn), sent);
    }
}

/// How long this edge holds datagrams back.
struct Forwarding {
    /// When the turn began.
    turn: Instant,
    delays: Durations,
}

fn signal(connections: &mut HashMap<ConnectionId, Outgoing>, stats: &mut ThreadStats, connection: ConnectionId, message: ServerMessage) {
    let Some(outgoing) = connections.get(&connection) else { return };
    match outgoing.queue.try_send(Box::new(message)) {
        Ok(()) => return,
        Err(TrySendError::Full(_)) => {
            stats.slow_readers += 1;
            outgoing.overflow.notify_one();
        }
        Err(TrySendError::Closed(_)) => (), // its task is about to tell us Disconnected
    }
    connections.remove(&connection);
}
