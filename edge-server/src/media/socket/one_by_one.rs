//! One system call for each run, where there is no `sendmmsg`.

use super::MediaSocket;
use sfu_core::{Batch, Transmit, Via};
use std::net::{IpAddr, SocketAddr};

/// Nothing to keep.
#[derive(Debug, Default)]
pub struct Outbox;

impl MediaSocket {
    /// Sends the runs of `batch`, each from the local address that `source_of` names for its destination. Cannot fail: what the kernel
    /// doesn't take is counted. What is for a TCP connection is given to `over_tcp` with its number.
    pub fn send_batch(
        &mut self,
        _outbox: &mut Outbox,
        batch: Batch<'_>,
        source_of: impl Fn(SocketAddr) -> Option<IpAddr>,
        mut over_tcp: impl FnMut(u32, Transmit<'_>),
    ) {
        for transmit in batch.iter() {
            let to = transmit.destination.address;
            match transmit.destination.via {
                Via::Udp => self.send(to, source_of(to), transmit.segment_size, transmit.contents),
                Via::Tcp(number) => over_tcp(number, transmit),
            }
        }
    }
}
