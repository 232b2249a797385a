//! The TURN server inside the edge: who may use it, what it reaches, by UDP and by TCP; and coturn's own clients at it.

use crate::world::{Client, flags, soon, start};
use nearcast_edge::edge::Edge;
use std::net::SocketAddr;
use std::process::Command;
use stun_types::attribute::{ErrorCode, Nonce, Realm, Username};
use stun_types::message::{IntegrityAlgorithm, LongTermCredentials, Message, MessageWriteExt, MessageWriteVec};
use stun_types::prelude::MessageWrite;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use turn_types::attribute::{Data, RequestedTransport, XorPeerAddress, XorRelayedAddress};
use turn_types::message::{ALLOCATE, CREATE_PERMISSION, SEND};

/// An edge with a TURN server on free ports.
async fn relaying() -> Edge {
    let mut flags = flags();
    flags.turn = Some("127.0.0.1:0".to_owned());
    start(&flags).await
}

/// The way to the server.
enum Way {
    Udp(UdpSocket),
    Tcp(TcpStream),
}

impl Way {
    async fn send(&mut self, message: &[u8]) {
        match self {
            Self::Udp(socket) => drop(socket.send(message).await.unwrap()),
            Self::Tcp(stream) => stream.write_all(message).await.unwrap(),
        }
    }

    async fn receive(&mut self) -> Vec<u8> {
        let mut buffer = vec![0; 2_000];
        match self {
            Self::Udp(socket) => {
                let size = soon(socket.recv(&mut buffer)).await.unwrap();
                buffer.truncate(size);
            }
            Self::Tcp(stream) => {
                soon(stream.read_exact(&mut buffer[..20])).await.unwrap();
                let size = 20 + usize::from(u16::from_be_bytes([buffer[2], buffer[3]]));
                soon(stream.read_exact(&mut buffer[20..size])).await.unwrap();
                buffer.truncate(size);
            }
        }
        buffer
    }
}

/// A client that has heard its first 401.
struct User {
    way: Way,
    name: String,
    password: String,
    realm: String,
    nonce: String,
}

impl User {
    async fn greeted(edge: &Edge, tcp: bool, name: &str, password: &str) -> Self {
        let at = edge.turn().unwrap();
        let mut way = if tcp {
            Way::Tcp(soon(TcpStream::connect(at)).await.unwrap())
        } else {
            let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            socket.connect(at).await.unwrap();
            Way::Udp(socket)
        };
        way.send(&Message::builder_request(ALLOCATE, MessageWriteVec::new()).finish()).await;
        let answer = way.receive().await;
        let message = Message::from_bytes(&answer).unwrap();
        assert_eq!(message.attribute::<ErrorCode>().unwrap().code(), 401);
        let realm = message.attribute::<Realm>().unwrap().realm().to_owned();
        let nonce = message.attribute::<Nonce>().unwrap().nonce().to_owned();
        Self { way, name: name.to_owned(), password: password.to_owned(), realm, nonce }
    }

    /// With the credentials that clients are given.
    async fn known(edge: &Edge, tcp: bool) -> Self {
        let (_client, joined) = Client::joined(edge, "lobby", "alice").await;
        let servers = &joined.ice_servers;
        let port = edge.turn().unwrap().port();
        assert_eq!(servers[0].urls, ["udp", "tcp"].map(|transport| format!("turn:127.0.0.1:{port}?transport={transport}")));
        let (name, password) = (servers[0].username.clone().unwrap(), servers[0].credential.clone().unwrap());
        Self::greeted(edge, tcp, &name, &password).await
    }

    /// Signs a request, sends it, and returns its answer.
    async fn ask(&mut self, mut request: MessageWriteVec) -> Vec<u8> {
        request.add_attribute(&Username::new(&self.name).unwrap()).unwrap();
        request.add_attribute(&Realm::new(&self.realm).unwrap()).unwrap();
        request.add_attribute(&Nonce::new(&self.nonce).unwrap()).unwrap();
        let key = LongTermCredentials::new(self.name.clone(), self.password.clone()).to_key(self.realm.clone());
        request.add_message_integrity(&key.into(), IntegrityAlgorithm::Sha1).unwrap();
        self.way.send(&request.finish()).await;
        self.way.receive().await
    }

    async fn allocate(&mut self) -> Result<SocketAddr, u16> {
        let mut request = Message::builder_request(ALLOCATE, MessageWriteVec::new());
        request.add_attribute(&RequestedTransport::new(RequestedTransport::UDP)).unwrap();
        let answer = self.ask(request).await;
        let message = Message::from_bytes(&answer).unwrap();
        match message.attribute::<ErrorCode>() {
            Ok(error) => Err(error.code()),
            Err(_) => Ok(message.attribute::<XorRelayedAddress>().unwrap().addr(message.transaction_id())),
        }
    }

    async fn permit(&mut self, peer: SocketAddr) -> Result<(), u16> {
        let mut request = Message::builder_request(CREATE_PERMISSION, MessageWriteVec::new());
        let transaction = request.transaction_id();
        request.add_attribute(&XorPeerAddress::new(peer, transaction)).unwrap();
        let answer = self.ask(request).await;
        Message::from_bytes(&answer).unwrap().attribute::<ErrorCode>().map_or(Ok(()), |error| Err(error.code()))
    }

    async fn send(&mut self, peer: SocketAddr, data: &[u8]) {
        let mut indication = Message::builder_indication(SEND, MessageWriteVec::new());
        let transaction = indication.transaction_id();
        indication.add_attribute(&XorPeerAddress::new(peer, transaction)).unwrap();
        indication.add_attribute(&Data::new(data)).unwrap();
        self.way.send(&indication.finish()).await;
    }
}

#[tokio::test]
async fn a_client_reaches_the_media_port_by_udp_and_by_tcp() {
    let edge = relaying().await;
    for tcp in [false, true] {
        let mut user = User::known(&edge, tcp).await;
        let relayed = user.allocate().await.unwrap();
        assert_eq!(relayed.ip(), edge.udp().ip());
        user.permit(edge.udp()).await.unwrap();
        // No check of anybody: it shows that it arrived in being dropped.
        let before = dropped(&edge).await;
        user.send(edge.udp(), &[0x80; 101]).await;
        soon(async { while dropped(&edge).await == before {} }).await;
        assert_eq!(edge.context().turn.as_ref().unwrap().stats().allocations, 1 + u64::from(tcp), "that by UDP lasts its lifetime");
        drop(user);
        if tcp {
            // Its line has ended, and it with it.
            soon(async {
                while edge.context().turn.as_ref().unwrap().stats().clients > 1 {
                    tokio::task::yield_now().await
                }
            })
            .await;
        }
    }
}

async fn dropped(edge: &Edge) -> u64 {
    let reports = edge.context().media.reports(crate::world::PATIENCE).await;
    reports.into_iter().map(|report| report.unwrap().core.dropped_unknown_address).sum()
}

#[tokio::test]
async fn nothing_else_on_this_machine_or_its_network_is_reached() {
    let edge = relaying().await;
    let mut user = User::known(&edge, false).await;
    user.allocate().await.unwrap();
    for denied in ["127.0.0.2:80", "10.0.0.1:80", "169.254.169.254:80", "192.168.1.1:80", "0.0.0.0:80", "224.0.0.1:80", "100.64.0.1:80"] {
        assert_eq!(user.permit(denied.parse().unwrap()).await, Err(403), "{denied}");
    }
    // The edge's own address is permitted for its media port; another port there is not.
    let secret = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    user.permit(secret.local_addr().unwrap()).await.unwrap();
    user.send(secret.local_addr().unwrap(), b"let me in").await;
    let turn = edge.context().turn.as_ref().unwrap();
    soon(async {
        while turn.stats().denied < 8 {
            tokio::task::yield_now().await
        }
    })
    .await;
    assert!(secret.try_recv(&mut [0; 10]).is_err());
    assert_eq!(turn.stats().relayed_out, 0);
}

#[tokio::test]
async fn credentials_are_ours_and_expire() {
    let edge = relaying().await;
    let (_client, joined) = Client::joined(&edge, "lobby", "alice").await;
    let (name, password) = (joined.ice_servers[0].username.clone().unwrap(), joined.ice_servers[0].credential.clone().unwrap());
    let (until, _) = name.split_once(':').unwrap();
    let later = format!("{}:alice", until.parse::<u64>().unwrap() + 1);
    for (name, password) in [(name.as_str(), "guessed"), ("1:alice", &password), (&later, &password), ("alice", &password)] {
        let mut user = User::greeted(&edge, false, name, password).await;
        assert_eq!(user.allocate().await, Err(401), "{name}");
    }
    assert!(User::greeted(&edge, false, &name, &password).await.allocate().await.is_ok());
    let stats = edge.context().turn.as_ref().unwrap().stats();
    assert_eq!((stats.allocated, stats.unauthorized), (1, 2), "an expired name and one without a time have no password");
}

#[tokio::test]
async fn tcp_to_peers_is_no_proxy_and_one_address_gets_no_flood_of_answers() {
    let edge = relaying().await;
    let mut user = User::known(&edge, true).await;
    let mut request = Message::builder_request(ALLOCATE, MessageWriteVec::new());
    request.add_attribute(&RequestedTransport::new(6)).unwrap();
    let answer = user.ask(request).await;
    assert!(Message::from_bytes(&answer).unwrap().attribute::<ErrorCode>().unwrap().code() >= 400);

    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(edge.turn().unwrap()).await.unwrap();
    let turn = edge.context().turn.as_ref().unwrap();
    let flood = async {
        while turn.stats().paced == 0 {
            socket.send(&Message::builder_request(ALLOCATE, MessageWriteVec::new()).finish()).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    soon(flood).await;
}

#[tokio::test]
async fn it_is_off_unless_asked_for() {
    let edge = start(&flags()).await;
    let (_client, joined) = Client::joined(&edge, "lobby", "alice").await;
    assert!(edge.turn().is_none() && joined.ice_servers.is_empty());
}

/// What a program of coturn's says of the TURN server at `port`. Each ends by itself; this one ends it after half a minute.
async fn said_by(program: &'static str, port: u16, arguments: &[&'static str]) -> String {
    let mut command = Command::new("timeout");
    command.args(["30", program, "-p", &port.to_string()]).args(arguments).arg("127.0.0.1");
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert!(output.status.code() != Some(127), "{program} is missing: apt-get install coturn");
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[tokio::test]
async fn coturns_clients_get_through() {
    let mut flags = flags();
    (flags.turn, flags.turn_secret) = (Some("127.0.0.1:0".to_owned()), Some("a secret".to_owned()));
    let edge = start(&flags).await;
    let port = edge.turn().unwrap().port();
    let told = said_by("turnutils_stunclient", port, &[]).await;
    assert!(told.contains("UDP reflexive addr: 127.0.0.1:"), "{told}");
    // Two clients who send to each other's relay, over a channel each; -c: without a second pair for RTCP.
    let pair = ["-u", "ann", "-W", "a secret", "-n", "5", "-m", "1", "-y", "-c"];
    let stranger = ["-u", "ann", "-W", "another secret", "-n", "5", "-m", "1", "-y", "-c"];
    let by_tcp = [&["-t"][..], &pair].concat();
    let (udp, tcp, stranger) = tokio::join!(
        said_by("turnutils_uclient", port, &pair),
        said_by("turnutils_uclient", port, &by_tcp),
        said_by("turnutils_uclient", port, &stranger)
    );
    for told in [udp, tcp] {
        assert!(told.contains("tot_send_msgs=10, tot_recv_msgs=10"), "{told}");
        assert!(told.contains("Total lost packets 0 "), "{told}");
    }
    assert!(stranger.contains("Cannot complete Allocation"), "{stranger}");
}
