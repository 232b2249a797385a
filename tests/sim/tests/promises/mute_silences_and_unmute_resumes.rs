//! Muting is told to the room; what comes after unmuting continues the same stream.

use nearcast_protocol::{ClientMessage, ServerMessage};
use nearcast_sim::{Joining, World, contiguous, extended, secs};

#[test]
fn the_stream_goes_on_where_it_stopped() {
    let mut world = World::seeded(13);
    let alice = world.joined(Joining::new("alice").camera().microphone());
    let bob = world.joined(Joining::new("bob").slots(1, 1));
    world.run_for(secs(2));
    for source in [0, 1] {
        let publication = world[alice].publication(source);
        let reply = world.ask(alice, ClientMessage::Mute { publication, muted: true });
        assert!(matches!(reply, ServerMessage::Done { .. }));
        world[alice].sources[source].silent = true;
    }
    world.run_for(secs(3));
    let silent_from = world.now();
    world.run_for(secs(1));
    assert!(world[bob].packets.iter().all(|packet| packet.at <= silent_from));

    for source in [0, 1] {
        let publication = world[alice].publication(source);
        world.ask(alice, ClientMessage::Mute { publication, muted: false });
        world[alice].sources[source].silent = false;
    }
    world.run_for(secs(2));

    let told = world[bob].told(|message| match message {
        ServerMessage::PublicationMuted { publication, muted } => Some((publication.clone(), *muted)),
        _ => None,
    });
    let (camera, microphone) = (world[alice].publication(0), world[alice].publication(1));
    assert_eq!(told, [(camera.clone(), true), (microphone.clone(), true), (camera, false), (microphone, false)]);
    for (source, rate) in [(0, 90_000), (1, 48_000)] {
        let packets = world[bob].packets_of(alice, source);
        assert!(packets.iter().any(|packet| packet.at > silent_from));
        assert!(contiguous(packets.iter().map(|packet| packet.seq)));
        let timestamps = extended(packets.iter().map(|packet| packet.timestamp));
        let longest = timestamps.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
        assert!((longest - 4 * rate).abs() < rate, "the pause shows in the timestamps: {longest} ticks");
        assert!(timestamps.is_sorted());
    }
}

#[test]
fn who_joins_while_it_is_muted_is_told_so() {
    let mut world = World::seeded(14);
    let alice = world.joined(Joining::new("alice").microphone());
    let publication = world[alice].publication(0);
    world.ask(alice, ClientMessage::Mute { publication: publication.clone(), muted: true });
    let bob = world.joined(Joining::new("bob").slots(1, 0));
    let others = &world[bob].joined().unwrap().others;
    assert!(others[0].publications[0].muted);

    let reply = world.ask(bob, ClientMessage::Mute { publication, muted: false });
    assert!(matches!(reply, ServerMessage::Failed { .. }), "only one's own");
}
