//! A room that outgrows its shard has a part on each of several. Its people notice nothing.

use nearcast_protocol::{ClientMessage, DataFrame, LayerReason, LeaveReason, ServerMessage, Wish};
use nearcast_sim::{ClientId, Joining, SourcePlan, World, contiguous, ms, secs};

/// Six shards' worth of luck: every participant on another shard than the one before, as far as there are shards.
fn spread(seed: u64, shards: u8) -> World {
    let mut world = World::sharded(seed, shards, |_| {});
    world.edge.spread_at = 1;
    world
}

fn person(name: &str) -> Joining {
    Joining::new(name).camera().microphone().data().slots(3, 3)
}

fn hears(world: &World, listener: ClientId, speaker: ClientId) -> bool {
    (0..2).all(|source| {
        let packets = world[listener].packets_of(speaker, source);
        packets.len() > 60 && contiguous(packets.iter().map(|packet| packet.seq))
    })
}

#[test]
fn everybody_receives_everybody() {
    for shards in [2, 3] {
        let mut world = spread(11, shards);
        let people: Vec<_> = ["alice", "bob", "carol", "dave"].into_iter().map(|name| world.joined(person(name))).collect();
        world.run_for(secs(4));
        for listener in &people {
            assert_eq!(world[*listener].joined().unwrap().participant.identity, world[*listener].name);
            for speaker in people.iter().filter(|speaker| *speaker != listener) {
                assert!(hears(&world, *listener, *speaker), "{} of {} on {shards} shards", world[*listener].name, world[*speaker].name);
            }
        }
        let sizes: Vec<_> = (0..usize::from(shards)).map(|shard| world.edge.shard_stats(shard).participants).collect();
        assert!(sizes.iter().all(|size| *size > 0), "one part on each: {sizes:?}");
        assert_eq!(world.edge.clashing_packets, 0);
    }
}

#[test]
fn voice_and_face_stay_together_across_shards() {
    let mut world = spread(5, 2);
    let alice = world.joined(person("alice"));
    let bob = world.joined(person("bob"));
    world.run_for(secs(5));
    let reports = world[bob].rtcp.iter().filter(|(_, rtcp)| format!("{rtcp:?}").contains("SenderReport")).count();
    assert!(reports >= 6, "sender reports for both streams, {reports}");
    assert!(hears(&world, bob, alice));
}

#[test]
fn one_copy_crosses_whoever_many_watch() {
    let mut world = World::sharded(3, 2, |_| {});
    world.edge.spread_at = 1;
    let alice = world.joined(Joining::new("alice").camera());
    let first = world.joined(Joining::new("viewer").slots(0, 1));
    world.run_for(secs(2));
    world.edge.spread_at = 5;
    // The next four fill the second part or the first; count what crosses afterwards.
    let more: Vec<_> = (0..4).map(|number| world.joined(Joining::new("viewer").numbered(number).slots(0, 1))).collect();
    let before = world.edge.shard_stats(0).relayed_out + world.edge.shard_stats(1).relayed_out;
    let sent = world[alice].sources[0].sent.len() as u64;
    world.run_for(secs(4));
    let crossed = world.edge.shard_stats(0).relayed_out + world.edge.shard_stats(1).relayed_out - before;
    let sent = world[alice].sources[0].sent.len() as u64 - sent;
    assert!(crossed <= sent + 30, "{crossed} crossed of {sent} sent");
    assert!(more.iter().chain([&first]).all(|viewer| world[*viewer].packets_of(alice, 0).len() > 700));
}

#[test]
fn nothing_crosses_that_nobody_takes() {
    let mut world = spread(4, 2);
    let alice = world.joined(Joining::new("alice").camera());
    let bob = world.joined(Joining::new("bob").by_choice().slots(0, 1));
    world.run_for(secs(2));
    let crossed = |world: &World| world.edge.shard_stats(0).relayed_out + world.edge.shard_stats(1).relayed_out;
    assert_eq!(crossed(&world), 0);
    let publication = world[alice].publication(0);
    world.ask(bob, ClientMessage::Subscribe { publication: publication.clone() });
    world.run_until(secs(1), "a picture", |world| !world[bob].packets_of(alice, 0).is_empty());
    world.ask(bob, ClientMessage::Unsubscribe { publication });
    world.run_for(ms(500));
    let before = crossed(&world);
    world.run_for(secs(2));
    assert_eq!(crossed(&world), before);
}

#[test]
fn comings_and_goings_are_told_across() {
    let mut world = spread(6, 2);
    let alice = world.joined(person("alice"));
    let bob = world.joined(person("bob"));
    world.run_for(secs(1));
    let publication = world[bob].publication(0);
    world.ask(bob, ClientMessage::Mute { publication: publication.clone(), muted: true });
    world.run_for(ms(200));
    assert!(
        !world[alice]
            .told(|message| match message {
                ServerMessage::PublicationMuted { publication: told, muted: true } if *told == publication => Some(()),
                _ => None,
            })
            .is_empty()
    );
    world.ask(bob, ClientMessage::Unpublish { publication: publication.clone() });
    world.run_for(ms(200));
    assert!(
        !world[alice]
            .told(|message| matches!(message, ServerMessage::PublicationRemoved { publication: told, .. } if *told == publication)
                .then_some(()))
            .is_empty()
    );
    let gone = world[bob].participant();
    world.leave(bob);
    world.run_for(ms(200));
    assert!(
        !world[alice]
            .told(|message| {
                matches!(message, ServerMessage::ParticipantLeft { participant, reason: LeaveReason::Left } if *participant == gone)
                    .then_some(())
            })
            .is_empty()
    );
    world.leave(alice);
    world.run_for(ms(200));
    for shard in 0..2 {
        let stats = world.edge.shard_stats(shard);
        assert_eq!((stats.rooms, stats.participants, stats.participants_elsewhere), (0, 0, 0));
        assert_eq!((stats.publications, stats.publications_elsewhere, stats.publication_ids), (0, 0, 0));
    }
}

#[test]
fn the_same_identity_replaces_itself_across_shards() {
    let mut world = spread(7, 2);
    let old = world.joined(person("alice"));
    let witness = world.joined(person("bob"));
    world.edge.spread_at = 2;
    let new = world.joined(person("alice"));
    world.run_for(secs(1));
    assert!(world[old].connection.is_none(), "the old stay is over");
    assert!(world[new].connection.is_some());
    let old_id = world[old].participant();
    let left = world[witness].told(|message| match message {
        ServerMessage::ParticipantLeft { participant, reason } if *participant == old_id => Some(*reason),
        _ => None,
    });
    assert_eq!(left, [LeaveReason::Replaced]);
    let total: u64 = (0..2).map(|shard| world.edge.shard_stats(shard).participants).sum();
    assert_eq!(total, 2);
}

#[test]
fn data_reaches_everybody_and_only_whom_it_is_for() {
    let mut world = spread(8, 3);
    let people: Vec<_> = ["alice", "bob", "carol"].into_iter().map(|name| world.joined(person(name))).collect();
    world.run_for(secs(1));
    world.send_data(people[0], 0, &DataFrame { payload: b"all".to_vec(), ..DataFrame::default() });
    let to = Some(world[people[2]].participant());
    world.send_data(people[0], 0, &DataFrame { to, payload: b"carol".to_vec(), ..DataFrame::default() });
    world.run_for(secs(1));
    let heard = |who: usize| world[people[who]].data.iter().map(|(_, _, frame)| frame.payload.clone()).collect::<Vec<_>>();
    assert_eq!(heard(0), Vec::<Vec<u8>>::new());
    assert_eq!(heard(1), [b"all".to_vec()]);
    assert_eq!(heard(2), [b"all".to_vec(), b"carol".to_vec()]);
}

#[test]
fn a_session_is_resumed_where_it_is() {
    let mut world = spread(9, 3);
    let people: Vec<_> = ["alice", "bob", "carol"].into_iter().map(|name| world.joined(person(name))).collect();
    world.run_for(secs(1));
    for person in people {
        world.lose_signalling(person);
        world.run_for(ms(300));
        world.resume(person);
        world.run_until(secs(2), "resumed", |world| world[person].joined().is_some_and(|joined| joined.resumed));
    }
}

#[test]
fn a_speaker_is_noticed_from_everywhere() {
    let mut world = spread(10, 2);
    let alice = world.joined(Joining::new("alice").publishing(SourcePlan { level: -20, ..SourcePlan::microphone() }));
    let bob = world.joined(Joining::new("bob").by_choice());
    world.run_for(secs(2));
    let id = world[alice].participant();
    let told = world[bob].told(|message| match message {
        ServerMessage::Speakers { speakers } => Some(speakers.iter().any(|speaker| speaker.participant == id)),
        _ => None,
    });
    assert!(told.contains(&true), "told without taking any of her media");
}

/// The publisher is on one shard, whoever watches on another: layers, reasons and what nobody watches are as on one.
#[test]
fn a_viewer_elsewhere_gets_the_layer_it_shows_and_the_rest_is_turned_off() {
    let mut world = spread(12, 2);
    let alice = world.joined(Joining::new("alice").publishing(SourcePlan::simulcast()));
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    let parts: Vec<_> = (0..2).map(|shard| world.edge.shard_stats(shard)).collect();
    assert!(parts.iter().all(|part| (part.participants, part.participants_elsewhere) == (1, 1)), "one on each shard");
    let show = |world: &mut World, width: u16| {
        let publication = world[alice].publication(0);
        let wish = Wish { publication, width, height: width / 16 * 9, visible: true, max_fps: 0, priority: Default::default() };
        world.request(bob, ClientMessage::Wishes { wishes: vec![wish] });
    };
    let lately = |world: &World, time| {
        let since = world.now().saturating_sub(time);
        let packets = world[bob].packets_of(alice, 0);
        let mut encodings: Vec<_> = packets.iter().filter(|packet| packet.at > since).map(|packet| packet.tag.encoding).collect();
        encodings.dedup();
        encodings
    };
    let active = |world: &World| {
        let told = world[alice].sources[0].demands.last().map(|(_, demands)| demands.clone()).unwrap_or_default();
        told.iter().map(|demand| demand.active).collect::<Vec<_>>()
    };
    let told = |world: &World| {
        let states = world[bob].told(|message| match message {
            ServerMessage::Layers { layers, .. } => layers.last().cloned(),
            _ => None,
        });
        states.last().map(|state| (state.width, state.reason)).expect("told")
    };
    world.run_for(secs(4));
    assert_eq!((lately(&world, ms(500)), told(&world)), (vec![2], (1280, LayerReason::Best)));

    show(&mut world, 320);
    world.run_until(secs(2), "all but the smallest are off", |world| active(world) == [true, false, false]);
    world.run_for(secs(2));
    assert_eq!((lately(&world, ms(500)), told(&world)), (vec![0], (320, LayerReason::Wished)));

    show(&mut world, 1280);
    let sends_top = |world: &World| world[alice].sources[0].sent.last().is_some_and(|sent| sent.tag.encoding == 2);
    let waited = world.run_until(ms(500), "the largest is on again", sends_top);
    println!("on after {waited:?}");
    world.run_for(secs(2));
    assert_eq!((lately(&world, ms(500)), told(&world)), (vec![2], (1280, LayerReason::Best)));
    assert_eq!(active(&world), [true, false, true]);

    // Hidden, the smallest stays on: the picture is there at once when it is looked at again.
    let hidden =
        Wish { publication: world[alice].publication(0), width: 0, height: 0, visible: false, max_fps: 0, priority: Default::default() };
    world.request(bob, ClientMessage::Wishes { wishes: vec![hidden] });
    world.run_for(secs(3));
    assert_eq!((lately(&world, ms(500)), active(&world)), (vec![], vec![true, false, false]));
    let publication = world[alice].publication(0);
    world.ask(bob, ClientMessage::Unsubscribe { publication });
    world.run_until(secs(2), "nobody is left", |world| active(world) == [false; 3]);
    assert!(contiguous(world[bob].packets_of(alice, 0).iter().map(|packet| packet.seq)));
}
