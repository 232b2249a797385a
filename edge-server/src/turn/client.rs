//! One client: the protocol's machine, its relay sockets, and the line to it. Ends when it has had no allocation for a while.

use super::credentials::password;
use super::{PATIENCE, REALM, Turn};
use crate::clock;
use core::future::poll_fn;
use core::task::Poll;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use stun_types::attribute::{ErrorCode, Username, XorMappedAddress};
use stun_types::message::{BINDING, IntegrityAlgorithm, LongTermCredentials, Message, MessageClass, MessageWriteExt, MessageWriteVec};
use stun_types::prelude::{Attribute, AttributeFromRaw, AttributeStaticType, MessageWrite};
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep_until};
use turn_server_proto::api::{SocketAllocateError, TcpConnectError, Transmit, TurnServerApi, TurnServerPollRet};
use turn_server_proto::server::TurnServer;
use turn_types::attribute::XorPeerAddress;
use turn_types::{AddressFamily, TransportType};

/// Largest datagram that is relayed: what fits an Ethernet path.
const LARGEST: usize = 1_500;

/// Names that one client may come with: credentials are renewed, and that is all.
const MOST_NAMES: usize = 8;

/// The way to the client: whole messages.
pub(super) trait Line: Send {
    /// The next message; none: it is over.
    fn next(&mut self) -> impl Future<Output = Option<Vec<u8>>> + Send;
    /// Sends one. What can't be sent is lost.
    fn send(&mut self, message: Vec<u8>) -> impl Future<Output = io::Result<()>> + Send;
}

struct Relay {
    socket: UdpSocket,
    /// As clients and peers know it.
    known_as: SocketAddr,
    user: String,
}

/// One client.
pub(super) struct Client<L> {
    turn: Arc<Turn>,
    line: L,
    server: TurnServer,
    from: SocketAddr,
    listen: SocketAddr,
    born: std::time::Instant,
    /// Each with its password: in use, and not to be added again.
    names: Vec<(String, String)>,
    relays: Vec<Relay>,
}

enum Step {
    Said(Vec<u8>),
    Came(usize, usize, SocketAddr),
    Time,
}

impl<L: Line> Client<L> {
    pub(super) fn new(turn: Arc<Turn>, line: L, from: SocketAddr, listen: SocketAddr) -> Self {
        turn.count(&turn.counters.clients);
        // Messages come whole, whatever the line is, so the machine may take each for a datagram.
        let server = TurnServer::new(TransportType::Udp, listen, REALM.to_owned());
        Self { turn, line, server, from, listen, born: clock::now(), names: Vec::new(), relays: Vec::new() }
    }

    /// Its life.
    pub(super) async fn run(mut self) {
        let mut buffer = vec![0; LARGEST];
        let mut wake = Instant::now() + PATIENCE;
        let mut idle_until = Instant::now() + PATIENCE;
        loop {
            let step = tokio::select! {
                message = self.line.next() => match message {
                    Some(message) => Step::Said(message),
                    None => return,
                },
                (relay, size, from) = receive(&self.relays, &mut buffer) => Step::Came(relay, size, from),
                () = sleep_until(wake) => Step::Time,
            };
            let now = clock::now();
            let output = match step {
                Step::Said(message) => self.said(now, &message),
                Step::Came(relay, size, from) => self.came(now, relay, buffer.get(..size).unwrap_or_default(), from),
                Step::Time => None,
            };
            if let Some(output) = output
                && self.carry_out(output).await.is_err()
            {
                return;
            }
            let Ok(due) = self.go_on(now).await else { return };
            if !self.relays.is_empty() {
                idle_until = Instant::now() + PATIENCE;
            } else if Instant::now() >= idle_until {
                return;
            }
            wake = due.min(if self.relays.is_empty() { idle_until } else { due });
        }
    }

    /// A message of the client.
    fn said(&mut self, now: std::time::Instant, bytes: &[u8]) -> Option<Transmit<Vec<u8>>> {
        if self.relays.is_empty() && !self.turn.pace.allows(self.from.ip(), now) {
            self.turn.count(&self.turn.counters.paced);
            return None;
        }
        if let Ok(message) = Message::from_bytes(bytes) {
            if message.class() == MessageClass::Request && message.method() == BINDING {
                return self.mapped(&message).map(|bytes| Transmit::new(bytes, TransportType::Udp, self.listen, self.from));
            }
            self.learn_name(&message);
            if let Some(refusal) = self.denied(&message) {
                self.turn.count(&self.turn.counters.denied);
                return refusal.map(|bytes| Transmit::new(bytes, TransportType::Udp, self.listen, self.from));
            }
        }
        self.server.recv(Transmit::new(bytes, TransportType::Udp, self.from, self.listen), self.instant(now)).map(|output| output.build())
    }

    /// A datagram of a peer.
    fn came(&mut self, now: std::time::Instant, relay: usize, bytes: &[u8], from: SocketAddr) -> Option<Transmit<Vec<u8>>> {
        let to = self.relays.get(relay)?.known_as;
        let from = self.turn.peers.known_as(crate::media::socket::canonical(from));
        let output = self.server.recv(Transmit::new(bytes, TransportType::Udp, from, to), self.instant(now))?.build();
        self.turn.count(&self.turn.counters.relayed_in);
        self.turn.add(&self.turn.counters.relayed_in_bytes, bytes.len() as u64);
        Some(output)
    }

    /// The answer to a binding request, for which nobody needs a name (RFC 8489 §12). Here, since the machine sends its own to itself.
    fn mapped(&self, message: &Message<'_>) -> Option<Vec<u8>> {
        let mapped = XorMappedAddress::new(self.from, message.transaction_id());
        let mut answer = Message::builder_success(message, MessageWriteVec::with_capacity(64));
        answer.add_attribute(&mapped).ok()?;
        answer.add_fingerprint().ok()?;
        Some(answer.finish())
    }

    /// Makes the password of a name known that comes for the first time, if it has one.
    fn learn_name(&mut self, message: &Message<'_>) {
        let Ok(username) = message.attribute::<Username>() else { return };
        let name = username.username();
        if self.names.iter().any(|(known, _)| known == name) {
            return;
        }
        match password(&self.turn.secret, name, clock::unix()) {
            Some(password) if self.names.len() < MOST_NAMES => {
                self.server.add_user(name.to_owned(), password.clone());
                self.names.push((name.to_owned(), password));
            }
            _ => self.turn.count(&self.turn.counters.unauthorized),
        }
    }

    /// Whether a message names a peer that nobody may reach; with the answer, if one is due.
    fn denied(&self, message: &Message<'_>) -> Option<Option<Vec<u8>>> {
        let peers = message.iter_attributes().filter(|(_, attribute)| attribute.get_type() == XorPeerAddress::TYPE);
        let addresses = peers.filter_map(|(_, attribute)| XorPeerAddress::from_raw(attribute).ok());
        let denied = addresses.map(|peer| peer.addr(message.transaction_id()).ip()).any(|ip| !self.turn.peers.may_permit(ip));
        denied.then(|| self.refusal(message))
    }

    /// 403, signed with the password of whoever asks.
    fn refusal(&self, message: &Message<'_>) -> Option<Vec<u8>> {
        if message.class() != MessageClass::Request {
            return None;
        }
        let username = message.attribute::<Username>().ok()?;
        let (name, password) = self.names.iter().find(|(known, _)| known == username.username())?;
        let error = ErrorCode::builder(ErrorCode::FORBIDDEN).build().ok()?;
        let mut answer = Message::builder_error(message, MessageWriteVec::with_capacity(128));
        answer.add_attribute(&error).ok()?;
        let key = LongTermCredentials::new(name.clone(), password.clone()).to_key(REALM.to_owned());
        answer.add_message_integrity(&key.into(), IntegrityAlgorithm::Sha1).ok()?;
        Some(answer.finish())
    }

    /// Everything else that the machine wants; when it wants something next.
    async fn go_on(&mut self, now: std::time::Instant) -> io::Result<Instant> {
        loop {
            match self.server.poll(self.instant(now)) {
                TurnServerPollRet::WaitUntil(at) => {
                    while let Some(output) = self.server.poll_transmit(self.instant(now)) {
                        self.carry_out(output).await?;
                    }
                    return Ok(Instant::now() + at.saturating_duration_since(self.instant(now)));
                }
                TurnServerPollRet::AllocateSocket { transport, listen_addr, client_addr, allocation_transport, family } => {
                    let socket = self.allocate(allocation_transport, family).await;
                    self.server.allocated_socket(
                        transport,
                        listen_addr,
                        client_addr,
                        allocation_transport,
                        family,
                        socket,
                        self.instant(now),
                    );
                }
                TurnServerPollRet::TcpConnect { relayed_addr, peer_addr, listen_addr, client_addr } => {
                    self.server.tcp_connected(
                        relayed_addr,
                        peer_addr,
                        listen_addr,
                        client_addr,
                        Err(TcpConnectError::Forbidden),
                        self.instant(now),
                    );
                }
                TurnServerPollRet::TcpClose { .. } => {}
                TurnServerPollRet::SocketClose { listen_addr, .. } => {
                    let (ended, kept) =
                        core::mem::take(&mut self.relays).into_iter().partition(|relay: &Relay| relay.known_as == listen_addr);
                    self.relays = kept;
                    self.release(&ended);
                }
            }
        }
    }

    async fn allocate(&mut self, transport: TransportType, family: AddressFamily) -> Result<SocketAddr, SocketAllocateError> {
        let refused = SocketAllocateError::InsufficientCapacity;
        let ipv6 = family == AddressFamily::IPV6;
        let outside = self.turn.peers.outside(ipv6).ok_or(SocketAllocateError::AddressFamilyNotSupported)?;
        // The newest name is that of the request at hand.
        let user = self.names.last().map(|(name, _)| name.clone());
        let Some(user) = user.filter(|user| transport == TransportType::Udp && self.turn.quota.take(user)) else {
            self.turn.count(&self.turn.counters.refused);
            return Err(refused);
        };
        let any: IpAddr = if ipv6 { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
        let bound = UdpSocket::bind((any, 0)).await.and_then(|socket| Ok((socket.local_addr()?.port(), socket)));
        match bound {
            Ok((port, socket)) => {
                let known_as = SocketAddr::new(outside, port);
                self.relays.push(Relay { socket, known_as, user });
                self.turn.peers.open(known_as);
                self.turn.count(&self.turn.counters.allocated);
                self.turn.count(&self.turn.counters.allocations);
                Ok(known_as)
            }
            Err(error) => {
                tracing::warn!(%error, "no socket for a TURN allocation; if descriptors ran out, raise the limit (ulimit -n)");
                self.turn.quota.give_back(&user);
                Err(refused)
            }
        }
    }

    async fn carry_out(&mut self, output: Transmit<Vec<u8>>) -> io::Result<()> {
        let Some(relay) = self.relays.iter().find(|relay| relay.known_as == output.from) else {
            return if output.to == self.from { self.line.send(output.data).await } else { Ok(()) };
        };
        // The last word: whatever the machine was told, nothing leaves for where it must not.
        let Some(to) = self.turn.peers.route(output.to) else {
            self.turn.count(&self.turn.counters.denied);
            return Ok(());
        };
        // A full buffer drops, as everywhere on the way.
        if relay.socket.try_send_to(&output.data, to).is_ok() {
            self.turn.count(&self.turn.counters.relayed_out);
            self.turn.add(&self.turn.counters.relayed_out_bytes, output.data.len() as u64);
        }
        Ok(())
    }

    /// The machine's clock begins with it.
    fn instant(&self, now: std::time::Instant) -> turn_types::Instant {
        let nanos = now.saturating_duration_since(self.born).as_nanos();
        turn_types::Instant::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX))
    }
}

impl<L> Client<L> {
    fn release(&self, relays: &[Relay]) {
        for relay in relays {
            self.turn.peers.close(relay.known_as);
            self.turn.quota.give_back(&relay.user);
            self.turn.counters.allocations.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl<L> Drop for Client<L> {
    /// Also when the machine panicked.
    fn drop(&mut self) {
        self.release(&self.relays);
        self.turn.counters.clients.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The next datagram at any of the sockets: which, how long, from where.
async fn receive(relays: &[Relay], buffer: &mut [u8]) -> (usize, usize, SocketAddr) {
    poll_fn(|context| {
        for (index, relay) in relays.iter().enumerate() {
            let mut into = ReadBuf::new(buffer);
            // An error is an ICMP message about an earlier datagram; the next one will come.
            if let Poll::Ready(Ok(from)) = relay.socket.poll_recv_from(context, &mut into) {
                return Poll::Ready((index, into.filled().len(), from));
            }
        }
        Poll::Pending
    })
    .await
}
