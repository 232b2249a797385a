//! Cut for a while, one way or both: the same participant goes on, and soon after the network is back.

use crate::live::{Edge, Live, RTT, ms};
use crate::world::secs;
use client_core::stats::Kind;
use client_core::{Event, Input, State};
use nearcast_protocol::{ClientMessage, ErrorCode};

fn live(seed: u64) -> Live {
    Live::joined(seed, vec![Edge::new(None)])
}

/// Cuts for so long; how long after the end everything was well again.
fn outage(live: &mut Live, (signalling, media): (bool, bool), seconds: u64) -> core::time::Duration {
    live.cut(signalling, media);
    live.run_for(secs(seconds));
    let restored = live.world.now;
    live.cut(false, false);
    live.run_until(secs(20), |live| live.is_well(restored))
}

fn nothing_was_lost(live: &Live) {
    assert_eq!(live.losses(), Vec::<&Event>::new());
    assert!(!live.world.events.iter().any(|event| matches!(event, Event::ParticipantRenamed { .. })), "the same participant");
    assert_eq!(live.edges[0].published, ["first-1-9".into()], "published once");
}

#[test]
fn media_alone_is_back_at_once_after_any_outage() {
    for seconds in [1, 5, 10, 20, 30] {
        for seed in 0..5 {
            let mut live = live(seed);
            let back = outage(&mut live, (false, true), seconds);
            assert!(back <= secs(1) + RTT * 2, "{seconds} s: {back:?} {:?}", live.steps());
            nothing_was_lost(&live);
            assert_eq!(live.world.sockets_opened, 1, "signalling was never lost");
        }
    }
}

#[test]
fn signalling_alone_is_resumed_and_media_never_touched() {
    for seconds in [1, 5, 10, 20, 30] {
        for seed in 0..5 {
            let mut live = live(seed);
            let back = outage(&mut live, (true, false), seconds);
            assert!(back <= secs(10), "{seconds} s: {back:?}");
            nothing_was_lost(&live);
            assert_eq!((live.world.transports_opened, live.world.restarts), (1, 0));
        }
    }
}

#[test]
fn both_are_back_within_a_second_and_round_trips() {
    for seconds in [1, 5, 10, 20, 29] {
        for seed in 0..5 {
            let mut live = live(seed);
            let back = outage(&mut live, (true, true), seconds);
            // The next attempt, three round trips to open it, one to join, one to offer, two to find a way, one for the beat.
            assert!(back <= ms(1150) + RTT * 8, "{seconds} s: {back:?} {:?}", live.steps());
            nothing_was_lost(&live);
            assert_eq!(live.world.transports_opened, 1);
        }
    }
}

/// Browsers look along the ways that they know for 15 s at most; an offer that the edge isn't told of makes them look on.
#[test]
fn media_is_back_before_signalling_after_any_outage() {
    for seconds in [1, 6, 14, 20, 28] {
        let mut live = live(seconds);
        live.cut(true, true);
        live.run_for(secs(seconds));
        let (restored, restarts) = (live.world.now, live.world.restarts);
        live.cut(true, false);
        let back = live.run_until(secs(1), |live| live.echoed_at > restored);
        assert!(back <= ms(500), "{seconds} s: {back:?}");
        assert_eq!(restarts, (seconds as usize).saturating_sub(2) / 5, "one every five seconds of silence");
        live.cut(false, false);
        live.run_until(secs(6), |live| live.is_well(restored));
        assert_eq!((live.world.restarts, live.world.transports_opened), (restarts, 1), "the edge is asked for nothing");
        nothing_was_lost(&live);
    }
}

#[test]
fn an_outage_is_noticed_within_two_seconds() {
    for seed in 0..10 {
        let mut live = live(seed);
        live.run_for(ms(seed * 50));
        live.cut(false, true);
        let noticed = live.run_until(secs(3), |live| live.world.session.state() == State::Reconnecting);
        assert!(noticed <= secs(2), "{noticed:?}");
        assert_eq!(live.steps().first().unwrap(), "suspect (no-media)");
        assert_eq!(live.world.states(), ["reconnecting (no-media)"]);
    }
}

/// Counters tell of bytes that came up to a second before they were read: these are no sign of life now.
#[test]
fn an_outage_is_noticed_as_soon_while_counters_are_read() {
    let mut all = Vec::new();
    for offset in (0..1000).step_by(25) {
        let mut live = live(offset);
        live.world.counters.receiving = vec![(Kind::AudioReceived, 1)];
        live.run_for(secs(5) + ms(offset));
        live.cut(false, true);
        live.world.counters.cut(live.world.now);
        all.push(live.run_until(secs(4), |live| live.world.session.state() == State::Reconnecting));
    }
    let (slowest, mean) = (all.iter().max().unwrap(), all.iter().sum::<core::time::Duration>() / all.len() as u32);
    println!("an outage is noticed after {mean:?} on average, {slowest:?} at most");
    assert!(*slowest < ms(1900), "{mean:?} on average, {slowest:?} at most");
}

#[test]
fn a_moment_of_silence_is_only_suspicious() {
    for offset in (0..500).step_by(25) {
        let mut live = live(1);
        live.run_for(ms(offset));
        live.cut(false, true);
        live.run_for(ms(400));
        live.cut(false, false);
        live.run_for(secs(5));
        assert_eq!(live.world.states(), Vec::<String>::new(), "the app was connected all the time");
        assert!(
            live.steps().iter().all(|step| ["suspect (no-media)", "connected (media-back)"].contains(&step.as_str())),
            "{:?}",
            live.steps()
        );
        assert_eq!(live.world.restarts, 0);
    }
}

#[test]
fn an_address_that_changed_is_found_again_by_ice() {
    let mut live = live(1);
    // The browser tells of another network, and the path comes back by itself: nothing but a restart was tried.
    live.cut(false, true);
    live.world.input(Input::NetworkAvailable);
    live.run_for(secs(3));
    live.cut(false, false);
    live.run_for(secs(10));
    assert_eq!(live.world.states(), ["reconnecting (no-media)", "connected (media-back)"]);
    assert_eq!((live.world.restarts, live.world.transports_opened), (1, 1));
    nothing_was_lost(&live);
}

#[test]
fn a_transport_that_restarting_does_not_help_is_replaced_in_the_same_session() {
    let mut live = live(1);
    live.edges[0].media = false;
    live.world.input(Input::NetworkAvailable);
    live.run_for(secs(7));
    assert_eq!(live.steps(), ["suspect (no-media)", "restarting (no-media)", "replacing (no-media)"]);
    assert_eq!(live.world.transports_opened, 2);
    live.edges[0].media = true;
    let restored = live.world.now;
    live.run_until(secs(5), |live| live.is_well(restored));
    live.run_for(secs(10));
    nothing_was_lost(&live);
    let again = live.world.events.iter().filter(|event| matches!(event, Event::TrackSubscribed { .. })).count();
    assert_eq!(again, 1, "ada's picture comes in another section");
    let moved = |event: &&Event| matches!(event, Event::Republished { was, publication, .. } if was == publication);
    assert_eq!(live.world.events.iter().filter(moved).count(), 1);
}

#[test]
fn a_transport_is_replaced_at_once_when_media_alone_breaks_off() {
    let mut live = live(1);
    live.run_for(secs(5));
    live.edges[0].media = false;
    let replaced = live.run_until(secs(3), |live| live.world.transports_opened > 1);
    assert!(replaced < ms(2100), "{replaced:?}: no time is left for anything else where it has to be heard again within three seconds");
    assert_eq!(live.steps(), ["suspect (no-media)", "replacing (no-media)"]);
    live.edges[0].media = true;
    let restored = live.world.now;
    live.run_until(secs(5), |live| live.is_well(restored));
    nothing_was_lost(&live);
}

#[test]
fn requests_made_during_an_outage_are_carried_out_once_afterwards() {
    let mut live = live(1);
    live.cut(true, true);
    live.run_for(secs(4));
    live.world.publish(2);
    live.world.input(Input::Mute { request: client_core::RequestId(3), publication: "first-1-9".into(), muted: true });
    live.run_for(secs(4));
    assert_eq!((live.world.outcome(2), live.world.outcome(3)), (None, None));
    live.cut(false, false);
    live.run_for(secs(5));
    assert_eq!((live.world.outcome(2).as_deref(), live.world.outcome(3).as_deref()), (Some("first-1-10"), Some("done")));
    let mutes = live.edges[0].done.iter().filter(|message| matches!(message, ClientMessage::Mute { .. })).count();
    assert_eq!((mutes, live.edges[0].published.len()), (1, 2));
}

#[test]
fn a_token_that_expired_meanwhile_ends_it() {
    let mut live = live(1);
    live.edges[0].refuse_joins = Some(ErrorCode::TokenExpired);
    live.cut(true, true);
    live.run_for(secs(10));
    live.cut(false, false);
    live.run_for(secs(3));
    assert_eq!(live.world.closed_with(), Some("token-expired"));
}

#[test]
fn it_ends_after_two_minutes_with_a_reason() {
    let mut live = live(1);
    live.cut(true, true);
    live.run_for(secs(121));
    assert!(!live.world.is_closed());
    live.run_for(secs(2));
    assert_eq!(live.world.closed_with(), Some("session-lost"));

    let mut live = self::live(1);
    live.cut(false, true);
    live.run_for(secs(124));
    assert_eq!(live.world.closed_with(), Some("transport-failed"), "signalling worked all the time");
}

#[test]
fn a_machine_that_slept_asks_before_it_believes_in_an_outage() {
    let mut live = live(1);
    live.world.now = live.world.now + secs(3600);
    live.run_for(secs(10));
    assert_eq!(live.world.states(), Vec::<String>::new());
    assert_eq!(live.steps(), Vec::<String>::new());
}

/// Media goes on, and tells that nothing is lost on the way.
#[test]
fn a_dead_socket_is_noticed_within_four_seconds_while_media_flows() {
    for seed in 0..10 {
        let mut live = live(seed);
        live.run_for(ms(seed * 200));
        live.cut(true, false);
        let noticed = live.run_until(secs(10), |live| live.world.session.state() == State::Reconnecting);
        assert!(noticed <= ms(4050), "{noticed:?}");
        assert_eq!(live.world.states(), ["reconnecting (no-pong)"]);
    }
}

#[test]
fn news_of_the_network_is_looked_into_at_once() {
    let mut live = live(1);
    live.cut(false, true);
    live.run_for(ms(100));
    live.world.input(Input::NetworkAvailable);
    let restarted = live.run_until(secs(1), |live| live.world.restarts > 0);
    assert!(restarted < ms(700), "{restarted:?}: long before silence would have told");

    let mut live = self::live(2);
    live.world.input(Input::NetworkAvailable);
    live.run_for(secs(3));
    assert_eq!((live.world.restarts, live.world.states()), (0, vec![]), "it works: nothing to do");
}

#[test]
fn an_attempt_that_hangs_is_replaced_when_the_network_is_back() {
    let mut live = live(1);
    live.cut(true, true);
    live.run_for(secs(60));
    live.cut(false, false);
    live.world.input(Input::NetworkAvailable);
    let restored = live.world.now;
    let back = live.run_until(secs(3), |live| live.is_well(restored));
    // Three round trips to open it, one to join, one to offer, two to find a way, and the next beat.
    assert!(back <= RTT * 8 + ms(250), "{back:?} {:?}", live.steps());
}
