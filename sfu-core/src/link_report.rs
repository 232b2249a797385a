//! What the edge measures of one participant's connection, for whoever scores it.
//!
//! The score itself is not this crate's: it comes from the model that the SDK uses too, handed in as [`LinkScorer`].

use minicbor::{Decode, Encode};
use nearcast_protocol::{LayerReason, QualityCause, QualityLevel};
use std::time::{Duration, Instant};

/// Which way media goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    /// From the participant.
    Up,
    /// To it.
    Down,
}

/// One track, over the last second or so. `None`: not known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrackReport {
    /// Video or audio.
    pub video: bool,
    /// Which way.
    pub way: Way,
    /// Nothing arrives although something should.
    pub silent: bool,
    /// Packets lost before any repair, 0 to 1. Up: counted here. Down: as the receiver reports, without what was lost before the edge.
    pub loss: Option<f32>,
    /// Variation of arrival (RFC 3550 §6.4.1).
    pub jitter: Option<Duration>,
    /// Down, video: why this layer and no better one.
    pub reason: Option<LayerReason>,
    /// Down, video: lines that are sent, and those that would be if there were room for everything.
    pub lines: Option<(u16, u16)>,
}

/// One participant's connection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinkReport {
    /// Smoothed round trip; known of who receives something.
    pub round_trip: Option<Duration>,
    /// Nothing at all has been heard of the transport for a while.
    pub lost: bool,
    /// What it sends and receives.
    pub tracks: Vec<TrackReport>,
}

/// What is told of a connection.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, PartialEq)]
#[cbor(map)]
pub struct LinkScore {
    /// 0 to 100.
    #[n(0)]
    pub score: u8,
    /// In words.
    #[n(1)]
    pub level: QualityLevel,
    /// What took the most points.
    #[n(2)]
    pub cause: QualityCause,
}

/// Scores one participant's connection, with whatever it has to remember. Called about once a second.
pub trait LinkScorer: std::fmt::Debug + Send {
    /// The score now.
    fn score(&mut self, now: Instant, report: &LinkReport) -> LinkScore;
}
