//! HTTP/1.1 on one connection, with a time limit on request heads.

use crate::edge::stopped;
use axum::Router;
use core::time::Duration;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

/// How long a request head may take, and how long a connection may idle between requests.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);

/// Answers what comes until the connection ends, becomes a WebSocket, or `stopping` turns true.
pub async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: Router, mut stopping: watch::Receiver<bool>) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_PATIENCE);
    let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)).with_upgrades();
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
