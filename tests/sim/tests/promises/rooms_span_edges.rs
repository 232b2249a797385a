//! A room on several edges, over links that delay, lose, reorder and break. Its people notice as little of it as can be.

use nearcast_protocol::{ClientMessage, ServerMessage};
use nearcast_sim::{ClientId, Joining, SourcePlan, World, contiguous, ms, secs};

fn person(name: &str) -> Joining {
    Joining::new(name).camera().microphone().data().slots(3, 3)
}

/// Everybody on another edge.
fn spread(seed: u64, edges: u8) -> World {
    let mut world = World::linked(seed, edges);
    world.edge.spread_at = 1;
    world
}

fn hears(world: &World, listener: ClientId, speaker: ClientId, least: usize) -> bool {
    (0..2).all(|source| {
        let packets = world[listener].packets_of(speaker, source);
        packets.len() > least && contiguous(packets.iter().map(|packet| packet.seq))
    })
}

fn everybody_hears(world: &World, people: &[ClientId], least: usize) {
    for (listener, speaker) in people.iter().flat_map(|one| people.iter().map(move |other| (*one, *other))) {
        assert!(listener == speaker || hears(world, listener, speaker, least), "{} of {}", world[listener].name, world[speaker].name);
    }
}

fn nothing_is_left(world: &World, edges: usize) {
    for edge in 0..edges {
        let stats = world.edge.shard_stats(edge);
        assert_eq!((stats.rooms, stats.participants, stats.participants_elsewhere), (0, 0, 0), "edge {edge}");
        assert_eq!((stats.publications, stats.publications_elsewhere, stats.publication_ids), (0, 0, 0), "edge {edge}");
    }
}

/// What somebody was told of people and publications, but for the first picture of the room.
fn comings_and_goings(world: &World, of: ClientId) -> Vec<String> {
    world[of].told(|message| match message {
        ServerMessage::ParticipantJoined { participant } => Some(format!("+{}", participant.id)),
        ServerMessage::ParticipantLeft { participant, reason } => Some(format!("-{participant} {reason:?}")),
        ServerMessage::PublicationAdded { publication, .. } => Some(format!("+{}", publication.id)),
        ServerMessage::PublicationRemoved { publication, .. } => Some(format!("-{publication}")),
        ServerMessage::PublicationMuted { publication, muted } => Some(format!("{publication} {muted}")),
        _ => None,
    })
}

#[test]
fn everybody_receives_everybody() {
    let mut world = spread(11, 3);
    let people: Vec<_> = ["alice", "bob", "carol", "dave"].into_iter().map(|name| world.joined(person(name))).collect();
    world.run_for(secs(4));
    everybody_hears(&world, &people, 60);
    people.into_iter().for_each(|person| world.leave(person));
    world.run_for(secs(1));
    nothing_is_left(&world, 3);
}

#[test]
fn a_link_that_loses_and_reorders_costs_no_picture_and_no_key_frame() {
    let mut world = spread(12, 2);
    let mesh = world.edge.mesh.as_mut().unwrap();
    (mesh.loss, mesh.jitter) = (20, ms(8));
    let people: Vec<_> = ["alice", "bob"].into_iter().map(|name| world.joined(person(name))).collect();
    world.run_for(secs(3));
    let asked = |world: &World| people.iter().map(|id| world[*id].sources[0].keyframe_requests.len()).sum::<usize>();
    let before = asked(&world);
    world.run_for(secs(20));
    let stats = world.edge.mesh.as_ref().unwrap().stats();
    println!("{stats:?}");
    everybody_hears(&world, &people, 600);
    assert!(stats.missed > 50 && stats.lost == 0, "{stats:?}");
    assert_eq!(asked(&world), before, "no key frame for what was repaired");
}

#[test]
fn nothing_crosses_that_nobody_takes_and_one_copy_for_whoever_many_do() {
    let mut world = World::linked(13, 2);
    world.edge.spread_at = 1;
    let alice = world.joined(Joining::new("alice").publishing(SourcePlan::simulcast()));
    let bob = world.joined(Joining::new("bob").by_choice().slots(0, 1));
    world.run_for(secs(2));
    assert_eq!(world.edge.mesh.as_ref().unwrap().stats().sent, 0);
    world.edge.spread_at = 5;
    let viewers: Vec<_> = (0..4).map(|number| world.joined(Joining::new("viewer").numbered(number).by_choice().slots(0, 1))).collect();
    let publication = world[alice].publication(0);
    for viewer in viewers.iter().chain([&bob]) {
        world.ask(*viewer, ClientMessage::Subscribe { publication: publication.clone() });
    }
    world.run_for(secs(4));
    let crossed = |world: &World| world.edge.mesh.as_ref().unwrap().stats().sent;
    let (before, from) = (crossed(&world), world.now());
    world.run_for(secs(5));
    let top = world[alice].sources[0].sent.iter().filter(|sent| sent.at > from && sent.tag.encoding == 2).count() as u64;
    let crossed = crossed(&world) - before;
    println!("{crossed} crossed of {top} of the encoding that all watch");
    assert!(crossed <= top + top / 20 + 30 && crossed + 30 >= top, "{crossed} crossed of {top}");
}

#[test]
fn a_link_that_was_down_for_a_moment_is_told_of_to_nobody() {
    let mut world = spread(18, 3);
    let people: Vec<_> = ["alice", "bob", "carol"].into_iter().map(|name| world.joined(person(name))).collect();
    world.run_for(secs(3));
    let told = |world: &World| people.iter().map(|person| comings_and_goings(world, *person)).collect::<Vec<_>>();
    let before = told(&world);
    world.edge.mesh.as_mut().unwrap().cut(0, 1);
    world.run_for(secs(8));
    let (now, heard) = (world.instant(), world[people[0]].packets_of(people[1], 0).len());
    world.edge.mesh.as_mut().unwrap().mend(now, 0, 1);
    world.run_until(secs(2), "a picture again", |world| world[people[0]].packets_of(people[1], 0).len() > heard + 10);
    world.run_for(secs(12));
    assert_eq!(told(&world), before);
}

#[test]
fn a_link_that_was_down_brings_everybody_back_once_and_nobody_stays_who_went() {
    let mut world = spread(14, 3);
    let people: Vec<_> = ["alice", "bob", "carol"].into_iter().map(|name| world.joined(person(name))).collect();
    world.run_for(secs(3));
    everybody_hears(&world, &people, 60);
    // Alice's edge and Bob's lose each other; Carol's keeps both.
    world.edge.mesh.as_mut().unwrap().cut(0, 1);
    world.run_for(secs(15));
    let bobs_id = world[people[1]].participant();
    let count = |world: &World, came: bool| {
        let told = world[people[0]].told(|message| match message {
            ServerMessage::ParticipantJoined { participant } if participant.id == bobs_id && came => Some(()),
            ServerMessage::ParticipantLeft { participant, .. } if *participant == bobs_id && !came => Some(()),
            _ => None,
        });
        told.len()
    };
    let came = count(&world, true);
    assert_eq!(count(&world, false), 1, "gone, once");
    let now = world.instant();
    world.edge.mesh.as_mut().unwrap().mend(now, 0, 1);
    let heard = world[people[0]].packets_of(people[1], 0).len();
    world.run_until(secs(2), "a picture again", |world| world[people[0]].packets_of(people[1], 0).len() > heard + 10);
    assert_eq!((count(&world, true), count(&world, false)), (came + 1, 1), "back, once");
    people.into_iter().for_each(|person| world.leave(person));
    world.run_for(secs(1));
    nothing_is_left(&world, 3);
}

/// Viewers behind a link that is too narrow get the next size, whole, and the large one again when there is room.
#[test]
fn what_a_link_is_too_narrow_for_is_left_out_whole() {
    let mut world = spread(17, 2);
    let alice = world.joined(Joining::new("alice").publishing(SourcePlan::simulcast()));
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    let newest = |world: &World| world[bob].packets_of(alice, 0).last().map(|packet| packet.tag.encoding);
    world.run_until(secs(4), "the largest", |world| newest(world) == Some(2));
    for (withheld, encoding) in [(1, 1), (3, 0), (0, 2)] {
        let now = world.instant();
        world.edge.narrow(now, 0, withheld);
        let took = world.run_until(secs(8), "another size", |world| newest(world) == Some(encoding));
        println!("{withheld} withheld: encoding {encoding} after {took:?}");
        world.run_for(secs(1));
        assert_eq!(newest(&world), Some(encoding));
    }
    assert!(contiguous(world[bob].packets_of(alice, 0).iter().map(|packet| packet.seq)));
}

/// Whoever comes and goes while nothing has answered yet.
#[test]
fn short_visits_leave_no_ghosts() {
    let mut world = spread(15, 3);
    world.edge.mesh.as_mut().unwrap().delay = ms(150);
    let alice = world.joined(person("alice"));
    let guests: Vec<_> = (0..6).map(|number| world.joined(Joining::new("guest").numbered(number).camera().slots(1, 1))).collect();
    for (number, guest) in guests.iter().enumerate() {
        world.leave(*guest);
        world.run_for(ms(number as u64 * 40));
    }
    world.run_for(secs(2));
    assert_eq!(world.edge.shard_stats(0).participants_elsewhere, 0);
    world.leave(alice);
    world.run_for(secs(1));
    nothing_is_left(&world, 3);
}

/// Two hundred on four edges; `large` has the two thousand of which docs/cluster.md tells.
#[test]
fn a_large_room_costs_each_link_one_copy() {
    large_room(50);
}

#[test]
#[ignore = "minutes: run with --ignored for the figures of docs/cluster.md"]
fn a_room_of_two_thousand_costs_each_link_one_copy() {
    large_room(500);
}

fn large_room(on_each: u16) {
    const EDGES: u8 = 4;
    let mut world = World::linked(16, EDGES);
    let mesh = world.edge.mesh.as_mut().unwrap();
    (mesh.loss, mesh.jitter) = (5, ms(3));
    world.edge.spread_at = on_each.into();
    let speaker = world.joined(Joining::new("speaker").camera().microphone());
    let viewers: Vec<_> = (1..usize::from(on_each) * usize::from(EDGES))
        .map(|number| world.join(Joining::new("viewer").numbered(number).slots(1, 1)))
        .collect();
    world.run_until(secs(30), "a picture everywhere", |world| {
        viewers.iter().all(|viewer| !world[*viewer].packets_of(speaker, 0).is_empty())
    });
    for edge in 0..usize::from(EDGES) {
        let stats = world.edge.shard_stats(edge);
        assert_eq!(stats.participants, u64::from(on_each));
        assert_eq!(stats.participants + stats.participants_elsewhere, u64::from(on_each) * u64::from(EDGES));
    }
    let home = (0..usize::from(EDGES)).find(|edge| world.edge.shard_stats(*edge).publications > 0).unwrap();
    let sent = |world: &World| -> Vec<u64> {
        let mesh = world.edge.mesh.as_ref().unwrap();
        (0..usize::from(EDGES)).filter(|edge| *edge != home).map(|edge| mesh.sent(home, edge)).collect()
    };
    let packets = |world: &World| world[speaker].sources.iter().map(|source| source.sent.len() as u64).sum::<u64>();
    let (before, published) = (sent(&world), packets(&world));
    world.run_for(secs(2));
    let published = packets(&world) - published;
    let crossed: Vec<_> = sent(&world).iter().zip(before).map(|(after, before)| after - before).collect();
    println!("{published} packets published, {crossed:?} crossed");
    assert!(crossed.iter().all(|crossed| *crossed <= published + 20 && *crossed + 20 >= published), "{crossed:?} of {published}");
}

/// Left alone, a browser that got no picture asks for a key frame after three seconds.
#[test]
fn a_short_cut_of_a_link_is_over_when_the_link_is_back() {
    let mut world = spread(17, 2);
    let people: Vec<_> = ["alice", "bob"].into_iter().map(|name| world.joined(person(name))).collect();
    world.run_for(secs(4));
    world.edge.mesh.as_mut().unwrap().cut(0, 1);
    world.run_for(secs(1));
    let (back, now) = (world.now(), world.instant());
    world.edge.mesh.as_mut().unwrap().mend(now, 0, 1);
    world.run_for(secs(2));
    for (viewer, publisher) in [(people[0], people[1]), (people[1], people[0])] {
        let packets = world[viewer].packets_of(publisher, 0);
        let renewed = packets.iter().find(|packet| packet.at > back && packet.keyframe).map(|packet| packet.at - back);
        assert!(renewed.is_some_and(|after| after < ms(500)), "{renewed:?}");
    }
}
