//! The TCP connections of a shard (RFC 6544, the passive side): for peers whose networks let no UDP through.
//!
//! Whoever accepts a connection reads its first frame, a check, and hands it over with what it has read to the shard that the check
//! names ([`crate::door`]). From then on the shard's thread reads and writes it, as it does its UDP socket, and no other thread knows
//! of it.
//!
//! Nothing here waits. What a peer doesn't take waits in the kernel up to [`UNSENT`], then here up to [`BACKLOG`] bytes; what is sent beyond
//! that is dropped and counted, media first, as a full UDP buffer does. Congestion control sees the delay grow before that.
//!
//! Bounds: [`MOST`] connections, of which [`MOST_UNBOUND`] that no check has vouched for; these are closed after [`PATIENCE`], and any
//! whose peer acknowledges nothing for [`DEAD`] by the kernel.

use super::link::TcpStats;
use core::time::Duration;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use sfu_core::framing::{self, Deframer};
use sfu_core::{Remote, Via};
use std::collections::{HashMap, VecDeque};
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::Instant;

/// Connections of one shard. Guess: a shard is full with fewer viewers than that; each has a descriptor and 8 kB.
const MOST: usize = 4_096;

/// Of these, that no authenticated check has come over.
const MOST_UNBOUND: usize = 256;

/// How long an authenticated check may take to come.
const PATIENCE: Duration = Duration::from_secs(10);

/// A peer that acknowledges nothing for so long is gone; browsers' consent ends sooner (RFC 7675).
const DEAD: Duration = Duration::from_secs(30);

/// Bytes that the kernel takes before they can be sent: a quarter of a second of a small picture. What is under way beyond that is the
/// connection's congestion window.
const UNSENT: u32 = 32 * 1024;

/// Bytes that wait here: the rest of a key frame. Guess.
const BACKLOG: usize = 64 * 1024;

/// More that checks, handshakes and data may take, which are worth more than a picture.
const RESERVE: usize = 16 * 1024;

/// Poll tokens from here on are connections.
const FIRST_TOKEN: usize = 16;

/// A connection that has shown whose it is.
#[derive(Debug)]
pub struct Arrived {
    /// Not blocking.
    pub stream: std::net::TcpStream,
    /// The other end, canonical.
    pub from: SocketAddr,
    /// The local address that it was made to.
    pub to: SocketAddr,
    /// What was read of it: a frame, and perhaps more.
    pub read: Vec<u8>,
}

/// One connection.
#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    remote: Remote,
    to: SocketAddr,
    /// Taken out while its frames are dealt with.
    deframer: Option<Deframer>,
    /// Whole frames, but for the first, of which a part may have gone.
    backlog: VecDeque<u8>,
    /// Until when a check has to vouch for it; none: one has.
    unbound_until: Option<Instant>,
    readable: bool,
}

/// What a connection brought at a time.
pub(super) struct Brought {
    pub(super) number: u32,
    pub(super) remote: Remote,
    pub(super) to: SocketAddr,
    pub(super) deframer: Deframer,
    /// It is over, once its frames are taken.
    over: bool,
}

/// All connections of a shard.
pub(super) struct Connections {
    registry: Registry,
    open: HashMap<u32, Connection>,
    next: u32,
    unbound: usize,
    /// When the first of those without a check may be late; perhaps none is any more.
    due: Option<Instant>,
    /// Those that may have something to read, each once.
    readable: VecDeque<u32>,
    /// Those that ended, of which the core is to hear.
    ended: Vec<Remote>,
    /// Frames of a run, put together for one write.
    scratch: Vec<u8>,
    pub(super) stats: TcpStats,
}

impl Connections {
    pub(super) fn new(registry: Registry) -> Self {
        Self {
            registry,
            open: HashMap::new(),
            next: 0,
            unbound: 0,
            due: None,
            readable: VecDeque::new(),
            ended: Vec::new(),
            scratch: Vec::new(),
            stats: TcpStats::default(),
        }
    }

    /// Takes a connection in, or closes it when there are too many.
    pub(super) fn take(&mut self, now: Instant, arrived: Arrived) {
        if self.open.len() >= MOST || self.unbound >= MOST_UNBOUND {
            self.stats.tcp_refused += 1;
            return;
        }
        if let Err(error) = self.admit(now, arrived) {
            self.stats.tcp_refused += 1;
            tracing::debug!(%error, "a TCP connection for media could not be taken over");
        }
    }

    fn admit(&mut self, now: Instant, arrived: Arrived) -> io::Result<()> {
        let Arrived { stream, from, to, read } = arrived;
        tune(&stream)?;
        let mut stream = TcpStream::from_std(stream);
        let mut deframer = Deframer::default();
        let space = deframer.space().get_mut(..read.len()).ok_or_else(|| io::Error::other("more was read than a buffer holds"))?;
        space.copy_from_slice(&read);
        deframer.filled(read.len());
        while self.open.contains_key(&self.next) {
            self.next = self.next.wrapping_add(1);
        }
        let number = self.next;
        self.registry.register(&mut stream, token(number), Interest::READABLE | Interest::WRITABLE)?;
        self.next = number.wrapping_add(1);
        let connection = Connection {
            stream,
            remote: Remote { address: from, via: Via::Tcp(number) },
            to,
            deframer: Some(deframer),
            backlog: VecDeque::new(),
            unbound_until: now.checked_add(PATIENCE),
            readable: true,
        };
        self.due = self.due.or(connection.unbound_until);
        self.open.insert(number, connection);
        self.readable.push_back(number);
        self.unbound += 1;
        self.stats.tcp_accepted += 1;
        Ok(())
    }

    /// The poll says that something can be done with a connection. False: the token isn't one.
    pub(super) fn note(&mut self, event: &mio::event::Event) -> bool {
        let Some(number) = event.token().0.checked_sub(FIRST_TOKEN).and_then(|number| u32::try_from(number).ok()) else { return false };
        if event.is_readable() || event.is_read_closed() || event.is_error() {
            self.note_readable(number);
        }
        if event.is_writable() {
            self.flush(number);
        }
        true
    }

    fn note_readable(&mut self, number: u32) {
        if let Some(connection) = self.open.get_mut(&number).filter(|connection| !connection.readable) {
            connection.readable = true;
            self.readable.push_back(number);
        }
    }

    /// How many have something to read, perhaps.
    pub(super) fn readable(&self) -> usize {
        self.readable.len()
    }

    /// Reads the next connection that has something; what it brought is to be taken, and given back by [`Connections::put_back`].
    pub(super) fn read_next(&mut self) -> Option<Brought> {
        let number = self.readable.pop_front()?;
        let connection = self.open.get_mut(&number)?;
        connection.readable = false;
        let mut brought =
            Brought { number, remote: connection.remote, to: connection.to, deframer: connection.deframer.take()?, over: false };
        let space = brought.deframer.space();
        match connection.stream.read(space) {
            // No space is a frame that isn't over and never can be; it is refused by its length before that.
            Ok(0) => brought.over = true,
            Ok(bytes) => {
                brought.deframer.filled(bytes);
                self.stats.tcp_received_bytes += bytes as u64;
                self.note_readable(number);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.note_readable(number),
            Err(error) => {
                tracing::debug!(%error, "a TCP connection broke");
                brought.over = true;
            }
        }
        Some(brought)
    }

    /// The frames have been taken; `intact`: what came were frames.
    pub(super) fn put_back(&mut self, brought: Brought, intact: bool) {
        let Brought { number, deframer, over, .. } = brought;
        let Some(connection) = self.open.get_mut(&number) else { return };
        connection.deframer = Some(deframer);
        if !intact {
            self.stats.tcp_malformed += 1;
        }
        if over || !intact {
            self.end(number);
        }
    }

    /// A check over this connection was authentic.
    pub(super) fn bound(&mut self, number: u32) {
        let taken = self.open.get_mut(&number).and_then(|connection| connection.unbound_until.take());
        self.unbound -= usize::from(taken.is_some()).min(self.unbound);
    }

    /// The core is done with this connection.
    pub(super) fn close(&mut self, number: u32) {
        if let Some(mut connection) = self.open.remove(&number) {
            self.unbound -= usize::from(connection.unbound_until.is_some()).min(self.unbound);
            // It goes with its descriptor in any case.
            let _ = self.registry.deregister(&mut connection.stream);
        }
    }

    fn end(&mut self, number: u32) {
        if let Some(connection) = self.open.get(&number) {
            self.ended.push(connection.remote);
        }
        self.close(number);
    }

    /// The next connection that ended by itself.
    pub(super) fn poll_ended(&mut self) -> Option<Remote> {
        self.ended.pop()
    }

    /// When [`Connections::handle_timeout`] has something to do; none: never.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// Closes connections that no check has vouched for in time.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        let late = |connection: &Connection| connection.unbound_until.is_some_and(|until| until <= now);
        let late: Vec<u32> = self.open.iter().filter(|(_, connection)| late(connection)).map(|(number, _)| *number).collect();
        for number in late {
            self.stats.tcp_unclaimed += 1;
            self.end(number);
        }
        self.due = self.open.values().filter_map(|connection| connection.unbound_until).min();
    }

    /// Sends the datagrams in `contents`, all of `segment_size` bytes but the last. Cannot fail: what a slow peer has no room for is dropped
    /// and counted.
    pub(super) fn send(&mut self, number: u32, segment_size: usize, contents: &[u8]) {
        let Some(connection) = self.open.get_mut(&number) else { return };
        let datagrams = || contents.chunks(segment_size.max(1));
        if connection.backlog.is_empty() {
            self.scratch.clear();
            for datagram in datagrams() {
                let Some(prefix) = framing::prefix(datagram) else { continue };
                self.scratch.extend_from_slice(&prefix);
                self.scratch.extend_from_slice(datagram);
            }
            match write(&mut connection.stream, &self.scratch) {
                Ok(sent) if sent == self.scratch.len() => self.stats.sent(datagrams().count(), sent),
                Ok(sent) => self.keep_rest(number, segment_size, contents, sent),
                Err(error) => {
                    tracing::debug!(%error, "a TCP connection broke");
                    self.end(number);
                }
            }
        } else {
            for datagram in datagrams() {
                if connection.keep(datagram) {
                    self.stats.sent(1, datagram.len().saturating_add(framing::PREFIX));
                } else {
                    self.stats.tcp_dropped_full += 1;
                }
            }
        }
    }

    /// Of the frames of a run, `sent` bytes have gone.
    fn keep_rest(&mut self, number: u32, segment_size: usize, contents: &[u8], sent: usize) {
        let Some(connection) = self.open.get_mut(&number) else { return };
        let mut gone = sent;
        for datagram in contents.chunks(segment_size.max(1)) {
            let Some(prefix) = framing::prefix(datagram) else { continue };
            let length = datagram.len().saturating_add(prefix.len());
            let part = gone.min(length);
            gone = gone.saturating_sub(part);
            if part == length || connection.keep_from(part, datagram, prefix) {
                self.stats.sent(1, length);
            } else {
                self.stats.tcp_dropped_full += 1;
            }
        }
    }

    /// Sends what waits for a connection that can be written again.
    fn flush(&mut self, number: u32) {
        let Some(connection) = self.open.get_mut(&number) else { return };
        while !connection.backlog.is_empty() {
            let (front, _) = connection.backlog.as_slices();
            match write(&mut connection.stream, front) {
                Ok(0) => return,
                Ok(sent) => drop(connection.backlog.drain(..sent)),
                Err(error) => {
                    tracing::debug!(%error, "a TCP connection broke");
                    self.end(number);
                    return;
                }
            }
        }
        // Most of the time nothing waits: nothing is kept for it.
        connection.backlog = VecDeque::new();
    }

    /// The core has lost everything.
    pub(super) fn clear(&mut self) {
        self.open.clear();
        self.readable.clear();
        self.ended.clear();
        self.unbound = 0;
    }

    /// Counters, and how many there are now.
    pub(super) fn stats(&self) -> TcpStats {
        TcpStats { tcp_connections: self.open.len() as u64, ..self.stats }
    }
}

impl Connection {
    /// Puts a frame behind what waits; false: there is no room.
    fn keep(&mut self, datagram: &[u8]) -> bool {
        framing::prefix(datagram).is_some_and(|prefix| self.keep_from(0, datagram, prefix))
    }

    /// The same for a frame of which `gone` bytes have been sent: its rest must follow, room or not.
    fn keep_from(&mut self, gone: usize, datagram: &[u8], prefix: [u8; framing::PREFIX]) -> bool {
        // RFC 7983: what begins with less than 64 is STUN or DTLS.
        let room = if datagram.first().is_some_and(|first| *first < 64) { BACKLOG + RESERVE } else { BACKLOG };
        if gone == 0 && self.backlog.len().saturating_add(datagram.len()) > room {
            return false;
        }
        self.backlog.extend(prefix.iter().chain(datagram).skip(gone));
        true
    }
}

/// How much was written; zero: nothing can be now.
fn write(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
        match stream.write(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(sent) => done += sent,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

fn tune(stream: &std::net::TcpStream) -> io::Result<()> {
    stream.set_nonblocking(true)?;
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    {
        let socket = socket2::SockRef::from(stream);
        socket.set_tcp_notsent_lowat(UNSENT)?;
        socket.set_tcp_user_timeout(Some(DEAD))?;
    }
    Ok(())
}

fn token(number: u32) -> Token {
    Token(usize::try_from(number).unwrap_or(usize::MAX).saturating_add(FIRST_TOKEN))
}

#[cfg(test)]
mod tests;
