//! A link that loses, evenly and countably: between a client and its edge media packets, so that what is tested is repair and not the patience
//! of handshakes; between two edges anything.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// Larger than any datagram of a call.
const DATAGRAM: usize = 2048;

pub(crate) struct LossyLink {
    /// Where the client sends to, instead of to the edge.
    pub(crate) address: SocketAddr,
    lost: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl LossyLink {
    /// Loses every `nth` media packet in each direction.
    pub(crate) async fn to(edge: SocketAddr, nth: u64) -> Self {
        Self::losing(edge, nth, is_media).await
    }

    /// Loses every `nth` datagram in each direction, whatever it is.
    pub(crate) async fn between_edges(edge: SocketAddr, nth: u64) -> Self {
        Self::losing(edge, nth, |_| true).await
    }

    async fn losing(edge: SocketAddr, nth: u64, of: fn(&[u8]) -> bool) -> Self {
        let (near, far) = (UdpSocket::bind("127.0.0.1:0").await.unwrap(), UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let address = near.local_addr().unwrap();
        let lost = Arc::new(AtomicU64::new(0));
        let task = tokio::spawn(carry(near, far, edge, (nth, of), Arc::clone(&lost)));
        Self { address, lost, task }
    }

    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

impl Drop for LossyLink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(near: UdpSocket, far: UdpSocket, edge: SocketAddr, (nth, of): (u64, fn(&[u8]) -> bool), lost: Arc<AtomicU64>) {
    let (mut up, mut down) = ([0; DATAGRAM], [0; DATAGRAM]);
    let mut client = None;
    let mut media = [0; 2];
    let mut survives = |direction: usize, datagram: &[u8]| {
        media[direction] += u64::from(of(datagram));
        let gone = of(datagram) && media[direction] % nth == 0;
        lost.fetch_add(u64::from(gone), Ordering::Relaxed);
        !gone
    };
    loop {
        tokio::select! {
            Ok((length, from)) = near.recv_from(&mut up) => {
                client = Some(from);
                if survives(0, &up[..length]) {
                    let _ = far.send_to(&up[..length], edge).await; // a link may lose a datagram
                }
            }
            Ok((length, _)) = far.recv_from(&mut down) => {
                if let Some(client) = client && survives(1, &down[..length]) {
                    let _ = near.send_to(&down[..length], client).await;
                }
            }
        }
    }
}

/// RTP and not RTCP (RFC 7983 §7, RFC 5761 §4).
fn is_media(datagram: &[u8]) -> bool {
    matches!(datagram, [128..=191, kind, ..] if !(64..=95).contains(&(kind & 0x7f)))
}
