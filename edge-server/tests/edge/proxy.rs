//! A way between two edges that can be cut: it passes UDP datagrams on, each sender by a socket of its own.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

pub(crate) struct Proxy {
    address: SocketAddr,
    cut: Arc<AtomicBool>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// A way to this address.
    pub(crate) async fn to(target: SocketAddr) -> Self {
        let front = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let address = front.local_addr().unwrap();
        let cut = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        tasks.spawn(pass(front, target, Arc::clone(&cut)));
        Self { address, cut, _tasks: tasks }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on nothing passes, or everything does.
    pub(crate) fn cut(&self, cut: bool) {
        self.cut.store(cut, Ordering::SeqCst);
    }
}

async fn pass(front: Arc<UdpSocket>, target: SocketAddr, cut: Arc<AtomicBool>) {
    let mut behind: HashMap<SocketAddr, Arc<UdpSocket>> = HashMap::new();
    let mut back = JoinSet::new();
    let mut buffer = vec![0; 2_048];
    while let Ok((length, from)) = front.recv_from(&mut buffer).await {
        let known = behind.get(&from).map(Arc::clone);
        let socket = if let Some(socket) = known {
            socket
        } else {
            let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
            let (answers, front, cut) = (Arc::clone(&socket), Arc::clone(&front), Arc::clone(&cut));
            back.spawn(async move {
                let mut buffer = vec![0; 2_048];
                while let Ok((length, _)) = answers.recv_from(&mut buffer).await {
                    if !cut.load(Ordering::SeqCst) {
                        let _ = front.send_to(&buffer[..length], from).await;
                    }
                }
            });
            behind.insert(from, Arc::clone(&socket));
            socket
        };
        if !cut.load(Ordering::SeqCst) {
            let _ = socket.send_to(&buffer[..length], target).await;
        }
    }
}
