//! Where no UDP comes through, checks and media come as frames on a TCP connection (RFC 6544), at a port of their own and where HTTPS is served.

use crate::media_reaches_its_shard::{OFFER, sign};
use crate::world::{Client, PATIENCE, flags, join, soon, start, token};
use is::stun::{StunMessage, TransId};
use nearcast_edge::edge::Edge;
use nearcast_edge::media::link::ShardReport;
use nearcast_protocol::{Join, MediaOffer};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

struct Peer {
    _signalling: Client,
    ufrag: String,
    password: String,
    answer: String,
}

impl Peer {
    async fn join(edge: &Edge, room: &str) -> Self {
        let mut client = Client::cbor(edge).await;
        let offer = Some(MediaOffer { sdp: OFFER.to_owned(), publish: Vec::new() });
        let joined = client.join(Join { offer, ..join(&token(room, "alice")) }).await.unwrap();
        let answer = joined.answer.unwrap().sdp;
        let line = |name: &str| answer.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
        Self { _signalling: client, ufrag: line("a=ice-ufrag:"), password: line("a=ice-pwd:"), answer }
    }

    fn check(&self, password: &str) -> Vec<u8> {
        let mut packet = vec![0; 500];
        let username = format!("{}:browser", self.ufrag);
        let request = StunMessage::binding_request(&username, TransId::new(), true, 7, 100, true);
        let length = request.to_bytes(Some(password.as_bytes()), &mut packet, sign).unwrap();
        packet.truncate(length);
        packet
    }
}

fn framed(datagram: &[u8]) -> Vec<u8> {
    let mut bytes = sfu_core::framing::prefix(datagram).unwrap().to_vec();
    bytes.extend_from_slice(datagram);
    bytes
}

/// The next frame; none: the edge has closed.
async fn frame(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let length = soon(stream.read_u16()).await.ok()?;
    let mut frame = vec![0; usize::from(length)];
    soon(stream.read_exact(&mut frame)).await.unwrap();
    Some(frame)
}

async fn passes(stream: &mut TcpStream, peer: &Peer) {
    let answer = frame(stream).await.expect("closed instead of an answer");
    let response = StunMessage::parse(&answer).unwrap();
    assert!(response.is_successful_binding_response(), "{response:?}");
    assert_eq!(response.mapped_address(), Some(stream.local_addr().unwrap()));
    assert!(response.verify(peer.password.as_bytes(), sign));
}

async fn reports(edge: &Edge) -> Vec<ShardReport> {
    edge.context().media.reports(PATIENCE).await.into_iter().map(Option::unwrap).collect()
}

/// Waits until the reports of all shards, added up by `count`, are `wanted`.
async fn until(edge: &Edge, wanted: u64, count: impl Fn(&ShardReport) -> u64) {
    let counted = async { while reports(edge).await.iter().map(&count).sum::<u64>() != wanted {} };
    soon(counted).await;
}

fn tcp_port(edge: &Edge) -> SocketAddr {
    edge.tcp().unwrap()
}

#[tokio::test]
async fn each_connection_reaches_the_shard_of_its_peer() {
    let edge = start(&flags()).await;
    for number in 0..6 {
        let peer = Peer::join(&edge, &format!("room-{number}")).await;
        let port = tcp_port(&edge).port();
        assert!(peer.answer.contains(&format!(" 127.0.0.1 {port} typ host tcptype passive\r\n")), "{}", peer.answer);
        let mut stream = soon(TcpStream::connect(tcp_port(&edge))).await.unwrap();
        // In pieces, with the next frame's beginning behind the last.
        let check = framed(&peer.check(&peer.password));
        let (first, rest) = check.split_at(13);
        stream.write_all(first).await.unwrap();
        tokio::task::yield_now().await;
        stream.write_all(&[rest, &framed(&[0x80; 100])[..40]].concat()).await.unwrap();
        passes(&mut stream, &peer).await;
        let before = reports(&edge).await.iter().map(|report| report.core.dropped_before_keys).sum::<u64>();
        stream.write_all(&framed(&[0x80; 100])[40..]).await.unwrap();
        until(&edge, before + 1, |report| report.core.dropped_before_keys).await;
        until(&edge, 1, |report| report.core.transports_over_tcp).await;
        drop(stream);
        until(&edge, 0, |report| report.core.tuples + report.tcp.tcp_connections).await;
    }
    let reports = reports(&edge).await;
    assert!(reports.iter().all(|report| report.tcp.tcp_accepted > 0), "every shard had somebody");
    assert_eq!(reports.iter().map(|report| report.thread.foreign_tuples).sum::<u64>(), 0, "no other shard is told of connections");
}

#[tokio::test]
async fn a_peer_moves_from_udp_to_tcp_and_back() {
    let edge = start(&flags()).await;
    let peer = Peer::join(&edge, "room").await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(edge.udp()).await.unwrap();
    let by_udp = async || {
        socket.send(&peer.check(&peer.password)).await.unwrap();
        let mut answer = [0; 500];
        let length = soon(socket.recv(&mut answer)).await.unwrap();
        assert!(StunMessage::parse(&answer[..length]).unwrap().is_successful_binding_response());
    };
    by_udp().await;
    until(&edge, 0, |report| report.core.transports_over_tcp).await;
    let mut stream = soon(TcpStream::connect(tcp_port(&edge))).await.unwrap();
    stream.write_all(&framed(&peer.check(&peer.password))).await.unwrap();
    passes(&mut stream, &peer).await;
    until(&edge, 1, |report| report.core.transports_over_tcp).await;
    by_udp().await;
    until(&edge, 0, |report| report.core.transports_over_tcp).await;
    // The connection stays as long as the browser wants it, for the next time.
    stream.write_all(&framed(&peer.check(&peer.password))).await.unwrap();
    passes(&mut stream, &peer).await;
    until(&edge, 1, |report| report.core.transports_over_tcp).await;
    // When it goes, so does media, by what has passed a check.
    drop(stream);
    until(&edge, 0, |report| report.core.transports_over_tcp).await;
    until(&edge, 1, |report| report.core.tuples).await;
}

#[tokio::test]
async fn what_is_no_check_of_anybody_here_is_closed() {
    let edge = start(&flags()).await;
    let stray = framed(&{
        let mut packet = vec![0; 500];
        let request = StunMessage::binding_request("nobody:browser", TransId::new(), true, 7, 100, true);
        let length = request.to_bytes(Some(b"password"), &mut packet, sign).unwrap();
        packet.truncate(length);
        packet
    });
    for bytes in [&b"GET / HTTP/1.1\r\nhost: edge\r\n\r\n"[..], &[0; 40], &[0xff; 40], &stray] {
        let mut stream = soon(TcpStream::connect(tcp_port(&edge))).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        // Closed, or reset where something was left unread.
        assert!(matches!(soon(stream.read(&mut [0; 10])).await, Ok(0) | Err(_)), "{bytes:x?}");
    }
    assert_eq!(edge.context().counters.snapshot().strangers, 4);
    until(&edge, 0, |report| report.tcp.tcp_accepted).await;
}

#[tokio::test]
async fn a_check_with_a_wrong_password_gets_no_answer() {
    let edge = start(&flags()).await;
    let peer = Peer::join(&edge, "room").await;
    let mut stream = soon(TcpStream::connect(tcp_port(&edge))).await.unwrap();
    stream.write_all(&framed(&peer.check("guessed-password-of-22-chars"))).await.unwrap();
    until(&edge, 1, |report| report.core.dropped_stun).await;
    until(&edge, 0, |report| report.core.tuples).await;
    // The right one is answered on the same connection, and nothing before it.
    stream.write_all(&framed(&peer.check(&peer.password))).await.unwrap();
    passes(&mut stream, &peer).await;
}

#[tokio::test]
async fn without_tcp_none_is_announced() {
    let mut flags = flags();
    flags.tcp = Some("off".to_owned());
    let edge = start(&flags).await;
    assert_eq!(edge.tcp(), None);
    assert!(!Peer::join(&edge, "room").await.answer.contains(" tcp "));
}
