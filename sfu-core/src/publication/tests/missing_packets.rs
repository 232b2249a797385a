use super::*;

#[test]
fn a_gap_is_asked_for_at_once() {
    let mut stream = Stream::new(true, true, 0);
    let now = Instant::now();
    assert_eq!(arrive(&mut stream, 0, now), Arrival::Fresh { gap: false, torn: false });
    assert_eq!(arrive(&mut stream, 4, now), Arrival::Fresh { gap: true, torn: false });
    assert_eq!(asked(&mut stream, now, None), [1, 2, 3]);
}

#[test]
fn it_is_asked_for_again_after_one_and_a_half_round_trips() {
    let mut stream = Stream::new(true, true, 0);
    let start = Instant::now();
    arrive(&mut stream, 0, start);
    arrive(&mut stream, 2, start);
    let sent: Vec<_> = (0..1_000).step_by(10).filter(|at| !asked(&mut stream, start + ms(*at), Some(ms(100))).is_empty()).collect();
    assert_eq!(sent, [0, 150, 300, 450, 600, 750, 900]);
}

#[test]
fn what_never_comes_is_given_up() {
    let mut stream = Stream::new(true, true, 0);
    let start = Instant::now();
    arrive(&mut stream, 0, start);
    arrive(&mut stream, 2, start);
    let requests = (0..5_000).filter(|at| !asked(&mut stream, start + ms(*at), Some(ms(1))).is_empty()).count();
    assert_eq!(requests, 10);
    assert!(stream.nack.is_empty());
}

#[test]
fn what_came_is_not_asked_for() {
    let mut stream = Stream::new(true, true, 0);
    let now = Instant::now();
    for number in [0, 5, 3] {
        arrive(&mut stream, number, now);
    }
    assert_eq!(asked(&mut stream, now, None), [1, 2, 4]);
}

#[test]
fn numbers_are_followed_across_the_wrap() {
    let mut stream = Stream::new(true, true, 0);
    let now = Instant::now();
    for number in [65_533, 65_538] {
        arrive(&mut stream, number, now);
    }
    assert_eq!(asked(&mut stream, now, None), [65_534, 65_535, 0, 1]);
}

#[test]
fn too_large_a_gap_is_a_matter_for_a_key_frame() {
    let mut stream = Stream::new(true, true, 0);
    let now = Instant::now();
    arrive(&mut stream, 0, now);
    arrive(&mut stream, 2, now);
    assert_eq!(arrive(&mut stream, 1_000, now), Arrival::Fresh { gap: false, torn: true });
    assert!(stream.nack.is_empty());
}

#[test]
fn a_stream_that_keeps_losing_is_bounded() {
    let mut stream = Stream::new(true, true, 0);
    let now = Instant::now();
    for number in 0..1_000 {
        arrive(&mut stream, number * 2, now);
    }
    assert_eq!(stream.nack.len(), 256);
    let numbers = asked(&mut stream, now, None);
    assert_eq!(numbers.last(), Some(&1_997), "the newest are kept");
}
