//! Codecs the edge forwards: their names, and the little of their payloads it looks at.
//!
//! In: an RTP payload, opened and without padding. Out: whether it starts a key frame, which layer and picture it is of, and
//! (VP8, RED) the payload with those numbers rewritten in place. Nothing is decoded and nothing allocated.
//! Invariants: no input makes a function panic, nothing is read past a payload's end (`codec/tests.rs`,
//! `no_panic_on_any_bytes`). Payloads may be encrypted end to end: what is read then is noise, and must only be used as a hint.
//!
//! Not here: which payload type is which codec (`sdp`), when to switch (`forwarder`).

pub mod av1;
mod bits;
pub mod dependency_descriptor;
pub mod h264;
mod picture_id;
mod reader;
pub mod red;
pub mod video_layers_allocation;
pub mod vp8;
pub mod vp9;

pub use picture_id::PictureId;

#[cfg(test)]
mod tests;

/// A codec the edge forwards.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Codec {
    /// Audio (RFC 7587).
    Opus,
    /// Opus with redundancy: each packet repeats earlier ones (RFC 2198).
    Red,
    /// Video (RFC 7741).
    Vp8,
    /// Video (RFC 9628).
    Vp9,
    /// Video (RFC 6184).
    H264,
    /// Video (AV1 RTP specification).
    Av1,
}

impl Codec {
    /// Every codec.
    pub const ALL: [Self; 6] = [Self::Opus, Self::Red, Self::Vp8, Self::Vp9, Self::H264, Self::Av1];

    /// Ticks of the RTP timestamp per second.
    #[must_use]
    pub const fn clock_rate(self) -> u32 {
        match self {
            Self::Opus | Self::Red => 48_000,
            Self::Vp8 | Self::Vp9 | Self::H264 | Self::Av1 => 90_000,
        }
    }

    /// Whether it is video.
    #[must_use]
    pub const fn is_video(self) -> bool {
        match self {
            Self::Opus | Self::Red => false,
            Self::Vp8 | Self::Vp9 | Self::H264 | Self::Av1 => true,
        }
    }

    /// The encoding name in SDP's `a=rtpmap`.
    #[must_use]
    pub const fn sdp_name(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::Red => "red",
            Self::Vp8 => "VP8",
            Self::Vp9 => "VP9",
            Self::H264 => "H264",
            Self::Av1 => "AV1",
        }
    }

    /// The codec with this encoding name, in any case (RFC 8866 §6.6); `None` for those the edge does not forward.
    #[must_use]
    pub fn from_sdp_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.sdp_name().eq_ignore_ascii_case(name))
    }
}

/// Size of a picture.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Resolution {
    /// Pixels.
    pub width: u16,
    /// Pixels.
    pub height: u16,
}

/// Whether decoding can start with this packet: it is the first of a key frame, or (H.264) of the parameter sets in front
/// of one. Audio can always be started.
#[inline]
#[must_use]
pub fn is_keyframe(codec: Codec, payload: &[u8]) -> bool {
    match codec {
        Codec::Opus | Codec::Red => true,
        Codec::Vp8 => vp8::is_keyframe(payload),
        Codec::Vp9 => vp9::is_keyframe(payload),
        Codec::H264 => h264::is_keyframe(payload),
        Codec::Av1 => av1::is_keyframe(payload),
    }
}
