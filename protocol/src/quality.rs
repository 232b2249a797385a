//! How well participants are connected, as the edge tells the room.

use crate::ParticipantId;
use minicbor::{Decode, Encode};

/// One participant's connection, scored by the model that both halves share (`client_core::quality`).
#[derive(Clone, Debug, Decode, Encode, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cbor(map)]
pub struct ParticipantQuality {
    /// Whose.
    #[n(0)]
    pub participant: ParticipantId,
    /// 0 (nothing arrives) to 100 (nothing to wish for).
    #[n(1)]
    pub score: u8,
    /// The score in words, with hysteresis.
    #[n(2)]
    pub level: QualityLevel,
    /// What takes the most away from it.
    #[n(3)]
    pub cause: QualityCause,
}

/// A score in words.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[cbor(index_only)]
pub enum QualityLevel {
    /// Not measured yet.
    #[default]
    #[n(0)]
    Unknown,
    /// Nothing arrives.
    #[n(1)]
    Lost,
    /// A conversation is hard work.
    #[n(2)]
    Poor,
    /// Flaws can be noticed.
    #[n(3)]
    Good,
    /// Flaws can't be noticed.
    #[n(4)]
    Excellent,
}

/// What takes the most away from a score.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[cbor(index_only)]
pub enum QualityCause {
    /// Nothing does, or nobody knows what.
    #[default]
    #[n(0)]
    Unknown,
    /// Packets are lost on the way from the participant.
    #[n(1)]
    UplinkLoss,
    /// Packets are lost on the way to it.
    #[n(2)]
    DownlinkLoss,
    /// The way is long, or a queue stands on it.
    #[n(3)]
    Delay,
    /// Packets arrive unevenly.
    #[n(4)]
    Jitter,
    /// The way is too narrow for what is sent.
    #[n(5)]
    Bandwidth,
    /// The device can't keep up.
    #[n(6)]
    Cpu,
    /// The edge sends less than was asked for; the layer's reason says why.
    #[n(7)]
    LayerHeld,
    /// The edge itself is the bottleneck.
    #[n(8)]
    Server,
    /// The source gives less than it should.
    #[n(9)]
    Camera,
}
