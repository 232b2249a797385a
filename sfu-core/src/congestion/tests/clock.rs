//! The receiver's clock.

use super::super::clock::ArrivalClock;

const WRAP: i64 = (1 << 24) * 64_000;

#[test]
fn arrival_times_wrap() {
    let mut clock = ArrivalClock::default();
    clock.unwrap(WRAP / 2 - 1_000, 0);
    let next = clock.unwrap(-WRAP / 2 + 1_000, 2_000);
    assert_eq!((next.us, next.reset), (2_000, false));
}

#[test]
fn a_clock_set_anew_is_noticed_once_and_followed() {
    let mut clock = ArrivalClock::default();
    clock.unwrap(0, 0);
    assert!(clock.unwrap(60_000_000, 20_000).reset);
    let next = clock.unwrap(60_020_000, 40_000);
    assert_eq!((next.us, next.reset), (40_000, false));
}

#[test]
fn a_pause_of_both_is_no_jump() {
    let mut clock = ArrivalClock::default();
    clock.unwrap(0, 0);
    assert!(!clock.unwrap(3_600_000_000, 3_600_000_000).reset);
}
