//! Numbers out of a run.

use super::{Run, Viewer};
use crate::bottleneck::Passed;
use crate::received::Packet;
use crate::{ms, secs};
use nearcast_protocol::{LayerState, ServerMessage};
use std::time::Duration;

/// A hole in a viewer's picture longer than this is a freeze (as W3C webrtc-stats counts them for 30 frames/s: at least 150 ms more than usual).
const FREEZE: Duration = ms(184);

/// The start of a flow, while nobody can know the path: not counted among the errors of the estimate.
const START: Duration = secs(5);

/// What the rungs of the plans' camera take on the wire, headers and all, bits per second: as `--trace` shows them.
const LADDER: [f64; 3] = [165_000.0, 540_000.0, 3_180_000.0];

/// Of a link this part can be filled by media: audio, repair and key frames need the rest.
const FILLED: f64 = 0.9;

/// One number, and what it must come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What it came to.
    pub value: f64,
    /// What it must come to; none: for information.
    pub target: Option<Target>,
}

/// A bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// This or less.
    AtMost(f64),
    /// This or more.
    AtLeast(f64),
}

impl Target {
    /// Whether a value keeps it.
    #[must_use]
    pub fn holds(self, value: f64) -> bool {
        match self {
            Self::AtMost(bound) => value <= bound,
            Self::AtLeast(bound) => value >= bound,
        }
    }
}

impl Metric {
    /// A number without a target.
    #[must_use]
    pub fn told(name: &'static str, value: f64) -> Self {
        Self { name, value, target: None }
    }

    /// A number that must not be larger.
    #[must_use]
    pub fn at_most(name: &'static str, value: f64, bound: f64) -> Self {
        Self { name, value, target: Some(Target::AtMost(bound)) }
    }

    /// A number that must not be smaller.
    #[must_use]
    pub fn at_least(name: &'static str, value: f64, bound: f64) -> Self {
        Self { name, value, target: Some(Target::AtLeast(bound)) }
    }
}

impl Run {
    /// What everybody's estimates were off by, in per cent of the viewer's equal share of the rate; `ceiling`: more than this (bits per
    /// second) nobody could use, so nobody has to know of it.
    #[must_use]
    pub fn estimate_errors(&self, ceiling: u64) -> Vec<f64> {
        let mut errors = Vec::new();
        for (viewer, beliefs) in self.stage.viewers.iter().zip(&self.beliefs) {
            for belief in beliefs.iter().filter(|belief| belief.at >= viewer.from + START) {
                let truth = self.fair_share(belief.at).min(ceiling) as f64;
                let estimate = belief.estimate.unwrap_or(0).min(ceiling) as f64;
                errors.push((estimate - truth).abs() / truth * 100.0);
            }
        }
        errors
    }

    /// The rate divided by who takes part then.
    #[must_use]
    pub fn fair_share(&self, at: Duration) -> u64 {
        let present = self.stage.viewers.iter().filter(|viewer| (viewer.from..viewer.until).contains(&at)).count() as u64;
        self.rate(at) / present.max(1)
    }

    /// Bits per second that the queue lets through at a time of the plan's clock.
    #[must_use]
    pub fn rate(&self, at: Duration) -> u64 {
        self.world.bottleneck(self.stage.bottleneck).rate(self.began + at)
    }

    fn passed(&self) -> impl Iterator<Item = &Passed> {
        self.world.bottleneck(self.stage.bottleneck).log.iter().filter(|passed| passed.at >= self.began)
    }

    /// Part of what the queue could carry that it did carry for viewers, in per cent, from `from` on.
    #[must_use]
    pub fn utilisation(&self, from: Duration) -> f64 {
        let carried = self.passed().filter(|passed| passed.client.is_some() && passed.delay.is_some() && passed.at >= self.began + from);
        let carried: usize = carried.map(|passed| passed.bytes * 8).sum();
        let step = ms(100);
        let steps = ((self.length - from).as_millis() / step.as_millis()) as u32;
        let capacity: f64 = (0..steps).map(|index| self.rate(from + step * index) as f64 * step.as_secs_f64()).sum();
        carried as f64 / capacity * 100.0
    }

    /// What viewers got of the best rungs that their equal shares hold, in per cent, from `from` on: cameras come in steps, so that a link of
    /// 3 Mbit/s under a best rung of 3.2 can't be filled by anybody. What one gets beyond its rung makes up for nobody's lack.
    #[must_use]
    pub fn ladder_used(&self, from: Duration) -> f64 {
        let (mut got, mut possible) = (0.0, 0.0);
        for viewer in &self.stage.viewers {
            let (begin, end) = (from.max(viewer.from + START), self.length.min(viewer.until));
            let seconds = end.saturating_sub(begin).as_secs() as u32;
            let mut bits = vec![0.0; seconds as usize];
            for passed in self.passed().filter(|passed| passed.client == Some(viewer.client) && passed.delay.is_some()) {
                let second = (passed.at - self.began).checked_sub(begin).map_or(u64::MAX, |at| at.as_secs());
                if let Some(bits) = bits.get_mut(usize::try_from(second).unwrap_or(usize::MAX)) {
                    *bits += passed.bytes as f64 * 8.0;
                }
            }
            for (second, bits) in (0..seconds).zip(bits) {
                let at = begin + secs(u64::from(second));
                let share = self.fair_share(at).min(self.fair_share(at + ms(999))) as f64 * FILLED;
                let best = LADDER.iter().rev().find(|rung| **rung <= share).unwrap_or(&LADDER[0]);
                got += f64::min(bits, *best);
                possible += best;
            }
        }
        if possible > 0.0 { got / possible * 100.0 } else { 0.0 }
    }

    /// What estimates were off by, in per cent of what the link left a viewer beside what the others sent in the last second, or of its equal
    /// share where that is more: what a sender can find out, and what it could have.
    #[must_use]
    pub fn estimate_errors_beside_others(&self, ceiling: u64) -> Vec<f64> {
        let mut errors = Vec::new();
        for (viewer, beliefs) in self.stage.viewers.iter().zip(&self.beliefs) {
            let others: Vec<_> = self.passed().filter(|passed| passed.client != Some(viewer.client) && passed.delay.is_some()).collect();
            let (mut first, mut next, mut bits) = (0, 0, 0.0);
            for belief in beliefs.iter().filter(|belief| belief.at >= viewer.from + START) {
                while let Some(passed) = others.get(next).filter(|passed| passed.at <= self.began + belief.at) {
                    (next, bits) = (next + 1, bits + passed.bytes as f64 * 8.0);
                }
                while let Some(passed) = others.get(first).filter(|passed| passed.at + secs(1) <= self.began + belief.at) {
                    (first, bits) = (first + 1, bits - passed.bytes as f64 * 8.0);
                }
                let left = (self.rate(belief.at) as f64 - bits).max(self.fair_share(belief.at) as f64).min(ceiling as f64);
                let estimate = belief.estimate.unwrap_or(0).min(ceiling) as f64;
                errors.push((estimate - left).abs() / left * 100.0);
            }
        }
        errors
    }

    /// How long viewers' datagrams waited in the queue, milliseconds, `share` of them less.
    #[must_use]
    pub fn queue_delay(&self, share: f64) -> f64 {
        let delays = self.passed().filter(|passed| passed.client.is_some()).filter_map(|passed| passed.delay);
        quantile(delays.map(|delay| delay.as_secs_f64() * 1e3).collect(), share)
    }

    /// Viewers' datagrams that the queue dropped, in per cent.
    #[must_use]
    pub fn dropped(&self) -> f64 {
        let (mut all, mut lost) = (0_u64, 0_u64);
        for passed in self.passed().filter(|passed| passed.client.is_some()) {
            all += 1;
            lost += u64::from(passed.delay.is_none());
        }
        lost as f64 / all.max(1) as f64 * 100.0
    }

    /// Frames as they completed at a viewer: those whose parts all came.
    fn frames(&self, viewer: &Viewer) -> Vec<Duration> {
        let window = self.began + viewer.from..self.began + viewer.until;
        let video = self.world[viewer.client].packets.iter().filter(|packet| packet.picture.is_some() && window.contains(&packet.at));
        let mut frames: Vec<((u32, u8), u16, u16, Duration)> = Vec::new();
        for packet in video {
            let Packet { tag, at, .. } = packet;
            let this = (tag.frame, tag.encoding);
            match frames.iter_mut().rev().take(8).find(|(frame, ..)| *frame == this) {
                Some((_, have, _, last)) => (*have, *last) = (*have + 1, *at),
                None => frames.push((this, 1, tag.parts, *at)),
            }
        }
        frames.into_iter().filter(|(_, have, parts, _)| have >= parts).map(|(.., at)| at).collect()
    }

    /// Time that the viewers' pictures stood still, per cent of the time they were there, the worst of them.
    #[must_use]
    pub fn freezes(&self) -> f64 {
        let frozen = |viewer: &Viewer| {
            let frames = self.frames(viewer);
            let holes = frames.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).filter(|hole| *hole > FREEZE);
            let ending = frames.last().map_or(viewer.until - viewer.from, |last| (self.began + viewer.until).saturating_sub(*last));
            let frozen: Duration = holes.chain(Some(ending).filter(|hole| *hole > FREEZE)).sum();
            (frozen.as_secs_f64() / (viewer.until - viewer.from).as_secs_f64() * 100.0).min(100.0)
        };
        self.stage.viewers.iter().map(frozen).fold(0.0, f64::max)
    }

    /// Changes of the layer a viewer was told of, a minute, the worst of them, from `from` on: another picture size, another frame rate (by
    /// more than a quarter), a pause or its end. Another reason for the same layer, or its bitrate, is none.
    #[must_use]
    pub fn switches_a_minute(&self, from: Duration) -> f64 {
        let minutes = (self.length - from).as_secs_f64() / 60.0;
        let switches = |viewer: &Viewer| {
            let mut count = 0.0;
            let mut told: Vec<LayerState> = Vec::new();
            for (at, message) in &self.world[viewer.client].signals {
                let ServerMessage::Layers { layers, .. } = message else { continue };
                for layer in layers {
                    let before = told.iter().position(|known| known.publication == layer.publication).map(|place| told.swap_remove(place));
                    if before.is_none_or(|before| is_switch(&before, layer)) && *at >= self.began + from {
                        count += 1.0;
                    }
                    told.push(layer.clone());
                }
            }
            count / minutes
        };
        self.stage.viewers.iter().map(switches).fold(0.0, f64::max)
    }

    /// From a rise of the rate at `at` until every viewer's estimate has `share` of its new part (or of `ceiling`), seconds; the plan's length: never.
    #[must_use]
    pub fn recovery(&self, at: Duration, share: f64, ceiling: u64) -> f64 {
        let slowest = |beliefs: &Vec<super::Belief>| {
            let there = beliefs.iter().find(|belief| {
                let wanted = self.fair_share(belief.at).min(ceiling) as f64 * share;
                belief.at >= at && belief.estimate.is_some_and(|estimate| estimate as f64 >= wanted)
            });
            there.map_or(self.length, |belief| belief.at - at).as_secs_f64()
        };
        self.beliefs.iter().map(slowest).fold(0.0, f64::max)
    }

    /// Jain's index over what viewers received while all of them were there, from `from` on: 1 when all got the same.
    #[must_use]
    pub fn fairness(&self, from: Duration) -> f64 {
        let queue = self.world.bottleneck(self.stage.bottleneck);
        let shares: Vec<f64> = self
            .stage
            .viewers
            .iter()
            .map(|viewer| {
                let own = queue
                    .log
                    .iter()
                    .filter(|passed| passed.client == Some(viewer.client) && passed.at >= self.began + from && passed.delay.is_some());
                own.map(|passed| passed.bytes as f64).sum()
            })
            .collect();
        let (sum, squares) = shares.iter().fold((0.0, 0.0), |(sum, squares), share| (sum + share, squares + share * share));
        if squares == 0.0 { 0.0 } else { sum * sum / (shares.len() as f64 * squares) }
    }
}

fn is_switch(before: &LayerState, after: &LayerState) -> bool {
    let picture = |layer: &LayerState| (layer.width, layer.height, layer.paused);
    picture(before) != picture(after) || before.fps.abs_diff(after.fps) > before.fps.max(after.fps) / 4
}

/// The value that `share` of the values don't exceed; 0 without values.
#[must_use]
pub fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let index = ((values.len().saturating_sub(1)) as f64 * share).round() as usize;
    values.get(index).copied().unwrap_or(0.0)
}
