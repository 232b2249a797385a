//! TURN by UDP: one socket for all clients, told apart by their addresses.

use super::Turn;
use super::client::{Client, Line};
use crate::edge::stopped;
use crate::media::socket::canonical;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};

/// Largest datagram taken.
const LARGEST: usize = 2_048;

/// Datagrams that wait for a client's task. Guess: 40 ms of video.
const WAITING: usize = 64;

/// Serves until `stopping` turns true.
pub async fn serve(turn: Arc<Turn>, socket: UdpSocket, mut stopping: watch::Receiver<bool>) {
    let Ok(listen) = socket.local_addr() else { return };
    let socket = Arc::new(socket);
    let mut clients: HashMap<SocketAddr, mpsc::Sender<Vec<u8>>> = HashMap::new();
    let mut buffer = vec![0; LARGEST];
    loop {
        let received = tokio::select! {
            received = socket.recv_from(&mut buffer) => received,
            () = stopped(&mut stopping) => return,
        };
        // An error is an ICMP message about an earlier datagram.
        let Ok((size, from)) = received else { continue };
        let Some(datagram) = buffer.get(..size).filter(|datagram| !datagram.is_empty()) else { continue };
        if let Some(client) = clients.get(&from) {
            match client.try_send(datagram.to_vec()) {
                // A full queue drops, as a full socket does.
                Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => continue,
                Err(mpsc::error::TrySendError::Closed(_)) => drop(clients.remove(&from)),
            }
        }
        // Only a message begins something; channel data of somebody unknown is late.
        if datagram.first().is_some_and(|first| first >> 6 != 0) {
            continue;
        }
        let place = match Arc::clone(&turn.places).try_acquire_owned() {
            Ok(place) => place,
            Err(_) => {
                turn.count(&turn.counters.refused);
                continue;
            }
        };
        if clients.len() >= super::MOST_CLIENTS {
            clients.retain(|_, client| !client.is_closed());
        }
        let (sender, messages) = mpsc::channel(WAITING);
        // There is room for the first.
        let _ = sender.try_send(datagram.to_vec());
        clients.insert(from, sender);
        let line = Datagrams { socket: Arc::clone(&socket), to: from, messages };
        let client = Client::new(Arc::clone(&turn), line, canonical(from), listen);
        tokio::spawn(async move {
            client.run().await;
            drop(place);
        });
    }
}

struct Datagrams {
    socket: Arc<UdpSocket>,
    to: SocketAddr,
    messages: mpsc::Receiver<Vec<u8>>,
}

impl Line for Datagrams {
    async fn next(&mut self) -> Option<Vec<u8>> {
        self.messages.recv().await
    }

    async fn send(&mut self, message: Vec<u8>) -> io::Result<()> {
        // What the kernel has no room for is lost, as on the way.
        let _ = self.socket.try_send_to(&message, self.to);
        Ok(())
    }
}
