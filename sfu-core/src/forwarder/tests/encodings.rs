use super::model::{Structure, World};
use super::*;

const PLAIN: Structure = Structure { spatial: 1, temporal: 1, key_mode: false };

/// Two encodings; the first flows, the second was just asked for.
fn switching() -> World {
    let mut world = World::of(&[PLAIN, PLAIN]);
    world.show(0, 0, true);
    world.show(0, 1, false);
    world.ask_for(1, 3, 3);
    world
}

fn pictures(world: &World, seen: &[Seen]) -> Vec<(u8, u32)> {
    let mut pictures: Vec<_> = world.labels(seen).into_iter().map(|label| (label.0, label.1)).collect();
    pictures.dedup();
    pictures
}

#[test]
fn the_old_encoding_flows_until_the_new_ones_key_frame() {
    let mut world = switching();
    assert_eq!(world.stage.forwarder.needs_keyframe(), Some(1));
    assert!(world.stage.forwarder.wants(0) && world.stage.forwarder.wants(1) && !world.stage.forwarder.wants(2));
    assert!(world.show(1, 2, false).is_empty());
    assert!(!world.show(0, 2, false).is_empty());
    assert_eq!(world.stage.forwarder.current().unwrap().encoding, 0);
    let switched = world.show(1, 3, true);
    assert_eq!(pictures(&world, &switched), [(1, 3)]);
    assert_eq!(world.stage.forwarder.current().unwrap().encoding, 1);
    assert_eq!(world.stage.forwarder.needs_keyframe(), None);
    assert!(world.show(0, 4, false).is_empty());
}

#[test]
fn frames_are_forwarded_whole_or_not_at_all() {
    let mut world = switching();
    let old = world.arrive(0, 2, false);
    assert!(old.len() > 1);
    let mut seen: Vec<_> = world.offer(&old[0]);
    // The key frame comes while the old encoding's frame is half sent, and waits for the rest.
    let new = world.arrive(1, 2, true);
    assert!(new.iter().all(|packet| world.offer(packet).is_empty()));
    assert_eq!(world.stage.forwarder.needs_keyframe(), None, "it is here");
    seen.extend(old[1..].iter().flat_map(|packet| world.offer(packet)).collect::<Vec<_>>());
    assert_eq!(pictures(&world, &seen), [(0, 2), (1, 2)]);
    assert_eq!(seen.len(), old.len() + new.len());
    let numbers: Vec<_> = seen.iter().map(|seen| seen.index).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1));
}

#[test]
fn a_frame_that_lost_its_end_is_waited_for_no_longer_than_its_successor() {
    let mut world = switching();
    let old = world.arrive(0, 2, false);
    let last = old.len() - 1;
    old[..last].iter().for_each(|packet| drop(world.offer(packet)));
    let new = world.arrive(1, 2, true);
    assert!(new.iter().all(|packet| world.offer(packet).is_empty()));
    let after = world.show(0, 3, false);
    assert_eq!(pictures(&world, &after), [(1, 2)], "the key frame, and not what triggered it");
    let late = world.offer(&old[last]);
    assert_eq!(world.labels(&late), [(0, 2, 0, last as u8)], "under the number that was kept for it");
    assert!(late[0].index < after[0].index);
}

#[test]
fn an_encoding_that_fell_silent_in_mid_frame_holds_nothing_up() {
    let mut world = switching();
    let old = world.arrive(0, 2, false);
    world.offer(&old[0]);
    let new = world.arrive(1, 2, true);
    assert!(new.iter().all(|packet| world.offer(packet).is_empty()));
    world.arrive(1, 3, false).iter().for_each(|packet| assert!(world.offer(packet).is_empty(), "33 ms are not enough"));
    let at_last = world.show(1, 4, false);
    assert_eq!(pictures(&world, &at_last), [(1, 2), (1, 3), (1, 4)]);
}

#[test]
fn a_key_frame_whose_first_packet_was_repaired_comes_whole_from_the_cache() {
    let mut world = switching();
    let new = world.arrive(1, 2, true);
    assert!(new.len() > 1);
    assert!(new[1..].iter().all(|packet| world.offer(packet).is_empty()));
    world.show(1, 3, false);
    let repaired = world.offer(&new[0]);
    assert_eq!(pictures(&world, &repaired), [(1, 2), (1, 3)]);
}

#[test]
fn a_wish_that_was_taken_back_leaves_everything_as_it_was() {
    let mut world = switching();
    let old = world.arrive(0, 2, false);
    world.offer(&old[0]);
    world.arrive(1, 2, true).iter().for_each(|packet| drop(world.offer(packet)));
    world.ask_for(0, 3, 3);
    let mut seen: Vec<_> = old[1..].iter().flat_map(|packet| world.offer(packet)).collect::<Vec<_>>();
    seen.extend(world.show(0, 3, false));
    assert_eq!(pictures(&world, &seen), [(0, 2), (0, 3)]);
    world.ask_for(1, 3, 3);
    assert!(world.show(1, 4, false).is_empty(), "the key frame from before is not begun with");
    assert_eq!(world.stage.forwarder.needs_keyframe(), Some(1));
}

/// Both encodings show one moment: the second can't have the timestamp of the first again, and those after it are where they belong.
#[test]
fn no_two_pictures_share_a_timestamp() {
    let mut world = switching();
    let before = world.show(0, 2, false)[0].header.timestamp;
    let same_moment = world.show(1, 2, true)[0].header.timestamp;
    let next = world.show(1, 3, false)[0].header.timestamp;
    assert_eq!(same_moment.wrapping_sub(before), 90, "a millisecond");
    assert_eq!(next.wrapping_sub(before), 3_000, "a frame");
    world.ask_for(0, 3, 3);
    let back = world.show(0, 4, true)[0].header.timestamp;
    assert_eq!(back.wrapping_sub(next), 3_000, "and the same on the way back");
}

/// The capture clocks tell, not when packets came: the key frame is big and was long on its way.
#[test]
fn the_cadence_survives_a_switch() {
    let mut world = switching();
    let before = world.show(0, 2, false)[0].header.timestamp;
    let key = world.arrive(1, 3, true);
    world.stage.now += Duration::from_millis(150);
    let switched: Vec<_> = key.iter().flat_map(|packet| world.offer(packet)).collect();
    assert!(switched.iter().all(|seen| seen.header.timestamp.wrapping_sub(before) == 3_000));
}

#[test]
fn an_encoding_that_began_anew_needs_a_key_frame() {
    let mut world = switching();
    world.ask_for(0, 3, 3);
    let mut restarted = world.arrive(0, 2, false);
    restarted.iter_mut().for_each(|packet| packet.info.generation = 77);
    assert!(restarted.iter().all(|packet| world.offer(packet).is_empty()));
    assert_eq!(world.stage.forwarder.needs_keyframe(), Some(0));
    assert_eq!(world.stage.forwarder.current(), None);
}
