//! Which local address each peer talks to, so that what is sent to it leaves from there.
//!
//! Left to itself, the kernel picks the address that the route suggests. On a host with several (floating IPs, two networks, loopback
//! in development) that is often another one than the browser asked, and what comes from there it drops.
//!
//! A check (STUN) is answered from where it was sent to. Everything else follows the peer's own choice: media is only sent on the
//! selected pair, so the address that media came to last is it.
//!
//! On a socket bound to one address, and on a host that has only one of each family, nothing is kept and nothing looked up.

use super::announce::Interface;
use super::socket::canonical_ip;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

/// One shard's memory of local addresses.
pub struct Sources {
    ambiguous: bool,
    local: SocketAddr,
    /// Of accepted peers; as large as the core's own table of addresses.
    bound: HashMap<SocketAddr, IpAddr>,
    /// The check that is being answered.
    check: Option<(SocketAddr, IpAddr)>,
}

impl Sources {
    /// For a socket bound to `local` on a host with these interfaces; `loopback`: browsers on this machine are served too.
    #[must_use]
    pub fn new(local: SocketAddr, interfaces: &[Interface], loopback: bool) -> Self {
        let usable =
            |interface: &Interface| interface.up && !link_local(interface.address) && (loopback || !interface.address.is_loopback());
        let several =
            |family: fn(&IpAddr) -> bool| interfaces.iter().filter(|interface| usable(interface) && family(&interface.address)).count() > 1;
        let ambiguous = canonical_ip(local.ip()).is_unspecified() && (several(IpAddr::is_ipv4) || several(IpAddr::is_ipv6));
        Self { ambiguous, local, bound: HashMap::new(), check: None }
    }

    /// Remembers where a datagram was sent to, and returns that as an address.
    pub fn note(&mut self, from: SocketAddr, to: Option<IpAddr>, stun: bool) -> SocketAddr {
        let Some(ip) = to else { return self.local };
        if self.ambiguous {
            if stun {
                self.check = Some((from, ip));
            } else if let Some(bound) = self.bound.get_mut(&from) {
                *bound = ip;
            }
        }
        SocketAddr::new(ip, self.local.port())
    }

    /// The check that is being answered made the core accept its sender.
    pub fn bind(&mut self, from: SocketAddr) {
        if let Some((_, ip)) = self.check.filter(|(checked, _)| *checked == from) {
            self.bound.insert(from, ip);
        }
    }

    /// The core is done with that sender.
    pub fn unbind(&mut self, from: SocketAddr) {
        self.bound.remove(&from);
    }

    /// Where to send from; `None`: the kernel may choose.
    #[must_use]
    pub fn of(&self, destination: SocketAddr) -> Option<IpAddr> {
        if !self.ambiguous {
            return None;
        }
        match self.check {
            Some((checked, ip)) if checked == destination => Some(ip),
            _ => self.bound.get(&destination).copied(),
        }
    }

    /// The check has been answered.
    pub fn answered(&mut self) {
        self.check = None;
    }

    /// The core has lost everything.
    pub fn clear(&mut self) {
        self.bound.clear();
        self.check = None;
    }
}

fn link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

#[cfg(test)]
mod tests;
