//! Qualities of connections: measured by the edge, scored by whatever model it is given (here a plain one), told to the room in bounds.

use nearcast_protocol::{ParticipantQuality, QualityCause, QualityLevel, ServerMessage};
use nearcast_sim::{ClientId, Joining, World, secs};
use sfu_core::{LinkReport, LinkScore, LinkScorer, Way};
use std::time::{Duration, Instant};

/// A hundred less the worst loss in percent.
#[derive(Debug)]
struct Plain;

impl LinkScorer for Plain {
    fn score(&mut self, _now: Instant, report: &LinkReport) -> LinkScore {
        let loss = |track: &sfu_core::TrackReport| if track.silent { 1.0 } else { track.loss.unwrap_or(0.0) };
        let worst = report.tracks.iter().max_by(|one, other| loss(one).total_cmp(&loss(other)));
        let Some(worst) = worst else { return LinkScore::default() };
        let score = (100.0 - 100.0 * loss(worst)) as u8;
        let level = match score {
            0 => QualityLevel::Lost,
            1..80 => QualityLevel::Poor,
            80..97 => QualityLevel::Good,
            _ => QualityLevel::Excellent,
        };
        let cause = match worst.way {
            _ if score >= 97 => QualityCause::Unknown,
            Way::Up => QualityCause::UplinkLoss,
            Way::Down => QualityCause::DownlinkLoss,
        };
        LinkScore { score, level, cause }
    }
}

fn world(seed: u64, shards: u8) -> World {
    let mut world = World::sharded(seed, shards, |config| config.scorer = Some(|| Box::new(Plain)));
    world.edge.spread_at = 1;
    world
}

fn person(name: &str) -> Joining {
    Joining::new(name).camera().microphone().slots(3, 3)
}

/// When somebody was told of qualities, and which.
fn told(world: &World, who: ClientId) -> Vec<(Duration, Vec<ParticipantQuality>)> {
    let of = |(at, message): &(Duration, ServerMessage)| match message {
        ServerMessage::Qualities { qualities } => Some((*at, qualities.clone())),
        _ => None,
    };
    world[who].signals.iter().filter_map(of).collect()
}

/// What somebody knows of somebody now.
fn known(world: &World, who: ClientId, of: ClientId) -> Option<ParticipantQuality> {
    let id = world[of].participant();
    told(world, who).into_iter().flat_map(|(_, qualities)| qualities).rfind(|quality| quality.participant == id)
}

fn level(world: &World, who: ClientId, of: ClientId) -> QualityLevel {
    known(world, who, of).map(|quality| quality.level).unwrap_or_default()
}

#[test]
fn all_is_well_and_is_said_once() {
    let mut world = world(500, 1);
    let people = ["alice", "bob", "carol"].map(|name| world.joined(person(name)));
    world.run_for(secs(10));
    for who in people {
        for of in people {
            assert_eq!(level(&world, who, of), QualityLevel::Excellent, "oneself included");
        }
        let last = told(&world, who).last().unwrap().0;
        assert!(last < secs(6), "nothing changes, and nothing is said: {last:?}");
    }
    let late = world.joined(Joining::new("dave"));
    world.run_for(secs(1));
    assert_eq!(told(&world, late)[0].1.len(), 3, "who comes later hears what is known");
}

#[test]
fn loss_is_told_with_its_direction_to_those_who_receive_nothing_of_it_too() {
    let mut world = world(501, 1);
    let [alice, bob] = ["alice", "bob"].map(|name| world.joined(person(name)));
    let carol = world.joined(Joining::new("carol").by_choice());
    world.run_for(secs(5));
    world.link(alice).lose_up(0.15);
    world.run_for(secs(4));
    let quality = known(&world, carol, alice).unwrap();
    assert_eq!(quality.cause, QualityCause::UplinkLoss);
    assert!((70..96).contains(&quality.score), "{quality:?}");
    assert_eq!(level(&world, carol, bob), QualityLevel::Excellent, "it isn't his");

    world.link(alice).lose_up(0.0);
    world.link(bob).lose_down(0.15);
    world.run_for(secs(6));
    assert_eq!(known(&world, carol, bob).unwrap().cause, QualityCause::DownlinkLoss);
    assert_eq!(level(&world, carol, alice), QualityLevel::Excellent, "and hers has passed");
    let times: Vec<_> = told(&world, carol).into_iter().map(|(at, _)| at).collect();
    assert!(times.windows(2).skip(1).all(|pair| pair[1] - pair[0] >= secs(1)), "once a second at most: {times:?}");
}

#[test]
fn an_outage_is_noticed_and_so_is_its_end() {
    let mut world = world(502, 1);
    let [alice, bob] = ["alice", "bob"].map(|name| world.joined(person(name)));
    world.run_for(secs(5));
    world.link(alice).cut(true);
    let took = world.run_until(secs(5), "lost", |world| level(world, bob, alice) == QualityLevel::Lost);
    println!("noticed after {took:?}");
    assert_eq!(level(&world, bob, bob), QualityLevel::Excellent);
    world.link(alice).cut(false);
    world.run_until(secs(10), "well again", |world| level(world, bob, alice) == QualityLevel::Excellent);
}

/// A pause is no outage.
#[test]
fn who_is_muted_is_not_lost() {
    let mut world = world(503, 1);
    let alice = world.joined(Joining::new("alice").camera().slots(0, 1));
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    world.run_for(secs(5));
    let publication = world[alice].publication(0);
    world.ask(alice, nearcast_protocol::ClientMessage::Mute { publication, muted: true });
    world[alice].sources[0].silent = true;
    world.run_for(secs(10));
    let levels: Vec<_> = told(&world, bob).into_iter().flat_map(|(_, qualities)| qualities).map(|quality| quality.level).collect();
    assert!(levels.iter().all(|level| *level != QualityLevel::Lost && *level != QualityLevel::Poor), "{levels:?}");
}

#[test]
fn it_crosses_between_the_parts_of_a_room() {
    let mut world = world(504, 2);
    let [alice, bob] = ["alice", "bob"].map(|name| world.joined(person(name)));
    world.run_for(secs(6));
    assert_eq!(world.edge.shard_stats(1).participants, 1, "they are on two shards");
    for (who, of) in [(alice, bob), (bob, alice), (alice, alice)] {
        assert_eq!(level(&world, who, of), QualityLevel::Excellent);
    }
    world.link(alice).cut(true);
    world.run_until(secs(6), "lost", |world| level(world, bob, alice) == QualityLevel::Lost);
}

/// Changes its mind at every look.
#[derive(Debug, Default)]
struct Moody(bool);

impl LinkScorer for Moody {
    fn score(&mut self, _now: Instant, _report: &LinkReport) -> LinkScore {
        self.0 = !self.0;
        let level = if self.0 { QualityLevel::Excellent } else { QualityLevel::Poor };
        LinkScore { score: 50, level, cause: QualityCause::Unknown }
    }
}

/// A room in which everything changes all the time costs a bounded number of messages of a bounded size.
#[test]
fn a_large_room_is_told_little_at_a_time() {
    let mut world = World::sharded(505, 1, |config| config.scorer = Some(|| Box::<Moody>::default()));
    let first = world.joined(Joining::new("first"));
    for number in 0..99 {
        world.join(Joining::new("guest").numbered(number));
    }
    world.run_for(secs(5));
    let before = told(&world, first).len();
    world.run_for(secs(10));
    let messages = told(&world, first);
    let after = &messages[before..];
    assert!((9..=11).contains(&after.len()), "{} messages in ten seconds", after.len());
    assert!(after.iter().all(|(_, qualities)| qualities.len() <= 32));
    let mut heard: Vec<_> = messages.iter().flat_map(|(_, qualities)| qualities).map(|quality| &quality.participant).collect();
    heard.sort_unstable();
    heard.dedup();
    println!("{} of 100 heard of", heard.len());
    assert!(heard.len() > 32, "not always the same ones");
}
