//! One stretch of time, measured from both ends.

use super::session::together;
use crate::LoadError;
use crate::client::Measure;
use crate::delay::Delays;
use crate::process::CpuTime;
use crate::server::Counters;
use std::time::{Duration, Instant};

/// Everything that is read at a window's beginning and end.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) at: Instant,
    pub(super) cpu: CpuTime,
    pub(super) counters: Option<Counters>,
    pub(super) publishers: Measure,
    pub(super) receivers: Measure,
    pub(super) overflows: u64,
    /// Of this process.
    pub(super) own: Duration,
    /// Of the whole machine.
    pub(super) machine: Duration,
}

/// What happened in a window.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    /// How long it was.
    pub(super) length: Duration,
    /// CPU time of the server.
    pub(super) cpu: CpuTime,
    /// Datagrams that the server sent: by its own count, else by the load's.
    pub(super) sent: u64,
    /// Runs that they were sent in; as many as datagrams when the server doesn't tell.
    pub(super) runs: u64,
    /// System calls that sent them; likewise.
    pub(super) calls: u64,
    /// Datagrams that reached the load.
    pub(super) arrived: u64,
    /// Datagrams that the kernel didn't take from the server.
    pub(super) unsent: u64,
    /// Packets that the server asked publishers for again.
    pub(super) nacks: u64,
    /// Packets asked for again though they had come, and how many of them came again.
    pub(super) resends: (u64, u64),
    /// Packets that only probed.
    pub(super) probes: u64,
    /// Transport-wide feedbacks sent to the server.
    pub(super) feedbacks: u64,
    /// RTP packets that the load received.
    pub(super) received: u64,
    /// RTP packets that the load should have received.
    pub(super) expected: u64,
    /// Datagrams that this machine dropped at full receive buffers.
    pub(super) overflows: u64,
    /// CPU time of everything that is neither the server nor the load.
    pub(super) others: Duration,
    /// Forwarding delays.
    pub(super) delays: Delays,
    /// CPU time of the load's threads.
    pub(super) clients: Vec<Duration>,
}

impl Window {
    pub(super) fn between(before: Snapshot, after: Snapshot) -> Result<Self, LoadError> {
        let during = |count: fn(&Measure) -> u64| {
            together(&after.publishers, &after.receivers, count).saturating_sub(together(&before.publishers, &before.receivers, count))
        };
        let arrived = during(|measure| measure.datagrams);
        let (received, expected) = (during(|measure| measure.received), during(|measure| measure.expected));
        let resends = (during(|measure| measure.resends_asked), during(|measure| measure.resends_answered));
        let (probes, feedbacks) = (during(|measure| measure.probes), during(|measure| measure.feedbacks));
        let nacks = during(|measure| measure.nacks_heard);
        let counters = after.counters.zip(before.counters).map(|(after, before)| after.since(&before));
        let mut delays = after.publishers.delays;
        delays.merge(&after.receivers.delays);
        let cpu = after.cpu.since(&before.cpu);
        let own = after.own.saturating_sub(before.own);
        let window = Self {
            others: after.machine.saturating_sub(before.machine).saturating_sub(cpu.ran + own),
            length: after.at.saturating_duration_since(before.at),
            cpu,
            sent: counters.map_or(arrived, |counters| counters.datagrams),
            runs: counters.map_or(arrived, |counters| counters.runs),
            calls: counters.map_or(arrived, |counters| counters.calls),
            arrived,
            unsent: counters.map_or(0, |counters| counters.unsent),
            nacks,
            resends,
            probes,
            feedbacks,
            received,
            expected,
            overflows: after.overflows.saturating_sub(before.overflows),
            delays,
            clients: vec![
                after.publishers.cpu.saturating_sub(before.publishers.cpu),
                after.receivers.cpu.saturating_sub(before.receivers.cpu),
            ],
        };
        if window.sent == 0 || window.received == 0 {
            return Err(LoadError::refused("measuring a window", "the server forwarded nothing"));
        }
        Ok(window)
    }

    /// CPU microseconds of the server for each datagram it sent.
    pub(super) fn us_per_packet(&self) -> f64 {
        self.cpu.ran.as_secs_f64() * 1e6 / self.sent.max(1) as f64
    }

    /// Datagrams in one run.
    pub(super) fn datagrams_per_run(&self) -> f64 {
        self.sent as f64 / self.runs.max(1) as f64
    }

    /// Runs in one system call.
    pub(super) fn runs_per_call(&self) -> f64 {
        self.runs as f64 / self.calls.max(1) as f64
    }

    /// Share of a core that the server used.
    pub(super) fn server_share(&self) -> f64 {
        share(self.cpu.ran, self.length)
    }

    /// Share of the window that the server's threads stood ready but something else had their core.
    pub(super) fn waited_share(&self) -> f64 {
        share(self.cpu.waited, self.length)
    }

    /// Cores' worth of CPU that other processes used.
    pub(super) fn others_share(&self) -> f64 {
        share(self.others, self.length)
    }

    /// Share of a core that the busiest thread of the load used, or all together when they have one core.
    pub(super) fn client_share(&self, one_core: bool) -> f64 {
        let busiest = self.clients.iter().max().copied().unwrap_or_default();
        share(if one_core { self.clients.iter().sum() } else { busiest }, self.length)
    }

    /// How far the server's count of datagrams is from the load's, as a share.
    pub(super) fn disagreement(&self) -> f64 {
        (self.sent as f64 - self.arrived as f64).abs() / self.sent.max(1) as f64
    }
}

fn share(part: Duration, whole: Duration) -> f64 {
    part.as_secs_f64() / whole.as_secs_f64().max(f64::MIN_POSITIVE)
}
