//! Frames' own bursts, and what they say of a path that became narrower while media still fits.

use super::super::trains::Trains;
use super::flow::{FlowConfig, Source};
use super::link::LinkConfig;
use super::score::Score;
use super::world::World;

const M: f64 = 1e6;

/// Ten frames of four packets of 1,000 bytes, whose last three arrive `spacing_us` after the one before each.
fn trains(spacing_us: i64) -> Trains {
    let mut trains = Trains::default();
    for frame in 0..10 {
        for packet in 0..4 {
            trains.push(frame * 33_333, frame * 33_333 + 50_000 + packet * spacing_us, 1_000);
        }
    }
    trains
}

#[test]
fn the_spacing_of_a_burst_is_the_narrowest_link() {
    let middle = trains(8_000).narrower_than(3.0 * M).unwrap();
    assert!((0.99 * M..1.01 * M).contains(&middle), "{middle}");
    // Nothing new, and nothing that was stretched.
    assert_eq!(trains(8_000).narrower_than(1.2 * M), None);
    assert_eq!(trains(100).narrower_than(100.0 * M), None);
}

#[test]
fn a_path_that_narrows_above_what_is_sent_is_noticed_within_two_seconds() {
    let link = LinkConfig::rfc8867(&[(0.0, 3.0 * M), (30.0, M)]);
    let mut world = World::new(link, 51).with(FlowConfig::new(Source::Rungs(vec![0.15 * M, 0.5 * M, 4.0 * M])));
    let mut score = Score::from(31.0);
    world.run(29.5, &mut score);
    let before = world.flows[0].estimate(world.now_us);
    world.run(32.0, &mut score);
    let after = world.flows[0].estimate(world.now_us);
    assert!(before > 2.5 * M && (0.8 * M..1.1 * M).contains(&after), "{before}, then {after}");
}
