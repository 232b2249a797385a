//! A client's UDP socket.

use crate::LoadError;
use nix::sys::socket::{setsockopt, sockopt};
use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// Datagrams, or runs of them, taken by one system call. Frames mostly come as two or three runs, and preparing for more costs more
/// than another call when there are.
const BATCH: usize = 8;

/// The largest run: what an IPv4 packet holds. The kernel gives memory only to the pages that are written to.
const LARGEST: usize = 1 << 16;

/// Asked of the kernel, which grants less to those who aren't root (`net.core.rmem_max`): 70 % of a core's worth for one of 200
/// subscribers for a third of a second, for the kernel counts 2,304 bytes a packet.
const RECEIVE_BUFFER: usize = 2 << 20;

/// A UDP socket.
#[derive(Debug)]
pub struct Socket {
    inner: UdpSocket,
    state: UdpSocketState,
    local: SocketAddr,
}

/// What a batch is received into; one for all sockets of a thread.
#[derive(Debug)]
pub struct Buffers {
    bytes: Vec<u8>,
    metas: [RecvMeta; BATCH],
}

impl Default for Buffers {
    fn default() -> Self {
        Self { bytes: vec![0; BATCH * LARGEST], metas: [RecvMeta::default(); BATCH] }
    }
}

/// One datagram.
#[derive(Debug)]
pub struct Received<'a> {
    /// From where.
    pub source: SocketAddr,
    /// When the kernel took it, since 1970.
    pub at: Option<Duration>,
    /// What.
    pub bytes: &'a mut [u8],
}

impl Socket {
    /// Binds a free port of `address`. `runs`: takes runs of datagrams as a whole (UDP GRO).
    ///
    /// # Errors
    /// No port or no descriptor is left.
    pub fn open(address: IpAddr, runs: bool) -> Result<Self, LoadError> {
        Self::try_open(address, runs).map_err(LoadError::system("opening a UDP socket (many peers need many: ulimit -n)"))
    }

    fn try_open(address: IpAddr, runs: bool) -> io::Result<Self> {
        let inner = UdpSocket::bind((address, 0))?;
        let state = UdpSocketState::new(UdpSockRef::from(&inner))?;
        setsockopt(&inner, sockopt::UdpGroSegment, &runs)?;
        if setsockopt(&inner, sockopt::RcvBufForce, &RECEIVE_BUFFER).is_err() {
            let _granted = state.set_recv_buffer_size(UdpSockRef::from(&inner), RECEIVE_BUFFER);
        }
        let local = inner.local_addr()?;
        Ok(Self { inner, state, local })
    }

    /// Where it is bound.
    #[must_use]
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// Sends one datagram. What the kernel doesn't take is lost, as on a network.
    pub fn send(&self, destination: SocketAddr, datagram: &[u8]) {
        let _lost = self.inner.send_to(datagram, destination);
    }

    /// Sends datagrams of `segment` bytes (the last may be shorter) that lie behind each other in `run`, in one system call.
    ///
    /// # Errors
    /// The kernel's, also when its buffer is full.
    pub fn send_run(&self, destination: SocketAddr, segment: usize, run: &[u8]) -> io::Result<()> {
        let segment_size = (run.len() > segment).then_some(segment);
        let transmit = Transmit { destination, ecn: None, contents: run, segment_size, src_ip: None };
        self.state.try_send(UdpSockRef::from(&self.inner), &transmit)
    }

    /// Hands what has arrived to `each`, at most a batch; returns how many datagrams there were.
    pub fn receive(&self, buffers: &mut Buffers, mut each: impl FnMut(Received<'_>)) -> usize {
        let Buffers { bytes, metas } = buffers;
        let mut slices: [IoSliceMut<'_>; BATCH] = std::array::from_fn(|_| IoSliceMut::new(&mut []));
        for (slice, chunk) in slices.iter_mut().zip(bytes.chunks_exact_mut(LARGEST)) {
            *slice = IoSliceMut::new(chunk);
        }
        // Nothing there, or the answer to a datagram that a closed port refused: both mean that nothing was received.
        let Ok(count) = self.state.recv(UdpSockRef::from(&self.inner), &mut slices, metas) else { return 0 };
        let mut datagrams = 0;
        for (meta, slice) in metas.iter().zip(&mut slices).take(count) {
            for bytes in slice.get_mut(..meta.len).unwrap_or_default().chunks_mut(meta.stride.max(1)) {
                datagrams += 1;
                each(Received { source: meta.addr, at: meta.timestamp, bytes });
            }
        }
        datagrams
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use std::time::SystemTime;

    #[test]
    fn a_run_arrives_as_single_datagrams_with_their_times() {
        for runs in [false, true] {
            let open = |runs| Socket::open(Ipv4Addr::LOCALHOST.into(), runs).unwrap();
            let (one, two) = (open(false), open(runs));
            let before = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
            one.send_run(two.local(), 4, b"aaaabbbbcc").unwrap();
            one.send(two.local(), b"dd");
            let (mut buffers, mut seen) = (Buffers::default(), Vec::new());
            let count = two.receive(&mut buffers, |received| {
                assert_eq!(received.source, one.local());
                assert!(received.at.unwrap() >= before);
                seen.push(received.bytes.to_vec());
            });
            assert_eq!((count, seen), (4, ["aaaa", "bbbb", "cc", "dd"].map(|text| text.as_bytes().to_vec()).to_vec()));
            assert_eq!(two.receive(&mut buffers, |_| ()), 0);
        }
    }
}
