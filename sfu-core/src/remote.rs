//! Where a peer is reached: an address, and by which protocol.
//!
//! Over UDP the address is all there is. Over TCP (RFC 6544) datagrams travel as frames ([`crate::framing`]) of one connection, and that is
//! what the edge sends on: so a connection's number is a part of what names its peer, and one that took a closed one's address and port is
//! another peer until it has passed a check of its own.

use std::net::SocketAddr;

/// How datagrams get there.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Via {
    /// As datagrams.
    Udp,
    /// As frames on the TCP connection that the edge has given this number; none is given twice.
    Tcp(u32),
}

/// A peer's end of a way.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Remote {
    /// Its address, canonical.
    pub address: SocketAddr,
    /// By what.
    pub via: Via,
}

impl Remote {
    /// Bytes of IP and transport headers around a datagram that is sent there (RFC 791, RFC 8200, RFC 768; RFC 9293 with the timestamp option,
    /// and the frame's length).
    #[must_use]
    pub fn overhead(&self) -> usize {
        match (self.via, self.address.is_ipv4()) {
            (Via::Udp, true) => 28,
            (Via::Udp, false) => 48,
            (Via::Tcp(_), true) => 54,
            (Via::Tcp(_), false) => 74,
        }
    }

    /// True over TCP.
    #[must_use]
    pub fn is_tcp(&self) -> bool {
        self.via != Via::Udp
    }
}

impl From<SocketAddr> for Remote {
    fn from(address: SocketAddr) -> Self {
        Self { address, via: Via::Udp }
    }
}
