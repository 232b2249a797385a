//! When two payload types, of two peers, mean the same thing.

use super::fmtp;
use crate::codec::Codec;

/// What a publisher's and a subscriber's payload type must have in common for the packets of one to be decodable by the other.
///
/// Levels are not part of it: every offer we have seen allows them to differ, and the layer choice keeps resolution in reason.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct CodecKey {
    /// Which codec.
    pub codec: Codec,
    /// VP9: `profile-id`. AV1: `profile`. H.264: [`H264_BASELINE`](Self::H264_BASELINE), `H264_MAIN` or `H264_HIGH`. All others: 0.
    pub profile: u8,
}

impl CodecKey {
    /// H.264 baseline, constrained or not. The two differ in tools for lossy channels (arbitrary slice order, redundant slices) that no
    /// WebRTC encoder uses; Chromium offers both, Firefox and GStreamer only the constrained one, so they count as one.
    pub const H264_BASELINE: u8 = 0;
    /// H.264 main.
    pub const H264_MAIN: u8 = 1;
    /// H.264 high.
    pub const H264_HIGH: u8 = 2;

    /// The key of a codec whose profile everybody has.
    #[must_use]
    pub const fn of(codec: Codec) -> Self {
        Self { codec, profile: 0 }
    }

    /// The key that `codec` has with these format parameters. `None` when the edge cannot forward it: H.264 without
    /// `packetization-mode=1` (RFC 6184 §5.4; its NAL units could not be passed on to those who fragment them), or an unknown profile.
    pub(super) fn from_fmtp(codec: Codec, parameters: Option<&str>) -> Option<Self> {
        let parameters = parameters.unwrap_or_default();
        let profile = match codec {
            Codec::Vp9 => number_or_zero(parameters, "profile-id")?,
            Codec::Av1 => number_or_zero(parameters, "profile")?,
            Codec::H264 if fmtp::value(parameters, "packetization-mode") != Some("1") => return None,
            Codec::H264 => h264_profile(fmtp::value(parameters, "profile-level-id"))?,
            _ => 0,
        };
        Some(Self { codec, profile })
    }
}

/// Absent is profile 0: RFC 9628 §7.1 (VP9), AV1 RTP specification §7.2.
fn number_or_zero(parameters: &str, name: &str) -> Option<u8> {
    fmtp::value(parameters, name).map_or(Some(0), |value| value.parse().ok())
}

/// Table 5 of RFC 6184 (§8.1): profile_idc and the constraint bits. Absent is baseline.
fn h264_profile(profile_level_id: Option<&str>) -> Option<u8> {
    let Some(text) = profile_level_id else { return Some(CodecKey::H264_BASELINE) };
    if text.len() != 6 {
        return None;
    }
    let [_, idc, constraints, _level] = u32::from_str_radix(text, 16).ok()?.to_be_bytes();
    let is_set = |bit: u8| constraints & (0x80 >> bit) != 0;
    match idc {
        0x42 => Some(CodecKey::H264_BASELINE),
        0x4d if is_set(0) => Some(CodecKey::H264_BASELINE),
        0x58 if is_set(0) => Some(CodecKey::H264_BASELINE),
        0x4d => Some(CodecKey::H264_MAIN),
        0x64 => Some(CodecKey::H264_HIGH),
        _ => None,
    }
}
