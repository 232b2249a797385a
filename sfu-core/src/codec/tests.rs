//! What holds for every codec.

use proptest::prelude::*;

use super::*;

#[test]
fn names_lead_back_in_any_case() {
    for codec in Codec::ALL {
        assert_eq!(Codec::from_sdp_name(codec.sdp_name()), Some(codec));
        assert_eq!(Codec::from_sdp_name(&codec.sdp_name().to_lowercase()), Some(codec));
        assert_eq!(Codec::from_sdp_name(&codec.sdp_name().to_uppercase()), Some(codec));
    }
    assert_eq!(Codec::from_sdp_name("H265"), None);
}

#[test]
fn audio_starts_anywhere_and_video_not_with_nothing() {
    for codec in Codec::ALL {
        assert_eq!(is_keyframe(codec, &[]), !codec.is_video(), "{codec:?}");
    }
}

proptest! {
    #[test]
    fn no_panic_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..80), id: u16, number: u8) {
        for codec in Codec::ALL {
            let _ = is_keyframe(codec, &bytes);
        }
        if let Some(descriptor) = vp9::Vp9Descriptor::parse(&bytes) {
            prop_assert!(descriptor.header_len <= bytes.len());
        }
        let total: usize = av1::elements(&bytes).map(<[u8]>::len).sum();
        prop_assert!(total <= bytes.len());
        if let Some(primary) = red::primary(&bytes) {
            prop_assert!(primary.block.len() < bytes.len());
        }
        let mut rewritten = bytes.clone();
        red::rewrite_block_types(&mut rewritten, number);
        if let Some(descriptor) = vp8::Vp8Descriptor::parse(&bytes) {
            prop_assert!(descriptor.header_len <= bytes.len());
            let mut rewritten = bytes.clone();
            descriptor.rewrite(&mut rewritten, id, number);
            prop_assert_eq!(&rewritten[descriptor.header_len..], &bytes[descriptor.header_len..]);
            // Held against a shorter packet it must not panic either.
            descriptor.rewrite(&mut rewritten[..bytes.len() / 2], id, number);
        }
    }
}
