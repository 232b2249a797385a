//! Which of the STUN and TURN servers that the edge named a transport is given: not those that failed lately. Others know them by number, in the
//! order of their addresses.
//!
//! A transport takes them in when it gathers: with its first offer after it was given them, and with every restart. The edge sends fresh
//! credentials in time (`ice_servers`). Not here: contacting any of them, which browsers do.

use crate::MonoTime;
use alloc::string::String;
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

/// Whether an address gave a candidate, and when it was last tried.
type Tried = Option<(bool, MonoTime)>;

/// How each address did, known by its hash (FNV-1a, 32 bits): of two with the same, one is taken for the other, and costs ten seconds at most.
#[derive(Debug, Default)]
pub(crate) struct IceServers(Vec<(u32, Tried)>);

impl IceServers {
    /// The edge names them, all at once and nearest first, so perhaps in another order than before. What is known of an address stays.
    pub(crate) fn named(&mut self, servers: &[IceServer]) {
        let addresses = servers.iter().flat_map(|server| &server.urls).take(MAX_ADDRESSES);
        let hash = |url: &String| url.bytes().fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        let tried = |url: u32| self.0.iter().find(|(known, _)| *known == url).and_then(|(_, tried)| *tried);
        self.0 = addresses.map(hash).map(|url| (url, tried(url))).collect();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// An address gave a candidate, or none.
    pub(crate) fn tried(&mut self, now: MonoTime, address: u32, works: bool) {
        if let Some((_, known)) = self.0.get_mut(address as usize)
            && (works || known.is_none_or(|(worked, at)| !worked || now.millis_since(at) >= WORKED_FOR))
        {
            *known = Some((works, now));
        }
    }

    /// Another network: what failed may work there.
    pub(crate) fn forget(&mut self) {
        self.0.iter_mut().for_each(|(_, tried)| *tried = None);
    }

    /// Those to leave out now, a bit each, the first address in bit 0; none when all of them have failed.
    pub(crate) fn failed(&self, now: MonoTime) -> u32 {
        let (mut failed, mut all) = (0, 0);
        for (address, (_, known)) in self.0.iter().enumerate() {
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
