//! A NAT that forgets its mapping, a network that changes, an ICE restart: the call goes on.

use nearcast_protocol::ServerMessage;
use nearcast_sim::{Joining, World, contiguous, ms, secs};

/// The client doesn't notice. Its next check comes from the new address and moves the path.
#[test]
fn a_nat_rebinding_heals_with_the_next_check() {
    let mut world = World::seeded(80);
    let alice = world.joined(Joining::new("alice").camera().slots(0, 1));
    let bob = world.joined(Joining::new("bob").camera().slots(0, 1));
    world.run_for(secs(5));
    let checks = world.stats().dropped_unknown_address;
    world.rebind(bob);
    let moved_at = world.now();
    let bound = world.run_until(secs(15), "a check from the new address", |world| world.stats().tuples == 3) + moved_at;
    world.run_for(secs(2));

    let after =
        |packets: Vec<nearcast_sim::Packet>| packets.into_iter().map(|packet| packet.at).find(|at| *at > moved_at + ms(60)).unwrap();
    let (down, up) = (after(world[bob].packets_of(alice, 0)), after(world[alice].packets_of(bob, 0)));
    println!("check {:?}, media down {:?}, up {:?} after the rebinding", bound - moved_at, down - moved_at, up - moved_at);
    assert!(down <= bound + ms(50), "to the new address within a round trip");
    assert!(up <= bound + ms(60), "and from it");
    assert!(world.stats().dropped_unknown_address > checks, "what came before the check was dropped: {checks}");
    world.run_for(secs(2));
    let before = world[bob].packets.len();
    world.run_for(secs(1));
    assert!(world[bob].packets.len() > before + 200);
}

#[test]
fn an_ice_restart_interrupts_nothing() {
    let mut world = World::seeded(81);
    let alice = world.joined(Joining::new("alice").camera().slots(0, 1));
    let bob = world.joined(Joining::new("bob").camera().slots(0, 1));
    world.run_for(secs(2));
    let reply = world.offer(bob, &[], |changes| drop(changes.ice_restart(true)));
    assert!(matches!(reply, ServerMessage::Answer { .. }));
    world.run_for(secs(5));
    for (to, from) in [(bob, alice), (alice, bob)] {
        let packets = world[to].packets_of(from, 0);
        assert!(contiguous(packets.iter().map(|packet| packet.seq)));
        let longest = packets.windows(2).map(|pair| pair[1].at - pair[0].at).max().unwrap();
        println!("{longest:?}");
        assert!(longest < ms(200), "{longest:?}");
    }
    assert_eq!(world.stats().ufrags, 2, "the old credentials are forgotten");
    assert_eq!((world.stats().srtp_aes256_gcm, world.stats().tuples), (2, 2), "one handshake each");
}

#[test]
fn an_ice_restart_from_another_network_works() {
    let mut world = World::seeded(82);
    let alice = world.joined(Joining::new("alice").camera());
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    world.run_for(secs(2));
    world.rebind(bob);
    world.offer(bob, &[], |changes| drop(changes.ice_restart(true)));
    let restarted = world.now();
    world.run_for(secs(2));
    let first = world[bob].packets_of(alice, 0).into_iter().find(|packet| packet.at > restarted).unwrap();
    println!("{:?}", first.at - restarted);
    assert!(first.at - restarted < ms(500));
    assert!(contiguous(world[bob].packets_of(alice, 0).iter().filter(|packet| packet.at > restarted + ms(600)).map(|packet| packet.seq)));
}

/// The network is gone for 5 s; what comes back is another one. Media is there as soon as a restart and a check have passed.
#[test]
fn after_an_outage_an_ice_restart_from_elsewhere_brings_media_back() {
    let mut world = World::seeded(84);
    let alice = world.joined(Joining::new("alice").camera().slots(0, 1));
    let bob = world.joined(Joining::new("bob").camera().slots(0, 1));
    world.run_for(secs(2));
    world.link(bob).cut(true);
    world.run_for(secs(5));
    world.rebind(bob);
    world.link(bob).cut(false);
    let restarted = world.now();
    world.offer(bob, &[], |changes| drop(changes.ice_restart(true)));
    world.run_for(secs(2));
    for (to, from) in [(bob, alice), (alice, bob)] {
        let packets: Vec<_> = world[to].packets_of(from, 0).into_iter().filter(|packet| packet.at > restarted).collect();
        let first = packets.first().expect("media").at - restarted;
        println!("media {first:?} after the restart");
        assert!(first < ms(1_000), "{first:?}");
        // Before that, what was lost is repaired as far as it can be.
        assert!(contiguous(packets.iter().filter(|packet| packet.at > restarted + secs(1)).map(|packet| packet.seq)));
    }
    let packets = world[alice].packets_of(bob, 0);
    assert!(packets.iter().find(|packet| packet.at > restarted).unwrap().keyframe, "what was missed is not waited for");
    assert_eq!((world.stats().srtp_aes256_gcm, world.stats().transports), (2, 2), "the same two transports");
    assert_eq!(world[alice].told(|message| matches!(message, ServerMessage::ParticipantLeft { .. }).then_some(())).len(), 0);
}

/// An address that changes hands (a NAT reuses a port) belongs to whom the check is from.
#[test]
fn an_address_belongs_to_its_last_authenticated_user() {
    let mut world = World::seeded(83);
    let alice = world.joined(Joining::new("alice").camera());
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    let address = world[bob].outside;
    world.vanish(bob);
    world.run_for(secs(2));
    let carol = world.join(Joining::new("carol").slots(0, 1));
    world[carol].outside = address;
    world.run_for(secs(3));
    assert!(world[carol].is_connected());
    assert!(world[carol].packets_of(alice, 0)[0].keyframe);
    world.run_for(secs(40));
    assert_eq!(world.stats().participants, 2);
    let before = world[carol].packets.len();
    world.run_for(secs(1));
    assert!(world[carol].packets.len() > before + 200, "Bob's end didn't take the address from her");
}
