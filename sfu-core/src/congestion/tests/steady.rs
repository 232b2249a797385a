//! Constant links, dips, jitter.

use super::flow::{FlowConfig, Source};
use super::link::LinkConfig;
use super::score::Score;
use super::world::World;

const M: f64 = 1e6;

fn rungs() -> FlowConfig {
    FlowConfig::new(Source::Rungs(vec![0.15 * M, 0.5 * M, 1.5 * M, 3.0 * M]))
}

fn fill() -> FlowConfig {
    FlowConfig::new(Source::Fill(10.0 * M))
}

#[test]
fn constant_links() {
    for (index, bps) in [0.3, 0.6, 1.0, 2.0, 5.0, 20.0].into_iter().enumerate() {
        for (name, flow) in [("fill", FlowConfig::new(Source::Fill(30.0 * M))), ("rungs", rungs())] {
            let mut world = World::new(LinkConfig::constant(bps * M, 25.0), index as u64).with(flow);
            let mut score = Score::from(1.0);
            world.run(60.0, &mut score);
            score.print(&format!("{name} {bps}"), &world);
            let slow = bps < 0.5; // a packet takes 32 ms at 300 kbit/s
            assert!(score.error(0.5) <= if slow { 0.10 } else { 0.07 } && score.error(0.9) <= if slow { 0.20 } else { 0.16 });
            assert!(score.queue_p95() <= if slow { 160.0 } else { 100.0 });
            assert!(world.flows[0].switches <= 3);
        }
    }
}

#[test]
fn dips_are_recovered_from() {
    for (name, flow) in [("fill", fill()), ("rungs", rungs())] {
        let rate = [(0.0, 2.5 * M), (20.0, 0.5 * M), (30.0, 2.5 * M)];
        let mut world = World::new(LinkConfig { delay_ms: 25.0, ..LinkConfig::rfc8867(&rate) }, 11).with(flow);
        let mut score = Score::from(1.0);
        world.run(60.0, &mut score);
        score.print(&format!("dip {name}"), &world);
        let fell = score.trace.iter().find(|(at, estimates, _)| *at > 20.0 && estimates[0] < 0.55 * M).map(|(at, ..)| at - 20.0);
        let back = score.reached(30.0, 2.0 * M);
        eprintln!("    80 % after {back:?} s, down after {fell:?} s");
        assert!(back.is_some_and(|seconds| seconds <= 10.0) && fell.is_some_and(|seconds| seconds <= 1.0));
    }
}

#[test]
fn jitter() {
    for jitter_ms in [5.0, 15.0, 30.0] {
        for (name, flow) in [("fill", fill()), ("rungs", rungs())] {
            let mut world = World::new(LinkConfig { jitter_ms, ..LinkConfig::constant(2.0 * M, 20.0) }, 12).with(flow);
            let mut score = Score::from(1.0);
            world.run(60.0, &mut score);
            score.print(&format!("jitter {jitter_ms} {name}"), &world);
            assert!(score.error(0.5) <= 0.01 * jitter_ms.max(10.0) && score.queue_p95() <= 100.0);
        }
    }
}
