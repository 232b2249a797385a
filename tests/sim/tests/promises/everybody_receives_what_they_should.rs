//! Subscriptions: everything by default, one's choice on request, slots as many as needed, nothing without permission, and never a
//! packet of another room.

use nearcast_protocol::{ClientMessage, ErrorCode, LeaveReason, ServerMessage};
use nearcast_sim::{ClientId, Joining, SourcePlan, World, secs};
use str0m::RtcConfig;

fn refusal(reply: &ServerMessage) -> ErrorCode {
    let ServerMessage::Failed { error, .. } = reply else { panic!("granted: {reply:?}") };
    error.code
}

/// Whose packets somebody got.
fn seen(world: &World, who: ClientId, of: &[ClientId]) -> Vec<bool> {
    of.iter().map(|other| !world[who].packets_of(*other, 0).is_empty()).collect()
}

#[test]
fn everything_without_asking() {
    let mut world = World::seeded(22);
    let alice = world.joined(Joining::new("alice").camera());
    let bob = world.joined(Joining::new("bob").slots(0, 2));
    let carol = world.joined(Joining::new("carol").camera());
    world.run_for(secs(1));
    assert_eq!(seen(&world, bob, &[alice, carol]), [true, true], "who was there and who came later");
    assert_eq!(seen(&world, alice, &[alice]), [false], "nobody gets oneself");
}

#[test]
fn only_what_was_chosen() {
    let mut world = World::seeded(23);
    let alice = world.joined(Joining::new("alice").camera());
    let carol = world.joined(Joining::new("carol").camera());
    let bob = world.joined(Joining::new("bob").slots(0, 2).by_choice());
    world.run_for(secs(1));
    assert_eq!(seen(&world, bob, &[alice, carol]), [false, false]);
    let publication = world[carol].publication(0);
    world.ask(bob, ClientMessage::Subscribe { publication: publication.clone() });
    world.run_for(secs(1));
    assert_eq!(seen(&world, bob, &[alice, carol]), [false, true]);
    world.ask(bob, ClientMessage::Unsubscribe { publication });
    let before = world[bob].packets.len();
    world.run_for(secs(1));
    assert!(world[bob].packets.len() - before < 30, "what was on its way still came");
    assert_eq!(world.stats().subscriptions, 0);
}

#[test]
fn slots_grow_when_the_edge_asks_for_more() {
    let mut world = World::seeded(24);
    let publishers: Vec<_> = (0..5).map(|number| world.joined(Joining::new("speaker").numbered(number).camera().microphone())).collect();
    let bob = world.joined(Joining::new("bob").slots(1, 1).growing_slots());
    world.run_for(secs(2));
    assert_eq!(world[bob].slots.len(), 10);
    assert_eq!(seen(&world, bob, &publishers), [true; 5]);
    let late = world.joined(Joining::new("late").camera());
    world.run_for(secs(2));
    assert_eq!(seen(&world, bob, &[late]), [true]);
    assert_eq!(world[bob].slots.len(), 11);
}

#[test]
fn a_freed_slot_goes_to_whoever_waits() {
    let mut world = World::seeded(25);
    let alice = world.joined(Joining::new("alice").camera());
    let carol = world.joined(Joining::new("carol").camera());
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    world.run_for(secs(1));
    assert_eq!(seen(&world, bob, &[alice, carol]), [true, false]);
    let wanted = world[bob].told(|message| matches!(message, ServerMessage::SlotsWanted { audio: 0, video: 2 }).then_some(()));
    assert_eq!(wanted.len(), 1);
    world.leave(alice);
    world.run_for(secs(1));
    assert_eq!(seen(&world, bob, &[carol]), [true]);
}

#[test]
fn nothing_is_done_without_permission() {
    let mut world = World::seeded(26);
    let alice = world.joined(Joining::new("alice").camera());
    let mute = world.joined(Joining::new("mute").camera().permitted(false, true, true).slots(0, 1));
    let blind = world.joined(Joining::new("blind").camera().permitted(true, false, true).slots(0, 1));
    world.run_for(secs(1));

    let answer = world[mute].joined().unwrap().answer.clone().unwrap();
    assert_eq!(answer.published[0].error.as_ref().unwrap().code, ErrorCode::NotPermitted);
    assert_eq!(answer.published[0].publication, None);
    assert_eq!(seen(&world, alice, &[mute]), [false]);
    assert_eq!(seen(&world, mute, &[alice, blind]), [true, false], "it may receive; one slot");

    let publication = world[alice].publication(0);
    let reply = world.ask(blind, ClientMessage::Subscribe { publication });
    assert_eq!(refusal(&reply), ErrorCode::NotPermitted);
    assert_eq!(seen(&world, blind, &[alice]), [false]);
}

#[test]
fn requests_about_nothing_are_refused() {
    let mut world = World::seeded(27);
    let alice = world.joined(Joining::new("alice").camera());
    let elsewhere = world.joined(Joining::new("elsewhere").camera().room("other"));
    let (own, foreign) = (world[alice].publication(0), world[elsewhere].publication(0));
    for publication in [own, foreign, "t_nonsense".into()] {
        let reply = world.ask(alice, ClientMessage::Subscribe { publication });
        assert_eq!(refusal(&reply), ErrorCode::PublicationUnknown);
    }
    let foreign = world[elsewhere].publication(0);
    let reply = world.ask(alice, ClientMessage::Unpublish { publication: foreign });
    assert_eq!(refusal(&reply), ErrorCode::PublicationUnknown);
    let reply = world.ask(alice, ClientMessage::Offer(nearcast_protocol::MediaOffer { sdp: "v=0".into(), publish: vec![] }));
    assert_eq!(refusal(&reply), ErrorCode::BadSdp);
}

#[test]
fn no_packet_leaves_its_room() {
    let mut world = World::seeded(28);
    let people: Vec<_> = (0..12)
        .map(|number| {
            let room = format!("room {}", number % 3);
            world.join(Joining::new("somebody").numbered(number).room(&room).camera().microphone().slots(4, 4))
        })
        .collect();
    world.run_for(secs(4));
    for who in &people {
        let of: Vec<_> = people.iter().filter(|other| *other != who).copied().collect();
        for (other, seen) in of.iter().zip(seen(&world, *who, &of)) {
            assert_eq!(seen, world[*other].room == world[*who].room, "{who:?} {other:?}");
        }
    }
}

#[test]
fn the_same_identity_replaces_itself() {
    let mut world = World::seeded(29);
    let bob = world.joined(Joining::new("bob").slots(0, 2));
    let first = world.joined(Joining::new("alice").camera());
    world.run_for(secs(1));
    let second = world.joined(Joining::new("alice").camera());
    world.run_for(secs(1));

    let closed = world[first].told(|message| match message {
        ServerMessage::Closed { error } => Some(error.code),
        _ => None,
    });
    assert_eq!(closed, [ErrorCode::DuplicateIdentity]);
    assert_eq!(world[first].connection, None, "its WebSocket was closed");
    let left = world[bob].told(|message| match message {
        ServerMessage::ParticipantLeft { participant, reason } => Some((participant.clone(), *reason)),
        _ => None,
    });
    assert_eq!(left, [(world[first].participant(), LeaveReason::Replaced)]);
    assert_ne!(world[first].participant(), world[second].participant());
    assert_eq!(seen(&world, bob, &[second]), [true]);
    assert_eq!(world.stats().participants, 2);
}

#[test]
fn a_moderator_removes_and_a_shutdown_empties() {
    let mut world = World::seeded(30);
    let alice = world.joined(Joining::new("alice").camera());
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    world.remove("room", "alice");
    world.run_for(secs(1));
    let code = |who: ClientId, world: &World| {
        world[who].told(|message| match message {
            ServerMessage::Closed { error } => Some(error.code),
            _ => None,
        })
    };
    assert_eq!(code(alice, &world), [ErrorCode::Removed]);
    world.shut_down();
    world.run_for(secs(1));
    assert_eq!(code(bob, &world), [ErrorCode::ShuttingDown]);
    assert!(world.edge.table_sizes().iter().all(|(_, size)| *size == 0), "{:?}", world.edge.table_sizes());
}

/// Somebody who can't decode what is sent must not make the publisher send key frames for ever.
#[test]
fn a_missing_codec_costs_the_others_nothing() {
    let only_h264 = |config: RtcConfig| config.clear_codecs().enable_opus(true, false).enable_h264(true);
    let mut world = World::seeded(31);
    let alice = world.joined(Joining::new("alice").publishing(SourcePlan::camera()));
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    let odd = world.joined(Joining::new("odd").slots(0, 1).configured(only_h264));
    world.run_for(secs(10));
    assert_eq!(seen(&world, odd, &[alice]), [false]);
    assert_eq!(seen(&world, bob, &[alice]), [true]);
    let requests = &world[alice].sources[0].keyframe_requests;
    assert!(requests.len() <= 3, "{requests:?}");
}
