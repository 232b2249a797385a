//! A TCP-like competitor: slow start, additive increase, halving on loss (RFC 5681), without timeouts' finer points.

use super::link::Packet;
use std::collections::VecDeque;

pub(super) struct Tcp {
    pub(super) starts: f64,
    pub(super) ends: f64,
    reverse_us: i64,
    window: f64,
    threshold: f64,
    in_flight: f64,
    sent: u64,
    recover: u64,
    acks: VecDeque<(i64, Option<u64>)>,
    pub(super) delivered_bytes: u64,
}

const SIZE: usize = 1_500;

impl Tcp {
    pub(super) fn new(starts: f64, ends: f64, reverse_ms: f64) -> Self {
        let reverse_us = (reverse_ms * 1000.0) as i64;
        Self {
            starts,
            ends,
            reverse_us,
            window: 10.0,
            threshold: f64::MAX,
            in_flight: 0.0,
            sent: 0,
            recover: 0,
            acks: VecDeque::new(),
            delivered_bytes: 0,
        }
    }

    pub(super) fn poll(&mut self, now_us: i64, flow: usize, out: &mut Vec<Packet>) {
        while self.acks.front().is_some_and(|(at, _)| *at <= now_us) {
            let (_, lost) = self.acks.pop_front().unwrap();
            self.in_flight -= 1.0;
            match lost {
                None if self.window < self.threshold => self.window += 1.0,
                None => self.window += 1.0 / self.window,
                Some(number) if number >= self.recover => {
                    self.threshold = (self.window / 2.0).max(2.0);
                    self.window = self.threshold;
                    self.recover = self.sent;
                }
                Some(_) => {}
            }
        }
        let seconds = now_us as f64 / 1e6;
        while (self.starts..self.ends).contains(&seconds) && self.in_flight + 1.0 <= self.window {
            out.push(Packet { flow, number: self.sent, size: SIZE });
            self.sent += 1;
            self.in_flight += 1.0;
        }
    }

    pub(super) fn arrive(&mut self, now_us: i64, packet: Packet) {
        self.delivered_bytes += packet.size as u64;
        self.acks.push_back((now_us + self.reverse_us, None));
    }

    /// `notice_us`: when the packets behind it will have arrived.
    pub(super) fn lose(&mut self, notice_us: i64, packet: Packet) {
        let at = (notice_us + self.reverse_us).max(self.acks.back().map_or(0, |(at, _)| *at));
        self.acks.push_back((at, Some(packet.number)));
    }
}
