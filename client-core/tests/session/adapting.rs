//! What is measured caps what is sent and wished for, the app is told, and all of it is undone.

use crate::world::{World, camera, millis, participant, secs};
use client_core::encodings::Caps;
use client_core::stats::Kind;
use client_core::{Adapted, Event, Input};
use core::time::Duration;
use nearcast_protocol::{ClientMessage, Mid, Priority, ServerMessage, SlotBinding, Wish};

/// A camera of mine in section 9, and somebody's in 2 that is shown in 1280x720.
fn call() -> World {
    let mut world = World::joined(1, vec![participant("ada", vec![camera("cam")])]);
    world.counters.rtt = 0.03;
    world.counters.lines = 360.0;
    world.counters.sendable = Some(3_000_000.0);
    world.counters.sending = vec![(Kind::VideoSent, 9)];
    world.counters.receiving = vec![(Kind::VideoReceived, 2)];
    world.publish(1);
    world.answer_offer();
    world.receive(&ServerMessage::Slot { binding: SlotBinding { mid: Mid("2".into()), publication: Some("cam".into()) } });
    world.input(Input::Wish(Wish {
        publication: "cam".into(),
        width: 1280,
        height: 720,
        visible: true,
        max_fps: 0,
        priority: Priority::Auto,
    }));
    pass(&mut world, secs(5));
    world
}

/// Lets time pass, with an edge that answers pings; the wishes that were told meanwhile.
fn pass(world: &mut World, time: Duration) -> Vec<Wish> {
    let end = world.now + time;
    let mut told = Vec::new();
    while world.now < end {
        world.run_for(millis(250).min(end.since(world.now)));
        let inbox: Vec<_> = world.inbox.drain(..).collect();
        for envelope in inbox {
            match envelope.message {
                ClientMessage::Ping => world.receive(&ServerMessage::Pong { id: envelope.id }),
                ClientMessage::Wishes { wishes } => told.extend(wishes),
                _ => {}
            }
        }
    }
    told
}

fn steps(world: &World) -> Vec<(&'static str, &'static str, bool)> {
    let step =
        |event: &Event| if let Event::Adapted(Adapted { what, step, active, .. }) = event { Some((*what, *step, *active)) } else { None };
    world.events.iter().filter_map(step).collect()
}

#[test]
fn a_call_without_trouble_is_left_alone() {
    let mut world = call();
    pass(&mut world, secs(120));
    assert_eq!((steps(&world), &world.caps[..]), (vec![], &[][..]));
}

#[test]
fn an_app_that_wants_no_adaptation_gets_none() {
    let mut world = call();
    world.input(Input::AdaptNothing);
    world.counters.encoding = 0.95;
    world.counters.sendable = Some(100_000.0);
    pass(&mut world, secs(60));
    assert_eq!((steps(&world), &world.caps[..]), (vec![], &[][..]));
}

#[test]
fn a_busy_processor_lowers_the_frame_rate_within_six_seconds_and_rest_raises_it_again() {
    let mut world = call();
    world.counters.encoding = 0.95;
    pass(&mut world, secs(6));
    assert_eq!(steps(&world).first(), Some(&("cpu", "frame-rate-20", true)));
    assert_eq!(world.caps.first().and_then(|caps| caps.cpu.max_fps), Some(20));
    world.counters.encoding = 0.1;
    pass(&mut world, secs(60));
    assert_eq!(steps(&world).last(), Some(&("cpu", "frame-rate-20", false)));
    assert_eq!(world.caps.last(), Some(&Caps::default()));
}

#[test]
fn a_processor_that_stays_busy_ends_with_smaller_wishes() {
    let mut world = call();
    world.counters.encoding = 0.95;
    let told = pass(&mut world, secs(60));
    assert_eq!(told.iter().map(|wish| wish.height).collect::<Vec<_>>(), [360, 180]);
    world.counters.encoding = 0.1;
    let told = pass(&mut world, secs(120));
    assert_eq!(told.iter().map(|wish| wish.height).collect::<Vec<_>>(), [360, 720]);
}

#[test]
fn a_hidden_page_does_not_climb() {
    let mut world = call();
    world.counters.encoding = 0.95;
    pass(&mut world, secs(5));
    world.input(Input::PageHidden(true));
    world.counters.encoding = 0.1;
    let before = steps(&world);
    pass(&mut world, secs(60));
    assert_eq!(steps(&world), before);
    world.input(Input::PageHidden(false));
    pass(&mut world, secs(30));
    assert_eq!(steps(&world).last(), Some(&("cpu", "frame-rate-20", false)));
}

#[test]
fn a_way_up_that_holds_no_picture_is_left_to_voices_until_it_does() {
    let mut world = call();
    world.counters.sendable = Some(100_000.0);
    pass(&mut world, secs(7));
    assert_eq!(steps(&world), [("uplink", "video", true)]);
    assert_eq!(world.caps.last().map(|caps| caps.paused), Some(true));
    world.counters.sendable = Some(3_000_000.0);
    pass(&mut world, secs(10));
    assert_eq!(steps(&world), [("uplink", "video", true), ("uplink", "video", false)]);
    assert_eq!(world.caps.last().map(|caps| caps.paused), Some(false));
}

#[test]
fn a_way_down_that_loses_too_much_is_left_to_voices_until_it_does_not() {
    let mut world = call();
    world.counters.lose(world.now, 0.0, 0.5);
    let told = pass(&mut world, secs(8));
    assert_eq!(steps(&world), [("downlink", "video", true)]);
    assert_eq!(told.iter().map(|wish| wish.visible).collect::<Vec<_>>(), [false]);
    world.counters.lose(world.now, 0.0, 0.0);
    let told = pass(&mut world, secs(20));
    assert_eq!(told.iter().map(|wish| (wish.visible, wish.height)).collect::<Vec<_>>(), [(true, 720)]);
}

#[test]
fn microphones_send_twice_while_their_way_loses_packets() {
    let mut world = call();
    world.counters.sending = vec![(Kind::AudioSent, 9)];
    let offers = world.offers_made;
    let answers = |world: &World| world.answers_applied.len();
    pass(&mut world, secs(60));
    assert_eq!((world.offers_made, steps(&world)), (offers, vec![]), "not without loss");
    world.counters.lose(world.now, 0.1, 0.0);
    let applied = answers(&world);
    world.run_for(secs(4));
    world.inbox.retain(|one| matches!(one.message, ClientMessage::Offer(_)));
    assert_eq!((world.inbox.len(), steps(&world)), (1, vec![("uplink", "red", true)]), "within four seconds");
    world.answer_offer();
    assert_eq!((world.offers_made, answers(&world)), (offers + 1, applied + 1));
    world.counters.lose(world.now, 0.0, 0.0);
    pass(&mut world, secs(30));
    assert_eq!(world.offers_made, offers + 1, "the calm has to last");
    world.run_for(secs(12));
    assert_eq!((world.offers_made, steps(&world).last()), (offers + 2, Some(&("uplink", "red", false))));
}
