//! Sockets that take everything and forget it.

use super::Destinations;
use crate::client::{Buffers, Socket};
use crate::{LoadError, cpu};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

/// How long the end may go unnoticed, in milliseconds.
const LOOK: u8 = 20;

/// Sockets and the thread that empties them; ends when dropped.
#[derive(Debug)]
pub(super) struct Sink {
    addresses: Vec<SocketAddr>,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct State {
    stop: AtomicBool,
    received: AtomicU64,
}

impl Sink {
    pub(super) fn start(destinations: Destinations, core: usize) -> Result<Self, LoadError> {
        let doing = "setting up sockets for the floor";
        let open = |_| Socket::open(Ipv4Addr::LOCALHOST.into(), destinations.runs);
        let sockets = (0..destinations.count).map(open).collect::<Result<Vec<_>, _>>()?;
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).map_err(LoadError::system(doing))?;
        for (number, socket) in (0_u64..).zip(&sockets) {
            epoll.add(socket, EpollEvent::new(EpollFlags::EPOLLIN, number)).map_err(LoadError::system(doing))?;
        }
        let state = Arc::new(State::default());
        let addresses = sockets.iter().map(Socket::local).collect();
        let shared = Arc::clone(&state);
        let drain = move || {
            // On another core the floor would only be disturbed: better that than none.
            let _unpinned = cpu::pin(core);
            drain(&sockets, &epoll, &shared);
        };
        let thread = std::thread::Builder::new().name("floor-sink".to_owned()).spawn(drain).map_err(LoadError::system(doing))?;
        Ok(Self { addresses, state, thread: Some(thread) })
    }

    pub(super) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Stops, empties every socket, and says how many datagrams came.
    #[cfg(test)]
    pub(super) fn finish(mut self) -> u64 {
        self.stop();
        self.state.received.load(Ordering::Acquire)
    }

    fn stop(&mut self) {
        self.state.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // Its panic has been printed.
            let _ended = thread.join();
        }
    }
}

fn drain(sockets: &[Socket], epoll: &Epoll, state: &State) {
    let mut buffers = Buffers::default();
    let mut events = [EpollEvent::empty(); 256];
    loop {
        let stop = state.stop.load(Ordering::Acquire);
        let count = epoll.wait(&mut events, EpollTimeout::from(LOOK)).unwrap_or_default();
        for event in events.iter().take(count) {
            let socket = usize::try_from(event.data()).ok().and_then(|number| sockets.get(number));
            let received = socket.map_or(0, |socket| socket.receive(&mut buffers, |_| ()));
            state.received.fetch_add(received as u64, Ordering::AcqRel);
        }
        if stop && count == 0 {
            return;
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.stop();
    }
}
