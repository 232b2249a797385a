//! How well one stream arrives: the numbers of a receiver report block (RFC 3550 §6.4.1, appendices A.3 and A.8).

use crate::rtcp::ReportBlock;
use crate::rtp::Seq;
use std::time::{Duration, Instant};

/// Packets of a while.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Interval {
    pub(crate) expected: u64,
    /// May be more: late ones.
    pub(crate) received: u64,
}

/// Counters of one received stream.
#[derive(Debug)]
pub(crate) struct Reception {
    clock_rate: u32,
    first: Seq,
    highest: Seq,
    received: u64,
    expected_before: u64,
    received_before: u64,
    /// Interarrival jitter in RTP ticks, scaled by 16 as in RFC 3550 A.8.
    jitter_scaled: u32,
    last_transit: Option<u32>,
    /// Expected and received when [`Reception::interval`] was last asked.
    looked: (u64, u64),
    started: Instant,
    last_sender_report: Option<(u32, Instant)>,
}

impl Reception {
    /// Starts with the first packet of a stream.
    pub(crate) fn new(clock_rate: u32, first: Seq, now: Instant) -> Self {
        Self {
            clock_rate,
            first,
            highest: first,
            received: 0,
            expected_before: 0,
            received_before: 0,
            jitter_scaled: 0,
            last_transit: None,
            looked: (0, 0),
            started: now,
            last_sender_report: None,
        }
    }

    /// Counts a packet of the stream itself. One that came on the repair stream remains a lost one (RFC 4588 §4): the publisher
    /// judges its network by these numbers.
    pub(crate) fn on_packet(&mut self, seq: Seq, timestamp: u32, now: Instant, resent: bool) {
        if resent {
            return;
        }
        self.received = self.received.saturating_add(1);
        self.first = self.first.min(seq);
        self.highest = self.highest.max(seq);
        let elapsed = now.saturating_duration_since(self.started);
        let ticks = elapsed.as_micros().wrapping_mul(u128::from(self.clock_rate)).checked_div(1_000_000).unwrap_or(0) as u32;
        let transit = ticks.wrapping_sub(timestamp);
        if let Some(last) = self.last_transit {
            let difference = (transit.wrapping_sub(last) as i32).unsigned_abs();
            // A jump (new capture clock, long pause) isn't jitter.
            if difference < self.clock_rate.saturating_mul(5) {
                let settled = self.jitter_scaled.saturating_add(8) >> 4;
                self.jitter_scaled = self.jitter_scaled.saturating_add(difference).saturating_sub(settled);
            }
        }
        self.last_transit = Some(transit);
    }

    /// Packets since it was last asked; apart from the intervals of reports.
    pub(crate) fn interval(&mut self) -> Interval {
        let expected = self.highest.since(self.first).saturating_add(1);
        let (before, received) = std::mem::replace(&mut self.looked, (expected, self.received));
        Interval { expected: expected.saturating_sub(before), received: self.received.saturating_sub(received) }
    }

    /// Interarrival jitter.
    pub(crate) fn jitter(&self) -> Duration {
        let micros = u64::from(self.jitter_scaled >> 4).saturating_mul(1_000_000).checked_div(u64::from(self.clock_rate));
        Duration::from_micros(micros.unwrap_or(0))
    }

    pub(crate) fn clock_rate(&self) -> u32 {
        self.clock_rate
    }

    /// Remembers the sender report that `last_sr` and `delay_since_last_sr` speak of.
    pub(crate) fn on_sender_report(&mut self, ntp_middle: u32, now: Instant) {
        self.last_sender_report = Some((ntp_middle, now));
    }

    /// The block for the next report; starts a new interval for `fraction_lost`.
    pub(crate) fn report(&mut self, ssrc: u32, now: Instant) -> ReportBlock {
        let expected = self.highest.since(self.first).saturating_add(1);
        let lost = (expected as i64).saturating_sub(self.received as i64);
        let expected_interval = expected.saturating_sub(self.expected_before);
        let received_interval = self.received.saturating_sub(self.received_before);
        self.expected_before = expected;
        self.received_before = self.received;
        let lost_interval = expected_interval.saturating_sub(received_interval);
        let fraction = lost_interval.saturating_mul(256).checked_div(expected_interval).unwrap_or(0);
        let (last_sr, delay) = self.last_sender_report.map_or((0, 0), |(middle, at)| {
            let units = now.saturating_duration_since(at).as_micros().saturating_mul(65_536) / 1_000_000;
            (middle, u32::try_from(units).unwrap_or(u32::MAX))
        });
        ReportBlock {
            ssrc,
            fraction_lost: u8::try_from(fraction).unwrap_or(u8::MAX),
            cumulative_lost: i32::try_from(lost.clamp(-0x80_0000, 0x7f_ffff)).unwrap_or(0),
            // Cycles start at zero for the receiver: our numbers start at 2^32.
            highest_seq: self.highest.value() as u32,
            jitter: self.jitter_scaled >> 4,
            last_sr,
            delay_since_last_sr: delay,
        }
    }
}
