//! One offer at a time, and every track to publish gets its answer.

use crate::world::World;
use client_core::Input;
use nearcast_protocol::{ClientMessage, ErrorCode, ErrorInfo, MediaAnswer, Published, ServerMessage};

#[test]
fn tracks_published_together_share_an_offer() {
    let mut world = World::joined(1, vec![]);
    world.publish(1);
    world.publish(2);
    world.publish(3);
    world.answer_offer();
    world.answer_offer();
    assert_eq!(world.offers_made, 3, "the first one, one for the first track, one for the other two");
    for request in 1..=3 {
        assert_eq!(world.outcome(request).unwrap(), format!("pub-{}", request + 8));
    }
}

#[test]
fn publishing_ends_only_when_the_transport_has_taken_in_the_answer() {
    let mut world = World::publishing_slowly();
    assert_eq!(world.outcome(1), None);
    world.apply_answer();
    world.input(Input::NetworkAvailable);
    assert_eq!(world.outcome(1).unwrap(), "pub-9");
}

#[test]
fn a_track_the_edge_refuses_fails_alone() {
    let mut world = World::joined(1, vec![]);
    world.publish(1);
    let id = world.take_request().id;
    let error = Some(ErrorInfo::new(ErrorCode::NoCommonCodec, ""));
    let published = vec![Published { mid: "9".into(), publication: None, error }];
    world.receive(&ServerMessage::Answer { id, answer: MediaAnswer { sdp: "answer".into(), published } });
    assert_eq!(world.outcome(1).unwrap(), "no-common-codec");
    assert_eq!(world.dropped, [client_core::RequestId(1)]);
    assert!(!world.is_closed());
}

#[test]
fn an_offer_the_edge_refuses_is_taken_back_and_the_next_one_made() {
    let mut world = World::joined(1, vec![]);
    world.publish(1);
    world.publish(2);
    let id = world.take_request().id;
    world.receive(&ServerMessage::failed(id, ErrorCode::BadSdp, "line 3"));
    assert_eq!((world.rolled_back, world.outcome(1).unwrap().as_str()), (1, "bad-sdp"));
    world.answer_offer();
    assert_eq!(world.outcome(2).unwrap(), "pub-10");
}

#[test]
fn an_answer_the_transport_refuses_is_taken_back_at_both_ends() {
    let mut world = World::publishing_slowly();
    world.input(Input::AnswerFailed);
    assert_eq!(world.outcome(1).unwrap(), "bad-sdp");
    let unpublish = world.take_request();
    assert!(matches!(unpublish.message, ClientMessage::Unpublish { publication } if publication.as_str() == "pub-9"));
    assert_eq!(world.rolled_back, 1);
}

#[test]
fn a_slow_transport_is_waited_for() {
    let mut world = World::joined(1, vec![]);
    world.transport_obeys = false;
    world.publish(1);
    world.publish(2);
    world.fail_offer();
    assert_eq!(world.outcome(1).unwrap(), "internal");
    assert_eq!(world.outcome(2), None);
}

#[test]
fn more_slots_are_offered_when_the_edge_wants_them() {
    let mut world = World::joined(1, vec![]);
    world.receive(&ServerMessage::SlotsWanted { audio: 5, video: 5 });
    world.receive(&ServerMessage::SlotsWanted { audio: 6, video: 6 });
    world.answer_offer();
    assert!(world.inbox.is_empty(), "eight of each kind are enough for six");
    assert_eq!(world.offers_made, 2);
}

#[test]
fn without_the_grant_nothing_is_offered() {
    let mut world = World::seeded(1);
    world.input(Input::Start);
    world.open();
    world.token();
    let id = world.take_request().id;
    let mut joined = joined_without_grants();
    joined.id = id;
    world.receive(&ServerMessage::Joined(Box::new(joined)));
    world.publish(1);
    assert_eq!(world.outcome(1).unwrap(), "not-permitted");
    assert_eq!(world.offers_made, 1);
    let refused = world.session.data_frame(client_core::DataMessage::default()).unwrap_err();
    assert_eq!(refused.name(), "not-permitted");
}

fn joined_without_grants() -> nearcast_protocol::Joined {
    nearcast_protocol::Joined {
        id: 0,
        session: "secret".into(),
        room: "room".into(),
        participant: crate::world::participant("me", vec![]),
        others: vec![],
        permissions: nearcast_protocol::Permissions { publish: false, subscribe: true, publish_data: false, moderate: false },
        slots: vec![],
        answer: Some(MediaAnswer::default()),
        resumed: false,
        resume_window_ms: 30_000,
        edges: Vec::new(),
        ice_servers: Vec::new(),
        mode: Default::default(),
        direct: false,
        locked: false,
        claim: None,
    }
}

#[test]
fn unpublishing_needs_no_offer() {
    let mut world = World::joined(1, vec![]);
    world.publish(1);
    world.answer_offer();
    world.input(Input::Unpublish { request: client_core::RequestId(2), publication: "pub-9".into() });
    assert_eq!(world.released, ["pub-9"]);
    let unpublish = world.take_request();
    assert!(matches!(unpublish.message, ClientMessage::Unpublish { .. }));
    world.receive(&ServerMessage::Done { id: unpublish.id });
    assert_eq!(world.outcome(2).unwrap(), "done");
    assert_eq!(world.offers_made, 2);
}
