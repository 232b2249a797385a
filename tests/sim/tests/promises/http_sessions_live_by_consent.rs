//! Participants that came by WHIP or WHEP have no WebSocket: their transport alone keeps them, restarts its ICE, and decides what they
//! hear.

use nearcast_protocol::ServerMessage;
use nearcast_protocol::client::Source;
use nearcast_sim::guest::{GUEST_OPUS, GUEST_VP8, Guest, rtp};
use nearcast_sim::{Joining, World, ms, secs};
use std::collections::HashMap;

fn all_empty(world: &World) -> bool {
    world.edge.table_sizes().iter().all(|(_, size)| *size == 0)
}

/// Runs for so many seconds with a check every five, as often as consent is asked for (RFC 7675 §5.1).
fn with_checks(world: &mut World, guest: &Guest, seconds: u64) {
    for _ in 0..seconds / 5 {
        assert!(world.guest_checks(guest));
        world.run_for(secs(5));
    }
}

#[test]
fn consent_keeps_a_session_and_nothing_else_does() {
    // The resume window is of no concern: there is nothing that could be resumed.
    let mut world = World::sharded(300, 1, |config| config.resume_window = secs(1));
    let guest = world.http_guest("encoder");
    with_checks(&mut world, &guest, 120);
    assert_eq!(world.stats().participants, 1);
    world.run_for(secs(20));
    assert_eq!(world.stats().participants, 1, "25 seconds after the last check");
    world.run_for(secs(10));
    assert!(all_empty(&world), "{:?}", world.edge.table_sizes());
}

#[test]
fn an_offer_that_nothing_follows_is_forgotten() {
    let mut world = World::seeded(301);
    world.http_offer_alone("encoder");
    world.run_for(secs(20));
    assert_eq!(world.stats().participants, 1);
    world.run_for(secs(15));
    assert!(all_empty(&world), "{:?}", world.edge.table_sizes());
}

#[test]
fn an_ice_restart_is_make_before_break() {
    let mut world = World::seeded(302);
    let mut guest = world.http_guest("encoder");
    assert!(world.guest_checks(&guest));
    let old = world.guest_restarts_ice(&mut guest, "again");
    assert_ne!(old.0, guest.ice.0);
    let fresh = std::mem::replace(&mut guest.ice, old.clone());
    assert!(world.guest_checks(&guest), "the old credentials work until the new ones are used");
    guest.ice = fresh;
    assert!(world.guest_checks(&guest));
    guest.ice = old;
    assert!(!world.guest_checks(&guest), "and then no more");
    assert_eq!(world.stats().ufrags, 1);
}

/// Streams that the offer doesn't name, and packets that say of no section that they are its own.
#[test]
fn a_payload_type_tells_whose_packet_it_is() {
    let mut world = World::seeded(303);
    let mut guest = world.http_guest("encoder");
    world.run_for(ms(100));
    for (payload_type, ssrc) in [(GUEST_OPUS, 0xdead), (GUEST_VP8, 0xbeef)] {
        world.guest_sends(&mut guest, &rtp(payload_type, 1, 1, ssrc, None, &[0x10; 20]));
        world.guest_sends(&mut guest, &rtp(payload_type, 2, 2, ssrc, None, &[0x10; 20]));
    }
    assert_eq!(world.stats().dropped_unknown_stream, 0);
    world.guest_sends(&mut guest, &rtp(GUEST_OPUS + 1, 1, 1, 0xcafe, None, &[0x10; 20]));
    assert_eq!(world.stats().dropped_unknown_stream, 1);
}

/// Whose what the guest's sections carry now: identity and source by mid.
fn carried(world: &World, guest: &Guest) -> HashMap<String, (String, Source)> {
    let mut owners = HashMap::new();
    let mut names = HashMap::new();
    let mut sections = HashMap::new();
    for message in world.guest_was_told(guest) {
        match message {
            ServerMessage::Joined(joined) => {
                for other in &joined.others {
                    names.insert(other.id.clone(), other.identity.clone());
                    owners.extend(other.publications.iter().map(|it| (it.id.clone(), (other.id.clone(), it.source))));
                }
            }
            ServerMessage::ParticipantJoined { participant } => {
                names.insert(participant.id.clone(), participant.identity.clone());
                owners.extend(participant.publications.iter().map(|it| (it.id.clone(), (participant.id.clone(), it.source))));
            }
            ServerMessage::PublicationAdded { participant, publication } => {
                owners.insert(publication.id.clone(), (participant.clone(), publication.source));
            }
            ServerMessage::Slot { binding } => {
                sections.insert(binding.mid.to_string(), binding.publication.clone());
            }
            _ => {}
        }
    }
    let named = |(mid, publication): (String, Option<_>)| {
        let (owner, source) = owners[&publication?].clone();
        Some((mid, (names[&owner].clone(), source)))
    };
    sections.into_iter().filter_map(named).collect()
}

#[test]
fn a_face_is_heard_with_its_own_voice() {
    let mut world = World::seeded(304);
    let alice = world.joined(Joining::new("alice").microphone());
    let guest = world.http_guest("player");
    world.run_for(ms(500));
    let is = |name: &str, source| (name.to_owned(), source);
    assert_eq!(carried(&world, &guest), HashMap::from([("2".to_owned(), is("alice", Source::Microphone))]));

    // There is one section of each kind: whoever has a face and a voice takes both, and keeps them.
    let bob = world.joined(Joining::new("bob").camera().microphone());
    world.joined(Joining::new("carol").camera().microphone());
    world.run_for(ms(500));
    let both = HashMap::from([("2".to_owned(), is("bob", Source::Microphone)), ("3".to_owned(), is("bob", Source::Camera))]);
    assert_eq!(carried(&world, &guest), both);

    world.leave(bob);
    world.run_for(ms(500));
    let both = HashMap::from([("2".to_owned(), is("carol", Source::Microphone)), ("3".to_owned(), is("carol", Source::Camera))]);
    assert_eq!(carried(&world, &guest), both);
    world.leave(alice);
}
