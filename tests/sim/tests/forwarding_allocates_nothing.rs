//! The packet path of a warmed-up shard, from datagram in to sealed datagrams out, takes nothing from the heap: 1 publisher, 50
//! subscribers, camera and microphone, SRTP and all. Alone in its file, since it counts what the whole process allocates.

use nearcast_sim::{ClientId, Joining, World, ms, secs};
use sfu_core::Batch;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::net::SocketAddr;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const SUBSCRIBERS: u64 = 50;

/// A second of it is 290 packets.
const PACKETS: usize = 2_900;

/// What the publisher sends next, kept from the edge.
fn recorded(world: &mut World, publisher: ClientId) -> Vec<Vec<u8>> {
    world.link(publisher).tap();
    world.link(publisher).lose_up_when(|_| true);
    world.run_for(secs(12));
    // RTP only: the rest is for another path (the second byte is a payload type below 64 or from 96 on).
    let is_media = |datagram: &Vec<u8>| datagram[0] >> 6 == 2 && !(64..96).contains(&(datagram[1] & 0x7f));
    world.link(publisher).tapped().into_iter().filter(is_media).take(PACKETS).collect()
}

fn datagrams(batch: Batch<'_>) -> u64 {
    batch.iter().map(|transmit| transmit.datagrams() as u64).sum()
}

#[test]
fn a_warm_packet_path_takes_nothing_from_the_heap() {
    let counts = Region::new(ALLOCATOR);
    drop(std::hint::black_box(vec![0_u8; 8]));
    assert!(counts.change().allocations >= 1, "the allocator doesn't count");

    let mut world = World::seeded(9);
    let alice = world.joined(Joining::new("alice").camera().microphone());
    for number in 0..SUBSCRIBERS {
        world.join(Joining::new(&format!("bob-{number}")).slots(1, 1));
    }
    world.run_for(secs(8));
    let (before, from) = (world.stats(), world[alice].outside);
    let mut packets = recorded(&mut world, alice);
    assert_eq!(packets.len(), PACKETS);

    let mut now = world.instant();
    let to = SocketAddr::from(([203, 0, 113, 1], 7_000));
    let shard = world.edge.shard_mut(0);
    let (mut used, mut guilty) = ([0; 3], Vec::new());
    let mut sent = 0;
    for (number, packet) in packets.iter_mut().enumerate() {
        // What time brings (reports, feedback) is another path, and allocates.
        let ends_frame = packet[1] & 0x80 != 0;
        if shard.poll_timeout().is_some_and(|due| due <= now) {
            shard.handle_timeout(now);
            shard.drain_batches(|_| {});
            while shard.poll_event().is_some() {}
        }
        let region = Region::new(ALLOCATOR);
        shard.handle_datagram(now, from, to, packet);
        shard.drain_batches(|batch| sent += datagrams(batch));
        let change = region.change();
        // Packets of a frame come together, and frames as fast as they were recorded: faster they would wait for their pacer.
        now += if ends_frame { ms(33) } else { ms(0) };
        // The publisher was away for a while: what that leads to (a key frame asked for, say) is no steady state. And without feedback,
        // which nobody sends here, what is remembered of sent packets grows to its bound first.
        if number >= PACKETS / 2 {
            let change = [change.allocations, change.reallocations, change.deallocations];
            used.iter_mut().zip(change).for_each(|(sum, count)| *sum += count);
            if change != [0; 3] {
                guilty.push((number, change));
            }
        }
    }
    let forwarded = shard.stats().packets_forwarded - before.packets_forwarded;
    assert!(forwarded >= SUBSCRIBERS * PACKETS as u64 * 98 / 100, "{forwarded} of {PACKETS} packets to each of {SUBSCRIBERS}");
    assert!(sent >= forwarded * 98 / 100, "{sent} datagrams for {forwarded} packets");
    assert_eq!(used, [0; 3], "allocations, reallocations and deallocations; by packet: {guilty:?}");
}
