//! Asks STUN servers (RFC 8489) how far they are, and from where they see us. Bounded in time, and careful with answers: whoever can guess neither the
//! port nor the 96 bits of a request's id can't answer it.

use crate::clock;
use core::time::Duration;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use stun_types::attribute::XorMappedAddress;
use stun_types::message::{BINDING, Message, MessageClass, MessageWriteVec};
use stun_types::prelude::MessageWrite;
use tokio::net::UdpSocket;

/// Time for one answer. Guess: nothing on earth is farther than half of it.
const PATIENCE: Duration = Duration::from_millis(1000);

/// The port of STUN (RFC 8489 §8.1).
pub const PORT: u16 = 3478;

/// What a server said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// The address that it saw the request come from.
    pub seen_from: SocketAddr,
    /// From the request to its answer.
    pub round_trip: Duration,
}

/// Sends `server` requests, each when the one before has had no answer for a second, `tries` in all.
///
/// # Errors
/// No answer came, or nothing can be sent there; the words are for the log.
pub async fn ask(server: SocketAddr, tries: usize) -> io::Result<Answer> {
    let any: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await?;
    // A connected socket takes nothing from elsewhere, and says so when nobody listens there.
    socket.connect(server).await?;
    let mut fault = io::Error::new(io::ErrorKind::TimedOut, "no answer came");
    for _ in 0..tries {
        // Each with an id of its own, so that it is known which one was answered.
        let request = Message::builder_request(BINDING, MessageWriteVec::new()).finish();
        let sent = clock::now();
        if let Err(error) = socket.send(&request).await {
            fault = error;
            continue;
        }
        match tokio::time::timeout(PATIENCE, answer_to(&socket, &request)).await {
            Ok(Ok(seen_from)) => return Ok(Answer { seen_from, round_trip: clock::now().saturating_duration_since(sent) }),
            Ok(Err(error)) => fault = error,
            Err(_) => {}
        }
    }
    Err(fault)
}

async fn answer_to(socket: &UdpSocket, request: &[u8]) -> io::Result<SocketAddr> {
    let mut buffer = [0; 1500];
    loop {
        let size = socket.recv(&mut buffer).await?;
        if let Some(seen_from) = buffer.get(..size).and_then(|answer| read(answer, request)) {
            return Ok(seen_from);
        }
    }
}

/// The mapped address of the success response to `request`; none: it is something else.
fn read(answer: &[u8], request: &[u8]) -> Option<SocketAddr> {
    let (answer, request) = (Message::from_bytes(answer).ok()?, Message::from_bytes(request).ok()?);
    let fits = answer.has_class(MessageClass::Success) && answer.method() == BINDING && answer.transaction_id() == request.transaction_id();
    let mapped = answer.attribute::<XorMappedAddress>().ok().filter(|_| fits)?;
    Some(mapped.addr(answer.transaction_id()))
}

/// Where a host is, given as `HOST` or `HOST:PORT`; bounded in time.
///
/// # Errors
/// The system's, or that it took too long.
pub async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    // Literal IPv6 addresses come in brackets.
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let found = tokio::time::timeout(3 * PATIENCE, tokio::net::lookup_host((host, port))).await;
    Ok(found.map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "its name was not resolved in time"))??.collect())
}

/// From where the world sees this host, by each family that the server has: the addresses that NAT gives it.
///
/// # Errors
/// The server has no address, or none of them answered.
pub async fn discover(host: &str, port: u16) -> io::Result<Vec<IpAddr>> {
    let servers = resolve(host, port).await?;
    let mut found = Vec::new();
    let mut fault = io::Error::new(io::ErrorKind::NotFound, "its name has no address");
    for is_ipv4 in [true, false] {
        let Some(server) = servers.iter().find(|server| server.is_ipv4() == is_ipv4) else { continue };
        match ask(*server, 3).await {
            Ok(answer) => found.push(crate::media::socket::canonical_ip(answer.seen_from.ip())),
            Err(error) => fault = error,
        }
    }
    if found.is_empty() { Err(fault) } else { Ok(found) }
}

#[cfg(test)]
mod tests;
