use super::*;

#[test]
fn the_subscribers_numbers_wrap_and_the_rollover_is_sealed_in() {
    let mut stage = Stage::new(32_760);
    let mut source = stage.source(1, 0, 0);
    stage.forwarder.bind(source.publication);
    let first = stage.forward(&source.next(true)).unwrap();
    assert_eq!(first.index, 32_760);
    for step in 1..70_000_u64 {
        let seen = stage.forward(&source.next(false)).unwrap();
        assert_eq!(seen.index, 32_760 + step);
    }
}

#[test]
fn a_source_that_wraps_leaves_no_mark() {
    let mut stage = Stage::new(5);
    let mut source = stage.source(65_530, 4_294_950_000, 32_760);
    stage.forwarder.bind(source.publication);
    let seen: Vec<_> = (0..20).map(|frame| stage.forward(&source.next(frame == 0)).unwrap()).collect();
    assert_eq!(seen.iter().map(|packet| packet.header.seq).collect::<Vec<_>>(), (5..25).collect::<Vec<_>>());
    assert!(seen.windows(2).all(|pair| pair[1].header.timestamp.wrapping_sub(pair[0].header.timestamp) == 3_000));
}

/// A receiver would take it for a packet of the future.
#[test]
fn a_packet_half_the_number_space_late_stays_out() {
    let mut stage = Stage::new(5);
    let mut source = stage.source(1, 0, 0);
    stage.forwarder.bind(source.publication);
    stage.forward(&source.next(true)).unwrap();
    let late = source.next(false);
    for _ in 0..33_000 / 500 {
        source.skip(499);
        stage.forward(&source.next(false)).unwrap();
    }
    assert_eq!(stage.forward(&late), None);
}

/// Passed on, it could take the receiver past its roll-over counter, for as long as the slot lives.
#[test]
fn a_leap_of_the_source_is_no_leap_here() {
    let mut stage = Stage::new(5);
    let mut source = stage.source(1, 0, 0);
    stage.forwarder.bind(source.publication);
    let before = stage.forward(&source.next(true)).unwrap();
    source.skip(30_000);
    assert_eq!(stage.forward(&source.next(false)), None, "a picture starts anew with a key frame");
    assert_eq!(stage.forwarder.needs_keyframe(), Some(0));
    let after = stage.forward(&source.next(true)).unwrap();
    assert_eq!(after.header.seq, before.header.seq + 1);
}
