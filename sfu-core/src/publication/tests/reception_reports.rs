use super::*;
use crate::rtcp::ReportBlock;

fn report(stream: &mut Stream, now: Instant) -> ReportBlock {
    stream.reception.as_mut().unwrap().report(9, now)
}

#[test]
fn a_tenth_lost_is_reported_as_such_in_each_interval() {
    let mut stream = Stream::new(true, true, 0);
    let now = Instant::now();
    for number in (0..=1_000).filter(|number| number % 10 != 5) {
        arrive(&mut stream, number, now);
    }
    let first = report(&mut stream, now);
    assert_eq!((first.cumulative_lost, first.highest_seq), (100, 1_000));
    assert!((25..=26).contains(&first.fraction_lost), "{}", first.fraction_lost);
    for number in 1_001..=2_000 {
        arrive(&mut stream, number, now);
    }
    let second = report(&mut stream, now);
    assert_eq!((second.cumulative_lost, second.fraction_lost), (100, 0));
}

/// RFC 4588 sends repairs as a stream of their own so that a report tells how the path is, not how well it was patched.
#[test]
fn a_repaired_packet_is_still_a_lost_one() {
    let mut stream = Stream::new(true, true, 0);
    let now = Instant::now();
    for number in (0..=100).filter(|number| *number != 50) {
        arrive(&mut stream, number, now);
    }
    stream.on_packet(&MediaPacket { info: info(50, Codec::Vp8, false), payload: &[1], dependency: &[] }, now, true);
    assert_eq!(report(&mut stream, now).cumulative_lost, 1);
}

#[test]
fn wraps_are_counted_in_the_highest_number() {
    let mut stream = Stream::new(true, true, 0);
    let now = Instant::now();
    for number in 65_530..65_540 {
        arrive(&mut stream, number, now);
    }
    assert_eq!(report(&mut stream, now).highest_seq, 1 << 16 | 3);
}

#[test]
fn an_even_stream_has_no_jitter_and_an_uneven_one_has() {
    let start = Instant::now();
    let mut even = Stream::new(true, true, 0);
    let mut uneven = Stream::new(true, true, 0);
    for number in 0..200 {
        // 3,000 ticks a packet are 33.3 ms; every other one of the second stream is 10 ms late.
        let due = start + Duration::from_micros(number * 33_333);
        arrive(&mut even, number, due);
        arrive(&mut uneven, number, due + ms(10) * (number as u32 % 2));
    }
    assert!(report(&mut even, start).jitter <= 2);
    let jitter = report(&mut uneven, start).jitter;
    assert!((700..=1_000).contains(&jitter), "{jitter}: |difference| is 900 ticks at every packet");
}

#[test]
fn the_last_sender_report_is_echoed_with_its_age() {
    let mut stream = Stream::new(true, true, 0);
    let now = Instant::now();
    arrive(&mut stream, 0, now);
    assert_eq!(report(&mut stream, now).last_sr, 0);
    stream.reception.as_mut().unwrap().on_sender_report(0x1234_5678, now);
    let block = report(&mut stream, now + ms(500));
    assert_eq!((block.last_sr, block.delay_since_last_sr), (0x1234_5678, 0x8000));
}
