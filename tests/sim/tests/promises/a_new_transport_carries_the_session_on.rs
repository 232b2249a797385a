//! A transport dies and another one takes its place: the session, its publications and its subscriptions go on, and nobody else is told.

use nearcast_protocol::{ErrorCode, PublicationId, ServerMessage};
use nearcast_sim::{ClientId, Joining, Packet, SourcePlan, World, contiguous, extended, ms, secs};
use std::time::Duration;

/// What a room is told when somebody or something comes or goes.
fn comings_and_goings(world: &World, who: ClientId, since: Duration) -> Vec<ServerMessage> {
    let of_interest = |message: &ServerMessage| {
        matches!(
            message,
            ServerMessage::ParticipantJoined { .. }
                | ServerMessage::ParticipantLeft { .. }
                | ServerMessage::PublicationAdded { .. }
                | ServerMessage::PublicationRemoved { .. }
                | ServerMessage::Slot { .. }
        )
    };
    world[who].signals.iter().filter(|(at, message)| *at > since && of_interest(message)).map(|(_, message)| message.clone()).collect()
}

fn assert_nothing_told(world: &World, who: ClientId, since: Duration) {
    let told = comings_and_goings(world, who, since);
    assert!(told.is_empty(), "nobody is told of anything: {told:?}");
}

fn after(packets: &[Packet], at: Duration) -> Vec<Packet> {
    packets.iter().copied().filter(|packet| packet.at > at).collect()
}

/// Waits until somebody's new transport is up and everything has settled; returns how long after `since` it was up.
fn settle(world: &mut World, who: ClientId, since: Duration) -> Duration {
    world.run_until(secs(5), "the new transport", |world| world[who].connected_at.last().is_some_and(|at| *at > since));
    let took = *world[who].connected_at.last().unwrap() - since;
    world.run_for(secs(2));
    took
}

fn published(reply: &ServerMessage) -> Vec<PublicationId> {
    let ServerMessage::Answer { answer, .. } = reply else { panic!("{reply:?}") };
    answer.published.iter().map(|published| published.publication.clone().expect("accepted")).collect()
}

#[test]
fn a_publisher_is_seen_on_in_the_same_slots_and_streams() {
    let mut world = World::seeded(300);
    let alice = world.joined(Joining::new("alice").camera().microphone());
    let bob = world.joined(Joining::new("bob").slots(1, 1));
    world.run_for(secs(2));
    let (participant, publications) = (world[alice].participant(), [0, 1].map(|source| world[alice].publication(source)));
    let requests = world[alice].sources[0].keyframe_requests.len();
    let since = world.now();
    let request = world.renew_transport(alice, |_| {});
    let reply = world.reply(alice, request);
    assert_eq!(published(&reply), publications);
    let took = settle(&mut world, alice, since);

    assert_nothing_told(&world, bob, since);
    assert_eq!(world[alice].participant(), participant);
    for source in [0, 1] {
        let packets = world[bob].packets_of(alice, source);
        assert!(packets.windows(2).all(|pair| pair[0].ssrc == pair[1].ssrc && pair[0].mid == pair[1].mid), "one stream");
        assert!(contiguous(packets.iter().map(|packet| packet.seq)));
        assert!(extended(packets.iter().map(|packet| packet.timestamp)).is_sorted());
    }
    let packets = world[bob].packets_of(alice, 0);
    let pictures: Vec<_> = packets.iter().filter(|packet| packet.marker).map(|packet| packet.picture.unwrap().0).collect();
    assert!(pictures.windows(2).all(|pair| pair[1] == pair[0] + 1), "{pictures:?}");
    let first = after(&packets, since + ms(100))[0];
    println!("transport up after {took:?}, picture after {:?}", first.at - since);
    assert!(first.keyframe, "a picture that can be decoded");
    assert!(first.at - since < took + ms(200), "one round trip and a frame after the transport came up: {:?}", first.at - since);
    assert_eq!(world[alice].sources[0].keyframe_requests.len(), requests + 1, "asked once, and at once");
    let stats = world.stats();
    assert_eq!((stats.transports, stats.tuples, stats.ufrags, stats.publications, stats.transports_renewed), (2, 2, 2, 2, 1));
}

#[test]
fn a_viewer_sees_on_what_it_saw() {
    let mut world = World::seeded(301);
    let alice = world.joined(Joining::new("alice").camera().microphone());
    let bob = world.joined(Joining::new("bob").slots(1, 1).data());
    world.run_for(secs(2));
    let since = world.now();
    let request = world.renew_transport(bob, |_| {});
    assert!(matches!(world.reply(bob, request), ServerMessage::Answer { .. }));
    let took = settle(&mut world, bob, since);

    assert_nothing_told(&world, alice, since);
    let slots: Vec<_> = world[bob].slots.iter().map(|slot| slot.publication.clone().expect("carries something")).collect();
    assert_eq!(slots, [world[alice].publication(1), world[alice].publication(0)]);
    let packets = after(&world[bob].packets_of(alice, 0), since + took);
    println!("picture {:?} after the transport was up", packets[0].at - since - took);
    assert!(packets[0].keyframe && packets[0].at - since < took + ms(200));
    assert!(contiguous(packets.iter().map(|packet| packet.seq)));
    assert!(after(&world[bob].packets_of(alice, 1), since + took).len() > 90);
    assert!(world[bob].has_channels());
    let stats = world.stats();
    assert_eq!((stats.transports, stats.tuples, stats.ufrags, stats.subscriptions), (2, 2, 2, 2));
}

/// The answer goes down with the WebSocket: the same offer comes again, and isn't another transport.
#[test]
fn a_repeated_request_is_answered_again() {
    let mut world = World::seeded(302);
    let alice = world.joined(Joining::new("alice").camera());
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    world.run_for(secs(1));
    let publication = world[alice].publication(0);
    let since = world.now();
    world.renew_transport(alice, |_| {});
    world.run_for(ms(30));
    world.lose_signalling(alice);
    world.run_for(secs(1));
    assert!(world[alice].is_negotiating(), "the answer was lost");
    world.resume(alice);
    settle(&mut world, alice, since);

    assert_eq!(world[alice].publication(0), publication);
    assert!(world[alice].joined().unwrap().resumed);
    assert_nothing_told(&world, bob, since);
    assert!(after(&world[bob].packets_of(alice, 0), since + secs(1)).len() > 200);
    assert_eq!((world.stats().transports_renewed, world.stats().ufrags, world.stats().transports), (1, 2, 2));
}

/// Also on the same WebSocket, by a client that lost its patience.
#[test]
fn asking_twice_is_asking_once() {
    let mut world = World::seeded(303);
    let alice = world.joined(Joining::new("alice").camera());
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    world.run_for(secs(1));
    let since = world.now();
    let mut sent = None;
    let first = world.renew_transport(alice, |offer| sent = Some(offer.clone()));
    let second = world.request(alice, nearcast_protocol::ClientMessage::Transport(sent.unwrap()));
    let answers = [first, second].map(|request| published(&world.reply(alice, request)));
    assert_eq!(answers[0], answers[1]);
    settle(&mut world, alice, since);
    assert!(after(&world[bob].packets_of(alice, 0), since).iter().any(|packet| packet.keyframe));
    assert_eq!((world.stats().transports_renewed, world.stats().ufrags), (1, 2));
}

#[test]
fn what_the_offer_does_not_name_ends() {
    let mut world = World::seeded(304);
    let alice = world.joined(Joining::new("alice").camera().microphone());
    let bob = world.joined(Joining::new("bob").slots(1, 1));
    world.run_for(secs(1));
    let (camera, microphone) = (world[alice].publication(0), world[alice].publication(1));
    let since = world.now();
    world.renew_transport(alice, |offer| drop(offer.publish.pop()));
    world[alice].sources[1].publication = None;
    settle(&mut world, alice, since);
    let removed = world[bob].told(|message| match message {
        ServerMessage::PublicationRemoved { publication, .. } => Some(publication.clone()),
        _ => None,
    });
    assert_eq!(removed, [microphone]);
    assert_eq!(world[bob].slots.iter().map(|slot| slot.publication.clone()).collect::<Vec<_>>(), [None, Some(camera)]);
    assert_eq!(world.stats().publications, 1);
}

#[test]
fn what_was_muted_meanwhile_is_told() {
    let mut world = World::seeded(305);
    let alice = world.joined(Joining::new("alice").camera());
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    world.run_for(secs(1));
    let publication = world[alice].publication(0);
    let since = world.now();
    world[alice].sources[0].silent = true;
    world.renew_transport(alice, |_| {});
    settle(&mut world, alice, since);
    let told = world[bob].told(|message| match message {
        ServerMessage::PublicationMuted { publication, muted } => Some((publication.clone(), *muted)),
        _ => None,
    });
    assert_eq!(told, [(publication, true)]);
}

/// Somebody else's publication isn't taken over, nor is one's own taken twice: each becomes a new one of one's own.
#[test]
fn nobody_takes_over_what_is_not_theirs() {
    let mut world = World::seeded(306);
    let alice = world.joined(Joining::new("alice").microphone());
    let mallory = world.joined(Joining::new("mallory").microphone().microphone());
    let bob = world.joined(Joining::new("bob").slots(3, 0));
    world.run_for(secs(1));
    let (hers, own) = (world[alice].publication(0), world[mallory].publication(0));
    let since = world.now();
    let request = world.renew_transport(mallory, |offer| offer.publish[0].publication = Some(hers.clone()));
    let reply = world.reply(mallory, request);
    let got = published(&reply);
    assert!(!got.contains(&hers) && !got.contains(&own), "{got:?}");
    settle(&mut world, mallory, since);
    assert!(world[bob].slot_of(&hers).is_some());
    assert!(contiguous(world[bob].packets_of(alice, 0).iter().map(|packet| packet.seq)));
    let longest = world[bob].packets_of(alice, 0).windows(2).map(|pair| pair[1].at - pair[0].at).max().unwrap();
    assert!(longest < ms(50), "Alice didn't notice: {longest:?}");

    let mine = world[mallory].publication(1);
    let request = world.renew_transport(mallory, |offer| {
        offer.publish.iter_mut().for_each(|intent| intent.publication = Some(mine.clone()));
    });
    let got = published(&world.reply(mallory, request));
    assert_eq!(got[0], mine, "the first has it");
    assert_ne!(got[1], mine);
    assert_eq!(world.stats().publications, 3);
}

/// A microphone can't go on as a camera, and a broken offer changes nothing.
#[test]
fn what_does_not_fit_is_another_publication_and_what_is_broken_is_refused() {
    let mut world = World::seeded(307);
    let alice = world.joined(Joining::new("alice").camera().microphone());
    let bob = world.joined(Joining::new("bob").slots(1, 1));
    world.run_for(secs(1));
    let before = [0, 1].map(|source| world[alice].publication(source));
    let broken = nearcast_protocol::MediaOffer { sdp: "v=0".into(), publish: Vec::new() };
    let reply = world.ask(alice, nearcast_protocol::ClientMessage::Transport(broken));
    assert!(matches!(reply, ServerMessage::Failed { error, .. } if error.code == ErrorCode::BadSdp));
    let packets = world[bob].packets.len();
    world.run_for(secs(1));
    assert!(world[bob].packets.len() > packets + 200, "the old transport goes on");

    let request = world.renew_transport(alice, |offer| {
        let [camera, microphone] = &mut offer.publish[..] else { panic!("two sources") };
        std::mem::swap(&mut camera.publication, &mut microphone.publication);
    });
    let got = published(&world.reply(alice, request));
    assert!(got.iter().all(|publication| !before.contains(publication)), "{got:?}");
    assert_eq!(world.stats().publications, 2);
}

/// WebSocket and media are gone for 20 s. Within the window both come back, as the same participant.
#[test]
fn a_session_without_anything_left_is_resumed_over_a_new_transport() {
    let mut world = World::seeded(308);
    let alice = world.joined(Joining::new("alice").camera().slots(0, 1));
    let bob = world.joined(Joining::new("bob").camera().slots(0, 1));
    world.run_for(secs(1));
    let (participant, publication) = (world[alice].participant(), world[alice].publication(0));
    world.link(alice).cut(true);
    world.lose_signalling(alice);
    world.run_for(secs(20));
    world.link(alice).cut(false);
    let since = world.now();
    world.resume_renewing(alice);
    settle(&mut world, alice, since);
    let joined = world[alice].joined().unwrap();
    assert!(joined.resumed && joined.answer.is_some());
    assert_eq!((world[alice].participant(), world[alice].publication(0)), (participant, publication));
    assert_eq!(comings_and_goings(&world, bob, Duration::ZERO).len(), 1, "only the slot of long ago");
    for (to, from) in [(alice, bob), (bob, alice)] {
        let packets = after(&world[to].packets_of(from, 0), since);
        assert!(packets[0].keyframe && packets.len() > 300);
        assert!(contiguous(packets.iter().map(|packet| packet.seq)));
    }

    world.link(alice).cut(true);
    world.lose_signalling(alice);
    world.run_for(secs(45));
    world.link(alice).cut(false);
    world.resume_renewing(alice);
    world.run_for(secs(1));
    let refused = world[alice].told(|message| match message {
        ServerMessage::Failed { error, .. } => Some(error.code),
        _ => None,
    });
    assert_eq!(refused, [ErrorCode::SessionUnknown], "after the window it is over");
}

/// Several encodings, seen from another shard: the layer that was watched is watched on.
#[test]
fn simulcast_and_other_shards_follow() {
    let mut world = World::sharded(309, 2, |_| {});
    world.edge.spread_at = 1;
    let alice = world.joined(Joining::new("alice").publishing(SourcePlan::simulcast()));
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    world.run_for(secs(6));
    assert_eq!(world.edge.shard_stats(1).publications_elsewhere, 1, "they are on two shards");
    let best = world[bob].packets_of(alice, 0).last().unwrap().tag.encoding;
    let since = world.now();
    world.renew_transport(alice, |_| {});
    let took = settle(&mut world, alice, since);
    let packets = world[bob].packets_of(alice, 0);
    let first = after(&packets, since + ms(200))[0];
    println!("encoding {best} again {:?} after the transport was up", first.at - since - took);
    assert!(first.keyframe && first.at < since + took + ms(700));
    assert!(contiguous(packets.iter().map(|packet| packet.seq)));
    assert!(extended(packets.iter().map(|packet| packet.timestamp)).is_sorted());
    assert_nothing_told(&world, bob, since);
    world.run_for(secs(4));
    assert_eq!(world[bob].packets_of(alice, 0).last().unwrap().tag.encoding, best);
}
