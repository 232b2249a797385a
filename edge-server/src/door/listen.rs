//! Binds TCP ports.

use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Binds a port; `[::]` takes IPv4 too, and becomes `0.0.0.0` on hosts without IPv6.
///
/// # Errors
/// The system's.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    match open(address) {
        Err(error) if crate::net::lacks_ipv6(&address, &error) => open(crate::net::without_ipv6(address)),
        opened => opened,
    }
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // A restart must not wait for the old connections' TIME_WAIT.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(1024)?;
    TcpListener::from_std(socket.into())
}
