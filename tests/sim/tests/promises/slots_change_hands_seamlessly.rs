//! A slot that shows Alice and then Carol is one stream to its subscriber: one SSRC, no gap in numbers, time and picture ids that run on.

use nearcast_protocol::ClientMessage;
use nearcast_sim::{Joining, SourcePlan, World, contiguous, extended, ms, secs};

#[test]
fn one_slot_shows_one_after_the_other() {
    let mut world = World::seeded(20);
    let alice = world.joined(Joining::new("alice").camera());
    let plan = SourcePlan { first_picture: 30_000, ..SourcePlan::camera().starting_at(50_000, 9) };
    let carol = world.joined(Joining::new("carol").publishing(plan));
    let bob = world.joined(Joining::new("bob").slots(0, 1).by_choice());
    let (of_alice, of_carol) = (world[alice].publication(0), world[carol].publication(0));
    let mid = world[bob].slots[0].mid;
    assert!(world[bob].packets.is_empty(), "nothing was asked for");

    for (wanted, unwanted) in [(&of_alice, None), (&of_carol, Some(&of_alice)), (&of_alice, Some(&of_carol))] {
        if let Some(publication) = unwanted.cloned() {
            world.ask(bob, ClientMessage::Unsubscribe { publication });
        }
        world.ask(bob, ClientMessage::Subscribe { publication: wanted.clone() });
        world.run_for(secs(2));
        assert_eq!(world[bob].slot_of(wanted), Some(mid));
    }

    let packets = world[bob].packets_in(mid);
    let owners: Vec<_> = packets.iter().map(|packet| packet.tag.client).collect();
    let changes: Vec<_> = packets.iter().zip(&packets[1..]).filter(|(one, next)| one.tag.client != next.tag.client).collect();
    assert_eq!(changes.len(), 2, "Alice, Carol, Alice: {:?}", owners.len());
    assert!(changes.iter().all(|(_, next)| next.keyframe), "each begins with a key frame");

    assert!(packets.iter().all(|packet| packet.ssrc == packets[0].ssrc));
    assert!(contiguous(packets.iter().map(|packet| packet.seq)));
    let timestamps = extended(packets.iter().map(|packet| packet.timestamp));
    assert!(timestamps.is_sorted());
    for (one, next) in changes {
        let ticks = next.timestamp.wrapping_sub(one.timestamp);
        let passed = (next.at - one.at).as_millis() as u32 * 90;
        assert!(ticks.abs_diff(passed) < 90 * 40, "{ticks} ticks for {passed}: the gap is as long as it was");
    }
    let pictures: Vec<_> = packets.iter().filter(|packet| packet.marker).map(|packet| packet.picture.unwrap()).collect();
    assert!(pictures.windows(2).all(|pair| pair[1].0 == (pair[0].0 + 1) & 0x7fff), "picture ids run on");
    assert!(pictures.windows(2).all(|pair| pair[1].1 == pair[0].1.wrapping_add(1)), "and TL0 indexes");
}

/// The subscriber may still ask for packets of the one before.
#[test]
fn what_was_lost_before_the_change_is_repaired_after_it() {
    let mut world = World::seeded(21);
    let alice = world.joined(Joining::new("alice").camera());
    let carol = world.joined(Joining::new("carol").camera());
    let bob = world.joined(Joining::new("bob").slots(0, 1).by_choice());
    let (of_alice, of_carol) = (world[alice].publication(0), world[carol].publication(0));
    world.ask(bob, ClientMessage::Subscribe { publication: of_alice.clone() });
    world.run_for(secs(2));
    world.link(bob).lose_down(0.3);
    world.request(bob, ClientMessage::Unsubscribe { publication: of_alice });
    world.request(bob, ClientMessage::Subscribe { publication: of_carol });
    world.run_for(ms(150));
    world.link(bob).lose_down(0.0);
    world.run_for(secs(2));
    let packets = world[bob].packets_in(world[bob].slots[0].mid);
    assert!(packets.iter().any(|packet| packet.tag.client != packets[0].tag.client));
    assert!(contiguous(packets.iter().map(|packet| packet.seq)));
}
