//! Probes: at the start, on demand, and never without one.

use super::super::cluster::{Clusters, Ended, Plan};
use super::super::{CongestionController, Demand, EstimateState, SentClass};
use super::feedback::exchange;
use super::flow::{FlowConfig, Source};
use super::link::LinkConfig;
use super::score::Score;
use super::world::World;
use std::time::{Duration, Instant};

const M: f64 = 1e6;

#[test]
fn the_start_finds_the_path_within_two_seconds() {
    for bps in [0.5 * M, 1.0 * M, 3.0 * M] {
        let rungs = FlowConfig::new(Source::Rungs(vec![0.15 * M, 0.5 * M, 1.5 * M, 3.0 * M]));
        let mut world = World::new(LinkConfig::constant(bps, 25.0), 41).with(rungs);
        let mut score = Score::from(0.0);
        world.run(2.0, &mut score);
        let estimate = world.flows[0].estimate(world.now_us);
        assert!((0.8 * bps..1.25 * bps).contains(&estimate), "{estimate} of {bps}");
    }
}

#[test]
fn without_demand_nothing_is_probed() {
    let start = Instant::now();
    let mut controller = CongestionController::new(start);
    controller.set_demand(Demand { allocated_bps: 100_000, wanted_bps: 100_000, max_bps: 100_000 });
    exchange(&mut controller, start, 0, 500, 20);
    assert_eq!(controller.stats().probes, 0);
    assert_eq!(controller.poll_padding(start + Duration::from_secs(11)), None);
}

#[test]
fn a_probe_is_paid_in_steps_and_ends() {
    let start = Instant::now();
    let mut controller = CongestionController::new(start);
    controller.set_demand(Demand { allocated_bps: 300_000, wanted_bps: 2_000_000, max_bps: 2_000_000 });
    controller.on_sent(start, 200, SentClass::Audio);
    controller.handle_tick(start);
    let (mut sent, mut now) = (0, start);
    while let Some(due) = controller.poll_timeout(now) {
        assert!(due > now);
        now = due;
        while let Some(bytes) = controller.poll_padding(now) {
            assert!(bytes <= 5_000, "{bytes}");
            controller.on_sent(now, bytes.clamp(200, 1_200), SentClass::Padding);
            sent += bytes.clamp(200, 1_200);
        }
    }
    let lasted = now - start;
    assert!(lasted >= Duration::from_millis(15) && lasted <= Duration::from_millis(200), "{lasted:?}");
    let rate = sent as f64 * 8.0 / lasted.as_secs_f64();
    assert!((0.8 * M..1.5 * M).contains(&rate), "{rate}");
    assert_eq!(controller.stats().probes, 1);
}

#[test]
fn who_has_not_answered_is_sent_little_and_not_for_ever() {
    let start = Instant::now();
    let mut controller = CongestionController::new(start);
    controller.set_demand(Demand { allocated_bps: 300_000, wanted_bps: 2_000_000, max_bps: 2_000_000 });
    let seconds = |seconds| start + Duration::from_secs(seconds);
    // Nothing was sent yet: however long that takes, the guess stands.
    assert_eq!(controller.first_guess(seconds(9)).map(|guess| (guess.bps, guess.state)), Some((300_000, EstimateState::Starting)));
    controller.on_sent(seconds(10), 1_200, SentClass::Video);
    assert!(controller.first_guess(seconds(11)).is_some() && controller.estimate(seconds(11)).is_none());
    assert_eq!((controller.first_guess(seconds(12)), controller.estimate(seconds(12))), (None, None));
    // One probe is enough to ask.
    for second in 10..30 {
        controller.handle_tick(seconds(second));
        let _ = controller.poll_padding(seconds(second));
    }
    assert_eq!(controller.stats().probes, 1);
    exchange(&mut controller, start, 31_000, 30, 10);
    assert!(controller.first_guess(seconds(32)).is_none() && controller.estimate(seconds(32)).is_some_and(|estimate| estimate.answered));
}

#[test]
fn application_limited_neither_grows_nor_decays() {
    let rungs = FlowConfig::new(Source::Rungs(vec![0.15 * M, 0.5 * M]));
    let mut world = World::new(LinkConfig::constant(5.0 * M, 25.0), 42).with(rungs);
    let mut score = Score::from(0.0);
    world.run(10.0, &mut score);
    let known = world.flows[0].estimate(world.now_us);
    assert!(known > 0.5 * M);
    world.run(60.0, &mut score);
    let later = world.flows[0].estimate(world.now_us);
    assert!((later - known).abs() <= known * 0.2, "{known} {later}");
}

#[test]
fn the_same_input_gives_the_same_estimates() {
    let run = || {
        let link = LinkConfig { jitter_ms: 10.0, loss: 0.02, ..LinkConfig::constant(M, 25.0) };
        let mut world = World::new(link, 43).with(FlowConfig::new(Source::Fill(5.0 * M)));
        let mut score = Score::from(0.0);
        world.run(20.0, &mut score);
        score.trace
    };
    assert_eq!(run(), run());
}

/// Of few packets of many sizes, rates depend on which one is left out; the path decides nothing by it.
#[test]
fn packets_of_many_sizes_are_no_limit() {
    for sizes in [[903, 540, 540, 540, 540, 323, 150], [150, 323, 540, 540, 540, 903, 150]] {
        let mut clusters = Clusters::default();
        clusters.start(0, Plan { bps: M, duration_us: 15_000 });
        let mut sent_us = 0;
        for size in sizes {
            let id = clusters.on_sent(sent_us, size);
            clusters.on_answer(id, sent_us, Some(sent_us + 50_000), size, false);
            sent_us += i64::from(size) * 8;
        }
        let found = clusters.poll_ended(2_000_000, 0.0);
        assert!(matches!(found, Some(Ended::Found(found)) if !found.limited), "{found:?}");
    }
}
