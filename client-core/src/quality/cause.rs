//! Whose fault it is, and what can be done.

use super::{Cause, Direction, Limit, Measured, Points, Term};
use nearcast_protocol::LayerReason;

/// Points below which nobody is blamed. Guess: as little as nobody hears or sees.
const WORTH_BLAMING: f32 = 4.0;

/// A coder that is busy for more of its time than this falls behind now and then. Guess.
const TOO_BUSY: f32 = 0.9;

/// A camera that gives less than this share of what was asked of it. Guess; in the dark many give half.
const CAMERA_SLOW: f32 = 0.7;

/// Loss that explains a damaged picture. Guess: below it, resending repairs in time.
const LOSS_HURTS: f32 = 0.02;

/// Jitter that explains a damaged picture, milliseconds. Guess: a frame at 30 a second.
const JITTER_HURTS: f32 = 33.0;

/// What the person or the app may do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// Nothing, or nobody knows what.
    None,
    /// Go nearer to the access point, use a cable, end other transfers.
    CheckNetwork,
    /// Use a nearer edge, or leave the VPN.
    ShortenPath,
    /// Send or show smaller pictures, or fewer.
    ReduceVideo,
    /// Close other programs; send fewer or smaller pictures.
    ReduceLoad,
    /// Show it larger or give it priority, if it matters.
    RaisePriority,
    /// It passes, or is the operator's to repair.
    Wait,
    /// More light, another camera, no other program that uses it.
    CheckCamera,
}

impl Action {
    /// What can be done about a cause.
    #[must_use]
    pub const fn against(cause: Cause) -> Self {
        match cause {
            Cause::Unknown => Self::None,
            Cause::UplinkLoss | Cause::DownlinkLoss | Cause::Jitter => Self::CheckNetwork,
            Cause::Delay => Self::ShortenPath,
            Cause::Bandwidth => Self::ReduceVideo,
            Cause::Cpu => Self::ReduceLoad,
            Cause::LayerHeld => Self::RaisePriority,
            Cause::Server => Self::Wait,
            Cause::Camera => Self::CheckCamera,
        }
    }
}

/// What took the most points.
pub(super) fn of(known: &Measured, points: &Points) -> Cause {
    let point = |term: Term| points.get(term as usize).copied().unwrap_or_default();
    let picture = point(Term::Freeze) + point(Term::FrameRate) + point(Term::Resolution) + point(Term::Sharpness);
    let rivals = [
        (point(Term::Silence), silence(known)),
        (point(Term::Loss), lost(known.direction)),
        (point(Term::Delay), Cause::Delay),
        (point(Term::Jitter), Cause::Jitter),
        (picture, damaged(known)),
    ];
    let mut worst = (WORTH_BLAMING, Cause::Unknown);
    for rival in rivals {
        if rival.0 > worst.0 {
            worst = rival;
        }
    }
    worst.1
}

const fn lost(direction: Direction) -> Cause {
    match direction {
        Direction::Uplink => Cause::UplinkLoss,
        Direction::Downlink => Cause::DownlinkLoss,
    }
}

fn silence(known: &Measured) -> Cause {
    if known.fps_source.is_some_and(|fps| fps < 1.0) { Cause::Camera } else { lost(known.direction) }
}

/// Why a picture is worse than asked for.
fn damaged(known: &Measured) -> Cause {
    let slow = |(source, asked): (f32, f32)| source < CAMERA_SLOW * asked;
    match known.layer {
        _ if known.limit == Limit::Cpu || known.busy.is_some_and(|busy| busy > TOO_BUSY) => Cause::Cpu,
        Some(LayerReason::Bandwidth) => Cause::Bandwidth,
        Some(LayerReason::Priority | LayerReason::HoldDown | LayerReason::Publisher) => Cause::LayerHeld,
        _ if known.limit == Limit::Bandwidth => Cause::Bandwidth,
        _ if known.fps_source.zip(known.fps_asked).is_some_and(slow) => Cause::Camera,
        _ if known.loss.is_some_and(|loss| loss > LOSS_HURTS) => lost(known.direction),
        _ if known.jitter_ms.is_some_and(|jitter| jitter > JITTER_HURTS) => Cause::Jitter,
        _ => Cause::Unknown,
    }
}
