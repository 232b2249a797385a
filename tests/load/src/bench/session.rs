//! A running server with its participants, ready to be measured.

use super::window::{Snapshot, Window};
use crate::client::{Crew, Measure, Peer, Place, Play, Wish};
use crate::cpu::Cores;
use crate::progress::Progress;
use crate::scenario::Scenario;
use crate::server::{Cipher, Server};
use crate::trace::Trace;
use crate::{LoadError, process};
use std::time::{Duration, Instant};

/// Time for everybody's handshake, once all have joined.
const CONNECT: Duration = Duration::from_secs(30);

/// After the last packet was sent: when no media has come for this long, none is under way any more.
const SETTLE: Duration = Duration::from_millis(150);

/// Settling takes no longer; a busy machine can hold packets back for a second.
const SETTLED: Duration = Duration::from_secs(5);

/// Beyond a play's length, until its end is noticed.
const GRACE: Duration = Duration::from_secs(10);

/// Between two lines that show how joining goes.
const SHOW: Duration = Duration::from_secs(2);

/// Rooms full of peers.
pub(super) struct Session<'a> {
    // In the order in which they end: peers before their server.
    publishers: Crew,
    receivers: Crew,
    server: Box<dyn Server>,
    scenario: &'a Scenario,
    trace: &'a Trace,
    runs: bool,
    /// Publishers of all rooms that play, as of now.
    playing: usize,
}

impl<'a> Session<'a> {
    /// `runs`: receivers take runs of datagrams as a whole.
    pub(super) fn new(
        server: Box<dyn Server>,
        scenario: &'a Scenario,
        trace: &'a Trace,
        cores: Cores,
        runs: bool,
    ) -> Result<Self, LoadError> {
        let publishers = Crew::start("publishers", cores.publishers)?;
        let receivers = Crew::start("receivers", cores.clients)?;
        let playing = scenario.rooms * scenario.publishers;
        Ok(Self { publishers, receivers, server, scenario, trace, runs, playing })
    }

    fn publisher_count(&self) -> usize {
        self.scenario.rooms * self.scenario.publishers
    }

    /// How many publishers send from now on.
    pub(super) fn set_playing(&mut self, publishers: usize) {
        self.playing = publishers.clamp(1, self.publisher_count());
    }

    /// How many publishers send.
    pub(super) fn playing(&self) -> usize {
        self.playing
    }

    pub(super) fn resident_kb(&self) -> Result<u64, LoadError> {
        process::resident_kb(self.server.pid())
    }

    fn place(&self) -> Place {
        Place { address: self.server.address(), runs: self.runs }
    }

    /// What media is sealed with.
    pub(super) fn cipher(&self) -> Result<Cipher, LoadError> {
        let seen = self.receivers.measure()?.cipher.or(self.publishers.measure()?.cipher);
        seen.ok_or_else(|| LoadError::refused("telling what the server seals with", "nobody is connected"))
    }

    /// Publishers receive each other over the connections that they send on.
    fn publishers_receive(&self) -> bool {
        self.scenario.meeting && !self.server.invites()
    }

    /// Brings the publishers in; returns the server's CPU time for it.
    pub(super) fn publish(&mut self) -> Result<Duration, LoadError> {
        let before = self.server.cpu()?;
        let count = self.publisher_count();
        let receive = if self.publishers_receive() { self.scenario.heard_by_publishers() } else { 0 };
        for number in 0..count {
            let wish = Wish {
                publish: Some(self.trace.clone()),
                place: self.scenario.turns.then_some(number),
                receive,
                kinds: self.scenario.kinds(),
                best_first: self.server.wants_best_first(),
            };
            let (mut peer, offer) = Peer::new(wish, self.place())?;
            let admitted = self.server.admit(&room(number % self.scenario.rooms), &format!("publisher-{number}"), &offer)?;
            peer.accept(&admitted.answer, admitted.signalling)?;
            self.publishers.add(peer);
            if self.server.invites() {
                // Who is invited is offered what is published by then.
                self.publishers.wait_until("a publisher's connection", CONNECT, |status| status.connected > number)?;
            }
        }
        self.publishers.wait_until("every publisher's connection", CONNECT, |status| status.connected >= count)?;
        Ok(self.server.cpu()?.since(&before).ran)
    }

    /// Brings the subscribers in; returns the server's CPU time for it.
    pub(super) fn subscribe(&mut self, progress: Progress) -> Result<Duration, LoadError> {
        let before = self.server.cpu()?;
        let subscribers = (0..self.scenario.rooms * self.scenario.subscribers).map(|number| format!("subscriber-{number}"));
        let halves = if self.scenario.meeting && self.server.invites() { self.publisher_count() } else { 0 };
        let identities: Vec<String> = subscribers.chain((0..halves).map(|number| format!("publisher-{number}"))).collect();
        let (count, mut shown) = (identities.len(), Instant::now());
        for (number, identity) in identities.iter().enumerate() {
            let peer = self.receiver(&room(number % self.scenario.rooms), identity)?;
            self.receivers.add(peer);
            if shown.elapsed() >= SHOW {
                shown = Instant::now();
                progress.say(&format!("{}: {} of {count} subscribers have joined", self.scenario.name, number + 1));
            }
        }
        self.receivers.wait_until("every subscriber's connection", CONNECT, |status| status.connected >= count)?;
        Ok(self.server.cpu()?.since(&before).ran)
    }

    fn receiver(&self, room: &str, identity: &str) -> Result<Peer, LoadError> {
        let wish = Wish { receive: self.scenario.publishers, kinds: self.scenario.kinds(), ..Wish::default() };
        if self.server.invites() {
            let invitation = self.server.invite(room, identity)?;
            let (mut peer, answer) = Peer::invited(wish, self.place(), &invitation.offer)?;
            peer.keep(invitation.host.answered(&answer)?);
            return Ok(peer);
        }
        let (mut peer, offer) = Peer::new(wish, self.place())?;
        let admitted = self.server.admit(room, identity, &offer)?;
        peer.accept(&admitted.answer, admitted.signalling)?;
        Ok(peer)
    }

    /// Lets the publishers send the beginning of their recording, and everything come to rest.
    pub(super) fn play(&mut self, length: Duration) -> Result<(), LoadError> {
        let until = self.publishers.status().played + self.playing;
        self.publishers.play(Play { length, publishers: self.playing });
        self.publishers.wait_until("the end of the recording", length + GRACE, |status| status.played >= until)?;
        self.settle()
    }

    /// Waits until what was sent has been forwarded, received and counted.
    fn settle(&self) -> Result<(), LoadError> {
        let deadline = Instant::now() + SETTLED;
        let received = || Ok(self.publishers.count()? + self.receivers.count()?);
        let mut before = received()?;
        while Instant::now() < deadline {
            std::thread::sleep(SETTLE);
            let now = received()?;
            if now == before {
                return Ok(());
            }
            before = now;
        }
        Ok(())
    }

    /// A forwarder that never starts would make a wonderful figure.
    pub(super) fn check_everybody_receives(&mut self) -> Result<(), LoadError> {
        let publishers = if self.publishers_receive() { self.publisher_count() } else { 0 };
        let others = self.scenario.receivers() - publishers;
        self.receivers.wait_until("media for every subscriber", GRACE, |status| status.receiving >= others)?;
        self.publishers.wait_until("media for every publisher", GRACE, |status| status.receiving >= publishers)
    }

    /// Plays and measures once.
    pub(super) fn window(&mut self, length: Duration) -> Result<Window, LoadError> {
        let counters = self.server.counters()?;
        let before = self.snapshot(counters)?;
        self.play(length)?;
        // CPU first: asking for the counters costs some.
        let mut after = self.snapshot(None)?;
        after.counters = self.server.counters()?;
        Window::between(before, after)
    }

    fn snapshot(&self, counters: Option<crate::server::Counters>) -> Result<Snapshot, LoadError> {
        let cpu = self.server.cpu()?;
        let (publishers, receivers) = (self.publishers.measure()?, self.receivers.measure()?);
        let own = process::cpu_time(std::process::id())?.ran;
        Ok(Snapshot {
            own,
            machine: process::machine_time(),
            at: Instant::now(),
            cpu,
            counters,
            publishers,
            receivers,
            overflows: process::udp_receive_overflows(),
        })
    }
}

fn room(number: usize) -> String {
    format!("bench-{number}")
}

/// Both crews together: what the server has sent arrives at one of them.
pub(super) fn together(one: &Measure, two: &Measure, count: fn(&Measure) -> u64) -> u64 {
    count(one) + count(two)
}
