//! Whether one more may join: an edge that is full says so at the door, so that those inside keep what they have.
//!
//! In: samples of what the edge uses ([`Sample`], taken twice a second by [`watch`]), the budget from the configuration. Out: a refusal
//! with `overloaded`, which is retryable, says after how long, and names other edges. Whoever resumes a session is inside already and is
//! never refused here. Not here: how many WebSockets there may be (`http::signal`), what a room takes (`sfu-core`).
//!
//! In development nothing is refused for what the processor does: the machine is somebody's own, and busy with other things.

use crate::clock;
use crate::config::Config;
use crate::edge::{Context, stopped};
use core::time::Duration;
use nearcast_protocol::{ErrorCode, ErrorInfo};
use serde::Serialize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Between two samples.
const EVERY: Duration = Duration::from_millis(500);

/// How long a shard may take to answer; one that takes longer is busy, which shows in the processor's share.
const PATIENCE: Duration = Duration::from_millis(400);

/// Share of a new sample in the average: about three seconds' worth counts. A burst of handshakes is shorter, a call that grows is longer.
const SMOOTHING: f64 = 1.0 / 6.0;

/// Refused until the average has fallen this far below the limit, so that the door doesn't flap.
const HYSTERESIS: f64 = 0.05;

/// After how long to come back, in milliseconds; and up to so much more, so that not all come at once.
const RETRY_MS: u32 = 2_000;

/// See [`RETRY_MS`].
const RETRY_SPREAD_MS: u32 = 3_000;

/// What the edge used at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sample {
    /// CPU time of the process since its start.
    pub cpu: Duration,
    /// Participants whose transport is here; none: a shard didn't say.
    pub participants: Option<u64>,
    /// Bytes sent since the start.
    pub bytes_out: u64,
    /// Packets sent since the start.
    pub packets_out: u64,
}

/// What the edge may use. Zero of something: as much as there is.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Share of all cores, 0 to 1.
    pub cpu: f64,
    /// Participants.
    pub participants: u64,
    /// Bits a second, sent.
    pub egress_bps: u64,
    /// Cores that the process may use.
    pub cores: f64,
}

impl Budget {
    /// From the configuration.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, core::num::NonZero::get);
        Self {
            cpu: if config.dev.0 { 0.0 } else { config.admission_cpu.0 as f64 / 100.0 },
            participants: config.edge_participants.0,
            egress_bps: config.max_egress.0.saturating_mul(1_000_000),
            cores: cores as f64,
        }
    }
}

/// What is known of the edge's load, and what was decided.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Load {
    /// Share of all cores that the edge uses, an average.
    pub cpu: f64,
    /// Participants, with those admitted since the last look.
    pub participants: u64,
    /// Bits a second that it sends.
    pub egress_bps: u64,
    /// Packets a second that it sends.
    pub packets_per_second: u64,
    /// New joins are refused for the processor.
    pub busy: bool,
    /// Joins refused since the start.
    pub refused: u64,
}

/// The door.
#[derive(Debug)]
pub struct Admission {
    budget: Budget,
    others: String,
    state: Mutex<State>,
    refused: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    last: Option<(Instant, Sample)>,
    /// How many were let in since the start; and how many when the sample before this one was begun. Who was let in since then may not be in
    /// it: for up to a second one counts twice rather than not at all.
    admitted: u64,
    begun: u64,
    load: Load,
}

impl Admission {
    /// With the budget of the configuration; refusals name its `edges`.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self::with(Budget::of(config), &config.edges.0)
    }

    fn with(budget: Budget, edges: &[String]) -> Self {
        let others = match edges {
            [] => "use another edge, or try again".to_owned(),
            edges => format!("use {}, or try again", edges.join(" or ")),
        };
        Self { budget, others, state: Mutex::default(), refused: AtomicU64::new(0) }
    }

    /// A sample is begun: to be given to [`Self::note`] with it.
    #[must_use]
    pub fn begin(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).admitted
    }

    /// Takes note of a sample, `begun` when so many had been let in.
    pub fn note(&self, now: Instant, sample: Sample, begun: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (bytes_out, packets_out) = match (sample.participants, &state.last) {
            (None, Some((_, before))) => (before.bytes_out, before.packets_out),
            _ => (sample.bytes_out, sample.packets_out),
        };
        let sample = Sample { bytes_out, packets_out, ..sample };
        if let Some((at, before)) = state.last.replace((now, sample)) {
            let passed = now.saturating_duration_since(at).as_secs_f64().max(1e-3);
            let used = sample.cpu.saturating_sub(before.cpu).as_secs_f64() / passed / self.budget.cores;
            state.load.cpu += (used - state.load.cpu) * SMOOTHING;
            // Less than before: a shard began anew.
            let sent = sample.bytes_out.saturating_sub(before.bytes_out) as f64 * 8.0 / passed;
            state.load.egress_bps = sent as u64;
            state.load.packets_per_second = (sample.packets_out.saturating_sub(before.packets_out) as f64 / passed) as u64;
        }
        if let Some(participants) = sample.participants {
            state.load.participants = participants.saturating_add(state.admitted.saturating_sub(state.begun));
            state.begun = begun;
        }
        let limit = if state.load.busy { self.budget.cpu - HYSTERESIS } else { self.budget.cpu };
        state.load.busy = self.budget.cpu > 0.0 && state.load.cpu > limit;
    }

    /// Lets one more in, or says why not. `salt`: spreads when the refused come back.
    ///
    /// # Errors
    /// `overloaded`, retryable, with a time.
    pub fn admit(&self, salt: u64) -> Result<(), ErrorInfo> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (load, budget) = (&state.load, &self.budget);
        let full = if load.busy {
            format!(
                "this edge uses {:.0} % of its processors, more than the {:.0} % up to which it takes more",
                load.cpu * 100.0,
                budget.cpu * 100.0
            )
        } else if budget.participants > 0 && load.participants >= budget.participants {
            format!("this edge has {} participants and takes no more", load.participants)
        } else if budget.egress_bps > 0 && load.egress_bps >= budget.egress_bps {
            format!("this edge sends {} Mbit/s, as much as it may", load.egress_bps / 1_000_000)
        } else {
            state.load.participants += 1;
            state.admitted += 1;
            return Ok(());
        };
        drop(state);
        self.refused.fetch_add(1, Ordering::Relaxed);
        let after = RETRY_MS + u32::try_from(salt.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40).unwrap_or_default() % RETRY_SPREAD_MS;
        let message = format!("{full}; {} in {} s", self.others, after.div_ceil(1_000));
        Err(ErrorInfo { retry_after_ms: Some(after), ..ErrorInfo::new(ErrorCode::Overloaded, message) })
    }

    /// What is known, for people and dashboards.
    #[must_use]
    pub fn load(&self) -> Load {
        let load = self.state.lock().unwrap_or_else(PoisonError::into_inner).load;
        Load { refused: self.refused.load(Ordering::Relaxed), ..load }
    }
}

/// Takes samples until the edge stops.
pub async fn watch(context: Arc<Context>) {
    let mut stopping = context.stopping.subscribe();
    let mut beat = tokio::time::interval(EVERY);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = beat.tick() => (),
            () = stopped(&mut stopping) => return,
        }
        let begun = context.admission.begin();
        let reports = context.media.reports(PATIENCE).await;
        let counts = || reports.iter().map(|report| report.as_ref().map(|report| report.core.participants));
        let bytes_out = reports.iter().flatten().map(|report| report.core.bytes_out).sum();
        let packets_out = reports.iter().flatten().map(|report| report.core.datagrams_out).sum();
        let sample = Sample { cpu: cpu_time(), participants: counts().sum(), bytes_out, packets_out };
        context.admission.note(clock::now(), sample, begun);
    }
}

/// CPU time of this process so far; zero where the system doesn't tell.
#[cfg(target_os = "linux")]
fn cpu_time() -> Duration {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeValLike;
    let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else { return Duration::ZERO };
    let micros = usage.user_time().num_microseconds().saturating_add(usage.system_time().num_microseconds());
    Duration::from_micros(u64::try_from(micros).unwrap_or_default())
}

/// Not asked elsewhere than on Linux, where edges run.
#[cfg(not(target_os = "linux"))]
fn cpu_time() -> Duration {
    Duration::ZERO
}

#[cfg(test)]
mod tests;
