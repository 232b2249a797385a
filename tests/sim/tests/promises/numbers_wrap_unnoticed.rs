//! Sequence numbers wrap every 65,536 packets, timestamps every 2^32 ticks, and SRTP counts the former in a roll-over counter that no
//! packet carries. Nobody may notice, on the way in or on the way out.

use std::collections::HashSet;

use nearcast_sim::{Joining, SourcePlan, World, contiguous, extended, ms, secs};

#[test]
fn sequence_number_and_timestamp_wrap() {
    let mut world = World::seeded(3);
    let plan = SourcePlan::camera().starting_at(65_500, u32::MAX - 40_000);
    let alice = world.joined(Joining::new("alice").publishing(plan));
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    world.run_for(secs(5));

    let packets = world[bob].packets_of(alice, 0);
    let sent = &world[alice].sources[0].sent;
    assert!(sent.iter().any(|sent| sent.seq > 65_536) && sent.iter().any(|sent| sent.timestamp < 1_000_000), "both wrapped");
    assert!(packets.len() > 1_000);
    assert!(contiguous(packets.iter().map(|packet| packet.seq)));
    let timestamps = extended(packets.iter().map(|packet| packet.timestamp));
    assert!(timestamps.windows(2).all(|pair| [0, 3_000].contains(&(pair[1] - pair[0]))));
}

/// 165,000 packets: the publisher's numbers and the subscriber's, which start elsewhere, each roll over twice at least.
#[test]
fn the_roll_over_counter_counts_on_both_sides() {
    let mut world = World::seeded(4);
    let plan = SourcePlan { size: 120, ..SourcePlan::camera().paced(250, 20).starting_at(65_000, 5) };
    let alice = world.joined(Joining::new("alice").publishing(plan));
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    world.run_for(secs(33));

    let packets = world[bob].packets_of(alice, 0);
    let rollovers = |first: u64, last: u64| (last >> 16) - (first >> 16);
    let sent = &world[alice].sources[0].sent;
    assert!(rollovers(sent[0].seq, sent[sent.len() - 1].seq) >= 2);
    assert!(rollovers(packets[0].seq, packets[packets.len() - 1].seq) >= 2);
    assert!(contiguous(packets.iter().map(|packet| packet.seq)));
    assert_eq!(world.stats().dropped_srtp, 0);
    assert_eq!(world.edge.clashing_packets, 0);
}

/// Loss exactly at the wrap: NACKs name numbers on both sides of it.
#[test]
fn repair_works_across_the_wrap() {
    let mut world = World::seeded(6);
    let alice = world.joined(Joining::new("alice").publishing(SourcePlan::camera().starting_at(65_036, 0)));
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    world.link(alice).lose_up(0.1);
    world.run_for(secs(5));
    world.link(alice).lose_up(0.0);
    world.run_for(ms(1_500));
    let packets = world[bob].packets_of(alice, 0);
    let sent = &world[alice].sources[0].sent;
    assert!(sent.iter().any(|sent| sent.seq > 65_636));
    let arrived: HashSet<_> = packets.iter().map(|packet| packet.tag).collect();
    let missing: Vec<_> = sent.iter().skip_while(|sent| sent.tag != packets[0].tag).filter(|sent| !arrived.contains(&sent.tag)).collect();
    assert!(missing.iter().all(|sent| sent.at > world.now() - ms(100)), "{missing:?}");
}
