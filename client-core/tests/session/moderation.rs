//! What a moderator asks for, and what everybody hears.

use crate::world::{World, camera, participant};
use client_core::{Event, Input, RequestId};
use nearcast_protocol::{ClientMessage, Moderation, ModerationAction, PublicationInfo, ServerMessage};

fn told(world: &mut World) -> Vec<(ModerationAction, String)> {
    let events = world.events.drain(..);
    events
        .filter_map(|event| match event {
            Event::Moderated { action, publication } => Some((action, publication.0)),
            _ => None,
        })
        .collect()
}

fn notice(action: ModerationAction, target: &str) -> ServerMessage {
    ServerMessage::Moderated(Moderation { action, target: target.to_owned() })
}

#[test]
fn a_request_reaches_the_edge_and_its_reply_the_app() {
    let mut world = World::joined(1, vec![]);
    world.input(Input::Moderate { request: RequestId(7), action: ModerationAction::Remove, target: "eve".to_owned() });
    let envelope = world.take_request();
    let expected = Moderation { action: ModerationAction::Remove, target: "eve".to_owned() };
    assert_eq!(envelope.message, ClientMessage::Moderate(expected));
    world.receive(&ServerMessage::Done { id: envelope.id });
    assert_eq!(world.outcome(7).unwrap(), "done");
}

#[test]
fn notices_are_passed_on_and_late_comers_are_told_the_same() {
    let blocked = PublicationInfo { muted: true, blocked: true, ..camera("cam") };
    let mut world = World::joined(1, vec![participant("ada", vec![blocked])]);
    assert_eq!(told(&mut world), [(ModerationAction::Mute, "cam".to_owned())]);
    world.receive(&notice(ModerationAction::AllowUnmute, "cam"));
    world.receive(&notice(ModerationAction::Lock, ""));
    assert_eq!(told(&mut world), [(ModerationAction::AllowUnmute, "cam".to_owned()), (ModerationAction::Lock, String::new())]);
}
