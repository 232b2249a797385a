//! What HTTP and media share about binding addresses.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

/// `[::]` could not be bound because this host has no IPv6: then `0.0.0.0` is what was meant. A particular IPv6 address has no such
/// substitute.
#[must_use]
pub fn lacks_ipv6(address: &SocketAddr, error: &io::Error) -> bool {
    let unavailable = error.kind() == io::ErrorKind::AddrNotAvailable || error.kind() == io::ErrorKind::Unsupported;
    // EAFNOSUPPORT has no ErrorKind of its own; 97 on Linux, 47 on the BSDs and macOS.
    address.is_ipv6() && address.ip().is_unspecified() && (unavailable || matches!(error.raw_os_error(), Some(97 | 47)))
}

/// The same port of all IPv4 addresses.
#[must_use]
pub fn without_ipv6(address: SocketAddr) -> SocketAddr {
    tracing::warn!(%address, "this host has no IPv6; serving IPv4 only");
    SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), address.port())
}
