//! Which addresses answers announce as host candidates.

use super::socket::canonical_ip;
use crate::config::values::Announce;
use std::net::{IpAddr, SocketAddr};

/// One address of this machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interface {
    /// The address.
    pub address: IpAddr,
    /// The interface is up.
    pub up: bool,
}

/// All addresses of this machine; none if the system doesn't say.
#[must_use]
pub fn interfaces() -> Vec<Interface> {
    let found = if_addrs::get_if_addrs().unwrap_or_default();
    found
        .into_iter()
        .map(|interface| Interface { address: interface.ip(), up: interface.is_oper_up() || interface.is_loopback() })
        .collect()
}

/// The candidates, with the port of `bound`, IPv4 first and each once; at most [`Announce::MOST`].
///
/// `named` wins. Else a bound address that is one; else those of all interfaces that are up, of the family that `bound` serves:
/// without link-local ones (browsers would need a zone), and without loopback, which no other machine can reach, except in
/// development, where a browser on this machine may have nothing else.
#[must_use]
pub fn candidates(named: &[IpAddr], bound: SocketAddr, interfaces: &[Interface], development: bool) -> Vec<SocketAddr> {
    let bound_ip = canonical_ip(bound.ip());
    let mut addresses: Vec<IpAddr> = if !named.is_empty() {
        named.to_vec()
    } else if !bound_ip.is_unspecified() {
        vec![bound_ip]
    } else {
        let mut found: Vec<_> = interfaces
            .iter()
            .filter(|interface| interface.up)
            .map(|interface| interface.address)
            .filter(|address| bound.is_ipv6() || address.is_ipv4())
            .filter(|address| !address.is_unspecified() && !link_local(*address) && (development || !address.is_loopback()))
            .collect();
        // Loopback last: a browser that reaches another address should prefer it.
        found.sort_by_key(|address| (address.is_loopback(), address.is_ipv6()));
        found
    };
    let mut seen = Vec::new();
    addresses.retain(|address| {
        !seen.contains(address) && {
            seen.push(*address);
            true
        }
    });
    addresses.truncate(Announce::MOST);
    addresses.into_iter().map(|address| SocketAddr::new(address, bound.port())).collect()
}

fn link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests;
