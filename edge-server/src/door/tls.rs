//! TLS from a certificate and a key in files, which may be renewed while the edge runs.
//!
//! The files are looked at every [`LOOK`] and on SIGHUP. A pair that can't be used is reported and the old one stays: a renewal that went wrong, or is half written, costs nothing
//! until the old certificate expires.

use core::time::Duration;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;
use tokio_rustls::TlsAcceptor;

/// Between two looks at the files. Renewals are weeks ahead of the end.
const LOOK: Duration = Duration::from_secs(30);

/// Why TLS can't be had.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file.
    #[error("{key} = {path:?} cannot be read: {problem}; it has to be a PEM file that this process may read")]
    File {
        /// Which setting.
        key: &'static str,
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The pair.
    #[error(
        "tls_certificate and tls_key do not go together: {0}; the file of the certificate has to begin with the server's own, whose key this is"
    )]
    Pair(String),
}

/// Certificate and key.
#[derive(Debug)]
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    current: RwLock<(Arc<ServerConfig>, Stamps)>,
}

/// When the files were last changed, as far as the system says.
type Stamps = [Option<SystemTime>; 2];

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// What is wrong with which.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let stamps = [stamp(certificate), stamp(key)];
        let current = RwLock::new((Arc::new(read(certificate, key)?), stamps));
        Ok(Self { certificate: certificate.to_owned(), key: key.to_owned(), current })
    }

    /// What accepts a connection with the certificate of now.
    #[must_use]
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).0))
    }

    /// Reads the files again if they have changed, or `always`. True: there is a new certificate.
    pub fn renew(&self, always: bool) -> bool {
        let stamps = [stamp(&self.certificate), stamp(&self.key)];
        if !always && self.current.read().unwrap_or_else(PoisonError::into_inner).1 == stamps {
            return false;
        }
        let read = read(&self.certificate, &self.key);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        // Also after a failure: once is enough to be told of it.
        current.1 = stamps;
        match read {
            Ok(config) => {
                current.0 = Arc::new(config);
                tracing::info!(certificate = %self.certificate.display(), "new certificate in use");
                true
            }
            Err(error) => {
                tracing::error!(%error, "the certificate could not be renewed; the old one stays in use");
                false
            }
        }
    }

    /// Looks at the files for ever.
    pub async fn watch(self: Arc<Self>) {
        let mut hangup = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()) {
            Ok(hangup) => Some(hangup),
            Err(error) => {
                tracing::warn!(%error, "SIGHUP cannot be received; certificates are still looked at every {} s", LOOK.as_secs());
                None
            }
        };
        loop {
            let asked = async {
                match &mut hangup {
                    Some(hangup) => drop(hangup.recv().await),
                    None => core::future::pending().await,
                }
            };
            let always = tokio::select! {
                () = asked => true,
                () = tokio::time::sleep(LOOK) => false,
            };
            let tls = Arc::clone(&self);
            // Files may be on a slow disk.
            let _ = tokio::task::spawn_blocking(move || tls.renew(always)).await;
        }
    }
}

fn stamp(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|file| file.modified()).ok()
}

fn read(certificate: &Path, key: &Path) -> Result<ServerConfig, TlsError> {
    let wrong =
        |key, path: &Path, problem: &dyn core::fmt::Display| TlsError::File { key, path: path.to_owned(), problem: problem.to_string() };
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| wrong("tls_certificate", certificate, &error))?;
    if chain.is_empty() {
        return Err(wrong("tls_certificate", certificate, &"there is no certificate in it"));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong("tls_key", key, &error))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let pair = |error: rustls::Error| TlsError::Pair(error.to_string());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(pair)?;
    let mut config = builder.with_no_client_auth().with_single_cert(chain, private).map_err(pair)?;
    // RFC 7443 for TURN; browsers' TURN clients name nothing.
    config.alpn_protocols = ["http/1.1", "stun.turn", "stun.nat-discovery"].map(|name| name.as_bytes().to_vec()).to_vec();
    Ok(config)
}

#[cfg(test)]
mod tests;
