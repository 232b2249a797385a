//! On within seconds of loss, off only after a long calm, and never back and forth.

use super::*;

/// Observes each second; when it changed.
fn run(red: &mut Red, seconds: core::ops::Range<u64>, loss: impl Fn(u64) -> f32) -> Vec<(u64, bool)> {
    let changed = |second: &u64| red.observe(MonoTime::from_micros(second * 1_000_000), loss(*second));
    let seconds: Vec<u64> = seconds.filter(changed).collect();
    let on = |index: usize| index.is_multiple_of(2);
    seconds.into_iter().enumerate().map(|(index, second)| (second, on(index))).collect()
}

#[test]
fn ten_percent_are_answered_in_two_seconds_and_half_a_minute_of_calm_ends_it() {
    let mut red = Red::default();
    let changes = run(&mut red, 0..120, |second| if (10..40).contains(&second) { 0.1 } else { 0.0 });
    assert_eq!(changes, [(11, true), (74, false)]);
    assert!(!red.is_on());
}

#[test]
fn a_clean_way_or_a_single_bad_second_is_left_alone() {
    assert_eq!(run(&mut Red::default(), 0..600, |second| if second % 20 == 0 { 0.1 } else { 0.005 }), []);
    assert_eq!(run(&mut Red::default(), 0..600, |_| 0.03), [], "in-band error correction is enough");
}

#[test]
fn a_way_that_comes_and_goes_keeps_it_on() {
    assert_eq!(run(&mut Red::default(), 0..600, |second| if second % 25 < 5 { 0.12 } else { 0.0 }), [(0, true)]);
}
