//! One thread and the peers it runs.
//!
//! The thread waits in epoll for sockets, for its next recorded packet (a timerfd, since epoll counts in milliseconds) and for
//! orders. In the gaps inside a frame, some 15 µs, it looks for datagrams without waiting.

mod roster;
mod thread;

pub(crate) use thread::STAGGER;

use super::peer::Peer;
use crate::LoadError;
use crate::delay::Delays;
use crate::server::Cipher;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// An answer of the thread takes no longer: it never waits for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// Names a peer of one crew; counted from 0 in the order of [`Crew::add`].
pub type PeerNumber = usize;

/// How a participant goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Parting {
    /// Says `leave`, then closes everything.
    Leave,
    /// Closes its transport and its WebSocket in good order, without a word: a page that was closed.
    Close,
    /// The WebSocket is cut, the media just stops: a browser that crashed.
    Crash,
    /// Nothing more comes, and nothing is closed: a laptop that was shut.
    Vanish,
}

/// What a crew has seen so far, all peers together.
#[derive(Clone, Debug, Default)]
pub struct Measure {
    /// Datagrams received, of any kind.
    pub datagrams: u64,
    /// Their bytes, UDP payload.
    pub bytes: u64,
    /// RTP packets received.
    pub received: u64,
    /// RTP packets that should have been.
    pub expected: u64,
    /// Key frames that the server asked publishers for.
    pub keyframes_asked: u64,
    /// Packets that the server asked publishers for again: lost on their way to it.
    pub nacks_heard: u64,
    /// Packets asked for again, though they weren't lost.
    pub resends_asked: u64,
    /// Of these, so many came again.
    pub resends_answered: u64,
    /// Packets without payload on resend streams.
    pub probes: u64,
    /// Transport-wide feedbacks sent.
    pub feedbacks: u64,
    /// The longest time without a packet of a stream since the last measure.
    pub longest_gap: Duration,
    /// Packets that came behind a later one.
    pub disordered: u64,
    /// Forwarding delays since the last measure.
    pub delays: Delays,
    /// CPU time of the thread.
    pub cpu: Duration,
    /// What media to a peer is sealed with.
    pub cipher: Option<Cipher>,
}

/// What publishers are to send.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Play {
    /// The recording's first part of this length.
    pub length: Duration,
    /// So many publishers do, the others stay silent.
    pub publishers: usize,
}

/// What the thread is told.
enum Order {
    Add(Box<Peer>),
    Play(Play),
    Part(PeerNumber, Parting),
    Measure(Sender<Measure>),
    Count(Sender<u64>),
    Stop,
}

/// What the thread tells.
enum Word {
    Connected,
    FirstMedia,
    Played,
    Failed(LoadError),
}

/// How far a crew is. Counts only grow.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Status {
    /// Peers whose transport came up.
    pub connected: usize,
    /// Peers that received media.
    pub receiving: usize,
    /// Publishers that have played to their end.
    pub played: usize,
}

/// One thread and its peers. Dropping it ends both.
#[derive(Debug)]
pub struct Crew {
    name: &'static str,
    orders: Sender<Order>,
    words: Receiver<Word>,
    bell: UnixStream,
    status: Status,
    added: PeerNumber,
    thread: Option<JoinHandle<()>>,
}

impl Crew {
    /// Starts a thread on `core`.
    ///
    /// # Errors
    /// The system's.
    pub fn start(name: &'static str, core: usize) -> Result<Self, LoadError> {
        let starting = || format!("starting the thread {name}");
        let (bell, heard) = UnixStream::pair().map_err(LoadError::system(starting()))?;
        bell.set_nonblocking(true).and_then(|()| heard.set_nonblocking(true)).map_err(LoadError::system(starting()))?;
        let (orders, taken) = channel();
        let (told, words) = channel();
        let world = thread::Thread::new(heard, taken, told)?;
        let run = move || world.run(core);
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run).map_err(LoadError::system(starting()))?;
        Ok(Self { name, orders, words, bell, status: Status::default(), added: 0, thread: Some(thread) })
    }

    /// Lets the thread run `peer` from now on.
    pub fn add(&mut self, peer: Peer) -> PeerNumber {
        self.order(Order::Add(Box::new(peer)));
        self.added += 1;
        self.added - 1
    }

    /// Publishers send the beginning of their recording, each at its own time within a frame's interval.
    pub fn play(&self, play: Play) {
        self.order(Order::Play(play));
    }

    /// Lets a peer go.
    pub fn part(&self, peer: PeerNumber, parting: Parting) {
        self.order(Order::Part(peer, parting));
    }

    /// What was seen so far.
    ///
    /// # Errors
    /// The thread has ended.
    pub fn measure(&self) -> Result<Measure, LoadError> {
        let (answer, answered) = channel();
        self.order(Order::Measure(answer));
        answered.recv_timeout(PATIENCE).map_err(|_| self.late("an answer", PATIENCE))
    }

    /// RTP packets received so far; takes nothing out of the next measure.
    ///
    /// # Errors
    /// The thread has ended.
    pub fn count(&self) -> Result<u64, LoadError> {
        let (answer, answered) = channel();
        self.order(Order::Count(answer));
        answered.recv_timeout(PATIENCE).map_err(|_| self.late("an answer", PATIENCE))
    }

    /// Waits until `reached`.
    ///
    /// # Errors
    /// It took longer than `patience`, or a peer failed.
    pub fn wait_until(&mut self, what: &str, patience: Duration, reached: impl Fn(&Status) -> bool) -> Result<(), LoadError> {
        let deadline = Instant::now() + patience;
        while !reached(&self.status) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.words.recv_timeout(left) {
                Ok(Word::Connected) => self.status.connected += 1,
                Ok(Word::FirstMedia) => self.status.receiving += 1,
                Ok(Word::Played) => self.status.played += 1,
                Ok(Word::Failed(error)) => return Err(error),
                Err(_) => return Err(self.late(&format!("{what} ({:?})", self.status), patience)),
            }
        }
        Ok(())
    }

    /// How far it is, as of the last wait.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    fn order(&self, order: Order) {
        // A thread that has ended shows when its words are waited for. A full pipe has been rung often enough.
        if self.orders.send(order).is_ok() {
            let _rung = (&self.bell).write(&[1]);
        }
    }

    fn late(&self, what: &str, after: Duration) -> LoadError {
        LoadError::Late { what: format!("{what} from the thread {}", self.name), after }
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.order(Order::Stop);
        if let Some(thread) = self.thread.take() {
            // Its panic has been printed.
            let _ended = thread.join();
        }
    }
}
