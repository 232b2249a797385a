//! A publisher's encodings stop, restart and lose packets each on its own; a viewer's picture goes on.

use nearcast_sim::{ClientId, Joining, SourcePlan, World, contiguous, ms, secs};
use std::collections::HashSet;
use std::time::Duration;

const TOP: usize = 2;

fn call(seed: u64) -> (World, ClientId, ClientId) {
    let mut world = World::seeded(seed);
    let alice = world.joined(Joining::new("alice").publishing(SourcePlan::simulcast()));
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    world.run_until(secs(5), "bob gets the largest picture", |world| gets(world, bob, alice, TOP));
    world.run_for(secs(1));
    (world, alice, bob)
}

/// The encoding somebody got last, while pictures come.
fn gets(world: &World, who: ClientId, of: ClientId, encoding: usize) -> bool {
    let last = world[who].packets_of(of, 0).last().copied();
    last.is_some_and(|packet| usize::from(packet.tag.encoding) == encoding && world.now() - packet.at < ms(200))
}

/// The longest time between two packets since `since`.
fn longest_pause(world: &World, who: ClientId, of: ClientId, since: Duration) -> Duration {
    let times: Vec<_> = world[who].packets_of(of, 0).iter().map(|packet| packet.at).filter(|at| *at >= since).collect();
    times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
}

/// Half a second until it counts as off, a round trip to the publisher for a key frame, and its way.
#[test]
fn a_top_encoding_that_stops_freezes_nobody() {
    let (mut world, alice, bob) = call(31);
    let stopped = world.now();
    world[alice].sources[0].afford(TOP, false);
    world.run_for(secs(3));
    let packets = world[bob].packets_of(alice, 0);
    let last = packets.last().unwrap();
    assert!(usize::from(last.tag.encoding) < TOP && world.now() - last.at < ms(100), "{last:?}");
    assert!(longest_pause(&world, bob, alice, stopped - ms(500)) < ms(900), "{:?}", longest_pause(&world, bob, alice, stopped - ms(500)));
    assert!(contiguous(packets.iter().map(|packet| packet.seq)));
    world[alice].sources[0].afford(TOP, true);
    world.run_until(secs(15), "the largest picture is back", |world| gets(world, bob, alice, TOP));
}

#[test]
fn an_encoder_that_restarts_disturbs_no_other() {
    let (mut world, alice, bob) = call(32);
    // One that bob doesn't get: nothing happens.
    let before = world.now();
    world.restart_encoding(alice, 0, 0, 0x1234_5678, 40_000);
    world.run_for(secs(2));
    assert!(gets(&world, bob, alice, TOP));
    assert!(longest_pause(&world, bob, alice, before) < ms(100));
    // The one it gets: it goes on with the key frame that a restart begins with.
    world.restart_encoding(alice, 0, TOP, 0x2345_6789, 20_000);
    world.run_for(secs(2));
    assert!(gets(&world, bob, alice, TOP));
    assert!(longest_pause(&world, bob, alice, before) < ms(400), "{:?}", longest_pause(&world, bob, alice, before));
    assert!(contiguous(world[bob].packets_of(alice, 0).iter().map(|packet| packet.seq)));
    assert_eq!(world.edge.clashing_packets, 0);
}

#[test]
fn loss_on_the_way_in_is_repaired_in_every_encoding() {
    let (mut world, alice, bob) = call(33);
    let requested = world.stats().nacks_sent;
    let from = world.now();
    world.link(alice).lose_up(0.05);
    world.run_for(secs(5));
    world.link(alice).lose_up(0.0);
    world.run_for(secs(2));
    assert!(world.stats().nacks_sent > requested + 50);
    let packets = world[bob].packets_of(alice, 0);
    let got: HashSet<_> = packets.iter().map(|packet| packet.tag).collect();
    let shown: HashSet<_> = packets.iter().map(|packet| (packet.tag.frame, packet.tag.encoding)).collect();
    let sent = &world[alice].sources[0].sent;
    // Of every picture that it got anything of it got everything.
    let torn: Vec<_> = sent
        .iter()
        .filter(|sent| sent.at > from && sent.at < world.now() - ms(500))
        .filter(|sent| shown.contains(&(sent.tag.frame, sent.tag.encoding)) && !got.contains(&sent.tag))
        .collect();
    assert!(torn.is_empty(), "{torn:?}");
    let rids: HashSet<_> = packets.iter().map(|packet| packet.tag.encoding).collect();
    assert!(rids.contains(&2));
}
