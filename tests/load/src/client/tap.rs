//! SRTP keys, taken from the DTLS handshake that `str0m` does.
//!
//! The crews handle media themselves (`inbound`, `publisher`): an engine's bookkeeping for each packet would make the load dearer than
//! the server it measures. ICE and DTLS stay with `str0m`; a wrapper around its DTLS copies the exported keys on their way.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;
use str0m::crypto::dtls::{DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion, ProtocolVersion, SrtpProfile};
use str0m::crypto::{CryptoError, CryptoProvider, from_feature_flags};
use str0m::{Rtc, RtcConfig};

/// What a handshake exported (RFC 5764 §4.2).
#[derive(Clone)]
pub(super) struct Exported {
    /// Client key, server key, client salt, server salt.
    pub(super) material: Vec<u8>,
    pub(super) profile: SrtpProfile,
    /// This side was the DTLS client.
    pub(super) active: bool,
}

impl std::fmt::Debug for Exported {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Exported").field("profile", &self.profile).finish_non_exhaustive()
    }
}

/// Where one peer's keys appear.
#[derive(Clone, Debug, Default)]
pub(super) struct Tap(Arc<Mutex<Option<Exported>>>);

impl Tap {
    /// The keys, once; none before the handshake is done.
    pub(super) fn take(&self) -> Option<Exported> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, exported: Exported) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(exported);
    }
}

thread_local! {
    /// Of the engine that this thread built last: `str0m` makes the DTLS half while it is built.
    static LATEST: RefCell<Tap> = RefCell::default();
}

/// Builds an engine and the tap on its keys.
pub(super) fn build(config: RtcConfig, now: Instant) -> (Rtc, Tap) {
    static TAPPED: OnceLock<TappedProvider> = OnceLock::new();
    let provider = from_feature_flags();
    let dtls_provider = TAPPED.get_or_init(|| TappedProvider(provider.dtls_provider));
    let rtc = config.set_crypto_provider(Arc::new(CryptoProvider { dtls_provider, ..provider })).build(now);
    (rtc, LATEST.take())
}

#[derive(Debug)]
struct TappedProvider(&'static dyn DtlsProvider);

impl DtlsProvider for TappedProvider {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        self.0.generate_certificate()
    }

    fn new_dtls(
        &self,
        cert: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let tap = Tap::default();
        LATEST.set(tap.clone());
        Ok(Box::new(Tapped { inner: self.0.new_dtls(cert, now, version, mtu)?, tap }))
    }
}

#[derive(Debug)]
struct Tapped {
    inner: Box<dyn DtlsInstance>,
    tap: Tap,
}

impl DtlsInstance for Tapped {
    fn set_active(&mut self, active: bool) {
        self.inner.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.inner.handle_packet(packet)
    }

    fn poll_output<'a>(&mut self, buf: &'a mut [u8]) -> DtlsOutput<'a> {
        let active = self.inner.is_active();
        let output = self.inner.poll_output(buf);
        if let DtlsOutput::KeyingMaterial(material, profile) = &output {
            self.tap.put(Exported { material: material.to_vec(), profile: *profile, active });
        }
        output
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.inner.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.inner.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.inner.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.inner.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.inner.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.inner.close()
    }
}
