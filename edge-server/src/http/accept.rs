//! Accepts TCP connections and serves HTTP/1.1 on them.
//!
//! Written out rather than left to `axum::serve`, which has no time limit on request heads and no bound on connections: without them,
//! anybody could hold the port with a few thousand half-sent requests.

use crate::edge::stopped;
use crate::http::signal::addresses::PeerAddress;
use axum::Router;
use axum::http::Request;
use core::time::Duration;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

/// HTTP connections at once, WebSockets not counted (they leave this number when they are upgraded). Guess: a thousand page loads.
const MOST_CONNECTIONS: usize = 1024;

/// How long a request head may take, and how long a connection may idle between requests.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);

/// Pause after the system refused to accept (most likely no descriptors are left), so that the loop doesn't spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Said without reading the request.
const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// Binds the HTTP port; `[::]` takes IPv4 too, and becomes `0.0.0.0` on hosts without IPv6.
///
/// # Errors
/// The system's.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    match open(address) {
        Err(error) if crate::net::lacks_ipv6(&address, &error) => open(crate::net::without_ipv6(address)),
        opened => opened,
    }
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // A restart must not wait for the old connections' TIME_WAIT.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(1024)?;
    TcpListener::from_std(socket.into())
}

/// Serves until `stopping` turns true.
pub async fn serve(listener: TcpListener, router: Router, mut stopping: watch::Receiver<bool>) {
    let slots = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stopping) => return,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted; if descriptors ran out, raise the limit (ulimit -n)");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        if let Ok(slot) = Arc::clone(&slots).try_acquire_owned() {
            let (router, stopping) = (WithPeer { router: router.clone(), peer: PeerAddress(peer.ip()) }, stopping.clone());
            tokio::spawn(async move {
                converse(stream, router, stopping).await;
                drop(slot);
            });
        } else {
            refuse(stream);
        }
    }
}

/// The routes, for requests of one connection: each learns where it comes from. A layer of the router would build all routes anew for every
/// connection.
struct WithPeer {
    router: Router,
    peer: PeerAddress,
}

impl Service<Request<Incoming>> for WithPeer {
    type Response = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Response;
    type Error = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Error;
    type Future = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer);
        TowerToHyperService::new(self.router.clone()).call(request)
    }
}

async fn converse(stream: TcpStream, router: WithPeer, mut stopping: watch::Receiver<bool>) {
    // Signalling is small messages that somebody waits for. Refused by the system: then slower.
    let _ = stream.set_nodelay(true);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_PATIENCE);
    let connection = http.serve_connection(TokioIo::new(stream), router).with_upgrades();
    let mut connection = core::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "an HTTP connection ended early");
    }
}

fn refuse(mut stream: TcpStream) {
    tokio::spawn(async move {
        // Best effort: the client sees either the status or a closed connection.
        let _ = tokio::time::timeout(Duration::from_secs(1), stream.write_all(BUSY)).await;
    });
}
