//! Feedback that is lost, late, doubled, or stops.

use super::super::{CongestionController, EstimateState, SentClass};
use super::flow::{FlowConfig, Source};
use super::link::LinkConfig;
use super::score::Score;
use super::world::World;
use crate::rtcp::{CompoundWriter, RtcpPacket, TwccRecorder, packets};
use std::time::{Duration, Instant};

const M: f64 = 1e6;

/// Sends `count` packets from number `first` on, one a `step_ms`, and gives the feedback to them 20 ms after the last.
pub(super) fn exchange(controller: &mut CongestionController, start: Instant, first_ms: u64, count: u64, step_ms: u64) -> Vec<u8> {
    let mut recorder = TwccRecorder::new();
    let at = |ms| start + Duration::from_millis(ms);
    for index in 0..count {
        let ms = first_ms + index * step_ms;
        recorder.on_packet(controller.next_number(), at(ms + 10));
        controller.on_sent(at(ms), 1_200, SentClass::Video);
    }
    let mut buffer = [0; 1_100];
    let mut writer = CompoundWriter::new(&mut buffer);
    recorder.build_feedback(1, 2, &mut writer).unwrap();
    let bytes = writer.written().to_vec();
    give(controller, at(first_ms + count * step_ms + 20), &bytes);
    bytes
}

pub(super) fn give(controller: &mut CongestionController, now: Instant, bytes: &[u8]) {
    for packet in packets(bytes) {
        if let Ok(RtcpPacket::TransportFeedback(feedback)) = packet {
            controller.on_feedback(now, &feedback);
        }
    }
}

#[test]
fn doubled_feedback_says_nothing_new() {
    let start = Instant::now();
    let mut controller = CongestionController::new(start);
    let bytes = exchange(&mut controller, start, 0, 30, 10);
    let now = start + Duration::from_millis(400);
    let (before, feedbacks) = (controller.estimate(now), controller.stats().feedbacks);
    for _ in 0..100 {
        give(&mut controller, now, &bytes);
    }
    assert_eq!(controller.estimate(now), before);
    assert_eq!(controller.stats().feedbacks, feedbacks);
}

#[test]
fn half_of_the_feedback_lost_costs_little() {
    let flow = FlowConfig { feedback_loss: 0.5, ..FlowConfig::new(Source::Fill(5.0 * M)) };
    let mut world = World::new(LinkConfig::constant(2.0 * M, 25.0), 31).with(flow);
    let mut score = Score::from(2.0);
    world.run(60.0, &mut score);
    score.print("half the feedback lost", &world);
    assert!(score.error(0.5) < 0.10 && score.queue_p95() <= 120.0);
}

#[test]
fn the_rate_falls_carefully_when_feedback_stops_and_returns_with_it() {
    let flow = FlowConfig { deaf: vec![(20.0, 22.0)], ..FlowConfig::new(Source::Fill(5.0 * M)) };
    let mut world = World::new(LinkConfig::constant(2.0 * M, 25.0), 32).with(flow);
    let mut score = Score::from(2.0);
    world.run(21.9, &mut score);
    let silent = world.flows[0].estimate(world.now_us);
    assert!((0.2 * M..1.4 * M).contains(&silent), "{silent}");
    world.run(25.0, &mut score);
    assert!(world.flows[0].estimate(world.now_us) > 1.6 * M);
}

#[test]
fn silence_without_anything_sent_is_no_silence() {
    let start = Instant::now();
    let mut controller = CongestionController::new(start);
    exchange(&mut controller, start, 0, 30, 10);
    let before = controller.estimate(start + Duration::from_millis(400)).unwrap().bps;
    for ms in (400..10_000).step_by(20) {
        controller.handle_tick(start + Duration::from_millis(ms));
    }
    let after = controller.estimate(start + Duration::from_secs(10)).unwrap();
    assert_eq!(after.bps, before);
    assert_ne!(after.state, EstimateState::Silent);
}

/// Chromium's feedback begins with what is missing, others' with the first packet that came: both tell of the same loss.
#[test]
fn what_is_missing_before_a_feedback_is_lost_unless_a_feedback_is_missing() {
    let start = Instant::now();
    let at = |ms| start + Duration::from_millis(ms);
    for (missing_feedback, expected) in [(false, 0.2), (true, 0.0)] {
        let mut controller = CongestionController::new(start);
        let mut recorder = TwccRecorder::new();
        for index in 0..400_u64 {
            let number = controller.next_number();
            controller.on_sent(at(index * 10), 1_000, SentClass::Video);
            // There is no padding to be had.
            let _ = controller.poll_padding(at(index * 10));
            // The first two of ten never come, and the recorder is made to forget that they were to.
            if index % 10 >= 2 {
                recorder.on_packet(number, at(index * 10 + 10));
            }
            if index % 10 == 9 {
                let mut buffer = [0; 1_100];
                let mut writer = CompoundWriter::new(&mut buffer);
                recorder.build_feedback(1, 2, &mut writer).unwrap();
                let bytes = writer.written().to_vec();
                let mut fresh = TwccRecorder::new();
                std::mem::swap(&mut recorder, &mut fresh);
                let count = (index / 10 * if missing_feedback { 2 } else { 1 }) as u8;
                give(&mut controller, at(index * 10 + 30), &counted(&bytes, count));
            }
        }
        let loss = controller.estimate(at(4_100)).unwrap().path_loss;
        assert!((loss - expected).abs() < 0.06, "{loss} is not {expected}");
    }
}

/// Feedback with another count: the last byte before its chunks (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
fn counted(bytes: &[u8], count: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[19] = count;
    bytes
}

/// Sends for two seconds, then for one in which packets (`deaf` false) or feedback (`deaf` true) are lost, then goes on: what the feedbacks
/// after that are called.
fn outage(deaf: bool) -> Vec<bool> {
    let start = Instant::now();
    let mut controller = CongestionController::new(start);
    let mut recorder = TwccRecorder::new();
    let mut said = Vec::new();
    for ms in (0..4_000_u64).step_by(10) {
        let now = start + Duration::from_millis(ms);
        let is_out = (2_000..3_000).contains(&ms);
        let number = controller.next_number();
        controller.on_sent(now, 1_200, SentClass::Video);
        controller.handle_tick(now);
        if deaf || !is_out {
            recorder.on_packet(number, now);
        }
        if ms % 100 == 90 && (deaf || !is_out) {
            let mut buffer = [0; 1_100];
            let mut writer = CompoundWriter::new(&mut buffer);
            recorder.build_feedback(1, 2, &mut writer).unwrap();
            for packet in packets(writer.written()).filter(|_| !is_out) {
                if let Ok(RtcpPacket::TransportFeedback(feedback)) = packet {
                    let ended = controller.on_feedback(now, &feedback);
                    assert!(ms > 2_900 || !ended, "nothing was out yet at {ms} ms");
                    said.extend((ms > 2_900).then_some(ended));
                }
            }
        }
    }
    said
}

#[test]
fn the_first_feedback_after_an_outage_says_so_once() {
    assert_eq!(outage(false).iter().map(|ended| u32::from(*ended)).collect::<Vec<_>>(), [1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn feedback_that_was_lost_is_no_outage_of_what_it_spoke_of() {
    assert_eq!(outage(true), [false; 10]);
}
