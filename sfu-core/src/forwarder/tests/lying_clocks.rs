//! Publishers whose times aren't those of their numbers. Found by fuzzing (`fuzz/corpus/egress`).

use super::*;
use crate::layer::Targets;

fn is_later(timestamp: u32, than: u32) -> bool {
    timestamp.wrapping_sub(than).cast_signed() > 0
}

#[test]
fn what_comes_late_with_the_time_of_another_place_goes_empty() {
    let mut stage = Stage::new(500);
    let mut source = stage.source(60_000, 9_000, 9);
    stage.forwarder.bind(source.publication);
    let first = stage.forward(&source.next(true)).unwrap();
    let (mut early, mut late) = (source.next(false), source.next(false));
    let last = stage.forward(&source.next(false)).unwrap();
    early.info.timestamp = 10;
    late.info.timestamp = 1 << 30;
    for (packet, timestamp) in [(early, first.header.timestamp), (late, last.header.timestamp)] {
        let seen = stage.forward(&packet).unwrap();
        assert!(seen.header.has_padding, "its number is taken, so that nobody waits for it");
        assert_eq!(seen.header.timestamp, timestamp, "at the nearest time that its place allows");
    }
}

#[test]
fn a_clock_that_runs_back_is_put_right_though_the_picture_s_first_packets_are_left_out() {
    let mut stage = Stage::new(500);
    let mut source = stage.source(60_000, 1 << 21, 9);
    source.codec = Codec::Vp9;
    stage.forwarder.bind(source.publication);
    let shown = stage.forward(&source.next(true)).unwrap();
    source.timestamp = 1 << 20;
    let mut base = source.packet(false);
    (base.info.marker, base.info.layer.present) = (false, Targets::NONE);
    source.seq = source.seq.forward(1);
    assert_eq!(stage.forward(&base), None, "another layer than the one that is shown");
    let seen = stage.forward(&source.packet(false)).unwrap();
    assert!(is_later(seen.header.timestamp, shown.header.timestamp));
}
