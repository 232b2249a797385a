//! A whole VP8 picture that a subscriber doesn't want is lost before it reaches the edge, which can't know whose it was: its picture id
//! stays missing in the subscriber's stream. What a receiver makes of that.
//!
//! [`Receiver`] holds VP8 pictures back as libwebrtc does (modules/video_coding, its finder of references for VP8): one of an upper layer waits while an
//! id between it and the last picture it may refer to is missing, unless it says that it refers to the base layer alone (Y, RFC 7741 §4.2).

use super::*;
use crate::layer::{LayerTag, Target, Targets};
use std::collections::{BTreeMap, BTreeSet};

/// Temporal layer and Y of the pictures of libwebrtc's three-layer pattern.
const PATTERN: [(u8, bool); 8] = [(0, false), (2, true), (1, true), (2, false), (0, false), (2, false), (1, false), (2, false)];

#[derive(Default)]
struct Receiver {
    /// By TL0 index, the last picture of each layer.
    layers: BTreeMap<u8, [Option<u16>; 3]>,
    last: Option<u16>,
    missing: BTreeSet<u16>,
    /// Handed to the decoder: id and temporal layer.
    decoded: Vec<(u16, u8)>,
    held: Vec<Vec<u8>>,
}

impl Receiver {
    fn take(&mut self, payload: &[u8]) {
        let descriptor = Vp8Descriptor::parse(payload).unwrap();
        let id = descriptor.picture_id.unwrap().value;
        if let Some(last) = self.last {
            self.missing.extend(last + 1..id);
        }
        self.last = self.last.max(Some(id));
        if !self.decode(payload) {
            self.held.push(payload.to_vec());
        }
    }

    fn decode(&mut self, payload: &[u8]) -> bool {
        let descriptor = Vp8Descriptor::parse(payload).unwrap();
        let (id, tl0, temporal) = (descriptor.picture_id.unwrap().value, descriptor.tl0_pic_idx.unwrap(), descriptor.tid.unwrap());
        let keyframe = payload[descriptor.header_len] & 1 == 0;
        let layer = usize::from(temporal);
        let before = self.layers.get(&tl0.wrapping_sub(u8::from(temporal == 0))).copied();
        let entry = match (keyframe, before) {
            (true, _) => [Some(id); 3],
            (false, None) => return false,
            (false, Some(mut entry)) => {
                let waits = |reference: &Option<u16>| reference.is_none_or(|reference| self.missing.range(reference..id).next().is_some());
                if temporal > 0 && !descriptor.layer_sync && entry[..=layer].iter().any(waits) {
                    return false;
                }
                entry[layer] = Some(id);
                entry
            }
        };
        self.layers.insert(tl0, entry);
        self.missing.remove(&id);
        self.decoded.push((id, temporal));
        true
    }
}

/// Plays `count` pictures to a subscriber of temporal layers up to `most`; those of `lost` never arrive. What the receiver decodes, as
/// places in the publisher's order and layers.
fn play(most: u8, count: u16, lost: &[u16]) -> Vec<(u16, u8)> {
    let mut stage = Stage::new(100);
    let mut source = stage.source(10, 0, 0);
    stage.forwarder.bind(source.publication);
    stage.forwarder.set_layer(Some(LayerChoice { encoding: 0, target: Target { spatial: 0, temporal: most } }));
    let mut receiver = Receiver::default();
    let (mut tl0, mut places) = (0_u8, BTreeMap::new());
    for place in 0..count {
        let (temporal, sync) = PATTERN[usize::from(place) % PATTERN.len()];
        let keyframe = place == 0;
        tl0 = tl0.wrapping_add(u8::from(temporal == 0));
        let mut packet = source.next(keyframe);
        packet.payload[4] = tl0;
        packet.payload[1] = 0xe0;
        packet.payload[5] = temporal << 6 | u8::from(sync) << 5;
        packet.payload.insert(6, u8::from(!keyframe));
        let layer = Target { spatial: 0, temporal };
        let single = LayerTag::single(keyframe, true, true);
        packet.info.layer = LayerTag { layer, present: Targets::at_least(layer), ..single };
        if lost.contains(&place) {
            continue;
        }
        if let Some(seen) = stage.forward(&packet) {
            places.insert(picture(&seen.payload).0, place);
            receiver.take(&seen.payload);
        }
    }
    receiver.decoded.iter().map(|(id, temporal)| (places[id], *temporal)).collect()
}

/// What is decoded with nothing lost, and what is missing of that with `lost`.
fn harm(most: u8, lost: &[u16]) -> Vec<u16> {
    let (whole, less) = (play(most, 32, &[]), play(most, 32, lost));
    let wanted = (0..32_u16).filter(|place| PATTERN[usize::from(*place) % 8].0 <= most).count();
    assert_eq!(whole.len(), wanted, "with nothing lost everything is decoded");
    whole.iter().filter(|picture| !less.contains(picture)).map(|(place, _)| *place).collect()
}

#[test]
fn the_lowest_layer_does_not_mind() {
    for lost in 1..16 {
        if PATTERN[usize::from(lost) % 8].0 > 0 {
            assert_eq!(harm(0, &[lost]), Vec::<u16>::new(), "picture {lost} lost");
        }
    }
}

/// Of the layer in the middle some pictures are held back, at most to the next one that refers to the base layer alone: the rate is a half for
/// a quarter of a second. Everything of the lowest layer goes on, and no key frame is needed.
#[test]
fn the_middle_layer_misses_no_more_than_two_pictures() {
    for lost in (1..16).filter(|lost| PATTERN[usize::from(*lost) % 8].0 == 2) {
        let missed = harm(1, &[lost]);
        assert!(missed.len() <= 2, "picture {lost} lost, missed {missed:?}");
        assert!(missed.iter().all(|place| PATTERN[usize::from(*place) % 8].0 == 1 && *place > lost && *place < lost + 8), "{missed:?}");
    }
    assert_eq!(harm(1, &[5]), [6], "the gap is before it, and it doesn't say that it can do without");
}
