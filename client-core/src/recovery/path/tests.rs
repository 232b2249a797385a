//! An outage is noticed within two seconds, and a slow timer is not one.

use super::*;
use proptest::prelude::*;

fn at(millis: u64) -> MonoTime {
    MonoTime::from_micros(millis * 1000)
}

/// Runs timers on time until `end`, milliseconds; beats come back at once while `echoes` says so. Returns when health changed.
fn run(path: &mut Path, from: u64, end: u64, echoes: impl Fn(u64) -> bool) -> Vec<(u64, Health)> {
    let mut changes = Vec::new();
    for ms in from..end {
        let before = path.health();
        if let Some(beat) = path.handle_timeout(at(ms))
            && echoes(ms)
        {
            path.echoed(at(ms), beat);
        }
        if path.health() != before {
            changes.push((ms, path.health()));
        }
    }
    changes
}

fn good() -> Path {
    let mut path = Path::new();
    path.heard(at(0));
    assert_eq!(run(&mut path, 0, 10_000, |_| true), []);
    assert_eq!(path.health(), Health::Good);
    path
}

proptest! {
    #[test]
    fn a_cut_is_suspected_and_noticed_within_two_seconds(cut in 10_000..12_000_u64) {
        let changes = run(&mut good(), 10_000, 16_000, |ms| ms < cut);
        prop_assert_eq!(changes.len(), 2, "{:?}", changes);
        let (suspected, lost) = (changes[0].0 - cut, changes[1].0 - cut);
        prop_assert!(changes[0].1 == Health::Suspect && (700..=1300).contains(&suspected), "{}", suspected);
        prop_assert!(changes[1].1 == Health::Lost && (1400..=2000).contains(&lost), "{}", lost);
    }

    #[test]
    fn one_beat_that_comes_back_ends_it(cut in 10_000..12_000_u64, length in 0..20_000_u64) {
        let mut path = good();
        run(&mut path, 10_000, 40_000, |ms| ms < cut || ms > cut + length);
        prop_assert_eq!(path.health(), Health::Good);
    }
}

#[test]
fn a_late_timer_asks_first() {
    let mut path = good();
    assert!(path.handle_timeout(at(70_000)).is_some(), "asleep for a minute");
    assert_eq!(path.health(), Health::Good);
    assert_eq!(run(&mut path, 70_001, 80_000, |_| false), [(71_250, Health::Suspect), (71_900, Health::Lost)]);
}

#[test]
fn timers_aligned_to_a_second_are_no_outage() {
    let mut path = good();
    for second in 10..100 {
        if let Some(beat) = path.handle_timeout(at(second * 1000)) {
            path.echoed(at(second * 1000 + 80), beat);
        }
        assert_eq!(path.health(), Health::Good);
    }
}

#[test]
fn bytes_are_life_too_unless_a_counter_begins_anew() {
    let mut path = good();
    path.counted(at(10_000), 5000.0);
    for ms in (10_000..20_000).step_by(100) {
        path.handle_timeout(at(ms));
        path.counted(at(ms), 5000.0 + ms as f64);
    }
    assert_eq!(path.health(), Health::Good);
    path.counted(at(20_000), 7.0);
    assert_eq!(run(&mut path, 20_000, 25_000, |_| false).last().unwrap().1, Health::Lost);
}

#[test]
fn an_edge_that_echoes_nothing_is_not_suspected() {
    let mut path = Path::new();
    path.heard(at(0));
    assert_eq!(run(&mut path, 0, 60_000, |_| false), []);
}

#[test]
fn a_hint_from_the_browser_is_disproved_by_an_echo_or_true_soon() {
    let mut path = good();
    path.doubt(at(10_000), true);
    assert_eq!(path.health(), Health::Suspect);
    assert_eq!(run(&mut path, 10_000, 12_000, |_| true), [(10_000, Health::Good)]);
    path.doubt(at(12_000), true);
    assert_eq!(run(&mut path, 12_000, 14_000, |_| false), [(12_600, Health::Lost)]);
}

#[test]
fn the_round_trip_is_that_of_beats() {
    let mut path = Path::new();
    path.heard(at(0));
    for round in 0..50 {
        let beat = path.handle_timeout(at(round * 500)).unwrap();
        path.echoed(at(round * 500 + 80), beat);
    }
    assert_eq!(path.rtt(), Some(80));
    path.echoed(at(26_000), 9_999_999);
    assert_eq!(path.rtt(), Some(80), "of no beat of ours");
}

#[test]
fn another_transport_has_yet_to_be_heard() {
    let mut path = good();
    let old = path.handle_timeout(at(10_000)).unwrap();
    path.renew();
    path.echoed(at(10_010), old);
    assert_eq!(path.health(), Health::Lost);
    path.heard(at(11_000));
    assert!(path.health() == Health::Good && path.revived);
}
