//! Requests and replies find each other.

use crate::world::World;
use client_core::{Input, RequestId};
use nearcast_protocol::{ErrorCode, ServerMessage};

fn subscribe(request: u32) -> Input {
    Input::Subscribe { request: RequestId(request), publication: "cam".into() }
}

#[test]
fn replies_may_come_in_any_order() {
    let mut world = World::joined(1, vec![]);
    for request in 1..=3 {
        world.input(subscribe(request));
    }
    let ids: Vec<_> = world.inbox.drain(..).map(|envelope| envelope.id).collect();
    world.receive(&ServerMessage::Done { id: ids[2] });
    world.receive(&ServerMessage::failed(ids[0], ErrorCode::NotPermitted, ""));
    world.receive(&ServerMessage::Done { id: ids[1] });
    assert_eq!([1, 2, 3].map(|request| world.outcome(request).unwrap()), ["not-permitted", "done", "done"]);
}

#[test]
fn a_reply_to_nothing_is_ignored() {
    let mut world = World::joined(1, vec![]);
    world.receive(&ServerMessage::Done { id: 4711 });
    world.receive(&ServerMessage::failed(0, ErrorCode::Internal, ""));
    world.input(subscribe(1));
    let id = world.take_request().id;
    world.receive(&ServerMessage::Done { id });
    world.receive(&ServerMessage::Done { id });
    assert_eq!(world.outcome(1).unwrap(), "done");
}

#[test]
fn a_request_after_the_end_fails_at_once() {
    let mut world = World::joined(1, vec![]);
    world.input(Input::Leave);
    world.session.handle_input(world.now, subscribe(1));
    let client_core::Output::Event(client_core::Event::Failed { request, error }) = world.session.poll_output().unwrap() else {
        panic!("not failed");
    };
    assert_eq!((request, error.code.name()), (RequestId(1), "room-left"));
}

#[test]
fn what_waits_at_the_end_fails_with_its_reason() {
    let mut world = World::joined(1, vec![]);
    world.input(subscribe(1));
    world.publish(2);
    world.publish(3);
    world.receive(&ServerMessage::Closed { error: nearcast_protocol::ErrorInfo::new(ErrorCode::RoomClosed, "over") });
    assert_eq!([1, 2, 3].map(|request| world.outcome(request).unwrap()), ["room-closed"; 3]);
}

#[test]
fn requests_that_pile_up_during_an_outage_are_bounded() {
    let mut world = World::joined(1, vec![]);
    world.lose_socket();
    for request in 0..257 {
        world.input(subscribe(request));
    }
    assert_eq!(world.outcome(255), None);
    assert_eq!(world.outcome(256).unwrap(), "limit-reached");
}
