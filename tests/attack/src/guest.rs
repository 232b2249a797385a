//! A participant with valid keys and bad intentions: it joins with an offer of its own making, and sends whatever RTP, RTCP and SCTP a
//! case wants. DTLS and SRTP are those of webrtc-rs (`rtc`), SCTP is `sctp-proto` as a client.

use crate::stage::Stage;
use crate::wire;
use bytes::Bytes;
use nearcast_load::LoadError;
use nearcast_load::server::NearcastEdge;
use nearcast_load::signalling::JsonSocket;
use nearcast_protocol::client::Source;
use nearcast_protocol::{ClientMessage, Join, MediaOffer, PublishIntent, ServerMessage};
use rtc::crypto::{RTCCryptoProvider, default_provider};
use rtc::dtls::config::ConfigBuilder;
use rtc::dtls::crypto::Certificate;
use rtc::dtls::endpoint::{Endpoint, EndpointEvent};
use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc::shared::TransportProtocol;
use rtc::srtp::context::Context;
use rtc::srtp::protection_profile::ProtectionProfile;
use sctp_proto::{Association, ClientConfig, DatagramEvent, EndpointConfig, Event, Payload, PayloadProtocolIdentifier};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// SSRC of a guest's audio.
pub const AUDIO: u32 = 0xa0;
/// SSRC of a guest's video.
pub const VIDEO: u32 = 0xb0;
/// Payload type of Opus in a guest's sections.
pub const OPUS: u8 = 111;
/// Payload type of VP8 in a guest's sections; there is no RTX.
pub const VP8: u8 = 96;

const UFRAG: &str = "guest";

/// A handshake on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Somebody who has joined by signalling and has no transport yet.
pub struct Joined {
    /// Its socket.
    pub socket: UdpSocket,
    /// Where the edge takes media.
    pub edge: SocketAddr,
    /// The edge's username fragment.
    pub ufrag: String,
    /// And password.
    pub password: String,
    /// Its WebSocket.
    pub signalling: JsonSocket,
    certificate: Certificate,
    provider: Arc<dyn RTCCryptoProvider>,
}

/// Somebody with keys.
pub struct Guest {
    /// Its socket.
    pub socket: UdpSocket,
    /// Where the edge takes media.
    pub edge: SocketAddr,
    /// Its WebSocket.
    pub signalling: JsonSocket,
    check: Vec<u8>,
    checked: Instant,
    dtls: Endpoint,
    outgoing: Context,
    incoming: Context,
    sctp: Option<Sctp>,
}

struct Sctp {
    endpoint: sctp_proto::Endpoint,
    handle: sctp_proto::AssociationHandle,
    association: Association,
    connected: bool,
}

impl Joined {
    /// Joins a room. `sdp` changes the offer.
    ///
    /// # Errors
    /// The edge refuses.
    pub fn enter(edge: &NearcastEdge, room: &str, name: &str, sdp: impl FnOnce(String) -> String) -> Result<Self, LoadError> {
        let provider = default_provider().expect("a cryptography library");
        let certificate = Certificate::generate_self_signed(vec!["guest".to_owned()], provider.crypto()).expect("a certificate");
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &certificate.certificate[0]);
        let fingerprint = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":");
        let intent = |mid: &str, source| PublishIntent { mid: mid.into(), source, name: String::new(), muted: false, publication: None };
        let publish = vec![intent("0", Source::Microphone), intent("1", Source::Camera)];
        let offer = Some(MediaOffer { sdp: sdp(offer(&fingerprint)), publish });
        let mut signalling = JsonSocket::open(edge.http())?;
        let join = Join { token: edge.token(room, name)?, auto_subscribe: true, offer, ..Join::default() };
        let ServerMessage::Joined(joined) = signalling.ask(ClientMessage::Join(join))? else {
            return Err(LoadError::refused("joining as a guest", "an unexpected reply"));
        };
        let answer = joined.answer.expect("an answer to the offer").sdp;
        let value = |name: &str| answer.lines().find_map(|line| line.strip_prefix(name)).expect("credentials").trim().to_owned();
        Ok(Self {
            socket: wire::stranger(),
            edge: edge.udp(),
            ufrag: value("a=ice-ufrag:"),
            password: value("a=ice-pwd:"),
            signalling,
            certificate,
            provider,
        })
    }

    /// Shows that it is reachable.
    pub fn check(&self) {
        wire::send(&self.socket, self.edge, &wire::check(&self.ufrag, UFRAG, &self.password));
    }

    /// Shakes hands.
    ///
    /// # Errors
    /// It fails.
    pub fn connect(self) -> Result<Guest, LoadError> {
        let check = wire::check(&self.ufrag, UFRAG, &self.password);
        let config = ConfigBuilder::default()
            .with_crypto_provider(Arc::clone(&self.provider))
            .with_certificates(vec![self.certificate])
            .with_srtp_protection_profiles(vec![SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm])
            .with_insecure_skip_verify(true);
        let config = Arc::new(config.build(true, None).expect("a configuration"));
        let local = self.socket.local_addr().expect("an address");
        let mut dtls = Endpoint::new(local, TransportProtocol::UDP, None);
        wire::send(&self.socket, self.edge, &check);
        dtls.connect(Instant::now(), self.edge, config, None).expect("a first flight");
        let began = Instant::now();
        let mut buffer = [0; 2_048];
        let failed = || LoadError::refused("shaking hands as a guest", "the handshake didn't end");
        loop {
            while let Some(transmit) = dtls.poll_transmit() {
                wire::send(&self.socket, self.edge, &transmit.message);
            }
            if began.elapsed() > PATIENCE {
                return Err(failed());
            }
            let Ok(length) = self.socket.recv(&mut buffer) else {
                std::thread::sleep(Duration::from_millis(1));
                if dtls.poll_timeout(&self.edge).is_some_and(|due| due <= Instant::now()) {
                    dtls.handle_timeout(self.edge, Instant::now()).map_err(|_| failed())?;
                }
                continue;
            };
            if !(20..64).contains(&buffer[0]) {
                continue;
            }
            let events = dtls.read(Instant::now(), self.edge, None, buffer[..length].into()).map_err(|_| failed())?;
            if events.iter().any(|event| matches!(event, EndpointEvent::HandshakeComplete)) {
                break;
            }
        }
        while let Some(transmit) = dtls.poll_transmit() {
            wire::send(&self.socket, self.edge, &transmit.message);
        }
        let state = dtls.get_connection_state(self.edge).ok_or_else(failed)?;
        let profile = ProtectionProfile::AeadAes128Gcm;
        let (key, salt) = (profile.key_len(), profile.salt_len());
        let material = state.export_keying_material("EXTRACTOR-dtls_srtp", &[], 2 * (key + salt)).expect("keys");
        let material = material.as_ref().to_vec();
        // Client key, server key, client salt, server salt (RFC 5764 §4.2).
        let part = |from: usize, length: usize| &material[from..from + length];
        let context = |key: &[u8], salt: &[u8]| {
            Context::new(key, salt, profile, None, None, self.provider.crypto()).expect("keys of the right length")
        };
        Ok(Guest {
            outgoing: context(part(0, key), part(2 * key, salt)),
            incoming: context(part(key, key), part(2 * key + salt, salt)),
            socket: self.socket,
            edge: self.edge,
            signalling: self.signalling,
            check,
            checked: Instant::now(),
            dtls,
            sctp: None,
        })
    }
}

impl Guest {
    /// Joins and connects.
    ///
    /// # Errors
    /// The edge refuses.
    pub fn enter(stage: &Stage, room: &str, name: &str) -> Result<Self, LoadError> {
        Joined::enter(&stage.edge, room, name, |sdp| sdp)?.connect()
    }

    /// A plain RTP packet, sealed.
    pub fn seal(&mut self, packet: &[u8]) -> Vec<u8> {
        self.outgoing.encrypt_rtp(packet).expect("an RTP packet").to_vec()
    }

    /// Sends plain RTP, sealed; its bytes. What the library finds too broken to seal goes as it is.
    pub fn sends(&mut self, packet: &[u8]) -> usize {
        let sealed = self.outgoing.encrypt_rtp(packet).map_or_else(|_| packet.to_vec(), |sealed| sealed.to_vec());
        wire::send(&self.socket, self.edge, &sealed)
    }

    /// Sends plain RTCP, sealed.
    pub fn reports(&mut self, compound: &[u8]) -> usize {
        self.stay();
        let sealed = self.outgoing.encrypt_rtcp(compound).expect("a compound");
        wire::send(&self.socket, self.edge, &sealed)
    }

    /// Keeps its consent fresh (RFC 7675).
    pub fn stay(&mut self) {
        if self.checked.elapsed() > Duration::from_secs(2) {
            self.checked = Instant::now();
            wire::send(&self.socket, self.edge, &self.check);
        }
    }

    /// RTP that has arrived, opened. What can't be opened is left out: a resend, byte for byte, is a replay.
    pub fn hears(&mut self) -> Vec<Vec<u8>> {
        let (mut buffer, mut heard) = ([0; 2_048], Vec::new());
        while let Ok(length) = self.socket.recv(&mut buffer) {
            let datagram = &buffer[..length];
            if datagram[0] >= 128 && !(64..96).contains(&(datagram[1] & 0x7f)) {
                heard.extend(self.incoming.decrypt_rtp(datagram).map(|packet| packet.to_vec()));
            } else if (20..64).contains(&datagram[0]) {
                self.take(&buffer[..length]);
            }
        }
        heard
    }

    /// Datagrams of media that have arrived, sealed: resends among them.
    #[must_use]
    pub fn datagrams(&mut self) -> Vec<Vec<u8>> {
        let (mut buffer, mut heard) = ([0; 2_048], Vec::new());
        while let Ok(length) = self.socket.recv(&mut buffer) {
            if buffer[0] >= 128 && !(64..96).contains(&(buffer[1] & 0x7f)) {
                heard.push(buffer[..length].to_vec());
            }
        }
        heard
    }

    /// Sends a record of application data: what is meant to be SCTP.
    pub fn says(&mut self, packet: &[u8]) -> usize {
        let _closed = self.dtls.write(Instant::now(), self.edge, packet);
        let mut sent = 0;
        while let Some(transmit) = self.dtls.poll_transmit() {
            sent += wire::send(&self.socket, self.edge, &transmit.message);
        }
        sent
    }

    fn take(&mut self, datagram: &[u8]) {
        let Ok(events) = self.dtls.read(Instant::now(), self.edge, None, datagram.into()) else { return };
        for event in events {
            let EndpointEvent::ApplicationData(packet) = event else { continue };
            let Some(sctp) = self.sctp.as_mut() else { continue };
            let handled = sctp.endpoint.handle(Instant::now(), ANYWHERE, None, None, Bytes::copy_from_slice(&packet));
            if let Some((_, DatagramEvent::AssociationEvent(event))) = handled {
                sctp.association.handle_event(event);
            }
        }
        self.pump();
    }

    /// Opens the data channels.
    ///
    /// # Errors
    /// The association doesn't come up.
    pub fn open_channels(&mut self) -> Result<(), LoadError> {
        let mut endpoint = sctp_proto::Endpoint::new(Arc::new(EndpointConfig::new()), None);
        let failed = |why: String| LoadError::refused("opening data channels as a guest", why);
        let (handle, association) = endpoint.connect(ClientConfig::default(), ANYWHERE).map_err(|error| failed(error.to_string()))?;
        self.sctp = Some(Sctp { endpoint, handle, association, connected: false });
        self.pump();
        let began = Instant::now();
        while !self.sctp.as_ref().is_some_and(|sctp| sctp.connected) {
            if began.elapsed() > PATIENCE {
                return Err(failed("no association came up".to_owned()));
            }
            std::thread::sleep(Duration::from_millis(1));
            self.hears();
            self.pump();
        }
        Ok(())
    }

    /// Queues a message in a channel; false when the association takes no more.
    pub fn message(&mut self, channel: u16, message: &[u8]) -> bool {
        let Some(sctp) = self.sctp.as_mut() else { return false };
        if sctp.association.stream(channel).is_err() && sctp.association.open_stream(channel, PayloadProtocolIdentifier::Binary).is_err() {
            return false;
        }
        let Ok(mut stream) = sctp.association.stream(channel) else { return false };
        let queued = stream.buffered_amount().unwrap_or(usize::MAX);
        let taken = queued < 256 * 1024 && stream.write_with_ppi(message, PayloadProtocolIdentifier::Binary).is_ok();
        self.pump();
        taken
    }

    /// The next message that has come in a channel.
    pub fn next_message(&mut self) -> Option<Vec<u8>> {
        self.hears();
        let sctp = self.sctp.as_mut()?;
        for channel in [0, 1] {
            let Ok(mut stream) = sctp.association.stream(channel) else { continue };
            if let Ok(Some(chunks)) = stream.read() {
                let mut bytes = vec![0; chunks.len()];
                if chunks.read(&mut bytes).is_ok() {
                    self.pump();
                    return Some(bytes);
                }
            }
        }
        None
    }

    fn pump(&mut self) {
        let now = Instant::now();
        let mut packets = Vec::new();
        if let Some(sctp) = self.sctp.as_mut() {
            if sctp.association.poll_timeout().is_some_and(|due| due <= now) {
                sctp.association.handle_timeout(now);
            }
            while let Some(event) = sctp.association.poll() {
                sctp.connected |= matches!(event, Event::Connected);
            }
            while let Some(transmit) = sctp.association.poll_transmit(now) {
                if let Payload::RawEncode(parts) = transmit.payload {
                    packets.extend(parts);
                }
            }
            while let Some(event) = sctp.association.poll_endpoint_event() {
                if let Some(event) = sctp.endpoint.handle_event(sctp.handle, event) {
                    sctp.association.handle_event(event);
                }
            }
        }
        for packet in packets {
            self.says(&packet);
        }
    }
}

/// SCTP needs an address to tell associations apart.
const ANYWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 5000);

/// Two sending sections (0 audio, 1 video), two receiving ones (2, 3), and data channels (4).
fn offer(fingerprint: &str) -> String {
    let transport = format!(
        "c=IN IP4 0.0.0.0\r\na=ice-ufrag:{UFRAG}\r\na=ice-pwd:a-password-of-a-guest-28\r\na=fingerprint:sha-256 {fingerprint}\r\na=setup:actpass\r\n"
    );
    let common = format!("{transport}a=rtcp-mux\r\na=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\n");
    let audio = format!("m=audio 9 UDP/TLS/RTP/SAVPF {OPUS}\r\n{common}a=rtpmap:{OPUS} opus/48000/2\r\n");
    let video = format!(
        "m=video 9 UDP/TLS/RTP/SAVPF {VP8}\r\n{common}a=rtpmap:{VP8} VP8/90000\r\na=rtcp-fb:{VP8} nack\r\na=rtcp-fb:{VP8} nack pli\r\n"
    );
    format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1 2 3 4\r\n\
         {audio}a=mid:0\r\na=sendonly\r\na=ssrc:{AUDIO} cname:g\r\n\
         {video}a=mid:1\r\na=sendonly\r\na=ssrc:{VIDEO} cname:g\r\n\
         {audio}a=mid:2\r\na=recvonly\r\n\
         {video}a=mid:3\r\na=recvonly\r\n\
         m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n{transport}a=mid:4\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n"
    )
}
