//! Who speaks, from the loudness that publishers put on their packets; the edge decodes nothing.

use nearcast_protocol::ServerMessage;
use nearcast_sim::{ClientId, Joining, SourcePlan, World, ms, secs};
use std::time::Duration;

fn microphone(level: i8) -> SourcePlan {
    SourcePlan { level, ..SourcePlan::microphone() }
}

/// What somebody was told: when, and who spoke.
fn told(world: &World, who: ClientId) -> Vec<(Duration, Vec<String>)> {
    let speakers = world[who].signals.iter().filter_map(|(at, message)| match message {
        ServerMessage::Speakers { speakers } => Some((*at, speakers.iter().map(|speaker| speaker.participant.to_string()).collect())),
        _ => None,
    });
    speakers.collect()
}

#[test]
fn a_voice_is_told_and_its_end_too() {
    let mut world = World::seeded(120);
    let alice = world.joined(Joining::new("alice").publishing(microphone(-90)));
    let bob = world.joined(Joining::new("bob").publishing(microphone(-90)).slots(1, 0));
    world.run_for(secs(2));
    assert!(told(&world, bob).is_empty(), "noise is nobody");
    let began = world.now();
    world[alice].sources[0].plan.level = -25;
    world.run_for(secs(2));
    let ended = world.now();
    world[alice].sources[0].plan.level = -90;
    world.run_for(secs(2));

    let told = told(&world, bob);
    let name = world[alice].participant().to_string();
    assert_eq!(told.first().unwrap().1, [name]);
    assert!(told.first().unwrap().0 < began + ms(600), "{told:?}");
    let last = told.last().unwrap();
    assert!(last.1.is_empty() && last.0 > ended && last.0 < ended + ms(1_500), "{told:?}");
    assert!(told.windows(2).all(|pair| pair[1].0 - pair[0].0 >= ms(250)), "at most four a second");
}

/// Whenever in the edge's rhythm somebody begins: at most half a second until the others' screens show it.
#[test]
fn a_voice_is_told_within_half_a_second() {
    for phase in 0..10 {
        let mut world = World::seeded(123);
        let alice = world.joined(Joining::new("alice").publishing(microphone(-90)));
        let bob = world.joined(Joining::new("bob").slots(1, 0));
        world.run_for(secs(2) + ms(25 * phase));
        world[alice].sources[0].plan.level = -30;
        let waited = world.run_until(ms(500), "told", |world| !told(world, bob).is_empty());
        println!("{waited:?}");
    }
}

#[test]
fn the_loudest_comes_first_and_subscribers_see_the_level() {
    let mut world = World::seeded(121);
    let quiet = world.joined(Joining::new("quiet").publishing(microphone(-40)));
    let loud = world.joined(Joining::new("loud").publishing(microphone(-15)));
    let bob = world.joined(Joining::new("bob").slots(2, 0));
    world.run_for(secs(3));
    let names = [loud, quiet].map(|who| world[who].participant().to_string());
    assert_eq!(told(&world, quiet).last().unwrap().1, names);
    assert!(world[bob].packets_of(loud, 0).iter().all(|packet| packet.audio_level == Some(-15)));
}

/// Who comes while somebody speaks is told so, and doesn't have to wait for the next pause.
#[test]
fn newcomers_learn_who_speaks() {
    let mut world = World::seeded(122);
    let alice = world.joined(Joining::new("alice").publishing(microphone(-25)));
    world.run_for(secs(3));
    let bob = world.joined(Joining::new("bob").slots(1, 0));
    world.run_for(secs(2));
    assert_eq!(told(&world, bob).last().map(|(_, speakers)| speakers.clone()), Some(vec![world[alice].participant().to_string()]));
    world.lose_signalling(bob);
    world[alice].sources[0].silent = true;
    world.run_for(secs(2));
    world.resume(bob);
    world.run_for(secs(1));
    assert_eq!(told(&world, bob).last().map(|(_, speakers)| speakers.len()), Some(0), "and who came back, who doesn't any more");
}
