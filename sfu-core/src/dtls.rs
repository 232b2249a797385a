//! The DTLS side of one transport: DTLS 1.2 (RFC 6347) that exports SRTP keys (RFC 5764) and carries SCTP.
//!
//! We are the server (`a=setup:passive`) whenever the offer lets us, because the server picks the SRTP profile and we want AES-GCM.
//! DTLS 1.3 is off until the library lets the server prefer GCM there (docs/decisions/002).
//!
//! Only datagrams from an ICE-validated address get here, so a cookie would protect nothing that ICE doesn't.
//!
//! Two libraries do the work behind one small trait, [`Handshake`] (docs/decisions/007): [`ecdsa`] for whoever comes with our SDK in a
//! browser, [`foreign`] for WHIP and WHEP, where GStreamer presents an RSA certificate. Which one, [`Clientele`] says.
//!
//! Invariants, each with a test of the same name:
//! * `a_certificate_that_does_not_match_is_refused`: no keys before the certificate's fingerprint has been compared with the offer's;
//! * `rsa_certificates_are_verified`;
//! * `what_a_handshake_may_hold_is_bounded`.

mod ecdsa;
mod foreign;
#[cfg(test)]
mod tests;

use crate::sdp::Fingerprint;
use crate::srtp::{SrtpKeys, SrtpProfile};
use aws_lc_rs::digest;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Largest DTLS datagram we send: fits an IPv6 path of 1280 bytes with UDP and a TURN header.
const MTU: usize = 1200;

/// Datagrams that may wait to be sent: a flight is at most a handful.
const MAX_OUTGOING: usize = 32;

/// A lost flight costs this long. Guess: above most round trips, below what somebody who joins would notice.
const RETRANSMIT: Duration = Duration::from_millis(250);

/// The certificate that every transport of a process presents. Made once, at start.
#[derive(Clone)]
pub struct Certificate {
    ecdsa: ecdsa::Identity,
    foreign: foreign::Identity,
    fingerprint: Fingerprint,
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Certificate").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The library could not make or use one. Remedy: none at run time; report it.
    #[error("no DTLS certificate could be made: {0}")]
    Unusable(String),
}

impl CertificateError {
    fn from_library(error: impl std::fmt::Display) -> Self {
        Self::Unusable(error.to_string())
    }
}

impl Certificate {
    /// A fresh self-signed ECDSA P-256 certificate.
    ///
    /// # Errors
    /// When the cryptography library has no randomness or refuses the configuration.
    pub fn generate() -> Result<Self, CertificateError> {
        let inner = dimpl::certificate::generate_self_signed_certificate().map_err(CertificateError::from_library)?;
        let fingerprint = sha256(&inner.certificate);
        let foreign = foreign::Identity::new(&inner.certificate, &inner.private_key)?;
        Ok(Self { ecdsa: ecdsa::Identity::new(inner)?, foreign, fingerprint })
    }

    /// What answers announce.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
}

fn sha256(bytes: &[u8]) -> Fingerprint {
    let mut out = [0; 32];
    if let Some(digest) = digest::digest(&digest::SHA256, bytes).as_ref().get(..32) {
        out.copy_from_slice(digest);
    }
    Fingerprint(out)
}

/// Our part in a handshake.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum DtlsRole {
    /// Waits for a ClientHello.
    Server,
    /// Sends one, as soon as there is an address.
    Client,
}

/// Who is expected at the other end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Clientele {
    /// Browsers and native clients of ours: ECDSA certificates.
    Ours,
    /// Whatever speaks WHIP or WHEP: RSA certificates too.
    Foreign,
}

/// What a DTLS transport tells its peer.
#[derive(Debug)]
pub(crate) enum DtlsEvent {
    /// Handshake done, certificate verified: keys of client and server.
    Keys(SrtpProfile, Box<SrtpKeys>),
    /// One decrypted record: SCTP.
    Data(Vec<u8>),
    /// The other side closed, or the handshake failed; nothing more will come.
    Closed(&'static str),
}

/// One association as a library runs it. After each call, [`Handshake::poll`] until [`Output::Idle`].
trait Handshake: Send {
    /// There is an address to send to. Clients begin; more than once changes nothing.
    fn start(&mut self, _now: Instant) -> Result<(), &'static str> {
        Ok(())
    }
    fn handle_datagram(&mut self, now: Instant, datagram: &[u8]) -> Result<(), &'static str>;
    fn handle_timeout(&mut self, now: Instant) -> Result<(), &'static str>;
    /// Encrypts application data.
    fn send(&mut self, data: &[u8]);
    /// Says goodbye.
    fn close(&mut self);
    fn poll(&mut self) -> Output;
}

/// What a library has to say.
enum Output {
    /// To be sent.
    Datagram(Vec<u8>),
    /// The other side's certificate, DER; it has proven to hold the key.
    Certificate(Vec<u8>),
    /// The handshake is done. Keying material as RFC 5764 §4.2 exports it.
    Keys(SrtpProfile, Vec<u8>),
    /// Application data.
    Data(Vec<u8>),
    /// The other side said goodbye.
    Closed,
    /// Nothing more; call `handle_timeout` then.
    Idle(Option<Instant>),
}

/// One DTLS association.
pub(crate) struct DtlsTransport {
    inner: Box<dyn Handshake>,
    role: DtlsRole,
    expected: Fingerprint,
    verified: bool,
    connected: bool,
    closed: bool,
    timeout: Option<Instant>,
    outgoing: VecDeque<Vec<u8>>,
    events: VecDeque<DtlsEvent>,
}

impl std::fmt::Debug for DtlsTransport {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("DtlsTransport").field("connected", &self.connected).field("closed", &self.closed).finish_non_exhaustive()
    }
}

impl DtlsTransport {
    /// Shakes hands with the side whose certificate has the fingerprint `expected`.
    pub(crate) fn new(certificate: &Certificate, expected: Fingerprint, clientele: Clientele, role: DtlsRole, now: Instant) -> Self {
        let inner: Box<dyn Handshake> = match (role, clientele) {
            (DtlsRole::Server, Clientele::Ours) => Box::new(certificate.ecdsa.serve(now)),
            (DtlsRole::Server, Clientele::Foreign) => Box::new(certificate.foreign.serve(now)),
            // Nobody of ours wants to be the server.
            (DtlsRole::Client, _) => Box::new(certificate.foreign.call(now)),
        };
        Self {
            inner,
            role,
            expected,
            verified: false,
            connected: false,
            closed: false,
            timeout: None,
            outgoing: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    pub(crate) fn role(&self) -> DtlsRole {
        self.role
    }

    /// There is an address to send to.
    pub(crate) fn start(&mut self, now: Instant) {
        if self.role == DtlsRole::Client && !self.closed {
            let started = self.inner.start(now);
            self.drain();
            if let Err(reason) = started {
                self.close(reason);
            }
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connected && self.verified && !self.closed
    }

    pub(crate) fn handle_datagram(&mut self, now: Instant, datagram: &[u8]) {
        if self.closed {
            return;
        }
        let handled = self.inner.handle_datagram(now, datagram);
        self.drain();
        if let Err(reason) = handled {
            self.close(reason);
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self.closed || self.timeout.is_none_or(|at| at > now) {
            return;
        }
        let handled = self.inner.handle_timeout(now);
        self.drain();
        if let Err(reason) = handled {
            self.close(reason);
        }
    }

    /// Encrypts one SCTP packet.
    pub(crate) fn send(&mut self, data: &[u8]) {
        if self.is_connected() {
            self.inner.send(data);
            self.drain();
        }
    }

    /// Says goodbye to the other side, so that it needn't wait for a timeout.
    pub(crate) fn say_goodbye(&mut self) {
        if !self.closed {
            self.inner.close();
            self.drain();
        }
        self.closed = true;
    }

    pub(crate) fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.outgoing.pop_front()
    }

    pub(crate) fn poll_event(&mut self) -> Option<DtlsEvent> {
        self.events.pop_front()
    }

    fn close(&mut self, reason: &'static str) {
        if !self.closed {
            self.closed = true;
            self.events.push_back(DtlsEvent::Closed(reason));
        }
    }

    fn drain(&mut self) {
        loop {
            match self.inner.poll() {
                Output::Datagram(datagram) if self.outgoing.len() < MAX_OUTGOING => self.outgoing.push_back(datagram),
                Output::Idle(timeout) => {
                    self.timeout = timeout;
                    return;
                }
                Output::Certificate(der) => {
                    self.verified = sha256(&der) == self.expected;
                    if !self.verified {
                        self.close("the certificate doesn't match the fingerprint in the offer");
                    }
                }
                Output::Keys(profile, material) => match SrtpKeys::from_exporter(profile, &material) {
                    Ok(keys) if self.verified => {
                        self.connected = true;
                        self.events.push_back(DtlsEvent::Keys(profile, Box::new(keys)));
                    }
                    Ok(_) => self.close("keys before a verified certificate"),
                    Err(_) => self.close("the exported keys have the wrong length"),
                },
                Output::Data(data) if self.verified => self.events.push_back(DtlsEvent::Data(data)),
                Output::Closed => self.close("the other side closed"),
                Output::Datagram(_) | Output::Data(_) => {}
            }
        }
    }
}
