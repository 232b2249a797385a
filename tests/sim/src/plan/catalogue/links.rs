//! Links as people have them, and links that lie.

use super::{QUEUE, kbps, pairs};
use crate::bottleneck::{Discipline, Schedule, Way};
use crate::joining::Joining;
use crate::plan::metrics::{Metric, quantile};
use crate::plan::{Plan, Run, Stage, Viewer};
use crate::source::SourcePlan;
use crate::world::World;
use crate::{ms, secs};
use std::time::Duration;
use str0m_netem::{GilbertElliot, LossModel, NetemConfig, Probability, RandomLoss};

/// See the constant of the same name in `rfc8867`.
const CEILING: u64 = 3_400_000;

pub(super) fn plans() -> Vec<Plan> {
    vec![
        Plan {
            name: "ample",
            about: "nothing is short: the best layer, at once and for good",
            length: secs(60),
            stage: ample,
            score: ample_score,
        },
        Plan { name: "steady", about: "1.6 Mbit/s, nothing ever changes", length: secs(120), stage: steady, score: steady_score },
        Plan { name: "dip", about: "2.5 Mbit/s, for ten seconds 400 kbit/s", length: secs(70), stage: dip, score: dip_score },
        Plan {
            name: "random-loss",
            about: "5 % of everything lost, 3 Mbit/s behind it",
            length: secs(60),
            stage: random_loss,
            score: loss_score,
        },
        Plan { name: "wifi", about: "bursty loss and jitter, 4 Mbit/s", length: secs(90), stage: wifi, score: loss_score },
        Plan {
            name: "cellular",
            about: "a rate that swings between 0.8 and 3 Mbit/s, long queue",
            length: secs(120),
            stage: cellular,
            score: cellular_score,
        },
        Plan {
            name: "lost-feedback",
            about: "30 % of what the viewer sends is lost",
            length: secs(90),
            stage: lost_feedback,
            score: steady_score,
        },
        Plan {
            name: "three-behind-one",
            about: "three viewers of one camera behind 3 Mbit/s",
            length: secs(90),
            stage: three_behind_one,
            score: shared_score,
        },
        Plan {
            name: "policer",
            about: "1 Mbit/s by a policer: loss without delay",
            length: secs(90),
            stage: policer,
            score: policed_score,
        },
        Plan { name: "short-queue", about: "1 Mbit/s behind 30 ms of queue", length: secs(90), stage: short_queue, score: policed_score },
    ]
}

fn one(world: &mut World, length: Duration, schedule: Schedule, discipline: Discipline) -> Stage {
    pairs(world, 1, length, schedule, discipline, &[])
}

fn errors(run: &Run, median: f64, p90: f64) -> [Metric; 2] {
    let errors = run.estimate_errors(CEILING);
    [
        Metric::at_most("estimate error median %", quantile(errors.clone(), 0.5), median),
        Metric::at_most("estimate error p90 %", quantile(errors, 0.9), p90),
    ]
}

fn picture(run: &Run) -> [Metric; 4] {
    [
        Metric::at_most("queue p95 ms", run.queue_delay(0.95), 100.0),
        Metric::at_most("frozen %", run.freezes(), 1.0),
        Metric::told("utilisation %", run.utilisation(secs(10))),
        Metric::at_least("ladder used %", run.ladder_used(secs(10)), 90.0),
    ]
}

fn ample(world: &mut World) -> Stage {
    one(world, secs(60), Schedule::constant(kbps(20_000)), QUEUE)
}

fn ample_score(run: &Run) -> Vec<Metric> {
    let mut metrics = picture(run).to_vec();
    metrics.push(Metric::at_most("layer changes a minute", run.switches_a_minute(secs(10)), 0.0));
    metrics.push(Metric::at_most("until the estimate holds the best layer, s", run.recovery(Duration::ZERO, 1.0, 3_000_000), 3.0));
    metrics
}

fn steady(world: &mut World) -> Stage {
    one(world, secs(120), Schedule::constant(kbps(1_600)), QUEUE)
}

fn steady_score(run: &Run) -> Vec<Metric> {
    let mut metrics = errors(run, 5.0, 15.0).to_vec();
    metrics.extend(picture(run));
    metrics.push(Metric::at_most("layer changes a minute", run.switches_a_minute(secs(20)), 2.0));
    metrics
}

fn dip(world: &mut World) -> Stage {
    let steps = [(secs(0), kbps(2_500)), (secs(30), kbps(400)), (secs(40), kbps(2_500))];
    one(world, secs(70), Schedule::new(steps), QUEUE)
}

fn dip_score(run: &Run) -> Vec<Metric> {
    let mut metrics = errors(run, 5.0, 15.0).to_vec();
    metrics.push(Metric::at_most("queue p95 ms", run.queue_delay(0.95), 100.0));
    metrics.push(Metric::at_most("recovery to 80 % after the dip, s", run.recovery(secs(40), 0.8, CEILING), 10.0));
    metrics.push(Metric::at_most("frozen %", run.freezes(), 2.0));
    metrics
}

fn random_loss(world: &mut World) -> Stage {
    let stage = one(world, secs(60), Schedule::constant(kbps(3_000)), QUEUE);
    let loss = LossModel::Random(RandomLoss::new(Probability::new(0.05)));
    world.link(stage.viewers[0].client).down(NetemConfig::new().latency(ms(50)).loss(loss));
    stage
}

fn wifi(world: &mut World) -> Stage {
    let stage = one(world, secs(90), Schedule::constant(kbps(4_000)), QUEUE);
    let config = NetemConfig::new().latency(ms(10)).jitter(ms(5)).loss(LossModel::GilbertElliot(GilbertElliot::wifi()));
    world.link(stage.viewers[0].client).down(config);
    world.link(stage.viewers[0].client).up(config);
    stage
}

fn loss_score(run: &Run) -> Vec<Metric> {
    let mut metrics = vec![Metric::told("utilisation %", run.utilisation(secs(10)))];
    metrics.push(Metric::at_least("ladder used %", run.ladder_used(secs(10)), 90.0));
    metrics.push(Metric::at_most("queue p95 ms", run.queue_delay(0.95), 100.0));
    metrics.push(Metric::told("frozen %", run.freezes()));
    metrics.push(Metric::at_most("layer changes a minute", run.switches_a_minute(secs(20)), 4.0));
    metrics
}

fn cellular(world: &mut World) -> Stage {
    // A slow wave: every five seconds another rate.
    let rates = [3_000, 2_200, 1_500, 1_000, 800, 1_200, 1_900, 2_600];
    let steps = (0..24).map(|step| (secs(5 * step as u64), kbps(rates[step % rates.len()])));
    one(world, secs(120), Schedule::new(steps), Discipline::Queue(secs(1)))
}

fn cellular_score(run: &Run) -> Vec<Metric> {
    vec![
        Metric::told("utilisation %", run.utilisation(secs(10))),
        Metric::at_least("ladder used %", run.ladder_used(secs(10)), 90.0),
        Metric::told("queue p95 ms", run.queue_delay(0.95)),
        Metric::at_most("frozen %", run.freezes(), 5.0),
        Metric::told("layer changes a minute", run.switches_a_minute(secs(10))),
    ]
}

fn lost_feedback(world: &mut World) -> Stage {
    let stage = one(world, secs(90), Schedule::constant(kbps(1_600)), QUEUE);
    let loss = LossModel::Random(RandomLoss::new(Probability::new(0.3)));
    world.link(stage.viewers[0].client).up(NetemConfig::new().latency(ms(50)).loss(loss));
    stage
}

fn three_behind_one(world: &mut World) -> Stage {
    let _publisher = world.joined(Joining::new("publisher").publishing(SourcePlan::simulcast()));
    let viewers: Vec<_> = (0..3).map(|number| world.joined(Joining::new("viewer").numbered(number).slots(0, 1))).collect();
    let bottleneck = world.share(Way::Down, &viewers, Schedule::constant(kbps(3_000)), QUEUE, &[]);
    let viewers = viewers.into_iter().map(|client| Viewer { client, from: Duration::ZERO, until: secs(90) }).collect();
    Stage { viewers, bottleneck, ..Stage::default() }
}

fn shared_score(run: &Run) -> Vec<Metric> {
    let mut metrics = picture(run).to_vec();
    metrics.push(Metric::at_least("fairness (Jain)", run.fairness(secs(20)), 0.9));
    metrics.push(Metric::told("layer changes a minute", run.switches_a_minute(secs(20))));
    metrics
}

fn policer(world: &mut World) -> Stage {
    one(world, secs(90), Schedule::constant(kbps(1_000)), Discipline::Policer(20_000))
}

fn short_queue(world: &mut World) -> Stage {
    one(world, secs(90), Schedule::constant(kbps(1_000)), Discipline::Queue(ms(30)))
}

fn policed_score(run: &Run) -> Vec<Metric> {
    vec![
        Metric::at_most("dropped %", run.dropped(), 5.0),
        Metric::at_least("utilisation %", run.utilisation(secs(10)), 50.0),
        Metric::at_least("ladder used %", run.ladder_used(secs(10)), 90.0),
        Metric::at_most("frozen %", run.freezes(), 2.0),
        Metric::told("layer changes a minute", run.switches_a_minute(secs(20))),
    ]
}
