//! The packet path alone, in virtual time: a shard, one publisher and many subscribers in one process, no socket and no kernel.
//!
//! What the shard does for a datagram, and for the time that passes, happens in [`measured_datagram`] and [`measured_timeout`] and
//! nowhere else: an instruction counter that looks at these two (`instructions`) sees the server and not the load.
//!
//! The same packets, losses and feedback come in every run. Only what handshakes draw at random differs, and the seeds of hash tables.

use crate::LoadError;
use crate::client::{Local, Wish};
use crate::scenario::ALL;
use crate::trace::{Kind, Trace};
use nearcast_protocol::{Join, MediaOffer, Permissions, PublishIntent, ServerMessage};
use sfu_core::{
    Admission, Batch, Certificate, Command, ConnectionId, Event, Limits, ModePolicy, Shard, ShardConfig, ShardId, Trees, WallClock,
};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Where the shard thinks it is.
const SERVER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)), 7000);

/// Virtual time moves in such steps while nothing is due sooner.
const STEP: Duration = Duration::from_millis(5);

/// Virtual time in which everybody must be connected.
const CONNECT: Duration = Duration::from_secs(10);

/// What is forwarded before counting begins: key frame, first reports, grown tables.
const WARM_UP: Duration = Duration::from_secs(1);

/// What was forwarded while counting.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Forwarded {
    /// Datagrams that the shard took.
    pub taken: u64,
    /// Datagrams that it sent.
    pub sent: u64,
    /// Runs that they were in.
    pub runs: u64,
    /// RTP packets that subscribers received.
    pub received: u64,
    /// Of those, asked for again.
    pub asked: u64,
    /// And so many came again.
    pub answered: u64,
    /// Transport-wide feedbacks.
    pub feedbacks: u64,
}

/// What a batch held, copied as the kernel would.
#[derive(Debug, Default)]
struct Sink {
    bytes: Vec<u8>,
    datagrams: Vec<(SocketAddr, usize)>,
    runs: u64,
}

impl Sink {
    fn take(&mut self, batch: Batch<'_>) {
        for run in batch.iter() {
            self.runs += 1;
            self.bytes.extend_from_slice(run.contents);
            for datagram in run.contents.chunks(run.segment_size) {
                self.datagrams.push((run.destination.address, datagram.len()));
            }
        }
    }
}

/// What is counted of a datagram.
#[inline(never)]
fn measured_datagram(shard: &mut Shard, now: Instant, from: SocketAddr, datagram: &mut [u8], sink: &mut Sink) {
    shard.handle_datagram(now, from, SERVER, datagram);
    shard.drain_batches(|batch| sink.take(batch));
}

/// What is counted of time passing.
#[inline(never)]
fn measured_timeout(shard: &mut Shard, now: Instant, sink: &mut Sink) {
    shard.handle_timeout(now);
    shard.drain_batches(|batch| sink.take(batch));
}

/// Names of what is counted, as symbols have them.
pub const MEASURED: [&str; 2] = ["nearcast_load::path::measured_datagram", "nearcast_load::path::measured_timeout"];

struct World {
    shard: Shard,
    peers: Vec<Local>,
    start: Instant,
    now: Instant,
    sink: Sink,
    measuring: bool,
    forwarded: Forwarded,
}

/// Lets `subscribers` receive the 720p recording's first part of this length, after a second for warming up.
///
/// # Errors
/// Somebody couldn't join, or received nothing.
pub fn run(subscribers: usize, length: Duration) -> Result<Forwarded, LoadError> {
    let media = ALL.first().ok_or_else(|| LoadError::refused("choosing media", "there is no scenario"))?.media;
    let mut world = World::new(Instant::now())?;
    let kinds = vec![Kind::Audio, Kind::Video];
    world.join(0, Wish { publish: Some(Trace::load(&media)?), kinds: kinds.clone(), ..Wish::default() })?;
    for number in 1..=subscribers {
        world.join(number, Wish { receive: 1, kinds: kinds.clone(), ..Wish::default() })?;
    }
    let deadline = world.now + CONNECT;
    while !world.peers.iter().all(Local::is_connected) {
        if world.now >= deadline {
            return Err(LoadError::Late { what: "everybody's connection".to_owned(), after: CONNECT });
        }
        world.pass(STEP)?;
    }
    world.play(WARM_UP)?;
    let before = world.counts();
    (world.measuring, world.forwarded, world.sink.runs) = (true, Forwarded::default(), 0);
    world.play(length)?;
    let [received, asked, answered, feedbacks] = world.counts();
    let [received_before, asked_before, answered_before, feedbacks_before] = before;
    let forwarded = Forwarded {
        runs: world.sink.runs,
        received: received - received_before,
        asked: asked - asked_before,
        answered: answered - answered_before,
        feedbacks: feedbacks - feedbacks_before,
        ..world.forwarded
    };
    if forwarded.received == 0 {
        return Err(LoadError::refused("running the packet path", "nothing was forwarded"));
    }
    Ok(forwarded)
}

impl World {
    fn new(now: Instant) -> Result<Self, LoadError> {
        let certificate = Certificate::generate().map_err(|error| LoadError::refused("making a certificate", error))?;
        let config = ShardConfig {
            shard: ShardId(0),
            shards: 1,
            candidates: vec![SERVER],
            tcp_candidates: Vec::new(),
            certificate: Arc::new(certificate),
            resume_window: Duration::from_secs(30),
            limits: Limits::default(),
            audio_top_k: 10,
            scorer: None,
            wall_clock: WallClock::new(now, Duration::from_secs(1_700_000_000)),
            trees: Trees::default(),
        };
        let shard = Shard::new(config, [7; 32], now);
        Ok(Self { shard, peers: Vec::new(), start: now, now, sink: Sink::default(), measuring: false, forwarded: Forwarded::default() })
    }

    fn join(&mut self, number: usize, wish: Wish) -> Result<(), LoadError> {
        let port = 10_000 + number as u16;
        let (mut peer, offer) = Local::new(wish, SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), port)), self.now)?;
        let intent = |(mid, source): &(String, _)| PublishIntent {
            mid: mid.as_str().into(),
            source: *source,
            name: String::new(),
            muted: false,
            publication: None,
        };
        let publish = offer.publish.iter().map(intent).collect();
        let join = Join { auto_subscribe: true, offer: Some(MediaOffer { sdp: offer.sdp, publish }), ..Join::default() };
        let identity = format!("participant-{number}");
        let admission = Admission {
            room: "path".to_owned(),
            name: identity.clone(),
            identity,
            role: None,
            permissions: Permissions { publish: true, subscribe: true, publish_data: true, moderate: false },
            mode: ModePolicy::default(),
            max_participants: None,
            forwarding: None,
        };
        let connection = ConnectionId(number as u64);
        self.shard.handle_command(self.now, Command::Join { connection, request: 1, admission, continuation: None, join });
        let mut answer = None;
        while let Some(event) = self.shard.poll_event() {
            if let Event::Signal { connection: to, message: ServerMessage::Joined(joined) } = event
                && to == connection
            {
                answer = joined.answer;
            }
        }
        let answer = answer.ok_or_else(|| LoadError::refused("joining a shard", "the offer was not answered"))?;
        peer.accept(self.now, &answer.sdp)?;
        self.peers.push(peer);
        self.deliver()
    }

    /// The publisher plays, and what it sent arrives.
    fn play(&mut self, length: Duration) -> Result<(), LoadError> {
        let now = self.now;
        self.peers.iter_mut().for_each(|peer| peer.play(now, length));
        while self.peers.iter().any(|peer| peer.next_due().is_some()) {
            self.pass(STEP)?;
        }
        self.pass(STEP * 4)
    }

    /// Moves time on to whatever comes first.
    fn pass(&mut self, most: Duration) -> Result<(), LoadError> {
        let due = self.peers.iter().filter_map(Local::next_due).chain(self.shard.poll_timeout()).min();
        self.now = due.map_or(self.now + most, |due| due.clamp(self.now, self.now + most));
        let now = self.now;
        if self.shard.poll_timeout().is_some_and(|due| due <= now) {
            if self.measuring {
                measured_timeout(&mut self.shard, now, &mut self.sink);
            } else {
                self.shard.handle_timeout(now);
                self.shard.drain_batches(|batch| self.sink.take(batch));
            }
        }
        for peer in &mut self.peers {
            peer.send_due(now);
            peer.wake(now)?;
        }
        self.deliver()
    }

    /// Carries datagrams to and fro until nobody has one.
    fn deliver(&mut self) -> Result<(), LoadError> {
        loop {
            let mut quiet = true;
            for index in 0..self.peers.len() {
                let Some(peer) = self.peers.get_mut(index) else { continue };
                let (from, outgoing) = (peer.address(), peer.take_outgoing());
                for mut datagram in outgoing {
                    quiet = false;
                    self.forwarded.taken += 1;
                    if self.measuring {
                        measured_datagram(&mut self.shard, self.now, from, &mut datagram, &mut self.sink);
                    } else {
                        self.shard.handle_datagram(self.now, from, SERVER, &mut datagram);
                        self.shard.drain_batches(|batch| self.sink.take(batch));
                    }
                }
            }
            quiet &= self.sink.datagrams.is_empty();
            self.hand_out()?;
            while self.shard.poll_event().is_some() {}
            if quiet {
                return Ok(());
            }
        }
    }

    fn hand_out(&mut self) -> Result<(), LoadError> {
        let (mut bytes, datagrams) = (std::mem::take(&mut self.sink.bytes), std::mem::take(&mut self.sink.datagrams));
        let mut rest = bytes.as_mut_slice();
        let elapsed = self.now - self.start;
        self.forwarded.sent += datagrams.len() as u64;
        for (destination, length) in &datagrams {
            let Some((datagram, behind)) = rest.split_at_mut_checked(*length) else { break };
            let peer = usize::from(destination.port()).checked_sub(10_000).and_then(|index| self.peers.get_mut(index));
            if let Some(peer) = peer {
                peer.receive(self.now, elapsed, SERVER, datagram)?;
            }
            rest = behind;
        }
        // Given back, so that no allocation of the sink's is counted as the shard's.
        bytes.clear();
        (self.sink.bytes, self.sink.datagrams) = (bytes, datagrams);
        self.sink.datagrams.clear();
        Ok(())
    }

    fn counts(&self) -> [u64; 4] {
        self.peers.iter().map(Local::counts).fold([0; 4], |[a, b, c, d], [e, f, g, h]| [a + e, b + f, c + g, d + h])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_forwarded_and_asked_for_again_in_virtual_time() {
        let forwarded = run(3, Duration::from_secs(2)).unwrap();
        // 2 s of 247 packets to three subscribers, and reports.
        assert!((1_400..1_600).contains(&forwarded.received), "{forwarded:?}");
        assert!(forwarded.sent >= forwarded.received && forwarded.runs < forwarded.sent, "{forwarded:?}");
        assert!(forwarded.asked > 0 && forwarded.answered == forwarded.asked, "{forwarded:?}");
        assert_eq!(forwarded, run(3, Duration::from_secs(2)).unwrap());
    }
}
