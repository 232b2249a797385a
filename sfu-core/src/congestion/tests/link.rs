//! A bottleneck: a rate that changes on schedule, a drop-tail queue, a token bucket, propagation, jitter, random loss.

use std::collections::VecDeque;

/// The same numbers from the same seed (SplitMix64).
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Packet {
    pub(super) flow: usize,
    pub(super) number: u64,
    pub(super) size: usize,
}

#[derive(Clone, Debug)]
pub(super) struct LinkConfig {
    /// (from, bits per second), in order.
    pub(super) rate: Vec<(f64, f64)>,
    /// Length of the queue in ms at the rate of the moment.
    pub(super) queue_ms: f64,
    /// One way.
    pub(super) delay_ms: f64,
    /// Added to a packet's delay, uniform in 0..=this; packets keep their order.
    pub(super) jitter_ms: f64,
    pub(super) loss: f64,
    /// Drops with no queue what exceeds the rate and this burst, bytes.
    pub(super) policer: Option<f64>,
}

impl LinkConfig {
    /// RFC 8867 §4.2: drop-tail, a queue of 300 ms, 50 ms one way.
    pub(super) fn rfc8867(rate: &[(f64, f64)]) -> Self {
        Self { rate: rate.to_vec(), queue_ms: 300.0, delay_ms: 50.0, jitter_ms: 0.0, loss: 0.0, policer: None }
    }

    pub(super) fn constant(bps: f64, delay_ms: f64) -> Self {
        Self { delay_ms, ..Self::rfc8867(&[(0.0, bps)]) }
    }

    pub(super) fn rate_at(&self, seconds: f64) -> f64 {
        self.rate.iter().rev().find(|(from, _)| *from <= seconds).map_or(self.rate[0].1, |(_, bps)| *bps)
    }
}

pub(super) struct Link {
    pub(super) config: LinkConfig,
    queue: VecDeque<Packet>,
    queued: usize,
    credit: f64,
    tokens: f64,
    last_arrival_us: i64,
    /// Packets on their way, with their arrival.
    flying: VecDeque<(i64, Packet)>,
    pub(super) dropped: Vec<Packet>,
    random: Random,
}

impl Link {
    pub(super) fn new(config: LinkConfig, seed: u64) -> Self {
        Self {
            tokens: config.policer.unwrap_or(0.0),
            config,
            queue: VecDeque::new(),
            queued: 0,
            credit: 0.0,
            last_arrival_us: 0,
            flying: VecDeque::new(),
            dropped: Vec::new(),
            random: Random(seed),
        }
    }

    pub(super) fn queue_delay_ms(&self, now_us: i64) -> f64 {
        self.queued as f64 * 8_000.0 / self.config.rate_at(now_us as f64 / 1e6)
    }

    pub(super) fn send(&mut self, now_us: i64, packet: Packet) {
        if self.random.unit() < self.config.loss {
            self.dropped.push(packet);
            return;
        }
        if self.config.policer.is_some() {
            if self.tokens < packet.size as f64 {
                self.dropped.push(packet);
            } else {
                self.tokens -= packet.size as f64;
                self.fly(now_us, packet);
            }
            return;
        }
        let rate = self.config.rate_at(now_us as f64 / 1e6);
        let limit = (rate * self.config.queue_ms / 8_000.0).max(3_000.0);
        if (self.queued + packet.size) as f64 > limit {
            self.dropped.push(packet);
            return;
        }
        self.queued += packet.size;
        self.queue.push_back(packet);
    }

    fn fly(&mut self, now_us: i64, packet: Packet) {
        let delay = self.config.delay_ms + self.config.jitter_ms * self.random.unit();
        let arrival = (now_us + (delay * 1000.0) as i64).max(self.last_arrival_us);
        self.last_arrival_us = arrival;
        self.flying.push_back((arrival, packet));
    }

    pub(super) fn step(&mut self, now_us: i64, step_us: i64) {
        let bytes = self.config.rate_at(now_us as f64 / 1e6) * step_us as f64 / 8e6;
        if let Some(burst) = self.config.policer {
            self.tokens = (self.tokens + bytes).min(burst);
        }
        if self.queue.is_empty() {
            self.credit = 0.0;
            return;
        }
        self.credit += bytes;
        while let Some(packet) = self.queue.front().copied().filter(|packet| packet.size as f64 <= self.credit) {
            self.credit -= packet.size as f64;
            self.queued -= packet.size;
            self.queue.pop_front();
            self.fly(now_us, packet);
        }
    }

    pub(super) fn arrival(&mut self, now_us: i64) -> Option<Packet> {
        if self.flying.front()?.0 > now_us {
            return None;
        }
        self.flying.pop_front().map(|(_, packet)| packet)
    }
}
