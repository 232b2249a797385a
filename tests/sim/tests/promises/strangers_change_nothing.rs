//! Hostile input costs its sender: whatever arrives on the port, the call goes on and a counter says what was dropped.

use nearcast_sim::stun::check;
use nearcast_sim::{ClientId, Joining, Link, World, contiguous, ms, secs, stun};
use sfu_core::distance;
use sfu_core::rtp::RtpHeader;
use sfu_core::srtp::{SrtpKeys, SrtpProfile, SrtpSender};
use std::net::SocketAddr;

fn stranger() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 66], 6_666))
}

fn call(seed: u64) -> (World, ClientId, ClientId) {
    let mut world = World::seeded(seed);
    let alice = world.join(Joining::new("alice").camera().microphone());
    world.link(alice).tap();
    world.run_for(secs(1));
    let bob = world.joined(Joining::new("bob").slots(1, 1));
    world.run_for(secs(1));
    (world, alice, bob)
}

/// Bob got everything, once, up to now; and goes on getting it.
fn undisturbed(world: &mut World, alice: ClientId, bob: ClientId) {
    world.run_for(secs(1));
    for source in [0, 1] {
        let packets = world[bob].packets_of(alice, source);
        assert!(contiguous(packets.iter().map(|packet| packet.seq)));
        assert!(packets.iter().any(|packet| packet.at + Link::DELAY * 4 > world.now()));
    }
    assert_eq!(world.edge.clashing_packets, 0);
    assert_eq!(world.stats().participants, 2);
}

/// A small generator of bytes (xorshift64): the seed decides.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, most: u64) -> Vec<u8> {
        (0..self.next() % (most + 1)).map(|_| self.next() as u8).collect()
    }
}

#[test]
fn random_datagrams() {
    let (mut world, alice, bob) = call(90);
    let mut noise = Noise(1);
    let known = world[alice].outside;
    let before = world.stats();
    for _ in 0..20_000 {
        let from = if noise.next().is_multiple_of(2) { stranger() } else { known };
        let bytes = noise.bytes(200);
        world.inject(from, &bytes);
    }
    undisturbed(&mut world, alice, bob);
    let after = world.stats();
    assert!(after.dropped_unknown_address > before.dropped_unknown_address + 5_000);
    assert!(after.dropped_stun > before.dropped_stun);
    assert!(after.dropped_unknown_kind > before.dropped_unknown_kind + 1_000);
    assert!(after.dropped_srtp + after.dropped_malformed > before.dropped_srtp + before.dropped_malformed + 1_000);
    assert_eq!(after.tuples, before.tuples);
}

/// Everything Alice ever sent, cut or with bits flipped, from her own address: STUN, DTLS, SRTP and SRTCP are all among it.
#[test]
fn cut_and_mutated_real_datagrams() {
    let (mut world, alice, bob) = call(91);
    let mut noise = Noise(2);
    let known = world[alice].outside;
    for datagram in world.link(alice).tapped() {
        let mut bytes = datagram.clone();
        let at = noise.next() as usize % bytes.len();
        if noise.next().is_multiple_of(3) {
            bytes.truncate(at);
        } else {
            bytes[at] ^= 1 << (noise.next() % 8);
        }
        world.inject(known, &bytes);
    }
    undisturbed(&mut world, alice, bob);
    assert!(world.stats().dropped_srtp > 200);
    assert_eq!(world.stats().transports, 2);
}

#[test]
fn the_same_datagrams_again() {
    let (mut world, alice, bob) = call(92);
    let before = world.stats();
    let tapped = world.link(alice).tapped();
    let known = world[alice].outside;
    let media = tapped.iter().filter(|datagram| datagram[0] >= 128).count() as u64;
    for datagram in &tapped {
        world.inject(known, datagram);
    }
    undisturbed(&mut world, alice, bob);
    let after = world.stats();
    assert!(media > 200);
    assert_eq!(after.dropped_srtp - before.dropped_srtp, media, "each replay is refused before anything reads it");
}

/// A stranger who heard it all and replays it: not even looked at.
#[test]
fn the_same_datagrams_from_elsewhere() {
    let (mut world, alice, bob) = call(93);
    let before = world.stats();
    let tapped: Vec<_> = world.link(alice).tapped().into_iter().filter(|datagram| datagram[0] >= 20).collect();
    for datagram in &tapped {
        world.inject(stranger(), datagram);
    }
    undisturbed(&mut world, alice, bob);
    let after = world.stats();
    assert_eq!(after.dropped_unknown_address - before.dropped_unknown_address, tapped.len() as u64, "DTLS among it");
    assert_eq!((after.tuples, after.dropped_srtp), (before.tuples, before.dropped_srtp));
}

/// A ClientHello from an address that passed no check begins no handshake.
#[test]
fn a_handshake_without_a_check() {
    let mut world = World::seeded(94);
    let alice = world.join(Joining::new("alice").camera());
    world.link(alice).tap();
    world.run_for(secs(1));
    let hello = world.link(alice).tapped().into_iter().find(|datagram| datagram[0] == 22).expect("a ClientHello");
    let before = world.stats();
    for _ in 0..1_000 {
        world.inject(stranger(), &hello);
    }
    let after = world.stats();
    assert_eq!(after.dropped_unknown_address - before.dropped_unknown_address, 1_000);
    assert_eq!(after.datagrams_out, before.datagrams_out, "nothing is sent to a stranger");
}

/// Whoever asks how far the edge is gets an answer, no longer than what was asked, and is as much a stranger as before.
#[test]
fn a_measuring_check_is_answered_and_changes_nothing() {
    let (mut world, alice, _) = call(97);
    let hello = world.link(alice).tapped().into_iter().find(|datagram| datagram[0] == 22).expect("a ClientHello");
    let measuring = check(distance::UFRAG, "anybody", distance::PWD, true);
    let before = world.stats();
    for _ in 0..10 {
        world.inject(stranger(), &measuring);
    }
    let after = world.stats();
    assert_eq!(after.distance_checks - before.distance_checks, 10);
    let (answers, bytes) = (after.datagrams_out - before.datagrams_out, after.bytes_out - before.bytes_out);
    assert_eq!(answers, 10);
    assert!(bytes <= 10 * measuring.len() as u64, "{bytes} bytes for ten checks of {}", measuring.len());
    assert_eq!(after.tuples, before.tuples, "its address isn't known by it");
    world.inject(stranger(), &hello);
    assert_eq!(world.stats().dropped_unknown_address - after.dropped_unknown_address, 1, "and may not begin a handshake");
}

/// Packets of Alice's streams, well-formed, from her address, under keys that aren't hers.
#[test]
fn packets_under_a_wrong_key() {
    let (mut world, alice, bob) = call(95);
    let known = world[alice].outside;
    let template = world.link(alice).tapped().into_iter().rfind(|datagram| datagram[0] >= 128 && datagram[1] & 0x7f >= 96).unwrap();
    let profile = SrtpProfile::AeadAes256Gcm;
    let keys = SrtpKeys::from_exporter(profile, &vec![7; profile.exporter_len()]).unwrap();
    let sender = SrtpSender::new(&keys.client).unwrap();
    let before = world.stats();
    for ahead in 1..=500_u16 {
        let mut packet = template.clone();
        let seq = u16::from_be_bytes([packet[2], packet[3]]).wrapping_add(ahead);
        packet[2..4].copy_from_slice(&seq.to_be_bytes());
        let (length, header) = (packet.len() - profile.rtp_overhead(), RtpHeader::parse(&packet).unwrap());
        sender.protect_rtp(&mut packet, length, header.header_len, u64::from(seq)).unwrap();
        world.inject(known, &packet);
    }
    let after = world.stats();
    assert_eq!(after.dropped_srtp - before.dropped_srtp, 500);
    undisturbed(&mut world, alice, bob);
}

/// Whoever changes an offer on its way can't take part: the certificate must be the one that was announced.
#[test]
fn a_certificate_that_was_not_announced() {
    let mut world = World::seeded(98);
    let alice = world.joined(Joining::new("alice").microphone());
    let other = |sdp: String| {
        let (before, fingerprint) = sdp.split_once("a=fingerprint:sha-256 ").unwrap();
        format!("{before}a=fingerprint:sha-256 00:00{}", &fingerprint[5..])
    };
    let mallory = world.join(Joining::new("mallory").slots(1, 0).camera().tampering(other));
    world.run_for(secs(2));
    assert_eq!(world.stats().dtls_failed, 1);
    assert_eq!(world.stats().srtp_aes256_gcm, 1, "keys for Alice only");
    assert!(world[mallory].packets_of(alice, 0).is_empty());
}

/// Checks with guessed passwords, other people's names, and none at all.
#[test]
fn checks_that_are_not_authentic() {
    let (mut world, alice, bob) = call(96);
    let (ours, password) = stun::credentials(&world[alice].joined().unwrap().answer.as_ref().unwrap().sdp);
    let before = world.stats();
    let theirs = world[alice].ufrag();
    let forged = [
        stun::check(&ours, &theirs, "a-guess-of-the-right-length!", true),
        stun::check(&ours, "somebody", "a-guess-of-the-right-length!", true),
        stun::check("00aaaaaaaa", &theirs, &password, true),
        stun::check("", "", &password, true),
    ];
    for check in &forged {
        world.inject(stranger(), check);
    }
    world.run_for(ms(500));
    let after = world.stats();
    assert_eq!(after.dropped_stun - before.dropped_stun, forged.len() as u64);
    assert_eq!(after.tuples, before.tuples);
    undisturbed(&mut world, alice, bob);
}

/// Somebody with real credentials who sends checks from everywhere costs a bounded table.
#[test]
fn a_participant_that_checks_from_everywhere() {
    let (mut world, alice, bob) = call(97);
    let (ours, password) = stun::credentials(&world[alice].joined().unwrap().answer.as_ref().unwrap().sdp);
    let theirs = world[alice].ufrag();
    for port in 0..1_000 {
        let check = stun::check(&ours, &theirs, &password, false);
        world.inject(SocketAddr::from(([192, 0, 2, 1], 1_000 + port)), &check);
    }
    assert!(world.stats().tuples <= 2 + 8, "{}", world.stats().tuples);
    undisturbed(&mut world, alice, bob);
}
