//! Unwrapped numbers keep order through wraps, in both directions, from any start.

use proptest::prelude::*;

use super::Seq;

#[test]
fn wrap_goes_up_and_late_packets_go_back() {
    let last = Seq::first(65_535);
    let next = last.unwrap_next(0);
    assert_eq!(next.since(last), 1);
    assert_eq!(next.unwrap_next(65_535), last);
    assert_eq!(next.wire(), 0);
}

#[test]
fn packet_index_is_rollover_and_number() {
    let first = Seq::first(65_534);
    assert_eq!(first.packet_index(), Some(65_534));
    assert_eq!(first.forward(2).packet_index(), Some(1 << 16));
    assert_eq!(Seq::from_packet_index((7 << 16) | 9).packet_index(), Some((7 << 16) | 9));
    assert_eq!(Seq::from_packet_index(65_534), first);
}

#[test]
fn numbers_from_before_the_stream_have_no_packet_index() {
    let before = Seq::first(0).unwrap_next(65_535);
    assert!(before < Seq::first(0));
    assert_eq!(before.packet_index(), None);
}

proptest! {
    #[test]
    fn any_walk_of_small_steps_is_followed(start: u16, steps in prop::collection::vec(-32_767i64..=32_767, 0..200)) {
        let mut seq = Seq::first(start);
        let mut truth = i64::try_from(seq.value()).unwrap();
        for step in steps {
            truth += step;
            seq = seq.unwrap_next((truth & 0xffff) as u16);
            prop_assert_eq!(i64::try_from(seq.value()).unwrap(), truth);
        }
    }
}
