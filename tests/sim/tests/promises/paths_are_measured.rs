//! Viewers report when our packets arrived, and the edge listens.

use nearcast_sim::{Joining, World, secs};

#[test]
fn feedback_on_transport_wide_numbers_arrives() {
    let mut world = World::seeded(700);
    let _alice = world.joined(Joining::new("alice").camera().microphone());
    let _bob = world.joined(Joining::new("bob").slots(1, 1));
    world.run_for(secs(5));
    let stats = world.stats();
    // libwebrtc and str0m report every 50 to 250 ms.
    assert!(stats.transport_feedbacks_received >= 15, "{}", stats.transport_feedbacks_received);
    assert_eq!(world.edge.clashing_packets, 0);
    eprintln!("{stats:?}");
}
