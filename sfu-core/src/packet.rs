//! One media packet on its way from publisher to subscribers: everything read from it once, and its payload.

use crate::layer::LayerTag;
use crate::rtp::{AudioLevel, Seq};
use crate::sdp::CodecKey;

/// What is known of a packet besides its payload; kept in the cache, read again for a resend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PacketInfo {
    /// Counts the restarts of the publisher's stream: numbers of different generations have nothing to do with each other.
    pub(crate) generation: u32,
    /// Unwrapped sequence number of the publisher's stream.
    pub(crate) seq: Seq,
    /// RTP timestamp of the publisher's stream.
    pub(crate) timestamp: u32,
    pub(crate) marker: bool,
    /// The publisher's payload type.
    pub(crate) payload_type: u8,
    pub(crate) codec: CodecKey,
    /// This packet starts a key frame.
    pub(crate) keyframe: bool,
    /// Which layers it is of; [`LayerTag::single`] in audio.
    pub(crate) layer: LayerTag,
    pub(crate) audio_level: Option<AudioLevel>,
    /// Rotation of the picture (3GPP TS 26.114 §7.4.5), as sent.
    pub(crate) video_orientation: Option<u8>,
}

/// A packet to forward.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MediaPacket<'a> {
    pub(crate) info: PacketInfo,
    /// Without padding.
    pub(crate) payload: &'a [u8],
    /// The dependency descriptor as it came (AV1 RTP specification, appendix A); empty without one.
    pub(crate) dependency: &'a [u8],
}
