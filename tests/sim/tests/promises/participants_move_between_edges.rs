//! An edge dies, or stands still, and who was on it goes on at another one as the same participant. The others are told nothing, and see on.

use nearcast_protocol::{ErrorCode, ServerMessage};
use nearcast_sim::{ClientId, Joining, SourcePlan, World, ms, secs};
use std::time::Duration;

/// Three people, each on an edge of their own, who see and hear each other.
fn meet(seed: u64) -> (World, [ClientId; 3]) {
    let mut world = World::linked(seed, 3);
    world.edge.spread_at = 1;
    let people = ["alice", "bob", "carol"].map(|name| world.joined(Joining::new(name).camera().microphone().data().slots(3, 3)));
    world.run_for(secs(3));
    (world, people)
}

fn edge_of(world: &World, name: &str) -> usize {
    let on = |edge: &usize| world.edge.carries(*edge, "room", name);
    (0..3).find(on).expect("somewhere")
}

/// What somebody was told of people and publications.
fn told(world: &World, of: ClientId) -> Vec<String> {
    world[of].told(|message| match message {
        ServerMessage::ParticipantJoined { participant } => Some(format!("+{}", participant.id)),
        ServerMessage::ParticipantLeft { participant, reason } => Some(format!("-{participant} {reason:?}")),
        ServerMessage::PublicationAdded { publication, .. } => Some(format!("+{}", publication.id)),
        ServerMessage::PublicationRemoved { publication, .. } => Some(format!("-{publication}")),
        ServerMessage::PublicationMuted { publication, muted } => Some(format!("{publication} {muted}")),
        ServerMessage::Slot { binding } => Some(format!("{} {:?}", binding.mid, binding.publication)),
        ServerMessage::Closed { error } => Some(error.code.name().to_owned()),
        _ => None,
    })
}

/// Everybody knows each other once, and nobody else, on each of these edges.
fn no_ghosts(world: &World, edges: &[usize], people: u64) {
    for edge in edges {
        let stats = world.edge.shard_stats(*edge);
        assert_eq!(stats.participants + stats.participants_elsewhere, if stats.rooms == 0 { 0 } else { people }, "edge {edge}: {stats:?}");
        assert_eq!(
            stats.publications + stats.publications_elsewhere,
            if stats.rooms == 0 { 0 } else { people * 2 },
            "edge {edge}: {stats:?}"
        );
    }
}

/// Waits until somebody gets on with another one's picture, from a whole one on.
fn sees_on(world: &mut World, viewer: ClientId, of: ClientId) -> Duration {
    let before = world[viewer].packets_of(of, 0).len();
    world.run_until(secs(6), "a picture again", |world| world[viewer].packets_of(of, 0).len() > before + 20)
}

/// Alice's edge is killed and she goes on at another after `after`, before or after the others have missed the link.
fn killed(seed: u64, after: Duration) {
    let (mut world, [alice, bob, carol]) = meet(seed);
    let (dead, next) = (edge_of(&world, "alice"), edge_of(&world, "bob"));
    let (id, publications) = (world[alice].participant(), [0, 1].map(|source| world[alice].publication(source)));
    let before = [bob, carol].map(|one| told(&world, one));
    world.edge.stop(dead);
    world.run_for(after);
    world.go_on_at(alice, next);
    for viewer in [bob, carol] {
        let took = sees_on(&mut world, viewer, alice);
        println!("{} sees on {took:?} after", world[viewer].name);
    }
    for speaker in [bob, carol] {
        sees_on(&mut world, alice, speaker);
    }
    world.run_for(secs(15));
    assert_eq!(world[alice].participant(), id);
    assert_eq!([0, 1].map(|source| world[alice].publication(source)), publications);
    assert_eq!([bob, carol].map(|one| told(&world, one)), before, "the others are told nothing");
    let alive: Vec<_> = (0..3).filter(|edge| *edge != dead).collect();
    no_ghosts(&world, &alive, 3);
    for viewer in [bob, carol] {
        assert!(nearcast_sim::contiguous(world[viewer].packets_of(alice, 0).iter().map(|packet| packet.seq)), "one stream");
    }
}

#[test]
fn who_moves_before_the_link_is_missed_stays_who_they_were() {
    killed(31, ms(800));
}

#[test]
fn who_moves_after_the_link_is_missed_stays_who_they_were() {
    killed(32, ms(5_000));
}

#[test]
fn who_never_moves_has_left_once() {
    let (mut world, [_, bob, carol]) = meet(33);
    let dead = edge_of(&world, "alice");
    world.edge.stop(dead);
    world.run_for(secs(20));
    for one in [bob, carol] {
        assert_eq!(told(&world, one).iter().filter(|line| line.ends_with("TimedOut")).count(), 1);
    }
    no_ghosts(&world, &[(dead + 1) % 3, (dead + 2) % 3], 2);
}

/// The old edge was only stopped, and goes on with everything it had: it lets go of her, and nobody else notices it at all.
#[test]
fn an_edge_that_stood_still_lets_go_of_who_moved() {
    for (seed, still) in [(34, secs(5)), (35, secs(9)), (36, secs(30))] {
        let (mut world, [alice, bob, carol]) = meet(seed);
        let (frozen, next) = (edge_of(&world, "alice"), edge_of(&world, "carol"));
        let before = [bob, carol].map(|one| told(&world, one));
        world.edge.stop(frozen);
        world.run_for(secs(4));
        world.go_on_at(alice, next);
        world.run_for(still.checked_sub(secs(4)).unwrap());
        let now = world.instant();
        world.edge.go_on(now, frozen);
        world.run_for(secs(15));
        assert_eq!([bob, carol].map(|one| told(&world, one)), before, "after {still:?} the others are told nothing");
        no_ghosts(&world, &[0, 1, 2], 3);
        assert_eq!(world.edge.shard_stats(frozen).rooms, 0, "nobody is left there");
        for (viewer, of) in [(bob, alice), (carol, alice), (alice, bob), (alice, carol)] {
            sees_on(&mut world, viewer, of);
        }
    }
}

/// Told to go by an edge that goes away itself, she closes what she has there before she is anywhere else.
#[test]
fn who_is_sent_on_is_waited_for() {
    let (mut world, [alice, bob, carol]) = meet(42);
    let next = edge_of(&world, "bob");
    let before = [bob, carol].map(|one| told(&world, one));
    world.send_on(alice);
    world.close_transport(alice);
    world.run_for(ms(800));
    assert_eq!(world.edge.shard_stats(next).participants_elsewhere, 2, "she is kept");
    world.go_on_at(alice, next);
    for viewer in [bob, carol] {
        sees_on(&mut world, viewer, alice);
    }
    world.run_for(secs(12));
    assert_eq!([bob, carol].map(|one| told(&world, one)), before);
    no_ghosts(&world, &[0, 1, 2], 3);
}

/// An edge on which others stay: they keep her picture, too.
#[test]
fn who_stays_at_the_edge_that_somebody_leaves_sees_on() {
    let (mut world, [alice, bob, carol]) = meet(37);
    let (old, next) = (edge_of(&world, "alice"), edge_of(&world, "carol"));
    world.edge.next_at(old);
    let dora = world.joined(Joining::new("dora").slots(3, 3));
    world.run_for(secs(2));
    let before = [bob, carol, dora].map(|one| told(&world, one));
    world.go_on_at(alice, next);
    for viewer in [bob, carol, dora] {
        sees_on(&mut world, viewer, alice);
    }
    world.run_for(secs(12));
    assert_eq!([bob, carol, dora].map(|one| told(&world, one)), before);
    assert!(world[alice].transport_closed || world.edge.shard_stats(old).participants == 1, "the old edge has let go of her");
}

/// To and fro, and twice with one breath: the last place counts.
#[test]
fn the_last_of_several_places_counts() {
    let (mut world, [alice, bob, carol]) = meet(38);
    let before = [bob, carol].map(|one| told(&world, one));
    for (edge, wait) in [(0, ms(300)), (1, ms(10)), (2, ms(10)), (0, ms(400)), (0, ms(5)), (2, secs(2)), (1, secs(1))] {
        world.go_on_at(alice, edge);
        world.run_for(wait);
    }
    world.run_for(secs(12));
    no_ghosts(&world, &[0, 1, 2], 3);
    assert_eq!([bob, carol].map(|one| told(&world, one)), before);
    for (viewer, of) in [(bob, alice), (carol, alice), (alice, bob), (alice, carol)] {
        sees_on(&mut world, viewer, of);
    }
}

/// What isn't sent any more has ended; what is new has come; what isn't one's own stays whose it is.
/// The edge that somebody was sent to stands still, and they turn round: wherever what is said of it crosses, the edge that they came from keeps them.
#[test]
fn who_comes_back_to_the_edge_just_left_stays() {
    for after in [20, 60, 110, 160, 250, 500, 900, 1_400, 2_500] {
        let (mut world, [alice, bob, carol]) = meet(248);
        let (first, other) = (edge_of(&world, "alice"), edge_of(&world, "bob"));
        let id = world[alice].participant();
        let before = [bob, carol].map(|one| told(&world, one));
        world.go_on_at(alice, other);
        world.run_for(ms(after));
        world.go_on_at(alice, first);
        for viewer in [bob, carol] {
            sees_on(&mut world, viewer, alice);
        }
        sees_on(&mut world, alice, bob);
        world.run_for(secs(8));
        for viewer in [bob, carol] {
            sees_on(&mut world, viewer, alice);
        }
        assert_eq!(world[alice].participant(), id, "{after} ms");
        assert_eq!([bob, carol].map(|one| told(&world, one)), before, "{after} ms: the others are told nothing");
        assert!(world.edge.carries(first, "room", "alice") && !world.edge.carries(other, "room", "alice"), "{after} ms");
        no_ghosts(&world, &[0, 1, 2], 3);
    }
}

#[test]
fn only_what_is_named_goes_on_and_only_what_is_ones_own() {
    let (mut world, [alice, bob, carol]) = meet(39);
    let next = edge_of(&world, "carol");
    let (gone, stolen) = (world[alice].publication(1), world[bob].publication(1));
    world.go_on_as(alice, next, |join, _| {
        let publish = &mut join.offer.as_mut().unwrap().publish;
        publish[1].publication = Some(stolen.clone());
    });
    world.run_for(secs(2));
    let fresh = world[alice].publication(1);
    assert!(fresh != gone && fresh != stolen, "{fresh} is new");
    let told = told(&world, bob);
    assert!(told.contains(&format!("-{gone}")) && told.contains(&format!("+{fresh}")), "{told:?}");
    sees_on(&mut world, carol, bob);
    sees_on(&mut world, bob, alice);
    no_ghosts(&world, &[0, 1, 2], 3);
}

/// Three sizes, of which the viewer gets the largest before and after.
#[test]
fn simulcast_goes_on_in_the_size_that_was_watched() {
    let mut world = World::linked(40, 3);
    world.edge.spread_at = 1;
    let alice = world.joined(Joining::new("alice").publishing(SourcePlan::simulcast()));
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    world.edge.next_at(2);
    let carol = world.joined(Joining::new("carol"));
    let newest = |world: &World| world[bob].packets_of(alice, 0).last().map(|packet| packet.tag.encoding);
    world.run_until(secs(4), "the largest", |world| newest(world) == Some(2));
    let old = edge_of(&world, "alice");
    world.edge.stop(old);
    world.run_for(ms(500));
    world.go_on_at(alice, 2);
    sees_on(&mut world, bob, alice);
    let took = world.run_until(secs(4), "the largest", |world| newest(world) == Some(2));
    println!("the largest again after {took:?}");
    assert_eq!(told(&world, carol).len(), 2, "alice and bob, who were there, and nothing since: {:?}", told(&world, carol));
}

/// The claim is one to be oneself: an identity that differs gets a stay of its own.
#[test]
fn nobody_goes_on_as_somebody_else() {
    let (mut world, [alice, bob, carol]) = meet(41);
    let id = world[alice].participant();
    let next = edge_of(&world, "carol");
    world.go_on_as(bob, next, |_, continuation| continuation.participant = id.clone());
    world.run_for(secs(2));
    assert_ne!(world[bob].participant(), id);
    sees_on(&mut world, carol, alice);
    assert!(!told(&world, alice).iter().any(|line| line == ErrorCode::DuplicateIdentity.name()));
}
