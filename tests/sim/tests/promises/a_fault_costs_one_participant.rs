//! Whoever sends what the core panics at is let go of in the middle of a call; the others notice that somebody left, and nothing else.

use nearcast_protocol::{ErrorCode, LeaveReason, ServerMessage};
use nearcast_sim::{Joining, World, contiguous, secs};

#[test]
fn the_others_go_on_without_a_gap() {
    let mut world = World::seeded(601);
    let alice = world.joined(Joining::new("alice").camera().microphone());
    let bob = world.joined(Joining::new("bob").slots(2, 2));
    let mallory = world.joined(Joining::new("mallory").camera().microphone().slots(2, 2));
    world.run_for(secs(2));
    assert!(world[mallory].packets_of(alice, 0).len() > 100 && world[bob].packets_of(mallory, 0).len() > 100);

    let address = world[mallory].outside;
    assert!(world.fault_of(address));
    assert!(!world.fault_of(address), "nobody has that address any more");
    world.run_for(secs(2));
    let told = world[mallory].told(|message| match message {
        ServerMessage::Closed { error } => Some(error.code),
        _ => None,
    });
    assert_eq!(told, [ErrorCode::Internal], "its SDK joins again");
    let left = world[bob].told(|message| match message {
        ServerMessage::ParticipantLeft { reason, .. } => Some(*reason),
        _ => None,
    });
    assert_eq!(left, [LeaveReason::Failed]);
    for source in [0, 1] {
        assert!(contiguous(world[bob].packets_of(alice, source).iter().map(|packet| packet.seq)));
    }
    let stats = world.stats();
    assert_eq!((stats.participants, stats.publications, stats.peer_panics, stats.egress_refused), (2, 2, 1, 0));
    assert_eq!(world.edge.clashing_packets, 0);

    for who in [alice, bob] {
        world.leave(who);
    }
    assert!(world.edge.table_sizes().iter().all(|(_, size)| *size == 0), "{:?}", world.edge.table_sizes());
}

#[test]
fn an_address_that_is_nobody_s_costs_nobody() {
    let mut world = World::seeded(602);
    let _alice = world.joined(Joining::new("alice").microphone());
    assert!(!world.fault_of(std::net::SocketAddr::from(([192, 0, 2, 66], 6_666))));
    assert_eq!((world.stats().participants, world.stats().peer_panics), (1, 0));
}
