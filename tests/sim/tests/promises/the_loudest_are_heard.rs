//! In a big room the loudest voices are passed on, whoever speaks up is heard at once, and nobody notices who isn't.

use nearcast_sim::{ClientId, Joining, SourcePlan, World, contiguous, extended, ms, secs};
use std::collections::BTreeSet;
use std::time::Duration;

fn microphone(level: i8) -> SourcePlan {
    SourcePlan { level, ..SourcePlan::microphone() }
}

/// Forty people with microphones, of whom the first few speak, and one who listens.
fn hall(world: &mut World, speaking: usize) -> (Vec<ClientId>, ClientId) {
    let level = |number| if number < speaking { -30 } else { -90 };
    let people: Vec<_> =
        (0..40).map(|number| world.joined(Joining::new("speaker").numbered(number).publishing(microphone(level(number))))).collect();
    let listener = world.joined(Joining::new("listener").slots(40, 0));
    (people, listener)
}

/// Whose audio arrived in the last second.
fn heard(world: &World, people: &[ClientId], listener: ClientId) -> BTreeSet<usize> {
    let since = world.now() - secs(1);
    let of = |who: &ClientId| world[listener].packets_of(*who, 0).iter().any(|packet| packet.at > since);
    (0..people.len()).filter(|number| of(&people[*number])).collect()
}

#[test]
fn ten_of_forty_are_passed_on_and_a_new_voice_within_150_ms() {
    let mut world = World::seeded(300);
    let (people, listener) = hall(&mut world, 3);
    world.run_for(secs(6));
    let before = heard(&world, &people, listener);
    assert_eq!(before.len(), 10);
    assert!(before.is_superset(&[0, 1, 2].into()), "{before:?}");

    // Another voice is heard after three loud packets and the way there.
    let shy = (3..40).rev().find(|number| !before.contains(number)).unwrap();
    assert!(world[listener].packets_of(people[shy], 0).is_empty());
    let began = world.now();
    world[people[shy]].sources[0].plan.level = -30;
    let waited = world.run_until(ms(150), "a new voice", |world| !world[listener].packets_of(people[shy], 0).is_empty());
    println!("{waited:?} after it began at {began:?}");
    world.run_for(secs(2));
    let after = heard(&world, &people, listener);
    assert!(after.len() == 10 && after.is_superset(&[0, 1, 2, shy].into()), "{after:?}");
    assert_eq!(world.stats().loudest_changes, 1);
}

/// Forty at once: ten are passed on, and always the same ones.
#[test]
fn a_din_is_no_merry_go_round() {
    let mut world = World::seeded(301);
    let (people, listener) = hall(&mut world, 40);
    world.run_for(secs(4));
    let changes = world.stats().loudest_changes;
    world.run_for(secs(10));
    assert_eq!(heard(&world, &people, listener).len(), 10);
    assert_eq!(world.stats().loudest_changes, changes);
    assert!(world.stats().packets_not_among_loudest > 30 * 50 * 10);
}

/// Who leaves the set and comes back goes on with the next number and the time that has passed: no gap that looks like loss.
#[test]
fn coming_back_is_seamless() {
    let mut world = World::sharded(302, 1, |config| config.audio_top_k = 1);
    let ada = world.joined(Joining::new("ada").publishing(microphone(-30)));
    let ben = world.joined(Joining::new("ben").publishing(microphone(-90)));
    let listener = world.joined(Joining::new("listener").slots(2, 0));
    world.run_for(secs(3));
    for (speaks, listens) in [(ben, ada), (ada, ben), (ben, ada), (ada, ben)] {
        world[listens].sources[0].plan.level = -90;
        world[speaks].sources[0].plan.level = -30;
        world.run_for(secs(5));
    }
    for who in [ada, ben] {
        let packets = world[listener].packets_of(who, 0);
        assert!(packets.len() > 300 && packets.len() < 900, "{}", packets.len());
        assert!(contiguous(packets.iter().map(|packet| packet.seq)));
        let times = extended(packets.iter().map(|packet| packet.timestamp));
        for (pair, stamps) in packets.windows(2).zip(times.windows(2)) {
            let passed = (pair[1].at - pair[0].at).as_secs_f64() * 48_000.0;
            assert!(((stamps[1] - stamps[0]) as f64 - passed).abs() < 960.0 * 1.5, "{passed} {stamps:?}");
        }
    }
}

/// Nobody is taken for dead for saying nothing: a microphone that sent nothing for ten seconds (DTX) is heard with its first words.
#[test]
fn silence_is_no_absence() {
    let mut world = World::seeded(303);
    let ada = world.joined(Joining::new("ada").publishing(microphone(-30)));
    let listener = world.joined(Joining::new("listener").slots(1, 0));
    world.run_for(secs(3));
    world[ada].sources[0].silent = true;
    world.run_for(secs(10));
    let before = world[listener].packets_of(ada, 0).len();
    world[ada].sources[0].silent = false;
    world.run_for(ms(200));
    let packets = world[listener].packets_of(ada, 0);
    assert!(packets.len() >= before + 5, "{}", packets.len() - before);
    assert!(contiguous(packets.iter().map(|packet| packet.seq)));
}

#[test]
fn small_rooms_and_edges_without_a_limit_pass_everything_on() {
    for (limit, people) in [(10, 10), (0, 30)] {
        let mut world = World::sharded(304, 1, |config| config.audio_top_k = limit);
        let speakers: Vec<_> =
            (0..people).map(|number| world.joined(Joining::new("speaker").numbered(number).publishing(microphone(-90)))).collect();
        let listener = world.joined(Joining::new("listener").slots(people, 0));
        world.run_for(secs(2));
        assert_eq!(heard(&world, &speakers, listener).len(), people);
        assert_eq!(world.stats().packets_not_among_loudest, 0);
    }
}

/// Whoever goes makes room.
#[test]
fn a_place_becomes_free() {
    let mut world = World::sharded(305, 1, |config| config.audio_top_k = 1);
    let ada = world.joined(Joining::new("ada").publishing(microphone(-30)));
    let ben = world.joined(Joining::new("ben").publishing(microphone(-90)));
    let listener = world.joined(Joining::new("listener").slots(2, 0));
    world.run_for(secs(2));
    assert!(world[listener].packets_of(ben, 0).is_empty());
    world.leave(ada);
    let waited: Duration = world.run_until(ms(200), "the other one", |world| !world[listener].packets_of(ben, 0).is_empty());
    println!("{waited:?}");
}
