use super::model::{Structure, World};
use super::*;

fn world() -> World {
    World::of(&[Structure { spatial: 1, temporal: 1, key_mode: false }])
}

#[test]
fn a_pause_begins_behind_a_whole_picture() {
    let mut world = world();
    world.show(0, 0, true);
    let packets = world.arrive(0, 1, false);
    assert!(packets.len() > 1);
    world.offer(&packets[0]);
    world.stage.forwarder.set_layer(None);
    assert!(packets[1..].iter().all(|packet| world.offer(packet).len() == 1));
    assert!(world.show(0, 2, false).is_empty());
    assert_eq!(world.stage.forwarder.current(), None);
    assert_eq!(world.stage.forwarder.needs_keyframe(), None, "nothing is asked for");
}

#[test]
fn it_ends_with_a_key_frame_and_the_numbers_and_times_run_on() {
    let mut world = world();
    world.show(0, 0, true);
    let before = world.show(0, 1, false);
    world.stage.forwarder.set_layer(None);
    (2..30).for_each(|picture| drop(world.show(0, picture, false)));
    world.ask_for(0, 3, 3);
    assert_eq!(world.stage.forwarder.needs_keyframe(), Some(0));
    assert!(world.show(0, 30, false).is_empty());
    let after = world.show(0, 31, true);
    assert_eq!(after[0].index, before.last().unwrap().index + 1);
    assert_eq!(after[0].header.timestamp.wrapping_sub(before[0].header.timestamp), 30 * 3_000, "the time that has passed");
    assert_eq!(picture(&after[0].payload).0, (picture(&before[0].payload).0 + 1) & 0x7fff);
}

#[test]
fn sound_pauses_and_goes_on_with_any_packet() {
    let mut stage = Stage::new(10);
    stage.forwarder = Forwarder::new(SSRC, None, false, 10);
    let mut source = stage.source(1, 0, 0);
    source.codec = Codec::Opus;
    stage.forwarder.bind(source.publication);
    stage.forward(&source.next(false)).unwrap();
    stage.forwarder.set_layer(None);
    assert_eq!(stage.forward(&source.next(false)), None);
    assert_eq!(stage.forward(&source.next(false)), None);
    stage.forwarder.set_layer(Some(LayerChoice::FIRST));
    let after = stage.forward(&source.next(false)).unwrap();
    assert_eq!((after.header.seq, after.header.timestamp), (11, 9_000));
}
