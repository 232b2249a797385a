//! A socket that is dead without saying so is noticed within four seconds, or seven where media can't tell how lossy the way is.

use crate::world::{World, millis, secs};
use client_core::State;
use nearcast_protocol::{ClientMessage, ServerMessage};

#[test]
fn a_silent_edge_is_lost_after_seven_seconds() {
    let mut world = World::joined(1, vec![]);
    world.run_for(secs(2));
    assert!(matches!(world.take_request().message, ClientMessage::Ping));
    world.run_for(millis(4999));
    assert_eq!(world.session.state(), State::Connected);
    world.run_for(millis(1));
    assert_eq!(world.session.state(), State::Reconnecting);
    assert_eq!(world.states().last().unwrap(), "reconnecting (no-pong)");
}

#[test]
fn an_edge_that_answers_is_kept_for_ever() {
    let mut world = World::joined(1, vec![]);
    for _ in 0..1800 {
        world.run_for(secs(2));
        let ping = world.take_request();
        world.receive(&ServerMessage::Pong { id: ping.id });
    }
    assert_eq!(world.session.state(), State::Connected);
    assert_eq!(world.sockets_opened, 1);
}

#[test]
fn any_message_shows_life() {
    let mut world = World::joined(1, vec![]);
    world.run_for(secs(6));
    world.receive(&ServerMessage::Speakers { speakers: vec![] });
    world.run_for(secs(3));
    assert_eq!(world.session.state(), State::Connected);
}
