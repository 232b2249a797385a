//! Unpublishing frees the subscriber's slot; publishing again fills it; a restarted encoder goes on in the same publication.

use nearcast_protocol::{ClientMessage, MediaAnswer, ServerMessage};
use nearcast_sim::{ClientId, Joining, SourcePlan, World, contiguous, extended, secs};
use str0m::media::Direction;

/// Alice's first section stops sending.
fn stop(world: &mut World, alice: ClientId) {
    let mid = world[alice].sources[0].mid;
    world[alice].sources[0].silent = true;
    world.offer(alice, &[], |changes| changes.set_direction(mid, Direction::Inactive));
}

/// It sends again.
fn start(world: &mut World, alice: ClientId) -> MediaAnswer {
    let mid = world[alice].sources[0].mid;
    let reply = world.offer(alice, &[0], |changes| changes.set_direction(mid, Direction::SendOnly));
    world[alice].sources[0].silent = false;
    let ServerMessage::Answer { answer, .. } = reply else { panic!("{reply:?}") };
    answer
}

#[test]
fn unpublish_and_publish_again() {
    let mut world = World::seeded(15);
    let alice = world.joined(Joining::new("alice").camera());
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    world.run_for(secs(2));
    let first = world[alice].publication(0);
    world.ask(alice, ClientMessage::Unpublish { publication: first.clone() });
    world.run_for(secs(1));
    assert_eq!(world[bob].slots[0].publication, None);
    assert_eq!(world.stats().publications, 0);
    let silent = world[bob].packets.len();
    world.run_for(secs(1));
    assert_eq!(world[bob].packets.len(), silent, "what is still sent goes nowhere");

    stop(&mut world, alice);
    start(&mut world, alice);
    world.run_for(secs(2));
    let second = world[alice].publication(0);
    assert_ne!(first, second);
    assert_eq!(world[bob].slots[0].publication, Some(second));
    let packets = world[bob].packets_of(alice, 0);
    assert!(packets.len() > silent + 200);
    assert!(contiguous(packets.iter().map(|packet| packet.seq)));
    assert!(extended(packets.iter().map(|packet| packet.timestamp)).is_sorted());
}

/// A browser keeps SSRC and SRTP state of a section that rests. By then its roll-over counter may be beyond zero.
#[test]
fn publishing_again_after_the_roll_over_works() {
    let mut world = World::seeded(16);
    let plan = SourcePlan { size: 120, ..SourcePlan::camera().paced(250, 20).starting_at(60_000, 5) };
    let alice = world.joined(Joining::new("alice").publishing(plan));
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    world.run_for(secs(3));
    stop(&mut world, alice);
    world.run_for(secs(1));
    start(&mut world, alice);
    let before = world[bob].packets.len();
    world.run_for(secs(1));
    assert_eq!(world.stats().dropped_srtp, 0);
    assert!(world[bob].packets.len() > before + 1_000);
}

#[test]
fn a_restarted_encoder_goes_on_in_the_same_stream() {
    let mut world = World::seeded(17);
    let alice = world.joined(Joining::new("alice").camera());
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    world.run_for(secs(2));
    world.restart_source(alice, 0, 0x1234, 9, 77);
    world.run_for(secs(2));
    let packets = world[bob].packets_of(alice, 0);
    assert!(packets.len() > 800);
    assert!(packets.windows(2).all(|pair| pair[0].ssrc == pair[1].ssrc), "the subscriber sees one SSRC");
    assert!(contiguous(packets.iter().map(|packet| packet.seq)));
    let timestamps = extended(packets.iter().map(|packet| packet.timestamp));
    assert!(timestamps.is_sorted());
    let pictures: Vec<_> = packets.iter().filter(|packet| packet.marker).map(|packet| packet.picture.unwrap().0).collect();
    assert!(pictures.windows(2).all(|pair| pair[1] == pair[0] + 1), "{pictures:?}");
    assert_eq!(world.stats().dropped_unknown_stream, 0);
}

/// A day with a camera that is switched on and off.
#[test]
fn a_hundred_restarts_lock_nobody_out() {
    let mut world = World::seeded(18);
    let alice = world.joined(Joining::new("alice").camera());
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    for restart in 1..=100 {
        world.restart_source(alice, 0, 0x1000 * restart, 9, 77);
        world.run_for(secs(1) / 5);
    }
    let before = world[bob].packets.len();
    world.run_for(secs(1));
    assert_eq!(world.stats().dropped_srtp, 0);
    assert!(world[bob].packets.len() > before + 200);
    assert!(contiguous(world[bob].packets_of(alice, 0).iter().map(|packet| packet.seq)));
}

/// Sections are added while the call goes on.
#[test]
fn a_second_source_joins_the_first() {
    let mut world = World::seeded(19);
    let alice = world.joined(Joining::new("alice").microphone());
    let bob = world.joined(Joining::new("bob").slots(1, 1));
    world.run_for(secs(1));
    world.grow(alice, vec![SourcePlan::camera()], 0, 0);
    world.run_for(secs(2));
    assert!(world[bob].packets_of(alice, 1)[0].keyframe);
    assert!(world[bob].packets_of(alice, 1).len() > 300);
    assert!(contiguous(world[bob].packets_of(alice, 0).iter().map(|packet| packet.seq)), "the first didn't notice");
}
