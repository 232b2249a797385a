//! Of one stream with three spatial layers (VP9 L3T3) a publisher sends only those that somebody shows, and the rest again as soon as somebody
//! wants them.

use nearcast_protocol::{ClientMessage, EncodingDemand, LayerReason, Wish};
use nearcast_sim::{ClientId, Joining, SourcePlan, World, contiguous, ms, secs};
use std::time::Duration;

fn wish(world: &mut World, viewer: ClientId, publisher: ClientId, width: u16) {
    let publication = world[publisher].publication(0);
    let wish = Wish { publication, width, height: width / 16 * 9, visible: true, max_fps: 0, priority: Default::default() };
    world.request(viewer, ClientMessage::Wishes { wishes: vec![wish] });
}

/// Which spatial layers were sent in the last `time`.
fn sending(world: &World, publisher: ClientId, time: Duration) -> [bool; 3] {
    let since = world.now().saturating_sub(time);
    [0, 1, 2].map(|spatial| world[publisher].sources[0].sent.iter().any(|sent| sent.at > since && sent.tag.encoding == spatial))
}

/// Which spatial layers arrived in the last half second.
fn receiving(world: &World, viewer: ClientId, publisher: ClientId) -> [bool; 3] {
    let since = world.now().saturating_sub(ms(500));
    [0, 1, 2].map(|spatial| world[viewer].packets_of(publisher, 0).iter().any(|packet| packet.at > since && packet.tag.encoding == spatial))
}

/// What the publisher was last told.
fn demand(world: &World, publisher: ClientId) -> Option<EncodingDemand> {
    world[publisher].sources[0].demands.last().and_then(|(_, demands)| demands.first().cloned())
}

#[test]
fn layers_nobody_shows_are_cut_and_are_back_within_half_a_second() {
    come_and_go(World::seeded(920));
}

#[test]
fn and_so_they_are_in_a_room_spread_over_shards() {
    let mut world = World::sharded(921, 3, |_| {});
    world.edge.spread_at = 1;
    come_and_go(world);
}

fn come_and_go(mut world: World) {
    let alice = world.joined(Joining::new("alice").publishing(SourcePlan::scalable()));
    let viewers = ["bob", "carol"].map(|name| world.joined(Joining::new(name).slots(0, 1)));
    let [bob, carol] = viewers;
    world.run_for(secs(4));
    assert_eq!(sending(&world, alice, ms(500)), [true; 3]);
    assert_eq!(receiving(&world, bob, alice), [true; 3], "as large as it comes, nothing was said");

    for viewer in viewers {
        wish(&mut world, viewer, alice, 320);
    }
    let waited =
        world.run_until(secs(2), "the publisher is told", |world| demand(world, alice).is_some_and(|told| told.spatial_layers == 1));
    println!("cut after {waited:?}");
    assert!(demand(&world, alice).unwrap().active);
    world.run_for(secs(2));
    assert_eq!(sending(&world, alice, ms(500)), [true, false, false]);
    for viewer in viewers {
        assert_eq!(receiving(&world, viewer, alice), [true, false, false]);
        let state = world[viewer].last_layer();
        assert_eq!((state.width, state.reason), (320, LayerReason::Wished), "{state:?}");
    }

    wish(&mut world, bob, alice, 1280);
    let waited = world.run_until(ms(500), "all layers are back", |world| sending(world, alice, ms(10))[2]);
    println!("back after {waited:?}");
    let waited = world.run_until(secs(1), "and arrive", |world| receiving(world, bob, alice)[2]);
    println!("with the viewer {waited:?} later");
    world.run_for(secs(2));
    assert_eq!(demand(&world, alice).unwrap().spatial_layers, 0, "all");
    assert_eq!(receiving(&world, carol, alice), [true, false, false], "who didn't ask gets no more");
    assert_eq!((world[bob].last_layer().width, world[bob].last_layer().reason), (1280, LayerReason::Best));

    // The one in the middle is enough.
    wish(&mut world, bob, alice, 640);
    world.run_until(secs(2), "the top is cut", |world| demand(world, alice).is_some_and(|told| told.spatial_layers == 2));
    world.run_for(secs(1));
    assert_eq!(sending(&world, alice, ms(500)), [true, true, false]);
    assert_eq!(receiving(&world, bob, alice), [true, true, false]);
    for viewer in viewers {
        let packets = world[viewer].packets_of(alice, 0);
        assert!(contiguous(packets.iter().map(|packet| packet.seq)), "left-out layers leave no gaps");
        assert!(packets[0].keyframe);
    }
}
