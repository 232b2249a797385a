//! How much of a video a subscriber wants, what it gets and why, and what a publisher may leave out.

use crate::PublicationId;
use alloc::string::String;
use minicbor::{Decode, Encode};

/// How a subscriber shows one video publication. A later wish for the same publication replaces it.
#[derive(Clone, Debug, Decode, Encode, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cbor(map)]
pub struct Wish {
    /// Somebody else's publication.
    #[n(0)]
    pub publication: PublicationId,
    /// Width it is shown at in pixels of the screen (CSS size × pixel density); 0: not known.
    #[n(1)]
    #[cfg_attr(feature = "json", serde(default))]
    pub width: u16,
    /// Height it is shown at in pixels of the screen; 0: not known.
    #[n(2)]
    #[cfg_attr(feature = "json", serde(default))]
    pub height: u16,
    /// False: nobody can see it now, so nothing is sent.
    #[n(3)]
    #[cfg_attr(feature = "json", serde(default = "visible"))]
    pub visible: bool,
    /// Most frames per second worth sending; 0: no limit.
    #[n(4)]
    #[cfg_attr(feature = "json", serde(default))]
    pub max_fps: u8,
    /// Who is served first when bandwidth is short.
    #[n(5)]
    #[cfg_attr(feature = "json", serde(default))]
    pub priority: Priority,
}

#[cfg(feature = "json")]
fn visible() -> bool {
    true
}

/// Who is served first when bandwidth is short. A shared screen counts as on stage unless it is wished otherwise.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[cbor(index_only)]
pub enum Priority {
    /// By what it is: a screen counts as on stage, a camera as a thumbnail, or as the active speaker while it is that.
    #[n(0)]
    #[default]
    Auto,
    /// One of many small pictures.
    #[n(1)]
    Thumbnail,
    /// Above the thumbnails.
    #[n(2)]
    Speaker,
    /// Pinned or on stage: first of all video.
    #[n(3)]
    OnStage,
}

/// What a subscriber gets of one video publication now. Sent on change.
#[derive(Clone, Debug, Decode, Encode, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cbor(map)]
pub struct LayerState {
    /// Somebody else's publication.
    #[n(0)]
    pub publication: PublicationId,
    /// Pixels of the chosen layer; 0: paused, or not known.
    #[n(1)]
    pub width: u16,
    /// Pixels of the chosen layer; 0: paused, or not known.
    #[n(2)]
    pub height: u16,
    /// Frames per second of the chosen layer; 0: paused, or not known.
    #[n(3)]
    pub fps: u8,
    /// What the chosen layer costs, bits per second; 0: paused.
    #[n(4)]
    pub bitrate: u32,
    /// Nothing is sent.
    #[n(5)]
    pub paused: bool,
    /// Why not more.
    #[n(6)]
    pub reason: LayerReason,
}

/// Why a subscriber gets the layer it gets, and no better one.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[cbor(index_only)]
pub enum LayerReason {
    /// It is the best there is.
    #[n(0)]
    Best,
    /// It is as much as the subscriber's wish (size, frame rate) can show.
    #[n(1)]
    Wished,
    /// Nobody can see it.
    #[n(2)]
    Hidden,
    /// The subscriber's connection holds no more.
    #[n(3)]
    Bandwidth,
    /// The subscriber's connection could hold more, but publications of higher priority take it first.
    #[n(4)]
    Priority,
    /// The next layer failed lately: it is tried again when the hold-down is over.
    #[n(5)]
    HoldDown,
    /// The publisher sends no better layer now: its own connection or processor is short, or it has just been asked to.
    #[n(6)]
    Publisher,
    /// The publisher muted it.
    #[n(7)]
    Muted,
    /// Audio beyond the loudest speakers.
    #[n(8)]
    NotAmongLoudest,
}

/// Whether one encoding of one's own publication is worth sending: nobody gets what is not `active`, so it may be switched off.
#[derive(Clone, Debug, Decode, Encode, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cbor(map)]
pub struct EncodingDemand {
    /// The `rid` of the offer (RFC 8851); empty: the only encoding.
    #[n(0)]
    pub rid: String,
    /// Somebody gets it or waits for it.
    #[n(1)]
    pub active: bool,
    /// Spatial layers that are worth sending inside it (scalable coding), 1 and up; 0: all.
    #[n(2)]
    pub spatial_layers: u8,
}
