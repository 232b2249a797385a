//! A sender as an edge is one: frames at 30 a second and audio from an allocation over discrete rungs (or filling the estimate), padding
//! when asked, the pacer's word heeded; and its receiver, with the feedback that browsers send.

use super::super::{CongestionController, Demand, SentClass};
use super::link::{Packet, Random};
use crate::rtcp::{CompoundWriter, RtcpPacket, TwccRecorder, packets};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// IP, UDP, RTP header and tag of a packet.
const HEADERS: usize = 28 + 20 + 16;
const PAYLOAD: usize = 1_100;

#[derive(Clone, Debug)]
pub(super) enum Source {
    /// Sends what the estimate allows, up to this.
    Fill(f64),
    /// Sends the highest rung that fits, bits per second on the wire; climbs after a second of room.
    Rungs(Vec<f64>),
}

impl Source {
    pub(super) fn most(&self) -> f64 {
        match self {
            Self::Fill(most) => *most,
            Self::Rungs(rungs) => *rungs.last().unwrap(),
        }
    }
}

pub(super) struct FlowConfig {
    pub(super) source: Source,
    pub(super) starts: f64,
    /// Sends nothing in these.
    pub(super) pauses: Vec<(f64, f64)>,
    /// Added to the link's delay, both ways.
    pub(super) extra_delay_ms: f64,
    pub(super) feedback_delay_ms: f64,
    pub(super) feedback_loss: f64,
    /// No feedback arrives in these.
    pub(super) deaf: Vec<(f64, f64)>,
}

impl FlowConfig {
    pub(super) fn new(source: Source) -> Self {
        Self { source, starts: 0.0, pauses: vec![], extra_delay_ms: 0.0, feedback_delay_ms: 50.0, feedback_loss: 0.0, deaf: vec![] }
    }
}

pub(super) struct Flow {
    pub(super) config: FlowConfig,
    pub(super) controller: CongestionController,
    epoch: Instant,
    recorder: TwccRecorder,
    feedback: VecDeque<(i64, Vec<u8>)>,
    delayed: VecDeque<(i64, Packet)>,
    held: VecDeque<usize>,
    next_frame_us: i64,
    next_audio_us: i64,
    next_tick_us: i64,
    rung: usize,
    room_since_us: Option<i64>,
    sent: u64,
    pub(super) switches: u64,
    pub(super) delivered_bytes: u64,
    pub(super) padding_bytes: u64,
    random: Random,
}

impl Flow {
    pub(super) fn new(config: FlowConfig, epoch: Instant, seed: u64) -> Self {
        let starts = (config.starts * 1e6) as i64;
        Self {
            config,
            controller: CongestionController::new(epoch + Duration::from_micros(starts as u64)),
            epoch,
            recorder: TwccRecorder::new(),
            feedback: VecDeque::new(),
            delayed: VecDeque::new(),
            held: VecDeque::new(),
            next_frame_us: starts,
            next_audio_us: starts,
            next_tick_us: starts,
            rung: 0,
            room_since_us: None,
            sent: 0,
            switches: 0,
            delivered_bytes: 0,
            padding_bytes: 0,
            random: Random(seed),
        }
    }

    fn at(&self, now_us: i64) -> Instant {
        self.epoch + Duration::from_micros(now_us as u64)
    }

    pub(super) fn estimate(&self, now_us: i64) -> f64 {
        self.controller.estimate(self.at(now_us)).map_or(300_000.0, |estimate| estimate.bps as f64)
    }

    pub(super) fn is_active(&self, now_us: i64) -> bool {
        let seconds = now_us as f64 / 1e6;
        seconds >= self.config.starts && !self.config.pauses.iter().any(|(from, to)| (*from..*to).contains(&seconds))
    }

    /// The rate of what is sent.
    fn choose(&mut self, now_us: i64) -> f64 {
        let estimate = self.estimate(now_us);
        let Source::Rungs(rungs) = &self.config.source else {
            let most = self.config.source.most();
            self.controller.set_demand(Demand { allocated_bps: estimate as u64, wanted_bps: most as u64, max_bps: most as u64 });
            return estimate.min(most);
        };
        let fits = rungs.iter().rposition(|bps| *bps <= estimate).unwrap_or(0);
        if fits < self.rung {
            (self.rung, self.room_since_us) = (fits, None);
            self.switches += 1;
        } else if fits > self.rung {
            let since = *self.room_since_us.get_or_insert(now_us);
            if now_us - since > 1_000_000 || self.sent < 100 {
                (self.rung, self.room_since_us) = (fits, None);
                self.switches += 1;
            }
        } else {
            self.room_since_us = None;
        }
        let next = rungs.get(self.rung + 1).unwrap_or(&rungs[self.rung]);
        let demand = Demand { allocated_bps: rungs[self.rung] as u64, wanted_bps: *next as u64, max_bps: self.config.source.most() as u64 };
        self.controller.set_demand(demand);
        rungs[self.rung]
    }

    /// What to send now.
    pub(super) fn poll(&mut self, now_us: i64, flow: usize, out: &mut Vec<Packet>) {
        let now = self.at(now_us);
        while self.feedback.front().is_some_and(|(at, _)| *at <= now_us) {
            let (_, bytes) = self.feedback.pop_front().unwrap();
            let Some(Ok(RtcpPacket::TransportFeedback(feedback))) = packets(&bytes).next() else { panic!("not feedback") };
            self.controller.on_feedback(now, &feedback);
        }
        if now_us >= self.next_tick_us {
            self.next_tick_us = now_us + 20_000;
            self.controller.handle_tick(now);
        }
        let active = self.is_active(now_us);
        if active && now_us >= self.next_audio_us {
            self.next_audio_us = now_us + 20_000;
            self.send(now, flow, 80 + HEADERS, SentClass::Audio, out);
        }
        if active && now_us >= self.next_frame_us {
            self.next_frame_us = now_us + 33_333;
            let bps = self.choose(now_us) - 8.0 * 50.0 * (80.0 + HEADERS as f64);
            let bytes = bps / 30.0 / 8.0 * (0.7 + 0.6 * self.random.unit());
            let parts = (bytes / (PAYLOAD + HEADERS) as f64).ceil().max(1.0) as usize;
            self.held.extend(std::iter::repeat_n((bytes as usize / parts).max(HEADERS + 20), parts));
        }
        while !self.held.is_empty() && self.controller.video_room(now, 0, now) > 0 {
            for _ in 0..10 {
                let Some(size) = self.held.pop_front() else { break };
                self.send(now, flow, size, SentClass::Video, out);
            }
        }
        while active && let Some(bytes) = self.controller.poll_padding(now) {
            let size = bytes.clamp(200, PAYLOAD) + HEADERS;
            self.padding_bytes += size as u64;
            self.send(now, flow, size, SentClass::Padding, out);
        }
    }

    fn send(&mut self, now: Instant, flow: usize, size: usize, class: SentClass, out: &mut Vec<Packet>) {
        assert_eq!(self.controller.next_number(), self.sent as u16);
        self.controller.on_sent(now, size, class);
        out.push(Packet { flow, number: self.sent, size });
        self.sent += 1;
    }

    pub(super) fn arrive(&mut self, now_us: i64, packet: Packet) {
        self.delayed.push_back((now_us + (self.config.extra_delay_ms * 1000.0) as i64, packet));
    }

    /// The receiver's part.
    pub(super) fn receive(&mut self, now_us: i64) {
        while self.delayed.front().is_some_and(|(at, _)| *at <= now_us) {
            let (_, packet) = self.delayed.pop_front().unwrap();
            self.recorder.on_packet(packet.number as u16, self.at(now_us));
            self.delivered_bytes += packet.size as u64;
        }
        while self.recorder.poll_timeout().is_some_and(|due| due <= self.at(now_us)) {
            let mut buffer = [0; 1100];
            let mut writer = CompoundWriter::new(&mut buffer);
            self.recorder.build_feedback(1, 2, &mut writer).unwrap();
            let bytes = writer.written().to_vec();
            let seconds = now_us as f64 / 1e6;
            let deaf = self.config.deaf.iter().any(|(from, to)| (*from..*to).contains(&seconds));
            if !deaf && self.random.unit() >= self.config.feedback_loss {
                let delay = self.config.feedback_delay_ms + self.config.extra_delay_ms;
                self.feedback.push_back((now_us + (delay * 1000.0) as i64, bytes));
            }
        }
    }
}
