//! Both libraries against a client of the second one, which can present either kind of certificate.

use super::*;
use aws_lc_rs::rsa::{KeyPair as RsaKey, KeySize};
use bytes::BytesMut;
use rtc_dtls::config::{ClientAuthType, ConfigBuilder, HandshakeConfig};
use rtc_dtls::crypto::{Certificate as ClientCertificate, CryptoPrivateKey};
use rtc_dtls::crypto_provider::default_provider;
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile as Profile;
use rtc_shared::TransportProtocol;
use std::net::SocketAddr;
use std::sync::Arc;

/// A client as foreign as they come: RSA 2048, or ECDSA P-256.
struct Client {
    endpoint: Endpoint,
    config: Arc<HandshakeConfig>,
    fingerprint: Fingerprint,
    connected: bool,
}

fn server_address() -> SocketAddr {
    "192.0.2.1:5".parse().unwrap()
}

impl Client {
    fn new(rsa: bool, profiles: Vec<Profile>) -> Self {
        Self::playing(DtlsRole::Client, rsa, profiles)
    }

    fn playing(role: DtlsRole, rsa: bool, profiles: Vec<Profile>) -> Self {
        let key = if rsa {
            let key = RsaKey::generate(KeySize::Rsa2048).unwrap();
            let der = aws_lc_rs::encoding::AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&key).unwrap();
            rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&der.as_ref().to_vec().into(), &rcgen::PKCS_RSA_SHA256).unwrap()
        } else {
            rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap()
        };
        let der = rcgen::CertificateParams::new(vec![]).unwrap().self_signed(&key).unwrap().der().clone();
        let fingerprint = sha256(&der);
        let provider = default_provider().unwrap();
        let private_key = CryptoPrivateKey::from_key_pair(&key, provider.crypto()).unwrap();
        let config = ConfigBuilder::default()
            .with_crypto_provider(provider)
            .with_certificates(vec![ClientCertificate { certificate: vec![der], private_key }])
            .with_srtp_protection_profiles(profiles)
            .with_insecure_skip_verify(true)
            .with_client_auth(ClientAuthType::RequireAnyClientCert)
            .build(role == DtlsRole::Client, None)
            .unwrap();
        let config = Arc::new(config);
        let serving = (role == DtlsRole::Server).then(|| Arc::clone(&config));
        let endpoint = Endpoint::new("192.0.2.2:6".parse().unwrap(), TransportProtocol::UDP, serving);
        Self { endpoint, config, fingerprint, connected: false }
    }

    /// Shakes hands until nobody has anything left to say; what the server then had to tell.
    fn meet(&mut self, server: &mut DtlsTransport) -> Vec<DtlsEvent> {
        let now = Instant::now();
        match server.role() {
            DtlsRole::Server => self.endpoint.connect(now, server_address(), Arc::clone(&self.config), None).unwrap(),
            DtlsRole::Client => server.start(now),
        }
        loop {
            let mut quiet = true;
            while let Some(transmit) = self.endpoint.poll_transmit() {
                quiet = false;
                server.handle_datagram(now, &transmit.message);
            }
            while let Some(datagram) = server.poll_transmit() {
                quiet = false;
                let events = self.endpoint.read(now, server_address(), None, BytesMut::from(datagram.as_slice())).unwrap_or_default();
                self.connected |= events.iter().any(|event| matches!(event, EndpointEvent::HandshakeComplete));
            }
            if quiet {
                return std::iter::from_fn(|| server.poll_event()).collect();
            }
        }
    }
}

fn all() -> Vec<Profile> {
    vec![Profile::Srtp_Aes128_Cm_Hmac_Sha1_80, Profile::Srtp_Aead_Aes_128_Gcm]
}

#[test]
fn rsa_certificates_are_verified() {
    let certificate = Certificate::generate().unwrap();
    let mut client = Client::new(true, all());
    let mut server = DtlsTransport::new(&certificate, client.fingerprint, Clientele::Foreign, DtlsRole::Server, Instant::now());
    let events = client.meet(&mut server);
    // GCM is taken although the client would rather have the other.
    assert!(matches!(events.as_slice(), [DtlsEvent::Keys(SrtpProfile::AeadAes128Gcm, _)]), "{events:?}");
    assert!(client.connected && server.is_connected());
}

#[test]
fn ecdsa_certificates_are_verified_by_both() {
    let certificate = Certificate::generate().unwrap();
    for clientele in [Clientele::Ours, Clientele::Foreign] {
        let mut client = Client::new(false, all());
        let mut server = DtlsTransport::new(&certificate, client.fingerprint, clientele, DtlsRole::Server, Instant::now());
        let events = client.meet(&mut server);
        assert!(matches!(events.as_slice(), [DtlsEvent::Keys(SrtpProfile::AeadAes128Gcm, _)]), "{clientele:?}: {events:?}");
    }
}

#[test]
fn the_profile_that_everybody_has_will_do() {
    let certificate = Certificate::generate().unwrap();
    // It has another one as well, which is too weak for us.
    let mut client = Client::new(true, vec![Profile::Srtp_Aes128_Cm_Hmac_Sha1_32, Profile::Srtp_Aes128_Cm_Hmac_Sha1_80]);
    let mut server = DtlsTransport::new(&certificate, client.fingerprint, Clientele::Foreign, DtlsRole::Server, Instant::now());
    assert!(matches!(client.meet(&mut server).as_slice(), [DtlsEvent::Keys(SrtpProfile::Aes128CmSha1_80, _)]));
}

#[test]
fn a_certificate_that_does_not_match_is_refused() {
    let certificate = Certificate::generate().unwrap();
    for (rsa, clientele) in [(false, Clientele::Ours), (false, Clientele::Foreign), (true, Clientele::Foreign)] {
        let mut client = Client::new(rsa, all());
        let mut server = DtlsTransport::new(&certificate, Fingerprint([7; 32]), clientele, DtlsRole::Server, Instant::now());
        let events = client.meet(&mut server);
        assert!(events.iter().all(|event| matches!(event, DtlsEvent::Closed(_))), "{events:?}");
        assert!(!events.is_empty() && !server.is_connected());
    }
}

#[test]
fn who_wants_to_be_the_server_may() {
    let certificate = Certificate::generate().unwrap();
    for (expected, good) in [(None, true), (Some(Fingerprint([7; 32])), false)] {
        // A server with an RSA certificate would need other cipher suites; ffmpeg's is ECDSA.
        let mut other = Client::playing(DtlsRole::Server, false, vec![Profile::Srtp_Aes128_Cm_Hmac_Sha1_80]);
        let expected = expected.unwrap_or(other.fingerprint);
        let mut transport = DtlsTransport::new(&certificate, expected, Clientele::Foreign, DtlsRole::Client, Instant::now());
        // Nothing has been begun yet, and nobody else can.
        transport.handle_datagram(Instant::now(), &[22, 254, 253, 0, 0]);
        assert!(transport.poll_transmit().is_none() && transport.poll_event().is_none());
        let events = other.meet(&mut transport);
        match good {
            true => assert!(matches!(events.as_slice(), [DtlsEvent::Keys(SrtpProfile::Aes128CmSha1_80, _)]), "{events:?}"),
            false => assert!(matches!(events.as_slice(), [DtlsEvent::Closed(_), ..]), "{events:?}"),
        }
        assert_eq!(transport.is_connected(), good);
        transport.start(Instant::now());
        assert!(transport.poll_transmit().is_none(), "begun twice");
    }
}

#[test]
fn a_goodbye_is_heard_by_both() {
    let certificate = Certificate::generate().unwrap();
    for says in ["client", "server"] {
        let mut client = Client::new(true, all());
        let mut server = DtlsTransport::new(&certificate, client.fingerprint, Clientele::Foreign, DtlsRole::Server, Instant::now());
        client.meet(&mut server);
        if says == "client" {
            client.endpoint.close(Instant::now()).unwrap();
            let goodbye = client.endpoint.poll_transmit().unwrap();
            server.handle_datagram(Instant::now(), &goodbye.message);
            assert!(matches!(server.poll_event(), Some(DtlsEvent::Closed(_))));
        } else {
            server.say_goodbye();
            let goodbye = server.poll_transmit().unwrap();
            let heard = client.endpoint.read(Instant::now(), server_address(), None, BytesMut::from(goodbye.as_slice())).unwrap();
            assert!(heard.iter().any(|event| matches!(event, EndpointEvent::PeerClosed)));
        }
    }
}

#[test]
fn nonsense_does_not_end_an_association_that_stands() {
    let certificate = Certificate::generate().unwrap();
    let mut client = Client::new(true, all());
    let mut server = DtlsTransport::new(&certificate, client.fingerprint, Clientele::Foreign, DtlsRole::Server, Instant::now());
    client.meet(&mut server);
    // An alert in the clear, application data in the clear, half a record, a record of no kind.
    for datagram in
        [&[21, 254, 253, 0, 0, 0, 0, 0, 0, 9, 9, 0, 2, 2, 40][..], &[23, 254, 253, 0, 0, 0, 0, 0, 0, 9, 8, 0, 1, 1], &[22, 254], &[99; 40]]
    {
        server.handle_datagram(Instant::now(), datagram);
    }
    assert!(server.poll_event().is_none() && server.is_connected());
}

#[test]
fn what_a_handshake_may_hold_is_bounded() {
    let certificate = Certificate::generate().unwrap();
    let mut server = DtlsTransport::new(&certificate, Fingerprint([7; 32]), Clientele::Foreign, DtlsRole::Server, Instant::now());
    let flood = foreign::hostile::fragments(foreign::hostile::ENOUGH);
    for datagram in &flood {
        server.handle_datagram(Instant::now(), datagram);
    }
    assert!(matches!(server.poll_event(), Some(DtlsEvent::Closed(_))), "the flood was taken in");

    // Who has shaken hands is bounded too, and stays connected.
    let mut client = Client::new(true, all());
    let mut server = DtlsTransport::new(&certificate, client.fingerprint, Clientele::Foreign, DtlsRole::Server, Instant::now());
    client.meet(&mut server);
    for datagram in flood.iter().chain(&flood) {
        server.handle_datagram(Instant::now(), datagram);
    }
    assert!(server.is_connected() && server.poll_event().is_none());
}
