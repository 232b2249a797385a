//! DTLS by `dimpl`: bounded reassembly, no unsafe, its own preference of SRTP profiles with AES-GCM first. Verifies no RSA certificates.

use super::{CertificateError, Handshake, MTU, Output, RETRANSMIT};
use crate::srtp::SrtpProfile;
use std::sync::Arc;
use std::time::Instant;

/// The certificate with what every handshake shares.
#[derive(Clone)]
pub(super) struct Identity {
    certificate: dimpl::DtlsCertificate,
    config: Arc<dimpl::Config>,
}

impl Identity {
    pub(super) fn new(certificate: dimpl::DtlsCertificate) -> Result<Self, CertificateError> {
        let config = dimpl::Config::builder()
            .mtu(MTU)
            .use_server_cookie(false)
            .flight_start_rto(RETRANSMIT)
            .flight_retries(7)
            .build()
            .map_err(CertificateError::from_library)?;
        Ok(Self { certificate, config: Arc::new(config) })
    }

    pub(super) fn serve(&self, now: Instant) -> Association {
        let inner = dimpl::Dtls::new_12(Arc::clone(&self.config), self.certificate.clone(), now);
        Association { inner }
    }
}

/// Room for what the library hands out at a time: datagrams, most certificates, SCTP packets.
const LARGEST_USUAL: usize = 2048;

/// One association.
pub(super) struct Association {
    inner: dimpl::Dtls,
}

impl Handshake for Association {
    fn handle_datagram(&mut self, now: Instant, datagram: &[u8]) -> Result<(), &'static str> {
        let handled = self.inner.handle_timeout(now).is_ok() && self.inner.handle_packet(datagram).is_ok();
        if handled { Ok(()) } else { Err("the DTLS handshake failed") }
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), &'static str> {
        self.inner.handle_timeout(now).map_err(|_| "the DTLS handshake timed out")
    }

    fn send(&mut self, data: &[u8]) {
        // It fails before the handshake is done, when the caller doesn't send, and when closed, when nobody listens.
        let _ = self.inner.send_application_data(data);
    }

    fn close(&mut self) {
        // Closed already: then it has been said.
        let _ = self.inner.close();
    }

    fn poll(&mut self) -> Output {
        // Not kept: every transport would have one, and none needs it for long.
        let (mut usual, mut large) = ([0; LARGEST_USUAL], Vec::new());
        loop {
            let buffer = if large.is_empty() { usual.as_mut_slice() } else { large.as_mut_slice() };
            match self.inner.poll_output(buffer) {
                dimpl::Output::Packet(packet) => return Output::Datagram(packet.to_vec()),
                dimpl::Output::BufferTooSmall { needed } => large.resize(needed.clamp(1, 1 << 16), 0),
                dimpl::Output::Timeout(at) => return Output::Idle(Some(at)),
                dimpl::Output::PeerCert(der) => return Output::Certificate(der.to_vec()),
                dimpl::Output::KeyingMaterial(material, profile) => {
                    let profile = match profile {
                        dimpl::SrtpProfile::AEAD_AES_256_GCM => SrtpProfile::AeadAes256Gcm,
                        dimpl::SrtpProfile::AEAD_AES_128_GCM => SrtpProfile::AeadAes128Gcm,
                        _ => SrtpProfile::Aes128CmSha1_80,
                    };
                    return Output::Keys(profile, material.to_vec());
                }
                dimpl::Output::ApplicationData(data) => return Output::Data(data.to_vec()),
                dimpl::Output::CloseNotify => return Output::Closed,
                _ => {}
            }
        }
    }
}
