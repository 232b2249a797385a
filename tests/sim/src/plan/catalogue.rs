//! All plans.

mod links;
mod rfc8867;

use super::{Plan, Stage, Viewer};
use crate::bottleneck::{Cross, Discipline, Schedule, Way};
use crate::joining::Joining;
use crate::source::SourcePlan;
use crate::world::World;
use crate::{ClientId, ms};
use std::time::Duration;

/// Every plan, in the order of the scoreboard.
#[must_use]
pub fn all() -> Vec<Plan> {
    rfc8867::plans().into_iter().chain(links::plans()).collect()
}

/// Megabits per second (10^6).
const fn kbps(kilobits: u64) -> u64 {
    kilobits * 1_000
}

/// What a queue holds at most: RFC 8867 §5 asks for 300 ms.
const QUEUE: Discipline = Discipline::Queue(ms(300));

/// A publisher of a camera in three encodings of three temporal layers and one viewer, in a room of their own. The viewer's way is `one_way` long.
fn pair(world: &mut World, number: usize, one_way: Duration) -> (ClientId, ClientId) {
    let room = format!("room {number}");
    let publisher = world.joined(Joining::new("publisher").room(&room).publishing(SourcePlan::simulcast()));
    let viewer = world.joined(Joining::new("viewer").room(&room).slots(0, 1));
    world.link(viewer).delay(one_way);
    (publisher, viewer)
}

/// `count` pairs behind one queue, all there from the beginning; the queue gets their datagrams from now on.
fn pairs(world: &mut World, count: usize, length: Duration, schedule: Schedule, discipline: Discipline, cross: &[Cross]) -> Stage {
    let viewers: Vec<_> = (0..count).map(|number| pair(world, number, ms(50)).1).collect();
    let bottleneck = world.share(Way::Down, &viewers, schedule.shifted(world.now() + super::WARM_UP), discipline, cross);
    let viewers = viewers.into_iter().map(|client| Viewer { client, from: Duration::ZERO, until: length }).collect();
    Stage { viewers, bottleneck, ..Stage::default() }
}
