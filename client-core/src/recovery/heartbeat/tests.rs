//! A dead link is noticed, a slow timer is not mistaken for one.

use super::*;

fn at(millis: u64) -> MonoTime {
    MonoTime::from_micros(millis * 1000)
}

#[test]
fn pings_every_two_seconds_while_answers_come() {
    let mut heartbeat = Heartbeat::new(at(0));
    for second in 1..100 {
        let due = heartbeat.poll_timeout();
        assert_eq!(due, at(2000 * second));
        assert_eq!(heartbeat.handle_timeout(due, true), Beat::Ping);
        heartbeat.heard(due);
    }
}

#[test]
fn silence_after_a_ping_is_a_dead_link_two_seconds_later() {
    let mut heartbeat = Heartbeat::new(at(0));
    assert_eq!(heartbeat.handle_timeout(at(1999), true), Beat::Nothing);
    assert_eq!(heartbeat.handle_timeout(at(2000), true), Beat::Ping);
    assert_eq!(heartbeat.poll_timeout(), at(4000));
    assert_eq!(heartbeat.handle_timeout(at(3999), true), Beat::Nothing);
    assert_eq!(heartbeat.handle_timeout(at(4000), true), Beat::Lost);
}

#[test]
fn where_beats_get_lost_it_has_five_seconds() {
    let mut heartbeat = Heartbeat::new(at(0));
    assert_eq!(heartbeat.handle_timeout(at(2000), false), Beat::Ping);
    assert_eq!(heartbeat.handle_timeout(at(6999), true), Beat::Nothing);
    assert_eq!(heartbeat.handle_timeout(at(7000), false), Beat::Lost);
}

#[test]
fn after_a_sleep_the_link_gets_another_chance() {
    let mut heartbeat = Heartbeat::new(at(0));
    assert_eq!(heartbeat.handle_timeout(at(2000), true), Beat::Ping);
    assert_eq!(heartbeat.handle_timeout(at(60_000), true), Beat::Ping, "asleep from 2 s to 60 s");
    assert_eq!(heartbeat.handle_timeout(at(62_000), true), Beat::Lost, "awake, and still no answer");
}

#[test]
fn while_media_is_silent_it_is_asked_at_once_and_has_less_time() {
    let mut heartbeat = Heartbeat::new(at(2000));
    heartbeat.probe(at(3000), true);
    assert!(!heartbeat.is_proven(), "what came a second ago says nothing of now");
    assert_eq!(heartbeat.handle_timeout(at(3000), true), Beat::Ping);
    heartbeat.heard(at(3100));
    assert!(heartbeat.is_proven());
    assert_eq!(heartbeat.poll_timeout(), at(4000));
    assert_eq!(heartbeat.handle_timeout(at(4000), true), Beat::Ping);
    assert_eq!(heartbeat.handle_timeout(at(5500), true), Beat::Lost);
}

#[test]
fn a_socket_that_has_just_joined_needs_no_proof() {
    let mut heartbeat = Heartbeat::new(at(3000));
    heartbeat.probe(at(3000), true);
    assert!(heartbeat.is_proven());
    heartbeat.probe(at(3500), false);
    heartbeat.heard(at(3600));
    assert_eq!(heartbeat.handle_timeout(at(4000), true), Beat::Ping, "the one that was due");
    assert_eq!(heartbeat.poll_timeout(), at(6000), "and then no more often than ever");
}
