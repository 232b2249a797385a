use super::super::link::{Mailbox, connect};
use super::*;
use is::stun::{StunMessage, TransId};

fn address(port: u16) -> SocketAddr {
    SocketAddr::new("192.0.2.1".parse().unwrap(), port)
}

/// A connectivity check for a peer of `shard`, signed with whatever password.
fn check_for(shard: u8) -> Vec<u8> {
    let sign = |password: &[u8], parts: &[&[u8]]| {
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, password);
        let tag = aws_lc_rs::hmac::sign(&key, &parts.concat());
        <[u8; 20]>::try_from(tag.as_ref()).unwrap()
    };
    let username = format!("{shard:02x}abcdef:browser");
    let request = StunMessage::binding_request(&username, TransId::new(), true, 7, 100, false);
    let mut packet = vec![0; 500];
    let length = request.to_bytes(Some(b"password"), &mut packet, sign).unwrap();
    packet.truncate(length);
    packet
}

/// Something that is media by its first byte.
fn media(length: usize) -> Vec<u8> {
    vec![0x80; length]
}

struct World {
    steering: Steering,
    stats: ThreadStats,
    mailboxes: Vec<Mailbox>,
}

/// Shard 0 of three, and what the others receive.
fn world() -> World {
    let (_, mailboxes) = connect(3).unwrap();
    World { steering: Steering::new(0, mailboxes[0].peers.clone()), stats: ThreadStats::default(), mailboxes }
}

impl World {
    fn keeps(&mut self, from: SocketAddr, datagram: &[u8]) -> bool {
        self.steering.keep(from, None, datagram, Vec::new, &mut self.stats)
    }

    fn received(&mut self, shard: usize) -> Vec<HandedOver> {
        self.steering.flush(&mut self.stats);
        self.mailboxes[shard].datagrams.try_iter().collect()
    }

    fn told(&mut self, shard: usize) -> Vec<Update> {
        self.mailboxes[shard].updates.try_iter().collect()
    }
}

#[test]
fn a_check_goes_to_the_shard_it_names() {
    let mut world = world();
    assert!(world.keeps(address(1), &check_for(0)));
    let check = check_for(2);
    assert!(!world.keeps(address(1), &check));
    assert_eq!(world.received(2)[0].bytes, check);
    assert!(world.received(1).is_empty());
    assert!(!world.keeps(address(1), &check_for(9)), "no such shard");
    assert_eq!((world.stats.misdirected, world.stats.handed_over), (1, 1));
}

#[test]
fn media_follows_its_address() {
    let mut world = world();
    assert!(world.keeps(address(1), &media(100)), "a stranger's: the core counts it");
    world.steering.learn(Update::Bound { from: address(1), owner: 2 });
    assert!(!world.keeps(address(1), &media(100)));
    assert!(world.keeps(address(2), &media(100)));
    assert_eq!(world.received(2).len(), 1);
    world.steering.learn(Update::Unbound { from: address(1), owner: 2 });
    assert!(world.keeps(address(1), &media(100)));
}

#[test]
fn a_check_wins_over_a_known_address() {
    let mut world = world();
    world.steering.learn(Update::Bound { from: address(1), owner: 2 });
    assert!(!world.keeps(address(1), &check_for(1)));
    assert_eq!(world.received(1).len(), 1);
}

#[test]
fn an_address_that_changed_hands_is_not_unbound_by_its_old_owner() {
    let mut world = world();
    world.steering.learn(Update::Bound { from: address(1), owner: 1 });
    world.steering.learn(Update::Bound { from: address(1), owner: 2 });
    world.steering.learn(Update::Unbound { from: address(1), owner: 1 });
    assert!(!world.keeps(address(1), &media(100)));
    assert_eq!(world.received(2).len(), 1);
    world.steering.bound_here(address(1));
    assert!(world.keeps(address(1), &media(100)));
    assert_eq!(world.told(2), [Update::Bound { from: address(1), owner: 0 }]);
}

#[test]
fn a_shard_that_lost_everything_is_forgotten() {
    let mut world = world();
    world.steering.learn(Update::Bound { from: address(1), owner: 1 });
    world.steering.learn(Update::Bound { from: address(2), owner: 2 });
    world.steering.learn(Update::Forget { owner: 1 });
    assert!(world.keeps(address(1), &media(100)));
    assert_eq!(world.steering.foreign_count(), 1);
}

#[test]
fn datagrams_of_one_size_travel_as_one_run() {
    let mut world = world();
    world.steering.learn(Update::Bound { from: address(1), owner: 1 });
    for length in [100, 100, 100, 60, 100] {
        assert!(!world.keeps(address(1), &media(length)));
    }
    let runs: Vec<_> = world.received(1).iter().map(|run| (run.stride, run.bytes.len())).collect();
    assert_eq!(runs, [(100, 360), (100, 100)]);
    assert_eq!(world.stats.handed_over, 5);
}

#[test]
fn a_full_queue_drops_and_counts() {
    let mut world = world();
    world.steering.learn(Update::Bound { from: address(1), owner: 1 });
    for _ in 0..1500 {
        world.keeps(address(1), &media(10));
        world.steering.flush(&mut world.stats);
    }
    assert_eq!(world.received(1).len(), 1024);
    assert_eq!((world.stats.handed_over, world.stats.hand_over_dropped), (1024, 476));
}

#[test]
fn no_update_is_lost_or_overtaken() {
    let mut world = world();
    for port in 1..=3000 {
        world.steering.bound_here(address(port));
        world.steering.unbound_here(address(port));
    }
    let mut told = Vec::new();
    while told.len() < 6000 {
        let before = told.len();
        told.extend(world.told(1));
        world.steering.flush(&mut world.stats);
        assert!(told.len() > before, "nothing more comes after {before}");
    }
    let expected: Vec<_> = (1..=3000)
        .flat_map(|port| [Update::Bound { from: address(port), owner: 0 }, Update::Unbound { from: address(port), owner: 0 }])
        .collect();
    assert_eq!(told, expected);
    world.told(2);
    while world.steering.flush(&mut world.stats) {
        world.told(2);
    }
}

#[test]
fn buffers_come_back() {
    let mut world = world();
    world.steering.learn(Update::Bound { from: address(1), owner: 1 });
    world.keeps(address(1), &media(100));
    let run = world.received(1).remove(0);
    let other = Steering::new(1, world.mailboxes[1].peers.clone());
    other.give_back(run);
    assert!(world.mailboxes[0].spares.try_recv().unwrap().capacity() >= 100);
}
