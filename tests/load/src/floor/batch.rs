//! Runs for many destinations in one system call (`sendmmsg`), as the edge sends them.

use crate::LoadError;
use crate::client::Socket;
use nix::errno::Errno;
use nix::sys::socket::{ControlMessage, MsgFlags, MultiHeaders, SockaddrStorage, sendmmsg};
use std::io::IoSlice;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};

/// Most runs in one call.
pub(super) const MOST: usize = 64;

/// Headers of the messages of one call: with control data for the segment size, and without.
pub(super) struct Batch {
    segmented: MultiHeaders<SockaddrStorage>,
    plain: MultiHeaders<SockaddrStorage>,
    addresses: Vec<Option<SockaddrStorage>>,
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            segmented: MultiHeaders::preallocate(MOST, Some(nix::cmsg_space!(u16))),
            plain: MultiHeaders::preallocate(MOST, None),
            addresses: Vec::with_capacity(MOST),
        }
    }
}

impl Batch {
    /// Sends `runs` of one length, cut into datagrams of `segment` bytes, each to its address. Returns how many runs the kernel took.
    ///
    /// # Errors
    /// The segment size is no size of a datagram.
    pub(super) fn send<'a>(
        &mut self,
        socket: &Socket,
        segment: usize,
        runs: impl Iterator<Item = (SocketAddr, &'a [u8])>,
    ) -> Result<usize, LoadError> {
        let size = u16::try_from(segment).map_err(|error| LoadError::refused("measuring the floor", error))?;
        let mut slices = [[IoSlice::new(&[])]; MOST];
        self.addresses.clear();
        let (mut count, mut longest) = (0, 0);
        for (slice, (address, contents)) in slices.iter_mut().zip(runs) {
            *slice = [IoSlice::new(contents)];
            self.addresses.push(Some(SockaddrStorage::from(address)));
            count += 1;
            longest = contents.len().max(longest);
        }
        let segments = [ControlMessage::UdpGsoSegments(&size)];
        let (headers, control): (_, &[_]) = if longest > segment { (&mut self.segmented, &segments) } else { (&mut self.plain, &[]) };
        let mut done = 0;
        while done < count {
            let (slices, addresses) = (slices.get(done..count).unwrap_or_default(), self.addresses.get(done..).unwrap_or_default());
            match sendmmsg(socket.as_fd().as_raw_fd(), headers, slices, addresses, control, MsgFlags::empty()) {
                Err(Errno::EINTR) => {}
                Ok(sent) => match sent.count() {
                    0 => break,
                    taken => done += taken,
                },
                // What the kernel doesn't take is counted by who called.
                Err(_) => break,
            }
        }
        Ok(done)
    }
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Batch").finish_non_exhaustive()
    }
}
