//! The eight cases of RFC 8867 §5, with a source that fills the estimate.

use super::flow::{FlowConfig, Source};
use super::link::LinkConfig;
use super::score::{Score, fairness};
use super::tcp::Tcp;
use super::world::World;

const M: f64 = 1e6;

fn fill() -> FlowConfig {
    FlowConfig::new(Source::Fill(10.0 * M))
}

/// Runs a world from each of several seeds, and gives the means of what they came to: where flows share, which one wins first is chance, and
/// one seed's score says as much of the seed as of the flows.
fn means(name: &str, from: f64, to: f64, world: impl Fn(u64) -> World) -> Means {
    const SEEDS: u64 = 6;
    let mut means = Means::default();
    for seed in 1..=SEEDS {
        let mut world = world(seed);
        world.run(from, &mut Score::from(0.0));
        let mut score = Score::from(from);
        world.run(to, &mut score);
        let share = 1.0 / SEEDS as f64;
        means.error += score.error(0.5) * share;
        means.error_p90 += score.error(0.9) * share;
        means.queue_p95 += score.queue_p95() * share;
        means.utilisation += score.utilisation(&world) * share;
        means.fairness += fairness(&score.shares(&world)) * share;
    }
    eprintln!("{name}, {SEEDS} seeds: {means:.3?}");
    means
}

#[derive(Debug, Default)]
struct Means {
    error: f64,
    error_p90: f64,
    queue_p95: f64,
    utilisation: f64,
    fairness: f64,
}

/// Numbers of the figures: RFC 8867 §5.1-5.8.
#[test]
fn case_5_1_variable_capacity_one_flow() {
    let rate = [(0.0, M), (40.0, 2.5 * M), (60.0, 0.6 * M), (80.0, M)];
    let means = means("5.1 variable", 1.0, 100.0, |seed| World::new(LinkConfig::rfc8867(&rate), seed).with(fill()));
    assert!(means.error <= 0.05 && means.error_p90 <= 0.2 && means.queue_p95 <= 110.0, "{means:?}");
}

#[test]
fn case_5_2_variable_capacity_two_flows() {
    let rate = [(0.0, 4.0 * M), (25.0, 2.0 * M), (50.0, 3.5 * M), (75.0, M), (100.0, 2.0 * M)];
    let means = means("5.2 two flows", 1.0, 125.0, |seed| World::new(LinkConfig::rfc8867(&rate), seed).with(fill()).with(fill()));
    assert!(means.queue_p95 <= 100.0 && means.utilisation > 0.85 && means.fairness > 0.92, "{means:?}");
}

#[test]
fn case_5_3_congested_feedback() {
    let rate = [(0.0, 2.0 * M), (20.0, M), (40.0, 0.5 * M), (60.0, 2.0 * M)];
    // The way back is loaded, too: feedback is later and some of it gets lost.
    let flow = FlowConfig { feedback_delay_ms: 120.0, feedback_loss: 0.1, ..fill() };
    let mut world = World::new(LinkConfig::rfc8867(&rate), 3).with(flow);
    let mut score = Score::from(1.0);
    world.run(100.0, &mut score);
    score.print("5.3 congested feedback", &world);
    assert!(score.error(0.5) <= 0.10 && score.queue_p95() <= 130.0);
}

#[test]
fn case_5_4_competing_flows() {
    let mut world = World::new(LinkConfig::rfc8867(&[(0.0, 3.5 * M)]), 4);
    for starts in [0.0, 20.0, 40.0] {
        world = world.with(FlowConfig { starts, ..fill() });
    }
    let mut score = Score::from(1.0);
    world.run(60.0, &mut score);
    let mut late = Score::from(60.0);
    world.run(120.0, &mut late);
    late.print("5.4 three flows, from 60 s", &world);
    assert!(fairness(&late.shares(&world)) > 0.90);
    assert!(late.queue_p95() <= 100.0 && late.utilisation(&world) > 0.9);
}

#[test]
fn case_5_5_round_trip_fairness() {
    let mut world = World::new(LinkConfig { delay_ms: 10.0, ..LinkConfig::rfc8867(&[(0.0, 4.0 * M)]) }, 5);
    for (index, one_way) in [10.0, 25.0, 50.0, 100.0, 150.0].into_iter().enumerate() {
        world = world.with(FlowConfig { starts: 10.0 * index as f64, extra_delay_ms: one_way - 10.0, feedback_delay_ms: 10.0, ..fill() });
    }
    let mut score = Score::from(1.0);
    world.run(60.0, &mut score);
    let mut late = Score::from(60.0);
    world.run(300.0, &mut late);
    late.print("5.5 five round trips", &world);
    assert!(fairness(&late.shares(&world)) > 0.95);
    assert!(late.queue_p95() <= 100.0 && late.utilisation(&world) > 0.9);
}

#[test]
fn case_5_6_long_tcp() {
    let mut world = World::new(LinkConfig::rfc8867(&[(0.0, 2.0 * M)]), 6).with(fill()).with_tcp(Tcp::new(5.0, 1000.0, 50.0));
    let mut score = Score::from(15.0);
    world.run(120.0, &mut score);
    score.print("5.6 long TCP", &world);
    // Neither starved nor starving.
    assert!((0.6 * M..1.4 * M).contains(&score.shares(&world)[0]));
}

#[test]
fn case_5_7_short_tcps() {
    let mut world = World::new(LinkConfig::rfc8867(&[(0.0, 2.0 * M)]), 7).with(fill());
    for index in 0..10 {
        let starts = 5.0 + 11.0 * f64::from(index);
        world = world.with_tcp(Tcp::new(starts, starts + 3.0, 50.0));
    }
    let mut score = Score::from(1.0);
    world.run(120.0, &mut score);
    score.print("5.7 short TCPs", &world);
    assert!(score.shares(&world)[0] > 0.8 * M);
}

#[test]
fn case_5_8_pause_and_resume() {
    let mut world = World::new(LinkConfig::rfc8867(&[(0.0, 3.5 * M)]), 8);
    for index in 0..3 {
        let pauses = if index == 0 { vec![(40.0, 60.0)] } else { vec![] };
        world = world.with(FlowConfig { pauses, ..fill() });
    }
    let mut score = Score::from(1.0);
    world.run(120.0, &mut score);
    score.print("5.8 pause", &world);
    assert!(fairness(&score.shares(&world)) > 0.95);
    assert!(score.queue_p95() <= 100.0);
}
