//! Data messages: reliable or lossy, to the room or to one, always with the true sender on them.

use nearcast_protocol::{DataFrame, LOSSY_CHANNEL, MAX_DATA_PAYLOAD, RELIABLE_CHANNEL};
use nearcast_sim::{ClientId, Joining, World, ms, secs};

fn trio(seed: u64) -> (World, [ClientId; 3]) {
    let mut world = World::seeded(seed);
    let people = ["alice", "bob", "carol"].map(|name| world.joined(Joining::new(name).data()));
    (world, people)
}

fn frame(payload: &[u8]) -> DataFrame {
    DataFrame { payload: payload.to_vec(), topic: Some("test".into()), ..DataFrame::default() }
}

fn payloads(world: &World, who: ClientId) -> Vec<Vec<u8>> {
    world[who].data.iter().map(|(_, _, frame)| frame.payload.clone()).collect()
}

#[test]
fn to_the_room_and_to_one() {
    let (mut world, [alice, bob, carol]) = trio(70);
    let to_carol = DataFrame { to: Some(world[carol].participant()), ..frame(b"to one") };
    for stream in [RELIABLE_CHANNEL, LOSSY_CHANNEL] {
        assert!(world.send_data(alice, stream, &frame(b"to all")));
        assert!(world.send_data(alice, stream, &to_carol));
    }
    world.run_for(secs(1));
    assert_eq!(world[bob].data.iter().map(|(_, stream, _)| *stream).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(payloads(&world, bob), [b"to all", b"to all"]);
    assert_eq!(payloads(&world, carol), [&b"to all"[..], b"to one", b"to all", b"to one"]);
    assert_eq!(payloads(&world, alice), Vec::<Vec<u8>>::new(), "not to oneself");
    assert_eq!(world[bob].data[0].2.topic.as_deref(), Some("test"));
    assert_eq!(world.stats().data_messages, 4);
}

#[test]
fn the_sender_is_who_sent_it() {
    let (mut world, [alice, bob, carol]) = trio(71);
    let forged = DataFrame { from: Some(world[carol].participant()), ..frame(b"I am Carol") };
    world.send_data(alice, RELIABLE_CHANNEL, &forged);
    world.run_for(secs(1));
    assert_eq!(world[bob].data[0].2.from, Some(world[alice].participant()));
}

#[test]
fn reliable_messages_survive_loss_in_order() {
    let (mut world, [alice, bob, _]) = trio(72);
    world.link(alice).lose_up(0.1);
    world.link(bob).lose_down(0.1);
    for number in 0..200_u32 {
        world.send_data(alice, RELIABLE_CHANNEL, &frame(&number.to_be_bytes()));
        world.run_for(ms(10));
    }
    world.run_for(secs(10));
    let expected: Vec<_> = (0..200_u32).map(|number| number.to_be_bytes().to_vec()).collect();
    assert_eq!(payloads(&world, bob), expected);
}

/// What is lost stays lost, and what comes isn't held back for it.
#[test]
fn lossy_messages_are_lost_and_not_late() {
    let (mut world, [alice, bob, _]) = trio(73);
    world.link(bob).lose_down(0.2);
    let mut sent_at = Vec::new();
    for number in 0..300_u32 {
        sent_at.push(world.now());
        world.send_data(alice, LOSSY_CHANNEL, &frame(&number.to_be_bytes()));
        world.run_for(ms(20));
    }
    world.run_for(secs(5));
    let arrived = &world[bob].data;
    println!("{} of 300", arrived.len());
    assert!((210..270).contains(&arrived.len()), "a fifth is lost: {}", arrived.len());
    let delays = arrived.iter().map(|(at, _, frame)| *at - sent_at[u32::from_be_bytes(frame.payload[..].try_into().unwrap()) as usize]);
    let slowest = delays.max().unwrap();
    assert!(slowest < ms(120), "nothing waits for what was lost: {slowest:?}");
}

#[test]
fn a_large_message_arrives_whole_and_a_larger_one_not_at_all() {
    let (mut world, [alice, bob, _]) = trio(74);
    let largest: Vec<u8> = (0..MAX_DATA_PAYLOAD).map(|index| index as u8).collect();
    world.send_data(alice, RELIABLE_CHANNEL, &frame(&largest));
    world.run_for(secs(2));
    assert_eq!(payloads(&world, bob), [largest]);

    let dropped = world.stats().dropped_data;
    world.send_data(alice, RELIABLE_CHANNEL, &frame(&vec![1; MAX_DATA_PAYLOAD + 1]));
    let topic = Some("t".repeat(129));
    world.send_data(alice, RELIABLE_CHANNEL, &DataFrame { topic, ..frame(b"small") });
    world.send_bytes(alice, RELIABLE_CHANNEL, b"no frame at all");
    world.run_for(secs(2));
    assert_eq!(world.stats().dropped_data, dropped + 3);
    assert_eq!(world[bob].data.len(), 1);
    world.send_data(alice, RELIABLE_CHANNEL, &frame(b"still here"));
    world.run_for(secs(1));
    assert_eq!(world[bob].data.len(), 2, "the channel lives");
}

#[test]
fn without_permission_nothing_is_passed_on() {
    let mut world = World::seeded(75);
    let bob = world.joined(Joining::new("bob").data());
    let mute = world.joined(Joining::new("mute").data().permitted(true, true, false));
    world.send_data(mute, RELIABLE_CHANNEL, &frame(b"psst"));
    world.send_data(bob, RELIABLE_CHANNEL, &frame(b"hello"));
    world.run_for(secs(1));
    assert!(world[bob].data.is_empty());
    assert_eq!(payloads(&world, mute), [b"hello"]);
    assert_eq!((world.stats().dropped_data, world.stats().data_messages), (1, 1));
}

#[test]
fn no_message_leaves_its_room() {
    let mut world = World::seeded(76);
    let alice = world.joined(Joining::new("alice").data());
    let other = world.joined(Joining::new("bob").data().room("other"));
    let to = Some(world[other].participant());
    world.send_data(alice, RELIABLE_CHANNEL, &DataFrame { to, ..frame(b"across") });
    world.send_data(alice, RELIABLE_CHANNEL, &frame(b"to all"));
    world.run_for(secs(1));
    assert!(world[other].data.is_empty());
}

fn beat(number: u32) -> DataFrame {
    DataFrame { beat: Some(number), ..frame(b"nobody's business") }
}

/// Anybody may know whether its way carries anything, also who may not send messages.
#[test]
fn a_heartbeat_comes_back_at_once_and_reaches_nobody_else() {
    let mut world = World::seeded(77);
    let alice = world.joined(Joining::new("alice").data().permitted(true, true, false));
    let bob = world.joined(Joining::new("bob").data());
    let sent_at = world.now();
    world.send_data(alice, LOSSY_CHANNEL, &beat(7));
    world.send_data(alice, RELIABLE_CHANNEL, &beat(8));
    world.run_for(ms(100));
    let answers: Vec<_> = world[alice].data.iter().map(|(_, stream, frame)| (*stream, frame.beat)).collect();
    assert_eq!(answers, [(LOSSY_CHANNEL, Some(7)), (RELIABLE_CHANNEL, Some(8))]);
    assert!(world[alice].data.iter().all(|(at, _, frame)| *at - sent_at < ms(60) && frame.payload.is_empty()), "one round trip");
    assert!(world[bob].data.is_empty());
    assert_eq!((world.stats().heartbeats, world.stats().data_messages), (2, 0));
}

#[test]
fn a_flood_of_heartbeats_is_answered_only_in_part() {
    let (mut world, [alice, bob, _]) = trio(78);
    for number in 0..500 {
        world.send_data(alice, LOSSY_CHANNEL, &beat(number));
    }
    world.run_for(ms(500));
    assert_eq!((world[alice].data.len(), world.stats().heartbeats, world.stats().dropped_data), (20, 20, 480));
    world.send_data(bob, LOSSY_CHANNEL, &beat(1));
    world.run_for(ms(600));
    assert_eq!(world[bob].data.len(), 1, "nobody else pays for it");
    world.send_data(alice, LOSSY_CHANNEL, &beat(501));
    world.run_for(ms(100));
    assert_eq!(world[alice].data.last().unwrap().2.beat, Some(501), "and the flood is forgotten");
}

#[test]
fn a_flood_of_messages_waits_at_its_sender_and_arrives_all_the_same() {
    let (mut world, [alice, bob, carol]) = trio(79);
    let mut sent = 0;
    for _ in 0..200 {
        while world.send_data(alice, RELIABLE_CHANNEL, &frame(&[7; MAX_DATA_PAYLOAD])) {
            sent += 1;
        }
        world.run_for(ms(10));
    }
    let early = world[bob].data.len();
    println!("{early} of {sent} in two seconds");
    assert!((5..=38).contains(&early), "{early} of {sent}: a megabyte a second, and what goes at once");
    world.send_data(carol, RELIABLE_CHANNEL, &frame(b"in between"));
    world.run_for(ms(300));
    assert!(payloads(&world, bob).contains(&b"in between".to_vec()), "nobody else waits for it");
    world.run_for(secs(5));
    assert_eq!((world[bob].data.len(), world.stats().dropped_data), (sent + 1, 0));
}
