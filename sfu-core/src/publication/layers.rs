//! Which layers a packet is of: from the dependency descriptor where there is one, else from what the codec's own descriptor says.
//!
//! One reader per encoding; it keeps what packets refer back to (templates, the number of layers). Whoever forwards sees tags only.
//! Where nothing is known everything belongs to every target, so that a stream without layers, or one whose last structure was
//! lost, is forwarded whole.
//!
//! Not here: which layers arrive, and how much of each (`rungs`).

mod dependency;
#[cfg(test)]
mod tests;

use crate::codec::vp8::{self, Vp8Descriptor};
use crate::codec::vp9::Vp9Descriptor;
use crate::codec::{self, Codec, Resolution, av1, h264};
use crate::layer::{LayerTag, MAX_SPATIAL, MAX_TEMPORAL, Target, Targets};
use dependency::Dependencies;

/// No packet is this much late, in ticks: ten seconds at the 90 kHz of video.
const OTHER_CLOCK: i32 = 900_000;

/// What a reader looks at of a packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a> {
    pub(crate) codec: Codec,
    pub(crate) payload: &'a [u8],
    /// The dependency descriptor; empty without one.
    pub(crate) dependency: &'a [u8],
    pub(crate) marker: bool,
    pub(crate) timestamp: u32,
}

/// What it finds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Reading {
    /// Of encoding 0: the reader doesn't know which it reads.
    pub(crate) tag: LayerTag,
    /// The packet starts a key frame.
    pub(crate) keyframe: bool,
}

/// Reads one encoding's layers.
#[derive(Debug, Default)]
pub(crate) struct LayerReader {
    codec: Option<Codec>,
    dependencies: Dependencies,
    sizes: [Option<Resolution>; MAX_SPATIAL as usize],
    /// Spatial layers of a VP9 stream, as its last scalability structure says.
    spatial_layers: u8,
    /// The highest temporal layer seen.
    top_temporal: u8,
    /// A spatial layer was seen that those above it don't need: VP9 in a `_KEY` mode.
    separate: bool,
    /// Of the newest frame.
    timestamp: Option<u32>,
    /// The newest H.264 picture is referred to by none.
    disposable: bool,
}

impl LayerReader {
    /// Another stream begins.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Size of a spatial layer's pictures.
    pub(crate) fn size(&self, spatial: u8) -> Option<Resolution> {
        self.sizes.get(usize::from(spatial)).copied().flatten()
    }

    /// Whether the publisher produces a target, as far as it says.
    pub(crate) fn produces(&self, target: Target) -> bool {
        self.dependencies.produces(target)
    }

    /// Reads one packet.
    pub(crate) fn read(&mut self, input: &Input<'_>) -> Reading {
        if self.codec.is_some_and(|codec| codec != input.codec) {
            self.clear();
        }
        self.codec = Some(input.codec);
        let described = if input.dependency.is_empty() { None } else { self.dependencies.read(input.dependency) };
        if let Some((reading, size)) = described {
            if let Some((spatial, size)) = size {
                self.note_size(spatial, size);
            }
            // VP8's own descriptor says all there is, and says better where to switch: libwebrtc's calls a frame a switch point for all
            // layers above when it is one for the next.
            let has_layers = input.codec == Codec::Vp8 && Vp8Descriptor::parse(input.payload).is_some_and(|own| own.tid.is_some());
            if !has_layers {
                return reading;
            }
        }
        let keyframe = described.map_or_else(|| codec::is_keyframe(input.codec, input.payload), |(reading, _)| reading.keyframe);
        let tag = match input.codec {
            Codec::Opus | Codec::Red => LayerTag::single(keyframe, true, true),
            Codec::Vp8 => self.read_vp8(input, keyframe),
            Codec::Vp9 => self.read_vp9(input, keyframe),
            Codec::H264 => self.read_h264(input, keyframe),
            Codec::Av1 => {
                let continues = av1::AggregationHeader::parse(input.payload).is_none_or(|header| header.continues);
                LayerTag::single(keyframe, self.is_new(input.timestamp) && !continues, input.marker)
            }
        };
        Reading { tag, keyframe }
    }

    /// Takes note of the size of a spatial layer's pictures.
    pub(crate) fn note_size(&mut self, spatial: u8, size: Resolution) {
        if let Some(place) = self.sizes.get_mut(usize::from(spatial)) {
            *place = Some(size);
        }
    }

    /// True for the first packet with a timestamp newer than all before, or so old that it must be of another clock.
    fn is_new(&mut self, timestamp: u32) -> bool {
        let step = |last: u32| timestamp.wrapping_sub(last).cast_signed();
        let newer = self.timestamp.is_none_or(|last| step(last) > 0 || step(last) < -OTHER_CLOCK);
        if newer {
            self.timestamp = Some(timestamp);
        }
        newer
    }

    /// The temporal layer that a target comes down to in this stream.
    fn temporal_of(&self, target: Target) -> u8 {
        target.temporal.min(self.top_temporal)
    }

    fn read_vp8(&mut self, input: &Input<'_>, keyframe: bool) -> LayerTag {
        let Some(descriptor) = Vp8Descriptor::parse(input.payload) else { return LayerTag::single(keyframe, false, input.marker) };
        if keyframe && let Some(size) = vp8::key_frame_size(input.payload) {
            self.note_size(0, size);
        }
        let starts = descriptor.start_of_partition && descriptor.partition == 0;
        let single = LayerTag::single(keyframe, starts, input.marker);
        let Some(temporal) = descriptor.tid else { return single };
        self.top_temporal = self.top_temporal.max(temporal);
        let layer = Target { spatial: 0, temporal };
        // RFC 7741 §4.2, Y: the frame depends on the base layer only. That says nothing of the layers in between, so it is a place to
        // switch to this frame's layer and no other; encoders mark the next one for the next layer.
        let sync = match descriptor.layer_sync && temporal > 0 {
            true => Targets::which(|target| self.temporal_of(target) == temporal).union(single.switch),
            false => single.switch,
        };
        LayerTag { layer, present: Targets::at_least(layer), switch: sync, sync, ..single }
    }

    fn read_vp9(&mut self, input: &Input<'_>, keyframe: bool) -> LayerTag {
        let Some(descriptor) = Vp9Descriptor::parse(input.payload) else { return LayerTag::single(keyframe, false, input.marker) };
        if let Some(structure) = descriptor.scalability {
            let layers = structure.spatial_layers.min(MAX_SPATIAL);
            if layers != self.spatial_layers {
                (self.spatial_layers, self.separate) = (layers, false);
            }
            for (spatial, size) in (0..).zip(structure.resolutions()) {
                self.note_size(spatial, *size);
            }
        }
        let single = LayerTag::single(keyframe, descriptor.start_of_frame, descriptor.end_of_frame);
        let Some(indices) = descriptor.layer else { return single };
        let layer = Target { spatial: indices.sid.min(MAX_SPATIAL - 1), temporal: indices.tid.min(MAX_TEMPORAL - 1) };
        self.top_temporal = self.top_temporal.max(layer.temporal);
        self.spatial_layers = self.spatial_layers.max(layer.spatial.saturating_add(1));
        let top_spatial = self.spatial_layers.saturating_sub(1);
        // Z, RFC 9628 §4.2: the layers above don't need this frame.
        let alone = descriptor.not_reference_for_upper && layer.spatial < top_spatial;
        self.separate |= alone && descriptor.inter_predicted;
        let present = Targets::which(|target| {
            let spatial = target.spatial.min(top_spatial);
            target.temporal >= layer.temporal && if alone { spatial == layer.spatial } else { spatial >= layer.spatial }
        });
        // U: from here on frames of this temporal layer need none of it from before. Where the frame needs one of a lower spatial layer,
        // that one was the place.
        let up = indices.switching_up && !indices.inter_layer && layer.temporal > 0;
        let sync = Targets::which(|target| up && present.contains(target) && self.temporal_of(target) == layer.temporal);
        let sync = sync.union(single.switch);
        // Up in size only at key pictures, where nothing is needed from before.
        let switch = if top_spatial == 0 { sync } else { single.switch };
        LayerTag { layer, present, switch, sync, nested: !self.separate, ..single }
    }

    fn read_h264(&mut self, input: &Input<'_>, keyframe: bool) -> LayerTag {
        if keyframe && let Some(size) = h264::size(input.payload) {
            self.note_size(0, size);
        }
        let starts = self.is_new(input.timestamp) && h264::may_start_picture(input.payload);
        let disposable = h264::is_disposable(input.payload);
        if self.timestamp == Some(input.timestamp) {
            // Packets of one picture stand or fall together, whatever the later ones hold.
            if starts {
                self.disposable = disposable == Some(true);
            }
        } else if disposable != Some(true) {
            return LayerTag::single(keyframe, false, input.marker);
        }
        let single = LayerTag::single(keyframe, starts, input.marker);
        let droppable = if self.timestamp == Some(input.timestamp) { self.disposable } else { true };
        if !droppable {
            return single;
        }
        self.top_temporal = 1;
        let layer = Target { spatial: 0, temporal: 1 };
        let present = Targets::at_least(layer);
        // None of them refers to another of them.
        LayerTag { layer, present, switch: present, sync: present, ..single }
    }
}
