//! The smallest call: two people see and hear each other across perfect links.

use nearcast_sim::{Joining, World, contiguous, secs};

#[test]
fn two_people_receive_each_other() {
    let mut world = World::seeded(1);
    let alice = world.joined(Joining::new("alice").camera().microphone().slots(1, 1));
    let bob = world.joined(Joining::new("bob").camera().microphone().slots(1, 1));
    world.run_for(secs(5));
    for (from, to) in [(alice, bob), (bob, alice)] {
        for (source, rate) in [(0, 240), (1, 50)] {
            let received = world[to].packets_of(from, source);
            assert!(received.len() > rate * 9 / 2, "{}", received.len());
            assert!(contiguous(received.iter().map(|packet| packet.seq)));
        }
    }
    let stats = world.stats();
    assert_eq!((stats.nacks_sent, stats.nacks_received, stats.packets_resent), (0, 0, 0), "nothing was missing");
}
