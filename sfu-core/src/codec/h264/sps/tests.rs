use super::*;
use proptest::prelude::*;

/// Writes bits the way the specification prints them.
#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn bits(mut self, value: u32, count: u32) -> Self {
        self.0.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
        self
    }

    fn golomb(self, value: u32) -> Self {
        let length = (value + 1).ilog2();
        self.bits(0, length).bits(value + 1, length + 1)
    }

    fn bytes(self) -> Vec<u8> {
        self.0.chunks(8).map(|byte| byte.iter().enumerate().map(|(at, bit)| u8::from(*bit) << (7 - at)).sum()).collect()
    }
}

/// Constrained baseline, one reference frame, picture order type `order`.
fn set(columns: u32, rows: u32, order: u32, crop: Option<[u32; 4]>) -> Vec<u8> {
    let mut bits = Bits::default().bits(0x42e01f, 24).golomb(0).golomb(0).golomb(order);
    if order == 0 {
        bits = bits.golomb(4);
    }
    bits = bits.golomb(1).bits(0, 1).golomb(columns - 1).golomb(rows - 1).bits(0b11, 2).bits(u32::from(crop.is_some()), 1);
    for side in crop.into_iter().flatten() {
        bits = bits.golomb(side);
    }
    bits.bits(1, 1).bytes()
}

#[test]
fn sizes_are_read() {
    assert_eq!(size(&set(40, 23, 2, Some([0, 0, 0, 4]))), Some(Resolution { width: 640, height: 360 }));
    assert_eq!(size(&set(80, 45, 0, None)), Some(Resolution { width: 1280, height: 720 }));
    let high = Bits::default().bits(0x640c1f, 24).golomb(0).golomb(1).golomb(0).golomb(0).bits(0, 2).golomb(0).golomb(2);
    let high = high.golomb(1).bits(0, 1).golomb(119).golomb(67).bits(0b111, 3).golomb(0).golomb(0).golomb(0).golomb(4).bits(1, 1);
    assert_eq!(size(&high.bytes()), Some(Resolution { width: 1920, height: 1080 }));
}

#[test]
fn emulation_prevention_is_undone() {
    let mut out = [0; LOOKED_AT];
    let length = unescape(&[1, 0, 0, 3, 1, 0, 0, 3, 0, 0, 3, 3], &mut out);
    assert_eq!(out[..length], [1, 0, 0, 1, 0, 0, 0, 0, 3]);
}

proptest! {
    #[test]
    fn no_panic_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = size(&bytes);
    }
}
