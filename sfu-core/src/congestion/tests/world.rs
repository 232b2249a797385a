//! One bottleneck, some flows, virtual time.

use super::flow::{Flow, FlowConfig};
use super::link::{Link, LinkConfig};
use super::score::Score;
use super::tcp::Tcp;
use std::time::Instant;

const STEP_US: i64 = 500;
const SAMPLE_US: i64 = 50_000;

pub(super) struct World {
    pub(super) link: Link,
    pub(super) flows: Vec<Flow>,
    pub(super) tcps: Vec<Tcp>,
    pub(super) now_us: i64,
    epoch: Instant,
    seed: u64,
}

impl World {
    pub(super) fn new(link: LinkConfig, seed: u64) -> Self {
        Self { link: Link::new(link, seed), flows: vec![], tcps: vec![], now_us: 0, epoch: Instant::now(), seed }
    }

    pub(super) fn with(mut self, flow: FlowConfig) -> Self {
        let seed = self.seed.wrapping_mul(31).wrapping_add(self.flows.len() as u64);
        self.flows.push(Flow::new(flow, self.epoch, seed));
        self
    }

    pub(super) fn with_tcp(mut self, tcp: Tcp) -> Self {
        self.tcps.push(tcp);
        self
    }

    fn step(&mut self) {
        let mut out = Vec::new();
        for (index, flow) in self.flows.iter_mut().enumerate() {
            flow.poll(self.now_us, index, &mut out);
        }
        let media = self.flows.len();
        for (index, tcp) in self.tcps.iter_mut().enumerate() {
            tcp.poll(self.now_us, media + index, &mut out);
        }
        for packet in out {
            self.link.send(self.now_us, packet);
        }
        self.link.step(self.now_us, STEP_US);
        self.now_us += STEP_US;
        while let Some(packet) = self.link.arrival(self.now_us) {
            match self.flows.get_mut(packet.flow) {
                Some(flow) => flow.arrive(self.now_us, packet),
                None => self.tcps[packet.flow - media].arrive(self.now_us, packet),
            }
        }
        let notice = self.now_us + ((self.link.queue_delay_ms(self.now_us) + self.link.config.delay_ms) * 1000.0) as i64;
        for packet in self.link.dropped.drain(..) {
            if packet.flow >= media {
                self.tcps[packet.flow - media].lose(notice, packet);
            }
        }
        for flow in &mut self.flows {
            flow.receive(self.now_us);
        }
    }

    /// Runs until `seconds` and adds what it sees to `score`. `share(t, flows active)`: what each flow could have.
    pub(super) fn run(&mut self, seconds: f64, score: &mut Score) {
        let end = (seconds * 1e6) as i64;
        while self.now_us < end {
            self.step();
            if self.now_us % SAMPLE_US == 0 {
                score.sample(self);
            }
        }
    }

    pub(super) fn seconds(&self) -> f64 {
        self.now_us as f64 / 1e6
    }
}
