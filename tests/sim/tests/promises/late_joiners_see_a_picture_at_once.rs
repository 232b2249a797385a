//! Whoever comes late needs a key frame, and gets it after one round trip; a crowd costs the publisher no more than two a second.

use nearcast_sim::{ClientId, Joining, SourcePlan, World, ms, secs};

#[test]
fn the_request_is_with_the_publisher_half_a_round_trip_after_the_transport_is_up() {
    let mut world = World::seeded(8);
    let alice = world.joined(Joining::new("alice").camera());
    world.run_for(secs(3));
    let requests = world[alice].sources[0].keyframe_requests.len();
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    world.run_for(secs(1));

    let up = world[bob].connected_at[0];
    let requested = world[alice].sources[0].keyframe_requests[requests];
    // Bob is up as soon as the edge's last flight reaches him; the edge was half a round trip before, and asks at that moment.
    assert!(requested <= up + ms(50), "asked {:?} after", requested - up);
    let first = world[bob].packets_of(alice, 0)[0];
    assert!(first.keyframe, "nothing that can't be decoded comes first");
    println!("first packet {:?} after the transport was up", first.at - up);
    assert!(first.at <= up + ms(150));
}

#[test]
fn every_packet_of_the_key_frame_comes() {
    let mut world = World::seeded(9);
    let alice = world.joined(Joining::new("alice").camera());
    world.run_for(secs(1));
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    world.run_for(secs(1));
    let packets = world[bob].packets_of(alice, 0);
    let frame = packets[0].tag;
    let parts: Vec<_> = packets.iter().filter(|packet| packet.tag.frame == frame.frame).map(|packet| packet.tag.part).collect();
    assert_eq!(parts, (0..frame.parts).collect::<Vec<_>>());
}

#[test]
fn fifty_late_joiners_in_a_second_cost_three_requests() {
    let mut world = World::seeded(10);
    let alice = world.joined(Joining::new("alice").camera());
    world.run_for(secs(3));
    let before = world[alice].sources[0].keyframe_requests.len();
    let crowd: Vec<_> = (0..50)
        .map(|number| {
            let id = world.join(Joining::new("viewer").numbered(number).slots(0, 1));
            world.run_for(ms(20));
            id
        })
        .collect();
    world.run_for(secs(2));
    assert!(crowd.iter().all(|viewer| world[*viewer].packets_of(alice, 0).first().is_some_and(|first| first.keyframe)));
    let requests = world[alice].sources[0].keyframe_requests.len() - before;
    println!("{requests} requests for 50 viewers");
    assert!((1..=3).contains(&requests), "{requests}");
}

/// The whole school comes at once: everybody has a picture within the least time between two requests, and the publisher hardly notices,
/// however many encodings it sends and whichever of them everybody begins with and goes on to.
#[test]
fn three_hundred_joins_in_two_seconds_cost_four_requests() {
    let browser = SourcePlan { answers_for_all: true, ..SourcePlan::simulcast() };
    let plans = [
        ("one encoding", SourcePlan::camera(), 1),
        ("each for itself", SourcePlan::simulcast(), 1),
        ("a browser", browser.clone(), 1),
        ("a browser, and a room on three shards", browser, 3),
    ];
    for (what, plan, shards) in plans {
        let several = !plan.encodings.is_empty();
        let mut world = World::sharded(13, shards, |_| {});
        world.edge.spread_at = if shards > 1 { 100 } else { u32::MAX };
        let alice = world.joined(Joining::new("alice").publishing(plan));
        world.run_for(secs(3));
        let before = world[alice].sources[0].keyframe_requests.len();
        let mut crowd = Vec::new();
        for number in 0..300 {
            crowd.push(world.join(Joining::new("viewer").numbered(number).slots(0, 1)));
            if number % 3 == 2 {
                world.run_for(ms(20));
            }
        }
        world.run_for(secs(3));
        let waited = |viewer: &ClientId| {
            let first = world[*viewer].packets_of(alice, 0).first().copied().expect("a picture");
            assert!(first.keyframe);
            first.at.saturating_sub(world[*viewer].connected_at[0])
        };
        let longest = crowd.iter().map(waited).max().unwrap();
        let requests = &world[alice].sources[0].keyframe_requests[before..];
        println!("{what}: asked {requests:?} for 300 viewers, the longest wait {longest:?}");
        assert!((1..=4).contains(&requests.len()), "{what}: {requests:?}");
        // A second, or three quarters of one, and the way there.
        assert!(longest <= if several { ms(1_100) } else { ms(850) }, "{what}: {longest:?}");
        let last = crowd
            .iter()
            .filter(|viewer| world[**viewer].packets_of(alice, 0).last().is_some_and(|last| !several || last.tag.encoding == 2));
        assert_eq!(last.count(), 300, "{what}: in the end everybody has the largest");
    }
}

#[test]
fn a_decoder_that_lost_its_way_is_heard() {
    let mut world = World::seeded(11);
    let alice = world.joined(Joining::new("alice").camera());
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    world.run_for(secs(2));
    let before = world[alice].sources[0].keyframe_requests.len();
    let mid = world[bob].slots[0].mid;
    world.request_keyframe(bob, mid);
    world.run_for(ms(200));
    assert_eq!(world[alice].sources[0].keyframe_requests.len(), before + 1);
    let now = world.now();
    assert!(world[bob].packets_of(alice, 0).iter().any(|packet| packet.keyframe && packet.at + ms(100) > now));
}

/// A publisher that doesn't answer is asked again, not forgotten.
#[test]
fn a_lost_request_is_repeated() {
    let mut world = World::seeded(12);
    let alice = world.joined(Joining::new("alice").camera());
    world.run_for(secs(1));
    world.link(alice).lose_down(1.0);
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    world.run_for(ms(300));
    assert!(world[bob].packets_of(alice, 0).is_empty());
    world.link(alice).lose_down(0.0);
    let waited = world.run_until(secs(1), "a picture", |world| !world[bob].packets_of(alice, 0).is_empty());
    println!("{waited:?}");
}
