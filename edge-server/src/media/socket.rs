//! One UDP socket of a shard: bound beside its siblings, read in batches (GRO), written in runs (GSO).
//!
//! Addresses are canonical on this side of the socket: an IPv4 peer of a dual-stack socket is an IPv4 address to everybody else.
//!
//! Sending never waits. When the kernel's buffer is full, the datagram is dropped and counted: that buffer (`socket_buffer`) already
//! is the backlog, a second one would only add delay, and everything that is sent is either resent by its own protocol (STUN, DTLS,
//! SCTP, NACKed RTP) or worthless when late. Congestion control sees the loss and slows down.

#[cfg(target_os = "linux")]
mod outbox;
#[cfg(not(target_os = "linux"))]
#[path = "socket/one_by_one.rs"]
mod outbox;

pub use outbox::Outbox;

use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use serde::Serialize;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};

/// Buffers given to one receive call. Guess: a publisher's burst of a key frame arrives as a few GRO runs; more calls follow at once.
pub(super) const BATCH: usize = 16;

/// The largest UDP payload, and so the largest GRO run.
const LARGEST_RUN: usize = 65_535;

/// Largest datagram sent in a run: fits the least MTU of IPv6, 1280 bytes, with its headers. Browsers' media stays below.
const LARGEST_SEGMENT: usize = 1_232;

/// Most bytes in one GSO send: what fits an IPv6 packet's length field (65535) less headers, with room for extension headers.
const LARGEST_SEND: usize = 65_000;

/// System calls after which segmentation offload is tried again once it was lost. Guess: seconds at full load, so that one odd
/// destination costs one run now and then and not the whole machine's throughput for ever.
const GSO_RETRY: u64 = 65_536;

/// What became of the sends of a socket.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct SendStats {
    /// System calls that sent something.
    pub calls: u64,
    /// What they sent: datagrams of one size to one destination, each one pass through the kernel's send path.
    pub runs: u64,
    /// Datagrams handed to the kernel.
    pub datagrams: u64,
    /// Their bytes, UDP payload only.
    pub bytes: u64,
    /// Datagrams dropped because the kernel's send buffer was full.
    pub dropped_full: u64,
    /// Datagrams that the kernel refused for another reason (unreachable, too large, no permission).
    pub failed: u64,
    /// Times that segmentation offload was switched off because the kernel refused a run.
    pub gso_lost: u64,
}

/// A shard's socket.
pub struct MediaSocket {
    socket: UdpSocket,
    state: UdpSocketState,
    local: SocketAddr,
    gso: usize,
    /// Value of `stats.calls` at which offload is tried again.
    gso_retry_at: Option<u64>,
    /// What sound is marked with, where it isn't the socket's own mark: the field of the IP header, congestion notification included.
    sound: Option<u8>,
    /// Counts of sending.
    pub stats: SendStats,
}

impl MediaSocket {
    /// The first socket takes the port for itself and shares it only then, so that another process on the same port, or a free port
    /// that the system picks although another edge shares it among its own, is an error and not half of somebody's datagrams.
    fn open(address: SocketAddr, first: bool, buffer: usize) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            // The system's default (bindv6only) may differ; a specific IPv6 address is unaffected.
            socket.set_only_v6(false)?;
        }
        if first {
            socket.bind(&address.into())?;
            socket.set_reuse_port(true)?;
        } else {
            socket.set_reuse_port(true)?;
            socket.bind(&address.into())?;
        }
        // Refusals only mean smaller buffers; `bind` reports what was granted.
        let _ = socket.set_recv_buffer_size(buffer);
        let _ = socket.set_send_buffer_size(buffer);
        let socket = UdpSocket::from(socket);
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        allow_fragments(&socket, address);
        let local = socket.local_addr()?;
        let gso = state.max_gso_segments();
        Ok(Self { socket, state, local, gso, gso_retry_at: None, sound: None, stats: SendStats::default() })
    }

    /// Marks what is sent with differentiated services code points (RFC 2474), 0 to 63: sound with `sound`, all else with `other`. The one is
    /// the socket's, the other is told with each call (Linux; elsewhere sound is marked as the rest).
    ///
    /// # Errors
    /// The kernel refuses it.
    pub fn mark(&mut self, other: u8, sound: u8) -> io::Result<()> {
        // Its low two bits are those of congestion notification.
        let field = |code_point: u8| (code_point & 63) << 2;
        let socket = SockRef::from(&self.socket);
        if self.local.is_ipv6() {
            socket.set_tclass_v6(u32::from(field(other)))?;
        }
        // On a dual-stack socket for its IPv4 peers.
        socket.set_tos_v4(u32::from(field(other)))?;
        self.sound = (sound != other).then(|| field(sound));
        Ok(())
    }

    /// Where it is bound, as bound: `[::]` stays that.
    #[must_use]
    pub fn local_address(&self) -> SocketAddr {
        self.local
    }

    /// The descriptor, for polling.
    pub(super) fn inner(&self) -> &UdpSocket {
        &self.socket
    }

    /// Reads a batch of runs into `buffers`.
    ///
    /// # Errors
    /// `WouldBlock` when there is nothing; anything else is the socket's trouble.
    pub fn receive(&self, buffers: &mut Buffers) -> io::Result<usize> {
        let mut slices: [IoSliceMut<'_>; BATCH] = core::array::from_fn(|_| IoSliceMut::new(&mut []));
        for (slot, chunk) in slices.iter_mut().zip(buffers.bytes.chunks_exact_mut(LARGEST_RUN)) {
            *slot = IoSliceMut::new(chunk);
        }
        let received = self.state.recv(UdpSockRef::from(&self.socket), &mut slices, &mut buffers.metas)?;
        buffers.filled = received;
        Ok(received)
    }

    /// Sends the datagrams in `contents`, all of `segment_size` bytes but the last, to `destination`, from the local address `source` if
    /// one is given. Cannot fail: what the kernel doesn't take is counted.
    pub fn send(&mut self, destination: SocketAddr, source: Option<IpAddr>, segment_size: usize, contents: &[u8]) {
        let segment_size = segment_size.max(1);
        let segments = |bytes: usize| u64::try_from(bytes.div_ceil(segment_size)).unwrap_or(u64::MAX);
        if destination.port() == 0 {
            // The kernel says EINVAL, which quinn-udp takes for "no GSO here" and would switch it off for everybody.
            self.stats.failed += segments(contents.len());
            return;
        }
        if self.gso_retry_at.is_some_and(|retry_at| self.stats.calls >= retry_at) {
            self.restore_offload();
        }
        // Datagrams that don't fit every path go one by one: refused as a run, they would cost everybody the offload.
        let together = if segment_size > LARGEST_SEGMENT { 1 } else { self.state.max_gso_segments() };
        let most = together.min(LARGEST_SEND / segment_size).max(1);
        for run in contents.chunks(most.saturating_mul(segment_size)) {
            let transmit = Transmit {
                destination: self.kernel_address(destination),
                ecn: None,
                contents: run,
                segment_size: (run.len() > segment_size).then_some(segment_size),
                src_ip: source,
            };
            match self.state.try_send(UdpSockRef::from(&self.socket), &transmit) {
                Ok(()) => {
                    self.stats.calls += 1;
                    self.stats.runs += 1;
                    self.stats.datagrams += segments(run.len());
                    self.stats.bytes += u64::try_from(run.len()).unwrap_or_default();
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.stats.dropped_full += segments(run.len()),
                Err(error) => {
                    self.stats.failed += segments(run.len());
                    self.note(destination, &error);
                }
            }
        }
    }

    fn note(&mut self, destination: SocketAddr, error: &io::Error) {
        let gso = self.state.max_gso_segments();
        if gso < self.gso {
            if self.stats.gso_lost == 0 {
                tracing::warn!(
                    %destination, %error,
                    "the kernel refused a run of datagrams; they are now sent one by one, which costs two to three times the CPU, until \
                     the next try. A network driver without UDP segmentation does this"
                );
            }
            self.stats.gso_lost += 1;
            self.gso = gso;
            self.gso_retry_at = Some(self.stats.calls.saturating_add(GSO_RETRY));
        } else {
            tracing::debug!(%destination, %error, "a datagram could not be sent");
        }
    }

    /// quinn-udp never tries again by itself: one refused run would cost offload for good.
    fn restore_offload(&mut self) {
        self.gso_retry_at = None;
        match UdpSocketState::new(UdpSockRef::from(&self.socket)) {
            Ok(state) => {
                allow_fragments(&self.socket, self.local);
                self.gso = state.max_gso_segments();
                self.state = state;
            }
            Err(error) => tracing::debug!(%error, "segmentation offload could not be set up again"),
        }
    }

    /// An IPv6 socket takes IPv4 destinations in their mapped form only.
    fn kernel_address(&self, address: SocketAddr) -> SocketAddr {
        match (self.local, address) {
            (SocketAddr::V6(_), SocketAddr::V4(v4)) => SocketAddr::new(v4.ip().to_ipv6_mapped().into(), v4.port()),
            _ => address,
        }
    }
}

/// What a batch is received into; reused for ever.
pub struct Buffers {
    bytes: Vec<u8>,
    metas: [RecvMeta; BATCH],
    filled: usize,
}

impl Default for Buffers {
    fn default() -> Self {
        // A megabyte of address space; the kernel gives memory only to the pages that datagrams touch.
        Self { bytes: vec![0; BATCH * LARGEST_RUN], metas: [RecvMeta::default(); BATCH], filled: 0 }
    }
}

/// Datagrams of one size (the last may be shorter) that arrived together from one address at another.
pub struct Run<'a> {
    /// The sender, canonical.
    pub from: SocketAddr,
    /// The local IP address they were sent to, where the system tells.
    pub to: Option<IpAddr>,
    /// Size of each datagram but perhaps the last.
    pub stride: usize,
    /// All of them, end to end.
    pub bytes: &'a mut [u8],
}

impl Buffers {
    /// The runs of the last batch.
    pub fn runs(&mut self) -> impl Iterator<Item = Run<'_>> {
        let runs = self.metas.iter().zip(self.bytes.chunks_exact_mut(LARGEST_RUN)).take(self.filled);
        runs.filter_map(|(meta, chunk)| {
            let bytes = chunk.get_mut(..meta.len)?;
            Some(Run { from: canonical(meta.addr), to: meta.dst_ip.map(canonical_ip), stride: meta.stride.max(1), bytes })
        })
    }
}

/// Binds `count` sockets to the same port of `address` and says what buffers the kernel granted.
///
/// # Errors
/// The first socket's error; the default `[::]` falls back to `0.0.0.0` on hosts without IPv6.
pub fn bind(address: SocketAddr, count: u8, buffer: usize) -> io::Result<Vec<MediaSocket>> {
    let first = match MediaSocket::open(address, true, buffer) {
        Err(error) if crate::net::lacks_ipv6(&address, &error) => MediaSocket::open(crate::net::without_ipv6(address), true, buffer)?,
        opened => opened?,
    };
    let address = first.local;
    report(&first, buffer);
    let mut sockets = vec![first];
    for _ in 1..count {
        sockets.push(MediaSocket::open(address, false, buffer)?);
    }
    Ok(sockets)
}

/// quinn-udp forbids fragments, which QUIC wants. Media has no second, smaller form of a packet: on a path that is narrower than an IPv6 path may
/// be (1280 bytes; some IPv4 tunnels and radio links are) a fragment arrives where a packet that must not be cut is lost, mostly unheard of.
#[cfg(target_os = "linux")]
fn allow_fragments(socket: &UdpSocket, address: SocketAddr) {
    use rustix::net::sockopt::{Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, set_ip_mtu_discover, set_ipv6_mtu_discover};
    let v4 = set_ip_mtu_discover(socket, Ipv4PathMtuDiscovery::DONT);
    let v6 = if address.is_ipv6() { set_ipv6_mtu_discover(socket, Ipv6PathMtuDiscovery::DONT) } else { Ok(()) };
    if let Err(error) = v4.and(v6) {
        tracing::warn!(%error, "datagrams that are too large for a path will be lost, since the system does not let them be cut up");
    }
}

#[cfg(not(target_os = "linux"))]
fn allow_fragments(_: &UdpSocket, _: SocketAddr) {}

fn report(socket: &MediaSocket, asked: usize) {
    let reference = UdpSockRef::from(&socket.socket);
    let receive = socket.state.recv_buffer_size(UdpSockRef::from(&socket.socket)).unwrap_or_default();
    let send = socket.state.send_buffer_size(reference).unwrap_or_default();
    let (gro, gso) = (socket.state.gro_segments(), socket.state.max_gso_segments());
    tracing::info!(udp = %socket.local, receive_buffer = receive, send_buffer = send, gro, gso, "media sockets bound");
    if receive < asked || send < asked {
        tracing::warn!(
            asked,
            receive,
            send,
            "the kernel granted smaller UDP buffers than asked for, so bursts may be lost; remedy: \
             sysctl -w net.core.rmem_max={asked} net.core.wmem_max={asked}, or a smaller socket_buffer"
        );
    }
}

/// IPv4 as IPv4, and IPv6 without its flow label, so that equal addresses are equal.
#[must_use]
pub fn canonical(address: SocketAddr) -> SocketAddr {
    match (canonical_ip(address.ip()), address) {
        (IpAddr::V6(ip), SocketAddr::V6(v6)) => SocketAddrV6::new(ip, v6.port(), 0, v6.scope_id()).into(),
        (ip, _) => SocketAddr::new(ip, address.port()),
    }
}

/// IPv4 as IPv4.
#[must_use]
pub fn canonical_ip(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => Ipv6Addr::to_canonical(&v6),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests;
