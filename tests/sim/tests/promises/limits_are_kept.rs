//! Every table has a bound; crossing one is refused with a reason and costs nobody else anything.

use nearcast_protocol::{ErrorCode, ServerMessage};
use nearcast_sim::{ClientId, Joining, SourcePlan, World, secs};

fn small(seed: u64) -> World {
    World::sharded(seed, 1, |config| {
        config.limits.participants_per_room = 3;
        config.limits.publications_per_participant = 2;
        config.limits.slots_per_participant = 4;
        config.limits.rooms = 2;
    })
}

fn refusals(world: &World, who: ClientId) -> Vec<ErrorCode> {
    world[who].told(|message| match message {
        ServerMessage::Failed { error, .. } => Some(error.code),
        _ => None,
    })
}

#[test]
fn a_full_room_takes_no_more() {
    let mut world = small(130);
    let people: Vec<_> = (0..3).map(|number| world.joined(Joining::new("somebody").numbered(number).slots(1, 1))).collect();
    let late = world.join(Joining::new("late").slots(1, 1));
    world.run_for(secs(1));
    assert_eq!(refusals(&world, late), [ErrorCode::RoomFull]);
    assert_eq!(world[late].connection, None);
    assert_eq!(world.stats().participants, 3);

    // A reload of somebody's page takes no new seat.
    let again = world.join(Joining::new("somebody").numbered(1).slots(1, 1));
    world.run_for(secs(1));
    assert_eq!(refusals(&world, again), []);
    assert_eq!(world[people[1]].connection, None, "the old page was replaced");
    assert_eq!(world.stats().participants, 3);
}

#[test]
fn rooms_are_counted_too() {
    let mut world = small(131);
    let first = world.joined(Joining::new("a").room("one").slots(1, 0));
    let _second = world.joined(Joining::new("b").room("two").slots(1, 0));
    let third = world.join(Joining::new("c").room("three").slots(1, 0));
    world.run_for(secs(1));
    assert_eq!(refusals(&world, third), [ErrorCode::Overloaded]);
    world.leave(first);
    let fourth = world.joined(Joining::new("d").room("three").slots(1, 0));
    assert_eq!(refusals(&world, fourth), []);
}

#[test]
fn one_publishes_only_so_much() {
    let mut world = small(132);
    let alice = world.joined(Joining::new("alice").camera().microphone());
    let reply = world.grow(alice, vec![SourcePlan::camera()], 0, 0);
    let ServerMessage::Answer { answer, .. } = reply else { panic!("{reply:?}") };
    assert_eq!(answer.published[0].error.as_ref().unwrap().code, ErrorCode::LimitReached);
    assert_eq!(world.stats().publications, 2);
    world.run_for(secs(1));
    assert!(world[alice].is_connected());
}

#[test]
fn one_receives_only_so_much() {
    let mut world = small(133);
    let alice = world.joined(Joining::new("alice").camera());
    let bob = world.joined(Joining::new("bob").slots(3, 5));
    world.run_for(secs(1));
    assert!(world[bob].packets_of(alice, 0).len() > 100, "the first four work");
}
