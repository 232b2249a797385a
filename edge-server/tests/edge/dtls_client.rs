//! The transport of a client by HTTP, as far as it takes to hear goodbye: a connectivity check, and a DTLS association.

use crate::media_reaches_its_shard::sign;
use crate::world::soon;
use dimpl::certificate::generate_self_signed_certificate;
use dimpl::{Config, Dtls, DtlsCertificate, Output};
use is::stun::{StunMessage, TransId};
use nearcast_edge::clock;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::UdpSocket;

/// Who it is in DTLS.
pub(crate) struct Certificate(DtlsCertificate);

impl Certificate {
    /// One that nobody else has.
    pub(crate) fn new() -> Self {
        Self(generate_self_signed_certificate().unwrap())
    }

    /// As SDP has it.
    pub(crate) fn fingerprint(&self) -> String {
        self.0.fingerprint_str()
    }
}

/// What is waited for.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Said {
    /// The handshake is over.
    Keys,
    /// close_notify.
    Goodbye,
}

/// A connected transport.
pub(crate) struct Transport {
    socket: UdpSocket,
    dtls: Dtls,
}

impl Transport {
    /// Connects to the edge that gave this answer, to an offer whose user name fragment is `client`.
    pub(crate) async fn connect(edge: SocketAddr, answer: &str, certificate: Certificate) -> Self {
        let line = |name: &str| answer.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(edge).await.unwrap();
        let mut packet = vec![0; 500];
        let username = format!("{}:client", line("a=ice-ufrag:"));
        let request = StunMessage::binding_request(&username, TransId::new(), true, 7, 100, true);
        let length = request.to_bytes(Some(line("a=ice-pwd:").as_bytes()), &mut packet, sign).unwrap();
        socket.send(&packet[..length]).await.unwrap();
        let length = soon(socket.recv(&mut packet)).await.unwrap();
        assert!(StunMessage::parse(&packet[..length]).unwrap().is_successful_binding_response());
        let mut dtls = Dtls::new_12(Arc::new(Config::default()), certificate.0, clock::now());
        dtls.set_active(true);
        let mut transport = Self { socket, dtls };
        transport.hears(Said::Keys).await;
        transport
    }

    /// Goes on until the edge says this.
    pub(crate) async fn hears(&mut self, wanted: Said) {
        soon(async { while self.turn().await != Some(wanted) {} }).await;
    }

    /// Sends what there is to send, and takes one datagram or lets one timer go off.
    async fn turn(&mut self) -> Option<Said> {
        let mut buffer = [0; 4096];
        self.dtls.handle_timeout(clock::now()).unwrap();
        let timer = loop {
            match self.dtls.poll_output(&mut buffer) {
                Output::Packet(packet) => drop(self.socket.send(packet).await.unwrap()),
                Output::KeyingMaterial(..) => return Some(Said::Keys),
                Output::CloseNotify => return Some(Said::Goodbye),
                Output::Timeout(at) => break at,
                _ => (),
            }
        };
        tokio::select! {
            () = tokio::time::sleep_until(timer.into()) => (),
            length = self.socket.recv(&mut buffer) => {
                // RFC 7983: what isn't DTLS is RTP, RTCP or STUN.
                let datagram = &buffer[..length.unwrap()];
                if datagram.first().is_some_and(|first| (20..64).contains(first)) {
                    self.dtls.handle_packet(datagram).unwrap();
                }
            }
        }
        None
    }
}
