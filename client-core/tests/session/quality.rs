//! The app is told how good the call is: soon when it gets worse, soon when it is good again, and with the cause.

use crate::world::{World, camera, millis, participant, secs};
use client_core::quality::{Cause, Level, Quality};
use client_core::stats::Kind;
use client_core::{Event, Input, Judgement, MonoTime, RequestId, State, Subject};
use core::time::Duration;
use nearcast_protocol::client::Source;
use nearcast_protocol::{
    ClientMessage, LayerReason, LayerState, Mid, ParticipantQuality, Priority, PublicationInfo, QualityCause, QualityLevel, ServerMessage,
    SlotBinding, Wish,
};

/// A camera of mine in section 9, somebody's microphone in 1 and camera in 2; measured for a while.
fn call() -> World {
    let microphone = PublicationInfo { video: false, ..camera("mic") };
    let mut world = World::joined(1, vec![participant("ada", vec![microphone, camera("cam")])]);
    world.counters.rtt = 0.03;
    world.counters.lines = 360.0;
    world.counters.sending = vec![(Kind::VideoSent, 9)];
    world.counters.receiving = vec![(Kind::AudioReceived, 1), (Kind::VideoReceived, 2)];
    world.publish(1);
    world.answer_offer();
    for (mid, id) in [("1", "mic"), ("2", "cam")] {
        world.receive(&ServerMessage::Slot { binding: SlotBinding { mid: Mid(mid.into()), publication: Some(id.into()) } });
    }
    pass(&mut world, secs(5));
    world
}

/// Lets time pass, with an edge that answers pings.
fn pass(world: &mut World, time: Duration) {
    pass_with(world, time, false);
}

/// Or beats too, at once, unless the way is cut.
fn pass_with(world: &mut World, time: Duration, echoes: bool) {
    let end = world.now + time;
    while world.now < end {
        let step = if echoes { millis(10) } else { secs(1) };
        world.run_for(step.min(end.since(world.now)));
        for frame in world.beats.drain(..).collect::<Vec<_>>() {
            if echoes && world.counters.cut_at.is_none() {
                world.input(Input::Data { frame, reliable: false });
            }
        }
        let pings: Vec<_> = world.inbox.drain(..).filter(|envelope| envelope.message == ClientMessage::Ping).collect();
        pings.iter().for_each(|ping| world.receive(&ServerMessage::Pong { id: ping.id }));
    }
}

fn judgements(world: &World) -> impl Iterator<Item = &Judgement> {
    world
        .events
        .iter()
        .filter_map(|event| if let Event::Quality(told) = event { Some(told) } else { None })
        .flatten()
        .filter(|one| one.news)
}

/// What was told last.
fn quality(world: &World, subject: &Subject) -> Quality {
    judgements(world).filter(|one| one.subject == *subject).last().map(|one| one.quality).unwrap_or_default()
}

fn publication(id: &str) -> Subject {
    Subject::Publication(id.into())
}

/// Lets time pass until this is so; how long it took.
fn until(world: &mut World, subject: &Subject, holds: impl Fn(&Quality) -> bool) -> Duration {
    let start = world.now;
    while !holds(&quality(world, subject)) {
        pass(world, millis(10));
        assert!(world.now.since(start) < secs(20), "{:?}", quality(world, subject));
    }
    world.now.since(start)
}

#[test]
fn everything_is_excellent_on_a_clean_way() {
    let world = call();
    for subject in [Subject::Uplink, Subject::Downlink, publication("pub-9"), publication("mic"), publication("cam")] {
        let Quality { score, level, cause, .. } = quality(&world, &subject);
        assert_eq!((score, level, cause), (100, Level::Excellent, Cause::Unknown), "{subject:?}");
    }
    assert_eq!(judgements(&world).count(), 5, "told once each: nothing has changed");
}

#[test]
fn counters_are_read_every_second_and_four_times_a_second_while_degraded() {
    let mut world = call();
    let count = |world: &mut World, time: Duration| {
        let before = world.readings.len();
        pass(world, time);
        world.readings.len() - before
    };
    assert_eq!(count(&mut world, secs(10)), 10);
    world.counters.lose(world.now, 0.3, 0.3);
    pass(&mut world, secs(2));
    assert_eq!(count(&mut world, secs(10)), 40);
    world.counters.lose(world.now, 0.0, 0.0);
    pass(&mut world, secs(15));
    assert_eq!(count(&mut world, secs(10)), 10);
}

/// Whenever it happens between two readings.
#[test]
fn a_cut_way_is_lost_within_a_second_and_good_within_ten_of_its_return() {
    let (mut slowest, mut total) = (Duration::ZERO, Duration::ZERO);
    for offset in (0..1000).step_by(50) {
        let mut world = call();
        pass(&mut world, millis(offset));
        world.counters.cut(world.now);
        let noticed = until(&mut world, &Subject::Downlink, |quality| quality.level == Level::Lost);
        assert_eq!(quality(&world, &Subject::Downlink).cause, Cause::DownlinkLoss);
        assert_eq!(quality(&world, &Subject::Uplink).level, Level::Lost);
        (slowest, total) = (slowest.max(noticed), total + noticed);
        pass(&mut world, secs(3));
        world.counters.restore(world.now);
        let back = until(&mut world, &Subject::Downlink, |quality| quality.level >= Level::Good);
        assert!(back <= secs(10), "{back:?}");
    }
    println!("a cut is noticed after {:?} on average, {slowest:?} at most", total / 20);
    // The mean is what people wait. A cut just before a reading shows in it as a short silence at best, so that one may take a little longer.
    assert!(total / 20 <= secs(1) && slowest <= millis(1200), "{:?} on average, {slowest:?} at most", total / 20);
}

/// A beat that doesn't come back has counters read at once; where signalling goes on, the session may know it before the quality does.
#[test]
fn with_beats_that_come_back_a_cut_is_always_noticed_within_a_second() {
    let (mut slowest, mut total) = (Duration::ZERO, Duration::ZERO);
    for offset in (0..1000).step_by(20) {
        let mut world = call();
        pass_with(&mut world, secs(3) + millis(offset), true);
        world.counters.cut(world.now);
        let cut_at = world.now;
        while quality(&world, &Subject::Downlink).level != Level::Lost && world.session.state() != State::Reconnecting {
            pass_with(&mut world, millis(10), true);
            assert!(world.now.since(cut_at) < secs(3));
        }
        let noticed = world.now.since(cut_at);
        (slowest, total) = (slowest.max(noticed), total + noticed);
    }
    println!("with beats a cut is noticed after {:?} on average, {slowest:?} at most", total / 50);
    assert!(slowest <= secs(1), "{:?} on average, {slowest:?} at most", total / 50);
}

#[test]
fn loss_shows_within_a_second_and_on_its_own_side() {
    for offset in (0..1000).step_by(100) {
        let mut world = call();
        pass(&mut world, millis(offset));
        world.counters.lose(world.now, 0.0, 0.3);
        let noticed = until(&mut world, &publication("mic"), |quality| quality.level < Level::Excellent);
        assert!(noticed <= millis(1100), "{noticed:?} at {offset}");
        pass(&mut world, secs(2));
        let down = quality(&world, &Subject::Downlink);
        assert_eq!((down.level, down.cause), (Level::Poor, Cause::DownlinkLoss));
        assert_eq!(quality(&world, &Subject::Uplink).level, Level::Excellent);
    }
}

#[test]
fn delay_is_told_as_such_with_its_evidence() {
    let mut world = call();
    world.counters.rtt = 0.7;
    until(&mut world, &Subject::Uplink, |quality| quality.cause == Cause::Delay);
    let told = judgements(&world).filter(|one| one.subject == Subject::Uplink).last().unwrap();
    assert_eq!(told.measured.rtt_ms, Some(700.0));
    let numbers = told.numbers();
    assert_eq!((numbers[0], numbers[1], numbers[3]), (0.0, f32::from(told.quality.score), f32::from(Cause::Delay as u8)));
    assert!((numbers[6..14].iter().sum::<f32>() + numbers[1] - 100.0).abs() <= 0.5 && numbers[14] == 700.0, "{numbers:?}");
}

#[test]
fn what_is_muted_is_not_judged() {
    let mut world = call();
    world.input(Input::Mute { request: RequestId(7), publication: "pub-9".into(), muted: true });
    world.receive(&ServerMessage::PublicationMuted { publication: "cam".into(), muted: true });
    pass(&mut world, secs(2));
    for id in ["pub-9", "cam"] {
        assert_eq!(quality(&world, &publication(id)), Quality::default());
    }
    // The way is still known, by its round trip.
    assert_eq!(quality(&world, &Subject::Uplink).level, Level::Excellent);
}

fn layer(reason: LayerReason, paused: bool) -> ServerMessage {
    let (width, height) = if paused { (0, 0) } else { (640, 360) };
    let state = LayerState { publication: "cam".into(), width, height, fps: 30, bitrate: 400_000, paused, reason };
    ServerMessage::Layers { estimate: 0, layers: vec![state] }
}

#[test]
fn a_held_layer_is_told_with_its_reason_and_a_wished_one_is_none() {
    let mut world = call();
    world.receive(&layer(LayerReason::Wished, false));
    pass(&mut world, secs(3));
    assert_eq!(quality(&world, &publication("cam")).score, 100);
    world.receive(&layer(LayerReason::Priority, false));
    world.input(Input::Wish(Wish {
        publication: "cam".into(),
        width: 1280,
        height: 720,
        visible: true,
        max_fps: 0,
        priority: Priority::Auto,
    }));
    until(&mut world, &publication("cam"), |quality| quality.cause == Cause::LayerHeld);
    let held = quality(&world, &publication("cam"));
    assert_eq!((held.score, held.level, held.layer), (75, Level::Good, Some(LayerReason::Priority)));
    world.receive(&layer(LayerReason::Bandwidth, true));
    until(&mut world, &publication("cam"), |quality| quality.cause == Cause::Bandwidth);
    assert_eq!(quality(&world, &publication("cam")).level, Level::Poor);
    world.receive(&layer(LayerReason::Hidden, true));
    until(&mut world, &publication("cam"), |quality| quality.level == Level::Unknown);
}

/// Somebody else's slow camera is no fault of this connection.
#[test]
fn what_is_bad_at_its_source_is_not_held_against_the_way() {
    let mut world = call();
    let fast =
        LayerState { publication: "cam".into(), width: 640, height: 360, fps: 120, bitrate: 1, paused: false, reason: LayerReason::Best };
    world.receive(&ServerMessage::Layers { estimate: 0, layers: vec![fast] });
    until(&mut world, &publication("cam"), |quality| quality.level < Level::Excellent);
    assert_eq!(quality(&world, &publication("cam")).cause, Cause::Unknown);
    pass(&mut world, secs(3));
    assert_eq!(quality(&world, &Subject::Downlink).level, Level::Excellent);
}

#[test]
fn a_screen_on_which_nothing_moves_is_a_good_one() {
    let mut world = call();
    let screen = PublicationInfo { source: Source::Screen, ..camera("screen") };
    world.receive(&ServerMessage::PublicationAdded { participant: "ada".into(), publication: screen });
    world.receive(&ServerMessage::Slot { binding: SlotBinding { mid: Mid("3".into()), publication: Some("screen".into()) } });
    let fast = LayerState {
        publication: "screen".into(),
        width: 640,
        height: 360,
        fps: 200,
        bitrate: 1,
        paused: false,
        reason: LayerReason::Best,
    };
    world.receive(&ServerMessage::Layers { estimate: 0, layers: vec![fast] });
    world.counters.receiving.push((Kind::VideoReceived, 3));
    pass(&mut world, secs(3));
    assert_eq!(quality(&world, &publication("screen")).score, 100);
}

#[test]
fn everybody_s_quality_is_passed_on() {
    let mut world = call();
    let poor = ParticipantQuality { participant: "ada".into(), score: 41, level: QualityLevel::Poor, cause: QualityCause::UplinkLoss };
    world.receive(&ServerMessage::Qualities { qualities: vec![poor] });
    let told = quality(&world, &Subject::Participant("ada".into()));
    assert_eq!((told.score, told.level, told.cause), (41, Level::Poor, Cause::UplinkLoss));
}

#[test]
fn a_reading_that_never_comes_is_asked_for_again_and_a_late_one_does_no_harm() {
    let mut world = call();
    let reads = |world: &mut World, after| {
        world.session.handle_timeout(world.now + after);
        let outputs = core::iter::from_fn(|| world.session.poll_output());
        outputs.filter(|output| matches!(output, client_core::Output::ReadStats)).count()
    };
    assert_eq!(reads(&mut world, secs(1)), 1);
    assert_eq!(reads(&mut world, secs(2)), 0);
    assert_eq!(reads(&mut world, millis(4500)), 1);
    world.input(Input::Leave);
    let before = world.events.len();
    world.session.handle_input(MonoTime::from_micros(u64::MAX), Input::Stats(vec![f64::NAN; 100]));
    assert_eq!((world.session.poll_output(), world.events.len()), (None, before));
}
