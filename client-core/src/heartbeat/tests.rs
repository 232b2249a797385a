//! A dead link is noticed, a slow timer is not mistaken for one.

use super::*;

fn at(millis: u64) -> MonoTime {
    MonoTime::from_micros(millis * 1000)
}

#[test]
fn pings_every_five_seconds_while_answers_come() {
    let mut heartbeat = Heartbeat::new(at(0));
    for second in 1..100 {
        let due = heartbeat.poll_timeout();
        assert_eq!(due, at(5000 * second));
        assert_eq!(heartbeat.handle_timeout(due), Beat::Ping);
        heartbeat.heard();
    }
}

#[test]
fn silence_after_a_ping_is_a_dead_link_five_seconds_later() {
    let mut heartbeat = Heartbeat::new(at(0));
    assert_eq!(heartbeat.handle_timeout(at(4999)), Beat::Nothing);
    assert_eq!(heartbeat.handle_timeout(at(5000)), Beat::Ping);
    assert_eq!(heartbeat.poll_timeout(), at(10_000));
    assert_eq!(heartbeat.handle_timeout(at(9999)), Beat::Nothing);
    assert_eq!(heartbeat.handle_timeout(at(10_000)), Beat::Lost);
}

#[test]
fn after_a_sleep_the_link_gets_another_chance() {
    let mut heartbeat = Heartbeat::new(at(0));
    assert_eq!(heartbeat.handle_timeout(at(5000)), Beat::Ping);
    assert_eq!(heartbeat.handle_timeout(at(60_000)), Beat::Ping, "asleep from 5 s to 60 s");
    assert_eq!(heartbeat.handle_timeout(at(65_000)), Beat::Lost, "awake, and still no answer");
}
