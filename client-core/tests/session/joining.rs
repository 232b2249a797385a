//! Entering a room costs one round trip, or fails with a reason.

use crate::world::{World, camera, participant, secs};
use client_core::{Event, Input, State};
use nearcast_protocol::wire::Cbor;
use nearcast_protocol::{ClientMessage, ErrorCode, ErrorInfo, ServerMessage};

#[test]
fn socket_token_and_offer_are_prepared_at_once_and_one_message_joins() {
    let mut world = World::seeded(1);
    world.input(Input::Start);
    assert_eq!((world.sockets_opened, world.tokens_wanted, world.offers_made), (1, 1, 1));
    world.open();
    assert!(world.inbox.is_empty());
    world.token();
    let ClientMessage::Join(join) = world.take_request().message else { panic!("not a join") };
    assert_eq!(join.token, "token");
    assert_eq!(join.offer.unwrap().sdp, "offer 1");
    assert!(join.auto_subscribe && join.resume.is_none());
}

#[test]
fn the_order_in_which_socket_token_and_offer_come_does_not_matter() {
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut world = World::seeded(1);
        world.transport_obeys = false;
        world.input(Input::Start);
        for step in order {
            assert!(world.inbox.is_empty());
            match step {
                0 => world.open(),
                1 => world.token(),
                _ => {
                    world.make_offer();
                    world.input(Input::Transport(client_core::TransportState::Disconnected)); // drains
                }
            }
        }
        assert!(matches!(world.take_request().message, ClientMessage::Join(_)), "{order:?}");
    }
}

#[test]
fn everybody_there_is_told_before_connected_and_the_answer_is_applied_first() {
    let mut world = World::seeded(1);
    world.input(Input::Start);
    world.open();
    world.token();
    let join = world.take_request();
    world.reply_joined(join.id, vec![participant("ada", vec![camera("cam")])], false);
    assert_eq!(world.answers_applied, ["answer\r\n"]);
    let names: Vec<_> = world
        .events
        .iter()
        .map(|event| match event {
            Event::Joined { room, .. } => format!("joined {room}"),
            Event::ParticipantJoined { name, .. } => format!("participant {name}"),
            Event::PublicationAdded { publication, subscribed: true, .. } => format!("publication {}", publication.id),
            Event::StateChanged { state, .. } => state.name().to_owned(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, ["joined room", "participant ADA", "publication cam", "connected"]);
}

#[test]
fn refused_tokens_end_at_once_with_their_code() {
    for code in [ErrorCode::TokenExpired, ErrorCode::TokenInvalid, ErrorCode::TokenNotYetValid, ErrorCode::RoomFull, ErrorCode::Overloaded]
    {
        let mut world = World::seeded(1);
        world.input(Input::Start);
        world.open();
        world.token();
        let join = world.take_request();
        world.receive(&ServerMessage::failed(join.id, code, "why"));
        assert_eq!(world.closed_with(), Some(code.name()));
        assert_eq!(world.socket, None);
        assert!(world.transport_closed);
    }
}

#[test]
fn an_edge_that_cannot_be_reached_ends_the_join_at_once() {
    let mut world = World::seeded(1);
    world.input(Input::Start);
    world.lose_socket();
    assert_eq!(world.closed_with(), Some("edge-unreachable"));
}

#[test]
fn an_edge_that_does_not_answer_ends_the_join_after_ten_seconds() {
    let mut world = World::seeded(1);
    world.input(Input::Start);
    world.open();
    world.token();
    world.run_for(secs(9));
    assert!(!world.is_closed());
    world.run_for(secs(1));
    assert_eq!(world.closed_with(), Some("join-timeout"));
}

#[test]
fn a_token_function_that_fails_ends_the_join() {
    let mut world = World::seeded(1);
    world.input(Input::Start);
    world.input(Input::Token(None));
    assert_eq!(world.closed_with(), Some("token-unavailable"));
}

#[test]
fn a_transport_that_makes_no_offer_ends_the_join() {
    let mut world = World::seeded(1);
    world.transport_obeys = false;
    world.input(Input::Start);
    world.input(Input::OfferFailed);
    assert_eq!(world.closed_with(), Some("internal"));
}

#[test]
fn noise_instead_of_an_answer_ends_the_join() {
    let mut world = World::seeded(1);
    world.input(Input::Start);
    world.open();
    let socket = world.socket.unwrap();
    world.input(Input::SocketMessage(socket, b"<html>".to_vec()));
    assert_eq!(world.closed_with(), Some("bad-message"));
}

#[test]
fn leaving_while_joining_gives_the_seat_back() {
    let mut world = World::seeded(1);
    world.input(Input::Start);
    world.open();
    world.token();
    world.input(Input::Leave);
    assert!(matches!(world.inbox.last().unwrap().message, ClientMessage::Leave));
    assert_eq!(world.closed_with(), Some(""));
}

#[test]
fn an_edge_that_closes_the_session_says_why() {
    let mut world = World::joined(1, vec![]);
    world.receive(&ServerMessage::Closed { error: ErrorInfo::new(ErrorCode::Removed, "bye") });
    assert_eq!(world.closed_with(), Some("removed"));
    assert_eq!(world.states(), ["connected (joined)", "disconnected (removed)"]);
    assert_eq!(world.session.state(), State::Disconnected);
    assert_eq!(world.session.poll_timeout(), None);
}

#[test]
fn messages_of_a_newer_edge_are_skipped() {
    let mut world = World::joined(1, vec![]);
    let socket = world.socket.unwrap();
    // [200, []]: a kind that this version doesn't know.
    world.input(Input::SocketMessage(socket, vec![0x82, 0x18, 0xc8, 0x80]));
    assert_eq!(world.session.state(), State::Connected);
    world.receive(&ServerMessage::Speakers { speakers: vec![] });
    assert_eq!(world.events.last(), Some(&Event::Speakers(vec![])));
}

#[test]
fn the_join_fits_the_wire() {
    let mut world = World::seeded(1);
    world.input(Input::Start);
    world.open();
    world.token();
    let join = world.take_request();
    assert!(join.to_cbor().len() < 100, "nothing but token, offer and name of the client");
}

fn sent_to(world: &mut World, edge: &str) {
    let id = world.take_request().id;
    let error = ErrorInfo { edge: Some(edge.into()), ..ErrorInfo::new(ErrorCode::Elsewhere, "") };
    world.receive(&ServerMessage::Failed { id, error });
}

#[test]
fn an_edge_that_knows_better_is_followed_with_the_same_offer() {
    let mut world = World::seeded(1);
    world.input(Input::Start);
    world.open();
    world.token();
    sent_to(&mut world, "https://b");
    assert_eq!((world.edge.as_deref(), world.sockets_opened, world.offers_made), (Some("https://b"), 2, 1));
    world.open();
    world.token();
    let ClientMessage::Join(join) = &world.inbox[0].message else { panic!("not a join") };
    assert_eq!(join.offer.as_ref().unwrap().sdp, "offer 1");
    let id = world.take_request().id;
    world.reply_joined(id, vec![], false);
    assert_eq!(world.states(), ["connected (joined)"]);
}

#[test]
fn edges_that_send_us_in_circles_are_followed_four_times() {
    let mut world = World::seeded(1);
    world.input(Input::Start);
    for edge in ["https://b", "https://c", "https://b", "https://c", "https://b"] {
        world.open();
        world.token();
        sent_to(&mut world, edge);
    }
    assert_eq!((world.sockets_opened, world.closed_with()), (5, Some("elsewhere")));
}
