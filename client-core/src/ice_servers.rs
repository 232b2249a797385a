//! Which of the STUN and TURN servers that the edge named a transport is given: not those that failed lately. By number, in the order of their
//! addresses, since nothing else of them matters here.
//!
//! A transport takes them in when it gathers: with its first offer after it was given them, and with every restart. The edge sends fresh
//! credentials in time (`ice_servers`). Not here: contacting any of them, which browsers do.

use crate::MonoTime;
use alloc::vec::Vec;
use nearcast_protocol::IceServer;

/// How long an address that gave nothing is left out. Guess: browsers wait for it for ten seconds with each gathering, and a server that was
/// restarted is used again within minutes.
const FAILED_FOR: u32 = 300_000; // milliseconds

/// How long an address that worked is believed, whatever else is said: browsers report a failure for each network interface. Guess: longer than one
/// gathering.
const WORKED_FOR: u32 = 30_000; // milliseconds

/// Addresses that are looked at: UDP, TCP and TLS of eight servers.
const MAX_ADDRESSES: usize = 24;

/// How each address did, if it was tried: whether it gave a candidate, and when.
#[derive(Debug, Default)]
pub(crate) struct IceServers(Vec<Option<(bool, MonoTime)>>);

impl IceServers {
    /// The edge names them, all at once. What is known of as many before is taken to be of the same.
    pub(crate) fn named(&mut self, servers: &[IceServer]) {
        let addresses = servers.iter().map(|server| server.urls.len()).sum::<usize>().min(MAX_ADDRESSES);
        if addresses != self.0.len() {
            self.0.clear();
            self.0.resize(addresses, None);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// An address gave a candidate, or none.
    pub(crate) fn tried(&mut self, now: MonoTime, address: u32, works: bool) {
        if let Some(known) = self.0.get_mut(address as usize)
            && (works || known.is_none_or(|(worked, at)| !worked || now.millis_since(at) >= WORKED_FOR))
        {
            *known = Some((works, now));
        }
    }

    /// Another network: what failed may work there.
    pub(crate) fn forget(&mut self) {
        self.0.fill(None);
    }

    /// Those to leave out now, a bit each, the first address in bit 0; none when all of them have failed.
    pub(crate) fn failed(&self, now: MonoTime) -> u32 {
        let (mut failed, mut all) = (0, 0);
        for (address, known) in self.0.iter().enumerate() {
            let bit = 1 << address;
            all |= bit;
            if known.is_some_and(|(works, at)| !works && now.millis_since(at) < FAILED_FOR) {
                failed |= bit;
            }
        }
        if failed == all { 0 } else { failed }
    }
}

#[cfg(test)]
mod tests;
