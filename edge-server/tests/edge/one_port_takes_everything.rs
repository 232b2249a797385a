//! With a certificate, the HTTP port speaks TLS, and takes media on the same port.

use crate::world::{Client, PATIENCE, flags, join, soon, start, token};
use nearcast_edge::config::Flags;
use nearcast_edge::edge::Edge;
use rustls::pki_types::CertificateDer;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A folder with a certificate for `edge.example`, removed with it.
struct Files {
    folder: PathBuf,
    certificate: CertificateDer<'static>,
}

impl Files {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("nearcast-port-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let made = rcgen::generate_simple_self_signed(["edge.example".to_owned()]).unwrap();
        std::fs::write(folder.join("fullchain.pem"), made.cert.pem()).unwrap();
        std::fs::write(folder.join("privkey.pem"), made.signing_key.serialize_pem()).unwrap();
        Self { folder, certificate: made.cert.der().clone() }
    }

    fn flags(&self) -> Flags {
        let path = |name: &str| Some(self.folder.join(name).to_string_lossy().into_owned());
        Flags { tls_certificate: path("fullchain.pem"), tls_key: path("privkey.pem"), tcp: Some("off".to_owned()), ..flags() }
    }

    async fn connect(&self, edge: &Edge) -> TlsStream<TcpStream> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let connector = TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth()));
        let stream = soon(TcpStream::connect(edge.http())).await.unwrap();
        soon(connector.connect("edge.example".try_into().unwrap(), stream)).await.unwrap()
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test]
async fn https_and_websockets_inside_tls() {
    let files = Files::new("https");
    let edge = start(&files.flags()).await;
    let mut stream = files.connect(&edge).await;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: edge.example\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    soon(stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("alive\n"), "{answer}");

    let stream = files.connect(&edge).await;
    let request = format!("wss://edge.example:{}/v1/signal", edge.http().port());
    let (mut socket, _) = soon(tokio_tungstenite::client_async(request, stream)).await.unwrap();
    let envelope =
        nearcast_protocol::ClientEnvelope { id: 1, message: nearcast_protocol::ClientMessage::Join(join(&token("room", "ann"))) };
    use futures_util::{SinkExt, StreamExt};
    use nearcast_protocol::wire::Json;
    soon(socket.send(tokio_tungstenite::tungstenite::Message::Text(envelope.to_json().into()))).await.unwrap();
    let joined = soon(socket.next()).await.unwrap().unwrap().into_text().unwrap();
    assert!(joined.contains("joined"), "{joined}");
    assert_eq!(edge.context().counters.snapshot().tls_handshakes, 2);
}

#[tokio::test]
async fn media_over_tcp_is_announced_there_and_taken() {
    let files = Files::new("media");
    let edge = start(&files.flags()).await;
    assert_eq!(edge.context().media.tcp_candidates().iter().map(|address| address.port()).collect::<Vec<_>>(), [edge.http().port()]);
    // A check for shard 1 of somebody who isn't there: handed over, and waited with.
    let mut packet = vec![0; 500];
    let request = is::stun::StunMessage::binding_request("01nobody:browser", is::stun::TransId::new(), true, 7, 100, true);
    let length = request.to_bytes(Some(b"password"), &mut packet, crate::media_reaches_its_shard::sign).unwrap();
    let mut stream = soon(TcpStream::connect(edge.http())).await.unwrap();
    stream.write_all(&[&u16::try_from(length).unwrap().to_be_bytes(), &packet[..length]].concat()).await.unwrap();
    let arrived = async {
        loop {
            let reports = edge.context().media.reports(PATIENCE).await;
            if reports[1].unwrap().core.dropped_stun == 1 {
                return reports[1].unwrap();
            }
        }
    };
    assert_eq!(soon(arrived).await.tcp.tcp_connections, 1);
}

#[tokio::test]
async fn plain_http_is_told_where_to_go() {
    let files = Files::new("plain");
    let edge = start(&files.flags()).await;
    let mut stream = soon(TcpStream::connect(edge.http())).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: edge\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    // What was left unread may turn the end into a reset.
    let _ = soon(stream.read_to_string(&mut answer)).await;
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("https://"), "{answer}");
}

#[tokio::test]
async fn plain_http_stays_what_it_was_without_a_certificate() {
    let edge = start(&flags()).await;
    let (_client, joined) = Client::joined(&edge, "room", "ann").await;
    assert!(joined.others.is_empty());
    assert!(edge.context().media.tcp_candidates().iter().all(|address| address.port() != edge.http().port()));
}
