//! The SDK's own core against real shards: what breaks a call, and that it comes back, or ends with a reason.

use client_core::trace::{Replay, Trace};
use nearcast_sim::calls::{Calls, PageId};
use nearcast_sim::{Link, SourcePlan, ms, secs};
use std::time::Duration;
use str0m_netem::{Bitrate, DataSize, GilbertElliot, LossModel, NetemConfig, Probability, RandomLoss};

/// Two people who see and hear each other.
fn two(seed: u64, edges: u8) -> (Calls, PageId, PageId) {
    let mut calls = Calls::seeded(seed, edges);
    let [ana, ben] = ["ana", "ben"].map(|name| calls.open(name));
    for page in [ana, ben] {
        calls.publish(page, SourcePlan::microphone());
        calls.publish(page, SourcePlan::camera());
    }
    back(&mut calls, ana, ben);
    calls.run_for(secs(3));
    (calls, ana, ben)
}

/// Sound and picture have come both ways since a moment.
fn flows(calls: &Calls, ana: PageId, ben: PageId, since: Duration) -> bool {
    [(ana, ben), (ben, ana)].into_iter().all(|(here, there)| {
        calls[here].is_connected() && (0..2).all(|source| calls[here].heard_of(there, source).last().is_some_and(|at| *at > since))
    })
}

/// Runs until media flows both ways again; returns how long that took.
fn back(calls: &mut Calls, ana: PageId, ben: PageId) -> Duration {
    let since = calls.now();
    calls.run_until(secs(30), "media both ways", |calls| flows(calls, ana, ben, since))
}

/// What everybody's SDK decided is decided again by its journal.
fn replays(calls: &Calls) {
    for page in calls.everybody() {
        let trace = Trace::read(&calls[page].session.trace()).expect("a trace");
        assert_eq!(trace.replay().expect("a replay"), Replay::Identical);
    }
}

#[test]
fn an_undisturbed_call_is_undisturbed() {
    let (mut calls, ana, ben) = two(1, 1);
    let from = calls.now();
    calls.run_for(secs(20));
    let gap = calls[ana].gap_of(ben, 0, from, calls.now());
    assert!(gap < ms(60), "{gap:?}");
    assert_eq!(calls[ana].steps().count(), 0, "{:?}", calls[ana].steps().collect::<Vec<_>>());
}

/// Random loss and loss in bursts, both ways, of both: the call stands, nobody looks for a remedy, and most of the sound comes through.
#[test]
fn loss_alone_is_no_outage() {
    for share in [0.05, 0.1, 0.2, 0.3] {
        for bursty in [false, true] {
            let (mut calls, ana, ben) = two(2, 1);
            for page in [ana, ben] {
                for direction in [nearcast_sim::Way::Up, nearcast_sim::Way::Down] {
                    let config = NetemConfig::new().latency(Link::DELAY).loss(loss(share, bursty));
                    let link = &mut calls[page].link;
                    if direction == nearcast_sim::Way::Up { link.up(config) } else { link.down(config) }
                }
            }
            let from = calls.now();
            calls.run_for(secs(60));
            let came = calls[ben].heard_of(ana, 0).into_iter().filter(|at| *at > from).count();
            let steps: Vec<_> = calls[ben].steps().skip(1).collect();
            println!(
                "{:.0} % {}: {came} of 3000 packets of sound, steps {steps:?}",
                share * 100.0,
                if bursty { "in bursts" } else { "at random" }
            );
            assert!(calls[ben].is_connected() && calls[ana].is_connected());
            assert!(share > 0.2 || steps.is_empty(), "a false alarm: {steps:?}");
            assert!(f64::from(came as u32) > 3_000.0 * 0.8 * f64::from(1.0 - share).powi(2), "{came}");
            replays(&calls);
        }
    }
}

fn loss(share: f32, bursty: bool) -> LossModel {
    if bursty {
        // Bursts of ten packets on the average, in which nothing passes.
        let good = 10.0 * (1.0 - share) / share;
        let model = GilbertElliot::new().good_duration(good).bad_duration(10.0).loss_in_bad(Probability::new(1.0));
        LossModel::GilbertElliot(model)
    } else {
        LossModel::Random(RandomLoss::new(Probability::new(share)))
    }
}

/// The network is gone for a while, for everything: media is back within a second of its return.
#[test]
fn an_outage_ends_with_the_outage() {
    for length in [1, 5, 10, 20, 30, 60] {
        let (mut calls, ana, ben) = two(3, 1);
        let cut_at = calls.now();
        calls.cut(ana, true);
        calls.run_for(secs(length));
        calls.cut(ana, false);
        let took = back(&mut calls, ana, ben);
        println!("{length} s: back after {took:?}; {}", told(&calls, ana, cut_at));
        assert!(took <= secs(1) + Link::DELAY * 2, "{took:?}");
        assert_eq!(calls.participants(0), Some(2), "no ghost");
        calls.run_for(secs(20));
        back(&mut calls, ana, ben);
        replays(&calls);
    }
}

/// The steps since a moment, in words.
fn told(calls: &Calls, page: PageId, since: Duration) -> String {
    let since_micros = since.as_micros() as u64;
    let steps = calls[page].steps().filter(|step| step.at.as_micros() > since_micros);
    let words =
        steps.map(|step| format!("{:?} ({:?}) at {:.2} s", step.step, step.reason, (step.at.as_micros() - since_micros) as f64 / 1e6));
    words.collect::<Vec<_>>().join(", ")
}

/// Only datagrams are lost, and WebSockets live: remedy after remedy is tried, and the first that can work does as soon as it can.
#[test]
fn udp_that_is_blocked_for_a_while_comes_back() {
    let (mut calls, ana, ben) = two(4, 1);
    let cut_at = calls.now();
    calls[ana].link.cut(true);
    calls.run_for(secs(25));
    calls[ana].link.cut(false);
    let took = back(&mut calls, ana, ben);
    println!("back after {took:?}; {}", told(&calls, ana, cut_at));
    // A handshake that is under way repeats itself at its own pace.
    assert!(took <= secs(6), "{took:?}");
    replays(&calls);
}

/// It never works again: the call ends after two minutes, and says why.
#[test]
fn udp_that_is_blocked_for_good_ends_the_call_with_a_reason() {
    let (mut calls, ana, _) = two(5, 1);
    let cut_at = calls.now();
    calls[ana].link.cut(true);
    let took = calls.run_until(secs(200), "the end", |calls| calls[ana].end().is_some());
    println!("over after {took:?}; {}", told(&calls, ana, cut_at));
    let end = calls[ana].end().flatten().expect("an error");
    assert_eq!(end.code.name(), "transport-failed");
    assert!((secs(115)..secs(130)).contains(&took), "{took:?}");
}

/// The NAT makes another mapping: the edge hears from another address, and the call goes on.
#[test]
fn another_address_is_the_same_call() {
    let (mut calls, ana, ben) = two(6, 1);
    let from = calls.now();
    calls.rebind(ana);
    calls.run_for(secs(10));
    let gap = calls[ben].gap_of(ana, 0, from, calls.now()).max(calls[ana].gap_of(ben, 0, from, calls.now()));
    println!("gap {gap:?}; {}", told(&calls, ana, from));
    assert!(gap < secs(1), "{gap:?}");
    back(&mut calls, ana, ben);
    replays(&calls);
}

/// The edge dies and is started again on the same address, with nothing in it.
#[test]
fn an_edge_that_restarts_is_joined_again() {
    let (mut calls, ana, ben) = two(7, 1);
    let from = calls.now();
    calls.kill(0);
    calls.run_for(secs(3));
    calls.start(0);
    let took = back(&mut calls, ana, ben);
    println!("back {took:?} after the start; {}", told(&calls, ana, from));
    assert!(took <= secs(5), "the longest pause between attempts, and a join: {took:?}");
    replays(&calls);
    assert_eq!(calls.participants(0), Some(2), "no ghost");
}

/// The edge dies for good, and there is another one.
#[test]
fn another_edge_takes_over() {
    let (mut calls, ana, ben) = two(8, 2);
    let from = calls.now();
    calls.kill(0);
    let took = back(&mut calls, ana, ben);
    println!("moved within {took:?}; {}", told(&calls, ana, from));
    assert!(took <= secs(8), "{took:?}");
    replays(&calls);
    assert_eq!(calls.participants(1), Some(2));
}

/// The edge stands still, with its sockets open: nobody says that it is gone, and its port takes connections.
#[test]
fn an_edge_that_stands_still_is_left() {
    for seed in 60..70 {
        let (mut calls, ana, ben) = two(seed, 2);
        let from = calls.now();
        calls.stand_still(0);
        let took = back(&mut calls, ana, ben);
        println!("moved within {took:?}; {}", told(&calls, ana, from));
        assert!(took <= secs(5), "{took:?}");
        replays(&calls);
        assert_eq!(calls.participants(1), Some(2));
    }
}

/// The token has run out when the call must begin anew: the app is asked for another one.
#[test]
fn a_token_that_ran_out_is_fetched_anew() {
    let mut calls = Calls::seeded(9, 1);
    let [ana, ben] = ["ana", "ben"].map(|name| calls.open(name));
    for page in [ana, ben] {
        calls[page].token_lasts = secs(5);
        calls.publish(page, SourcePlan::microphone());
        calls.publish(page, SourcePlan::camera());
    }
    back(&mut calls, ana, ben);
    calls.run_for(secs(10));
    calls.kill(0);
    calls.run_for(secs(2));
    calls.start(0);
    let took = back(&mut calls, ana, ben);
    println!("back {took:?} after the start");
    // An app that has only the old token.
    calls[ana].token_lasts = Duration::ZERO;
    calls.kill(0);
    calls.run_for(secs(2));
    calls.start(0);
    calls.run_until(secs(30), "the end", |calls| calls[ana].end().is_some());
    assert_eq!(calls[ana].end().flatten().expect("an error").code.name(), "token-expired");
}

/// The lid is closed and opened again: the clock jumps, and every timer is due at once.
#[test]
fn a_machine_that_slept_comes_back() {
    for length in [5, 20, 100, 3_600] {
        let (mut calls, ana, ben) = two(10, 1);
        let from = calls.now();
        calls.sleep(ana, true);
        calls.run_for(secs(length));
        calls.sleep(ana, false);
        let took = back(&mut calls, ana, ben);
        println!("{length} s: {took:?}; {}", told(&calls, ana, from));
        assert!(took <= secs(1), "{took:?}");
        replays(&calls);
        assert_eq!(calls.participants(0), Some(2), "no ghost");
    }
}

/// Three megabits a second, then 0.4, then three again: the picture gives way, the sound doesn't, and the picture comes back.
#[test]
fn a_narrow_way_costs_the_picture_and_not_the_sound() {
    let mut calls = Calls::seeded(11, 1);
    let [ana, ben] = ["ana", "ben"].map(|name| calls.open(name));
    calls.publish(ana, SourcePlan::microphone());
    calls.publish(ana, SourcePlan::simulcast());
    let narrow = |calls: &mut Calls, kbps: u64| {
        let queue = DataSize::bytes(kbps as i64 * 25); // 200 ms
        calls[ben].link.down(NetemConfig::new().latency(Link::DELAY).link(Bitrate::kbps(kbps), queue));
    };
    narrow(&mut calls, 3_000);
    calls.run_for(secs(15));
    let largest = |calls: &Calls, from: Duration| {
        let video = calls[ben].client.packets.iter().filter(|packet| packet.tag.source == 1 && packet.at > from);
        video.map(|packet| packet.tag.encoding).max()
    };
    let wide = largest(&calls, calls.now() - secs(2));
    narrow(&mut calls, 400);
    let from = calls.now();
    calls.run_for(secs(20));
    let (squeezed, gap) = (largest(&calls, calls.now() - secs(5)), calls[ben].gap_of(ana, 0, from + secs(3), calls.now()));
    narrow(&mut calls, 3_000);
    let opened = calls.now();
    let took = calls.run_until(secs(40), "the large picture", |calls| largest(calls, opened) == wide);
    println!("encoding {wide:?}, at 400 kbit/s {squeezed:?}, largest gap of the sound {gap:?}, {wide:?} again after {took:?}");
    assert!(squeezed < wide, "{squeezed:?}");
    assert!(gap < ms(300), "{gap:?}");
    assert_eq!(calls[ben].steps().count(), 0, "no outage");
    replays(&calls);
}
