//! What comes in by a TCP port, told by its first bytes ([`opening`]): HTTP and WebSockets, the same inside TLS, media of peers whose
//! networks let no UDP through (RFC 6544), and TURN, plain or inside TLS. So one port, 443 at best, serves everybody.
//!
//! Written out rather than left to `axum::serve`, which has no time limit on request heads and no bound on connections: without them,
//! anybody could hold the port with a few thousand half-sent requests.
//!
//! Until a connection has shown what it is, it has one of [`MOST_CONNECTIONS`] places (HTTP keeps its until it ends or becomes a WebSocket), one of
//! [`MOST_OF_ONE`] of its address, and [`PATIENCE`] for everything: first bytes, TLS handshake, the first bytes within.

mod crowd;
pub mod listen;
pub mod opening;
mod prefixed;
pub mod tls;

use crate::edge::{Context, stopped};
use crate::http::serve::{self, WithPeer};
use crate::http::signal::addresses::PeerAddress;
use crate::media::socket::canonical;
use crate::media::tcp::Arrived;
use crate::turn::{Turn, stream};
use axum::Router;
use core::time::Duration;
use crowd::Crowd;
use opening::{FirstFrame, Opening};
use prefixed::Prefixed;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use tls::Tls;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

/// HTTP connections at once, and others until they are known; WebSockets not counted (they leave this number when they are upgraded).
/// Guess: a thousand page loads.
const MOST_CONNECTIONS: usize = 1024;

/// Connections of one address that haven't shown what they are. Guess: many people behind one NAT come back at once. Loopback, where a
/// proxy speaks for everybody, has no such bound.
const MOST_OF_ONE: u32 = 128;

/// How long a connection may take until it is known what it is, and that it is meant.
const PATIENCE: Duration = Duration::from_secs(10);

/// Pause after the system refused to accept (most likely no descriptors are left), so that the loop doesn't spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Most bytes that are read before it is known what a connection is: a frame of media and what may come with it.
const FIRST_BYTES: usize = sfu_core::framing::LARGEST_FRAME + sfu_core::framing::PREFIX;

/// Said without reading the request.
const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// Said to plain HTTP where there is TLS.
const HTTPS_ONLY: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: 56\r\nconnection: close\r\n\r\n\
    This port speaks https; write https:// in place of http\n";

/// One port and what may come in by it.
pub struct Door {
    /// What everybody shares.
    pub context: Arc<Context>,
    /// Where it is.
    pub address: SocketAddr,
    /// HTTP, if it is served here.
    pub http: Option<Router>,
    /// The certificate, if TLS is spoken here. Plain HTTP isn't then.
    pub tls: Option<Arc<Tls>>,
    /// Media is taken here.
    pub media: bool,
    /// TURN is served here.
    pub turn: Option<Arc<Turn>>,
}

/// Why a connection was closed before it came to anything.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("it said nothing that is spoken here")]
    Unknown,
    #[error("it took too long to say what it is")]
    Slow,
    #[error("its first frame is no check of anybody here")]
    Stray,
    #[error("TLS: {0}")]
    Tls(io::Error),
    #[error("it broke: {0}")]
    Broken(#[from] io::Error),
}

impl Door {
    /// Takes connections in until `stopping` turns true.
    pub async fn keep(self, listener: TcpListener, mut stopping: watch::Receiver<bool>) {
        let slots = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        let crowd = Crowd::new(MOST_OF_ONE);
        let door = Arc::new(self);
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = stopped(&mut stopping) => return,
            };
            let (stream, from) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted; if descriptors ran out, raise the limit (ulimit -n)");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let from = canonical(from);
            let slot = Arc::clone(&slots).try_acquire_owned();
            if let (Ok(slot), Some(place)) = (slot, crowd.enter(from.ip())) {
                let (door, stopping) = (Arc::clone(&door), stopping.clone());
                tokio::spawn(async move {
                    // Signalling and media are small messages that somebody waits for. Refused by the system: then slower.
                    let _ = stream.set_nodelay(true);
                    if let Err(refused) = door.receive(stream, from, place, stopping).await {
                        door.count(&door.context.counters.strangers);
                        tracing::debug!(%from, %refused, "a connection was closed");
                    }
                    drop(slot);
                });
            } else {
                self::refuse(stream);
            }
        }
    }

    fn count(&self, counter: &AtomicU64) {
        self.context.counters.count(counter);
    }

    async fn receive(
        &self,
        mut stream: TcpStream,
        from: SocketAddr,
        place: crowd::Place,
        stopping: watch::Receiver<bool>,
    ) -> Result<(), Refused> {
        let mut read = Vec::new();
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let timely = |_| Refused::Slow;
        let opening = tokio::time::timeout_at(deadline, open(&mut stream, &mut read)).await.map_err(timely)??;
        match (opening, &self.http, &self.tls) {
            (Opening::Http, Some(router), None) => {
                drop(place);
                self.count(&self.context.counters.http_connections);
                serve::converse(Prefixed::new(read, stream), with_peer(router, from), stopping).await;
                Ok(())
            }
            (Opening::Http, Some(_), Some(_)) => {
                tokio::time::timeout_at(deadline, stream.write_all(HTTPS_ONLY)).await.map_err(timely)??;
                Ok(())
            }
            (Opening::Frame, _, _) if self.media => {
                let shard = tokio::time::timeout_at(deadline, first_check(&mut stream, &mut read)).await.map_err(timely)??;
                drop(place);
                self.hand_over(shard, stream, from, read)
            }
            (Opening::Turn, _, _) => self.relay(Prefixed::new(read, stream), from, place),
            (Opening::Tls, _, Some(tls)) => {
                let stream = Prefixed::new(read, stream);
                let accepted = tokio::time::timeout_at(deadline, tls.acceptor().accept(stream)).await.map_err(timely)?;
                let mut stream = accepted.map_err(Refused::Tls)?;
                self.count(&self.context.counters.tls_handshakes);
                let mut read = Vec::new();
                let opening = tokio::time::timeout_at(deadline, open(&mut stream, &mut read)).await.map_err(timely)??;
                match (opening, &self.http) {
                    (Opening::Http, Some(router)) => {
                        drop(place);
                        self.count(&self.context.counters.http_connections);
                        serve::converse(Prefixed::new(read, stream), with_peer(router, from), stopping).await;
                        Ok(())
                    }
                    (Opening::Turn, _) => self.relay(Prefixed::new(read, stream), from, place),
                    _ => Err(Refused::Unknown),
                }
            }
            _ => Err(Refused::Unknown),
        }
    }

    /// TURN has places of its own, and bounds of its own.
    fn relay(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        from: SocketAddr,
        place: crowd::Place,
    ) -> Result<(), Refused> {
        let turn = Arc::clone(self.turn.as_ref().ok_or(Refused::Unknown)?);
        let listen = self.address;
        tokio::spawn(async move {
            // Nobody is known before an allocation, and that needs credentials; but a place of its address is for the nameless.
            drop(place);
            stream::serve(&turn, stream, from, listen).await;
        });
        Ok(())
    }

    fn hand_over(&self, shard: sfu_core::ShardId, stream: TcpStream, from: SocketAddr, read: Vec<u8>) -> Result<(), Refused> {
        let to = canonical(stream.local_addr()?);
        let arrived = Arrived { stream: stream.into_std()?, from, to, read };
        if self.context.media.hand_over(shard, arrived) { Ok(()) } else { Err(Refused::Stray) }
    }
}

fn with_peer(router: &Router, from: SocketAddr) -> WithPeer {
    WithPeer { router: router.clone(), peer: PeerAddress(from.ip()) }
}

/// Reads until it is known what a connection is.
async fn open(stream: &mut (impl AsyncRead + Unpin), read: &mut Vec<u8>) -> Result<Opening, Refused> {
    loop {
        if let Some(opening) = opening::recognize(read) {
            return opening.ok_or(Refused::Unknown);
        }
        more(stream, read).await?;
    }
}

/// Reads the first frame of a connection of media, which has to be a check: whose it is.
async fn first_check(stream: &mut (impl AsyncRead + Unpin), read: &mut Vec<u8>) -> Result<sfu_core::ShardId, Refused> {
    loop {
        match opening::first_frame(read) {
            FirstFrame::Check(shard) => return Ok(shard),
            FirstFrame::Stray => return Err(Refused::Stray),
            FirstFrame::Unfinished => more(stream, read).await?,
        }
    }
}

async fn more(stream: &mut (impl AsyncRead + Unpin), read: &mut Vec<u8>) -> Result<(), Refused> {
    let room = FIRST_BYTES.saturating_sub(read.len());
    if room == 0 {
        return Err(Refused::Unknown);
    }
    read.reserve(room.min(1024));
    match stream.take(room as u64).read_buf(read).await? {
        0 => Err(Refused::Broken(io::ErrorKind::UnexpectedEof.into())),
        _ => Ok(()),
    }
}

fn refuse(mut stream: impl AsyncWrite + Unpin + Send + 'static) {
    tokio::spawn(async move {
        // Best effort: the client sees either the status or a closed connection.
        let _ = tokio::time::timeout(Duration::from_secs(1), stream.write_all(BUSY)).await;
    });
}
