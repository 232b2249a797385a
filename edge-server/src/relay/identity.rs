//! Who may link: whoever knows the cluster's secret.
//!
//! Each edge makes a key of its own when it starts, and a certificate for it, signed by an authority whose key every edge derives from the secret
//! (HKDF, RFC 5869). So both ends are checked by rustls as in any mutual TLS 1.3 with one authority; there are no files to hand around and none
//! to renew, and nothing here verifies anything by itself. Why so: docs/decisions/019.
//!
//! An edge that shows its certificate to a stranger shows what the secret could be guessed at with, so short ones are refused by the configuration.

use crate::config::network::RelaySecret;
use aws_lc_rs::digest;
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::signature::Ed25519KeyPair;
use cluster_core::node::Fingerprint;
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, PKCS_ED25519,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig, version};
use std::sync::Arc;

/// What every edge is called in its certificate.
pub(super) const NAME: &str = "edge.nearcast.internal";

/// What is spoken (ALPN): an edge with another number can't link.
const PROTOCOL: &[u8] = b"nearcast-relay/1";

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
#[error("no certificate for links between edges can be made: {0}")]
pub struct IdentityError(String);

/// An edge's key and certificate, and what it checks others' with.
pub struct Identity {
    certificate: CertificateDer<'static>,
    server: Arc<QuicServerConfig>,
    client: Arc<QuicClientConfig>,
}

impl Identity {
    /// A new key, admitted by this secret.
    ///
    /// # Errors
    /// The cryptography fails; there is no remedy but to report it.
    pub fn of(secret: &RelaySecret) -> Result<Self, IdentityError> {
        let failed = |error: &dyn core::fmt::Display| IdentityError(error.to_string());
        let authority = authority(secret.as_bytes()).map_err(|error| failed(&error))?;
        let key = KeyPair::generate().map_err(|error| failed(&error))?;
        let mut params = CertificateParams::new([NAME.to_owned()]).map_err(|error| failed(&error))?;
        params.distinguished_name.push(DnType::CommonName, "Nearcast edge");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &authority).map_err(|error| failed(&error))?.der().clone();
        let private = || PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));

        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone()).map_err(|error| failed(&error))?;
        let roots = Arc::new(roots);
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let clients = WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider));
        let clients = clients.build().map_err(|error| failed(&error))?;
        let mut server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&version::TLS13])
            .map_err(|error| failed(&error))?
            .with_client_cert_verifier(clients)
            .with_single_cert(vec![certificate.clone()], private())
            .map_err(|error| failed(&error))?;
        server.alpn_protocols = vec![PROTOCOL.to_vec()];
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&version::TLS13])
            .map_err(|error| failed(&error))?
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![certificate.clone()], private())
            .map_err(|error| failed(&error))?;
        client.alpn_protocols = vec![PROTOCOL.to_vec()];
        // Nothing is sent before the other end has shown who it is, and no session outlives a change of the secret.
        client.resumption = rustls::client::Resumption::disabled();
        Ok(Self {
            certificate,
            server: Arc::new(QuicServerConfig::try_from(server).map_err(|error| failed(&error))?),
            client: Arc::new(QuicClientConfig::try_from(client).map_err(|error| failed(&error))?),
        })
    }

    /// SHA-256 of the certificate.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        fingerprint(&self.certificate)
    }

    pub(super) fn server(&self) -> Arc<QuicServerConfig> {
        Arc::clone(&self.server)
    }

    pub(super) fn client(&self) -> Arc<QuicClientConfig> {
        Arc::clone(&self.client)
    }
}

/// SHA-256 of a certificate.
pub(super) fn fingerprint(certificate: &[u8]) -> Fingerprint {
    let mut bytes = [0; 32];
    bytes.iter_mut().zip(digest::digest(&digest::SHA256, certificate).as_ref()).for_each(|(byte, digit)| *byte = *digit);
    Fingerprint(bytes)
}

/// The authority of everybody who knows the secret: the same key and the same name for all of them.
fn authority(secret: &[u8]) -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
    let mut seed = [0; 32];
    let derived = Salt::new(HKDF_SHA256, b"nearcast relay 1").extract(secret);
    derived.expand(&[b"authority"], HKDF_SHA256).and_then(|derived| derived.fill(&mut seed)).map_err(|_| rcgen::Error::RingUnspecified)?;
    let key = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| rcgen::Error::RingUnspecified)?;
    let key = key.to_pkcs8v1().map_err(|_| rcgen::Error::RingUnspecified)?;
    let key = KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(key.as_ref().to_vec()), &PKCS_ED25519)?;
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Nearcast cluster");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    CertifiedIssuer::self_signed(params, key)
}
