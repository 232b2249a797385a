//! Network plans: a room, a bottleneck that changes, and what came of it in numbers. `make sim` runs them all and keeps the score.
//!
//! A plan says who joins and which queues lie between them and the edge; the run samples every [`SAMPLE`] what the edge believes the
//! path holds. [`metrics`] turns that and the logs into numbers, [`scoreboard`] compares them with their targets and with the last time.

pub mod catalogue;
pub mod metrics;
pub mod scoreboard;
pub mod trace;

use crate::client::ClientId;
use crate::world::World;
use crate::{ms, secs};
use std::time::Duration;

/// Between two looks at the estimates.
pub const SAMPLE: Duration = ms(100);

/// How long everybody has to come in before the clock of a plan starts.
const WARM_UP: Duration = secs(1);

/// One plan.
pub struct Plan {
    /// Its name on the scoreboard.
    pub name: &'static str,
    /// What it shows, for people.
    pub about: &'static str,
    /// How long it runs.
    pub length: Duration,
    /// Sets up the room; the plan's clock starts when it returns.
    pub stage: fn(&mut World) -> Stage,
    /// What is measured, and what it must come to.
    pub score: fn(&Run) -> Vec<metrics::Metric>,
}

/// What a [`Cue`] does.
pub type Act = Box<dyn FnOnce(&mut World, &mut Stage)>;

/// Something that happens while a plan runs.
pub struct Cue {
    /// When, on the plan's clock.
    pub at: Duration,
    /// What.
    pub act: Act,
}

/// Who plays.
#[derive(Default)]
pub struct Stage {
    /// Whose reception is measured, each with the part of the bottleneck's rate that is fairly its own over time.
    pub viewers: Vec<Viewer>,
    /// Number of the queue that is measured.
    pub bottleneck: usize,
    /// What happens later, in order.
    pub cues: Vec<Cue>,
}

/// Somebody whose reception is measured.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// Who.
    pub client: ClientId,
    /// From when on, on the plan's clock; its start-up is measured from here.
    pub from: Duration,
    /// Until when it takes part, on the plan's clock.
    pub until: Duration,
}

/// What the edge believed of one viewer's path.
#[derive(Clone, Debug)]
pub struct Belief {
    /// On the plan's clock.
    pub at: Duration,
    /// Bits per second; none: nothing yet.
    pub estimate: Option<u64>,
    /// Why, in words for people; empty unless the run is traced.
    pub why: String,
}

/// A plan that has run.
pub struct Run {
    /// The world as it is now.
    pub world: World,
    /// Who played.
    pub stage: Stage,
    /// The plan's clock when the world's showed zero.
    pub began: Duration,
    /// How long it ran.
    pub length: Duration,
    /// For each viewer.
    pub beliefs: Vec<Vec<Belief>>,
}

impl Plan {
    /// Runs it; `traced`: asks the estimators for their reasons, too.
    #[must_use]
    pub fn run(&self, seed: u64, traced: bool) -> Run {
        let mut world = World::seeded(seed);
        let mut stage = (self.stage)(&mut world);
        world.run_for(WARM_UP);
        let began = world.now();
        let mut beliefs = vec![Vec::new(); stage.viewers.len()];
        let mut at = Duration::ZERO;
        stage.cues.sort_by_key(|cue| cue.at);
        while at < self.length {
            while stage.cues.first().is_some_and(|cue| cue.at <= at) {
                let cue = stage.cues.remove(0);
                (cue.act)(&mut world, &mut stage);
                beliefs.resize(stage.viewers.len(), Vec::new());
            }
            world.run_for((began + at + SAMPLE).saturating_sub(world.now()));
            at += SAMPLE;
            for (viewer, beliefs) in stage.viewers.iter().zip(&mut beliefs) {
                if (viewer.from..viewer.until).contains(&at) {
                    let why = if traced { world.estimator(viewer.client) } else { String::new() };
                    beliefs.push(Belief { at, estimate: world.estimate(viewer.client), why });
                }
            }
        }
        Run { world, stage, began, length: self.length, beliefs }
    }
}
