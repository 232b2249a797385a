use super::model::{Structure, World};
use super::*;

fn of(spatial: u8, temporal: u8, key_mode: bool) -> World {
    World::of(&[Structure { spatial, temporal, key_mode }])
}

/// The layers of the pictures `from` to `to` that a subscriber got, and the numbers of the packets.
fn watch(world: &mut World, from: u32, to: u32) -> (Vec<(u32, u8)>, Vec<Seen>) {
    let seen: Vec<_> = (from..to).flat_map(|picture| world.show(0, picture, picture == 0)).collect();
    let mut frames: Vec<_> = world.labels(&seen).into_iter().map(|label| (label.1, label.2)).collect();
    frames.dedup();
    (frames, seen)
}

#[test]
fn left_out_frames_take_no_numbers_and_no_picture_ids() {
    let mut world = of(1, 3, false);
    world.ask_for(0, 0, 0);
    let (frames, seen) = watch(&mut world, 0, 20);
    assert_eq!(frames, [(0, 0), (4, 0), (8, 0), (12, 0), (16, 0)]);
    assert!(seen.windows(2).all(|pair| pair[1].index == pair[0].index + 1));
    let mut ids: Vec<_> = seen.iter().map(|seen| picture(&seen.payload).0).collect();
    ids.dedup();
    assert!(ids.windows(2).all(|pair| pair[1] == (pair[0] + 1) & 0x7fff), "{ids:?}");
    assert_eq!(ids.len(), 5);
}

#[test]
fn more_pictures_begin_where_nothing_before_is_needed() {
    let mut world = of(1, 3, false);
    world.ask_for(0, 0, 0);
    watch(&mut world, 0, 3);
    world.ask_for(0, 0, 2);
    // The fourth picture of the pattern refers to the third, which was left out.
    assert_eq!(watch(&mut world, 3, 9).0, [(4, 0), (5, 0), (6, 0), (7, 0), (8, 0)]);
    assert_eq!(world.stage.forwarder.needs_keyframe(), None);
}

#[test]
fn fewer_pictures_begin_at_once() {
    let mut world = of(1, 3, false);
    watch(&mut world, 0, 5);
    world.ask_for(0, 0, 0);
    assert_eq!(watch(&mut world, 5, 9).0, [(8, 0)]);
}

#[test]
fn a_smaller_picture_begins_at_once_and_a_bigger_one_with_a_key_frame() {
    let mut world = of(3, 1, false);
    assert_eq!(watch(&mut world, 0, 1).0, [(0, 0), (0, 1), (0, 2)]);
    world.ask_for(0, 1, 0);
    assert_eq!(watch(&mut world, 1, 2).0, [(1, 0), (1, 1)]);
    assert_eq!(world.stage.forwarder.needs_keyframe(), None);
    world.ask_for(0, 2, 0);
    assert_eq!(world.stage.forwarder.needs_keyframe(), Some(0));
    assert_eq!(watch(&mut world, 2, 3).0, [(2, 0), (2, 1)]);
    world.show(0, 3, true);
    assert_eq!(world.stage.forwarder.needs_keyframe(), None);
    assert_eq!(watch(&mut world, 4, 5).0, [(4, 0), (4, 1), (4, 2)]);
}

#[test]
fn layers_that_stand_alone_change_at_key_frames_only() {
    let mut world = of(3, 1, true);
    assert_eq!(watch(&mut world, 0, 2).0, [(0, 0), (0, 1), (0, 2), (1, 2)]);
    world.ask_for(0, 0, 0);
    assert_eq!(watch(&mut world, 2, 3).0, [(2, 2)], "the small picture has missed its references");
    assert_eq!(world.stage.forwarder.needs_keyframe(), Some(0));
    world.show(0, 3, true);
    assert_eq!(world.stage.forwarder.needs_keyframe(), None);
    assert_eq!(watch(&mut world, 4, 5).0, [(4, 0)]);
}

#[test]
fn the_highest_layer_that_is_forwarded_ends_the_picture() {
    for (target, key_mode) in [(0, false), (1, false), (2, false), (0, true), (1, true)] {
        let mut world = of(3, 2, key_mode);
        world.ask_for(0, target, 1);
        for picture in 0..4 {
            let seen = world.show(0, picture, picture == 0);
            let markers: Vec<_> = seen.iter().map(|seen| seen.header.marker).collect();
            let (last, others) = markers.split_last().unwrap();
            assert!(*last && others.iter().all(|marker| !marker), "{target} {key_mode} {markers:?}");
        }
    }
}

/// A picture that has begun is not cut short.
#[test]
fn a_change_waits_for_the_next_picture() {
    let mut world = of(3, 1, false);
    world.show(0, 0, true);
    let packets = world.arrive(0, 1, false);
    let mut seen = world.offer(&packets[0]);
    world.ask_for(0, 0, 0);
    seen.extend(packets[1..].iter().flat_map(|packet| world.offer(packet)).collect::<Vec<_>>());
    assert_eq!(seen.len(), packets.len());
    assert!(world.show(0, 2, false).len() < packets.len());
}
