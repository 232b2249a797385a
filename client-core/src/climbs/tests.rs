//! Failures double the wait of their level only; a good minute forgives them.

use super::*;

const BASE: Duration = Duration::from_secs(10);

fn at(second: u64) -> MonoTime {
    MonoTime::from_micros(second * 1_000_000)
}

#[test]
fn each_failure_doubles_the_wait_up_to_sixteen_times() {
    let mut climbs = Climbs::default();
    let mut holds = Vec::new();
    for second in 0..6 {
        holds.push(climbs.hold(1, BASE).as_secs());
        climbs.climbed(at(second));
        climbs.fell(1);
    }
    assert_eq!(holds, [10, 20, 40, 80, 160, 160]);
    assert_eq!(climbs.hold(2, BASE), BASE, "another level");
}

#[test]
fn going_down_without_a_climb_before_is_no_failure() {
    let mut climbs = Climbs::default();
    climbs.fell(0);
    climbs.climbed(at(0));
    climbs.fell(1);
    climbs.fell(2);
    assert_eq!([0, 1, 2].map(|level| climbs.hold(level, BASE).as_secs()), [10, 20, 10]);
}

#[test]
fn a_minute_proves_a_level() {
    let mut climbs = Climbs::default();
    climbs.climbed(at(0));
    climbs.fell(0);
    climbs.climbed(at(10));
    climbs.stayed(at(69), 0);
    assert_eq!(climbs.hold(0, BASE).as_secs(), 20);
    climbs.stayed(at(70), 0);
    climbs.fell(0);
    assert_eq!(climbs.hold(0, BASE).as_secs(), 10);
}

#[test]
fn a_level_that_is_proven_proves_those_below() {
    let mut climbs = Climbs::default();
    for level in [2, 1] {
        climbs.climbed(at(0));
        climbs.fell(level);
    }
    climbs.climbed(at(0));
    climbs.stayed(at(60), 1);
    assert_eq!([1, 2].map(|level| climbs.hold(level, BASE).as_secs()), [10, 10]);
}
