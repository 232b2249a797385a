//! Links that do more than lose: reorder, duplicate, burst, or lie far away.

use nearcast_sim::{ClientId, Joining, Link, SourcePlan, World, contiguous, ms, secs};
use std::collections::HashSet;
use std::time::Duration;
use str0m_netem::{GilbertElliot, NetemConfig, Probability};

fn camera_and_viewer(seed: u64) -> (World, ClientId, ClientId) {
    let mut world = World::seeded(seed);
    let alice = world.joined(Joining::new("alice").camera());
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    world.run_for(secs(1));
    (world, alice, bob)
}

fn all_arrived(world: &World, alice: ClientId, bob: ClientId) -> bool {
    contiguous(world[bob].packets_of(alice, 0).iter().map(|packet| packet.seq))
}

/// Which share of the packets that were sent from `began` to `ended` arrived.
fn arrived(world: &World, alice: ClientId, bob: ClientId, began: Duration, ended: Duration) -> f64 {
    let sent: Vec<_> = world[alice].sources[0].sent.iter().filter(|sent| (began..ended).contains(&sent.at)).collect();
    let arrived: HashSet<_> = world[bob].packets.iter().map(|packet| packet.tag).collect();
    sent.iter().filter(|sent| arrived.contains(&sent.tag)).count() as f64 / sent.len() as f64
}

#[test]
fn reordering_loses_nothing() {
    let (mut world, alice, bob) = camera_and_viewer(110);
    world.link(alice).up(NetemConfig::new().latency(Link::DELAY).reorder_gap(7));
    world.link(bob).down(NetemConfig::new().latency(Link::DELAY).reorder_gap(5));
    world.run_for(secs(5));
    world.link(alice).lose_up(0.0);
    world.link(bob).lose_down(0.0);
    world.run_for(secs(1));
    assert!(all_arrived(&world, alice, bob));
    assert_eq!(world.edge.clashing_packets, 0);
}

#[test]
fn duplicates_are_passed_on_once() {
    let (mut world, alice, bob) = camera_and_viewer(111);
    world.link(alice).up(NetemConfig::new().latency(Link::DELAY).duplicate(Probability::new(0.5)));
    let before = world.stats();
    world.run_for(secs(5));
    let after = world.stats();
    let sent = world[alice].sources[0].sent.iter().filter(|sent| sent.at > secs(2)).count() as u64;
    assert!(after.dropped_srtp - before.dropped_srtp > sent / 3, "a duplicate is a replay");
    assert!(all_arrived(&world, alice, bob));
    assert_eq!((world.edge.repeated_packets, world.edge.clashing_packets), (0, 0));
}

#[test]
fn bursts_are_repaired() {
    let (mut world, alice, bob) = camera_and_viewer(112);
    world.link(alice).up(NetemConfig::new().latency(Link::DELAY).jitter(ms(10)).loss(GilbertElliot::wifi_lossy()));
    world.link(bob).down(NetemConfig::new().latency(Link::DELAY).jitter(ms(10)).loss(GilbertElliot::wifi_lossy()));
    let began = world.now();
    world.run_for(secs(20));
    let ended = world.now();
    world.run_for(secs(2));
    let share = arrived(&world, alice, bob, began, ended);
    println!("{:.3} % of all", share * 100.0);
    assert!(share >= 0.999);
}

/// Whichever datagram of the handshake is lost, either side sends it again.
#[test]
fn every_datagram_of_a_handshake_may_be_lost() {
    for up in [true, false] {
        for lost in 0..4 {
            let mut world = World::seeded(113);
            let who = world.join(Joining::new("somebody").slots(1, 1).microphone());
            let mut seen = 0..;
            let is_lost = move |datagram: &[u8]| (20..64).contains(&datagram[0]) && seen.next() == Some(lost);
            if up {
                world.link(who).lose_up_when(is_lost);
            } else {
                world.link(who).lose_down_when(is_lost);
            }
            let took = world.run_until(secs(10), "connected", |world| world[who].is_connected());
            println!("{} {lost}: {took:?}", if up { "up" } else { "down" });
            assert!(took < secs(3));
            assert_eq!(world.stats().dtls_failed, 0);
        }
    }
}

/// Far away (400 ms round trip), asking again before an answer can be there would only make the link worse.
#[test]
fn a_long_way_does_not_multiply_repairs() {
    let mut world = World::seeded(114);
    // 90 packets/s: the viewer's library takes nothing that is more than 100 packets late.
    let alice = world.joined(Joining::new("alice").publishing(SourcePlan::camera().paced(30, 3)));
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    world.run_for(secs(2));
    world.link(alice).down(NetemConfig::new().latency(ms(200)));
    world.link(alice).up(NetemConfig::new().latency(ms(200)).loss(loss(0.03)));
    world.run_for(secs(3));
    world.link(alice).tap();
    let began = world.now();
    world.run_for(secs(20));
    let ended = world.now();
    let lost = world[alice].sources[0].sent.iter().filter(|sent| sent.at > began).count() as f64 * 0.03;
    let repairs = world.link(alice).tapped().iter().filter(|datagram| datagram[0] >= 128 && datagram[1] & 0x7f == 97).count() as f64;
    println!("{repairs} repairs for about {lost} losses");
    assert!(repairs < lost * 2.0, "{repairs} for {lost}");
    world.run_for(secs(3));
    let share = arrived(&world, alice, bob, began, ended);
    assert!(share >= 0.998, "few round trips fit a second, yet nearly all is repaired: {share}");
}

fn loss(share: f32) -> str0m_netem::RandomLoss {
    str0m_netem::RandomLoss::new(Probability::new(share))
}

/// The first packet of a key frame is lost and repaired; the packets behind it were there before it. The newcomer gets them all.
#[test]
fn a_key_frame_whose_first_packet_is_late_is_whole() {
    let mut world = World::seeded(116);
    let alice = world.joined(Joining::new("alice").camera());
    world.run_for(secs(2));
    let requests = world[alice].sources[0].keyframe_requests.len();
    let bob = world.join(Joining::new("bob").slots(0, 1));
    world.run_until(secs(2), "a request", |world| world[alice].sources[0].keyframe_requests.len() > requests);
    let next = world[alice].sources[0].sent.last().unwrap().seq as u16 + 1;
    let mut lost = false;
    world.link(alice).lose_up_when(move |datagram| {
        let is_next = datagram[0] >= 128 && datagram[1] & 0x7f == 96 && datagram[2..4] == next.to_be_bytes();
        is_next && !std::mem::replace(&mut lost, true)
    });
    world.run_for(secs(1));
    let packets = world[bob].packets_of(alice, 0);
    let first = packets.iter().find(|packet| packet.keyframe).expect("a key frame").tag;
    let parts: HashSet<_> = packets.iter().filter(|packet| packet.tag.frame == first.frame).map(|packet| packet.tag.part).collect();
    assert_eq!(parts.len(), usize::from(first.parts), "the whole of it");
    assert!(contiguous(packets.iter().map(|packet| packet.seq)), "and everything since");
}
