//! Many runs in one system call (`sendmmsg`, Linux).
//!
//! Runs that share a segment size, a source address and a mark go together: a frame's subscribers get equal runs, so that is nearly all of them.
//! A run that the kernel refuses, since its datagrams are too large for their path as they are, goes as single datagrams, which may be cut up.
//! What is refused for another reason goes on its own through [`MediaSocket::send`], which knows what to do about that; unmarked, since quinn-udp writes
//! the field that marks it. What one destination is sent keeps its order.
//!
//! Not shared between threads: the headers point at each other.

use super::{LARGEST_SEGMENT, LARGEST_SEND, MediaSocket};
use nix::cmsg_space;
use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{ControlMessage, MsgFlags, MultiHeaders, SockaddrStorage, sendmmsg, sendmsg};
use sfu_core::{Batch, Transmit, Via};
use std::io::IoSlice;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd;

/// Runs in one system call. The core hands out no more at a time, but in a flood.
const MOST: usize = 64;

/// What the messages of one call have in common.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Shape {
    /// Size of each datagram; none: one datagram each.
    segment: Option<u16>,
    source: Option<IpAddr>,
    /// None: the socket's own.
    mark: Option<Mark>,
}

/// How a datagram is marked, as the kernel takes it for its family.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Mark {
    V4(u8),
    V6(i32),
}

/// Headers of messages with control data of one size; made when first needed, kept for ever.
type Headers = Option<MultiHeaders<SockaddrStorage>>;

/// What `sendmmsg` needs, allocated once.
#[derive(Debug, Default)]
pub struct Outbox {
    // By control data: for the mark, the segment size, and the source.
    headers: [[[Headers; 3]; 2]; 2],
    addresses: Vec<Option<SockaddrStorage>>,
}

impl Outbox {
    fn headers(&mut self, shape: Shape) -> (&mut MultiHeaders<SockaddrStorage>, &[Option<SockaddrStorage>]) {
        let Self { headers: [[plain, segmented], [marked, marked_segmented]], addresses } = self;
        let [nowhere, v4, v6] = match (shape.mark.is_some(), shape.segment.is_some()) {
            (false, false) => plain,
            (false, true) => segmented,
            (true, false) => marked,
            (true, true) => marked_segmented,
        };
        let (place, source) = match shape.source {
            None => (nowhere, 0),
            Some(IpAddr::V4(_)) => (v4, cmsg_space!(libc::in_pktinfo).capacity()),
            Some(IpAddr::V6(_)) => (v6, cmsg_space!(libc::in6_pktinfo).capacity()),
        };
        let segment = if shape.segment.is_some() { cmsg_space!(u16).capacity() } else { 0 };
        // An IPv4 mark is a byte, which takes as much.
        let mark = if shape.mark.is_some() { cmsg_space!(i32).capacity() } else { 0 };
        let space = segment.saturating_add(source).saturating_add(mark);
        let control = (space > 0).then(|| Vec::with_capacity(space));
        (place.get_or_insert_with(|| MultiHeaders::preallocate(MOST, control)), addresses)
    }
}

/// A set of positions in a window of [`MOST`] runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Positions(u64);

impl Positions {
    fn iter(self) -> impl Iterator<Item = usize> {
        (0..MOST).filter(move |position| self.contains(*position))
    }

    fn contains(self, position: usize) -> bool {
        self.0 & (1 << (position % MOST)) != 0
    }

    fn insert(&mut self, position: usize) {
        self.0 |= 1 << (position % MOST);
    }

    fn remove(&mut self, position: usize) {
        self.0 &= !(1 << (position % MOST));
    }
}

impl MediaSocket {
    /// Sends the runs of `batch`, each from the local address that `source_of` names for its destination. Cannot fail: what the kernel
    /// doesn't take is counted. What is for a TCP connection is given to `over_tcp` with its number.
    pub fn send_batch(
        &mut self,
        outbox: &mut Outbox,
        batch: Batch<'_>,
        source_of: impl Fn(SocketAddr) -> Option<IpAddr>,
        mut over_tcp: impl FnMut(u32, Transmit<'_>),
    ) {
        for start in (0..batch.len()).step_by(MOST) {
            let count = MOST.min(batch.len() - start);
            let mut datagrams = Positions(0);
            for position in 0..count {
                let Some(transmit) = batch.get(start + position) else { continue };
                match transmit.destination.via {
                    Via::Udp => datagrams.insert(position),
                    Via::Tcp(number) => over_tcp(number, transmit),
                }
            }
            self.send_window(outbox, |position| batch.get(start + position), datagrams, &source_of);
        }
    }

    #[cfg(test)]
    pub(super) fn send_runs(&mut self, outbox: &mut Outbox, runs: &[Transmit<'_>]) {
        let all = Positions((1 << runs.len()) - 1);
        self.send_window(outbox, |position| runs.get(position).copied(), all, &|_| None);
    }

    fn send_window<'a>(
        &mut self,
        outbox: &mut Outbox,
        run: impl Fn(usize) -> Option<Transmit<'a>>,
        mut left: Positions,
        source_of: &impl Fn(SocketAddr) -> Option<IpAddr>,
    ) {
        if self.gso_retry_at.is_some_and(|retry_at| self.stats.calls >= retry_at) {
            self.restore_offload();
        }
        while let Some(first) = left.iter().next() {
            let Some(transmit) = run(first) else {
                left.remove(first);
                continue;
            };
            let source = source_of(transmit.destination.address);
            let Some(shape) = self.shape(&transmit, source) else {
                self.send_apart(source, transmit);
                left.remove(first);
                continue;
            };
            let mut group = Positions(0);
            let mut skipped = Positions(0);
            for position in left.iter() {
                let Some(transmit) = run(position) else { continue };
                let alike = self.shape(&transmit, source_of(transmit.destination.address)) == Some(shape);
                let overtakes =
                    || skipped.iter().any(|earlier| run(earlier).is_some_and(|earlier| earlier.destination == transmit.destination));
                if alike && (skipped.0 == 0 || !overtakes()) {
                    group.insert(position);
                } else {
                    skipped.insert(position);
                }
            }
            self.send_alike(outbox, shape, &run, group);
            left.0 &= !group.0;
        }
    }

    /// What a run must have in common with others to go with them; none: it goes alone.
    fn shape(&self, transmit: &Transmit<'_>, source: Option<IpAddr>) -> Option<Shape> {
        let several = transmit.contents.len() > transmit.segment_size;
        let fits = transmit.segment_size <= LARGEST_SEGMENT
            && transmit.datagrams() <= self.state.max_gso_segments()
            && transmit.contents.len() <= LARGEST_SEND;
        if transmit.destination.address.port() == 0 || self.gso_retry_at.is_some() || (several && !fits) {
            return None;
        }
        let segment = if several { Some(u16::try_from(transmit.segment_size).ok()?) } else { None };
        Some(Shape { segment, source, mark: self.mark_of(transmit) })
    }

    fn mark_of(&self, transmit: &Transmit<'_>) -> Option<Mark> {
        let field = self.sound.filter(|_| transmit.sound)?;
        Some(if transmit.destination.address.is_ipv4() { Mark::V4(field) } else { Mark::V6(field.into()) })
    }

    /// Sends the runs of `group`, all of `shape`, in as few calls as the kernel takes.
    fn send_alike<'a>(&mut self, outbox: &mut Outbox, shape: Shape, run: &impl Fn(usize) -> Option<Transmit<'a>>, group: Positions) {
        let mut slices: [[IoSlice<'a>; 1]; MOST] = [[IoSlice::new(&[])]; MOST];
        let mut sizes = [0_usize; MOST];
        outbox.addresses.clear();
        let mut count = 0;
        for transmit in group.iter().filter_map(run) {
            if let (Some(slice), Some(size)) = (slices.get_mut(count), sizes.get_mut(count)) {
                *slice = [IoSlice::new(transmit.contents)];
                *size = transmit.datagrams();
                outbox.addresses.push(Some(SockaddrStorage::from(self.kernel_address(transmit.destination.address))));
                count += 1;
            }
        }
        let mut done = 0;
        while done < count {
            let sent = self.send_some(outbox, shape, slices.get(done..count).unwrap_or_default(), done);
            let taken = sent.unwrap_or_default().min(count - done);
            self.stats.calls += u64::from(taken > 0);
            self.stats.runs += taken as u64;
            for (slice, size) in slices.iter().zip(&sizes).skip(done).take(taken) {
                self.stats.datagrams += *size as u64;
                self.stats.bytes += slice.iter().map(|slice| slice.len() as u64).sum::<u64>();
            }
            done += taken;
            match sent {
                Ok(1..) => {}
                // The message at hand is the one refused; those behind it get their chance.
                Err(Errno::EAGAIN | Errno::ENOBUFS) => {
                    self.stats.dropped_full += sizes.get(done).copied().unwrap_or_default() as u64;
                    done += 1;
                }
                Ok(0) | Err(_) => {
                    if let Some(refused) = group.iter().nth(done).and_then(run) {
                        // EINVAL is what kernels before 6.13 say of segments above the path's MTU.
                        if shape.segment.is_some() && matches!(sent, Err(Errno::EMSGSIZE | Errno::EINVAL)) {
                            self.send_apart(shape.source, refused);
                        } else {
                            self.send(refused.destination.address, shape.source, refused.segment_size, refused.contents);
                        }
                    }
                    done += 1;
                }
            }
        }
    }

    /// Sends the datagrams of a run each by itself: without segmentation offload the kernel cuts up what is too large for its path, and where the
    /// offload was lost this is what is left.
    fn send_apart(&mut self, source: Option<IpAddr>, run: Transmit<'_>) {
        let to = SockaddrStorage::from(self.kernel_address(run.destination.address));
        let shape = Shape { segment: None, source, mark: self.mark_of(&run) };
        for datagram in run.contents.chunks(run.segment_size.max(1)) {
            let slices = [IoSlice::new(datagram)];
            let sent = shape.with_control(|control| sendmsg(self.socket.as_raw_fd(), &slices, control, MsgFlags::empty(), Some(&to)));
            match sent {
                Ok(_) => {
                    self.stats.calls += 1;
                    self.stats.runs += 1;
                    self.stats.datagrams += 1;
                    self.stats.bytes += datagram.len() as u64;
                }
                Err(Errno::EAGAIN | Errno::ENOBUFS) => self.stats.dropped_full += 1,
                Err(error) => {
                    self.stats.failed += 1;
                    tracing::debug!(destination = %run.destination.address, %error, "a datagram could not be sent");
                }
            }
        }
    }

    /// One system call; the number of messages it took.
    fn send_some(&self, outbox: &mut Outbox, shape: Shape, slices: &[[IoSlice<'_>; 1]], skip: usize) -> nix::Result<usize> {
        let (headers, addresses) = outbox.headers(shape);
        let addresses = addresses.get(skip..).unwrap_or_default();
        shape.with_control(|control| {
            loop {
                match sendmmsg(self.socket.as_raw_fd(), headers, slices, addresses, control, MsgFlags::empty()) {
                    Err(Errno::EINTR) => {}
                    outcome => return outcome.map(Iterator::count),
                }
            }
        })
    }
}

impl Shape {
    /// Calls `send` with the control data that says all this to the kernel.
    fn with_control<T>(&self, send: impl FnOnce(&[ControlMessage<'_>]) -> T) -> T {
        let (segment, v4, v6, tos, class);
        let mut control = [None; 3];
        if let Some(size) = self.segment {
            segment = size;
            control[0] = Some(ControlMessage::UdpGsoSegments(&segment));
        }
        match self.source {
            None => {}
            Some(IpAddr::V4(source)) => {
                v4 = pktinfo_v4(source);
                control[1] = Some(ControlMessage::Ipv4PacketInfo(&v4));
            }
            Some(IpAddr::V6(source)) => {
                v6 = pktinfo_v6(source);
                control[1] = Some(ControlMessage::Ipv6PacketInfo(&v6));
            }
        }
        match self.mark {
            None => {}
            Some(Mark::V4(field)) => {
                tos = field;
                control[2] = Some(ControlMessage::Ipv4Tos(&tos));
            }
            Some(Mark::V6(field)) => {
                class = field;
                control[2] = Some(ControlMessage::Ipv6TClass(&class));
            }
        }
        // The kernel doesn't mind their order, and nobody minds a missing one.
        match control {
            [None, None, None] => send(&[]),
            [Some(one), None, None] | [None, Some(one), None] | [None, None, Some(one)] => send(&[one]),
            [Some(one), Some(two), None] | [Some(one), None, Some(two)] | [None, Some(one), Some(two)] => send(&[one, two]),
            [Some(one), Some(two), Some(three)] => send(&[one, two, three]),
        }
    }
}

fn pktinfo_v4(source: std::net::Ipv4Addr) -> libc::in_pktinfo {
    libc::in_pktinfo {
        ipi_ifindex: 0,
        ipi_spec_dst: libc::in_addr { s_addr: u32::from_ne_bytes(source.octets()) },
        ipi_addr: libc::in_addr { s_addr: 0 },
    }
}

fn pktinfo_v6(source: std::net::Ipv6Addr) -> libc::in6_pktinfo {
    libc::in6_pktinfo { ipi6_addr: libc::in6_addr { s6_addr: source.octets() }, ipi6_ifindex: 0 }
}

#[cfg(test)]
mod tests;
