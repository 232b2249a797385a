//! Promises of the allocator, in files named for them.

use super::*;
use crate::layer::Target;
use std::time::Duration;

mod budget;
mod hysteresis;
mod ladders;
mod priorities;
mod properties;
mod reasons;

const KBPS: u64 = 1_000;

fn rung(encoding: u8, temporal: u8, kbps: u64, width: u16, fps: u8) -> Rung {
    let height = (u32::from(width) * 9 / 16) as u16;
    Rung { encoding, target: Target { spatial: 0, temporal }, bitrate: kbps * KBPS, width, height, fps, live: true }
}

/// What Chromium sends of a 720p camera: three encodings without temporal layers told apart.
fn camera() -> Vec<Rung> {
    vec![rung(0, 0, 150, 320, 30), rung(1, 0, 500, 640, 30), rung(2, 0, 1_700, 1280, 30)]
}

/// The same with three frame rates each.
fn layered_camera() -> Vec<Rung> {
    let layers = |encoding, kbps: u64, width| {
        [(0, 60, 7), (1, 80, 15), (2, 100, 30)].map(|(temporal, percent, fps)| rung(encoding, temporal, kbps * percent / 100, width, fps))
    };
    [layers(0, 150, 320), layers(1, 500, 640), layers(2, 1_700, 1280)].concat()
}

fn source(class: Class, rungs: &[Rung]) -> Source<'_> {
    Source { class, showing: Showing::default(), muted: false, rungs, memory: Memory::default() }
}

fn shown(class: Class, rungs: &[Rung], width: u16) -> Source<'_> {
    let height = (u32::from(width) * 9 / 16) as u16;
    Source { showing: Showing { width, height, ..Showing::default() }, ..source(class, rungs) }
}

fn kbps(kbps: u64) -> Budget {
    Budget { estimate: Some(kbps * KBPS), reserved: 0, congested: true, untested: false, starting: false }
}

const UNLIMITED: Budget = Budget { estimate: None, reserved: 0, congested: false, untested: false, starting: false };

/// Decides, and keeps what is to be remembered.
fn decide(sources: &mut [Source<'_>], budget: Budget, now: Instant) -> Allocation {
    let allocation = allocate(sources, budget, now);
    for (source, decision) in sources.iter_mut().zip(&allocation.decisions) {
        source.memory = decision.memory;
    }
    allocation
}

/// Width and frame rate of what is forwarded; zeros where nothing is.
fn pictures(allocation: &Allocation) -> Vec<(u16, u8)> {
    let picture = |decision: &Decision| match decision.choice {
        Choice::Forward(rung) => (rung.width, rung.fps),
        Choice::Await | Choice::Pause => (0, 0),
    };
    allocation.decisions.iter().map(picture).collect()
}

fn widths(allocation: &Allocation) -> Vec<u16> {
    pictures(allocation).into_iter().map(|(width, _)| width).collect()
}

fn reasons(allocation: &Allocation) -> Vec<LayerReason> {
    allocation.decisions.iter().map(|decision| decision.reason).collect()
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}
