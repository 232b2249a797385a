use super::*;
use proptest::prelude::*;

#[test]
fn bits_come_most_significant_first() {
    let mut reader = BitReader::new(&[0b1010_0001, 0xff]);
    assert_eq!((reader.flag(), reader.bits(3), reader.bits(8)), (Some(true), Some(0b010), Some(0b0001_1111)));
    assert_eq!((reader.position(), reader.bits(4), reader.flag()), (12, Some(15), None));
}

/// The table of the AV1 RTP specification, A.8.1.
#[test]
fn numbers_below_five() {
    for (bits, value, taken) in [(0b000, 0, 2), (0b010, 1, 2), (0b100, 2, 2), (0b110, 3, 3), (0b111, 4, 3)] {
        let byte = [bits << 5];
        let mut reader = BitReader::new(&byte);
        assert_eq!((reader.non_symmetric(5), reader.position()), (Some(value), taken));
    }
    assert_eq!(BitReader::new(&[]).non_symmetric(1), Some(0), "one value needs no bit");
}

/// Table 9-2 of ITU-T H.264.
#[test]
fn exp_golomb_numbers() {
    for (bits, value) in [(0b1000_0000, 0), (0b0100_0000, 1), (0b0110_0000, 2), (0b0010_0000, 3), (0b0011_1000, 6), (0b0001_0000, 7)] {
        assert_eq!(BitReader::new(&[bits]).exp_golomb(), Some(value));
    }
    assert_eq!(BitReader::new(&[0; 9]).exp_golomb(), None);
}

proptest! {
    #[test]
    fn no_panic_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..8), asked in prop::collection::vec(0u32..40, 0..20)) {
        let mut reader = BitReader::new(&bytes);
        for count in asked {
            let _ = (reader.bits(count), reader.exp_golomb());
            if let Some(value) = reader.non_symmetric(count + 1) {
                prop_assert!(value <= count);
            }
        }
        prop_assert!(reader.position() <= bytes.len() * 8);
    }
}
