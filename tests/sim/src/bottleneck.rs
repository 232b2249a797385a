//! A link that several clients share: one queue, one rate that changes over time, and whoever else uses it.
//!
//! In: datagrams with their time of arrival, in order. Out: when each leaves, or that it was dropped. First in, first out; a datagram
//! that doesn't fit is dropped (tail drop). A *policer* queues nothing: what exceeds its bucket is dropped at once.
//!
//! Not here: delay, jitter and random loss behind it ([`Link`](crate::Link)).

mod cross;

pub use cross::Cross;

use crate::client::ClientId;
use cross::CrossFlow;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Which way a bottleneck lies in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    /// From the clients to the edge.
    Up,
    /// From the edge to the clients.
    Down,
}

/// What becomes of what doesn't fit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Discipline {
    /// Waits, for at most this long at the present rate; then it is dropped.
    Queue(Duration),
    /// Is dropped when the bucket of this many bytes is empty.
    Policer(usize),
}

/// A rate that changes at given times since the world began.
#[derive(Clone, Debug)]
pub struct Schedule(Vec<(Duration, u64)>);

impl Schedule {
    /// Bits per second from each of these times on; the first counts from the beginning.
    #[must_use]
    pub fn new(steps: impl IntoIterator<Item = (Duration, u64)>) -> Self {
        let steps: Vec<_> = steps.into_iter().collect();
        assert!(!steps.is_empty() && steps.iter().all(|(_, rate)| *rate > 0), "a schedule needs rates above zero");
        assert!(steps.windows(2).all(|pair| pair[0].0 < pair[1].0), "steps come in order");
        Self(steps)
    }

    /// Always the same.
    #[must_use]
    pub fn constant(rate: u64) -> Self {
        Self::new([(Duration::ZERO, rate)])
    }

    /// The same, beginning later.
    #[must_use]
    pub fn shifted(mut self, by: Duration) -> Self {
        self.0.iter_mut().skip(1).for_each(|(from, _)| *from += by);
        self
    }

    /// Bits per second at `at`.
    #[must_use]
    pub fn at(&self, at: Duration) -> u64 {
        self.0.iter().rev().find(|(from, _)| *from <= at).unwrap_or(&self.0[0]).1
    }

    /// When the rate changes next after `at`.
    #[must_use]
    pub fn change_after(&self, at: Duration) -> Option<Duration> {
        self.0.iter().map(|(from, _)| *from).find(|from| *from > at)
    }

    /// When serialising `bytes` ends that begins at `at`.
    fn departure(&self, mut at: Duration, bytes: usize) -> Duration {
        let mut bits = bytes as f64 * 8.0;
        loop {
            let rate = self.at(at) as f64;
            let needs = Duration::from_secs_f64(bits / rate);
            match self.change_after(at) {
                Some(change) if at + needs > change => {
                    bits -= (change - at).as_secs_f64() * rate;
                    at = change;
                }
                _ => return at + needs,
            }
        }
    }
}

/// Bytes of IP and UDP headers around every datagram (IPv4).
const OVERHEAD: usize = 28;

/// What passed, for the scoreboard.
#[derive(Clone, Copy, Debug)]
pub struct Passed {
    /// When it arrived at the queue.
    pub at: Duration,
    /// How long it waited and was serialised; none: dropped.
    pub delay: Option<Duration>,
    /// With IP and UDP headers.
    pub bytes: usize,
    /// Whose; none: cross traffic.
    pub client: Option<ClientId>,
}

/// Something on its way through the queue.
#[derive(Debug)]
enum Held {
    Datagram(ClientId, Vec<u8>),
    Cross(usize),
}

/// The link.
#[derive(Debug)]
pub struct Bottleneck {
    /// Which way.
    pub way: Way,
    /// Everything that passed or was dropped.
    pub log: Vec<Passed>,
    clients: Vec<ClientId>,
    schedule: Schedule,
    discipline: Discipline,
    base: Instant,
    busy_until: Duration,
    /// Bytes in the policer's bucket, and when that was.
    bucket: (f64, Duration),
    queue: VecDeque<(Duration, Held)>,
    cross: Vec<CrossFlow>,
}

impl Bottleneck {
    pub(crate) fn new(way: Way, clients: &[ClientId], schedule: Schedule, discipline: Discipline, cross: &[Cross], base: Instant) -> Self {
        let full = if let Discipline::Policer(bytes) = discipline { bytes as f64 } else { 0.0 };
        Self {
            way,
            log: Vec::new(),
            clients: clients.to_vec(),
            schedule,
            discipline,
            base,
            busy_until: Duration::ZERO,
            bucket: (full, Duration::ZERO),
            queue: VecDeque::new(),
            cross: cross.iter().map(|cross| CrossFlow::new(*cross)).collect(),
        }
    }

    /// Whose traffic passes here.
    #[must_use]
    pub fn clients(&self) -> &[ClientId] {
        &self.clients
    }

    /// Bits per second at `at`.
    #[must_use]
    pub fn rate(&self, at: Duration) -> u64 {
        self.schedule.at(at)
    }

    /// Somebody else's traffic passes here too from now on.
    pub(crate) fn widen(&mut self, client: ClientId) {
        self.clients.push(client);
    }

    pub(crate) fn takes(&self, way: Way, client: ClientId) -> bool {
        self.way == way && self.clients.contains(&client)
    }

    pub(crate) fn send(&mut self, now: Instant, client: ClientId, bytes: Vec<u8>) {
        let size = bytes.len() + OVERHEAD;
        let at = now.duration_since(self.base);
        let departure = self.admit(at, size);
        self.log.push(Passed { at, delay: departure.map(|departure| departure - at), bytes: size, client: Some(client) });
        if let Some(departure) = departure {
            self.queue.push_back((departure, Held::Datagram(client, bytes)));
        }
    }

    /// When a packet that arrives at `at` leaves; none: dropped.
    fn admit(&mut self, at: Duration, size: usize) -> Option<Duration> {
        match self.discipline {
            Discipline::Queue(longest) => {
                let start = self.busy_until.max(at);
                if start - at > longest {
                    return None;
                }
                self.busy_until = self.schedule.departure(start, size);
                Some(self.busy_until)
            }
            Discipline::Policer(depth) => {
                let (level, since) = self.bucket;
                let refilled = (level + (at - since).as_secs_f64() * self.schedule.at(at) as f64 / 8.0).min(depth as f64);
                let fits = refilled >= size as f64;
                self.bucket = (refilled - if fits { size as f64 } else { 0.0 }, at);
                fits.then_some(at)
            }
        }
    }

    /// What has left the queue by now.
    pub(crate) fn departed(&mut self, now: Instant) -> Option<(ClientId, Vec<u8>)> {
        let at = now.duration_since(self.base);
        self.run_cross(at);
        while let Some((departure, held)) = self.queue.pop_front_if(|(departure, _)| *departure <= at) {
            match held {
                Held::Datagram(client, bytes) => return Some((client, bytes)),
                Held::Cross(flow) => self.cross[flow].on_departure(departure),
            }
        }
        None
    }

    /// Lets the other users of the link send what is due.
    fn run_cross(&mut self, at: Duration) {
        for flow in 0..self.cross.len() {
            while self.cross[flow].wants_to_send(at) {
                let departure = self.admit(at, cross::SEGMENT);
                self.log.push(Passed { at, delay: departure.map(|departure| departure - at), bytes: cross::SEGMENT, client: None });
                match departure {
                    Some(departure) => {
                        self.cross[flow].on_sent();
                        self.queue.push_back((departure, Held::Cross(flow)));
                    }
                    None => self.cross[flow].on_drop(at),
                }
            }
        }
    }

    pub(crate) fn next_due(&self) -> Option<Instant> {
        let queued = self.queue.front().map(|(departure, _)| *departure);
        queued.into_iter().chain(self.cross.iter().filter_map(CrossFlow::next_due)).min().map(|at| self.base + at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ms, secs};

    fn link(schedule: Schedule, discipline: Discipline, cross: &[Cross]) -> Bottleneck {
        Bottleneck::new(Way::Down, &[ClientId(0)], schedule, discipline, cross, Instant::now())
    }

    fn delays(link: &Bottleneck) -> Vec<Option<Duration>> {
        link.log.iter().map(|passed| passed.delay).collect()
    }

    #[test]
    fn a_queue_delays_until_it_is_full() {
        // 1,000 bytes with headers take a millisecond.
        let mut link = link(Schedule::constant(8_000_000), Discipline::Queue(ms(2)), &[]);
        for _ in 0..5 {
            link.send(link.base, ClientId(0), vec![0; 972]);
        }
        assert_eq!(delays(&link), [Some(ms(1)), Some(ms(2)), Some(ms(3)), None, None]);
        assert!(link.departed(link.base + ms(1)).is_some());
        assert!(link.departed(link.base + ms(1)).is_none());
    }

    #[test]
    fn a_rate_that_changes_while_a_packet_is_serialised_counts_from_then_on() {
        let schedule = Schedule::new([(Duration::ZERO, 8_000_000), (ms(1), 4_000_000)]);
        assert_eq!(schedule.departure(Duration::ZERO, 2_000), ms(3));
    }

    #[test]
    fn a_policer_drops_without_delay() {
        let mut link = link(Schedule::constant(8_000_000), Discipline::Policer(2_000), &[]);
        for _ in 0..3 {
            link.send(link.base, ClientId(0), vec![0; 972]);
        }
        link.send(link.base + ms(1), ClientId(0), vec![0; 972]);
        assert_eq!(delays(&link), [Some(Duration::ZERO), Some(Duration::ZERO), None, Some(Duration::ZERO)]);
    }

    #[test]
    fn a_long_tcp_flow_fills_the_link_and_no_more() {
        let cross = Cross { start: Duration::ZERO, end: secs(60), round_trip: ms(50), bytes: None };
        let mut link = link(Schedule::constant(2_000_000), Discipline::Queue(ms(300)), &[cross]);
        while let Some(due) = link.next_due().filter(|due| due.duration_since(link.base) < secs(60)) {
            assert!(link.departed(due).is_none(), "nobody sends but the flow");
        }
        let carried: usize = link.log.iter().filter(|passed| passed.delay.is_some()).map(|passed| passed.bytes * 8).sum();
        let share = carried as f64 / (60.0 * 2_000_000.0);
        assert!((0.9..=1.01).contains(&share), "carried {share}");
        assert!(link.log.iter().any(|passed| passed.delay.is_none()), "it has to find the end of the queue");
    }
}
