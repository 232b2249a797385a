//! A camera in three encodings of three temporal layers, and viewers who show it small, large, slowly or not at all.

use nearcast_protocol::{ClientMessage, LayerReason, PublicationId, ServerMessage, Wish};
use nearcast_sim::{ClientId, Joining, Packet, SourcePlan, World, contiguous, extended, ms, secs};
use std::collections::BTreeMap;
use std::time::Duration;

fn publisher(world: &mut World) -> ClientId {
    world.joined(Joining::new("alice").publishing(SourcePlan::simulcast()))
}

fn viewer(world: &mut World, name: &str) -> ClientId {
    world.joined(Joining::new(name).slots(0, 1))
}

fn shown(publication: PublicationId, width: u16) -> Wish {
    Wish { publication, width, height: width / 16 * 9, visible: true, max_fps: 0, priority: Default::default() }
}

/// Says how somebody shows the only camera there is.
fn wish(world: &mut World, viewer: ClientId, publisher: ClientId, change: impl FnOnce(Wish) -> Wish) {
    let wish = change(shown(world[publisher].publication(0), 0));
    let reply = world.ask(viewer, ClientMessage::Wishes { wishes: vec![wish] });
    assert!(matches!(reply, ServerMessage::Done { .. }), "{reply:?}");
}

fn at_width(width: u16) -> impl FnOnce(Wish) -> Wish {
    move |wish| shown(wish.publication, width)
}

fn hidden(wish: Wish) -> Wish {
    Wish { visible: false, ..wish }
}

/// What arrived in the last `time`.
fn lately(world: &World, viewer: ClientId, publisher: ClientId, time: Duration) -> Vec<Packet> {
    let since = world.now() - time;
    world[viewer].packets_of(publisher, 0).into_iter().filter(|packet| packet.at > since).collect()
}

/// Encodings of what arrived in the last half second.
fn encodings(world: &World, viewer: ClientId, publisher: ClientId) -> Vec<u8> {
    let mut all: Vec<_> = lately(world, viewer, publisher, ms(500)).iter().map(|packet| packet.tag.encoding).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// One stream without gaps, whole frames only, time running forward at the pace of capture.
fn is_seamless(packets: &[Packet]) {
    assert!(contiguous(packets.iter().map(|packet| packet.seq)));
    let mut frames: BTreeMap<(u32, u8), Vec<u16>> = BTreeMap::new();
    for packet in packets {
        frames.entry((packet.tag.frame, packet.tag.encoding)).or_default().push(packet.tag.part);
    }
    let last = packets.last().map(|packet| (packet.tag.frame, packet.tag.encoding));
    for (frame, parts) in frames.iter().filter(|(frame, _)| Some(**frame) != last) {
        let whole = packets.iter().find(|packet| (packet.tag.frame, packet.tag.encoding) == *frame).unwrap().tag.parts;
        assert_eq!(parts.len(), usize::from(whole), "frame {frame:?} is torn");
    }
    let times = extended(packets.iter().map(|packet| packet.timestamp));
    for (pair, stamps) in packets.windows(2).zip(times.windows(2)) {
        assert!(stamps[1] >= stamps[0] && pair[1].tag.frame >= pair[0].tag.frame, "time runs backwards");
    }
}

#[test]
fn a_small_tile_gets_the_small_layer_and_a_large_one_the_top() {
    let mut world = World::seeded(400);
    let alice = publisher(&mut world);
    let (small, large) = (viewer(&mut world, "small"), viewer(&mut world, "large"));
    wish(&mut world, small, alice, at_width(320));
    wish(&mut world, large, alice, at_width(1280));
    world.run_for(secs(4));
    assert_eq!(encodings(&world, small, alice), [0]);
    assert_eq!(encodings(&world, large, alice), [2]);
    for viewer in [small, large] {
        is_seamless(&world[viewer].packets_of(alice, 0));
    }
    let state = world[small].last_layer();
    assert_eq!((state.width, state.height, state.paused, state.reason), (320, 180, false, LayerReason::Wished));
    assert!((120_000..220_000).contains(&state.bitrate) && (27..=33).contains(&state.fps), "{state:?}");
    let state = world[large].last_layer();
    assert_eq!((state.width, state.height, state.paused, state.reason), (1280, 720, false, LayerReason::Best));
}

#[test]
fn a_tile_that_grows_changes_layer_within_half_a_second_and_without_a_seam() {
    let mut world = World::seeded(401);
    let alice = publisher(&mut world);
    let bob = viewer(&mut world, "bob");
    let carol = viewer(&mut world, "carol");
    wish(&mut world, bob, alice, at_width(320));
    world.run_for(secs(4));
    for (width, encoding) in [(1280, 2), (640, 1), (1280, 2), (160, 0)] {
        let began = world.now();
        wish(&mut world, bob, alice, at_width(width));
        let last = move |world: &World| world[bob].packets_of(alice, 0).last().map(|packet| packet.tag.encoding);
        world.run_until(ms(600), "the other layer", |world| last(world) == Some(encoding));
        println!("to {width} in {:?}", world.now() - began);
        world.run_for(secs(3));
        assert_eq!(encodings(&world, bob, alice), [encoding]);
    }
    is_seamless(&world[bob].packets_of(alice, 0));
    assert_eq!(encodings(&world, carol, alice), [2]);
    assert!(world.stats().layer_switches_up >= 2 && world.stats().layer_switches_down >= 2);
}

#[test]
fn what_is_hidden_is_not_sent_and_comes_back_with_a_key_frame() {
    let mut world = World::seeded(402);
    let alice = publisher(&mut world);
    let bob = viewer(&mut world, "bob");
    world.run_for(secs(3));
    wish(&mut world, bob, alice, hidden);
    world.run_for(ms(300));
    assert!(lately(&world, bob, alice, ms(200)).is_empty());
    assert_eq!(world[bob].last_layer().reason, LayerReason::Hidden);
    assert!(world[bob].last_layer().paused);
    world.run_for(secs(5));
    let before = world[bob].packets_of(alice, 0).len();
    wish(&mut world, bob, alice, at_width(1280));
    world.run_until(ms(500), "a picture", |world| world[bob].packets_of(alice, 0).len() > before);
    assert!(world[bob].packets_of(alice, 0)[before].keyframe);
    world.run_for(secs(2));
    assert_eq!(encodings(&world, bob, alice), [2]);
    is_seamless(&world[bob].packets_of(alice, 0));
}

#[test]
fn a_slow_tile_gets_fewer_frames() {
    let mut world = World::seeded(403);
    let alice = publisher(&mut world);
    let bob = viewer(&mut world, "bob");
    for (max_fps, frames) in [(15, 25..=35), (8, 12..=18), (0, 56..=64)] {
        wish(&mut world, bob, alice, |wish| Wish { max_fps, ..shown(wish.publication, 320) });
        world.run_for(secs(4));
        let mut numbers: Vec<_> = lately(&world, bob, alice, secs(2)).iter().map(|packet| packet.tag.frame).collect();
        numbers.dedup();
        assert!(frames.contains(&numbers.len()), "{} in two seconds at most {max_fps} a second", numbers.len());
    }
    is_seamless(&world[bob].packets_of(alice, 0));
}

/// A publisher whose top layer stops, for whatever reason: its viewers go on with the next one.
#[test]
fn a_dead_top_layer_freezes_nobody() {
    let mut world = World::seeded(404);
    let alice = publisher(&mut world);
    let bob = viewer(&mut world, "bob");
    let small = viewer(&mut world, "small");
    wish(&mut world, small, alice, at_width(640));
    world.run_for(secs(4));
    assert_eq!(encodings(&world, bob, alice), [2]);
    world[alice].sources[0].afford(2, false);
    world.run_for(secs(3));
    assert_eq!(encodings(&world, bob, alice), [1]);
    assert_eq!(world[bob].last_layer().reason, LayerReason::Publisher);
    let packets = world[bob].packets_of(alice, 0);
    let longest = packets.windows(2).map(|pair| pair[1].at - pair[0].at).max().unwrap();
    println!("longest gap {longest:?}");
    assert!(longest < ms(1_000), "{longest:?}");
    // It is back as soon as the publisher sends it again.
    world[alice].sources[0].afford(2, true);
    world.run_for(secs(2));
    assert_eq!(encodings(&world, bob, alice), [2]);
    is_seamless(&world[bob].packets_of(alice, 0));
}

#[test]
fn a_mute_is_told_and_the_picture_is_back_at_once() {
    let mut world = World::seeded(405);
    let alice = publisher(&mut world);
    let bob = viewer(&mut world, "bob");
    world.run_for(secs(3));
    let publication = world[alice].publication(0);
    world.ask(alice, ClientMessage::Mute { publication: publication.clone(), muted: true });
    world[alice].sources[0].silent = true;
    world.run_for(secs(3));
    assert_eq!(world[bob].last_layer().reason, LayerReason::Muted);
    let before = world[bob].packets_of(alice, 0).len();
    world[alice].sources[0].silent = false;
    world.ask(alice, ClientMessage::Mute { publication, muted: false });
    world.run_until(ms(300), "a picture", |world| world[bob].packets_of(alice, 0).len() > before);
    world.run_for(secs(2));
    assert_eq!(encodings(&world, bob, alice), [2]);
    is_seamless(&world[bob].packets_of(alice, 0));
}

#[test]
fn wishes_are_bounded_and_strange_ones_skipped() {
    let mut world = World::seeded(406);
    let alice = publisher(&mut world);
    let bob = viewer(&mut world, "bob");
    let known = world[alice].publication(0);
    let wishes = |count: usize| (0..count).map(|number| shown(format!("t_{number}").as_str().into(), 320)).collect::<Vec<_>>();
    let mut some = wishes(200);
    some.push(shown(known, 320));
    assert!(matches!(world.ask(bob, ClientMessage::Wishes { wishes: some }), ServerMessage::Done { .. }));
    assert!(matches!(world.ask(bob, ClientMessage::Wishes { wishes: wishes(257) }), ServerMessage::Failed { .. }));
    world.run_for(secs(3));
    assert_eq!(encodings(&world, bob, alice), [0]);
    // Nobody has a say in what others get, nor in one's own.
    let own = shown(world[alice].publication(0), 320);
    assert!(matches!(world.ask(alice, ClientMessage::Wishes { wishes: vec![own] }), ServerMessage::Done { .. }));
}
