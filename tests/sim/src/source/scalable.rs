//! A scalable encoder: VP9 in the mode L3T3, with payload descriptors as RFC 9628 §4.2 has them in non-flexible mode.

use super::encoder::{CYCLE, Encoder, KEYFRAME, PART, filled};
use super::{EncodingPlan, Outgoing, Sent, SourcePlan};
use crate::tag::Tag;
use std::time::{Duration, Instant};

impl Encoder {
    /// The edge needs this many spatial layers; 0: all. More of them begin with a key picture.
    pub(crate) fn limit(&mut self, spatial: u8) {
        let spatial = if spatial == 0 { usize::MAX } else { spatial.into() };
        self.wants_keyframe |= spatial > self.spatial;
        self.spatial = spatial;
    }

    /// The packets of picture `frame` of its source: a frame of each spatial layer.
    pub(super) fn scalable_picture(
        &mut self,
        source: &SourcePlan,
        mut tag: Tag,
        timestamp: u32,
        captured: Instant,
        at: Duration,
    ) -> Vec<Outgoing> {
        let keyframe = std::mem::take(&mut self.wants_keyframe);
        if keyframe {
            self.since_keyframe = 0;
        }
        let (temporal, share) = CYCLE[self.since_keyframe % CYCLE.len()];
        let temporal = if keyframe { 0 } else { temporal };
        if temporal == 0 {
            self.tl0 = self.tl0.wrapping_add(1);
        }
        let sync = temporal == 1 || (temporal == 2 && self.since_keyframe % CYCLE.len() == 1);
        let timestamp = timestamp.wrapping_add(self.timestamp_offset);
        let count = source.scalable.len().min(self.spatial).max(1);
        let mut packets = Vec::new();
        for (spatial, plan) in (0_u8..).zip(&source.scalable).take(count) {
            let mean = plan.bitrate / 8 / source.rate as usize;
            let bytes = if keyframe { mean * KEYFRAME } else { mean * share / 100 };
            let parts = bytes.div_ceil(PART).max(1);
            (tag.encoding, tag.temporal, tag.parts) = (spatial, temporal, parts as u16);
            for part in 0..parts {
                tag.part = part as u16;
                let (first, last) = (part == 0, part + 1 == parts);
                let layer = temporal << 5 | u8::from(sync) << 4 | spatial << 1 | u8::from(spatial > 0);
                let structure = (keyframe && first && spatial == 0).then_some(&source.scalable[..count]);
                let payload = filled(self.vp9(keyframe, first, last, layer, structure), &tag, bytes / parts);
                let sent = Sent { at, seq: self.seq, timestamp, keyframe: structure.is_some(), tag };
                self.seq += 1;
                packets.push(Outgoing { sent, captured, marker: last && usize::from(spatial) + 1 == count, payload });
            }
        }
        self.picture = (self.picture + 1) & 0x7fff;
        self.since_keyframe += 1;
        packets
    }

    /// The descriptor: 15-bit picture id, layer indices, TL0 index, and with a key picture the scalability structure with its sizes.
    fn vp9(&self, keyframe: bool, first: bool, last: bool, layer: u8, structure: Option<&[EncodingPlan]>) -> Vec<u8> {
        let [high, low] = self.picture.to_be_bytes();
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let flags = 0xa0 | flag(!keyframe, 0x40) | flag(first, 0x08) | flag(last, 0x04) | flag(structure.is_some(), 0x02);
        let mut payload = vec![flags, 0x80 | high, low, layer, self.tl0];
        if let Some(layers) = structure {
            payload.push((layers.len() as u8 - 1) << 5 | 0x10);
            for layer in layers {
                payload.extend(layer.width.to_be_bytes());
                payload.extend(layer.height.to_be_bytes());
            }
        }
        payload
    }
}
