//! A lost WebSocket costs a moment, not the call.

use crate::world::{World, camera, millis, participant, secs};
use client_core::{Event, Input, State, TransportState};
use nearcast_protocol::{ClientMessage, ErrorCode, ErrorInfo, ServerMessage};
use proptest::prelude::*;

#[test]
fn the_same_session_goes_on_at_the_first_attempt() {
    let mut world = World::joined(1, vec![participant("ada", vec![camera("cam")])]);
    world.lose_socket();
    assert_eq!(world.session.state(), State::Reconnecting);
    world.run_for(millis(0));
    world.open();
    world.token();
    let ClientMessage::Join(join) = &world.inbox[0].message else { panic!("not a join") };
    assert_eq!(join.resume.as_ref().unwrap().session.as_str(), "secret");
    assert_eq!(join.offer, None);
    let id = world.take_request().id;
    world.reply_joined(id, vec![participant("ada", vec![camera("cam")])], true);
    assert_eq!(world.states(), ["connected (joined)", "reconnecting (socket-closed)", "connected (resumed)"]);
    assert_eq!(world.tokens_wanted, 2, "a fresh token each time");
    assert_eq!(world.offers_made, 1, "the transport stands");
}

#[test]
fn what_changed_meanwhile_is_told_and_nothing_else() {
    let mut world = World::joined(1, vec![participant("ada", vec![camera("cam")]), participant("bob", vec![])]);
    world.lose_socket();
    world.events.clear();
    world.resume(vec![participant("ada", vec![]), participant("eve", vec![])]);
    let told: Vec<_> = world
        .events
        .iter()
        .filter(|event| !matches!(event, Event::Step(_)))
        .map(|event| match event {
            Event::ParticipantLeft { id, .. } => format!("-{id}"),
            Event::ParticipantJoined { id, .. } => format!("+{id}"),
            Event::PublicationRemoved { publication, .. } => format!("-{publication}"),
            Event::StateChanged { state, .. } => state.name().to_owned(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(told, ["-bob", "-cam", "+eve", "connected"]);
}

#[test]
fn requests_under_way_are_sent_again_in_order() {
    let mut world = World::joined(1, vec![]);
    world.input(Input::Mute { request: client_core::RequestId(1), publication: "a".into(), muted: true });
    world.input(Input::Unpublish { request: client_core::RequestId(2), publication: "a".into() });
    world.lose_socket();
    world.input(Input::Subscribe { request: client_core::RequestId(3), publication: "b".into() });
    world.resume(vec![]);
    let again: Vec<_> = world.inbox.drain(..).collect();
    assert!(matches!(again[0].message, ClientMessage::Mute { .. }));
    assert!(matches!(again[1].message, ClientMessage::Unpublish { .. }));
    assert!(matches!(again[2].message, ClientMessage::Subscribe { .. }));
    world.receive(&ServerMessage::Done { id: again[0].id });
    world.receive(&ServerMessage::failed(again[1].id, ErrorCode::PublicationUnknown, ""));
    world.receive(&ServerMessage::failed(again[2].id, ErrorCode::PublicationUnknown, ""));
    assert_eq!(world.outcome(1).unwrap(), "done");
    assert_eq!(world.outcome(2).unwrap(), "done", "it had been done before the socket was lost");
    assert_eq!(world.outcome(3).unwrap(), "publication-unknown");
}

#[test]
fn an_offer_under_way_is_sent_again() {
    let mut world = World::joined(1, vec![]);
    world.publish(1);
    assert!(matches!(world.take_request().message, ClientMessage::Offer(_)));
    world.lose_socket();
    world.resume(vec![]);
    world.answer_offer();
    assert_eq!(world.outcome(1).unwrap(), "pub-9");
    assert_eq!(world.offers_made, 2, "the same offer, not another one");
}

#[test]
fn a_track_published_during_an_outage_waits_for_its_end() {
    let mut world = World::joined(1, vec![]);
    world.lose_socket();
    world.publish(1);
    assert_eq!(world.offers_made, 1);
    world.resume(vec![]);
    world.answer_offer();
    assert_eq!(world.outcome(1).unwrap(), "pub-9");
}

#[test]
fn a_refused_token_ends_the_outage_at_once() {
    let mut world = World::joined(1, vec![]);
    world.lose_socket();
    world.run_for(millis(0));
    world.open();
    world.token();
    let id = world.take_request().id;
    world.receive(&ServerMessage::failed(id, ErrorCode::TokenExpired, ""));
    assert_eq!(world.closed_with(), Some("token-expired"));
}

#[test]
fn an_overloaded_edge_is_asked_again_when_it_said() {
    let mut world = World::joined(1, vec![]);
    world.lose_socket();
    world.run_for(millis(0));
    world.open();
    world.token();
    let id = world.take_request().id;
    let error = ErrorInfo { retry_after_ms: Some(3000), ..ErrorInfo::new(ErrorCode::Overloaded, "") };
    world.receive(&ServerMessage::Failed { id, error });
    assert_eq!((world.socket, world.sockets_opened), (None, 2));
    world.run_for(millis(2999));
    assert_eq!(world.sockets_opened, 2);
    world.run_for(secs(1));
    assert_eq!(world.sockets_opened, 3);
}

#[test]
fn a_token_function_that_fails_while_offline_is_asked_again() {
    let mut world = World::joined(1, vec![]);
    world.lose_socket();
    world.run_for(millis(0));
    world.input(Input::Token(None));
    assert_eq!(world.session.state(), State::Reconnecting);
    world.run_for(millis(250));
    assert_eq!(world.tokens_wanted, 3);
}

#[test]
fn with_media_it_keeps_trying_for_two_minutes() {
    let mut world = World::joined(1, vec![]);
    world.input(Input::Transport(TransportState::Connected));
    world.lose_socket();
    run_without_network(&mut world, 119_999);
    assert!(!world.is_closed());
    run_without_network(&mut world, 1);
    assert_eq!(world.closed_with(), Some("session-lost"));
    assert!(world.sockets_opened > 30, "about every two seconds, was {}", world.sockets_opened);
}

/// Every socket that opens is refused at once.
fn run_without_network(world: &mut World, duration_ms: u64) {
    for _ in 0..duration_ms {
        world.run_for(millis(1));
        if world.socket.is_some() {
            world.lose_socket();
        }
    }
}

#[test]
fn a_network_that_comes_back_is_tried_at_once() {
    let mut world = World::joined(1, vec![]);
    world.input(Input::Transport(TransportState::Connected));
    world.lose_socket();
    run_without_network(&mut world, 20_000);
    let tried = world.sockets_opened;
    world.input(Input::NetworkAvailable);
    assert_eq!(world.sockets_opened, tried + 1);
}

#[test]
fn an_attempt_that_hangs_is_given_up_after_five_seconds() {
    let mut world = World::joined(1, vec![]);
    world.input(Input::Transport(TransportState::Connected));
    world.lose_socket();
    world.run_for(millis(0));
    assert_eq!(world.sockets_opened, 2);
    world.run_for(millis(5250));
    assert_eq!(world.sockets_opened, 3);
}

#[test]
fn an_unreadable_message_is_healed_by_a_fresh_view_of_the_room() {
    let mut world = World::joined(1, vec![]);
    let socket = world.socket.unwrap();
    world.input(Input::SocketMessage(socket, vec![0xff, 0xff]));
    assert_eq!(world.states().last().unwrap(), "reconnecting (bad-message)");
    world.resume(vec![participant("ada", vec![])]);
    assert_eq!(world.session.state(), State::Connected);
}

#[test]
fn late_events_of_an_old_socket_are_ignored() {
    let mut world = World::joined(1, vec![]);
    let old = world.socket.unwrap();
    world.lose_socket();
    world.resume(vec![]);
    world.input(Input::SocketClosed(old));
    world.input(Input::SocketMessage(old, vec![0xff]));
    assert_eq!(world.session.state(), State::Connected);
}

#[test]
fn leaving_during_an_outage_is_immediate() {
    let mut world = World::joined(1, vec![]);
    world.lose_socket();
    world.input(Input::Leave);
    assert_eq!(world.closed_with(), Some(""));
    assert_eq!(world.session.poll_timeout(), None);
}

proptest! {
    #[test]
    fn a_thousand_clients_do_not_return_in_step(seed in any::<u64>()) {
        let mut world = World::joined(seed, vec![]);
        world.input(Input::Transport(TransportState::Connected));
        world.lose_socket();
        let mut attempts = Vec::new();
        let mut opened = world.sockets_opened;
        for ms in 0..10_000 {
            run_without_network(&mut world, 1);
            if world.sockets_opened > opened {
                opened = world.sockets_opened;
                attempts.push(ms);
            }
        }
        // 0, then at most 250, 500, 1000, 2000, 4000 later each.
        prop_assert!(attempts[0] <= 1);
        for (pair, longest) in attempts.windows(2).zip([250, 500, 1000, 2000, 4000, 4000]) {
            prop_assert!(pair[1] - pair[0] <= longest + 2, "{:?}", attempts);
        }
    }
}
