//! Rooms whose participants may talk directly: who is told when, and that messages between their software arrive.

use nearcast_protocol::{ClientMessage, ErrorCode, MAX_PEER_PAYLOAD, RoomMode, ServerMessage};
use nearcast_sim::{ClientId, Joining, World, secs};
use sfu_core::ModePolicy;

fn person(name: &str) -> Joining {
    Joining::new(name).camera().slots(0, 3).in_mode(ModePolicy::Auto)
}

/// Every mode somebody was told, in order.
fn modes(world: &World, who: ClientId) -> Vec<RoomMode> {
    world[who].told(|message| match message {
        ServerMessage::Joined(joined) => Some(joined.mode),
        ServerMessage::Mode { mode } => Some(*mode),
        _ => None,
    })
}

/// Whether somebody was told that the room's participants may talk directly at all.
fn may_be_direct(world: &World, who: ClientId) -> bool {
    let told = world[who].told(|message| if let ServerMessage::Joined(joined) = message { Some(joined.direct) } else { None });
    told == [true]
}

#[test]
fn two_go_directly_three_by_the_edge_and_two_directly_again_after_a_while() {
    let mut world = World::seeded(400);
    let alice = world.joined(person("alice"));
    assert_eq!(modes(&world, alice), [RoomMode::Sfu]);
    let bob = world.joined(person("bob"));
    world.run_for(secs(1));
    assert_eq!((modes(&world, alice), modes(&world, bob)), (vec![RoomMode::Sfu, RoomMode::P2p], vec![RoomMode::P2p]));
    let before = world[bob].packets_of(alice, 0).len();
    world.run_for(secs(1));
    assert!(world[bob].packets_of(alice, 0).len() > before + 200, "whoever sends to the edge all the same is passed on");

    let carol = world.joined(person("carol"));
    world.run_for(secs(1));
    assert_eq!(modes(&world, alice).last(), Some(&RoomMode::Sfu));
    assert_eq!((modes(&world, bob).last(), modes(&world, carol)), (Some(&RoomMode::Sfu), vec![RoomMode::Sfu]));
    let left = world.now();
    world.leave(carol);
    world.run_until(secs(12), "directly again", |world| modes(world, bob).last() == Some(&RoomMode::P2p));
    let waited = world.now() - left;
    assert!((secs(10)..secs(11)).contains(&waited), "{waited:?}");
    assert_eq!(modes(&world, alice).last(), Some(&RoomMode::P2p));
}

#[test]
fn the_first_token_counts_and_without_one_the_edge_it_is() {
    let mut world = World::seeded(401);
    let _alice = world.joined(person("alice").in_mode(ModePolicy::Sfu));
    let bob = world.joined(person("bob"));
    assert_eq!(modes(&world, bob), [RoomMode::Sfu]);
    assert!(!may_be_direct(&world, bob), "not even where media doesn't get through the edge");
    let people: Vec<_> = (0..5)
        .map(|number| world.joined(Joining::new("guest").numbered(number).room("mesh").slots(0, 1).in_mode(ModePolicy::P2p)))
        .collect();
    world.run_for(secs(1));
    assert_eq!(modes(&world, people[0]), [RoomMode::P2p, RoomMode::Sfu]);
    assert_eq!(modes(&world, people[3]), [RoomMode::P2p, RoomMode::Sfu]);
    assert_eq!(modes(&world, people[4]), [RoomMode::Sfu], "the fifth");
    assert!(may_be_direct(&world, people[4]));
}

/// Whoever comes back to its place isn't a change of mode.
#[test]
fn a_reload_and_a_lost_websocket_change_nothing() {
    let mut world = World::seeded(402);
    let alice = world.joined(person("alice"));
    let bob = world.joined(person("bob"));
    world.run_for(secs(1));
    world.lose_signalling(bob);
    world.run_for(secs(5));
    world.resume(bob);
    world.run_for(secs(1));
    let again = world.joined(person("bob"));
    world.run_for(secs(1));
    assert_eq!(modes(&world, alice), [RoomMode::Sfu, RoomMode::P2p]);
    assert_eq!((modes(&world, bob), modes(&world, again)), (vec![RoomMode::P2p, RoomMode::P2p], vec![RoomMode::P2p]));
}

#[test]
fn parts_of_a_room_agree() {
    let mut world = World::sharded(403, 2, |_| {});
    world.edge.spread_at = 1;
    let alice = world.joined(person("alice"));
    let bob = world.joined(person("bob").in_mode(ModePolicy::Sfu));
    world.run_for(secs(1));
    assert_eq!(world.edge.shard_stats(1).participants, 1, "they are on two shards");
    for who in [alice, bob] {
        assert_eq!(modes(&world, who), [RoomMode::Sfu, RoomMode::P2p]);
    }
    let carol = world.joined(person("carol"));
    world.run_for(secs(1));
    for who in [alice, bob, carol] {
        assert_eq!(modes(&world, who).last(), Some(&RoomMode::Sfu));
    }
}

#[test]
fn a_room_takes_no_more_than_its_tokens_say() {
    let mut world = World::seeded(404);
    let alice = world.joined(Joining::new("alice").among_at_most(2).slots(0, 1));
    let _bob = world.joined(Joining::new("bob").slots(0, 1));
    let carol = world.join(Joining::new("carol").slots(0, 1));
    world.run_for(secs(1));
    let refused = world[carol].told(|message| match message {
        ServerMessage::Failed { error, .. } => Some(error.code),
        _ => None,
    });
    assert_eq!(refused, [ErrorCode::RoomFull]);
    let again = world.joined(Joining::new("bob").slots(0, 1));
    assert!(world[again].is_present(), "who replaces itself takes no place");
    world.leave(alice);
    let carol = world.join(Joining::new("carol").among_at_most(1).slots(0, 1));
    world.run_for(secs(1));
    assert!(!world[carol].is_present(), "nor may somebody's own token be stretched");
}

fn peer_messages(world: &World, who: ClientId) -> Vec<(String, String)> {
    world[who].told(|message| match message {
        ServerMessage::Peer { from, payload } => Some((from.to_string(), payload.clone())),
        _ => None,
    })
}

#[test]
fn a_message_reaches_the_one_it_is_for_whichever_shard_it_is_on() {
    for shards in [1, 2] {
        let mut world = World::sharded(405, shards, |_| {});
        world.edge.spread_at = 1;
        let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| world.joined(Joining::new(name).slots(0, 1)));
        let to = world[bob].participant();
        let reply = world.ask(alice, ClientMessage::Peer { to, payload: "an offer".into() });
        assert!(matches!(reply, ServerMessage::Done { .. }), "{reply:?}");
        world.run_for(secs(1));
        assert_eq!(peer_messages(&world, bob), [(world[alice].participant().to_string(), "an offer".to_owned())]);
        assert!(peer_messages(&world, carol).is_empty() && peer_messages(&world, alice).is_empty());
    }
}

#[test]
fn what_cannot_be_delivered_is_refused_with_a_reason() {
    let mut world = World::seeded(406);
    let [alice, bob] = ["alice", "bob"].map(|name| world.joined(Joining::new(name).slots(0, 1)));
    let elsewhere = world.joined(Joining::new("eve").room("other").slots(0, 1));
    let send = |world: &mut World, to, payload: &str| match world.ask(alice, ClientMessage::Peer { to, payload: payload.into() }) {
        ServerMessage::Done { .. } => None,
        ServerMessage::Failed { error, .. } => Some((error.code, error.retryable)),
        other => panic!("{other:?}"),
    };
    let [bob_id, eve_id, own] = [bob, elsewhere, alice].map(|who| world[who].participant());
    for nobody in ["p_nobody".into(), eve_id, own] {
        assert_eq!(send(&mut world, nobody, "hello"), Some((ErrorCode::ParticipantUnknown, false)));
    }
    let long = "x".repeat(MAX_PEER_PAYLOAD);
    assert_eq!(send(&mut world, bob_id.clone(), &long), None);
    assert_eq!(send(&mut world, bob_id.clone(), &(long + "x")), Some((ErrorCode::LimitReached, false)));
    world.lose_signalling(bob);
    world.run_for(secs(1));
    assert_eq!(send(&mut world, bob_id, "hello?"), Some((ErrorCode::ParticipantUnknown, true)), "it may come back");
    assert!(peer_messages(&world, elsewhere).is_empty());
}

/// Somebody floods another's queue: the sender is refused, and the other hears of a bounded part of it.
#[test]
fn a_flood_of_messages_is_stopped_at_its_sender() {
    let mut world = World::seeded(407);
    let [alice, bob] = ["alice", "bob"].map(|name| world.joined(Joining::new(name).slots(0, 1)));
    let to = world[bob].participant();
    let payload = "x".repeat(MAX_PEER_PAYLOAD);
    for _ in 0..50 {
        world.request(alice, ClientMessage::Peer { to: to.clone(), payload: payload.clone() });
    }
    world.run_for(secs(1));
    assert_eq!(peer_messages(&world, bob).len(), 4);
    let refused = world[alice].told(|message| match message {
        ServerMessage::Failed { error, .. } => Some((error.code, error.retryable, error.retry_after_ms.is_some())),
        _ => None,
    });
    assert_eq!(refused, vec![(ErrorCode::LimitReached, true, true); 46]);
    world.run_for(secs(1));
    world.request(alice, ClientMessage::Peer { to, payload });
    world.run_for(secs(1));
    assert_eq!(peer_messages(&world, bob).len(), 5);
}
