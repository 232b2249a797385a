//! What a stay does about a processor or a path that is short: feeds the ladder and the fallbacks with what was measured, caps what is sent and
//! what is wished for, and tells the app each step with its reason.
//!
//! Not here: the decisions themselves ([`crate::cpu`], [`crate::fallback`]) and measuring ([`crate::stats`]).

use super::Session;
use crate::cpu::{CpuLadder, CpuSample, ReceiverLoad, SenderLoad};
use crate::encodings::Caps;
use crate::fallback::{Fallback, VideoSample};
use crate::quality::{Codec, Direction, Media};
use crate::red::Red;
use crate::stats::Track;
use crate::wishes::WishCap;
use crate::{Event, MonoTime, Output};
use alloc::vec::Vec;
use core::time::Duration;

/// Samples are a second apart; counters are read more often while something is wrong, and never quite on time.
const EVERY: Duration = Duration::from_millis(900);

/// What the smallest picture takes, in bits per second: LiveKit's preset for 90 lines.
const SMALLEST_PICTURE: u32 = 90_000;

/// What is set aside for voices, in bits per second: as the edge does (docs/allocation.md).
const VOICES: u32 = 64_000;

/// A step of an adaptation; the words are part of the public API (`adapted`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Adapted {
    /// What is short: `cpu`, `uplink` or `downlink`.
    pub what: &'static str,
    /// What gives way: a rung of the ladder, or `video`.
    pub step: &'static str,
    /// It gives way from now on; otherwise it is back.
    pub active: bool,
    /// Why.
    pub reason: &'static str,
}

/// The adaptations of a stay.
#[derive(Debug, Default)]
pub(super) struct Adapt {
    /// The app wants no adaptation.
    off: bool,
    /// Nobody sees the page.
    hidden: bool,
    /// What the edge believes the way to us can carry; zero: unknown.
    estimate: u32,
    cpu: CpuLadder,
    up: Fallback,
    down: Fallback,
    red: Red,
    observed_at: Option<MonoTime>,
}

impl Adapt {
    pub(super) fn turn_off(&mut self) {
        self.off = true;
    }

    pub(super) fn set_hidden(&mut self, hidden: bool) {
        self.hidden = hidden;
    }

    pub(super) fn set_estimate(&mut self, estimate: u32) {
        self.estimate = estimate;
    }

    /// Takes what was measured, at most once a second. `sendable`: bits per second that the browser believes it can send.
    fn observe(&mut self, now: MonoTime, tracks: &[Track], sendable: Option<u32>) -> Vec<Adapted> {
        let mut steps = Vec::new();
        if self.off || self.observed_at.is_some_and(|at| now.since(at) < EVERY) {
            return steps;
        }
        self.observed_at = Some(now);
        let of = |direction: Direction| tracks.iter().filter(move |track| track.direction == direction && track.flows);
        let is_video = |track: &&Track| matches!(track.measured.media, Media::Video(_));
        let max_fps = self.cpu.limits().max_fps.map(f32::from);
        let senders: Vec<_> = of(Direction::Uplink)
            .filter(is_video)
            .map(|Track { measured, .. }| SenderLoad {
                limit: measured.limit,
                busy: measured.busy,
                encoded_fps: measured.fps,
                expected_fps: measured.fps_source.map(|fps| fps.min(max_fps.unwrap_or(fps))),
                costly_codec: matches!(measured.media, Media::Video(Some(Codec::Vp9 | Codec::Av1))),
            })
            .collect();
        let receivers: Vec<_> = of(Direction::Downlink)
            .filter(is_video)
            .map(|track| ReceiverLoad { busy: track.measured.busy, dropped: track.dropped })
            .collect();
        let sample = CpuSample { senders: &senders, receivers: &receivers, hidden: self.hidden };
        if let Some(step) = self.cpu.observe(now, sample) {
            steps.push(Adapted { what: "cpu", step: step.rung.name(), active: step.taken, reason: step.reason.name() });
        }

        let voice_loss = of(Direction::Uplink).filter(|track| !is_video(track)).filter_map(|track| track.measured.loss).reduce(f32::min);
        if voice_loss.is_some_and(|loss| self.red.observe(now, loss)) {
            let active = self.red.is_on();
            steps.push(Adapted { what: "uplink", step: "red", active, reason: if active { "loss" } else { "recovered" } });
        }

        // Trouble of a path is what all tracks on it share.
        let least = |direction, of_track: fn(&Track) -> Option<f32>| {
            of(direction).filter_map(of_track).fold(None, |least: Option<f32>, one| Some(least.map_or(one, |least| least.min(one))))
        };
        let estimate = Some(self.estimate).filter(|estimate| *estimate > 0);
        let ways = [
            (&mut self.up, "uplink", Direction::Uplink, sendable, senders.is_empty()),
            (&mut self.down, "downlink", Direction::Downlink, estimate, receivers.is_empty()),
        ];
        for (fallback, what, direction, available, no_video) in ways {
            let sample = VideoSample {
                available,
                // While it rests, none flows.
                needed: if no_video && !fallback.is_paused() { 0 } else { SMALLEST_PICTURE + VOICES },
                loss: least(direction, |track| track.measured.loss),
                frozen: least(direction, |track| track.measured.freeze),
            };
            if let Some(reason) = fallback.observe(now, sample) {
                steps.push(Adapted { what, step: "video", active: fallback.is_paused(), reason: reason.name() });
            }
        }
        steps
    }
}

impl Session {
    /// Adapts to what was measured.
    pub(super) fn adapt(&mut self, now: MonoTime, tracks: &[Track], sendable: Option<u32>) {
        if self.direct.receives() {
            // What the edge believes of a way on which it sends nothing.
            self.adapt.estimate = 0;
        }
        let steps = self.adapt.observe(now, tracks, sendable);
        if steps.is_empty() {
            return;
        }
        let Adapt { cpu, up, down, .. } = &self.adapt;
        let limits = cpu.limits();
        let caps = Caps { cpu: limits, direct: None, paused: up.is_paused() };
        self.wishes.cap(now, WishCap { lines: limits.receive_lines, hidden: down.is_paused() });
        self.push(Output::Cap(caps));
        if self.negotiation.set_red(self.adapt.red.is_on()) {
            self.negotiate();
        }
        for step in steps {
            self.event(Event::Adapted(step));
        }
    }
}

#[cfg(test)]
mod tests;
