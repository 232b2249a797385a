//! Five per cent of random loss on either link, or on both, and a round trip of 50 ms on each: what the publisher sent is what the
//! subscriber has half a second later, by NACK and RTX.

use nearcast_sim::{Joining, Tag, World, ms, secs};
use std::collections::HashMap;
use std::time::Duration;

struct Repair {
    /// Of the packets sent while links lost.
    within_500_ms: f64,
    slowest: Duration,
    /// Packets lost on the subscriber's link or on the publisher's, at a guess of 5 % of what was sent.
    lost: u64,
    resent: u64,
}

/// Twenty seconds of a camera over links that lose these shares up and down.
fn camera_over(up: f32, down: f32) -> Repair {
    let mut world = World::seeded(5);
    let alice = world.joined(Joining::new("alice").camera());
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    world.run_for(secs(1));

    world.link(alice).lose_up(up);
    world.link(bob).lose_down(down);
    let began = world.now();
    world.run_for(secs(20));
    let ended = world.now();
    world.link(alice).lose_up(0.0);
    world.link(bob).lose_down(0.0);
    world.run_for(secs(2));

    let arrived: HashMap<Tag, Duration> = world[bob].packets.iter().map(|packet| (packet.tag, packet.at)).collect();
    let sent: Vec<_> = world[alice].sources[0].sent.iter().filter(|sent| (began..ended).contains(&sent.at)).collect();
    let delays: Vec<_> = sent.iter().filter_map(|sent| Some(*arrived.get(&sent.tag)? - sent.at)).collect();
    let in_time = delays.iter().filter(|delay| **delay <= ms(500)).count();
    assert_eq!(world.edge.clashing_packets, 0, "two packets under one number");
    assert_eq!(world[bob].packets.len(), arrived.len(), "a packet was handed out twice");
    let repair = Repair {
        within_500_ms: in_time as f64 / sent.len() as f64,
        slowest: delays.iter().max().copied().unwrap_or_default(),
        lost: sent.len() as u64 / 20,
        resent: world.stats().packets_resent,
    };
    let Repair { within_500_ms, slowest, resent, .. } = repair;
    println!("up {up}, down {down}: {:.3} % of {} in 500 ms, slowest {slowest:?}, edge resent {resent}", within_500_ms * 100.0, sent.len());
    repair
}

#[test]
fn on_the_publishers_uplink() {
    let repair = camera_over(0.05, 0.0);
    assert!(repair.within_500_ms >= 0.999);
    assert!(repair.resent <= repair.lost, "the subscriber asks for what is late, too: at worst once");
}

#[test]
fn on_the_subscribers_downlink() {
    let repair = camera_over(0.0, 0.05);
    assert!(repair.within_500_ms >= 0.999);
    assert!((repair.lost * 9 / 10..repair.lost * 3 / 2).contains(&repair.resent), "what was lost, and what was lost again");
}

#[test]
fn on_both() {
    let repair = camera_over(0.05, 0.05);
    assert!(repair.within_500_ms >= 0.999);
    assert!(repair.slowest <= secs(1));
}
