//! Receivers without transport-wide feedback: what their REMB and their loss reports bound.
//!
//! draft-ietf-rmcat-gcc-02 §6: above 10 % loss the rate falls by half the loss, below 2 % it may grow by 5 %. As a bound only: such
//! receivers aren't probed, and with neither REMB nor loss nothing is known and nothing is bounded.

/// Draft §6.
const LOSS_HIGH: f64 = 0.10;
const LOSS_LOW: f64 = 0.02;
const GROWTH: f64 = 1.05;
/// A bound this far above what is sent binds nothing.
const LOOSE: f64 = 2.0;
/// A REMB is believed this long, µs. Receivers send one a second, or when it falls (draft-alvestrand-rmcat-remb-03 §2.3).
const REMB_KEPT_US: i64 = 10_000_000;

#[derive(Debug, Default)]
pub(super) struct Fallback {
    remb: Option<(f64, i64)>,
    loss_bound: Option<f64>,
}

impl Fallback {
    pub(super) fn on_remb(&mut self, now_us: i64, bps: f64) {
        self.remb = Some((bps, now_us));
    }

    /// `lost`: part of the packets since the last report. `sent_bps`: what was sent meanwhile.
    pub(super) fn on_report_loss(&mut self, lost: f64, sent_bps: f64) {
        if lost > LOSS_HIGH {
            let from = self.loss_bound.unwrap_or(sent_bps).min(sent_bps.max(1.0));
            self.loss_bound = Some(from * (1.0 - 0.5 * lost));
        } else if lost < LOSS_LOW {
            self.loss_bound = self.loss_bound.map(|bound| bound * GROWTH).filter(|bound| *bound < sent_bps.max(1.0) * LOOSE);
        }
    }

    /// The rate may not exceed this; `None`: nothing is known.
    pub(super) fn bound(&self, now_us: i64) -> Option<f64> {
        let remb = self.remb.filter(|(_, at)| now_us.saturating_sub(*at) < REMB_KEPT_US).map(|(bps, _)| bps);
        match (remb, self.loss_bound) {
            (Some(remb), Some(loss)) => Some(remb.min(loss)),
            (remb, loss) => remb.or(loss),
        }
    }
}
