//! The eight cases of RFC 8867 §5, seen from an SFU: what the RFC calls a sender is the edge, what it calls a flow is a viewer of a camera
//! that is sent in nine qualities up to 3 Mbit/s. Path delay 50 ms one way and a queue of 300 ms unless the case says otherwise.

use super::{QUEUE, kbps, pair, pairs};
use crate::bottleneck::{Cross, Schedule, Way};
use crate::client::ClientId;
use crate::plan::metrics::{Metric, quantile};
use crate::plan::{Cue, Plan, Run, Stage, Viewer, WARM_UP};
use crate::world::World;
use crate::{ms, secs};
use std::time::Duration;

/// What the best quality of the camera costs with headers: nobody needs to know of more.
const CEILING: u64 = 3_400_000;

pub(super) fn plans() -> Vec<Plan> {
    vec![
        Plan { name: "rfc8867-5.1", about: "variable capacity, one flow", length: secs(100), stage: one_flow, score: one_flow_score },
        Plan { name: "rfc8867-5.2", about: "variable capacity, two flows", length: secs(125), stage: two_flows, score: two_flows_score },
        Plan { name: "rfc8867-5.3", about: "congested feedback", length: secs(100), stage: feedback, score: feedback_score },
        Plan { name: "rfc8867-5.4", about: "competing flows", length: secs(120), stage: competing, score: competing_score },
        Plan { name: "rfc8867-5.5", about: "round-trip fairness", length: secs(300), stage: round_trips, score: round_trips_score },
        Plan { name: "rfc8867-5.6", about: "beside a long TCP flow", length: secs(120), stage: long_tcp, score: beside_tcp_score },
        Plan { name: "rfc8867-5.7", about: "beside short TCP flows", length: secs(300), stage: short_tcp, score: beside_tcp_score },
        Plan { name: "rfc8867-5.8", about: "a flow pauses and resumes", length: secs(120), stage: pausing, score: competing_score },
    ]
}

/// The numbers of the cases with one flow: what the link carries is there to be found out.
fn alone(run: &Run) -> Vec<Metric> {
    let errors = run.estimate_errors(CEILING);
    let mut metrics = vec![
        Metric::at_most("estimate error median %", quantile(errors.clone(), 0.5), 5.0),
        Metric::at_most("estimate error p90 %", quantile(errors, 0.9), 15.0),
    ];
    metrics.extend(common(run));
    metrics
}

/// Those of the cases with several. Nobody can know an equal share who doesn't know how many there are (docs/decisions/010): what counts is
/// that it comes out fair, and the estimates are told.
fn together(run: &Run, settled: Duration) -> Vec<Metric> {
    let beside = run.estimate_errors_beside_others(CEILING);
    let mut metrics = vec![
        Metric::told("estimate error from equal share, median %", quantile(run.estimate_errors(CEILING), 0.5)),
        Metric::told("estimate error from what is left, median %", quantile(beside.clone(), 0.5)),
        Metric::told("estimate error from what is left, p90 %", quantile(beside, 0.9)),
    ];
    metrics.extend(common(run));
    metrics.push(Metric::at_least("fairness (Jain)", run.fairness(settled), 0.9));
    metrics
}

/// The numbers that every case without strangers has.
fn common(run: &Run) -> Vec<Metric> {
    vec![
        Metric::told("utilisation %", run.utilisation(secs(5))),
        Metric::at_least("ladder used %", run.ladder_used(secs(5)), 80.0),
        Metric::at_most("queue p95 ms", run.queue_delay(0.95), 100.0),
        Metric::told("dropped %", run.dropped()),
        Metric::at_most("frozen %", run.freezes(), 2.0),
        Metric::told("layer changes a minute", run.switches_a_minute(secs(10))),
    ]
}

fn one_flow(world: &mut World) -> Stage {
    let steps = [(secs(0), kbps(1_000)), (secs(40), kbps(2_500)), (secs(60), kbps(600)), (secs(80), kbps(1_000))];
    pairs(world, 1, secs(100), Schedule::new(steps), QUEUE, &[])
}

fn one_flow_score(run: &Run) -> Vec<Metric> {
    let mut metrics = alone(run);
    metrics.push(Metric::at_most("recovery to 80 % after 40 s, s", run.recovery(secs(40), 0.8, CEILING), 10.0));
    metrics.push(Metric::at_most("recovery to 80 % after 80 s, s", run.recovery(secs(80), 0.8, CEILING), 10.0));
    metrics
}

fn two_flows(world: &mut World) -> Stage {
    let rates = [4_000, 2_000, 3_500, 1_000, 2_000];
    let steps = rates.into_iter().zip(0..).map(|(rate, step)| (secs(25 * step), kbps(rate)));
    pairs(world, 2, secs(125), Schedule::new(steps), QUEUE, &[])
}

fn two_flows_score(run: &Run) -> Vec<Metric> {
    together(run, secs(10))
}

fn feedback(world: &mut World) -> Stage {
    let forward = [(secs(0), kbps(2_000)), (secs(20), kbps(1_000)), (secs(40), kbps(500)), (secs(60), kbps(2_000))];
    let stage = pairs(world, 1, secs(100), Schedule::new(forward), QUEUE, &[]);
    let backward = Schedule::new([(secs(0), kbps(2_000)), (secs(35), kbps(800)), (secs(70), kbps(2_000))]);
    // Somebody uploads all the time over the way that the feedback takes.
    let upload = Cross { start: world.now(), end: world.now() + secs(110), round_trip: ms(100), bytes: None };
    let viewers: Vec<_> = stage.viewers.iter().map(|viewer| viewer.client).collect();
    let _ = world.share(Way::Up, &viewers, backward.shifted(world.now() + WARM_UP), QUEUE, &[upload]);
    stage
}

fn feedback_score(run: &Run) -> Vec<Metric> {
    let mut metrics = alone(run);
    metrics.push(Metric::at_most("recovery to 80 % after 60 s, s", run.recovery(secs(60), 0.8, CEILING), 10.0));
    metrics
}

/// Viewers that come one after the other, each over a path of its own length.
fn arriving(world: &mut World, rate: u64, length: Duration, every: Duration, one_way: &[Duration]) -> Stage {
    let bottleneck = world.share(Way::Down, &[], Schedule::constant(rate), QUEUE, &[]);
    let cues = one_way.iter().copied().zip(0_u32..).map(|(one_way, number)| {
        let at = every * number;
        let act = move |world: &mut World, stage: &mut Stage| {
            let client = pair(world, number as usize, one_way).1;
            world.widen(bottleneck, client);
            stage.viewers.push(Viewer { client, from: at, until: length });
        };
        Cue { at, act: Box::new(act) }
    });
    Stage { viewers: Vec::new(), bottleneck, cues: cues.collect() }
}

fn competing(world: &mut World) -> Stage {
    arriving(world, kbps(3_500), secs(120), secs(20), &[ms(50); 3])
}

fn competing_score(run: &Run) -> Vec<Metric> {
    together(run, secs(60))
}

fn round_trips(world: &mut World) -> Stage {
    arriving(world, kbps(4_000), secs(300), secs(10), &[ms(10), ms(25), ms(50), ms(100), ms(150)])
}

fn round_trips_score(run: &Run) -> Vec<Metric> {
    together(run, secs(100))
}

fn long_tcp(world: &mut World) -> Stage {
    let start = world.now() + secs(5);
    let tcp = Cross { start, end: start + secs(200), round_trip: ms(100), bytes: None };
    pairs(world, 1, secs(120), Schedule::constant(kbps(2_000)), QUEUE, &[tcp])
}

/// Ten downloads of 100 kB to 1 MB that begin all along the way (RFC 8867 §5.7 draws them; here they are spread evenly).
fn short_tcp(world: &mut World) -> Stage {
    let now = world.now() + secs(5);
    let flows: Vec<_> = (0..10)
        .map(|number| {
            let start = now + secs(28) * number;
            Cross { start, end: start + secs(200), round_trip: ms(100), bytes: Some(100_000 * (number as usize + 1)) }
        })
        .collect();
    pairs(world, 1, secs(300), Schedule::constant(kbps(2_000)), QUEUE, &flows)
}

/// Beside TCP nobody knows what a fair share is: the picture has to live, and to come back.
fn beside_tcp_score(run: &Run) -> Vec<Metric> {
    vec![
        Metric::told("utilisation by the call %", run.utilisation(secs(5))),
        Metric::told("queue p95 ms", run.queue_delay(0.95)),
        Metric::at_most("frozen %", run.freezes(), 5.0),
        Metric::told("layer changes a minute", run.switches_a_minute(secs(10))),
    ]
}

fn pausing(world: &mut World) -> Stage {
    let mut stage = pairs(world, 3, secs(120), Schedule::constant(kbps(3_500)), QUEUE, &[]);
    let publisher = |world: &World, viewer: ClientId| world.publisher_beside(viewer);
    let (third, paused) = (stage.viewers[2].client, stage.viewers[2].clone());
    stage.viewers[2].until = secs(40);
    for (at, silent) in [(secs(40), true), (secs(60), false)] {
        let paused = paused.clone();
        let act = move |world: &mut World, stage: &mut Stage| {
            let publisher = publisher(world, third);
            world[publisher].sources[0].silent = silent;
            if !silent {
                stage.viewers.push(Viewer { from: secs(60), until: secs(120), ..paused });
            }
        };
        stage.cues.push(Cue { at, act: Box::new(act) });
    }
    stage
}
