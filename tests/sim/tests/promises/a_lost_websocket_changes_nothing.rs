//! The session outlives its WebSocket: media goes on, coming back finds everything as it was. Who doesn't come back is removed.

use nearcast_protocol::{ClientMessage, ErrorCode, LeaveReason, ServerMessage};
use nearcast_sim::{Joining, World, contiguous, ms, secs};

#[test]
fn media_goes_on_and_the_session_is_found_again() {
    let mut world = World::seeded(40);
    let alice = world.joined(Joining::new("alice").camera());
    let bob = world.joined(Joining::new("bob").slots(0, 2));
    world.run_for(secs(1));
    let (participant, session) = (world[bob].participant(), world[bob].session());
    let bound = world[bob].slots.clone();
    world.lose_signalling(bob);
    world.lose_signalling(alice);
    world.run_for(secs(20));
    let publication = world[alice].publication(0);
    world.resume(alice);
    world.resume(bob);
    world.run_for(secs(1));

    let joined = world[bob].joined().unwrap();
    assert!(joined.resumed);
    assert_eq!((&joined.participant.id, &joined.session), (&participant, &session));
    assert_eq!(joined.others.len(), 1);
    assert_eq!(joined.others[0].publications[0].id, publication);
    assert_eq!(
        world[bob].slots.iter().map(|slot| &slot.publication).collect::<Vec<_>>(),
        bound.iter().map(|slot| &slot.publication).collect::<Vec<_>>()
    );
    let packets = world[bob].packets_of(alice, 0);
    assert!(contiguous(packets.iter().map(|packet| packet.seq)));
    let longest = packets.windows(2).map(|pair| pair[1].at - pair[0].at).max().unwrap();
    assert!(longest < ms(50), "no gap in media: {longest:?}");
    assert_eq!(world[bob].told(|message| matches!(message, ServerMessage::ParticipantLeft { .. }).then_some(())).len(), 0);
    assert_eq!((world.stats().resumes, world.stats().participants), (2, 2));
}

#[test]
fn what_happened_meanwhile_is_in_the_snapshot() {
    let mut world = World::seeded(41);
    let alice = world.joined(Joining::new("alice").camera());
    let bob = world.joined(Joining::new("bob").slots(0, 2));
    world.lose_signalling(bob);
    world.run_for(secs(1));
    let carol = world.joined(Joining::new("carol").camera());
    let publication = world[alice].publication(0);
    world.ask(alice, ClientMessage::Unpublish { publication });
    world.run_for(secs(1));
    assert_eq!(world[bob].joined().unwrap().others.len(), 1, "told nothing without a WebSocket");
    world.resume(bob);
    world.run_for(secs(1));
    let joined = world[bob].joined().unwrap();
    let publications: Vec<_> = joined.others.iter().map(|other| other.publications.len()).collect();
    assert_eq!(publications, [0, 1]);
    assert_eq!(joined.slots.len(), 1);
    assert_eq!(joined.slots[0].publication, Some(world[carol].publication(0)));
    assert!(world[bob].packets_of(carol, 0).len() > 10);
}

#[test]
fn after_the_window_everything_is_gone() {
    let mut world = World::seeded(42);
    let alice = world.joined(Joining::new("alice").camera());
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    world.run_for(secs(1));
    world.vanish(alice);
    let took = world.run_until(secs(60), "alice is told gone", |world| {
        !world[bob]
            .told(|message| matches!(message, ServerMessage::ParticipantLeft { reason: LeaveReason::TimedOut, .. }).then_some(()))
            .is_empty()
    });
    println!("removed after {took:?}");
    assert!((secs(29)..secs(33)).contains(&took), "the window is 30 s: {took:?}");
    assert_eq!((world.stats().participants, world.stats().publications), (1, 0));
    world.vanish(bob);
    world.run_for(secs(40));
    assert!(world.edge.table_sizes().iter().all(|(_, size)| *size == 0), "{:?}", world.edge.table_sizes());
}

#[test]
fn coming_back_too_late_or_as_somebody_else_is_refused() {
    let mut world = World::seeded(43);
    let alice = world.joined(Joining::new("alice").slots(0, 1));
    let _bob = world.joined(Joining::new("bob").slots(0, 1));
    world.link(alice).cut(true);
    world.lose_signalling(alice);
    world.run_for(secs(45));
    let before = world[alice].signals.len();
    world.resume(alice);
    world.run_for(secs(1));
    let refusals = world[alice].told(|message| match message {
        ServerMessage::Failed { error, .. } => Some(error.code),
        _ => None,
    });
    assert_eq!(refusals, [ErrorCode::SessionUnknown]);
    assert_eq!(world[alice].signals.len(), before + 1);
    assert_eq!(world[alice].connection, None, "and the WebSocket is closed");
}

/// The old WebSocket may be half-open: the new one takes over, the old one is closed.
#[test]
fn a_second_websocket_takes_over() {
    let mut world = World::seeded(44);
    let alice = world.joined(Joining::new("alice").camera());
    world.resume(alice);
    world.run_for(secs(1));
    assert!(world[alice].joined().unwrap().resumed);
    assert!(matches!(world.ask(alice, ClientMessage::Ping), ServerMessage::Pong { .. }));
    assert_eq!(world.stats().connections, 1);
}

/// The edge wants more slots while nobody hears it: it must say so again.
#[test]
fn slots_wanted_meanwhile_are_asked_for_again() {
    let mut world = World::seeded(45);
    let bob = world.joined(Joining::new("bob").slots(1, 0).growing_slots());
    world.lose_signalling(bob);
    world.run_for(secs(1));
    let alice = world.joined(Joining::new("alice").camera());
    world.run_for(secs(1));
    world.resume(bob);
    world.run_for(secs(1));
    assert!(world[bob].packets_of(alice, 0).len() > 100);
}

/// The offer was sent, its answer never came: it is sent again with the resume, and the session goes on from there.
#[test]
fn an_answer_that_was_lost_is_given_again() {
    let mut world = World::seeded(46);
    let bob = world.joined(Joining::new("bob").growing_slots().microphone());
    let alice = world.join(Joining::new("alice").camera());
    world.run_until(secs(1), "the edge asks for a slot, an offer is on its way", |world| world[bob].is_negotiating());
    world.lose_signalling(bob);
    world.run_for(secs(1));
    assert!(world[bob].is_negotiating());
    world.resume(bob);
    world.run_for(secs(1));
    assert!(!world[bob].is_negotiating());
    assert!(world[bob].packets_of(alice, 0).len() > 100);
    assert_eq!(world.stats().publications, 2);
}
