//! Payloads and descriptors.

use sfu_core::codec::dependency_descriptor::{
    ActiveTargets, DependencyReader, LONGEST, frame_number, rewrite_frame_number, tell_active_targets,
};
use sfu_core::codec::video_layers_allocation::VideoLayersAllocation;
use sfu_core::codec::vp8::{self, Vp8Descriptor};
use sfu_core::codec::vp9::Vp9Descriptor;
use sfu_core::codec::{Codec, av1, h264, is_keyframe, red};
use sfu_core::fuzzing::Plan;

pub(crate) fn run(bytes: &[u8]) {
    let mut plan = Plan::new(bytes);
    let mut reader = DependencyReader::default();
    while let Some(kind) = plan.byte() {
        let payload = plan.chunk(1_500);
        for codec in Codec::ALL {
            let _key = is_keyframe(codec, payload);
        }
        match kind % 7 {
            0 => vp8(payload),
            1 => vp9(payload),
            2 => {
                let _told = (h264::is_disposable(payload), h264::may_start_picture(payload), h264::size(payload));
            }
            3 => {
                let total: usize = av1::elements(payload).map(<[u8]>::len).sum();
                assert!(total <= payload.len(), "elements of a packet are parts of it");
            }
            4 => red_block(payload),
            5 => {
                if let Some(allocation) = VideoLayersAllocation::parse(payload) {
                    let layers = (0..8).flat_map(|stream| (0..8).map(move |spatial| (stream, spatial)));
                    layers.filter_map(|(stream, spatial)| allocation.layer(stream, spatial)).for_each(|layer| {
                        assert!(layer.bitrates().len() <= 4);
                    });
                }
            }
            _ => descriptor(&mut reader, payload),
        }
    }
}

fn vp8(payload: &[u8]) {
    let _size = vp8::key_frame_size(payload);
    let Some(descriptor) = Vp8Descriptor::parse(payload) else { return };
    let mut changed = payload.to_vec();
    descriptor.rewrite(&mut changed, 0x1234, 0x56);
    assert_eq!(changed.len(), payload.len());
    let again = Vp8Descriptor::parse(&changed).expect("a rewritten descriptor is one");
    assert_eq!(again.picture_id.is_some(), descriptor.picture_id.is_some());
    // What was written is read; the short form of the picture id has seven bits.
    if let Some(tl0) = again.tl0_pic_idx.filter(|_| descriptor.tl0_pic_idx.is_some()) {
        assert_eq!(tl0, 0x56);
    }
}

fn vp9(payload: &[u8]) {
    if let Some(descriptor) = Vp9Descriptor::parse(payload) {
        assert!(format!("{descriptor:?}").len() < 4_096);
    }
}

fn red_block(payload: &[u8]) {
    if let Some(primary) = red::primary(payload) {
        assert!(primary.block.len() <= payload.len());
    }
    let mut changed = payload.to_vec();
    red::rewrite_block_types(&mut changed, 111);
    assert_eq!(changed.len(), payload.len());
}

fn descriptor(reader: &mut DependencyReader, bytes: &[u8]) {
    if let Ok((frame, _)) = reader.read(bytes) {
        assert!(frame.references.near().count() <= 64);
        for target in 0..=255 {
            let _asked = (reader.is_active(target), frame.indications.of(target));
        }
    }
    if let Some(structure) = reader.structure() {
        assert!(structure.decode_targets() <= 32 && structure.templates().len() <= 64);
        for number in 0..=255 {
            let _asked = (structure.resolution(number), structure.layer_of(number));
        }
    }
    let mut changed = bytes.to_vec();
    rewrite_frame_number(&mut changed, 0xbeef);
    assert!(frame_number(&changed).is_none_or(|number| number == 0xbeef));
    let mut out = [0; LONGEST];
    for active in [ActiveTargets { count: 4, mask: 0b0101 }, ActiveTargets { count: 32, mask: u32::MAX }] {
        if let Some(length) = tell_active_targets(bytes, active, &mut out) {
            assert!(length <= out.len());
        }
    }
}
