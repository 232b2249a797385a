//! Loss that follows the rate, and loss that doesn't.

use super::flow::{FlowConfig, Source};
use super::link::LinkConfig;
use super::score::Score;
use super::world::World;

const M: f64 = 1e6;

fn sources() -> [(&'static str, FlowConfig); 2] {
    [("fill", FlowConfig::new(Source::Fill(5.0 * M))), ("rungs", FlowConfig::new(Source::Rungs(vec![0.15 * M, 0.5 * M, 1.5 * M])))]
}

#[test]
fn random_loss() {
    for loss in [0.02, 0.05, 0.1] {
        for (name, flow) in sources() {
            let mut world = World::new(LinkConfig { loss, ..LinkConfig::constant(2.0 * M, 25.0) }, 21).with(flow);
            let mut score = Score::from(1.0);
            world.run(60.0, &mut score);
            score.print(&format!("loss {loss} {name}"), &world);
            assert!(score.error(0.5) <= 0.06, "the rate collapsed");
        }
    }
}

#[test]
fn policer() {
    for burst in [10_000.0, 40_000.0] {
        for (name, flow) in sources() {
            let mut world = World::new(LinkConfig { policer: Some(burst), ..LinkConfig::constant(1.0 * M, 25.0) }, 22).with(flow);
            let mut score = Score::from(1.0);
            world.run(60.0, &mut score);
            score.print(&format!("policer {burst} {name}"), &world);
            // Found, and not asked for twice a second.
            assert!(score.error(0.5) <= 0.25 && world.flows[0].switches <= 8);
        }
    }
}

/// A policer is found by one burst or by the loss it makes, and what is sent afterwards arrives.
#[test]
fn behind_a_policer_little_is_lost() {
    let rungs = FlowConfig::new(Source::Rungs(vec![0.15 * M, 0.5 * M, 3.0 * M]));
    let mut world = World::new(LinkConfig { policer: Some(20_000.0), ..LinkConfig::constant(1.0 * M, 25.0) }, 23).with(rungs);
    let mut score = Score::from(10.0);
    world.run(60.0, &mut score);
    assert!(world.flows[0].switches <= 8, "{} switches", world.flows[0].switches);
    assert!(score.utilisation(&world) > 0.45, "{}", score.utilisation(&world));
}

/// Loss that is the path's own takes no quality: not while it is found out, either.
#[test]
fn a_lossy_path_keeps_its_rung() {
    for seed in 31..37 {
        let rungs = FlowConfig::new(Source::Rungs(vec![0.15 * M, 0.5 * M, 1.5 * M]));
        let mut world = World::new(LinkConfig { loss: 0.08, ..LinkConfig::constant(4.0 * M, 25.0) }, seed).with(rungs);
        let mut score = Score::from(0.0);
        world.run(10.0, &mut score);
        let before = world.flows[0].switches;
        world.run(60.0, &mut score);
        assert_eq!(world.flows[0].switches, before, "seed {seed}");
        assert!(world.flows[0].estimate(world.now_us) > 1.5 * M);
    }
}
