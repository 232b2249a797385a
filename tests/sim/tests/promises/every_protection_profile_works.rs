//! AES-GCM wherever the client offers it, AES-CM with SHA-1 for who offers nothing else, nobody without protection.

use nearcast_sim::guest::{GUEST_VIDEO, GUEST_VP8, Guest, Protection, rtp};
use nearcast_sim::{Joining, World, secs};

/// A VP8 key frame in one packet: descriptor with picture id 1, frame header, start code, 16x16.
const KEY_FRAME: [u8; 14] = [0x90, 0x80, 0x01, 0x00, 0, 0, 0x9d, 0x01, 0x2a, 0x10, 0, 0x10, 0, 0];

/// The guest sends to Bob and receives from Alice.
fn works_both_ways(world: &mut World, guest: &mut Guest) {
    let alice = world.joined(Joining::new("alice").camera());
    let bob = world.joined(Joining::new("bob").slots(0, 2));
    world.run_for(secs(1));
    let before = world.stats();
    for seq in 0..100 {
        let packet = rtp(GUEST_VP8, 65_500_u16.wrapping_add(seq), u32::from(seq) * 3_000, GUEST_VIDEO, None, &KEY_FRAME);
        world.guest_sends(guest, &packet);
    }
    let after = world.stats();
    assert_eq!(after.dropped_srtp, 0);
    assert!(after.packets_forwarded >= before.packets_forwarded + 100, "to Bob, over the wrap");
    let heard = world.guest_hears(guest);
    let media = heard.iter().filter(|packet| packet[1] & 0x7f == GUEST_VP8).count();
    assert!(media > 200, "{media} packets of Alice, each of them authentic");
    assert!(world[bob].packets_of(alice, 0).len() > 200);
}

#[test]
fn whoever_offers_only_cm_sha1_80_gets_it() {
    let mut world = World::seeded(140);
    let mut guest = world.guest("guest", &[Protection::CmSha1_32, Protection::CmSha1_80]).expect("a handshake");
    works_both_ways(&mut world, &mut guest);
    assert_eq!(world.stats().srtp_aes128_cm_sha1_80, 1);
}

#[test]
fn gcm_is_preferred_whatever_the_order() {
    let mut world = World::seeded(141);
    let mut guest = world.guest("guest", &[Protection::CmSha1_80, Protection::Gcm128]).expect("a handshake");
    works_both_ways(&mut world, &mut guest);
    assert_eq!((world.stats().srtp_aes128_gcm, world.stats().srtp_aes128_cm_sha1_80), (1, 0));
}

#[test]
fn gcm_with_long_keys_works() {
    let mut world = World::seeded(142);
    let mut guest = world.guest("guest", &[Protection::Gcm256]).expect("a handshake");
    works_both_ways(&mut world, &mut guest);
    assert!(world.stats().srtp_aes256_gcm >= 1);
}

#[test]
fn nobody_goes_unprotected() {
    let mut world = World::seeded(143);
    for profiles in [&[][..], &[Protection::CmSha1_32]] {
        assert!(world.guest("guest", profiles).is_none(), "{profiles:?}");
    }
    let stats = world.stats();
    assert_eq!((stats.srtp_aes256_gcm, stats.srtp_aes128_gcm, stats.srtp_aes128_cm_sha1_80), (0, 0, 0));
}

/// What the clients of all other tests end up with, as browsers do.
#[test]
fn str0m_ends_up_on_gcm() {
    let mut world = World::seeded(144);
    world.joined(Joining::new("alice").camera());
    let stats = world.stats();
    assert_eq!((stats.srtp_aes256_gcm + stats.srtp_aes128_gcm, stats.srtp_aes128_cm_sha1_80), (1, 0));
}
