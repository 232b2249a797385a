//! How good a call is for the person in it: from measured numbers to a score from 0 to 100 that says where its missing points went.
//!
//! One model for both halves: the SDK feeds it from `getStats`, the edge from RTCP. Whoever has numbers fills a [`Measured`] for a track and a
//! direction, leaves `None` what it doesn't know, and calls [`rate`]. [`Blend`] makes one rating of many (a participant, a connection), and a
//! [`Gauge`] turns ratings over time into what people see: a steady score, and a level with hysteresis.
//!
//! ```
//! use client_core::MonoTime;
//! use client_core::quality::{Blend, Direction, Gauge, Level, Measured, Media, Repair, rate};
//!
//! // What an edge knows of somebody's microphone and camera from RTCP.
//! let microphone = Measured {
//!     media: Media::Audio(Repair::Red),
//!     direction: Direction::Uplink,
//!     loss: Some(0.02),
//!     jitter_ms: Some(4.0),
//!     rtt_ms: Some(48.0),
//!     ..Measured::default()
//! };
//! let camera = Measured { media: Media::Video(None), ..microphone };
//! let mut blend = Blend::default();
//! blend.add(rate(&microphone), 2.0);
//! blend.add(rate(&camera), 1.0);
//! let mut gauge = Gauge::default();
//! assert_eq!(gauge.update(MonoTime::from_micros(0), blend.rating()).level, Level::Excellent);
//! ```
//!
//! Sound is rated by the E-model (`audio`), pictures by what a viewer misses of what was asked for (`video`); `cause` says whose fault it is.
//! Invariants, each with a test of the same name in `quality/tests.rs`: `points_and_score_make_a_hundred`, `nothing_known_is_no_score`,
//! `no_number_makes_a_wrong_score`.
//!
//! Not here: where the numbers come from (`stats`), and words for people (`npm`). Formulas, constants and their sources: docs/quality.md.

mod audio;
mod blend;
mod cause;
mod curve;
mod gauge;
mod video;

pub use audio::{effective_impairment, mos, opinion, residual_loss};
pub use blend::Blend;
pub use cause::Action;
pub use gauge::{Gauge, Quality};
pub use nearcast_protocol::{QualityCause as Cause, QualityLevel as Level};

use nearcast_protocol::LayerReason;

/// Which way media goes, seen from the participant.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Direction {
    /// From it.
    #[default]
    Uplink,
    /// To it.
    Downlink,
}

/// What repairs lost sound.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Repair {
    /// Nothing but concealment.
    #[default]
    None,
    /// Opus in-band FEC (RFC 6716 §2.1.7): the next packet brings a coarse copy.
    Fec,
    /// RED (RFC 2198): the next packet brings a full copy.
    Red,
}

/// How a picture is coded: each codec counts quantisers on a scale of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Codec {
    /// 0 to 127.
    Vp8,
    /// 0 to 255.
    Vp9,
    /// 0 to 255.
    Av1,
    /// 0 to 51.
    H264,
}

/// What a track carries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Media {
    /// Opus.
    Audio(Repair),
    /// A picture; none: of an unknown codec, whose quantiser says nothing.
    Video(Option<Codec>),
}

impl Default for Media {
    fn default() -> Self {
        Self::Audio(Repair::None)
    }
}

/// What holds an encoder back, as it says itself (`qualityLimitationReason`).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Limit {
    /// Nothing, or it doesn't say.
    #[default]
    None,
    /// The machine.
    Cpu,
    /// The way.
    Bandwidth,
}

/// One track in one direction over a second or so. `None`: not known, which is never the same as zero. Numbers that are negative,
/// not finite or absurd count as unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measured {
    /// What it carries.
    pub media: Media,
    /// Which way.
    pub direction: Direction,
    /// Nothing at all arrived although something should have: not muted, not paused, not switched off.
    pub silent: bool,
    /// Round trip between participant and edge, milliseconds.
    pub rtt_ms: Option<f32>,
    /// Variation of arrival (RFC 3550 §6.4.1), milliseconds.
    pub jitter_ms: Option<f32>,
    /// How long packets wait in the jitter buffer, milliseconds. Unknown: guessed from the jitter.
    pub buffer_ms: Option<f32>,
    /// Packets that didn't arrive, before any repair: 0 to 1.
    pub loss: Option<f32>,
    /// How much longer runs of lost packets are than they would be at random (`BurstR` of G.107): 1 and up. Unknown: 1.
    pub burst: Option<f32>,
    /// Sound: share that had to be made up after all repair, 0 to 1. Known: loss and repair don't matter.
    pub concealed: Option<f32>,
    /// Pictures: share of the time in which the picture stood still, 0 to 1.
    pub freeze: Option<f32>,
    /// Frames per second that are sent or shown.
    pub fps: Option<f32>,
    /// Frames per second that were asked for.
    pub fps_asked: Option<f32>,
    /// Frames per second that the camera gives.
    pub fps_source: Option<f32>,
    /// The shorter side of the picture in pixels.
    pub lines: Option<f32>,
    /// The shorter side that was asked for.
    pub lines_asked: Option<f32>,
    /// Mean quantiser, on the codec's scale.
    pub qp: Option<f32>,
    /// Share of the time for a frame that coding it takes: above 1 the coder falls behind.
    pub busy: Option<f32>,
    /// What holds the encoder back.
    pub limit: Limit,
    /// Why the edge sends this layer and no better one.
    pub layer: Option<LayerReason>,
}

/// Where points go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Term {
    /// Packets that were lost and not repaired.
    Loss,
    /// The way is long.
    Delay,
    /// Packets wait for late ones.
    Jitter,
    /// The picture stands still.
    Freeze,
    /// Fewer frames than asked for.
    FrameRate,
    /// A smaller picture than asked for.
    Resolution,
    /// A coarse picture.
    Sharpness,
    /// Nothing arrives.
    Silence,
}

/// How many terms there are.
pub const TERMS: usize = 8;

/// Points that each [`Term`] took, by its number.
pub type Points = [f32; TERMS];

/// A verdict on one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rating {
    /// What each term took; together with the score they make 100.
    pub points: Points,
    /// What took the most; unknown where nothing took much.
    pub cause: Cause,
    /// The layer's reason, where the cause is the edge's choice.
    pub layer: Option<LayerReason>,
}

impl Rating {
    /// 0 (nothing arrives) to 100 (nothing to wish for).
    #[must_use]
    pub fn score(&self) -> f32 {
        100.0 - self.lost()
    }

    /// Points lost in all.
    fn lost(&self) -> f32 {
        self.points.iter().sum()
    }
}

/// Numbers from here on are no measurements: a quarter of an hour in milliseconds, more pixels or frames than there are.
const MOST: f32 = 1e6;

/// Rates one track in one direction; none: too little is known.
#[must_use]
pub fn rate(measured: &Measured) -> Option<Rating> {
    let known = measured.sane();
    let mut points = [0.0; TERMS];
    if known.silent {
        take(&mut points, Term::Silence, 100.0);
    } else {
        let rated = match known.media {
            Media::Audio(repair) => audio::rate(&known, repair, &mut points),
            Media::Video(codec) => video::rate(&known, codec, &mut points),
        };
        if !rated {
            return None;
        }
    }
    let lost: f32 = points.iter().sum();
    if lost > 100.0 {
        points.iter_mut().for_each(|point| *point *= 100.0 / lost);
    }
    let cause = cause::of(&known, &points);
    Some(Rating { points, cause, layer: known.layer })
}

impl Measured {
    /// The same without numbers that can't be: they are as good as none.
    fn sane(mut self) -> Self {
        let shares = [&mut self.loss, &mut self.concealed, &mut self.freeze];
        for share in shares {
            *share = share.map(|share| share.min(1.0));
        }
        let numbers = [
            &mut self.rtt_ms,
            &mut self.jitter_ms,
            &mut self.buffer_ms,
            &mut self.loss,
            &mut self.burst,
            &mut self.concealed,
            &mut self.freeze,
            &mut self.fps,
            &mut self.fps_asked,
            &mut self.fps_source,
            &mut self.lines,
            &mut self.lines_asked,
            &mut self.qp,
            &mut self.busy,
        ];
        for number in numbers {
            *number = number.filter(|number| (0.0..MOST).contains(number));
        }
        self
    }
}

fn take(points: &mut Points, term: Term, lost: f32) {
    if let Some(point) = points.get_mut(term as usize) {
        *point += lost;
    }
}

#[cfg(test)]
mod tests;
