use super::*;
use std::fs;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A folder of the test's own, removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("nearcast-tls-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// A certificate for `host` and its key, in both files.
    fn write(&self, host: &str) -> (PathBuf, PathBuf, CertificateDer<'static>) {
        let made = rcgen::generate_simple_self_signed([host.to_owned()]).unwrap();
        let (certificate, key) = (self.0.join("fullchain.pem"), self.0.join("privkey.pem"));
        fs::write(&certificate, made.cert.pem()).unwrap();
        fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        (certificate, key, made.cert.der().clone())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The certificate that a client of `host` is shown, if it trusts `trusted`.
async fn shown(tls: &Tls, host: &'static str, trusted: &CertificateDer<'static>) -> Result<CertificateDer<'static>, String> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let (near, far) = tokio::io::duplex(16 * 1024);
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let (client, server) = tokio::join!(connector.connect(host.try_into().unwrap(), near), tls.acceptor().accept(far));
    let (mut client, mut server) = (client.map_err(|error| error.to_string())?, server.unwrap());
    server.write_all(b"hello").await.unwrap();
    let mut said = [0; 5];
    client.read_exact(&mut said).await.unwrap();
    Ok(client.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned())
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_from_then_on() {
    let folder = Folder::new("renewed");
    let (certificate, key, first) = folder.write("one.example");
    let tls = Tls::load(&certificate, &key).unwrap();
    assert_eq!(shown(&tls, "one.example", &first).await.unwrap(), first);
    assert!(!tls.renew(false), "nothing has changed");

    let (_, _, second) = folder.write("two.example");
    assert!(tls.renew(true));
    assert_eq!(shown(&tls, "two.example", &second).await.unwrap(), second);
    assert!(shown(&tls, "one.example", &first).await.is_err());
}

#[tokio::test]
async fn a_renewal_that_went_wrong_leaves_the_old_one_in_use() {
    let folder = Folder::new("wrong");
    let (certificate, key, first) = folder.write("one.example");
    let tls = Tls::load(&certificate, &key).unwrap();
    fs::write(&certificate, "half a certifi").unwrap();
    assert!(!tls.renew(true));
    fs::remove_file(&key).unwrap();
    assert!(!tls.renew(true));
    assert_eq!(shown(&tls, "one.example", &first).await.unwrap(), first);
}

#[test]
fn what_is_wrong_is_said_with_the_setting_and_the_file() {
    let folder = Folder::new("faults");
    let (certificate, key, _) = folder.write("one.example");
    let fault = |certificate: &Path, key: &Path| Tls::load(certificate, key).unwrap_err().to_string();
    let missing = folder.0.join("missing.pem");
    assert!(fault(&missing, &key).starts_with(&format!("tls_certificate = {missing:?} cannot be read: ")));
    assert!(fault(&certificate, &missing).starts_with(&format!("tls_key = {missing:?} cannot be read: ")));
    assert!(fault(&key, &key).contains("there is no certificate in it"));
    let other = folder.0.join("other.pem");
    fs::write(&other, rcgen::KeyPair::generate().unwrap().serialize_pem()).unwrap();
    assert!(fault(&certificate, &other).starts_with("tls_certificate and tls_key do not go together"), "{}", fault(&certificate, &other));
}
