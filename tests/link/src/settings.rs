//! What one direction of the link does to packets.

use serde::{Deserialize, Serialize};
use std::time::Duration;
use str0m_netem::{Bitrate, DataSize, GilbertElliot, NetemConfig, Probability, RandomLoss};

/// Why settings are refused.
#[derive(Debug, thiserror::Error)]
#[error("{field} = {value} is outside {range}")]
pub struct OutOfRange {
    field: &'static str,
    value: f64,
    range: &'static str,
}

/// Loss in bursts: a two-state Gilbert-Elliott model that loses everything in its bad state.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Bursts {
    /// Mean number of packets between two bursts; 1 or more.
    pub good: f32,
    /// Mean number of packets lost in a burst; 1 or more.
    pub bad: f32,
}

/// One direction. The default changes nothing: no delay, no loss, no limit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Settings {
    /// One way, in milliseconds: 0 to 60,000.
    pub delay_ms: f32,
    /// Each packet's delay varies by this much either way, in milliseconds: 0 to 60,000. Order is kept: who comes early waits.
    pub jitter_ms: f32,
    /// Share of packets lost at random: 0 to 1.
    pub loss: f32,
    /// Loss in bursts, in place of random loss.
    pub bursts: Option<Bursts>,
    /// Share of packets that arrive twice: 0 to 1.
    pub duplicate: f32,
    /// Every so many packets one overtakes its predecessor; 0 is never.
    pub reorder_every: u32,
    /// Rate of the line, in kbit/s; 0 is no limit. What doesn't fit into the queue is dropped (tail drop).
    pub rate_kbps: u32,
    /// Length of the queue before the line, as time at its rate, in milliseconds. Default 200: between a router with queue
    /// management and a bloated one. Without `rate_kbps` it says nothing.
    pub queue_ms: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { delay_ms: 0.0, jitter_ms: 0.0, loss: 0.0, bursts: None, duplicate: 0.0, reorder_every: 0, rate_kbps: 0, queue_ms: 200 }
    }
}

/// Changes to [`Settings`]: what isn't named stays as it is. `loss` ends `bursts` and the other way round.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "each field is that of `Settings`")]
pub struct Patch {
    pub delay_ms: Option<f32>,
    pub jitter_ms: Option<f32>,
    pub loss: Option<f32>,
    pub bursts: Option<Bursts>,
    pub duplicate: Option<f32>,
    pub reorder_every: Option<u32>,
    pub rate_kbps: Option<u32>,
    pub queue_ms: Option<u32>,
}

const SHARE: &str = "0..=1";
const MINUTE_MS: f32 = 60_000.0;

impl Settings {
    /// These settings with `patch` applied.
    ///
    /// # Errors
    /// A value that is out of its range; then nothing is changed.
    pub fn patched(mut self, patch: Patch) -> Result<Self, OutOfRange> {
        for (field, value) in [("delay_ms", patch.delay_ms), ("jitter_ms", patch.jitter_ms)] {
            check(field, value, "0..=60000", |ms| (0.0..=MINUTE_MS).contains(&ms))?;
        }
        for (field, value) in [("loss", patch.loss), ("duplicate", patch.duplicate)] {
            check(field, value, SHARE, |share| (0.0..=1.0).contains(&share))?;
        }
        for (field, value) in [("bursts.good", patch.bursts.map(|it| it.good)), ("bursts.bad", patch.bursts.map(|it| it.bad))] {
            check(field, value, "1 or more", |packets| packets >= 1.0)?;
        }
        self.delay_ms = patch.delay_ms.unwrap_or(self.delay_ms);
        self.jitter_ms = patch.jitter_ms.unwrap_or(self.jitter_ms);
        if let Some(loss) = patch.loss {
            (self.loss, self.bursts) = (loss, None);
        }
        if patch.bursts.is_some() {
            (self.loss, self.bursts) = (0.0, patch.bursts);
        }
        self.duplicate = patch.duplicate.unwrap_or(self.duplicate);
        self.reorder_every = patch.reorder_every.unwrap_or(self.reorder_every);
        self.rate_kbps = patch.rate_kbps.unwrap_or(self.rate_kbps);
        self.queue_ms = patch.queue_ms.unwrap_or(self.queue_ms);
        Ok(self)
    }

    /// As the model takes it.
    pub(crate) fn config(&self, seed: u64) -> NetemConfig {
        let millis = |ms: f32| Duration::from_secs_f32(ms / 1000.0);
        let mut config = NetemConfig::new()
            .latency(millis(self.delay_ms))
            .jitter(millis(self.jitter_ms))
            .duplicate(Probability::new(self.duplicate))
            .loss(RandomLoss::new(Probability::new(self.loss)))
            .seed(seed);
        if let Some(Bursts { good, bad }) = self.bursts {
            config = config.loss(GilbertElliot::new().good_duration(good).bad_duration(bad));
        }
        if self.reorder_every > 0 {
            config = config.reorder_gap(self.reorder_every);
        }
        if self.rate_kbps > 0 {
            config = config.link(Bitrate::kbps(u64::from(self.rate_kbps)), DataSize::bytes(self.buffer_bytes()));
        }
        config
    }

    /// The model holds packets under way in the queue's buffer, so the buffer has room for those too.
    fn buffer_bytes(&self) -> i64 {
        let under_way_ms = f64::from(self.delay_ms) + f64::from(self.jitter_ms);
        let bytes = f64::from(self.rate_kbps) / 8.0 * (f64::from(self.queue_ms) + under_way_ms);
        // A line that can't take one whole packet carries nothing at all.
        #[expect(clippy::cast_possible_truncation, reason = "at most 4 Gbit/s for some days: far below 2^63")]
        let bytes = bytes as i64;
        bytes.max(LARGEST_PACKET)
    }
}

/// The MTU of the devices.
const LARGEST_PACKET: i64 = 1500;

fn check(field: &'static str, value: Option<f32>, range: &'static str, holds: impl Fn(f32) -> bool) -> Result<(), OutOfRange> {
    match value {
        // NaN holds nothing.
        Some(value) if !holds(value) => Err(OutOfRange { field, value: f64::from(value), range }),
        _ => Ok(()),
    }
}
