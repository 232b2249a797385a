//! Offers may come late, add sections, and put them to rest; the rest of the call doesn't notice.

use nearcast_protocol::{ClientMessage, ServerMessage};
use nearcast_sim::{Joining, World, contiguous, ms, secs};
use str0m::media::Direction;

#[test]
fn the_first_offer_may_come_after_the_join() {
    let mut world = World::seeded(160);
    let alice = world.joined(Joining::new("alice").camera().microphone());
    let bob = world.joined(Joining::new("bob").growing_slots());
    world.run_for(secs(2));
    assert!(world[bob].joined().unwrap().answer.is_none());
    assert_eq!(world[bob].slots.len(), 2, "as many as the edge asked for");
    assert!(world[bob].packets_of(alice, 0).len() > 100);
    assert!(world[bob].packets_of(alice, 1).len() > 50);
}

#[test]
fn a_receiving_section_may_rest() {
    let mut world = World::seeded(161);
    let alice = world.joined(Joining::new("alice").camera());
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    world.run_for(secs(1));
    let mid = world[bob].slots[0].mid;
    world.offer(bob, &[], |changes| changes.set_direction(mid, Direction::Inactive));
    world.run_for(ms(100));
    assert_eq!(world.stats().subscriptions, 0);
    let before = world[bob].packets.len();
    world.run_for(secs(1));
    assert_eq!(world[bob].packets.len(), before, "nothing is sent to a section that rests");

    world.offer(bob, &[], |changes| changes.set_direction(mid, Direction::RecvOnly));
    world.run_for(secs(1));
    let packets = world[bob].packets_of(alice, 0);
    assert!(packets.len() > before + 150, "it is filled again without asking");
    assert!(packets[before].keyframe);
    assert!(contiguous(packets.iter().map(|packet| packet.seq)));
}

#[test]
fn resting_in_one_section_fills_no_other() {
    let mut world = World::seeded(162);
    let alice = world.joined(Joining::new("alice").camera());
    let carol = world.joined(Joining::new("carol").camera());
    let bob = world.joined(Joining::new("bob").slots(0, 2));
    world.run_for(secs(1));
    let of_alice = world[bob].slot_of(&world[alice].publication(0)).unwrap();
    world.offer(bob, &[], |changes| changes.set_direction(of_alice, Direction::Inactive));
    world.run_for(secs(1));
    assert!(contiguous(world[bob].packets_of(carol, 0).iter().map(|packet| packet.seq)));
    let wanted = world[bob].told(|message| matches!(message, ServerMessage::SlotsWanted { audio: 0, video: 2 }).then_some(()));
    assert_eq!(wanted.len(), 1, "one more is wanted than there is");
    let publication = world[alice].publication(0);
    world.ask(bob, ClientMessage::Unsubscribe { publication });
    assert_eq!(world.stats().subscriptions, 1);
}

/// A new network: the session comes back on a new WebSocket, and its path with an ICE restart in the same message.
#[test]
fn coming_back_from_another_network() {
    let mut world = World::seeded(163);
    let alice = world.joined(Joining::new("alice").camera());
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    world.run_for(secs(1));
    world.link(bob).cut(true);
    world.lose_signalling(bob);
    world.run_for(secs(8));
    world.link(bob).cut(false);
    world.rebind(bob);
    let back = world.now();
    world.resume_restarting(bob);
    world.run_for(secs(2));
    assert!(world[bob].joined().unwrap().resumed);
    let first = world[bob].packets_of(alice, 0).into_iter().find(|packet| packet.at > back).expect("media again");
    println!("media {:?} after coming back", first.at - back);
    assert!(first.at - back < ms(500));
    assert_eq!((world.stats().transports, world.stats().srtp_aes256_gcm), (2, 2), "the same transport");
}
