use super::*;

/// Feeds a key frame and three others of each source in turn, and returns all that the subscriber saw.
fn through(stage: &mut Stage, sources: &mut [Source]) -> Vec<Seen> {
    let mut all = Vec::new();
    for source in sources {
        stage.forwarder.bind(source.publication);
        all.extend([true, false, false, false].map(|keyframe| stage.forward(&source.next(keyframe)).unwrap()));
        stage.forwarder.unbind();
    }
    all
}

#[test]
fn one_ssrc_no_gaps() {
    let mut stage = Stage::new(500);
    let mut sources = [stage.source(60_000, 1, 9), stage.source(3, 4_000_000_000, 30_000), stage.source(40_000, 77, 2)];
    let seen = through(&mut stage, &mut sources);
    assert!(seen.iter().all(|packet| packet.header.ssrc == SSRC && packet.header.payload_type == VP8));
    let numbers: Vec<_> = seen.iter().map(|packet| packet.header.seq).collect();
    assert_eq!(numbers, (500..512).collect::<Vec<_>>());
}

#[test]
fn a_gap_in_the_source_is_the_same_gap_here() {
    let mut stage = Stage::new(10);
    let mut source = stage.source(700, 0, 0);
    stage.forwarder.bind(source.publication);
    assert_eq!(stage.forward(&source.next(true)).unwrap().header.seq, 10);
    let late = source.packet(false);
    source.skip(4);
    assert_eq!(stage.forward(&source.next(false)).unwrap().header.seq, 15);
    assert_eq!(stage.forward(&late).unwrap().header.seq, 11, "what comes late takes its own place");
    assert_eq!(stage.forward(&source.next(false)).unwrap().header.seq, 16);
}

#[test]
fn video_starts_with_a_key_frame() {
    let mut stage = Stage::new(10);
    let mut source = stage.source(700, 0, 0);
    assert_eq!(stage.forward(&source.packet(true)), None, "nothing is bound");
    stage.forwarder.bind(source.publication);
    assert_eq!(stage.forwarder.needs_keyframe(), Some(0));
    assert_eq!(stage.forward(&source.next(false)), None);
    assert_eq!(stage.forward(&source.next(true)).unwrap().header.seq, 10);
    assert_eq!(stage.forwarder.needs_keyframe(), None);
}

#[test]
fn a_packet_from_before_the_switch_stays_out() {
    let mut stage = Stage::new(10);
    let mut source = stage.source(700, 0, 0);
    let before = source.next(false);
    stage.forwarder.bind(source.publication);
    stage.forward(&source.next(true)).unwrap();
    assert_eq!(stage.forward(&before), None);
}

#[test]
fn a_restarted_publisher_begins_anew_with_a_key_frame() {
    let mut stage = Stage::new(10);
    let mut source = stage.source(700, 0, 0);
    stage.forwarder.bind(source.publication);
    stage.forward(&source.next(true)).unwrap();
    source.generation += 1;
    source.seq = Seq::first(9);
    assert_eq!(stage.forward(&source.next(false)), None);
    assert_eq!(stage.forwarder.needs_keyframe(), Some(0));
    assert_eq!(stage.forward(&source.next(true)).unwrap().header.seq, 11);
}

#[test]
fn timestamps_never_run_backwards() {
    let mut stage = Stage::new(10);
    let mut sources = [stage.source(1, 4_294_960_000, 9), stage.source(2, 5, 8), stage.source(3, 2_147_483_648, 7), stage.source(4, 0, 6)];
    let stamps: Vec<_> = through(&mut stage, &mut sources).iter().map(|packet| packet.header.timestamp).collect();
    let steps: Vec<_> = stamps.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect();
    assert!(steps.iter().all(|step| (2_990..=3_010).contains(step)), "a frame takes 33 ms whoever sends it: {steps:?}");
}

#[test]
fn vp8_picture_ids_run_on() {
    let mut stage = Stage::new(10);
    let mut sources = [stage.source(1, 0, 32_766), stage.source(2, 0, 20), stage.source(3, 0, 31_000)];
    let ids: Vec<_> = through(&mut stage, &mut sources).iter().map(|packet| picture(&packet.payload)).collect();
    for (index, id) in ids.iter().enumerate() {
        let expected = ((32_766 + index as u16) & 0x7fff, (32_766_u16 as u8).wrapping_add(index as u8));
        assert_eq!(*id, expected, "packet {index}");
    }
}

#[test]
fn a_late_packet_does_not_turn_the_picture_ids_back() {
    let mut stage = Stage::new(10);
    let mut source = stage.source(1, 0, 100);
    stage.forwarder.bind(source.publication);
    stage.forward(&source.next(true)).unwrap();
    let late = source.next(false);
    stage.forward(&source.next(false)).unwrap();
    stage.forward(&late).unwrap();
    let mut other = stage.source(1, 0, 7);
    stage.forwarder.bind(other.publication);
    let first = stage.forward(&other.next(true)).unwrap();
    assert_eq!(picture(&first.payload).0, 103);
}

#[test]
fn a_codec_the_subscriber_lacks_is_not_forwarded() {
    let mut stage = Stage::new(10);
    let mut source = stage.source(1, 0, 100);
    source.codec = Codec::H264;
    stage.forwarder.bind(source.publication);
    assert_eq!(stage.forward(&source.next(true)), None);
}

#[test]
fn sound_starts_with_any_packet() {
    let mut stage = Stage::new(10);
    stage.forwarder = Forwarder::new(SSRC, None, false, 10);
    let mut source = stage.source(1, 0, 0);
    source.codec = Codec::Opus;
    stage.forwarder.bind(source.publication);
    assert_eq!(stage.forwarder.needs_keyframe(), None);
    let seen = stage.forward(&source.next(false)).unwrap();
    assert_eq!((seen.header.seq, seen.header.payload_type), (10, OPUS));
}
