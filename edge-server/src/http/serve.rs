//! HTTP/1.1 on one connection, with a time limit on request heads.

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
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

/// How long a request head may take, and how long a connection may idle between requests.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);

/// The routes, for requests of one connection: each learns where it comes from. A layer of the router would build all routes anew for every
/// connection.
pub struct WithPeer {
    /// All routes.
    pub router: Router,
    /// Who is at the other end.
    pub peer: PeerAddress,
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

/// Answers what comes until the connection ends, becomes a WebSocket, or `stopping` turns true.
pub async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: WithPeer, mut stopping: watch::Receiver<bool>) {
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
