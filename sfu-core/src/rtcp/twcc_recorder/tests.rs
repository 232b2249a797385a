//! What was recorded is what a parser of the feedback reads, through loss, reordering, wraps and gaps.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::rtcp::{RtcpPacket, packets};

fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// The statuses of one feedback: `(seq, arrival in µs)`.
type Statuses = Vec<(u16, Option<i64>)>;

/// All that waits, in compounds of `room` bytes: per feedback its number and its statuses.
fn feedback(recorder: &mut TwccRecorder, room: usize) -> Vec<(u8, Statuses)> {
    let mut reports = Vec::new();
    loop {
        let mut out = vec![0xee; room];
        let mut compound = CompoundWriter::new(&mut out);
        let more = recorder.build_feedback(1, 2, &mut compound).unwrap();
        let written = compound.written();
        if written.is_empty() {
            assert!(!more);
            return reports;
        }
        let Some(Ok(RtcpPacket::TransportFeedback(feedback))) = packets(written).next() else { panic!("not feedback") };
        assert_eq!((feedback.sender_ssrc, feedback.media_ssrc), (1, 2));
        reports.push((feedback.feedback_count, feedback.arrivals().map(|status| (status.seq, status.arrival_us)).collect()));
        if !more {
            return reports;
        }
    }
}

/// The statuses of a single report.
fn report(recorder: &mut TwccRecorder) -> Statuses {
    let mut reports = feedback(recorder, 1200);
    assert_eq!(reports.len(), 1);
    reports.remove(0).1
}

#[test]
fn nothing_recorded_nothing_due() {
    let mut recorder = TwccRecorder::new();
    assert_eq!(recorder.poll_timeout(), None);
    assert_eq!(feedback(&mut recorder, 1200), vec![]);
}

#[test]
fn every_packet_is_reported_once_in_order() {
    let start = Instant::now();
    let mut recorder = TwccRecorder::new();
    recorder.on_packet(65_534, start);
    recorder.on_packet(65_535, start + millis(5));
    recorder.on_packet(1, start + millis(300)); // zero is lost, the delta is large
    assert_eq!(report(&mut recorder), vec![(65_534, Some(0)), (65_535, Some(5_000)), (0, None), (1, Some(300_000))]);
    assert_eq!(recorder.poll_timeout(), None);
    assert_eq!(feedback(&mut recorder, 1200), vec![]);

    recorder.on_packet(3, start + millis(310));
    assert_eq!(feedback(&mut recorder, 1200), vec![(1, vec![(2, None), (3, Some(310_000))])]);
}

#[test]
fn late_packets_are_reported_again_with_their_neighbours() {
    let start = Instant::now();
    let mut recorder = TwccRecorder::new();
    for seq in [10, 11, 13, 14] {
        recorder.on_packet(seq, start + millis(u64::from(seq)));
    }
    report(&mut recorder);
    recorder.on_packet(12, start + millis(50));
    recorder.on_packet(15, start + millis(51));
    let expected = vec![(12, Some(40_000)), (13, Some(3_000)), (14, Some(4_000)), (15, Some(41_000))];
    assert_eq!(report(&mut recorder), expected);
}

#[test]
fn duplicates_keep_their_first_arrival() {
    let start = Instant::now();
    let mut recorder = TwccRecorder::new();
    recorder.on_packet(1, start);
    recorder.on_packet(1, start + millis(9));
    assert_eq!(report(&mut recorder), vec![(1, Some(0))]);
    recorder.on_packet(1, start + millis(20));
    assert_eq!(recorder.poll_timeout(), None);
}

#[test]
fn feedback_is_due_by_age_or_by_load() {
    let start = Instant::now();
    let mut recorder = TwccRecorder::new();
    for seq in 0..4 {
        recorder.on_packet(seq, start + millis(u64::from(seq)));
        assert_eq!(recorder.poll_timeout(), Some(start + millis(100)));
    }
    recorder.on_packet(4, start + millis(4));
    assert_eq!(recorder.poll_timeout(), Some(start + millis(50)));
    recorder.on_packet(511, start + millis(5));
    assert_eq!(recorder.poll_timeout(), Some(start + millis(50)));
    recorder.on_packet(512, start + millis(5)); // half the window, losses included
    assert_eq!(recorder.poll_timeout(), Some(start));
}

#[test]
fn a_long_pause_needs_a_new_reference() {
    let start = Instant::now();
    let mut recorder = TwccRecorder::new();
    recorder.on_packet(1, start);
    recorder.on_packet(2, start + millis(20_000));
    let reports = feedback(&mut recorder, 1200);
    assert_eq!(reports, vec![(0, vec![(1, Some(0))]), (1, vec![(2, Some(20_000_000))])]);
}

#[test]
fn reports_split_where_the_compound_is_full() {
    let start = Instant::now();
    let mut recorder = TwccRecorder::new();
    for seq in 0..500u16 {
        recorder.on_packet(seq, start + millis(u64::from(seq) * 70)); // each a large delta
    }
    let reports = feedback(&mut recorder, 200);
    assert!(reports.len() > 4);
    let all: Vec<_> = reports.into_iter().flat_map(|(_, statuses)| statuses).collect();
    assert_eq!(all, (0..500u16).map(|seq| (seq, Some(i64::from(seq) * 70_000))).collect::<Vec<_>>());
}

#[test]
fn too_little_room_is_an_error_not_a_loop() {
    let start = Instant::now();
    let mut recorder = TwccRecorder::new();
    recorder.on_packet(1, start);
    let mut out = [0; 23];
    assert_eq!(recorder.build_feedback(1, 2, &mut CompoundWriter::new(&mut out)), Err(RtcpWriteError::BufferTooSmall));
    let mut out = [0; 24];
    assert_eq!(recorder.build_feedback(1, 2, &mut CompoundWriter::new(&mut out)), Ok(false));
}

#[test]
fn memory_is_bounded() {
    let start = Instant::now();
    let mut recorder = TwccRecorder::new();
    recorder.on_packet(0, start);
    recorder.on_packet(30_000, start + millis(1)); // a jump past the window forgets what was before
    recorder.on_packet(30_001, start + millis(2));
    recorder.on_packet(5, start + millis(3)); // from before the window
    let statuses: Vec<_> = feedback(&mut recorder, 1200).into_iter().flat_map(|(_, statuses)| statuses).collect();
    assert_eq!(statuses.len(), WINDOW);
    let received: Vec<_> = statuses.into_iter().filter(|(_, arrival)| arrival.is_some()).collect();
    assert_eq!(received, vec![(30_000, Some(1_000)), (30_001, Some(2_000))]);
    assert_eq!(recorder.stream.unwrap().arrivals.len(), WINDOW);
}

#[test]
fn the_clock_wraps_with_the_reference_time() {
    let start = Instant::now();
    let wrap_us = (1u64 << 32) * 250;
    let mut recorder = TwccRecorder::new();
    recorder.on_packet(0, start);
    report(&mut recorder);
    recorder.on_packet(1, start + Duration::from_micros(wrap_us - 1_000));
    recorder.on_packet(2, start + Duration::from_micros(wrap_us + 2_000));
    let statuses = report(&mut recorder);
    // The reference is signed on the wire; only differences count.
    assert_eq!(statuses[1].1.unwrap() - statuses[0].1.unwrap(), 3_000);
}

proptest! {
    /// Against a plain map: any pattern of loss and bounded reordering, reported at any times, in any room.
    #[test]
    fn any_pattern_is_reported_as_it_was(
        first: u16,
        packets in prop::collection::vec((1i64..40, 0u64..400_000, prop::bool::weighted(0.1)), 1..300),
        room in 40usize..400,
    ) {
        let start = Instant::now();
        let (mut recorder, mut truth) = (TwccRecorder::new(), BTreeMap::new());
        let mut reported = BTreeMap::new();
        let (mut at, mut newest) = (0u64, 0i64);
        for (step, pause, report_now) in packets {
            at += pause;
            // Small steps go on, large ones fall back.
            let seq = if step < 30 { newest + step } else { newest - (step - 29) };
            newest = newest.max(seq);
            recorder.on_packet(first.wrapping_add(seq as u16), start + Duration::from_micros(at));
            truth.entry(seq).or_insert((at / 250 * 250) as i64);
            let now = start + Duration::from_micros(at);
            if report_now || recorder.poll_timeout().is_some_and(|due| due <= now) {
                collect(&mut recorder, room, first, newest, &mut reported)?;
            }
        }
        collect(&mut recorder, room, first, newest, &mut reported)?;
        let epoch = truth.values().min().copied().unwrap();
        let truth: BTreeMap<i64, i64> = truth.into_iter().map(|(seq, at)| (seq, at - epoch)).collect();
        let reported: BTreeMap<i64, i64> = reported.into_iter().collect();
        for (seq, at) in &truth {
            // Ticks count from the first packet, the truth from a round number: a tick of difference.
            prop_assert!(reported.get(seq).is_some_and(|found| (found - at).abs() <= 250), "{} at {}: {:?}", seq, at, reported.get(seq));
        }
        prop_assert_eq!(truth.len(), reported.len());
    }
}

/// Gathers arrivals by unwrapped number; what is reported twice must agree.
fn collect(
    recorder: &mut TwccRecorder,
    room: usize,
    first: u16,
    newest: i64,
    reported: &mut BTreeMap<i64, i64>,
) -> Result<(), TestCaseError> {
    for (_, statuses) in feedback(recorder, room) {
        for (seq, arrival) in statuses {
            let back = first.wrapping_add(newest as u16).wrapping_sub(seq) as i16;
            if let Some(arrival) = arrival {
                let previous = reported.insert(newest - i64::from(back), arrival);
                prop_assert!(previous.is_none_or(|previous| previous == arrival));
            }
        }
    }
    Ok(())
}
