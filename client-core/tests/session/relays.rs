//! TURN servers: given to the transport when they are needed, without those that failed lately.

use crate::world::{World, millis};
use client_core::{Input, State, TransportState};
use nearcast_protocol::{ClientMessage, IceServer, ServerMessage};

const UDP: &str = "turn:a.example:3478";
const TLS: &str = "turns:b.example:443?transport=tcp";

fn servers(lifetime_s: u32) -> Vec<IceServer> {
    let server = |url: &str| IceServer {
        urls: vec![url.into()],
        username: Some("user".into()),
        credential: Some("secret".into()),
        lifetime_s: Some(lifetime_s),
    };
    vec![server(UDP), server(TLS)]
}

fn joined() -> World {
    let mut world = World::seeded(1);
    world.named_ice_servers = servers(3600);
    world.input(Input::Start);
    world.open();
    world.token();
    let join = world.take_request();
    world.reply_joined(join.id, vec![], false);
    world
}

fn given(world: &World) -> Vec<&str> {
    let all = world.ice_servers.iter().flat_map(|server| server.urls.iter().map(String::as_str));
    all.enumerate().filter(|(address, _)| world.left_out >> address & 1 == 0).map(|(_, url)| url).collect()
}

/// Lets time pass, with an edge that answers pings.
fn pass(world: &mut World, seconds: u64) {
    for _ in 0..seconds * 10 {
        world.run_for(millis(100));
        for ping in world.inbox.iter().filter(|one| one.message == ClientMessage::Ping).map(|one| one.id).collect::<Vec<_>>() {
            world.inbox.retain(|one| one.id != ping);
            world.receive(&ServerMessage::Pong { id: ping });
        }
    }
}

#[test]
fn where_nothing_comes_directly_relays_are_tried_after_three_seconds() {
    let mut world = joined();
    assert_eq!(given(&world), [UDP, TLS]);
    world.run_for(millis(2900));
    assert_eq!((world.session.state(), world.restarts), (State::Connected, 0));
    pass(&mut world, 1);
    assert_eq!(world.states().last().unwrap(), "reconnecting (no-media)");
    assert_eq!(world.restarts, 1);
    world.answer_offer();
    world.input(Input::Transport(TransportState::Connected));
    assert_eq!(world.session.state(), State::Connected);
}

#[test]
fn a_connection_that_comes_in_time_is_left_alone_and_without_relays_the_browser_decides() {
    let mut world = joined();
    world.run_for(millis(2500));
    world.input(Input::Transport(TransportState::Connected));
    pass(&mut world, 10);
    assert_eq!((world.session.state(), world.restarts), (State::Connected, 0));

    let mut world = World::joined(1, vec![]);
    pass(&mut world, 10);
    assert_eq!((world.session.state(), world.restarts), (State::Connected, 0), "nothing else could help");
}

#[test]
fn a_restart_leaves_out_what_failed() {
    let mut world = joined();
    world.input(Input::Transport(TransportState::Connected));
    world.input(Input::IceServer { address: 0, works: false });
    assert_eq!(given(&world), [UDP, TLS], "nothing gathers now");
    world.input(Input::Transport(TransportState::Failed));
    pass(&mut world, 1);
    assert_eq!((world.restarts, given(&world)), (1, vec![TLS]));
    // Another network.
    world.input(Input::NetworkAvailable);
    world.receive(&ServerMessage::IceServers { servers: servers(3600) });
    assert_eq!(given(&world), [UDP, TLS]);
}

#[test]
fn fresh_credentials_are_handed_on_and_what_failed_stays_left_out() {
    let mut world = joined();
    world.input(Input::Transport(TransportState::Connected));
    world.input(Input::IceServer { address: 0, works: false });
    let mut fresh = servers(3600);
    fresh[0].credential = Some("fresh".into());
    world.receive(&ServerMessage::IceServers { servers: fresh.clone() });
    assert_eq!((&world.ice_servers, given(&world)), (&fresh, vec![TLS]));
    pass(&mut world, 301);
    world.input(Input::Transport(TransportState::Failed));
    pass(&mut world, 1);
    assert_eq!((world.restarts, given(&world)), (1, vec![UDP, TLS]));
}
