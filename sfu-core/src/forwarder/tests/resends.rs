use super::*;

#[test]
fn a_resend_finds_the_packet_it_was_sent_as() {
    let mut stage = Stage::new(500);
    let mut first = stage.source(60_000, 1, 9);
    stage.forwarder.bind(first.publication);
    let old = first.next(true);
    let old_sent = stage.forward(&old).unwrap();
    let mut second = stage.source(9, 777, 3);
    stage.forwarder.bind(second.publication);
    let new = second.next(true);
    let new_sent = stage.forward(&new).unwrap();

    for (source, packet, sent) in [(&first, &old, &old_sent), (&second, &new, &new_sent)] {
        let found = stage.forwarder.find_for_resend(sent.header.seq, stage.now, None).unwrap();
        assert_eq!(found.publication(), source.publication);
        let again = stage.resend(sent.header.seq, packet).unwrap();
        assert_eq!((again.header.ssrc, again.header.payload_type), (RTX_SSRC, RTX));
        assert_eq!(again.header.timestamp, sent.header.timestamp);
        let (original, payload) = rtx_decode(&again.payload).unwrap();
        assert_eq!((original, payload), (sent.header.seq, &sent.payload[..]), "picture ids as they were, too");
    }
}

#[test]
fn resends_have_numbers_of_their_own_without_gaps() {
    let mut stage = Stage::new(500);
    let mut source = stage.source(60_000, 1, 9);
    stage.forwarder.bind(source.publication);
    let packets: Vec<_> = (0..5).map(|frame| source.next(frame == 0)).collect();
    let sent: Vec<_> = packets.iter().map(|packet| stage.forward(packet).unwrap()).collect();
    let numbers: Vec<_> = [3, 1, 1, 4].map(|index| stage.resend(sent[index].header.seq, &packets[index]).unwrap().index).into();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
}

/// Two different packets under one number would give GCM's key away.
#[test]
fn without_rtx_a_resend_is_the_same_to_the_byte() {
    let mut stage = Stage::new(500);
    let mut format = negotiated();
    format.codecs[0].rtx_payload_type = None;
    stage.format = SlotFormat::new("1".into(), format);
    stage.forwarder = Forwarder::new(SSRC, None, true, 500);
    let mut warm = stage.source(4, 4, 4);
    stage.forwarder.bind(warm.publication);
    stage.forward(&warm.next(true)).unwrap();
    let mut source = stage.source(60_000, 1, 9);
    stage.forwarder.bind(source.publication);
    let packet = source.next(true);
    let sent = stage.forward(&packet).unwrap();
    for _ in 0..60 {
        stage.forward(&source.next(false)).unwrap();
        stage.now -= Duration::from_millis(30);
    }
    assert_eq!(stage.resend(sent.header.seq, &packet), Some(sent));
}

#[test]
fn an_echoed_request_is_served_once() {
    let mut stage = Stage::new(500);
    let mut source = stage.source(60_000, 1, 9);
    stage.forwarder.bind(source.publication);
    let sent = stage.forward(&source.next(true)).unwrap().header.seq;
    let now = stage.now;
    assert!(stage.forwarder.find_for_resend(sent, now, None).is_some());
    assert!(stage.forwarder.find_for_resend(sent, now + Duration::from_millis(10), None).is_none());
    assert!(stage.forwarder.find_for_resend(sent, now + Duration::from_millis(60), None).is_some());
}

#[test]
fn what_is_known_to_have_come_is_not_sent_again() {
    let mut stage = Stage::new(500);
    let mut source = stage.source(60_000, 1, 9);
    stage.forwarder.bind(source.publication);
    let [first, second] = [true, false].map(|key| stage.forward(&source.next(key)).unwrap().header.seq);
    let later = |ms| stage.now + Duration::from_millis(ms);
    assert!(stage.forwarder.find_for_resend(first, later(0), None).is_some());
    assert!(stage.forwarder.find_for_resend(second, later(0), None).is_some());
    stage.forwarder.on_resend_arrived(first);
    stage.forwarder.on_resend_arrived(second + 1); // of the future
    assert!(stage.forwarder.find_for_resend(first, later(100), None).is_none());
    assert!(stage.forwarder.find_for_resend(second, later(100), None).is_some());
}

#[test]
fn what_was_passed_over_is_looked_for_and_what_left_the_history_is_not() {
    let mut stage = Stage::new(500);
    let mut source = stage.source(60_000, 1, 9);
    stage.forwarder.bind(source.publication);
    let first = stage.forward(&source.next(true)).unwrap().header.seq;
    source.skip(1);
    stage.forward(&source.next(false)).unwrap();
    let now = stage.now;
    let passed_over = stage.forwarder.find_for_resend(first + 1, now, None).unwrap();
    assert_eq!(passed_over.seq().wire(), 60_001, "for the cache to say whether it came since");
    assert!(stage.forwarder.find_for_resend(first + 3, now, None).is_none(), "of the future");
    (0..VIDEO_PACKETS).for_each(|_| drop(stage.forward(&source.next(false))));
    assert!(stage.forwarder.find_for_resend(first, stage.now, None).is_none());
}

#[test]
fn what_is_too_old_to_be_played_is_not_sent_again() {
    let mut stage = Stage::new(500);
    let mut source = stage.source(60_000, 1, 9);
    stage.forwarder.bind(source.publication);
    let sent = stage.forward(&source.next(true)).unwrap().header.seq;
    let later = stage.now + Duration::from_millis(1_100);
    assert!(stage.forwarder.find_for_resend(sent, later, None).is_none());
    let far = Some(Duration::from_millis(500));
    assert!(stage.forwarder.find_for_resend(sent, later, far).is_some(), "three round trips are longer");
}

/// Two contents under one number would give GCM's key away.
#[test]
fn a_number_is_sealed_with_one_content() {
    let mut stage = Stage::new(500);
    let mut format = negotiated();
    format.codecs[0].rtx_payload_type = None;
    format.extensions = vec![crate::sdp::HeaderExtension {
        id: 3,
        kind: crate::rtp::ExtensionKind::TransportCc,
        direction: crate::sdp::Direction::SendRecv,
    }];
    stage.format = SlotFormat::new("1".into(), format.clone());
    stage.forwarder = Forwarder::new(SSRC, None, true, 500);
    let mut source = stage.source(60_000, 1, 9);
    stage.forwarder.bind(source.publication);
    let packet = source.next(true);
    let sent = stage.forward(&packet).unwrap();
    assert_eq!(stage.resend(sent.header.seq, &packet), Some(sent.clone()), "the same to the byte");
    // Transport-wide numbers differ from one sending to the next, and are part of what is sealed.
    stage.format = SlotFormat::new("1".into(), format.clone()).with_transport_cc();
    assert_eq!(stage.resend(sent.header.seq, &packet), None);
    // Other payload types were negotiated.
    stage.format = SlotFormat::new("1".into(), format);
    stage.forwarder.forget_sent();
    assert_eq!(stage.resend(sent.header.seq, &packet), None);
}

#[test]
fn a_probe_repeats_the_newest_that_went_once() {
    let mut stage = Stage::new(500);
    let mut source = stage.source(60_000, 1, 9);
    stage.forwarder.bind(source.publication);
    let sent: Vec<_> = (0..3).map(|frame| stage.forward(&source.next(frame == 0)).unwrap().header.seq).collect();
    assert!(stage.forwarder.find_for_resend(sent[2], stage.now, None).is_some());
    let probed: Vec<_> = std::iter::from_fn(|| stage.forwarder.recent_for_probe(stage.now)).map(|resend| resend.seq().wire()).collect();
    assert_eq!(probed, [60_001, 60_000]);
    assert!(stage.forwarder.find_for_resend(sent[1], stage.now, None).is_none(), "it is on its way");
}

#[test]
fn padding_goes_on_the_rtx_stream_in_its_numbers() {
    let mut stage = Stage::new(500);
    let mut out = vec![0; 1_500];
    assert_eq!(stage.forwarder.padding(&stage.format, 255, &mut out), None, "of no codec yet");
    let mut source = stage.source(60_000, 1, 9);
    stage.forwarder.bind(source.publication);
    let packet = source.next(true);
    let sent = stage.forward(&packet).unwrap();
    let resent = stage.resend(sent.header.seq, &packet).unwrap();
    let written = stage.forwarder.padding(&stage.format, 255, &mut out).unwrap();
    let padding = seen(&out, written);
    assert_eq!((padding.header.ssrc, padding.header.payload_type, padding.index), (RTX_SSRC, RTX, resent.index + 1));
    assert!(padding.header.has_padding);
    assert_eq!((padding.payload.len(), padding.payload.last()), (255, Some(&255)));
}

/// A subscriber's slot of video, history and all.
#[test]
fn a_slot_costs_nine_kilobytes() {
    let mut stage = Stage::new(500);
    let mut source = stage.source(60_000, 1, 9);
    stage.forwarder.bind(source.publication);
    (0..2_000).for_each(|frame| drop(stage.forward(&source.next(frame == 0))));
    let size = size_of::<Forwarder>() + stage.forwarder.history.bytes();
    assert!(size <= 9 * 1_024, "{size} bytes");
}
