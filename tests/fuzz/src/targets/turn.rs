//! The machine inside the TURN server, as `edge-server/src/turn/client.rs` runs it for one client: messages with and without credentials, what peers
//! send, time that passes. Whom it may send to is decided outside of it (`turn/peers/tests.rs` has every way to write an address).

use sfu_core::fuzzing::Plan;
use std::net::SocketAddr;
use stun_types::attribute::{AttributeType, Nonce, RawAttribute, Realm, Username};
use stun_types::message::{IntegrityAlgorithm, LongTermCredentials, Message, MessageWriteExt, MessageWriteVec, Method};
use stun_types::prelude::MessageWrite;
use turn_server_proto::api::{SocketAllocateError, TcpConnectError, Transmit, TurnServerApi, TurnServerPollRet};
use turn_server_proto::server::TurnServer;
use turn_types::attribute::RequestedTransport;
use turn_types::message::ALLOCATE;
use turn_types::{Instant, TransportType};

const REALM: &str = "nearcast";
const NAME: &str = "1:ann";
const PASSWORD: &str = "a-password";

/// What an answer may have beyond what it answers: a name, a number, an address, a reason. More would be a way to have others flooded.
const MOST_MORE: usize = 256;

/// Relays that the outside gives to one client: one for each family.
const RELAYS: usize = 2;

/// Integrity in both forms and the fingerprint (RFC 8489 §14.5 to §14.7): the library that writes them panics where they are given like others.
const WRITTEN_LAST: [u16; 3] = [0x0008, 0x001c, 0x8028];

struct World {
    server: TurnServer,
    listen: SocketAddr,
    client: SocketAddr,
    peer: SocketAddr,
    relays: Vec<SocketAddr>,
    now: Instant,
    nonce: String,
}

pub(crate) fn run(bytes: &[u8]) {
    let address = |last: u8, port: u16| SocketAddr::from(([192, 0, 2, last], port));
    let listen = address(1, 3478);
    let mut server = TurnServer::new(TransportType::Udp, listen, REALM.to_owned());
    server.add_user(NAME.to_owned(), PASSWORD.to_owned());
    let mut world = World {
        server,
        listen,
        client: address(2, 5_000),
        peer: address(3, 6_000),
        relays: Vec::new(),
        now: Instant::from_nanos(0),
        nonce: String::new(),
    };
    world.greet();
    let mut plan = Plan::new(bytes);
    while let Some(step) = plan.byte() {
        match step % 5 {
            0 => world.said(plan.chunk(1_500)),
            1 => world.came(plan.chunk(1_500)),
            2 => {
                let request = world.signed(Method::new(u16::from(step / 5)), &mut plan);
                world.said(&request);
            }
            3 => world.allocate(),
            _ => world.pass(i64::from(plan.word())),
        }
    }
}

impl World {
    /// Learns the number that requests have to name.
    fn greet(&mut self) {
        let hello = Message::builder_request(ALLOCATE, MessageWriteVec::new()).finish();
        let answer = self.server.recv(Transmit::new(&hello[..], TransportType::Udp, self.client, self.listen), self.now);
        let answer = answer.expect("a request without credentials is told which it needs").build().data;
        let message = Message::from_bytes(&answer).expect("the answer is a message");
        self.nonce = message.attribute::<Nonce>().expect("a number").nonce().to_owned();
    }

    fn said(&mut self, message: &[u8]) {
        let output = self.server.recv(Transmit::new(message, TransportType::Udp, self.client, self.listen), self.now);
        if let Some(output) = output.map(|output| output.build()) {
            self.check(&output, message.len());
        }
        self.poll();
    }

    fn came(&mut self, datagram: &[u8]) {
        let Some(relay) = self.relays.first() else { return };
        let output = self.server.recv(Transmit::new(datagram, TransportType::Udp, self.peer, *relay), self.now);
        if let Some(output) = output.map(|output| output.build()) {
            assert_eq!(output.to, self.client, "what a peer sends is for the client");
            self.check(&output, datagram.len());
        }
        self.poll();
    }

    fn check(&self, output: &Transmit<Vec<u8>>, input: usize) {
        assert!(output.data.len() <= input + MOST_MORE, "{} bytes for {input}", output.data.len());
        assert!(output.from == self.listen || self.relays.contains(&output.from), "it leaves from a socket that there is");
    }

    /// A request with attributes of the plan's making, under valid credentials.
    fn signed(&self, method: Method, plan: &mut Plan<'_>) -> Vec<u8> {
        let mut request = Message::builder_request(method, MessageWriteVec::new());
        for _ in 0..plan.byte().unwrap_or(0) % 8 {
            let (kind, value) = (plan.word(), plan.chunk(64));
            if !WRITTEN_LAST.contains(&kind) {
                // What may not stand there twice is left out.
                let _refused = request.add_attribute(&RawAttribute::new(AttributeType::new(kind), value));
            }
        }
        self.sign(request)
    }

    fn sign(&self, mut request: MessageWriteVec) -> Vec<u8> {
        let _there = request.add_attribute(&Username::new(NAME).expect("a name"));
        let _there = request.add_attribute(&Realm::new(REALM).expect("a realm"));
        let _there = request.add_attribute(&Nonce::new(&self.nonce).expect("a number"));
        let key = LongTermCredentials::new(NAME.to_owned(), PASSWORD.to_owned()).to_key(REALM.to_owned());
        let _there = request.add_message_integrity(&key.into(), IntegrityAlgorithm::Sha1);
        request.finish()
    }

    fn allocate(&mut self) {
        let mut request = Message::builder_request(ALLOCATE, MessageWriteVec::new());
        request.add_attribute(&RequestedTransport::new(RequestedTransport::UDP)).expect("room for it");
        let request = self.sign(request);
        self.said(&request);
    }

    fn pass(&mut self, seconds: i64) {
        self.now = Instant::from_nanos(self.now.as_nanos().saturating_add(seconds.saturating_mul(10_000_000)));
        self.poll();
    }

    /// Does what it wants, as the edge does: gives sockets, connects to nobody.
    fn poll(&mut self) {
        for _ in 0..64 {
            match self.server.poll(self.now) {
                TurnServerPollRet::WaitUntil(_) => {
                    while let Some(output) = self.server.poll_transmit(self.now) {
                        self.check(&output, 1_500);
                    }
                    return;
                }
                TurnServerPollRet::AllocateSocket { transport, listen_addr, client_addr, allocation_transport, family } => {
                    let relay = SocketAddr::from(([192, 0, 2, 9], 20_000 + self.relays.len() as u16));
                    let may = allocation_transport == TransportType::Udp && self.relays.len() < RELAYS;
                    let socket = may.then_some(relay).ok_or(SocketAllocateError::InsufficientCapacity);
                    self.relays.extend(socket.iter());
                    self.server.allocated_socket(transport, listen_addr, client_addr, allocation_transport, family, socket, self.now);
                }
                TurnServerPollRet::TcpConnect { relayed_addr, peer_addr, listen_addr, client_addr } => {
                    let refused = Err(TcpConnectError::Forbidden);
                    self.server.tcp_connected(relayed_addr, peer_addr, listen_addr, client_addr, refused, self.now);
                }
                TurnServerPollRet::TcpClose { .. } => {}
                TurnServerPollRet::SocketClose { listen_addr, .. } => self.relays.retain(|relay| *relay != listen_addr),
            }
        }
        panic!("it never has enough");
    }
}
