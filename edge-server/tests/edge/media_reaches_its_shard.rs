//! The kernel spreads datagrams over the shards' sockets as it likes; each still reaches the shard of its room.

use crate::world::{Client, flags, join, soon, start, token};
use is::stun::{StunMessage, TransId};
use nearcast_edge::edge::Edge;
use nearcast_edge::media::link::ShardReport;
use nearcast_protocol::{Join, MediaOffer};
use std::time::Duration;
use tokio::net::UdpSocket;

/// A data channel and nothing else, as a browser offers it.
pub(crate) const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=msid-semantic:WMS *\r\n\
    a=fingerprint:sha-256 3D:C2:AA:F2:6F:05:AD:63:3A:C7:2A:49:2C:DD:F4:77:B9:BD:C3:4D:99:BE:5B:7E:22:74:3C:49:18:32:BD:1D\r\n\
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendrecv\r\na=setup:actpass\r\n\
    a=ice-ufrag:browser\r\na=ice-pwd:2caed67b4d21184fcf6d329f9d52a000\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n";

/// Participants; with two sockets, all of them arriving at their own shard's by luck has a chance of 2^-12.
const PEOPLE: usize = 12;

pub(crate) fn sign(password: &[u8], parts: &[&[u8]]) -> [u8; 20] {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, password);
    aws_lc_rs::hmac::sign(&key, &parts.concat()).as_ref().try_into().unwrap()
}

struct Peer {
    _signalling: Client,
    socket: UdpSocket,
    ufrag: String,
    password: String,
}

impl Peer {
    async fn join(edge: &Edge, room: &str) -> Self {
        let mut client = Client::cbor(edge).await;
        let offer = Some(MediaOffer { sdp: OFFER.to_owned(), publish: Vec::new() });
        let joined = client.join(Join { offer, ..join(&token(room, "alice")) }).await.unwrap();
        let answer = joined.answer.unwrap().sdp;
        let line = |name: &str| answer.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
        let (ufrag, password) = (line("a=ice-ufrag:"), line("a=ice-pwd:"));
        assert!(answer.contains(&format!(" 127.0.0.1 {} typ host", edge.udp().port())), "{answer}");
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(edge.udp()).await.unwrap();
        Self { _signalling: client, socket, ufrag, password }
    }

    /// A connectivity check and its answer.
    async fn check(&self) {
        let mut packet = vec![0; 500];
        let username = format!("{}:browser", self.ufrag);
        let request = StunMessage::binding_request(&username, TransId::new(), true, 7, 100, true);
        let length = request.to_bytes(Some(self.password.as_bytes()), &mut packet, sign).unwrap();
        self.socket.send(&packet[..length]).await.unwrap();
        let mut answer = [0; 500];
        let length = soon(self.socket.recv(&mut answer)).await.unwrap();
        let response = StunMessage::parse(&answer[..length]).unwrap();
        assert!(response.is_successful_binding_response(), "{response:?}");
    }
}

async fn reports(edge: &Edge) -> Vec<ShardReport> {
    edge.context().media.reports(Duration::from_secs(5)).await.into_iter().map(Option::unwrap).collect()
}

#[tokio::test]
async fn whichever_socket_it_arrives_at() {
    let edge = start(&flags()).await;
    let mut peers = Vec::new();
    for number in 0..PEOPLE {
        let peer = Peer::join(&edge, &format!("room-{number}")).await;
        peer.check().await;
        peers.push(peer);
    }
    let before = reports(&edge).await;
    assert!(before.iter().all(|report| report.core.tuples > 0), "every shard has somebody");
    assert_eq!(before.iter().map(|report| report.core.tuples).sum::<u64>(), PEOPLE as u64);
    assert!(before.iter().map(|report| report.thread.handed_over).sum::<u64>() > 0, "the kernel chose the right socket each time");
    assert_eq!(before.iter().map(|report| report.core.dropped_stun).sum::<u64>(), 0);

    // What isn't STUN has no name in it: only the address tells whose it is. Without keys it ends in a counter of the owner's core.
    for peer in &peers {
        for _ in 0..10 {
            peer.socket.send(&[0x80; 100]).await.unwrap();
        }
    }
    let arrived = async {
        loop {
            let after = reports(&edge).await;
            let dropped: u64 = after.iter().map(|report| report.core.dropped_before_keys).sum();
            let strangers: u64 = after.iter().map(|report| report.core.dropped_unknown_address).sum();
            assert_eq!(strangers, 0, "a datagram reached a shard that doesn't know its sender");
            if dropped == 10 * PEOPLE as u64 {
                return after;
            }
        }
    };
    let after = soon(arrived).await;
    for (shard, report) in after.iter().enumerate() {
        assert_eq!(report.core.dropped_before_keys, 10 * report.core.tuples, "shard {shard}");
        assert_eq!(report.thread.hand_over_dropped, 0);
        assert_eq!(report.thread.foreign_tuples, PEOPLE as u64 - report.core.tuples, "shard {shard} knows the others' addresses");
    }
}

#[tokio::test]
async fn and_addresses_are_forgotten_with_their_peers() {
    let edge = start(&flags()).await;
    let mut peers = Vec::new();
    for number in 0..PEOPLE {
        let mut peer = Peer::join(&edge, &format!("room-{number}")).await;
        peer.check().await;
        peer._signalling.send(nearcast_protocol::ClientMessage::Leave).await;
        peer._signalling.end().await;
        peers.push(peer);
    }
    let forgotten = async {
        loop {
            let reports = reports(&edge).await;
            if reports.iter().all(|report| report.core.tuples == 0 && report.thread.foreign_tuples == 0) {
                return;
            }
        }
    };
    soon(forgotten).await;
}
