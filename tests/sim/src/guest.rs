//! A participant made by hand, for what no honest client does and no client library can be talked into: it joins with an offer of its
//! own making, and sends whatever RTP and RTCP the test wants under valid keys.
//!
//! DTLS and SRTP are those of webrtc-rs (`rtc`), so every profile is checked against code that isn't ours.

use crate::World;
use crate::stun;
use nearcast_protocol::client::Source;
use nearcast_protocol::{Join, MediaOffer, Permissions, PublishIntent, ServerMessage};
use rtc::crypto::{RTCCryptoProvider, default_provider};
use rtc::dtls::config::ConfigBuilder;
use rtc::dtls::crypto::Certificate;
use rtc::dtls::endpoint::{Endpoint, EndpointEvent};
use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc::shared::TransportProtocol;
use rtc::srtp::context::Context;
use rtc::srtp::protection_profile::ProtectionProfile;
use sfu_core::sdp::SdpFragment;
use sfu_core::{Admission, Command, ConnectionId, ModePolicy};
use std::net::SocketAddr;
use std::sync::Arc;

/// SSRC of the guest's audio, announced in its offer.
pub const GUEST_AUDIO: u32 = 0xa0;
/// SSRC of the guest's video, announced in its offer.
pub const GUEST_VIDEO: u32 = 0xb0;
/// Payload type of Opus in the guest's sections.
pub const GUEST_OPUS: u8 = 111;
/// Payload type of VP8 in the guest's sections; there is no RTX.
pub const GUEST_VP8: u8 = 96;

const UFRAG: &str = "guest";

/// What a guest offers to protect media with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Protection {
    /// SRTP_AES128_CM_HMAC_SHA1_80.
    CmSha1_80,
    /// SRTP_AES128_CM_HMAC_SHA1_32, which the edge doesn't take.
    CmSha1_32,
    /// SRTP_AEAD_AES_128_GCM.
    Gcm128,
    /// SRTP_AEAD_AES_256_GCM.
    Gcm256,
}

impl Protection {
    fn dtls(self) -> SrtpProtectionProfile {
        match self {
            Self::CmSha1_80 => SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
            Self::CmSha1_32 => SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_32,
            Self::Gcm128 => SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
            Self::Gcm256 => SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm,
        }
    }

    fn srtp(chosen: SrtpProtectionProfile) -> Option<ProtectionProfile> {
        Some(match chosen {
            SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
            SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm => ProtectionProfile::AeadAes128Gcm,
            SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm => ProtectionProfile::AeadAes256Gcm,
            _ => return None,
        })
    }
}

/// A participant made by hand. Its datagrams take no time and none is lost.
pub struct Guest {
    /// Where it sends from.
    pub address: SocketAddr,
    /// The edge's answer to its offer.
    pub answer: String,
    /// What its checks are sent with: the edge's username fragment, its own, the edge's password.
    pub ice: (String, String, String),
    number: usize,
    outgoing: Context,
    incoming: Context,
}

impl std::fmt::Debug for Guest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Guest").field("address", &self.address).finish_non_exhaustive()
    }
}

/// What has arrived for a guest.
#[derive(Debug)]
pub(crate) struct Mailbox {
    pub(crate) address: SocketAddr,
    pub(crate) connection: ConnectionId,
    pub(crate) datagrams: Vec<Vec<u8>>,
    pub(crate) signals: Vec<ServerMessage>,
}

impl World {
    /// A guest joins the room "room" and offers these profiles; none when the handshake fails.
    pub fn guest(&mut self, name: &str, profiles: &[Protection]) -> Option<Guest> {
        self.admit_guest(name, profiles, false)
    }

    /// A guest comes by WHIP or WHEP: without signalling of its own.
    pub fn http_guest(&mut self, name: &str) -> Guest {
        self.admit_guest(name, &[Protection::Gcm128], true).expect("a handshake")
    }

    /// Somebody joins by HTTP and is never heard of again.
    pub fn http_offer_alone(&mut self, name: &str) {
        let (number, _) = self.open_mailbox();
        self.join_guest(number, name, &["AB"; 32].join(":"), true);
    }

    fn admit_guest(&mut self, name: &str, profiles: &[Protection], by_http: bool) -> Option<Guest> {
        let provider = default_provider().expect("a cryptography library");
        let certificate = Certificate::generate_self_signed(vec!["guest".to_owned()], provider.crypto()).expect("a certificate");
        let fingerprint = fingerprint(&certificate.certificate[0]);
        let (number, address) = self.open_mailbox();
        let answer = self.join_guest(number, name, &fingerprint, by_http);

        let (ours, password) = stun::credentials(&answer);
        self.inject(address, &stun::check(&ours, UFRAG, &password, true));
        let keys = self.shake_hands(number, profiles, certificate, &provider)?;
        let context = |key: &[u8], salt: &[u8]| {
            let profile = keys.profile;
            Context::new(key, salt, profile, None, None, provider.crypto()).expect("keys of the right length")
        };
        let (key, salt) = (keys.profile.key_len(), keys.profile.salt_len());
        // Client key, server key, client salt, server salt (RFC 5764 §4.2).
        let part = |from: usize, length: usize| &keys.material[from..from + length];
        let outgoing = context(part(0, key), part(2 * key, salt));
        let incoming = context(part(key, key), part(2 * key + salt, salt));
        let ice = (ours, UFRAG.to_owned(), password);
        Some(Guest { address, answer, ice, number, outgoing, incoming })
    }

    /// One check, that nominates. True: it was answered.
    pub fn guest_checks(&mut self, guest: &Guest) -> bool {
        self.guest_datagrams(guest);
        let (ours, theirs, password) = &guest.ice;
        self.inject(guest.address, &stun::check(ours, theirs, password, true));
        self.run_for(crate::ms(1));
        let answers = self.guest_datagrams(guest).iter().filter(|datagram| datagram[0] < 4).count();
        answers > 0
    }

    /// Restarts the ICE of a guest that came by HTTP; its old credentials.
    pub fn guest_restarts_ice(&mut self, guest: &mut Guest, ufrag: &str) -> (String, String, String) {
        let heard = self.guest_signals(guest.number).len();
        let connection = self.mailbox(guest.number).connection;
        let fragment = SdpFragment::parse(&format!("a=ice-ufrag:{ufrag}\r\na=ice-pwd:a-new-password-of-a-guest\r\n")).expect("a fragment");
        self.command(Command::RestartIce { connection, request: 2, fragment });
        let is_answer = |message: &&ServerMessage| matches!(message, ServerMessage::Answer { id: 2, .. });
        let number = guest.number;
        self.run_until(crate::secs(2), "the answer to a restart", |world| {
            world.guest_signals(number)[heard..].iter().any(|it| is_answer(&it))
        });
        let found = self.guest_signals(number).iter().rfind(is_answer);
        let Some(ServerMessage::Answer { answer, .. }) = found else { unreachable!("it was waited for") };
        let (ours, password) = stun::credentials(&answer.sdp);
        std::mem::replace(&mut guest.ice, (ours, ufrag.to_owned(), password))
    }

    /// What a guest was told, since the beginning.
    #[must_use]
    pub fn guest_was_told(&self, guest: &Guest) -> &[ServerMessage] {
        self.guest_signals(guest.number)
    }

    fn join_guest(&mut self, number: usize, name: &str, fingerprint: &str, by_http: bool) -> String {
        let connection = self.mailbox(number).connection;
        let intent = |mid: &str, source| PublishIntent { mid: mid.into(), source, name: String::new(), muted: false, publication: None };
        let publish = vec![intent("0", Source::Microphone), intent("1", Source::Camera)];
        let offer = Some(MediaOffer { sdp: offer(fingerprint), publish });
        let admission = Admission {
            room: "room".into(),
            identity: name.into(),
            name: name.into(),
            role: None,
            permissions: Permissions { publish: true, subscribe: true, publish_data: true, moderate: false },
            mode: ModePolicy::default(),
            max_participants: None,
            forwarding: None,
        };
        let join = Join { offer, auto_subscribe: true, ..Join::default() };
        self.command(match by_http {
            true => Command::JoinByHttp { connection, request: 1, admission, join },
            false => Command::Join { connection, request: 1, admission, continuation: None, join },
        });
        self.run_until(crate::secs(2), "a guest's answer", |world| !world.guest_signals(number).is_empty());
        let ServerMessage::Joined(joined) = &self.guest_signals(number)[0] else { panic!("{:?}", self.guest_signals(number)) };
        joined.answer.clone().expect("an answer").sdp
    }

    /// Sends plain RTP, sealed.
    pub fn guest_sends(&mut self, guest: &mut Guest, packet: &[u8]) {
        let sealed = guest.outgoing.encrypt_rtp(packet).expect("an RTP packet");
        self.inject(guest.address, &sealed);
    }

    /// Sends plain RTCP, sealed.
    pub fn guest_reports(&mut self, guest: &mut Guest, compound: &[u8]) {
        let sealed = guest.outgoing.encrypt_rtcp(compound).expect("a compound");
        self.inject(guest.address, &sealed);
    }

    /// Sealed datagrams that arrived since the last call.
    pub fn guest_datagrams(&mut self, guest: &Guest) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.mailbox(guest.number).datagrams)
    }

    /// RTP that arrived since the last call, opened. What can't be opened stops the test.
    pub fn guest_hears(&mut self, guest: &mut Guest) -> Vec<Vec<u8>> {
        let datagrams = self.guest_datagrams(guest);
        let media = datagrams.into_iter().filter(|datagram| datagram[0] >= 128 && !(64..96).contains(&(datagram[1] & 0x7f)));
        media.map(|datagram| guest.incoming.decrypt_rtp(&datagram).expect("an authentic packet").to_vec()).collect()
    }

    fn shake_hands(
        &mut self,
        number: usize,
        profiles: &[Protection],
        certificate: Certificate,
        provider: &Arc<dyn RTCCryptoProvider>,
    ) -> Option<Keys> {
        let config = ConfigBuilder::default()
            .with_crypto_provider(Arc::clone(provider))
            .with_certificates(vec![certificate])
            .with_srtp_protection_profiles(profiles.iter().map(|profile| profile.dtls()).collect())
            .with_insecure_skip_verify(true);
        let config = Arc::new(config.build(true, None).expect("a configuration"));
        let (from, edge) = (self.mailbox(number).address, self.edge.address());
        let mut endpoint = Endpoint::new(from, TransportProtocol::UDP, None);
        endpoint.connect(self.now, edge, config, None).expect("a first flight");
        for _ in 0..50 {
            while let Some(transmit) = endpoint.poll_transmit() {
                self.inject(from, &transmit.message);
            }
            self.run_for(crate::ms(20));
            for datagram in std::mem::take(&mut self.mailbox(number).datagrams) {
                if !(20..64).contains(&datagram[0]) {
                    continue;
                }
                let events = endpoint.read(self.now, edge, None, datagram[..].into()).ok()?;
                if events.iter().any(|event| matches!(event, EndpointEvent::HandshakeComplete)) {
                    while let Some(transmit) = endpoint.poll_transmit() {
                        self.inject(from, &transmit.message);
                    }
                    let state = endpoint.get_connection_state(edge).expect("a connection");
                    let profile = Protection::srtp(state.srtp_protection_profile())?;
                    let length = 2 * (profile.key_len() + profile.salt_len());
                    let material = state.export_keying_material("EXTRACTOR-dtls_srtp", &[], length).expect("keys");
                    return Some(Keys { profile, material: material.as_ref().to_vec() });
                }
            }
        }
        None
    }
}

struct Keys {
    profile: ProtectionProfile,
    material: Vec<u8>,
}

fn fingerprint(certificate: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, certificate);
    digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

/// Two sending sections (0 audio, 1 video) and two receiving ones (2, 3).
fn offer(fingerprint: &str) -> String {
    let common = format!(
        "c=IN IP4 0.0.0.0\r\na=rtcp-mux\r\na=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=ice-ufrag:{UFRAG}\r\na=ice-pwd:a-password-of-a-guest-28\r\na=fingerprint:sha-256 {fingerprint}\r\na=setup:actpass\r\n"
    );
    let audio = format!("m=audio 9 UDP/TLS/RTP/SAVPF {GUEST_OPUS}\r\n{common}a=rtpmap:{GUEST_OPUS} opus/48000/2\r\n");
    let video = format!(
        "m=video 9 UDP/TLS/RTP/SAVPF {GUEST_VP8}\r\n{common}a=rtpmap:{GUEST_VP8} VP8/90000\r\na=rtcp-fb:{GUEST_VP8} nack\r\na=rtcp-fb:{GUEST_VP8} nack pli\r\n"
    );
    format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1 2 3\r\n\
         {audio}a=mid:0\r\na=sendonly\r\na=ssrc:{GUEST_AUDIO} cname:g\r\n\
         {video}a=mid:1\r\na=sendonly\r\na=ssrc:{GUEST_VIDEO} cname:g\r\n\
         {audio}a=mid:2\r\na=recvonly\r\n\
         {video}a=mid:3\r\na=recvonly\r\n"
    )
}

/// A plain RTP packet, with the section's name in the MID extension if one is given.
#[must_use]
pub fn rtp(payload_type: u8, seq: u16, timestamp: u32, ssrc: u32, mid: Option<u8>, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80 | (u8::from(mid.is_some()) << 4), 0x80 | payload_type];
    packet.extend(seq.to_be_bytes());
    packet.extend(timestamp.to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    if let Some(digit) = mid {
        packet.extend([0xbe, 0xde, 0, 1, 0x10, digit, 0, 0]);
    }
    packet.extend(payload);
    packet
}

/// SSRC and number of a plain RTP packet.
#[must_use]
pub fn ssrc_and_seq(packet: &[u8]) -> (u32, u16) {
    let word = |at: usize| u32::from_be_bytes(packet[at..at + 4].try_into().expect("four bytes"));
    (word(8), u16::from_be_bytes([packet[2], packet[3]]))
}
