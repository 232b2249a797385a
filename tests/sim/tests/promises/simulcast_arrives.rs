//! A camera in three encodings: the edge takes all of them in, and passes one on.

use nearcast_sim::{Joining, SourcePlan, World, contiguous, secs};

#[test]
fn a_viewer_gets_one_encoding_whole() {
    let mut world = World::seeded(3);
    let alice = world.joined(Joining::new("alice").publishing(SourcePlan::simulcast()));
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    world.run_for(secs(5));
    let sent = |encoding| world[alice].sources[0].sent.iter().filter(|sent| sent.tag.encoding == encoding).count();
    assert!(sent(0) > 140 && sent(2) > 1_400, "the smallest and the one that is watched: {} {} {}", sent(0), sent(1), sent(2));
    let packets = world[bob].packets_of(alice, 0);
    assert!(packets.len() > 1_400, "{} packets", packets.len());
    assert!(contiguous(packets.iter().map(|packet| packet.seq)));
    assert!(packets.iter().skip(packets.len() / 2).all(|packet| packet.tag.encoding == 2));
}
