//! The loop.

use super::roster::Roster;
use super::{Measure, Order, Parting, PeerNumber, Play, Word};
use crate::client::Seen;
use crate::client::peer::{News, Peer};
use crate::client::socket::Buffers;
use crate::{LoadError, cpu};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

/// Sockets handled before the loop looks at its other duties.
const EVENTS: usize = 64;

/// When a recorded packet is due within this, the thread looks for datagrams without waiting. Longer than 99 % of the gaps inside a
/// frame: sleeping would hand the core to somebody else and tear the frame apart.
const SPIN: Duration = Duration::from_micros(250);

/// Peers' own deadlines are looked at so often, not at every datagram.
const LOOK: Duration = Duration::from_millis(1);

/// And without any.
const FAR: Duration = Duration::from_secs(10);

/// Publishers of one crew begin so far apart: their cameras aren't synchronised. A third of a frame's interval, and no divisor of it.
pub(crate) const STAGGER: Duration = Duration::from_micros(11_300);

const BELL: u64 = u64::MAX;
const TIMER: u64 = u64::MAX - 1;

/// Everything the thread owns.
pub(super) struct Thread {
    epoll: Epoll,
    timer: TimerFd,
    timer_set: Option<Instant>,
    bell: UnixStream,
    orders: Receiver<Order>,
    words: Sender<Word>,
    roster: Roster,
    buffers: Buffers,
    seen: Seen,
    /// When peers' deadlines are looked at next.
    look_at: Instant,
    stopped: bool,
}

impl Thread {
    pub(super) fn new(bell: UnixStream, orders: Receiver<Order>, words: Sender<Word>) -> Result<Self, LoadError> {
        let doing = "setting up a thread's epoll";
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).map_err(LoadError::system(doing))?;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK);
        let timer = timer.map_err(LoadError::system(doing))?;
        let readable = |data| EpollEvent::new(EpollFlags::EPOLLIN, data);
        epoll.add(&bell, readable(BELL)).and_then(|()| epoll.add(&timer, readable(TIMER))).map_err(LoadError::system(doing))?;
        Ok(Self {
            epoll,
            timer,
            timer_set: None,
            bell,
            orders,
            words,
            roster: Roster::default(),
            buffers: Buffers::default(),
            seen: Seen::default(),
            look_at: Instant::now(),
            stopped: false,
        })
    }

    pub(super) fn run(mut self, core: usize) {
        if let Err(error) = cpu::pin(core) {
            self.tell(Word::Failed(error));
        }
        let mut events = [EpollEvent::empty(); EVENTS];
        while !self.stopped {
            if let Err(error) = self.turn(&mut events) {
                self.tell(Word::Failed(error));
                return;
            }
        }
    }

    fn turn(&mut self, events: &mut [EpollEvent]) -> Result<(), LoadError> {
        let now = Instant::now();
        let patience = if self.roster.next_due().is_some_and(|(_, at)| at.saturating_duration_since(now) <= SPIN) {
            EpollTimeout::ZERO
        } else {
            self.set_timer(now)?;
            let left = self.look_at.saturating_duration_since(now).as_micros().div_ceil(1000);
            EpollTimeout::from(u16::try_from(left).unwrap_or(u16::MAX))
        };
        let count = match self.epoll.wait(events, patience) {
            Err(nix::errno::Errno::EINTR) => 0,
            waited => waited.map_err(LoadError::system("waiting for sockets"))?,
        };
        for event in events.iter().take(count) {
            match event.data() {
                BELL => self.take_orders(),
                TIMER => self.timer_set = None,
                data => self.on_readable(data),
            }
            self.send_due();
        }
        self.send_due();
        self.look_at_deadlines();
        Ok(())
    }

    fn look_at_deadlines(&mut self) {
        let now = Instant::now();
        if now < self.look_at {
            return;
        }
        let (overdue, _) = self.roster.overdue(now);
        for number in overdue {
            self.with_peer(number, |peer, _, seen| peer.on_time(now, seen));
        }
        // Whoever was overdue has another deadline now.
        let (_, next) = self.roster.overdue(now);
        self.look_at = next.map_or(now + FAR, |next| next.max(now + LOOK));
    }

    /// The timer's beat is let go by when sockets keep the thread busy: `send_due` looks at the clock anyway.
    fn set_timer(&mut self, now: Instant) -> Result<(), LoadError> {
        let due = self.roster.next_due().map(|(_, at)| at.checked_sub(SPIN).unwrap_or(at));
        if due == self.timer_set {
            return Ok(());
        }
        self.timer_set = due;
        let Some(due) = due else { return self.timer.unset().map_err(LoadError::system("stopping a timer")) };
        // Zero would stop it.
        let left = due.saturating_duration_since(now).max(Duration::from_nanos(1));
        let expiration = Expiration::OneShot(TimeSpec::from_duration(left));
        self.timer.set(expiration, TimerSetTimeFlags::empty()).map_err(LoadError::system("setting a timer"))
    }

    fn send_due(&mut self) {
        while let Some((number, at)) = self.roster.next_due() {
            let now = Instant::now();
            if at > now {
                return;
            }
            let Some(peer) = self.roster.get_mut(number) else { return };
            let sent = peer.send_due(now);
            if peer.publisher().is_some_and(|publisher| !publisher.is_playing()) {
                self.tell(Word::Played);
            } else if !sent {
                // One that isn't connected: the session waits for connections before it plays.
                return;
            }
        }
    }

    fn on_readable(&mut self, data: u64) {
        let now = Instant::now();
        // What arrives brings nearer what has to be said about it; the engine's handshake too.
        self.look_at = self.look_at.min(now + LOOK);
        let number = usize::try_from(data / 2).unwrap_or(usize::MAX);
        self.with_peer(number, |peer, buffers, seen| {
            if data.is_multiple_of(2) {
                return peer.on_readable(now, buffers, seen);
            }
            let read = peer.signalling().map_or(Ok(()), |signalling| signalling.on_readable());
            read.map(|()| News::default())
        });
    }

    /// Lets a peer do something, and tells what came of it. One that failed is taken out.
    fn with_peer(&mut self, number: PeerNumber, work: impl FnOnce(&mut Peer, &mut Buffers, &mut Seen) -> Result<News, LoadError>) {
        let Some(peer) = self.roster.get_mut(number) else { return };
        match work(peer, &mut self.buffers, &mut self.seen) {
            Ok(news) => {
                if news.connected {
                    self.tell(Word::Connected);
                }
                if news.first_media {
                    self.tell(Word::FirstMedia);
                }
            }
            Err(error) => {
                self.tell(Word::Failed(error));
                drop(self.roster.remove(number));
            }
        }
    }

    fn take_orders(&mut self) {
        let mut rings = [0; 64];
        while matches!(self.bell.read(&mut rings), Ok(1..)) {}
        while let Ok(order) = self.orders.try_recv() {
            match order {
                Order::Add(peer) => self.add(*peer),
                Order::Play(play) => self.play(play),
                Order::Part(number, parting) => self.part(number, parting),
                // Who asked may have lost patience.
                Order::Measure(answer) => drop(answer.send(self.measure())),
                Order::Count(answer) => drop(answer.send(self.roster.all().map(|peer| peer.tally().0).sum())),
                Order::Stop => self.stopped = true,
            }
        }
    }

    fn add(&mut self, peer: Peer) {
        let number = self.roster.add(peer);
        let Some(peer) = self.roster.get_mut(number) else { return };
        let data = number as u64 * 2;
        let readable = |data| EpollEvent::new(EpollFlags::EPOLLIN, data);
        let mut added = self.epoll.add(peer.socket(), readable(data));
        if let (Ok(()), Some(signalling)) = (added, peer.signalling()) {
            added = self.epoll.add(signalling.descriptor(), readable(data + 1));
        }
        match added {
            Ok(()) => {
                self.look_at = Instant::now();
                self.with_peer(number, |peer, _, seen| peer.on_time(Instant::now(), seen));
            }
            Err(error) => self.tell(Word::Failed(LoadError::system("watching a socket")(error))),
        }
    }

    fn play(&mut self, play: Play) {
        let now = Instant::now();
        for (place, number) in (0_u32..).zip(self.roster.publishers()).take(play.publishers) {
            if let Some(publisher) = self.roster.get_mut(number).and_then(Peer::publisher) {
                publisher.play(now + STAGGER * place, play.length);
            }
        }
        self.look_at = now;
    }

    fn part(&mut self, number: PeerNumber, parting: Parting) {
        let Some(mut peer) = self.roster.remove(number) else { return };
        let _watched = self.epoll.delete(peer.socket());
        if let Some(signalling) = peer.signalling() {
            let _watched = self.epoll.delete(signalling.descriptor());
        }
        if matches!(parting, Parting::Leave | Parting::Close) {
            peer.close(Instant::now());
        }
        match (parting, peer.signalling()) {
            (Parting::Leave, Some(signalling)) => signalling.leave(),
            (Parting::Close | Parting::Crash, Some(signalling)) => signalling.hang_up(),
            (Parting::Vanish, _) => self.roster.keep_silent(peer),
            (_, None) => {}
        }
    }

    fn measure(&mut self) -> Measure {
        let delays = std::mem::take(&mut self.seen.delays);
        let longest_gap = std::mem::take(&mut self.seen.longest_gap);
        let Seen { datagrams, bytes, resends_asked, resends_answered, probes, feedbacks, disordered, .. } = self.seen;
        let cpu = cpu::thread_time();
        let mut measure = Measure {
            datagrams,
            bytes,
            delays,
            cpu,
            resends_asked,
            resends_answered,
            probes,
            feedbacks,
            longest_gap,
            disordered,
            ..Measure::default()
        };
        for peer in self.roster.all() {
            let (received, expected) = peer.tally();
            measure.cipher = measure.cipher.or(peer.cipher());
            measure.received += received;
            measure.expected += expected;
            measure.keyframes_asked += peer.publisher().map_or(0, |publisher| publisher.keyframes_asked);
            measure.nacks_heard += peer.publisher().map_or(0, |publisher| publisher.nacks_heard);
        }
        measure
    }

    fn tell(&self, word: Word) {
        // Nobody listens when the crew is being dropped.
        let _unheard = self.words.send(word);
    }
}
