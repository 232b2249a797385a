//! One system call for each run, where there is no `sendmmsg`.

use super::MediaSocket;
use sfu_core::Batch;
use std::net::{IpAddr, SocketAddr};

/// Nothing to keep.
#[derive(Debug, Default)]
pub struct Outbox;

impl MediaSocket {
    /// Sends the runs of `batch`, each from the local address that `source_of` names for its destination. Cannot fail: what the kernel
    /// doesn't take is counted.
    pub fn send_batch(&mut self, _outbox: &mut Outbox, batch: Batch<'_>, source_of: impl Fn(SocketAddr) -> Option<IpAddr>) {
        for transmit in batch.iter() {
            self.send(transmit.destination, source_of(transmit.destination), transmit.segment_size, transmit.contents);
        }
    }
}
