//! A client's way to the edge and back.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use str0m_netem::{Input, LossModel, Netem, NetemConfig, Output, Probability, RandomLoss};

/// A datagram on its way. `from`: the client's address as the edge sees it.
#[derive(Clone, Debug)]
pub(crate) struct Datagram {
    pub(crate) from: SocketAddr,
    pub(crate) bytes: Vec<u8>,
}

impl AsRef<[u8]> for Datagram {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Datagrams remembered of each direction.
const TAPPED: usize = 4096;

/// Both directions of one client's link. Starts without loss or delay variation, 25 ms each way: a round trip of 50 ms.
pub struct Link {
    up: Direction,
    down: Direction,
}

/// Says of a datagram that it is lost.
type Sieve = Box<dyn FnMut(&[u8]) -> bool>;

struct Direction {
    netem: Netem<Datagram>,
    seed: u64,
    cut: bool,
    tap: Option<VecDeque<Vec<u8>>>,
    loses: Option<Sieve>,
    sent: u64,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Link").field("up", &self.up.sent).field("down", &self.down.sent).finish()
    }
}

impl Link {
    /// One way.
    pub const DELAY: Duration = Duration::from_millis(25);

    pub(crate) fn new(seed: u64) -> Self {
        let direction = |seed| Direction {
            netem: Netem::new(NetemConfig::new().latency(Self::DELAY).seed(seed)),
            seed,
            cut: false,
            tap: None,
            loses: None,
            sent: 0,
        };
        Self { up: direction(seed.wrapping_mul(2)), down: direction(seed.wrapping_mul(2).wrapping_add(1)) }
    }

    /// Loses this share of the datagrams on the way up, at random.
    pub fn lose_up(&mut self, share: f32) {
        self.up(NetemConfig::new().latency(Self::DELAY).loss(random(share)));
    }

    /// Loses this share of the datagrams on the way down, at random.
    pub fn lose_down(&mut self, share: f32) {
        self.down(NetemConfig::new().latency(Self::DELAY).loss(random(share)));
    }

    /// Loses exactly the datagrams on the way up that `loses` says.
    pub fn lose_up_when(&mut self, loses: impl FnMut(&[u8]) -> bool + 'static) {
        self.up.loses = Some(Box::new(loses));
    }

    /// Loses exactly the datagrams on the way down that `loses` says.
    pub fn lose_down_when(&mut self, loses: impl FnMut(&[u8]) -> bool + 'static) {
        self.down.loses = Some(Box::new(loses));
    }

    /// Takes this long, each way.
    pub fn delay(&mut self, one_way: Duration) {
        self.up(NetemConfig::new().latency(one_way));
        self.down(NetemConfig::new().latency(one_way));
    }

    /// Models the way up otherwise; the seed is the world's.
    pub fn up(&mut self, config: NetemConfig) {
        self.up.netem.set_config(config.seed(self.up.seed));
    }

    /// Models the way down otherwise; the seed is the world's.
    pub fn down(&mut self, config: NetemConfig) {
        self.down.netem.set_config(config.seed(self.down.seed));
    }

    /// Lets nothing through in either direction, or everything again.
    pub fn cut(&mut self, cut: bool) {
        (self.up.cut, self.down.cut) = (cut, cut);
    }

    /// Remembers what the client sends from now on.
    pub fn tap(&mut self) {
        self.up.tap = Some(VecDeque::new());
    }

    /// What the client sent since [`Link::tap`]; the last few thousand datagrams.
    #[must_use]
    pub fn tapped(&self) -> Vec<Vec<u8>> {
        self.up.tap.iter().flatten().cloned().collect()
    }

    /// Datagrams sent into the link: up, down.
    #[must_use]
    pub fn sent(&self) -> (u64, u64) {
        (self.up.sent, self.down.sent)
    }

    pub(crate) fn send_up(&mut self, now: Instant, datagram: Datagram) {
        self.up.send(now, datagram);
    }

    pub(crate) fn send_down(&mut self, now: Instant, datagram: Datagram) {
        self.down.send(now, datagram);
    }

    pub(crate) fn arrived_up(&mut self, now: Instant) -> Option<Datagram> {
        self.up.arrived(now)
    }

    pub(crate) fn arrived_down(&mut self, now: Instant) -> Option<Datagram> {
        self.down.arrived(now)
    }

    pub(crate) fn next_due(&self) -> Option<Instant> {
        let due = |direction: &Direction| (!direction.netem.is_empty()).then(|| direction.netem.poll_timeout());
        due(&self.up).into_iter().chain(due(&self.down)).min()
    }
}

impl Direction {
    fn send(&mut self, now: Instant, datagram: Datagram) {
        self.sent += 1;
        if let Some(tap) = &mut self.tap {
            tap.push_back(datagram.bytes.clone());
            if tap.len() > TAPPED {
                tap.pop_front();
            }
        }
        let is_lost = self.loses.as_mut().is_some_and(|loses| loses(&datagram.bytes));
        if !self.cut && !is_lost {
            self.netem.handle_input(Input::Packet(now, datagram));
        }
    }

    fn arrived(&mut self, now: Instant) -> Option<Datagram> {
        if self.netem.is_empty() || self.netem.poll_timeout() > now {
            return None;
        }
        self.netem.handle_input(Input::Timeout(now));
        match self.netem.poll_output() {
            Some(Output::Packet(datagram)) if !self.cut => Some(datagram),
            Some(Output::Packet(_) | Output::Timeout(_)) | None => None,
        }
    }
}

fn random(share: f32) -> LossModel {
    LossModel::Random(RandomLoss::new(Probability::new(share)))
}
