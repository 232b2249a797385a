//! The window against a plain set of everything seen, and the estimate against RFC 3711's own definition.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

#[test]
fn estimates_are_the_nearest_index_at_the_edges() {
    for (newest, seq, expected) in [
        (0, 0x8000, Ok(0x8000)),
        (0, 0x8001, Err(SrtpError::TooOld)),
        (0x1_0000, 0x8001, Ok(0x8001)),
        (0xffff, 0, Ok(0x1_0000)),
        (0xffff, 0x7ffe, Ok(0x1_7ffe)),
        (0xffff, 0x7fff, Ok(0x7fff)),
        (MAX_RTP_INDEX, 0xfff0, Ok(MAX_RTP_INDEX - 15)),
        (MAX_RTP_INDEX, 0, Err(SrtpError::KeyExhausted)),
    ] {
        assert_eq!(ReplayWindow::<2>::starting_at(newest).estimate(seq), expected, "{seq:#x} after {newest:#x}");
    }
}

proptest! {
    #[test]
    fn the_window_agrees_with_a_set(start in 0u64..300, steps in prop::collection::vec(-700i64..500, 1..300)) {
        const REACH: u64 = 64 * 3;
        let mut window = ReplayWindow::<4>::starting_at(start);
        let (mut seen, mut newest) = (HashSet::from([start]), start);
        for step in steps {
            let index = newest.saturating_add_signed(step);
            let verdict = window.check(index);
            if seen.contains(&index) {
                prop_assert!(verdict.is_err(), "{} let in twice", index);
            } else if index + REACH >= newest {
                prop_assert_eq!(verdict, Ok(()), "{} refused, newest {}", index, newest);
            } else if index + REACH + 64 <= newest {
                prop_assert_eq!(verdict, Err(SrtpError::TooOld));
            }
            if verdict.is_ok() {
                window.accept(index);
                seen.insert(index);
                newest = newest.max(index);
            }
        }
    }

    #[test]
    fn the_estimate_is_the_nearest_index(newest in 0u64..MAX_RTP_INDEX, seq: u16) {
        if let Ok(index) = ReplayWindow::<1>::starting_at(newest).estimate(seq) {
            prop_assert_eq!(index & 0xffff, u64::from(seq));
            prop_assert!(index.abs_diff(newest) <= 0x8000);
        } else {
            prop_assert!(!(0x8000..=MAX_RTP_INDEX - 0x8000).contains(&newest));
        }
    }
}
