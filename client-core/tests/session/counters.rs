//! A browser's counters, as the media of a scripted call would move them.

use client_core::MonoTime;
use client_core::stats::{Field, Kind, STRIDE};

/// What goes on between two readings. Both directions carry the same.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Sections that send, and sections that receive.
    pub(crate) sending: Vec<(Kind, u32)>,
    pub(crate) receiving: Vec<(Kind, u32)>,
    /// Share of packets lost on the way there, and on the way here.
    pub(crate) loss_up: f64,
    pub(crate) loss_down: f64,
    /// The way is cut since then.
    pub(crate) cut_at: Option<MonoTime>,
    /// Seconds.
    pub(crate) rtt: f64,
    /// Share of the time that encoding takes.
    pub(crate) encoding: f64,
    /// What the browser believes it can send, bits per second.
    pub(crate) sendable: Option<f64>,
    /// Lines of a received picture.
    pub(crate) lines: f64,
    /// Milliseconds for which media flowed.
    flowed: f64,
    lost: f64,
    /// Seconds.
    encoded: f64,
    at: MonoTime,
}

/// Packets of a track per millisecond: 50 a second.
const RATE: f64 = 0.05;

impl Counters {
    /// Changes the loss from now on; what came until now came as before.
    pub(crate) fn lose(&mut self, now: MonoTime, up: f64, down: f64) {
        self.advance(now);
        (self.loss_up, self.loss_down) = (up, down);
    }

    pub(crate) fn cut(&mut self, now: MonoTime) {
        self.advance(now);
        self.cut_at = Some(now);
    }

    pub(crate) fn restore(&mut self, now: MonoTime) {
        self.advance(now);
        self.cut_at = None;
    }

    fn advance(&mut self, now: MonoTime) {
        let passed = now.since(self.at).as_secs_f64() * 1000.0;
        self.at = now;
        self.encoded += passed / 1000.0 * self.encoding;
        if self.cut_at.is_none() {
            self.flowed += passed;
            self.lost += passed * RATE * self.loss_down;
        }
    }

    pub(crate) fn read(&mut self, now: MonoTime) -> Vec<f64> {
        self.advance(now);
        if self.sending.is_empty() && self.receiving.is_empty() {
            return Vec::new();
        }
        let at = now.as_micros() as f64 / 1000.0;
        let heard_at = self.cut_at.map_or(at, |cut| cut.as_micros() as f64 / 1000.0);
        let way = [(Field::At, at), (Field::Bytes, self.flowed * 10.0), (Field::Rtt, self.rtt), (Field::HeardAt, heard_at)];
        let sendable = self.sendable.map(|bits| (Field::LossRatio, bits));
        let mut numbers = record(Kind::Way, &way.into_iter().chain(sendable).collect::<Vec<_>>());
        for (kind, section) in &self.sending {
            let (section, sent) = (f64::from(*section), at * RATE);
            let coding = (Field::Coding, if *kind == Kind::VideoSent { self.encoded } else { f64::NAN });
            let report = [coding, (Field::LossRatio, self.loss_up), (Field::HeardAt, heard_at), (Field::Jitter, 0.001)];
            let track = [
                (Field::At, at),
                (Field::Mid, section),
                (Field::Ssrc, section + 100.0),
                (Field::Packets, sent),
                (Field::Bytes, sent * 100.0),
            ];
            numbers.extend(record(*kind, &[&track[..], &report[..], &self.picture(*kind)[..]].concat()));
        }
        for (kind, section) in &self.receiving {
            let (section, packets) = (f64::from(*section), self.flowed * RATE - self.lost);
            let track = [
                (Field::At, at),
                (Field::Mid, section),
                (Field::Ssrc, section + 200.0),
                (Field::Packets, packets),
                (Field::Bytes, packets * 100.0),
            ];
            let rest = [(Field::Lost, self.lost), (Field::Jitter, 0.001), (Field::Frozen, 0.0)];
            numbers.extend(record(*kind, &[&track[..], &rest[..], &self.picture(*kind)[..]].concat()));
        }
        numbers
    }

    /// Thirty frames a second.
    fn picture(&self, kind: Kind) -> Vec<(Field, f64)> {
        if !matches!(kind, Kind::VideoSent | Kind::VideoReceived) {
            return Vec::new();
        }
        let source = if kind == Kind::VideoSent { 30.0 } else { f64::NAN };
        vec![(Field::Frames, self.flowed * 0.03), (Field::Width, self.lines * 2.0), (Field::Height, self.lines), (Field::SourceFps, source)]
    }
}

fn record(kind: Kind, numbers: &[(Field, f64)]) -> Vec<f64> {
    let mut record = vec![f64::NAN; STRIDE];
    record[0] = f64::from(kind as u8);
    for (field, number) in numbers {
        record[*field as usize] = *number;
    }
    record
}
