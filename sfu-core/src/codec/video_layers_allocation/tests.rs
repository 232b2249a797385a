use super::*;
use proptest::prelude::*;

const fn size(width: u16, height: u16) -> Resolution {
    Resolution { width, height }
}

/// Three encodings of one spatial and three temporal layers each, as Chromium sends simulcast.
fn simulcast() -> Vec<u8> {
    let mut bytes = vec![0b0110_0001, 0b1010_1000];
    // 50, 100, 150; 200, 300, 500 (two digits from 128 on: 200 = 0x48 + 1 * 128); 600, 1000, 1700.
    bytes.extend([50, 100, 0x96, 1, 0xc8, 1, 0xac, 2, 0xf4, 3, 0xd8, 4, 0xe8, 7, 0xa4, 13]);
    for (width, height) in [(320_u16, 180_u16), (640, 360), (1280, 720)] {
        bytes.extend((width - 1).to_be_bytes());
        bytes.extend((height - 1).to_be_bytes());
        bytes.push(30);
    }
    bytes
}

#[test]
fn simulcast_is_read() {
    let allocation = VideoLayersAllocation::parse(&simulcast()).unwrap();
    assert_eq!((allocation.stream, allocation.streams), (1, 3));
    let rates: Vec<_> = (0..3).map(|stream| allocation.layer(stream, 0).unwrap().bitrates().to_vec()).collect();
    assert_eq!(rates, [[50, 100, 150], [200, 300, 500], [600, 1_000, 1_700]]);
    assert_eq!(allocation.layer(2, 0).unwrap().picture, Some((size(1280, 720), 30)));
    assert_eq!(allocation.layer(0, 1), None);
    assert_eq!(allocation.layer(3, 0), None);
}

/// What Chromium 156 sent of three VP8 encodings, on the third, and of VP9 in L2T3_KEY.
#[test]
fn chromiums_allocations_are_read() {
    let vp8 = [
        0xa1, 0xa8, 0x30, 0x47, 0x77, 0x70, 0xa8, 0x01, 0x98, 0x02, 0xd3, 0x01, 0xbc, 0x02, 0x8f, 0x04, 0x00, 0xef, 0x00, 0x86, 0x3c, 0x01,
        0xdf, 0x01, 0x0d, 0x3c, 0x03, 0xbf, 0x02, 0x1b, 0x3c,
    ];
    let allocation = VideoLayersAllocation::parse(&vp8).unwrap();
    assert_eq!((allocation.stream, allocation.streams), (2, 3));
    let sizes = [0, 1, 2].map(|stream| allocation.layer(stream, 0).unwrap().picture.unwrap());
    assert_eq!(sizes, [(size(240, 135), 60), (size(480, 270), 60), (size(960, 540), 60)]);
    assert_eq!(allocation.layer(0, 0).unwrap().bitrates(), [48, 71, 119]);
    let vp9 = VideoLayersAllocation::parse(&[0x03, 0xa0, 0x49, 0x5f, 0x88, 0x01, 0x85, 0x01, 0xad, 0x01, 0xf6, 0x01]).unwrap();
    assert_eq!([0, 1].map(|spatial| vp9.layer(0, spatial).unwrap().bitrates().to_vec()), [[73, 95, 136], [133, 173, 246]]);
}

#[test]
fn sizes_may_be_left_out() {
    let bytes = simulcast();
    let allocation = VideoLayersAllocation::parse(&bytes[..bytes.len() - 15]).unwrap();
    assert_eq!(allocation.layer(2, 0).unwrap().picture, None);
    assert_eq!(allocation.layer(2, 0).unwrap().bitrates(), [600, 1_000, 1_700]);
}

#[test]
fn streams_that_are_off_are_left_out() {
    // Three streams, a mask for each: 1, 0, 1 (and four bits of padding); two temporal layers and one.
    let bytes = [0b0010_0000, 0x10, 0x10, 0b0100_0000, 10, 20, 30];
    let allocation = VideoLayersAllocation::parse(&bytes).unwrap();
    let rates: Vec<_> = (0..3).map(|stream| allocation.layer(stream, 0).map(|layer| layer.bitrates().to_vec())).collect();
    assert_eq!(rates, [Some(vec![10, 20]), None, Some(vec![30])]);
}

#[test]
fn layers_of_one_stream_are_read() {
    // One stream of three spatial layers of one temporal layer each.
    let allocation = VideoLayersAllocation::parse(&[0b0000_0111, 0, 10, 20, 30]).unwrap();
    let rates: Vec<_> = (0..4).filter_map(|spatial| allocation.layer(0, spatial)).map(|layer| layer.bitrates().to_vec()).collect();
    assert_eq!(rates, [[10], [20], [30]]);
}

#[test]
fn a_single_zero_means_that_all_is_off() {
    let allocation = VideoLayersAllocation::parse(&[0]).unwrap();
    assert!((0..4).all(|stream| allocation.layer(stream, 0).is_none()));
}

proptest! {
    #[test]
    fn no_panic_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..160)) {
        if let Some(allocation) = VideoLayersAllocation::parse(&bytes) {
            prop_assert!((0..4).all(|stream| (0..4).filter_map(|spatial| allocation.layer(stream, spatial)).all(|layer| layer.bitrates().len() <= 4)));
        }
    }

    #[test]
    fn what_is_cut_short_is_refused(cut in 1usize..17) {
        let bytes = simulcast();
        prop_assert_eq!(VideoLayersAllocation::parse(&bytes[..bytes.len() - 15 - cut]), None);
    }
}
