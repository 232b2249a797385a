//! One encoding of a source: the numbers of its stream, and how large its frames are.

use super::{Outgoing, Sent, SourcePlan};
use crate::tag::Tag;
use std::time::{Duration, Instant};

/// Largest payload that a frame is cut into.
pub(super) const PART: usize = 1_100;

/// Sizes of the four frames of a cycle of three temporal layers (0, 2, 1, 2), in per cent of their mean: 40, 65 and 100 per cent of the rate
/// for one, two and three layers.
pub(super) const CYCLE: [(u8, usize); 4] = [(0, 160), (2, 70), (1, 100), (2, 70)];

/// A key frame is that much larger than the mean of the others.
pub(super) const KEYFRAME: usize = 4;

/// One of several encodings of a camera.
#[derive(Clone, Copy, Debug)]
pub struct EncodingPlan {
    /// Its name in the offer (RFC 8851).
    pub rid: &'static str,
    /// Pixels.
    pub width: u16,
    /// Pixels.
    pub height: u16,
    /// Of the payloads, bits per second.
    pub bitrate: usize,
}

/// An encoding that runs.
#[derive(Debug)]
pub(crate) struct Encoder {
    pub(crate) plan: Option<EncodingPlan>,
    /// Index among the source's encodings.
    pub(crate) number: u8,
    pub(crate) seq: u64,
    pub(crate) wants_keyframe: bool,
    /// What the edge said it needs.
    pub(crate) active: bool,
    /// The publisher has what it takes to send it.
    pub(crate) affordable: bool,
    pub(super) timestamp_offset: u32,
    pub(super) picture: u16,
    pub(super) tl0: u8,
    pub(super) since_keyframe: usize,
    /// Spatial layers that are sent; all there are when there are fewer.
    pub(super) spatial: usize,
}

impl Encoder {
    pub(crate) fn new(source: &SourcePlan, number: u8, plan: Option<EncodingPlan>) -> Self {
        let apart = u32::from(number);
        Self {
            plan,
            number,
            // Every stream counts from elsewhere, as RFC 3550 §5.1 wants it.
            seq: u64::from(source.first_seq.wrapping_add(number.into())) + u64::from(number) * 3_000,
            wants_keyframe: true,
            active: true,
            affordable: true,
            timestamp_offset: apart.wrapping_mul(0x3456_789a),
            picture: (source.first_picture + u16::from(number) * 1_000) & 0x7fff,
            tl0: 0,
            since_keyframe: 0,
            spatial: usize::MAX,
        }
    }

    pub(crate) fn rid(&self) -> Option<&'static str> {
        self.plan.map(|plan| plan.rid)
    }

    /// Sizes of the parts of the next frame, and its temporal layer.
    fn cut(&self, source: &SourcePlan, keyframe: bool) -> (Vec<usize>, u8) {
        let Some(plan) = self.plan else {
            let parts = if keyframe { source.key_parts } else { source.parts };
            return (vec![source.size; usize::from(parts)], 0);
        };
        let mean = plan.bitrate / 8 / source.rate as usize;
        let (temporal, share) = CYCLE[self.since_keyframe % CYCLE.len()];
        let bytes = if keyframe { mean * KEYFRAME } else { mean * share / 100 };
        let parts = bytes.div_ceil(PART).max(1);
        (vec![bytes / parts; parts], if keyframe { 0 } else { temporal })
    }

    /// The packets of frame `frame` of its source.
    pub(crate) fn frame(&mut self, source: &SourcePlan, mut tag: Tag, timestamp: u32, captured: Instant, at: Duration) -> Vec<Outgoing> {
        if !source.scalable.is_empty() {
            return self.scalable_picture(source, tag, timestamp, captured, at);
        }
        let keyframe = source.video && std::mem::take(&mut self.wants_keyframe);
        if keyframe {
            self.since_keyframe = 0;
        }
        let (sizes, temporal) = self.cut(source, keyframe);
        let parts = sizes.len() as u16;
        if temporal == 0 {
            self.tl0 = self.tl0.wrapping_add(1);
        }
        // The second frame of a cycle is the only one of its layer that refers to the lowest alone.
        let sync = temporal == 1 || (temporal == 2 && self.since_keyframe % CYCLE.len() == 1);
        (tag.encoding, tag.temporal, tag.parts) = (self.number, temporal, parts);
        let timestamp = timestamp.wrapping_add(self.timestamp_offset);
        let packets = sizes.into_iter().enumerate().map(|(part, size)| {
            tag.part = part as u16;
            let sent = Sent { at, seq: self.seq + part as u64, timestamp, keyframe: keyframe && part == 0, tag };
            let payload = if source.video { self.vp8(&tag, sync, keyframe, size) } else { opus(&tag, size) };
            Outgoing { sent, captured, marker: source.video && part + 1 == usize::from(parts), payload }
        });
        let packets: Vec<_> = packets.collect();
        self.seq += u64::from(parts);
        self.picture = (self.picture + 1) & 0x7fff;
        self.since_keyframe += 1;
        packets
    }

    /// A VP8 payload (RFC 7741): descriptor with 15-bit picture id, TL0 index and layer, for a first part the frame header, then the tag.
    fn vp8(&self, tag: &Tag, sync: bool, keyframe: bool, size: usize) -> Vec<u8> {
        let first = tag.part == 0;
        let [high, low] = self.picture.to_be_bytes();
        let (tl0, layer) = match self.plan {
            Some(_) => (self.tl0, tag.temporal << 6 | u8::from(sync) << 5),
            None => (low, 0),
        };
        let mut payload = vec![0x80 | (u8::from(first) << 4), 0xe0, 0x80 | high, low, tl0, layer];
        if first {
            payload.extend([u8::from(!keyframe), 0, 0]);
        }
        if first && keyframe {
            let (width, height) = self.plan.map_or((640, 360), |plan| (plan.width, plan.height));
            payload.extend([0x9d, 0x01, 0x2a]);
            payload.extend(width.to_le_bytes());
            payload.extend(height.to_le_bytes());
        }
        filled(payload, tag, size)
    }
}

/// An Opus payload: one 20 ms frame (TOC 0x78), then the tag.
fn opus(tag: &Tag, size: usize) -> Vec<u8> {
    filled(vec![0x78], tag, size)
}

pub(super) fn filled(mut payload: Vec<u8>, tag: &Tag, size: usize) -> Vec<u8> {
    payload.extend(tag.bytes());
    payload.resize(size.max(payload.len()), 0xa5);
    payload
}
