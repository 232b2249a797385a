use super::model::{Structure, World};
use super::*;

/// Three temporal layers, of which only the lowest is forwarded.
fn lowest_of_three() -> World {
    let mut world = World::of(&[Structure { spatial: 1, temporal: 3, key_mode: false }]);
    world.ask_for(0, 0, 0);
    world.show(0, 0, true);
    world
}

#[test]
fn a_missing_packet_keeps_a_number_and_an_empty_one_takes_it_when_it_is_not_for_us() {
    let mut world = lowest_of_three();
    let missing = world.arrive(0, 1, false);
    (2..4).for_each(|picture| drop(world.show(0, picture, false)));
    let next = world.show(0, 4, false);
    for (packet, back) in missing.iter().zip((1..=missing.len() as u64).rev()) {
        let [filled] = &world.offer(packet)[..] else { panic!("the number is waited for") };
        assert_eq!(filled.index, next[0].index - back);
        assert!(filled.header.has_padding && !filled.header.marker);
        assert_eq!(filled.payload, [1], "one byte of padding, and nothing else");
        assert_eq!(world.offer(packet), [], "once");
    }
}

#[test]
fn within_a_frame_that_is_left_out_nothing_is_missed() {
    let mut world = lowest_of_three();
    let first = world.stage.forwarder.counters().packets;
    let left_out = world.arrive(0, 1, false);
    assert!(left_out.len() > 2);
    world.offer(&left_out[0]);
    world.offer(left_out.last().unwrap());
    (2..4).for_each(|picture| drop(world.show(0, picture, false)));
    let next = world.show(0, 4, false);
    assert_eq!(next[0].index, 32_700 + u64::from(first), "nobody will ask for it");
    assert_eq!(world.offer(&left_out[1]), []);
}

#[test]
fn a_late_packet_is_treated_as_its_frame_was() {
    let mut world = World::of(&[Structure { spatial: 1, temporal: 1, key_mode: false }]);
    world.show(0, 0, true);
    let packets = world.arrive(0, 1, false);
    assert!(packets.len() > 2);
    let sent = world.offer(&packets[0]);
    packets[2..].iter().for_each(|packet| drop(world.offer(packet)));
    world.stage.forwarder.set_layer(None);
    world.show(0, 2, false);
    let [late] = &world.offer(&packets[1])[..] else { panic!("its frame was forwarded") };
    assert_eq!((late.index, late.header.timestamp), (sent[0].index + 1, sent[0].header.timestamp));
    assert_eq!(picture(&late.payload), picture(&sent[0].payload));
}

#[test]
fn what_was_asked_for_and_turns_out_to_be_left_out_is_answered_empty() {
    let mut world = lowest_of_three();
    let missing = world.arrive(0, 1, false);
    (2..4).for_each(|picture| drop(world.show(0, picture, false)));
    let next = world.show(0, 4, false)[0].index as u16;
    let now = world.stage.now;
    let resend = world.stage.forwarder.find_for_resend(next - 1, now, None).unwrap();
    let last = missing.last().unwrap();
    assert_eq!(resend.seq(), last.info.seq);
    let packet = MediaPacket { info: last.info, payload: &last.payload, dependency: &[] };
    let mut out = vec![0; 1_500];
    let written = world.stage.forwarder.resend(&resend, &packet, &world.stage.format, &mut out).unwrap();
    let seen = seen(&out, written);
    assert_eq!(seen.header.ssrc, RTX_SSRC);
    assert_eq!(seen.payload, (next - 1).to_be_bytes(), "the number, and nothing else");
    assert_eq!(world.offer(last), [], "and needs no other answer");
}

/// An encoding that was left is listened to for a second.
#[test]
fn who_was_left_is_forgotten() {
    let plain = Structure { spatial: 1, temporal: 1, key_mode: false };
    let mut world = World::of(&[plain, plain]);
    world.show(0, 0, true);
    world.ask_for(1, 3, 3);
    world.show(1, 1, true);
    assert!(world.stage.forwarder.wants(0));
    (2..40).for_each(|picture| drop(world.show(0, picture, false)));
    assert!(!world.stage.forwarder.wants(0));
}
