//! What a track is sent with: bitrate by size, what gives way when there is too little, which codecs are offered in which order.
//! Pure functions. Not here: what of it holds while the call runs ([`crate::encodings`]).

use nearcast_protocol::client::Source;

/// Codec of a video track.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum VideoCodec {
    /// Every browser en- and decodes it.
    #[default]
    Vp8,
    /// About 15 % less for the same picture.
    Vp9,
    /// About 30 % less, for more CPU.
    Av1,
    /// In hardware on most phones; constrained baseline.
    H264,
}

impl VideoCodec {
    /// From the name that apps use.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "vp8" => Some(Self::Vp8),
            "vp9" => Some(Self::Vp9),
            "av1" => Some(Self::Av1),
            "h264" => Some(Self::H264),
            _ => None,
        }
    }

    /// Bits for the same picture, in percent of VP8. LiveKit's factors (0.85 and 0.7).
    const fn percent(self) -> u64 {
        match self {
            Self::Vp8 | Self::H264 => 100,
            Self::Vp9 => 85,
            Self::Av1 => 70,
        }
    }
}

/// Pixels and bits per second of a camera in VP8: LiveKit's presets for 16:9 (90p, 180p, 360p, 540p, 720p, 1080p, 1440p, 2160p).
/// Between two of them we go in a straight line.
const CAMERA: [(u64, u64); 8] = [
    (160 * 90, 90_000),
    (320 * 180, 160_000),
    (640 * 360, 450_000),
    (960 * 540, 800_000),
    (1280 * 720, 1_700_000),
    (1920 * 1080, 3_000_000),
    (2560 * 1440, 5_000_000),
    (3840 * 2160, 8_000_000),
];

/// A screen at 1080p and 15 frames a second, as in LiveKit and Jitsi.
const SCREEN: u64 = 2_500_000;

/// The most a video track of this size may take, in bits per second. An unknown size (zero) counts as 720p.
#[must_use]
pub fn video_bitrate(source: Source, codec: VideoCodec, width: u32, height: u32) -> u32 {
    let pixels = match u64::from(width) * u64::from(height) {
        0 => 1280 * 720,
        pixels => pixels,
    };
    let plain = if source == Source::Screen { SCREEN } else { camera_bitrate(pixels) };
    u32::try_from(plain * codec.percent() / 100).unwrap_or(u32::MAX)
}

fn camera_bitrate(pixels: u64) -> u64 {
    let (mut below_pixels, mut below_bits) = (0, 0);
    for (step_pixels, step_bits) in CAMERA {
        if pixels <= step_pixels {
            return below_bits + (step_bits - below_bits) * (pixels - below_pixels) / (step_pixels - below_pixels);
        }
        (below_pixels, below_bits) = (step_pixels, step_bits);
    }
    below_bits
}

/// What the encoder gives up first when CPU or network don't suffice, in the words of `RTCDegradationPreference`: a face should move, letters on
/// a screen should be sharp.
#[must_use]
pub const fn degradation_preference(source: Source) -> &'static str {
    match source {
        Source::Camera => "maintain-framerate",
        Source::Screen => "maintain-resolution",
        Source::Microphone | Source::ScreenAudio | Source::Other => "balanced",
    }
}

/// Who comes first when the way up is short, in the words of `RTCPriorityType`: the browser's share of the bitrate, and how packets are marked for the
/// network (DSCP, RFC 8837). A call lives as long as voices do; then come letters; a picture can be smaller.
#[must_use]
pub const fn priorities(source: Source, is_video: bool) -> (&'static str, &'static str) {
    match (source, is_video) {
        (_, false) => ("high", "high"),
        (Source::Screen, true) => ("high", "medium"),
        (_, true) => ("medium", "medium"),
    }
}

/// The last place that [`codec_rank`] gives: retransmission.
pub const LAST_RANK: u8 = 5;

/// Place of a codec in an offer, lower first; `None`: leave it out. `mime` and `fmtp` are `mimeType` and `sdpFmtpLine` of an RTCRtpCodec.
///
/// Only what the edge forwards is offered: fewer lines make a smaller first message, and nothing is negotiated that nobody uses (a section of
/// Chromium 156 shrinks from 5.0 to 2.0 kB). `red`: RFC 2198 before plain Opus.
#[must_use]
pub fn codec_rank(mime: &str, fmtp: &str, video: VideoCodec, red: bool) -> Option<u8> {
    let is = |name: &str| mime.eq_ignore_ascii_case(name);
    // The value of a parameter begins with this, or there is none and that will do.
    let value_is = |key: &str, value: &str, absent: bool| {
        let begins = |found: &[u8]| found.get(..value.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(value.as_bytes()));
        // Bytes, not characters: what splits texts at these is code that nothing else here needs.
        fmtp.as_bytes().split(|byte| *byte == b';').find_map(|one| parameter(one, key)).map_or(absent, begins)
    };
    let (codec, rank) = if is("audio/red") {
        return red.then_some(0);
    } else if is("audio/opus") {
        return Some(1);
    } else if is("video/rtx") {
        return Some(LAST_RANK);
    } else if is("video/vp8") {
        (VideoCodec::Vp8, 1)
    } else if is("video/vp9") && value_is("profile-id", "0", true) {
        (VideoCodec::Vp9, 2)
    } else if is("video/h264") && value_is("packetization-mode", "1", false) && value_is("profile-level-id", "42e0", false) {
        (VideoCodec::H264, 3)
    } else if is("video/av1") && value_is("profile", "0", true) {
        (VideoCodec::Av1, 4)
    } else {
        return None;
    };
    Some(if codec == video { 0 } else { rank })
}

/// The value in `key=value`, if it is this key's.
fn parameter<'fmtp>(one: &'fmtp [u8], key: &str) -> Option<&'fmtp [u8]> {
    one.trim_ascii().strip_prefix(key.as_bytes())?.strip_prefix(b"=")
}

#[cfg(test)]
mod tests;
