//! What a picture is sent in when no edge chooses: two participants talk directly, and each decides by what its own path holds. A ladder of
//! heights and bitrates; down as soon as the path is short, up when the next rung fits, and now and then without knowing that, since a path
//! is only known for as much as was tried.
//! Pure: [`PeerLadder::observe`] once a second with what was measured, [`PeerLadder::rung`] for what holds now.
//!
//! Not here: the connection itself, and doing it.

use crate::MonoTime;
use crate::climbs::Climbs;
use core::time::Duration;

/// The rest is for audio, resends and other people's traffic.
const SHARE_PERCENT: u64 = 80;

/// Above this the path is in trouble, whatever is estimated.
const MAX_LOSS: f32 = 0.05;

/// Above this the path is in trouble, whatever is estimated.
const MAX_RTT: Duration = Duration::from_millis(200);

/// Trouble is over below these. Guess: far enough below to be no wobble.
const CALM_LOSS: f32 = 0.02;
const CALM_RTT: Duration = Duration::from_millis(160);

/// Samples in a row that are too short, or in trouble, before something is given up: one alone is noise. The next is a second later.
const SHORT_FOR: u8 = 2;

/// A rung that fits for so long is taken. As the edge waits after a cut (docs/allocation.md).
const FITS_FOR: Duration = Duration::from_secs(5);

/// On a path that holds what is sent for so long, more is tried. Doubles with each failure. As mediasoup's pause after a downgrade.
const PROBE_AFTER: Duration = Duration::from_secs(10);

/// A probe has this long until the estimate must have followed: browsers probe themselves when they may send more, and grow by 8 % a second after that. Guess.
const PROBE_FOR: Duration = Duration::from_secs(5);

/// One way to send a picture.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PeerRung {
    /// Lines at most.
    pub height: u16,
    /// Bits per second at most.
    pub bitrate: u32,
}

/// Best first.
pub const PEER_RUNGS: [PeerRung; 5] = [
    PeerRung { height: 2160, bitrate: 8_000_000 },
    PeerRung { height: 1080, bitrate: 4_000_000 },
    PeerRung { height: 720, bitrate: 2_000_000 },
    PeerRung { height: 480, bitrate: 1_000_000 },
    LOWEST,
];
const LOWEST: PeerRung = PeerRung { height: 240, bitrate: 500_000 };

/// What cameras open with, before anything was measured.
const START: usize = 2;

/// What the way to the other one was like in the last second. None: unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PathSample {
    /// Bits per second that the browser believes it can send (`availableOutgoingBitrate`).
    pub available: Option<u32>,
    /// Share of packets that didn't arrive, 0 to 1.
    pub loss: Option<f32>,
    /// Round trip.
    pub rtt: Option<Duration>,
}

/// Why the rung changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PeerReason {
    /// The estimate holds no more.
    Bandwidth,
    /// Too much is lost.
    Loss,
    /// The round trip is too long.
    Delay,
    /// It fits.
    Fits,
    /// Perhaps it fits: the path holds what is sent.
    Probe,
    /// It did not.
    ProbeFailed,
}

impl PeerReason {
    /// As apps and logs see it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bandwidth => "bandwidth",
            Self::Loss => "loss",
            Self::Delay => "delay",
            Self::Fits => "fits",
            Self::Probe => "probe",
            Self::ProbeFailed => "probe-failed",
        }
    }
}

/// The ladder of one connection.
#[derive(Debug)]
pub struct PeerLadder {
    at: usize,
    /// The best that is worth sending: the size of what is captured.
    best: usize,
    /// Samples in a row that say down.
    short: u8,
    /// Since when the next rung fits, and since when the present one does.
    next_fits: Option<MonoTime>,
    holds: Option<MonoTime>,
    /// A probe that began then is under way.
    probing: Option<MonoTime>,
    climbs: Climbs,
}

impl PeerLadder {
    /// For a picture of so many lines, zero if unknown: no rung is chosen that is higher than needed to show all of them.
    #[must_use]
    pub fn new(lines: u16) -> Self {
        let best = if lines == 0 { START } else { PEER_RUNGS.iter().rposition(|rung| rung.height >= lines).unwrap_or_default() };
        Self { at: best.max(START), best, short: 0, next_fits: None, holds: None, probing: None, climbs: Climbs::default() }
    }

    /// How to send now.
    #[must_use]
    pub fn rung(&self) -> PeerRung {
        PEER_RUNGS.get(self.at).copied().unwrap_or(LOWEST)
    }

    /// Takes the sample of the last second: another rung, and why.
    pub fn observe(&mut self, now: MonoTime, sample: PathSample) -> Option<(PeerRung, PeerReason)> {
        self.climbs.stayed(now, self.at);
        if let Some((to, reason)) = self.too_much(now, &sample) {
            self.short += 1;
            (self.next_fits, self.holds) = (None, None);
            if self.short < SHORT_FOR && reason != PeerReason::ProbeFailed {
                return None;
            }
            self.climbs.fell(self.at);
            return self.go(to, reason);
        }
        self.short = 0;
        let is_calm = sample.loss.is_none_or(|loss| loss < CALM_LOSS) && sample.rtt.is_none_or(|rtt| rtt < CALM_RTT);
        if self.at <= self.best || !is_calm {
            (self.next_fits, self.holds) = (None, None);
            return None;
        }
        if self.probing.is_some() {
            return None;
        }
        let next = self.at - 1;
        // Without an estimate nothing fits, and only trying helps.
        let fits = sample.available.is_some_and(|available| holds(available, next));
        self.next_fits = if fits { self.next_fits.or(Some(now)) } else { None };
        // At the bottom, what is sent need not hold either.
        let is_held = sample.available.is_none_or(|available| holds(available, self.at));
        self.holds = if is_held { self.holds.or(Some(now)) } else { None };
        let failed = self.climbs.hold(next, FITS_FOR);
        if self.next_fits.is_some_and(|since| now.since(since) >= failed) {
            self.climbs.climbed(now);
            return self.go(next, PeerReason::Fits);
        }
        if self.holds.is_some_and(|since| now.since(since) >= self.climbs.hold(next, PROBE_AFTER)) {
            self.climbs.climbed(now);
            let step = self.go(next, PeerReason::Probe);
            self.probing = Some(now);
            return step;
        }
        None
    }

    /// Where to go down to, if this is too much.
    fn too_much(&mut self, now: MonoTime, sample: &PathSample) -> Option<(usize, PeerReason)> {
        let lowest = PEER_RUNGS.len() - 1;
        if self.at == lowest {
            return None;
        }
        if sample.loss.is_some_and(|loss| loss > MAX_LOSS) {
            return Some((lowest, PeerReason::Loss));
        }
        if sample.rtt.is_some_and(|rtt| rtt > MAX_RTT) {
            return Some((lowest, PeerReason::Delay));
        }
        let Some(available) = sample.available else {
            self.probing = self.probing.filter(|since| now.since(*since) < PROBE_FOR);
            return None;
        };
        if holds(available, self.at) {
            self.probing = None;
            return None;
        }
        let fitting = (self.at + 1..lowest).find(|at| holds(available, *at)).unwrap_or(lowest);
        match self.probing {
            // The estimate is still that of the rung below.
            Some(since) if now.since(since) < PROBE_FOR && fitting == self.at + 1 => None,
            Some(_) => Some((fitting, PeerReason::ProbeFailed)),
            None => Some((fitting, PeerReason::Bandwidth)),
        }
    }

    fn go(&mut self, to: usize, reason: PeerReason) -> Option<(PeerRung, PeerReason)> {
        self.at = to;
        (self.short, self.next_fits, self.holds, self.probing) = (0, None, None, None);
        Some((self.rung(), reason))
    }
}

/// Whether a path with this estimate holds a rung.
fn holds(available: u32, at: usize) -> bool {
    PEER_RUNGS.get(at).is_some_and(|rung| u64::from(rung.bitrate) * 100 <= u64::from(available) * SHARE_PERCENT)
}

#[cfg(test)]
mod tests;
