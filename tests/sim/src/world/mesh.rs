//! Links between simulated edges: relay messages go as bytes, media through [`Hop`]s, over ways that delay, lose, reorder and have a rate.
//!
//! Each edge has one shard. What the shards of the others are called at an edge is new each time that a link comes up, as in the edge's own carrier.

use bytes::Bytes;
use sfu_core::hop::{Hop, HopStats};
use sfu_core::{RelayMessage, ShardId, wire};
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

/// Bytes of the largest datagram of a link.
const DATAGRAM: usize = 1_350;

/// A link that is down is noticed after so long.
const SILENCE: Duration = Duration::from_secs(3);

/// Bytes around each datagram: IP, UDP and QUIC.
const AROUND: usize = 60;

/// What waits longer in front of a way with a rate is dropped, if it may be lost: as long as video waits at an edge.
const WAITS: Duration = Duration::from_millis(100);

/// Round trips until what a new link's stream lost is sent again (RFC 9002 §6.2.2).
const REPEATED_AFTER: u32 = 3;

#[derive(Debug)]
enum Flying {
    Control(Vec<u8>),
    Media(Bytes),
}

/// One of the two ends of a link.
#[derive(Debug)]
struct End {
    hop: Hop,
    /// What the other edge is called here.
    other: ShardId,
}

/// One direction of a link, since it came up.
#[derive(Clone, Copy, Debug)]
struct Way {
    /// Until then it is busy with what was sent.
    busy: Instant,
    /// Datagrams that are lost yet, whatever they carry.
    to_lose: u32,
    /// Nothing more on the ordered stream comes before this.
    stream: Instant,
}

/// What happens to an edge.
#[derive(Debug)]
pub(crate) enum Arrival {
    Said(ShardId, Box<RelayMessage>),
    Linked(ShardId, usize),
    Unlinked(ShardId),
}

/// All links.
#[derive(Debug)]
pub struct Mesh {
    /// One way.
    pub delay: Duration,
    /// Datagrams lost of a thousand.
    pub loss: u64,
    /// What a datagram may be later than another.
    pub jitter: Duration,
    /// Where each edge stands, by number; all others in one region.
    pub regions: Vec<&'static str>,
    /// One way between regions; none: as within one.
    pub far: Option<Duration>,
    /// Edges of a version that passes nothing on.
    pub plain: Vec<usize>,
    /// Bits a second that a link takes, each way. None: any number.
    pub rate: Option<u64>,
    /// So many datagrams are lost of each link that comes up, each way, before any arrives.
    pub lost_at_first: u32,
    /// Media that found no room on a way with a rate.
    pub narrow: u64,
    edges: usize,
    ends: HashMap<(usize, usize), End>,
    ways: HashMap<(usize, usize), Way>,
    cut: Vec<(usize, usize)>,
    /// What was said on ordered streams of links that are cut: it comes when they are back in time. The sender, the receiver, and what that calls it.
    held: Vec<(usize, usize, ShardId, Vec<u8>)>,
    flying: BTreeMap<(Instant, u64), (usize, usize, ShardId, Flying)>,
    told: BTreeMap<(Instant, u64), (usize, Arrival)>,
    names: u32,
    order: u64,
    seed: u64,
    ended: HopStats,
}

impl Mesh {
    pub(crate) fn new(edges: usize, seed: u64) -> Self {
        Self {
            delay: Duration::from_millis(20),
            loss: 0,
            jitter: Duration::ZERO,
            regions: Vec::new(),
            far: None,
            plain: Vec::new(),
            rate: None,
            lost_at_first: 0,
            narrow: 0,
            edges,
            ends: HashMap::new(),
            ways: HashMap::new(),
            cut: Vec::new(),
            held: Vec::new(),
            flying: BTreeMap::new(),
            told: BTreeMap::new(),
            names: ShardId::FIRST_ELSEWHERE.0,
            order: 0,
            seed: seed | 1,
            ended: HopStats::default(),
        }
    }

    /// Brings all links up.
    pub(crate) fn link_all(&mut self, now: Instant) {
        for (one, other) in (0..self.edges).flat_map(|one| (0..one).map(move |other| (one, other))) {
            self.link(now, one, other);
        }
    }

    fn link(&mut self, now: Instant, one: usize, other: usize) {
        for (here, there) in [(one, other), (other, one)] {
            self.names += 1;
            let name = ShardId(self.names);
            self.ways.insert((here, there), Way { busy: now, to_lose: self.lost_at_first, stream: now });
            self.ends.insert((here, there), End { hop: Hop::new(now, self.delay_between((here, there)) * 2), other: name });
            self.tell(now, here, Arrival::Linked(name, there));
        }
    }

    /// Where an edge stands.
    pub(crate) fn region(&self, edge: usize) -> &'static str {
        self.regions.get(edge).copied().unwrap_or("default")
    }

    /// What a way takes.
    pub(crate) fn delay_between(&self, (from, to): (usize, usize)) -> Duration {
        self.far.filter(|_| self.region(from) != self.region(to)).unwrap_or(self.delay)
    }

    /// Nothing passes between these two from now on, until [`Mesh::mend`].
    pub fn cut(&mut self, one: usize, other: usize) {
        self.cut.extend([(one, other), (other, one)]);
    }

    /// Everything passes again.
    pub fn mend(&mut self, now: Instant, one: usize, other: usize) {
        self.cut.retain(|pair| *pair != (one, other) && *pair != (other, one));
        for (from, to, name, bytes) in std::mem::take(&mut self.held) {
            if self.cut.contains(&(from, to)) {
                self.held.push((from, to, name, bytes));
            } else if self.ends.get(&(to, from)).is_some_and(|end| end.other == name) {
                self.fly(now + self.delay_between((from, to)), (from, to), Flying::Control(bytes));
            }
        }
        if !self.ends.contains_key(&(one, other)) {
            self.link(now, one, other);
        }
    }

    /// What all ends have counted.
    #[must_use]
    pub fn stats(&self) -> HopStats {
        self.ends.values().fold(self.ended, |sum, end| add(sum, end.hop.stats()))
    }

    /// What one edge has sent another of media.
    #[must_use]
    pub fn sent(&self, from: usize, to: usize) -> u64 {
        self.ends.get(&(from, to)).map_or(0, |end| end.hop.stats().sent)
    }

    /// What the other edges are called at this one.
    pub(crate) fn names_at(&self, edge: usize) -> Vec<ShardId> {
        self.ends.iter().filter(|((here, _), _)| *here == edge).map(|(_, end)| end.other).collect()
    }

    fn tell(&mut self, at: Instant, edge: usize, arrival: Arrival) {
        self.order += 1;
        self.told.insert((at, self.order), (edge, arrival));
    }

    fn random(&mut self, below: u64) -> u64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) % below.max(1)
    }

    /// An edge says something to whoever is called so there.
    pub(crate) fn send(&mut self, now: Instant, from: usize, to: ShardId, message: &RelayMessage) {
        let Some((pair, end)) = self.ends.iter_mut().find(|((here, _), end)| *here == from && end.other == to) else { return };
        let (pair, mut bytes) = (*pair, Vec::new());
        message.encode(0, &[0], &mut bytes);
        if message.may_be_lost() {
            end.hop.send(now, &bytes, DATAGRAM);
            self.flush(now, pair);
        } else if !self.cut.contains(&pair) {
            let at = self.leave_in_order(now, pair, bytes.len()) + self.delay_between(pair);
            self.fly(at, pair, Flying::Control(bytes));
        } else if let Some(end) = self.ends.get(&(pair.1, pair.0)) {
            self.held.push((pair.0, pair.1, end.other, bytes));
        }
    }

    /// When so many bytes have left; what was sent before them leaves first.
    fn leave(&mut self, now: Instant, pair: (usize, usize), bytes: usize) -> Instant {
        let Some((way, rate)) = self.ways.get_mut(&pair).zip(self.rate) else { return now };
        let takes = Duration::from_nanos((bytes + AROUND) as u64 * 8 * 1_000_000_000 / rate.max(1));
        way.busy = way.busy.max(now) + takes;
        way.busy
    }

    /// The same of what goes on the ordered stream: one that is lost holds up those behind it until it has been sent again.
    fn leave_in_order(&mut self, now: Instant, pair: (usize, usize), bytes: usize) -> Instant {
        let round_trip = self.delay_between(pair) * 2;
        let mut at = self.leave(now, pair, bytes);
        let Some(way) = self.ways.get_mut(&pair) else { return at };
        if way.to_lose > 0 {
            way.to_lose -= 1;
            at += round_trip * REPEATED_AFTER;
        }
        way.stream = way.stream.max(at);
        way.stream
    }

    /// Whether a datagram is lost for coming when the link has just come up, or for finding no room.
    fn is_refused(&mut self, now: Instant, pair: (usize, usize)) -> bool {
        let Some(way) = self.ways.get_mut(&pair) else { return false };
        if way.to_lose > 0 {
            way.to_lose -= 1;
            return true;
        }
        let full = way.busy.saturating_duration_since(now) > WAITS;
        self.narrow += u64::from(full);
        full
    }

    fn fly(&mut self, at: Instant, (from, to): (usize, usize), what: Flying) {
        let Some(name) = self.ends.get(&(to, from)).map(|end| end.other) else { return };
        self.order += 1;
        self.flying.insert((at, self.order), (from, to, name, what));
    }

    fn flush(&mut self, now: Instant, pair: (usize, usize)) {
        while let Some(datagram) = self.ends.get_mut(&pair).and_then(|end| end.hop.poll_transmit()) {
            let (lost, late) = (self.random(1_000) < self.loss, self.random(self.jitter.as_micros() as u64 + 1));
            if !lost && !self.cut.contains(&pair) && !self.is_refused(now, pair) {
                let left = self.leave(now, pair, datagram.len());
                self.fly(left + self.delay_between(pair) + Duration::from_micros(late), pair, Flying::Media(datagram));
            }
        }
    }

    pub(crate) fn next_due(&self) -> Option<Instant> {
        let flying = self.flying.first_key_value().map(|((at, _), _)| *at);
        let told = self.told.first_key_value().map(|((at, _), _)| *at);
        flying.into_iter().chain(told).chain(self.ends.values().map(|end| end.hop.poll_timeout())).min()
    }

    /// What has arrived by now, one thing after the other.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<(usize, Arrival)> {
        if self.told.first_key_value().is_some_and(|((at, _), _)| *at <= now) {
            return self.told.pop_first().map(|(_, told)| told);
        }
        while self.flying.first_key_value().is_some_and(|((at, _), _)| *at <= now) {
            let (_, (from, to, name, what)) = self.flying.pop_first()?;
            let Some(end) = self.ends.get_mut(&(to, from)).filter(|end| end.other == name) else { continue };
            let read = match what {
                Flying::Control(bytes) => Some(wire::decode_control(&bytes)),
                Flying::Media(datagram) => end.hop.handle_datagram(now, datagram).map(|body| wire::decode_media(&body)),
            };
            self.flush(now, (to, from));
            if let Some(read) = read {
                return Some((to, Arrival::Said(name, Box::new(read.expect("what an edge wrote").message))));
            }
        }
        let due: Vec<_> = self.ends.iter().filter(|(_, end)| end.hop.poll_timeout() <= now).map(|(pair, _)| *pair).collect();
        for pair in due {
            if let Some(end) = self.ends.get_mut(&pair) {
                end.hop.handle_timeout(now);
            }
            self.flush(now, pair);
        }
        let silent = |end: &End| now.saturating_duration_since(end.hop.heard()) > SILENCE;
        let pair = self.ends.iter().find(|(_, end)| silent(end)).map(|(pair, _)| *pair)?;
        for (here, there) in [pair, (pair.1, pair.0)] {
            if let Some(end) = self.ends.remove(&(here, there)) {
                self.ended = add(self.ended, end.hop.stats());
                self.tell(now, here, Arrival::Unlinked(end.other));
            }
        }
        // Dialled again, which comes to nothing while it is cut. The last heartbeats before the cut may have been missed only after its end.
        if !self.cut.contains(&pair) {
            self.link(now, pair.0, pair.1);
        }
        self.told.pop_first().map(|(_, told)| told)
    }
}

fn add(sum: HopStats, more: HopStats) -> HopStats {
    HopStats {
        sent: sum.sent + more.sent,
        received: sum.received + more.received,
        resent: sum.resent + more.resent,
        missed: sum.missed + more.missed,
        recovered: sum.recovered + more.recovered,
        lost: sum.lost + more.lost,
        too_large: sum.too_large + more.too_large,
        malformed: sum.malformed + more.malformed,
    }
}
