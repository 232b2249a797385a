//! How many WebSockets come from one address: so that one host can't take all the places there are.
//!
//! Only public addresses are counted. A proxy in front of the edge speaks from a loopback or private one, for everybody behind it, and has
//! limits of its own.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// Who is at the other end of a TCP connection; in every request's extensions.
#[derive(Clone, Copy, Debug)]
pub struct PeerAddress(pub IpAddr);

/// Those that are open now. As large as there are addresses with one.
#[derive(Debug, Default)]
pub struct Addresses {
    open: Arc<Mutex<HashMap<IpAddr, u64>>>,
}

/// A place of one address; whoever drops it gives it back.
#[derive(Debug)]
pub struct Place {
    open: Arc<Mutex<HashMap<IpAddr, u64>>>,
    /// None: not counted.
    network: Option<IpAddr>,
}

impl Addresses {
    /// Makes room for one more, unless there are `most` of its address. `most` zero: any number.
    #[must_use]
    pub fn enter(&self, peer: Option<PeerAddress>, most: u64) -> Option<Place> {
        let network = peer.map(|PeerAddress(address)| network(address)).filter(|address| most > 0 && is_public(*address));
        if let Some(network) = network {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            let count = open.entry(network).or_default();
            if *count >= most {
                return None;
            }
            *count += 1;
        }
        Some(Place { open: Arc::clone(&self.open), network })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(network) = self.network else { return };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&network) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.remove(&network);
            }
        }
    }
}

/// What one host has to itself: an IPv4 address, or an IPv6 network of 64 bits (RFC 4291 §2.5.1).
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            let shared = first == 100 && second & 0xc0 == 64; // carriers' own (RFC 6598), where a proxy may be too
            !(address.is_loopback() || address.is_private() || address.is_link_local() || address.is_unspecified() || shared)
        }
        IpAddr::V6(address) => {
            // ::/64 holds loopback; fc00::/7 (RFC 4193) and fe80::/10 are local.
            let first = address.segments().first().copied().unwrap_or_default();
            !(address.segments().starts_with(&[0, 0, 0, 0]) || first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfe80)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(address: &str) -> Option<PeerAddress> {
        Some(PeerAddress(address.parse().unwrap()))
    }

    #[test]
    fn one_address_takes_so_many_places_and_gives_them_back() {
        let addresses = Addresses::default();
        let first = addresses.enter(peer("203.0.113.7"), 2);
        let second = addresses.enter(peer("::ffff:203.0.113.7"), 2);
        assert!(first.is_some() && second.is_some());
        assert!(addresses.enter(peer("203.0.113.7"), 2).is_none());
        assert!(addresses.enter(peer("203.0.113.8"), 2).is_some());
        drop(first);
        assert!(addresses.enter(peer("203.0.113.7"), 2).is_some());
        drop(second);
        assert!(addresses.open.lock().unwrap().is_empty());
    }

    #[test]
    fn all_of_a_host_s_ipv6_network_is_one() {
        let addresses = Addresses::default();
        let _held = addresses.enter(peer("2001:db8::1"), 1);
        assert!(addresses.enter(peer("2001:db8::ffff:2"), 1).is_none());
        assert!(addresses.enter(peer("2001:db8:0:1::1"), 1).is_some());
    }

    #[test]
    fn who_speaks_from_no_public_address_is_not_counted() {
        let addresses = Addresses::default();
        for local in ["127.0.0.1", "::1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.1.1", "100.64.0.1", "fd00::1", "fe80::1"] {
            let held: Vec<_> = (0..3).map(|_| addresses.enter(peer(local), 1)).collect();
            assert!(held.iter().all(Option::is_some), "{local}");
        }
        let held: Vec<_> = (0..3).map(|_| addresses.enter(peer("203.0.113.7"), 0)).collect();
        assert!(held.iter().all(Option::is_some), "no limit");
    }
}
