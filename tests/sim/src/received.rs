//! What a subscriber saw of a stream, and questions about it.

use crate::tag::Tag;
use sfu_core::codec::vp9::Vp9Descriptor;
use std::time::Duration;
use str0m::media::Mid;

/// One media packet as a client's WebRTC stack handed it out: authentic, its repair undone.
#[derive(Clone, Copy, Debug)]
pub struct Packet {
    /// When, in virtual time since the world began.
    pub at: Duration,
    /// The section it belongs to.
    pub mid: Mid,
    /// Of the media stream.
    pub ssrc: u32,
    /// With roll-overs.
    pub seq: u64,
    /// RTP timestamp.
    pub timestamp: u32,
    /// As negotiated by the receiver.
    pub payload_type: u8,
    /// End of a video frame.
    pub marker: bool,
    /// Starts a key frame.
    pub keyframe: bool,
    /// Picture id and TL0 index of VP8 or VP9.
    pub picture: Option<(u16, u8)>,
    /// Earlier payloads that came along (RED).
    pub redundancy: usize,
    /// RFC 6464, negative dBov.
    pub audio_level: Option<i8>,
    /// What it is.
    pub tag: Tag,
}

/// What is known from a payload of [`Source`](crate::Source) alone.
pub(crate) struct Payload {
    pub(crate) picture: Option<(u16, u8)>,
    pub(crate) keyframe: bool,
    pub(crate) tag: Tag,
}

/// The last block of a RED payload (RFC 2198), and how many blocks came before it.
pub(crate) fn unwrap_red(payload: &[u8]) -> Option<(usize, &[u8])> {
    let mut rest = payload;
    let mut lengths = Vec::new();
    while let Some(&[first, _, b, c, ..]) = rest.first_chunk::<4>().filter(|header| header[0] & 0x80 != 0) {
        let _ = first;
        lengths.push(usize::from(b & 3) << 8 | usize::from(c));
        rest = &rest[4..];
    }
    Some((lengths.len(), rest.get(1 + lengths.iter().sum::<usize>()..)?))
}

/// Reads a payload of [`Source`](crate::Source); none when it is somebody else's, or broken.
pub(crate) fn read_payload(payload: &[u8]) -> Option<Payload> {
    if let Some(tag) = payload.get(1..).and_then(Tag::parse) {
        return Some(Payload { picture: None, keyframe: false, tag });
    }
    let (&[flags, _, high, low, tl0, _], frame) = payload.split_first_chunk::<6>()?;
    let first = flags & 0x10 != 0;
    let keyframe = first && frame.first()? & 1 == 0;
    let header = match (first, keyframe) {
        (true, true) => 10,
        (true, false) => 3,
        (false, _) => 0,
    };
    let picture = (u16::from_be_bytes([high & 0x7f, low]), tl0);
    Some(Payload { picture: Some(picture), keyframe, tag: Tag::parse(frame.get(header..)?)? })
}

/// The same of a scalable [`Source`](crate::Source), in VP9.
pub(crate) fn read_vp9(payload: &[u8]) -> Option<Payload> {
    let descriptor = Vp9Descriptor::parse(payload)?;
    let lowest = descriptor.layer.is_none_or(|layer| layer.sid == 0);
    let picture = descriptor.picture_id.map(|id| id.value).zip(descriptor.tl0_pic_idx);
    let keyframe = descriptor.start_of_frame && !descriptor.inter_predicted && lowest;
    Some(Payload { picture, keyframe, tag: Tag::parse(payload.get(descriptor.header_len..)?)? })
}

/// Whether the numbers are all there, each once, whatever order they came in.
#[must_use]
pub fn contiguous(numbers: impl IntoIterator<Item = u64>) -> bool {
    let mut numbers: Vec<_> = numbers.into_iter().collect();
    numbers.sort_unstable();
    numbers.windows(2).all(|pair| pair[1] == pair[0] + 1)
}

/// 32-bit timestamps of a stream without their wraps.
#[must_use]
pub fn extended(timestamps: impl IntoIterator<Item = u32>) -> Vec<i64> {
    let mut last: Option<i64> = None;
    let unwrap = |wire: u32| {
        let value = last.map_or(i64::from(wire), |last| last + i64::from(wire.wrapping_sub(last as u32) as i32));
        last = Some(value);
        value
    };
    timestamps.into_iter().map(unwrap).collect()
}
