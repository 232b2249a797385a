//! What the app wishes to receive reaches the edge, what it gets is told, and what nobody wants is not sent.

use crate::world::{World, camera, millis, participant};
use client_core::{Event, Input};
use nearcast_protocol::{ClientMessage, EncodingDemand, LayerReason, LayerState, Priority, ServerMessage, Wish};

fn wish(publication: &str, width: u16) -> Wish {
    Wish { publication: publication.into(), width, height: width / 16 * 9, visible: true, max_fps: 0, priority: Priority::Auto }
}

fn watching(ids: &[&str]) -> World {
    World::joined(1, ids.iter().map(|id| participant(&format!("p-{id}"), vec![camera(id)])).collect())
}

/// The wishes in the only message that the edge hasn't seen.
fn told(world: &mut World) -> Vec<Wish> {
    let envelope = world.take_request();
    assert_eq!(envelope.id, 0, "nobody waits for a reply");
    let ClientMessage::Wishes { wishes } = envelope.message else { panic!("{envelope:?}") };
    wishes
}

fn demand(rid: &str, active: bool) -> EncodingDemand {
    EncodingDemand { rid: rid.into(), active, spatial_layers: 0 }
}

fn demanded(publication: &str, encodings: &[EncodingDemand]) -> ServerMessage {
    ServerMessage::Encodings { publication: publication.into(), encodings: encodings.to_vec() }
}

#[test]
fn tiles_laid_out_anew_are_told_in_one_message() {
    let mut world = watching(&["a", "b"]);
    for width in [160, 320, 640] {
        world.input(Input::Wish(wish("a", width)));
        world.input(Input::Wish(wish("b", width)));
    }
    assert!(world.inbox.is_empty());
    world.run_for(millis(50));
    assert_eq!(told(&mut world), [wish("a", 640), wish("b", 640)]);
    world.run_for(millis(1000));
    assert!(world.inbox.is_empty(), "once");
}

#[test]
fn a_wish_for_what_is_not_there_is_dropped() {
    let mut world = watching(&["a"]);
    world.input(Input::Wish(wish("b", 160)));
    world.run_for(millis(1000));
    assert!(world.inbox.is_empty());
}

#[test]
fn wishes_made_or_lost_during_an_outage_are_told_when_the_session_resumes() {
    let others = || ["a", "b", "c"].map(|id| participant(&format!("p-{id}"), vec![camera(id)])).to_vec();
    let mut world = World::joined(1, others());
    world.input(Input::Wish(wish("a", 160)));
    world.input(Input::Wish(wish("c", 160)));
    world.run_for(millis(50));
    world.lose_socket();
    world.input(Input::Wish(wish("b", 320)));
    let without_c = || others().into_iter().take(2).collect();
    world.resume(without_c());
    world.run_for(millis(50));
    assert_eq!(told(&mut world), [wish("a", 160), wish("b", 320)]);
}

#[test]
fn a_wish_is_told_again_to_a_subscription_that_begins_after_it() {
    let mut world = watching(&["a"]);
    world.input(Input::Wish(wish("a", 160)));
    world.run_for(millis(50));
    told(&mut world);
    world.input(Input::Subscribe { request: client_core::RequestId(1), publication: "a".into() });
    assert!(matches!(world.take_request().message, ClientMessage::Subscribe { .. }));
    world.run_for(millis(50));
    assert_eq!(told(&mut world), [wish("a", 160)]);
}

#[test]
fn the_app_hears_what_it_gets_and_why() {
    let mut world = watching(&["a"]);
    let layer = LayerState {
        publication: "a".into(),
        width: 320,
        height: 180,
        fps: 15,
        bitrate: 150_000,
        paused: false,
        reason: LayerReason::Bandwidth,
    };
    world.receive(&ServerMessage::Layers { estimate: 480_000, layers: vec![layer.clone()] });
    assert_eq!(world.events.last(), Some(&Event::Layers { estimate: 480_000, layers: vec![layer] }));
}

#[test]
fn encodings_are_switched_as_the_edge_says_as_long_as_the_track_is_published() {
    let mut world = World::joined(1, vec![]);
    world.publish(1);
    world.answer_offer();
    let (small, all) = ([demand("q", true), demand("f", false)], [demand("q", true), demand("f", true)]);
    world.receive(&demanded("pub-9", &small));
    world.receive(&demanded("pub-9", &all));
    world.receive(&demanded("somebody else's", &small));
    world.input(Input::Unpublish { request: client_core::RequestId(2), publication: "pub-9".into() });
    world.receive(&demanded("pub-9", &small));
    assert_eq!(world.encodings, [("pub-9".into(), small.to_vec()), ("pub-9".into(), all.to_vec())]);
}

#[test]
fn demand_that_overtakes_the_publishing_waits_for_it() {
    let mut world = World::publishing_slowly();
    world.receive(&demanded("pub-9", &[demand("q", false)]));
    world.receive(&demanded("pub-9", &[demand("q", true)]));
    assert!(world.encodings.is_empty());
    world.apply_answer();
    world.input(Input::NetworkAvailable);
    let told = |active| ("pub-9".to_owned(), vec![demand("q", active)]);
    assert_eq!(world.encodings, [told(false), told(true)]);
}
