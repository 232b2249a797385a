//! Which encodings a video track is sent in, and what remains of them when nobody wants all or something is short: simulcast for VP8 and H.264,
//! scalable coding for VP9 and AV1 unless a mode with one size is asked for, each with as many sizes as the picture is large for. Here everything comes
//! together that caps a track: the app, those who watch, the processor, the path. Pure functions.
//!
//! Not here: bitrates by size ([`crate::publish`]), who wants what (the edge tells), what is short ([`crate::cpu`], [`crate::peer_ladder`],
//! [`crate::fallback`]), and doing it (`client-wasm`).

use crate::cpu::CpuLimits;
use crate::peer_ladder::PeerRung;
use crate::publish::{VideoCodec, video_bitrate};
use alloc::{string::String, vec::Vec};
use nearcast_protocol::EncodingDemand;
use nearcast_protocol::client::Source;

/// Names of simulcast encodings (`rid`, RFC 8851), the smallest picture first: LiveKit's.
const RIDS: [&str; 3] = ["q", "h", "f"];

/// Bits per second that the small picture of a screen gets at least: letters need them. As LiveKit does.
const LEAST_SCREEN: u32 = 150_000;

/// A video track that is to be sent.
#[derive(Clone, Debug)]
pub struct Video {
    /// What is seen.
    pub source: Source,
    /// The codec that is offered first.
    pub codec: VideoCodec,
    /// Pixels; zero: unknown, which counts as 720p.
    pub width: u32,
    /// Pixels; zero: unknown, which counts as 720p.
    pub height: u32,
    /// Most bits per second of the whole picture; smaller ones get less in proportion. None: by size.
    pub max_bitrate: Option<u32>,
    /// Most frames per second. None: as they come.
    pub max_framerate: Option<f64>,
    /// Several sizes at once, by simulcast or scalable coding.
    pub simulcast: bool,
    /// In the words of webrtc-svc; none: by codec and size.
    pub scalability_mode: Option<String>,
}

/// One encoding: what an `RTCRtpEncodingParameters` says.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoding<'video> {
    /// Empty: the only one.
    pub rid: &'static str,
    /// Of each side of the picture.
    pub scale_down_by: f64,
    /// Bits per second.
    pub max_bitrate: u32,
    /// Frames per second. None: as they come.
    pub max_framerate: Option<f64>,
    /// In the words of webrtc-svc; empty: the browser's choice.
    pub scalability_mode: &'video str,
    /// Is sent.
    pub active: bool,
    /// In VP8, whatever comes first in the section's list: for now.
    pub cheap: bool,
}

/// The modes that scalable coding has here, by the number of sizes: each builds on the next smaller one in key frames only, so that a viewer of one
/// gets no bits of another.
const SCALABLE: [&str; 3] = ["L1T3", "L2T3_KEY", "L3T3_KEY"];

/// What holds all videos of a participant down, besides those who watch them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Caps {
    /// What the processor can't do now.
    pub cpu: CpuLimits,
    /// A direct call, in which no edge chooses a size: one encoding, and no more than this.
    pub direct: Option<PeerRung>,
    /// The path carries voices only.
    pub paused: bool,
}

/// The encodings of a track, smallest picture first, with what `demand` and `caps` leave out switched off or, inside a scalable one, cut off: then
/// the picture is smaller. `most`: more than this many the section doesn't have, because the edge accepted fewer.
#[must_use]
pub fn encodings<'video>(video: &'video Video, demand: &[EncodingDemand], most: usize, caps: &Caps) -> Vec<Encoding<'video>> {
    let one_size = video.scalability_mode.as_ref().is_some_and(|mode| mode.starts_with("L1"));
    let scalable = matches!(video.codec, VideoCodec::Vp9 | VideoCodec::Av1) && !one_size;
    let sizes = match (video.simulcast, video.source) {
        (false, _) => 1,
        // A screen's letters are worth nothing at a quarter of their size, and its few frames are cheap.
        (true, Source::Screen) if scalable => 1,
        (true, _) => sizes(video),
    };
    let count = if scalable { 1 } else { sizes.min(most.max(1)) };
    let is_screen = video.source == Source::Screen;
    let cheap = caps.cpu.cheap_codec && matches!(video.codec, VideoCodec::Vp9 | VideoCodec::Av1);
    // A screen keeps its sharpness, and gives frames instead.
    let no_top = caps.cpu.no_top_layer && !is_screen;
    let max_fps = caps.cpu.max_fps.map(|fps| f64::from(if is_screen { fps / 2 } else { fps }));
    let one = |at: usize| {
        let is_top = at + 1 == count;
        let rid = if count > 1 { RIDS.get(at).copied().unwrap_or_default() } else { "" };
        let wanted = demand.iter().find(|wanted| wanted.rid == rid);
        let mut scale_down_by = 1 << (count - 1 - at);
        let mut top_remains = no_top && count == 1;
        let scalability_mode = match &video.scalability_mode {
            Some(mode) => mode.as_str(),
            // Whether an encoder in hardware has temporal layers differs from phone to phone.
            None if video.codec == VideoCodec::H264 => "",
            None if !scalable => "L1T3",
            None => {
                let most = match sizes {
                    _ if caps.direct.is_some() => 1,
                    2.. if no_top => sizes - 1,
                    _ => sizes,
                };
                top_remains &= most == sizes;
                let left = match wanted.map_or(0, |wanted| usize::from(wanted.spatial_layers)) {
                    0 => most,
                    wanted => wanted.min(most),
                };
                scale_down_by = 1 << (sizes - left);
                SCALABLE.get(left - 1).copied().unwrap_or_default()
            }
        };
        if top_remains {
            scale_down_by *= 2;
        }
        let mut encoding = Encoding {
            rid,
            scale_down_by: f64::from(scale_down_by),
            max_bitrate: bitrate(video, scale_down_by),
            max_framerate: match (video.max_framerate, max_fps) {
                (Some(app), Some(cpu)) => Some(app.min(cpu)),
                (app, cpu) => app.or(cpu),
            },
            scalability_mode,
            active: wanted.is_none_or(|wanted| wanted.active) && !(no_top && is_top && count > 1),
            cheap,
        };
        if cheap {
            encoding.scalability_mode = "L1T3";
        }
        if let Some(rung) = caps.direct {
            let lines = video.width.min(video.height);
            let halved: f64 = if no_top { 2.0 } else { 1.0 };
            encoding.scale_down_by = halved.max(f64::from(lines) / f64::from(rung.height));
            encoding.max_bitrate = bitrate(video, 1).min(rung.bitrate);
            encoding.active = is_top;
        }
        encoding.active &= !caps.paused;
        encoding
    };
    (0..count).map(one).collect()
}

/// In how many sizes a picture is worth sending, each half of the next. LiveKit's steps; by the longer side, for phones held upright.
fn sizes(video: &Video) -> usize {
    match (video.width.max(video.height), video.source) {
        // Half of a screen is for those with a thin line; less cannot be read.
        (1..960, Source::Screen) => 1,
        (_, Source::Screen) => 2,
        (1..480, _) => 1,
        (480..960, _) => 2,
        _ => 3,
    }
}

/// Whether a video section should offer this header extension. Those that send: what tells the edge which encoding a packet is of (RFC 8852), and which
/// layers there are; browsers leave that out unless asked, and Chromium even after it has promised simulcast, if an earlier answer had no use for
/// it. Both: the dependency descriptor, without which a decoder can't make sense of the spatial layers of AV1.
#[must_use]
pub fn describes_layers(uri: &str, sends: bool) -> bool {
    let is = |end: &str| uri.ends_with(end);
    is("dependency-descriptor-rtp-header-extension") || sends && (is("rtp-stream-id") || is("video-layers-allocation00"))
}

fn bitrate(video: &Video, scale_down_by: u32) -> u32 {
    let by_size = |scale: u32| match video.source {
        Source::Screen if scale > 1 => (video_bitrate(video.source, video.codec, 0, 0) / (scale * scale)).max(LEAST_SCREEN),
        source => {
            let (width, height) = if video.width == 0 || video.height == 0 { (1280, 720) } else { (video.width, video.height) };
            video_bitrate(source, video.codec, width / scale, height / scale)
        }
    };
    let plain = by_size(scale_down_by);
    let Some(most) = video.max_bitrate else { return plain };
    u32::try_from(u64::from(most) * u64::from(plain) / u64::from(by_size(1).max(1))).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
