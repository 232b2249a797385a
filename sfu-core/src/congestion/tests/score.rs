//! What a run is judged by: estimate error, utilisation, queue delay, recovery, fairness.

use super::world::World;

#[derive(Default)]
pub(super) struct Score {
    /// From this second on.
    pub(super) from: f64,
    /// Divide the capacity among the active flows (and TCPs).
    errors: Vec<f64>,
    pub(super) queue_ms: Vec<f64>,
    /// Per sample: the estimates, then the capacity.
    pub(super) trace: Vec<(f64, Vec<f64>, f64)>,
    insides: Vec<String>,
    delivered_at: Vec<u64>,
    started: bool,
    capacity_bits: f64,
    last_seconds: f64,
}

impl Score {
    pub(super) fn from(seconds: f64) -> Self {
        Self { from: seconds, ..Self::default() }
    }

    pub(super) fn sample(&mut self, world: &World) {
        let seconds = world.seconds();
        let capacity = world.link.config.rate_at(seconds);
        let estimates: Vec<_> = world.flows.iter().map(|flow| flow.estimate(world.now_us)).collect();
        if seconds >= self.from {
            if !self.started {
                self.started = true;
                self.delivered_at = world.flows.iter().map(|flow| flow.delivered_bytes).collect();
                self.last_seconds = seconds;
            }
            let sharing = world.flows.iter().filter(|flow| flow.is_active(world.now_us)).count()
                + world.tcps.iter().filter(|tcp| (tcp.starts..tcp.ends).contains(&seconds)).count();
            let share = capacity / sharing.max(1) as f64;
            for (flow, estimate) in world.flows.iter().zip(&estimates) {
                if flow.is_active(world.now_us) {
                    // What nobody could use, nobody needs to know.
                    let most = flow.config.source.most();
                    self.errors.push((estimate.min(most) - share.min(most)).abs() / share.min(most));
                }
            }
            self.queue_ms.push(world.link.queue_delay_ms(world.now_us));
            self.capacity_bits += capacity * (seconds - self.last_seconds);
            self.last_seconds = seconds;
        }
        if std::env::var("CC_TRACE").is_ok() {
            self.insides.push(world.flows.iter().map(|flow| format!(" | {}", flow.controller.insides())).collect());
        }
        self.trace.push((seconds, estimates, capacity));
    }

    pub(super) fn error(&self, part: f64) -> f64 {
        percentile(&self.errors, part)
    }

    pub(super) fn queue_p95(&self) -> f64 {
        percentile(&self.queue_ms, 0.95)
    }

    /// Bits per second that each flow got.
    pub(super) fn shares(&self, world: &World) -> Vec<f64> {
        let seconds = (world.seconds() - self.from).max(0.001);
        world.flows.iter().zip(&self.delivered_at).map(|(flow, before)| (flow.delivered_bytes - before) as f64 * 8.0 / seconds).collect()
    }

    pub(super) fn utilisation(&self, world: &World) -> f64 {
        let tcp: u64 = world.tcps.iter().map(|tcp| tcp.delivered_bytes).sum();
        let seconds = (world.seconds() - self.from).max(0.001);
        (self.shares(world).iter().sum::<f64>() * seconds + tcp as f64 * 8.0) / self.capacity_bits
    }

    /// Seconds after `from` until flow 0's estimate reached `bps`.
    pub(super) fn reached(&self, from: f64, bps: f64) -> Option<f64> {
        self.trace.iter().find(|(at, estimates, _)| *at >= from && estimates[0] >= bps).map(|(at, _, _)| at - from)
    }

    pub(super) fn print(&self, name: &str, world: &World) {
        let shares: Vec<_> = self.shares(world).iter().map(|bps| (bps / 1000.0) as u64).collect();
        let stats = world.flows[0].controller.stats();
        eprintln!(
            "{name:28} error {:4.1} % / {:4.1} %  queue p95 {:4.0} ms  used {:3.0} %  kbit/s {shares:?}  cuts {} probes {} padding {} kB switches {}",
            100.0 * self.error(0.5),
            100.0 * self.error(0.9),
            self.queue_p95(),
            100.0 * self.utilisation(world),
            stats.cuts,
            stats.probes,
            world.flows[0].padding_bytes / 1000,
            world.flows[0].switches,
        );
        if let Ok(wanted) = std::env::var("CC_TRACE")
            && name.contains(&wanted)
        {
            for ((at, estimates, capacity), insides) in self.trace.iter().zip(&self.insides) {
                let estimates: Vec<_> = estimates.iter().map(|bps| (bps / 1000.0) as u64).collect();
                eprintln!("{at:7.2} {estimates:?} of {}{insides}", capacity / 1000.0);
            }
        }
    }
}

/// Jain's index: 1 when all get the same (Jain, Chiu, Hawe 1984).
pub(super) fn fairness(shares: &[f64]) -> f64 {
    let sum: f64 = shares.iter().sum();
    sum * sum / (shares.len() as f64 * shares.iter().map(|share| share * share).sum::<f64>())
}

fn percentile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(((sorted.len() as f64 * part) as usize).min(sorted.len().saturating_sub(1))).copied().unwrap_or(0.0)
}
