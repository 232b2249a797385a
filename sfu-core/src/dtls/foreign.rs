//! DTLS by `rtc-dtls`, which verifies RSA certificates as well: GStreamer's webrtcbin presents one.
//!
//! The library trusts its peer more than we do, so two things are kept from it. It reassembles handshake messages with a recursion as
//! deep as there are fragments, and queues what comes too early without end: [`Meter`] bounds what it is fed. And a panic in it ends
//! this association, not the shard.

mod hello;

use super::{CertificateError, Handshake, MTU, Output, RETRANSMIT};
use crate::srtp::SrtpProfile;
use bytes::BytesMut;
use rtc_dtls::cipher_suite::CipherSuiteId;
use rtc_dtls::config::{ClientAuthType, ConfigBuilder, HandshakeConfig};
use rtc_dtls::crypto::{Certificate, CryptoPrivateKey};
use rtc_dtls::crypto_provider::{RTCCryptoProvider, SignatureScheme, default_provider};
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_shared::TransportProtocol;
use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

/// The library tells associations apart by address; each of ours has an endpoint of its own, and ICE may move it to another address.
const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 1);

/// Label of the exporter (RFC 5764 §4.2).
const EXPORTER: &str = "EXTRACTOR-dtls_srtp";

/// The certificate with what every handshake shares.
#[derive(Clone)]
pub(super) struct Identity {
    /// For clients that can do AES-GCM: nothing else is taken.
    gcm: Arc<HandshakeConfig>,
    any: Arc<HandshakeConfig>,
    /// For when we are the client.
    client: Arc<HandshakeConfig>,
}

impl Identity {
    /// From a DER certificate and its PKCS #8 key, ECDSA P-256.
    pub(super) fn new(certificate: &[u8], private_key: &[u8]) -> Result<Self, CertificateError> {
        let provider: Arc<dyn RTCCryptoProvider> = default_provider().map_err(CertificateError::from_library)?;
        let key =
            provider.crypto().import_signing_key(SignatureScheme::EcdsaP256Sha256, private_key).map_err(CertificateError::from_library)?;
        let certificate =
            Certificate { certificate: vec![certificate.to_vec().into()], private_key: CryptoPrivateKey::from_signing_key(key) };
        let config = |is_client, profiles| {
            let config = ConfigBuilder::default()
                .with_crypto_provider(Arc::clone(&provider))
                .with_certificates(vec![certificate.clone()])
                .with_cipher_suites(vec![CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256]) // RFC 8827 §6.5: everybody has it
                .with_srtp_protection_profiles(profiles)
                // No authority has signed any of them: the fingerprint in the offer is what they are compared with.
                .with_client_auth(ClientAuthType::RequireAnyClientCert)
                .with_insecure_skip_verify(true)
                .with_flight_interval(RETRANSMIT)
                .with_mtu(MTU)
                .build(is_client, None)
                .map_err(CertificateError::from_library)?;
            Ok(Arc::new(config))
        };
        let gcm = vec![SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm, SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm];
        let any = [gcm.clone(), vec![SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80]].concat();
        Ok(Self { gcm: config(false, gcm)?, client: config(true, any.clone())?, any: config(false, any)? })
    }

    pub(super) fn serve(&self, now: Instant) -> Association {
        self.association(Some(Arc::clone(&self.any)), None, now)
    }

    /// The client's side; it begins when it is started.
    pub(super) fn call(&self, now: Instant) -> Association {
        self.association(None, Some(Arc::clone(&self.client)), now)
    }

    fn association(&self, server: Option<Arc<HandshakeConfig>>, client: Option<Arc<HandshakeConfig>>, now: Instant) -> Association {
        Association {
            inner: Endpoint::new(PEER, TransportProtocol::UDP, server),
            gcm: Arc::clone(&self.gcm),
            client,
            now,
            meter: Meter::default(),
            connected: false,
            outputs: VecDeque::new(),
        }
    }
}

/// One association.
pub(super) struct Association {
    inner: Endpoint,
    gcm: Arc<HandshakeConfig>,
    /// We are the client.
    client: Option<Arc<HandshakeConfig>>,
    /// The last instant heard of: the library wants one where it only stamps what it sends.
    now: Instant,
    meter: Meter,
    connected: bool,
    outputs: VecDeque<Output>,
}

impl Association {
    /// Calls the library, and lets a panic in it cost this association only.
    fn guarded<T>(&mut self, call: impl FnOnce(&mut Endpoint) -> rtc_shared::error::Result<T>) -> Result<T, Fault> {
        match catch_unwind(AssertUnwindSafe(|| call(&mut self.inner))) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(Fault::Refused(error)),
            Err(_) => Err(Fault::Panicked),
        }
    }

    fn took(&mut self, events: Vec<EndpointEvent>) -> Result<(), &'static str> {
        for event in events {
            match event {
                EndpointEvent::HandshakeComplete => self.complete()?,
                EndpointEvent::ApplicationData(data) => self.outputs.push_back(Output::Data(data.to_vec())),
                EndpointEvent::PeerClosed => self.outputs.push_back(Output::Closed),
                _ => {}
            }
        }
        Ok(())
    }

    fn complete(&mut self) -> Result<(), &'static str> {
        self.connected = true;
        let state = self.inner.get_connection_state(PEER).ok_or("the association vanished while it was made")?;
        let certificate = state.peer_certificates.first().ok_or("the client sent no certificate")?.clone();
        let profile = match state.srtp_protection_profile() {
            SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm => SrtpProfile::AeadAes128Gcm,
            SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm => SrtpProfile::AeadAes256Gcm,
            SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80 => SrtpProfile::Aes128CmSha1_80,
            _ => return Err("no SRTP profile in common"),
        };
        let length = profile.key_len().saturating_add(profile.salt_len()).saturating_mul(2);
        let material = state.export_keying_material(EXPORTER, &[], length).map_err(|_| "the keys could not be exported")?;
        self.outputs.push_back(Output::Certificate(certificate));
        self.outputs.push_back(Output::Keys(profile, material.as_ref().to_vec()));
        Ok(())
    }
}

/// How a call of the library failed.
enum Fault {
    Refused(rtc_shared::error::Error),
    Panicked,
}

impl Handshake for Association {
    fn start(&mut self, now: Instant) -> Result<(), &'static str> {
        self.now = now;
        let Some(config) = self.client.clone().filter(|_| self.inner.get_connection_state(PEER).is_none()) else { return Ok(()) };
        self.guarded(|endpoint| endpoint.connect(now, PEER, config, None)).map_err(|_| "the DTLS handshake could not begin")
    }

    fn handle_datagram(&mut self, now: Instant, datagram: &[u8]) -> Result<(), &'static str> {
        self.now = now;
        match self.meter.admit(datagram, self.connected) {
            Admit::Feed => {}
            Admit::Drop => return Ok(()),
            Admit::Close => return Err("more DTLS records than any handshake has"),
        }
        if self.client.is_some() && self.inner.get_connection_state(PEER).is_none() {
            return Ok(()); // we speak first, or speak no more
        }
        if self.inner.get_connection_state(PEER).is_none() && hello::offers_gcm(datagram) {
            self.inner.set_server_config(Some(Arc::clone(&self.gcm)));
        }
        match self.guarded(|endpoint| endpoint.read(now, PEER, None, BytesMut::from(datagram))) {
            Ok(events) => self.took(events),
            Err(Fault::Panicked) => Err("a fault in the DTLS library"),
            // Whoever knows the address can send nonsense to an association: only what is authentic may end one that stands.
            Err(Fault::Refused(rtc_shared::error::Error::ErrAlertFatalOrClose)) => Err("the other side ended DTLS with an alert"),
            Err(Fault::Refused(_)) if self.connected => Ok(()),
            Err(Fault::Refused(error)) => {
                tracing::debug!(%error, "a DTLS handshake failed");
                Err("the DTLS handshake failed")
            }
        }
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), &'static str> {
        self.now = now;
        if self.inner.get_connection_state(PEER).is_none() {
            return Ok(());
        }
        self.guarded(|endpoint| endpoint.handle_timeout(PEER, now)).map_err(|_| "the DTLS handshake timed out")
    }

    fn send(&mut self, data: &[u8]) {
        let now = self.now;
        // It fails when closed, and then nobody listens.
        let _ = self.guarded(|endpoint| endpoint.write(now, PEER, data));
    }

    fn close(&mut self) {
        let now = self.now;
        let _ = self.guarded(|endpoint| endpoint.close(now));
    }

    fn poll(&mut self) -> Output {
        if let Some(transmit) = self.inner.poll_transmit() {
            return Output::Datagram(transmit.message.to_vec());
        }
        self.outputs.pop_front().unwrap_or_else(|| Output::Idle(self.inner.poll_timeout(&PEER)))
    }
}

/// Records that one association may be sent while it is made, and handshake records in all. A client's two flights have at most a
/// dozen records, certificate in fragments included, and are sent at most eight times.
const MOST_RECORDS: usize = 256;

/// Counts what the library would have to keep.
#[derive(Default)]
struct Meter {
    records: usize,
}

/// What to do with a datagram.
#[derive(Debug, Eq, PartialEq)]
enum Admit {
    Feed,
    Drop,
    Close,
}

impl Meter {
    fn admit(&mut self, datagram: &[u8], connected: bool) -> Admit {
        /// Content type of handshake records (RFC 5246 §6.2.1).
        const HANDSHAKE: u8 = 22;
        let counted = records(datagram).filter(|kind| !connected || *kind == HANDSHAKE).count();
        self.records = self.records.saturating_add(counted);
        match self.records > MOST_RECORDS {
            // The library makes room for as much as the first fragment claims.
            false if claims_too_much(datagram) => Admit::Drop,
            false => Admit::Feed,
            // The association stands: whatever this is, it isn't needed.
            true if connected && counted > 0 => Admit::Drop,
            true if connected => Admit::Feed,
            true => Admit::Close,
        }
    }
}

/// Bytes of the longest handshake message that is taken: a chain of certificates is a few kilobytes.
const MOST_MESSAGE: u32 = 64 * 1_024;

/// Whether a handshake message in the clear, or a fragment of one, says that it is longer than any is (RFC 6347 §4.2.2).
fn claims_too_much(mut datagram: &[u8]) -> bool {
    const HEADER: usize = 13;
    const HANDSHAKE: u8 = 22;
    while let Some((header, rest)) = datagram.split_first_chunk::<HEADER>() {
        let [kind, _, _, epoch @ .., _, _, _, _, _, _, high, low] = header;
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
        let (body, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        if *kind == HANDSHAKE
            && *epoch == [0, 0]
            && let [_, a, b, c, ..] = body
            && u32::from_be_bytes([0, *a, *b, *c]) > MOST_MESSAGE
        {
            return true;
        }
        datagram = after;
    }
    false
}

/// Content types of the records in a datagram (RFC 6347 §4.1), also of a last one that is cut short.
fn records(mut datagram: &[u8]) -> impl Iterator<Item = u8> {
    const HEADER: usize = 13;
    std::iter::from_fn(move || {
        let kind = *datagram.first()?;
        let length = datagram.get(11..HEADER).and_then(|bytes| <[u8; 2]>::try_from(bytes).ok()).map_or(0, u16::from_be_bytes);
        datagram = datagram.get(HEADER.saturating_add(usize::from(length))..).unwrap_or_default();
        Some(kind)
    })
}

#[cfg(test)]
pub(super) mod hostile {
    use super::MOST_RECORDS;

    /// As many one-byte fragments of one handshake message as fit into `count` datagrams, all but the first byte.
    pub(in crate::dtls) fn fragments(count: usize) -> Vec<Vec<u8>> {
        (0..count)
            .map(|datagram| {
                let mut bytes = Vec::new();
                for index in 0..40 {
                    let offset = u32::try_from(datagram * 40 + index + 1).unwrap().to_be_bytes();
                    let sequence = u64::try_from(datagram * 40 + index).unwrap().to_be_bytes();
                    bytes.extend_from_slice(&[22, 254, 253, 0, 0]);
                    bytes.extend_from_slice(&sequence[2..]);
                    bytes.extend_from_slice(&[0, 13]);
                    bytes.extend_from_slice(&[1, 0xff, 0xff, 0xff, 0, 0]); // a ClientHello of 16 MB, message 0
                    bytes.extend_from_slice(&offset[1..]);
                    bytes.extend_from_slice(&[0, 0, 1, 0x55]);
                }
                bytes
            })
            .collect()
    }

    pub(in crate::dtls) const ENOUGH: usize = MOST_RECORDS / 40 + 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Found by fuzzing: one fragment of 25 bytes made the library allocate 16 MB.
    #[test]
    fn a_message_that_claims_megabytes_is_not_begun() {
        let fragment = hostile::fragments(1).remove(0);
        assert_eq!(Meter::default().admit(&fragment, false), Admit::Drop);
        let mut honest = fragment.clone();
        honest.truncate(26);
        honest[14] = 0;
        assert_eq!(Meter::default().admit(&honest, false), Admit::Feed, "63 kB");
        let second = [&[21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 0][..], &fragment].concat();
        assert_eq!(Meter::default().admit(&second, false), Admit::Drop, "behind another record");
        honest.truncate(14);
        assert_eq!(Meter::default().admit(&honest, false), Admit::Feed, "cut short: the library's to refuse");
    }
}
