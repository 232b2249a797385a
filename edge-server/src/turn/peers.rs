//! Whom the relay may send to. A relay that reaches what only this machine or its network should is a hole in every firewall around it.
//!
//! Denied: everything that isn't an ordinary public address, in whatever form it is written (an IPv4 address inside an IPv6 one is judged as what
//! it is), and this edge's own addresses but for its media ports and the relays of its other clients. These are allowed wherever they are: two people
//! who both need the relay are two of its clients.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The policy of one edge.
#[derive(Debug, Default)]
pub struct Peers {
    /// Where media is served as clients know it, and where it is reached from here.
    own: HashMap<SocketAddr, SocketAddr>,
    /// What clients were given, as they know it. As many as there are allocations.
    relays: Mutex<HashSet<SocketAddr>>,
}

impl Peers {
    /// `media`: what answers announce. `here`: an address is one of this machine's; what isn't (NAT) is reached by loopback.
    #[must_use]
    pub fn new(media: &[SocketAddr], here: impl Fn(SocketAddr) -> bool) -> Self {
        let inside = |address: SocketAddr| match address {
            _ if here(address) => address,
            SocketAddr::V4(_) => (Ipv4Addr::LOCALHOST, address.port()).into(),
            SocketAddr::V6(_) => (Ipv6Addr::LOCALHOST, address.port()).into(),
        };
        Self { own: media.iter().map(|address| (*address, inside(*address))).collect(), relays: Mutex::default() }
    }

    fn relays(&self) -> MutexGuard<'_, HashSet<SocketAddr>> {
        self.relays.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A client was given this relay; it can be reached by others from now on, if they have its client's permission.
    pub fn open(&self, relay: SocketAddr) {
        self.relays().insert(relay);
    }

    /// It's gone.
    pub fn close(&self, relay: SocketAddr) {
        self.relays().remove(&relay);
    }

    /// Whether a client may ask for this address at all. Ports count when something is sent.
    #[must_use]
    pub fn may_permit(&self, peer: IpAddr) -> bool {
        is_public(peer) || self.own.keys().any(|own| own.ip() == peer)
    }

    /// Where a datagram for `peer` goes; none: nowhere.
    #[must_use]
    pub fn route(&self, peer: SocketAddr) -> Option<SocketAddr> {
        if let Some(inside) = self.own.get(&peer) {
            return Some(*inside);
        }
        // One of this edge's addresses is reached from here where its media is.
        if let Some((_, inside)) = self.own.iter().find(|(own, _)| own.ip() == peer.ip()) {
            return self.relays().contains(&peer).then(|| SocketAddr::new(inside.ip(), peer.port()));
        }
        (is_public(peer.ip()) && peer.port() != 0).then_some(peer)
    }

    /// As whom the client knows the sender of a datagram.
    #[must_use]
    pub fn known_as(&self, from: SocketAddr) -> SocketAddr {
        if let Some((outside, _)) = self.own.iter().find(|(_, inside)| **inside == from) {
            return *outside;
        }
        let names = self.own.iter().filter(|(_, inside)| inside.ip() == from.ip()).map(|(own, _)| SocketAddr::new(own.ip(), from.port()));
        names.filter(|name| *name != from).find(|name| self.relays().contains(name)).unwrap_or(from)
    }

    /// An address that the relay's own side can be called, of the family of `like`.
    #[must_use]
    pub fn outside(&self, ipv6: bool) -> Option<IpAddr> {
        // The smallest, so that it is the same each time.
        self.own.keys().map(SocketAddr::ip).filter(|ip| ip.is_ipv6() == ipv6).min()
    }
}

/// An address of the open internet, that packets of strangers may be sent to (IANA's special-purpose registries, RFC 6890).
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = matches!(
        (a, b, c),
        (0 | 10 | 127, _, _) // this network, private, loopback
            | (100, 64..=127, _) // carrier-grade NAT
            | (169, 254, _) // link-local, where clouds have their metadata
            | (172, 16..=31, _) | (192, 168, _) // private
            | (192, 0, 0 | 2) | (192, 88, 99) | (198, 51, 100) | (203, 0, 113) // protocols, documentation, 6to4 relays
            | (198, 18..=19, _) // benchmarks
            | (224.., _, _) // multicast, reserved, broadcast
    );
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // An IPv4 address inside, wherever the form puts it.
    let [.., high, low] = segments;
    let last = || from_halves(high, low);
    match segments {
        // Mapped (RFC 4291 §2.5.5.2), translated (RFC 2765), compatible (deprecated): what a kernel may take for IPv4. Nobody needs to write one so.
        [0, 0, 0, 0, 0, 0xffff | 0, ..] | [0, 0, 0, 0, 0xffff, 0, ..] => false,
        // NAT64 (RFC 6052, and its local prefix, RFC 8215): the translator sends to what is inside.
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => is_public_v4(last()),
        [0x64, 0xff9b, ..] => false,
        // 6to4 (RFC 3056): the address of the tunnel's end.
        [0x2002, one, two, ..] => is_public_v4(from_halves(one, two)),
        // Teredo and other protocol assignments (RFC 2928), documentation (RFC 3849, RFC 9637), ORCHID.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // ISATAP (RFC 5214): an IPv4 address behind 0:5efe or 200:5efe.
        [_, _, _, _, 0 | 0x200, 0x5efe, ..] => false,
        // Global unicast is 2000::/3; unique local, link-local, site-local, multicast and discard are outside.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

fn from_halves(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))
}

#[cfg(test)]
mod tests;
