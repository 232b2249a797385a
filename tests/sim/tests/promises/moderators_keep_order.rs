//! What a moderator decides holds, whatever the others' software does: removed is removed, muted is silent, locked is shut, ended is over.

use nearcast_protocol::{ClientMessage, ErrorCode, LeaveReason, Moderation, ModerationAction, ServerMessage};
use nearcast_sim::{ClientId, Joining, World, contiguous, ms, secs};

fn moderate(world: &mut World, who: ClientId, action: ModerationAction, target: &str) -> Result<(), ErrorCode> {
    match world.ask(who, ClientMessage::Moderate(Moderation { action, target: target.to_owned() })) {
        ServerMessage::Done { .. } => Ok(()),
        ServerMessage::Failed { error, .. } => Err(error.code),
        other => panic!("{other:?}"),
    }
}

fn person(name: &str) -> Joining {
    Joining::new(name).camera().microphone().slots(3, 3)
}

fn refusals(world: &World, who: ClientId) -> Vec<ErrorCode> {
    world[who].told(|message| match message {
        ServerMessage::Failed { error, .. } => Some(error.code),
        _ => None,
    })
}

fn closings(world: &World, who: ClientId) -> Vec<ErrorCode> {
    world[who].told(|message| match message {
        ServerMessage::Closed { error } => Some(error.code),
        _ => None,
    })
}

fn notices(world: &World, who: ClientId) -> Vec<(ModerationAction, String)> {
    world[who].told(|message| match message {
        ServerMessage::Moderated(moderation) => Some((moderation.action, moderation.target.clone())),
        _ => None,
    })
}

/// One shard, and every participant on another one: it must make no difference.
fn worlds(seed: u64) -> [World; 2] {
    let mut spread = World::sharded(seed, 3, |_| {});
    spread.edge.spread_at = 1;
    [World::seeded(seed), spread]
}

#[test]
fn only_the_grant_lets_anybody_moderate() {
    let mut world = World::seeded(300);
    let alice = world.joined(person("alice"));
    let bob = world.joined(person("bob").role("admin"));
    let publication = world[alice].publication(1).0;
    for action in ModerationAction::ALL {
        for target in ["alice", publication.as_str(), ""] {
            assert_eq!(moderate(&mut world, bob, action, target), Err(ErrorCode::NotPermitted), "{action:?}");
        }
    }
    world.run_for(secs(1));
    assert!(world[alice].connection.is_some());
    assert!(notices(&world, alice).is_empty());
}

#[test]
fn who_is_removed_stays_out_until_readmitted() {
    for mut world in worlds(301) {
        let chair = world.joined(person("chair").moderating());
        let mallory = world.joined(person("mallory"));
        let witness = world.joined(person("witness"));
        world.run_for(secs(1));
        assert_eq!(moderate(&mut world, chair, ModerationAction::Remove, "mallory"), Ok(()));
        world.run_for(ms(500));
        assert_eq!(closings(&world, mallory), [ErrorCode::Removed]);
        assert!(world[mallory].connection.is_none());
        let left = world[witness].told(|message| match message {
            ServerMessage::ParticipantLeft { reason, .. } => Some(*reason),
            _ => None,
        });
        assert_eq!(left, [LeaveReason::Removed]);

        let again = world.join(person("mallory"));
        world.run_for(secs(1));
        // Whoever begins a part of the room on another shard is in for a moment, and thrown out by the same words.
        let codes = [refusals(&world, again), closings(&world, again)].concat();
        assert_eq!(codes, [ErrorCode::Removed], "on whichever shard it comes");
        assert!(world[again].connection.is_none());
        world.resume(mallory);
        world.run_for(secs(1));
        assert_eq!(refusals(&world, mallory), [ErrorCode::SessionUnknown]);

        assert_eq!(moderate(&mut world, chair, ModerationAction::Readmit, "mallory"), Ok(()));
        world.run_for(ms(200));
        let back = world.joined(person("mallory"));
        assert!(world[back].connection.is_some());
        assert_eq!(moderate(&mut world, chair, ModerationAction::Remove, "chair"), Err(ErrorCode::NotPermitted));
    }
}

#[test]
fn a_new_room_of_that_name_begins_with_a_clean_sheet() {
    let mut world = World::seeded(302);
    let chair = world.joined(Joining::new("chair").moderating());
    moderate(&mut world, chair, ModerationAction::Remove, "mallory").unwrap();
    moderate(&mut world, chair, ModerationAction::Lock, "").unwrap();
    world.leave(chair);
    let mallory = world.joined(Joining::new("mallory"));
    assert!(!world[mallory].joined().unwrap().locked);
}

#[test]
fn a_forced_mute_is_silence_until_a_moderator_allows() {
    for mut world in worlds(303) {
        let chair = world.joined(person("chair").moderating());
        let alice = world.joined(person("alice"));
        let bob = world.joined(person("bob"));
        world.run_for(secs(2));
        for source in [0, 1] {
            let publication = world[alice].publication(source);
            assert_eq!(moderate(&mut world, chair, ModerationAction::Mute, publication.as_str()), Ok(()));
            let notice = (ModerationAction::Mute, publication.0.clone());
            world.run_for(ms(500));
            for who in [alice, bob, chair] {
                assert!(notices(&world, who).contains(&notice), "everybody is told, its publisher too");
            }
            // Its publisher goes on sending, and says that it isn't muted.
            let reply = world.ask(alice, ClientMessage::Mute { publication, muted: false });
            assert!(matches!(&reply, ServerMessage::Failed { error, .. } if error.code == ErrorCode::NotPermitted), "{reply:?}");
        }
        let silent_from = world.now();
        world.run_for(secs(3));
        for listener in [bob, chair] {
            for source in [0, 1] {
                let late = world[listener].packets_of(alice, source).iter().filter(|packet| packet.at > silent_from).count();
                assert_eq!(late, 0, "{} of source {source}", world[listener].name);
            }
        }
        let late = world.joined(person("late"));
        let others = &world[late].joined().unwrap().others;
        let hers: Vec<_> = others.iter().filter(|other| other.identity == "alice").flat_map(|other| &other.publications).collect();
        assert!(hers.len() == 2 && hers.iter().all(|publication| publication.muted && publication.blocked));

        for source in [0, 1] {
            let publication = world[alice].publication(source);
            assert_eq!(moderate(&mut world, chair, ModerationAction::AllowUnmute, publication.as_str()), Ok(()));
            world.run_for(ms(200));
            let reply = world.ask(alice, ClientMessage::Mute { publication, muted: false });
            assert!(matches!(reply, ServerMessage::Done { .. }), "{reply:?}");
        }
        let allowed = world.now();
        world.run_for(secs(3));
        for source in [0, 1] {
            let packets = world[bob].packets_of(alice, source);
            assert!(packets.iter().filter(|packet| packet.at > allowed).count() > 50, "source {source} is back");
            assert!(contiguous(packets.iter().map(|packet| packet.seq)), "and nobody looks for what was withheld");
        }
        assert_eq!(world.edge.clashing_packets, 0);
    }
}

#[test]
fn publishing_anew_or_joining_anew_is_no_way_around() {
    for mut world in worlds(304) {
        let chair = world.joined(person("chair").moderating());
        let alice = world.joined(Joining::new("alice").microphone());
        world.run_for(secs(1));
        let publication = world[alice].publication(0);
        moderate(&mut world, chair, ModerationAction::Mute, publication.as_str()).unwrap();
        world.ask(alice, ClientMessage::Unpublish { publication });
        world.grow(alice, vec![nearcast_sim::SourcePlan::microphone()], 0, 0);
        world.run_for(secs(1));
        let anew = world[alice].publication(1);
        assert!(notices(&world, alice).contains(&(ModerationAction::Mute, anew.0.clone())), "it is told");
        assert!(world[chair].packets_of(alice, 1).is_empty());

        let again = world.joined(Joining::new("alice").microphone().camera());
        world.run_for(secs(2));
        assert!(world[chair].packets_of(again, 0).is_empty(), "the sound");
        assert!(world[chair].packets_of(again, 1).len() > 50, "the picture was never muted");
        let third = world[again].publication(0);
        moderate(&mut world, chair, ModerationAction::AllowUnmute, third.as_str()).unwrap();
        world.ask(again, ClientMessage::Mute { publication: third, muted: false });
        world.run_for(secs(1));
        assert!(world[chair].packets_of(again, 0).len() > 30);
    }
}

#[test]
fn asking_reaches_its_publisher_and_nobody_else() {
    for mut world in worlds(305) {
        let chair = world.joined(person("chair").moderating());
        let alice = world.joined(person("alice"));
        let bob = world.joined(person("bob"));
        let publication = world[alice].publication(1);
        moderate(&mut world, chair, ModerationAction::AskMute, publication.as_str()).unwrap();
        world.run_for(secs(1));
        assert_eq!(notices(&world, alice), [(ModerationAction::AskMute, publication.0.clone())]);
        assert!(notices(&world, bob).is_empty() && notices(&world, chair).is_empty());
        assert!(world[bob].packets_of(alice, 1).len() > 30);
        assert_eq!(moderate(&mut world, chair, ModerationAction::AskMute, "t_nothing"), Err(ErrorCode::PublicationUnknown));
        assert_eq!(moderate(&mut world, chair, ModerationAction::Remove, ""), Err(ErrorCode::BadMessage));
        assert_eq!(moderate(&mut world, chair, ModerationAction::Remove, &"x".repeat(129)), Err(ErrorCode::LimitReached));
    }
}

#[test]
fn a_locked_room_lets_nobody_new_in() {
    for mut world in worlds(306) {
        let chair = world.joined(person("chair").moderating());
        let alice = world.joined(person("alice"));
        moderate(&mut world, chair, ModerationAction::Lock, "").unwrap();
        world.run_for(ms(300));
        assert_eq!(notices(&world, alice), [(ModerationAction::Lock, String::new())]);
        let late = world.join(person("late"));
        world.run_for(secs(1));
        let codes = [refusals(&world, late), closings(&world, late)].concat();
        assert_eq!(codes, [ErrorCode::RoomLocked]);
        assert!(world[late].connection.is_none());
        world.lose_signalling(alice);
        world.resume(alice);
        world.run_until(secs(2), "resumed", |world| world[alice].joined().is_some_and(|joined| joined.resumed && joined.locked));
        assert_eq!(notices(&world, alice).last(), Some(&(ModerationAction::Lock, String::new())), "told once more, in case it was missed");

        moderate(&mut world, chair, ModerationAction::Unlock, "").unwrap();
        world.run_for(ms(300));
        let late = world.joined(person("late"));
        assert!(!world[late].joined().unwrap().locked);
    }
}

#[test]
fn a_page_that_is_reloaded_in_a_locked_room_comes_back() {
    let mut world = World::seeded(307);
    let chair = world.joined(person("chair").moderating());
    world.joined(person("alice"));
    moderate(&mut world, chair, ModerationAction::Lock, "").unwrap();
    let again = world.joined(person("alice"));
    assert!(world[again].joined().unwrap().locked);
}

#[test]
fn the_end_is_the_end_for_everybody() {
    for mut world in worlds(308) {
        let chair = world.joined(person("chair").moderating());
        let others: Vec<_> = ["alice", "bob", "carol"].into_iter().map(|name| world.joined(person(name))).collect();
        world.run_for(secs(1));
        assert_eq!(moderate(&mut world, chair, ModerationAction::End, ""), Ok(()));
        world.run_for(secs(1));
        for who in others.into_iter().chain([chair]) {
            assert_eq!(closings(&world, who), [ErrorCode::RoomClosed]);
            assert!(world[who].connection.is_none());
        }
        assert!(world.edge.table_sizes().iter().all(|(_, size)| *size == 0), "{:?}", world.edge.table_sizes());
    }
}

/// The moderator's shard hears of the other one after it was asked to remove somebody there.
#[test]
fn a_removal_overtaken_by_the_news_of_a_part_is_told_all_the_same() {
    let mut world = World::sharded(309, 3, |_| {});
    world.edge.spread_at = 1;
    let chair = world.joined(person("chair").moderating());
    // Who isn't known yet can be removed: that is how it looks when the news of its coming is still on the way.
    moderate(&mut world, chair, ModerationAction::Remove, "mallory").unwrap();
    let mallory = world.join(person("mallory"));
    world.run_for(secs(1));
    assert_eq!([refusals(&world, mallory), closings(&world, mallory)].concat(), [ErrorCode::Removed]);
    let came = world[chair].told(|message| match message {
        ServerMessage::ParticipantJoined { participant } => Some(participant.id.clone()),
        _ => None,
    });
    let left = world[chair].told(|message| match message {
        ServerMessage::ParticipantLeft { participant, .. } => Some(participant.clone()),
        _ => None,
    });
    assert_eq!(came, left, "nobody stays behind as a ghost");
    let elsewhere: u64 = (0..3).map(|shard| world.edge.shard_stats(shard).participants_elsewhere).sum();
    assert_eq!(elsewhere, 0);
    let parts: u64 = (0..3).map(|shard| world.edge.shard_stats(shard).rooms).sum();
    assert_eq!(parts, 1);
}
