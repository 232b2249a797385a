use super::*;
use crate::layer::Targets;

const fn target(spatial: u8, temporal: u8) -> Target {
    Target { spatial, temporal }
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn tag(temporal: u8) -> LayerTag {
    let layer = target(0, temporal);
    LayerTag { layer, present: Targets::at_least(layer), ..LayerTag::single(false, true, true) }
}

/// `frames` at 30 frames/s from frame `first` on, layers 0, 2, 1, 2 by turns, 1,000, 500, 700 bytes a frame by layer.
fn camera(meter: &mut Meter, start: Instant, first: u32, frames: u32) -> Instant {
    let mut now = start;
    for frame in first..first + frames {
        now = start + Duration::from_micros(33_333) * (frame - first);
        let temporal = [0, 2, 1, 2][frame as usize % 4];
        let bytes = [1_000, 700, 500][usize::from(temporal)];
        meter.on_packet(&tag(temporal), frame * 3_000, bytes, now);
    }
    now
}

#[test]
fn rates_are_those_of_the_last_second() {
    let (mut meter, start) = (Meter::default(), Instant::now());
    let now = camera(&mut meter, start, 0, 120);
    let kbps = [0, 1, 2, 3].map(|temporal| meter.bitrate(target(0, temporal), now) as f64 / 1_000.0);
    // 7.5 frames/s of 1,000 bytes; as many of 700; 15 of 500.
    for (measured, expected) in kbps.into_iter().zip([60.0, 102.0, 162.0, 162.0]) {
        assert!((measured / expected - 1.0).abs() < 0.15, "{measured} is not {expected}");
    }
    let fps = [0, 1, 2].map(|temporal| meter.fps(target(0, temporal), now));
    assert!((7..=8).contains(&fps[0]) && (14..=16).contains(&fps[1]) && (29..=31).contains(&fps[2]), "{fps:?}");
    assert_eq!(meter.layers().collect::<Vec<_>>(), [target(0, 0), target(0, 1), target(0, 2)]);
}

#[test]
fn a_change_shows_within_a_second() {
    let (mut meter, start) = (Meter::default(), Instant::now());
    let mut now = camera(&mut meter, start, 0, 90);
    let before = meter.bitrate(target(0, 0), now);
    for frame in 90..120 {
        now += ms(33);
        meter.on_packet(&tag(0), frame * 3_000, 4_000, now);
    }
    let after = meter.bitrate(target(0, 0), now) as f64;
    assert!(before < 80_000 && (after / 970_000.0 - 1.0).abs() < 0.1, "{before}, then {after}");
}

#[test]
fn a_stream_that_paused_costs_what_it_did() {
    let (mut meter, start) = (Meter::default(), Instant::now());
    let now = camera(&mut meter, start, 0, 90);
    let before = meter.bitrate(target(0, 2), now);
    let later = now + ms(20_000);
    assert!(meter.bitrate(target(0, 2), later).abs_diff(before) < before / 5);
    // Back with a key frame twenty times as large.
    meter.on_packet(&tag(0), 90 * 3_000, 20_000, later);
    let now = camera(&mut meter, later + ms(33), 91, 10);
    assert!(meter.bitrate(target(0, 2), now).abs_diff(before) < before / 5, "{}", meter.bitrate(target(0, 2), now));
}

#[test]
fn a_layer_that_stops_is_noticed_after_half_a_second() {
    let (mut meter, start) = (Meter::default(), Instant::now());
    let mut now = camera(&mut meter, start, 0, 30);
    for frame in 30..44 {
        now += ms(33);
        meter.on_packet(&tag(0), frame * 3_000, 100, now);
    }
    assert!(meter.has(target(0, 2), now), "after 460 ms");
    now += ms(100);
    assert!(!meter.has(target(0, 2), now) && meter.has(target(0, 0), now));
}

#[test]
fn a_screen_that_stands_still_keeps_its_layers() {
    let (mut meter, start) = (Meter::default(), Instant::now());
    for frame in 0..8_u32 {
        meter.on_packet(&tag([0, 2, 1, 2][frame as usize % 4]), frame * 90_000, 100, start + Duration::from_secs(frame.into()));
    }
    let now = start + ms(7_900);
    assert!((0..3).all(|temporal| meter.has(target(0, temporal), now)));
}

#[test]
fn nothing_is_known_of_nothing() {
    let (meter, now) = (Meter::default(), Instant::now());
    assert_eq!((meter.bitrate(Target::TOP, now), meter.fps(Target::TOP, now), meter.has(target(0, 0), now)), (0, 0, false));
}
