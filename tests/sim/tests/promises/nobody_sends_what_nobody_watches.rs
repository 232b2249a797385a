//! Layers that nobody gets are turned off at the publisher, and are back when they are wanted.

use nearcast_protocol::{ClientMessage, EncodingDemand, ServerMessage, Wish};
use nearcast_sim::{ClientId, Joining, SourcePlan, World, ms, secs};
use std::time::Duration;

fn wish(world: &mut World, viewer: ClientId, publisher: ClientId, width: u16, visible: bool) {
    let publication = world[publisher].publication(0);
    let wish = Wish { publication, width, height: width / 16 * 9, visible, max_fps: 0, priority: Default::default() };
    world.request(viewer, ClientMessage::Wishes { wishes: vec![wish] });
}

/// Which encodings sent anything in the last `time`.
fn sending(world: &World, publisher: ClientId, time: Duration) -> [bool; 3] {
    let since = world.now().saturating_sub(time);
    [0, 1, 2].map(|encoding| world[publisher].sources[0].sent.iter().any(|sent| sent.at > since && sent.tag.encoding == encoding))
}

fn active(world: &World, publisher: ClientId) -> Vec<bool> {
    world[publisher].sources[0].demands.last().map_or(vec![true; 3], |(_, demands)| demands.iter().map(|demand| demand.active).collect())
}

#[test]
fn off_within_two_seconds_and_on_within_half_a_second() {
    let mut world = World::seeded(500);
    let alice = world.joined(Joining::new("alice").publishing(SourcePlan::simulcast()));
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    world.run_for(secs(4));
    assert_eq!(sending(&world, alice, ms(500)), [true, false, true], "the one in the middle is nobody's");

    wish(&mut world, bob, alice, 320, true);
    let waited = world.run_until(secs(2), "the top is off", |world| active(world, alice) == [true, false, false]);
    println!("off after {waited:?}");
    world.run_for(secs(1));
    assert_eq!(sending(&world, alice, ms(500)), [true, false, false]);

    wish(&mut world, bob, alice, 1280, true);
    let waited = world.run_until(ms(500), "the top is on", |world| sending(world, alice, ms(10))[2]);
    println!("on after {waited:?}");
    world.run_for(secs(2));
    assert_eq!(world[bob].packets_of(alice, 0).last().unwrap().tag.encoding, 2);

    // Hidden: only the smallest goes on, so that a picture is there at once.
    wish(&mut world, bob, alice, 1280, false);
    world.run_until(secs(2), "all but the smallest are off", |world| active(world, alice) == [true, false, false]);

    let publication = world[alice].publication(0);
    world.ask(bob, ClientMessage::Unsubscribe { publication: publication.clone() });
    world.run_until(secs(2), "all are off", |world| active(world, alice) == [false; 3]);
    world.run_for(secs(1));
    assert_eq!(sending(&world, alice, ms(500)), [false; 3]);

    let before = world[bob].packets_of(alice, 0).len();
    world.request(bob, ClientMessage::Subscribe { publication });
    let waited = world.run_until(ms(500), "a picture", |world| world[bob].packets_of(alice, 0).len() > before);
    println!("a picture after {waited:?}");
    world.run_for(secs(2));
    assert_eq!(world[bob].packets_of(alice, 0).last().unwrap().tag.encoding, 2, "as large as it comes, nothing else was said");
}

/// Somebody who looks away for a moment, or scrolls past, turns nothing off.
#[test]
fn a_moment_is_nothing() {
    let mut world = World::seeded(501);
    let alice = world.joined(Joining::new("alice").publishing(SourcePlan::simulcast()));
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    world.run_for(secs(4));
    let told = world[alice].sources[0].demands.len();
    for _ in 0..5 {
        wish(&mut world, bob, alice, 1280, false);
        world.run_for(ms(600));
        wish(&mut world, bob, alice, 1280, true);
        world.run_for(secs(1));
    }
    assert_eq!(world[alice].sources[0].demands.len(), told);
}

/// The union of what all want.
#[test]
fn every_viewer_counts() {
    let mut world = World::seeded(502);
    let alice = world.joined(Joining::new("alice").publishing(SourcePlan::simulcast()));
    let viewers: Vec<_> = (0..3).map(|number| world.joined(Joining::new("viewer").numbered(number).slots(0, 1))).collect();
    for (viewer, width) in viewers.iter().zip([320, 640, 1280]) {
        wish(&mut world, *viewer, alice, width, true);
    }
    world.run_for(secs(4));
    assert_eq!(sending(&world, alice, ms(500)), [true; 3]);
    world.leave(viewers[1]);
    world.run_until(secs(2), "the one in the middle is off", |world| active(world, alice) == [true, false, true]);
}

/// What was told on a lost WebSocket is told again.
#[test]
fn who_comes_back_is_told_again() {
    let mut world = World::seeded(503);
    let alice = world.joined(Joining::new("alice").publishing(SourcePlan::simulcast()));
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    wish(&mut world, bob, alice, 320, true);
    world.run_for(secs(4));
    world.lose_signalling(alice);
    world.run_for(secs(1));
    wish(&mut world, bob, alice, 640, true);
    world.run_for(secs(3));
    assert_eq!(active(&world, alice), [true, false, false], "she can't know yet");
    world.resume(alice);
    world.run_for(ms(500));
    assert_eq!(active(&world, alice), [true, true, false]);
}

/// There is nothing to leave out of a single layer.
#[test]
fn who_sends_one_layer_is_left_in_peace() {
    let mut world = World::seeded(504);
    let alice = world.joined(Joining::new("alice").camera().microphone());
    let bob = world.joined(Joining::new("bob").slots(1, 1));
    world.run_for(secs(3));
    let publication = world[alice].publication(0);
    world.ask(bob, ClientMessage::Unsubscribe { publication });
    world.run_for(secs(3));
    let told: Vec<Vec<EncodingDemand>> = world[alice].told(|message| match message {
        ServerMessage::Encodings { encodings, .. } => Some(encodings.clone()),
        _ => None,
    });
    assert!(told.is_empty(), "{told:?}");
}
