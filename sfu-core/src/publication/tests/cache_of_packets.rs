use super::*;
use cache::{AUDIO_PACKETS, VIDEO_PACKETS};

fn held(stream: &Stream, number: u64) -> Option<u64> {
    let packet = stream.cache.lookup(Seq::first(0).forward(number))?;
    Some(u64::from_be_bytes(packet.payload.try_into().unwrap()))
}

#[test]
fn as_many_packets_are_held_as_promised_and_not_one_more() {
    for (video, capacity) in [(true, VIDEO_PACKETS as u64), (false, AUDIO_PACKETS as u64)] {
        let mut stream = Stream::new(video, true, 0);
        let now = Instant::now();
        let newest = 3 * capacity;
        for number in 0..=newest {
            arrive(&mut stream, number, now);
        }
        let oldest = newest - capacity + 1;
        assert!((oldest..=newest).all(|number| held(&stream, number) == Some(number)));
        assert_eq!(held(&stream, oldest - 1), None);
        assert_eq!(held(&stream, newest + 1), None);
    }
}

#[test]
fn a_packet_is_fresh_once() {
    let mut stream = Stream::new(true, true, 0);
    let now = Instant::now();
    for number in [5, 6, 8, 7] {
        assert_ne!(arrive(&mut stream, number, now), Arrival::Duplicate, "{number}");
    }
    for number in 5..=8 {
        assert_eq!(arrive(&mut stream, number, now), Arrival::Duplicate, "{number}");
    }
}

/// Forwarding a packet twice would seal two packets under one number.
#[test]
fn a_packet_older_than_the_cache_counts_as_seen() {
    let mut stream = Stream::new(true, true, 0);
    let now = Instant::now();
    for number in 0..2 * VIDEO_PACKETS as u64 {
        arrive(&mut stream, number, now);
    }
    assert_eq!(arrive(&mut stream, 3, now), Arrival::Duplicate);
    let newest = 2 * VIDEO_PACKETS as u64 - 1;
    assert_eq!(held(&stream, newest), Some(newest), "the late packet displaced nothing");
}

#[test]
fn a_restarted_stream_shares_nothing_with_the_old_one() {
    let mut stream = Stream::new(true, true, 0);
    let now = Instant::now();
    arrive(&mut stream, 1, now);
    arrive(&mut stream, 9, now);
    let generation = stream.generation;
    stream.restart(77, true, 1);
    assert_eq!((stream.ssrc, stream.generation), (Some(77), generation + 1));
    assert_eq!(held(&stream, 1), None);
    assert!(stream.nack.is_empty());
    assert_eq!(arrive(&mut stream, 1, now), Arrival::Fresh { gap: false, torn: false });
}
