//! Measured tracks become steps that the app can read, once a second at most.

use super::*;
use crate::quality::{Limit, Measured};
use alloc::vec;

fn at(millis: u64) -> MonoTime {
    MonoTime::from_micros(millis * 1000)
}

fn camera(busy: f32) -> Track {
    let measured = Measured { busy: Some(busy), fps: Some(30.0), fps_source: Some(30.0), loss: Some(0.0), ..video(Direction::Uplink) };
    Track { direction: Direction::Uplink, section: 0, measured, fell_silent: false, flows: true, dropped: None }
}

fn shown(freeze: f32) -> Track {
    let measured = Measured { busy: Some(0.1), freeze: Some(freeze), loss: Some(0.0), ..video(Direction::Downlink) };
    Track { direction: Direction::Downlink, section: 1, measured, fell_silent: false, flows: true, dropped: None }
}

fn video(direction: Direction) -> Measured {
    Measured { media: Media::Video(None), direction, limit: Limit::None, ..Measured::default() }
}

/// Observes each second.
fn run(adapt: &mut Adapt, seconds: core::ops::Range<u64>, tracks: &[Track], sendable: u32) -> Vec<Adapted> {
    seconds.flat_map(|second| adapt.observe(at(second * 1000), tracks, Some(sendable))).collect()
}

fn words(steps: &[Adapted]) -> Vec<(&'static str, &'static str, bool, &'static str)> {
    steps.iter().map(|it| (it.what, it.step, it.active, it.reason)).collect()
}

#[test]
fn a_busy_encoder_takes_rungs_and_gives_them_back() {
    let mut adapt = Adapt::default();
    let down = run(&mut adapt, 0..4, &[camera(0.95)], 3_000_000);
    assert_eq!(words(&down), [("cpu", "frame-rate-20", true, "encode-time")]);
    let up = run(&mut adapt, 4..20, &[camera(0.2)], 3_000_000);
    assert_eq!(words(&up), [("cpu", "frame-rate-20", false, "recovered")]);
}

#[test]
fn frames_that_the_ladder_itself_leaves_out_are_not_missed() {
    let mut adapt = Adapt::default();
    run(&mut adapt, 0..4, &[camera(0.95)], 3_000_000);
    let mut capped = camera(0.6);
    capped.measured.fps = Some(20.0);
    assert_eq!(run(&mut adapt, 4..60, &[capped], 3_000_000), []);
}

#[test]
fn a_costly_codec_gives_way_before_what_is_received() {
    let mut adapt = Adapt::default();
    let mut vp9 = camera(0.95);
    vp9.measured.media = Media::Video(Some(Codec::Vp9));
    let steps = run(&mut adapt, 0..40, &[vp9, shown(0.0)], 3_000_000);
    assert_eq!(steps.iter().map(|step| step.step).nth(3), Some("codec"), "{steps:?}");
    let mut adapt = Adapt::default();
    let steps = run(&mut adapt, 0..40, &[camera(0.95), shown(0.0)], 3_000_000);
    assert_eq!(steps.iter().map(|step| step.step).nth(3), Some("receive-360"), "{steps:?}");
}

#[test]
fn readings_that_come_faster_count_once_a_second() {
    let mut adapt = Adapt::default();
    let quick: Vec<_> = (0..8).flat_map(|quarter| adapt.observe(at(quarter * 250), &[camera(0.95)], None)).collect();
    assert_eq!(quick, [], "two seconds in eight readings are no overload yet");
}

#[test]
fn a_path_too_thin_for_a_picture_pauses_those_that_are_sent() {
    let mut adapt = Adapt::default();
    let steps = run(&mut adapt, 0..6, &[camera(0.2), shown(0.0)], 120_000);
    assert_eq!(words(&steps), [("uplink", "video", true, "bandwidth")]);
    let steps = run(&mut adapt, 6..20, &[shown(0.0)], 900_000);
    assert_eq!(words(&steps), [("uplink", "video", false, "recovered")], "although nothing is sent meanwhile");
}

#[test]
fn pictures_that_all_stand_still_are_paused_one_alone_is_not() {
    let mut adapt = Adapt::default();
    assert_eq!(run(&mut adapt, 0..20, &[shown(0.9), shown(0.0)], 3_000_000), []);
    let steps = run(&mut adapt, 20..26, &[shown(0.9), shown(0.8)], 3_000_000);
    assert_eq!(words(&steps), [("downlink", "video", true, "frozen")]);
}

#[test]
fn the_edges_estimate_counts_on_the_way_down() {
    let mut adapt = Adapt::default();
    adapt.set_estimate(100_000);
    let steps = run(&mut adapt, 0..6, &[shown(0.0)], 3_000_000);
    assert_eq!(words(&steps), [("downlink", "video", true, "bandwidth")]);
    let mut unknown = Adapt::default();
    assert_eq!(run(&mut unknown, 0..60, &[shown(0.0)], 3_000_000), vec![]);
}
