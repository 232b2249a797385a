//! A participant with valid keys and bad intentions: what it sends costs itself, the call goes on.

use nearcast_sim::guest::{GUEST_OPUS, GUEST_VIDEO, GUEST_VP8, Guest, Protection, rtp, ssrc_and_seq};
use nearcast_sim::{ClientId, Joining, World, contiguous, ms, secs};
use sfu_core::rtcp::CompoundWriter;
use std::collections::HashMap;

fn call(seed: u64) -> (World, ClientId, ClientId, Guest) {
    let mut world = World::seeded(seed);
    let alice = world.joined(Joining::new("alice").camera().microphone());
    let bob = world.joined(Joining::new("bob").slots(2, 2));
    let guest = world.guest("guest", &[Protection::Gcm128]).expect("a handshake");
    world.run_for(secs(1));
    (world, alice, bob, guest)
}

fn undisturbed(world: &mut World, alice: ClientId, bob: ClientId) {
    let before = world[bob].packets.len();
    world.run_for(secs(1));
    assert!(world[bob].packets.len() > before + 200);
    for source in [0, 1] {
        assert!(contiguous(world[bob].packets_of(alice, source).iter().map(|packet| packet.seq)));
    }
    assert_eq!(world.edge.clashing_packets, 0);
}

fn compound(write: impl FnOnce(&mut CompoundWriter<'_>)) -> Vec<u8> {
    let mut buffer = vec![0; 1_200];
    let mut writer = CompoundWriter::new(&mut buffer);
    writer.receiver_report(1, &[]).unwrap();
    write(&mut writer);
    writer.written().to_vec()
}

/// The last packet of Alice's camera that the guest got: SSRC and number.
fn newest(world: &mut World, guest: &mut Guest) -> (u32, u16) {
    let heard = world.guest_hears(guest);
    let video = heard.iter().rfind(|packet| packet[1] & 0x7f == GUEST_VP8).expect("Alice's camera");
    ssrc_and_seq(video)
}

#[test]
fn sources_without_end() {
    let (mut world, alice, bob, mut guest) = call(150);
    for ssrc in 0..2_000 {
        for (payload_type, mid) in [(GUEST_VP8, Some(b'1')), (GUEST_VP8, None), (GUEST_OPUS, Some(b'0')), (77 + 40, Some(b'1'))] {
            world.guest_sends(&mut guest, &rtp(payload_type, 1, 1, 0x10_0000 + ssrc, mid, &[0; 20]));
        }
    }
    undisturbed(&mut world, alice, bob);
    assert_eq!(world.stats().publications, 4);
}

#[test]
fn timestamps_and_numbers_that_jump() {
    let (mut world, alice, bob, mut guest) = call(151);
    let mut number = 1_u32;
    for _ in 0..3_000 {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let key_frame = [0x90, 0x80, 0x01, 0x00, 0, 0, 0x9d, 0x01, 0x2a, 0x10, 0, 0x10, 0, 0];
        world.guest_sends(&mut guest, &rtp(GUEST_VP8, (number >> 8) as u16, number, GUEST_VIDEO, None, &key_frame));
    }
    undisturbed(&mut world, alice, bob);
}

/// Asks again and again for everything there is. What it gets in return is bounded by what it was sent in the first place.
#[test]
fn nacks_without_end() {
    let (mut world, alice, bob, mut guest) = call(152);
    let (ssrc, seq) = newest(&mut world, &mut guest);
    let lost: Vec<u16> = (0..512).map(|age| seq.wrapping_sub(511).wrapping_add(age)).collect();
    let before = world.stats();
    for _ in 0..200 {
        let request = compound(|writer| writer.nack(1, ssrc, &lost[256..]).unwrap());
        world.guest_reports(&mut guest, &request);
    }
    let at_once = world.stats().packets_resent - before.packets_resent;
    println!("{at_once} packets for 200 requests of 256 at one instant");
    assert!(at_once <= 512, "an echo of a request is no request: {at_once}");
    undisturbed(&mut world, alice, bob);
}

/// Some clients don't see that a resend came, and name what they lost on and on (the `webrtc` crate, of packets that come by RTX). It costs them
/// repeats, and not what they lose next.
#[test]
fn naming_the_old_without_end_leaves_room_for_the_new() {
    let (mut world, alice, bob, mut guest) = call(158);
    world.guest_datagrams(&guest);
    let (mut lost, mut unanswered, mut named) = (Vec::new(), Vec::new(), 0);
    for _ in 0..50 {
        world.run_for(ms(100));
        let seen: Vec<_> =
            world.guest_datagrams(&guest).iter().filter(|bytes| bytes[1] & 0x7f == GUEST_VP8).map(|bytes| ssrc_and_seq(bytes)).collect();
        unanswered.retain(|number| !seen.iter().any(|(_, seq)| seq == number));
        assert!(unanswered.is_empty(), "named for the first time 100 ms ago and not sent again: {unanswered:?}");
        // One in twenty of what is new; what comes again isn't.
        unanswered = seen.iter().map(|(_, seq)| *seq).filter(|seq| seq % 20 == 0 && !lost.contains(seq)).collect();
        lost.extend(&unanswered);
        named += unanswered.len();
        let newest = *lost.last().unwrap_or(&0);
        lost.retain(|seq| newest.wrapping_sub(*seq) < 512);
        if let Some((ssrc, _)) = seen.first() {
            world.guest_reports(&mut guest, &compound(|writer| writer.nack(1, *ssrc, &lost).unwrap()));
        }
    }
    println!("{named} packets named, each on and on; {} sent again in all", world.stats().packets_resent);
    assert!(named >= 20, "{named} packets were named");
    undisturbed(&mut world, alice, bob);
}

/// Without RTX a resend is the same packet to the byte: two different ones under one number would give GCM's key away.
#[test]
fn an_honest_nack_is_answered_with_the_very_packet() {
    let (mut world, _, _, mut guest) = call(153);
    let sent: HashMap<_, _> = world
        .guest_datagrams(&guest)
        .into_iter()
        .filter(|bytes| bytes[1] & 0x7f == GUEST_VP8)
        .map(|bytes| (ssrc_and_seq(&bytes), bytes))
        .collect();
    let (ssrc, seq) = *sent.keys().max().expect("Alice's camera");
    let lost: Vec<u16> = (0..20).map(|age| seq - age * 3).rev().collect();
    world.run_for(ms(200));
    world.guest_datagrams(&guest);
    world.guest_reports(&mut guest, &compound(|writer| writer.nack(1, ssrc, &lost).unwrap()));
    let again = world.guest_datagrams(&guest);
    assert_eq!(again.len(), lost.len());
    assert!(again.iter().all(|bytes| sent[&ssrc_and_seq(bytes)] == *bytes));
    assert_eq!((world.edge.repeated_packets, world.edge.clashing_packets), (20, 0));
}

#[test]
fn key_frame_requests_without_end() {
    let (mut world, alice, bob, mut guest) = call(154);
    let (ssrc, _) = newest(&mut world, &mut guest);
    let before = world[alice].sources[0].keyframe_requests.len();
    for round in 0..1_000_u32 {
        world.guest_reports(&mut guest, &compound(|writer| writer.pli(1, ssrc).unwrap()));
        world.guest_reports(&mut guest, &compound(|writer| writer.fir(1, &[(ssrc, round as u8)]).unwrap()));
        world.run_for(ms(2));
    }
    let requests = world[alice].sources[0].keyframe_requests.len() - before;
    println!("{requests} passed on of 2,000 in 2 s");
    assert!(requests <= 5);
    undisturbed(&mut world, alice, bob);
}

#[test]
fn reports_about_what_it_does_not_receive() {
    let (mut world, alice, bob, mut guest) = call(155);
    let before = world[alice].sources[0].keyframe_requests.len();
    let bobs = world[bob].packets[0].ssrc;
    for ssrc in [bobs, GUEST_VIDEO, 0, u32::MAX] {
        world.guest_reports(&mut guest, &compound(|writer| writer.pli(1, ssrc).unwrap()));
        world.guest_reports(&mut guest, &compound(|writer| writer.nack(1, ssrc, &[1, 2, 3]).unwrap()));
    }
    undisturbed(&mut world, alice, bob);
    assert_eq!(world[alice].sources[0].keyframe_requests.len(), before, "other people's slots are none of its business");
    assert_eq!(world.stats().packets_resent, 0);
}

/// Authentic SRTCP around nonsense.
#[test]
fn compounds_that_lie_about_their_lengths() {
    let (mut world, alice, bob, mut guest) = call(156);
    let honest = compound(|writer| writer.nack(1, 2, &[3, 400, 5_000]).unwrap());
    let before = world.stats();
    for at in 0..honest.len() {
        for value in [0, 1, 0x7f, 0x80, 0xff] {
            let mut bytes = honest.clone();
            bytes[at] = value;
            // The library reads the first header before it seals.
            if bytes[0] >> 6 == 2 && (200..=207).contains(&bytes[1]) {
                world.guest_reports(&mut guest, &bytes);
            }
        }
    }
    undisturbed(&mut world, alice, bob);
    assert!(world.stats().dropped_malformed > before.dropped_malformed + 20);
}

/// Every payload there is, cut short everywhere: nothing panics, nobody else notices.
#[test]
fn payloads_that_end_early() {
    let (mut world, alice, bob, mut guest) = call(157);
    let mut seq = 0;
    for first in 0..=255_u8 {
        for length in 0..8 {
            seq += 1;
            let payload: Vec<u8> = std::iter::once(first).chain([0xff; 8]).take(length).collect();
            world.guest_sends(&mut guest, &rtp(GUEST_VP8, seq, 1, GUEST_VIDEO, None, &payload));
            let mut padded = rtp(GUEST_VP8, seq.wrapping_add(20_000), 1, GUEST_VIDEO, None, &payload);
            padded[0] |= 0x20;
            world.guest_sends(&mut guest, &padded);
        }
    }
    undisturbed(&mut world, alice, bob);
}
