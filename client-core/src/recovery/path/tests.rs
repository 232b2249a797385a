//! An outage is noticed within two seconds, and a slow timer is not one.

use super::*;
use crate::random::Rng;
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
        prop_assert!(changes[0].1 == Health::Suspect && (450..=1000).contains(&suspected), "{}", suspected);
        prop_assert!(changes[1].1 == Health::Lost && (1100..=1750).contains(&lost), "{}", lost);
    }

    #[test]
    fn where_signalling_goes_on_a_cut_is_noticed_within_a_second(cut in 10_000..12_000_u64) {
        let mut path = good();
        let lost = (10_000..16_000).find(|ms| {
            run(&mut path, *ms, ms + 1, |ms| ms < cut);
            path.signalled();
            path.health() == Health::Lost
        });
        let after = lost.map(|ms| ms - cut);
        prop_assert!(after.is_some_and(|after| (450..=1000).contains(&after)), "{:?}", after);
    }

    #[test]
    fn one_beat_that_comes_back_ends_it(cut in 10_000..12_000_u64, length in 0..20_000_u64) {
        let mut path = good();
        run(&mut path, 10_000, 40_000, |ms| ms < cut || ms > cut + length);
        prop_assert_eq!(path.health(), Health::Good);
    }
}

/// A way that loses everything for a while again and again: mean milliseconds of a burst and between two.
struct Bursts {
    bad: u64,
    good: u64,
    is_bad: bool,
    until: u64,
}

impl Bursts {
    fn loses(&mut self, now: u64, rng: &mut Rng) -> bool {
        while self.until <= now {
            self.is_bad = !self.is_bad;
            let mean = if self.is_bad { self.bad } else { self.good };
            // Exponential, near enough: the state has no memory.
            self.until += (1..10_000).find(|_| rng.up_to(mean as u32 - 1) == 0).unwrap_or(10_000);
        }
        self.is_bad
    }
}

/// Half an hour over such a way, with nothing but beats to go by and signalling that always answers, after twenty seconds to get to know it: how
/// often it was lost, and how often suspected.
fn lossy(seed: u64, bad: u64, good: u64, rtt: u64) -> (usize, usize) {
    let mut rng = Rng::from_seed(seed);
    let [mut up, mut down] = [(); 2].map(|()| Bursts { bad, good, is_bad: false, until: 1 });
    let (mut path, mut echoes, mut counts) = (good_after(rtt), std::collections::VecDeque::new(), (0, 0));
    for ms in 20_000..40_000 + 1_800_000_u64 {
        if ms == 40_000 {
            counts = (0, 0);
        }
        let before = path.health();
        if let Some(beat) = path.handle_timeout(at(ms))
            && !up.loses(ms, &mut rng)
        {
            echoes.push_back((ms + rtt, beat));
        }
        path.signalled();
        counts.0 += usize::from(before != Health::Lost && path.health() == Health::Lost);
        counts.1 += usize::from(before == Health::Good && path.health() == Health::Suspect);
        while echoes.front().is_some_and(|(due, _)| *due <= ms) {
            let (_, beat) = echoes.pop_front().unwrap();
            if !down.loses(ms, &mut rng) {
                path.echoed(at(ms), beat);
            }
        }
    }
    counts
}

/// Known for a while, with this round trip.
fn good_after(rtt: u64) -> Path {
    let mut path = Path::new();
    path.heard(at(0));
    for ms in 0..20_000 {
        if let Some(beat) = path.handle_timeout(at(ms)) {
            path.echoed(at(ms + rtt), beat);
        }
    }
    path
}

#[test]
fn a_third_lost_in_bursts_each_way_is_no_outage() {
    for (bad, good, rtt, most) in [(30, 70, 50, 0), (60, 140, 50, 0), (100, 233, 50, 1), (60, 140, 150, 0), (100, 233, 150, 1)] {
        let (mut lost, mut suspected) = (0, 0);
        for seed in 0..20 {
            let one = lossy(seed, bad, good, rtt);
            (lost, suspected) = (lost + one.0, suspected + one.1);
        }
        println!("bursts of {bad} ms at 30 %, {rtt} ms of round trip: lost {lost} times in ten hours, suspected {suspected} times");
        assert!(lost <= most, "bursts of {bad} ms, {rtt} ms: {lost}");
    }
}

#[test]
fn a_late_timer_asks_first() {
    let mut path = good();
    assert!(path.handle_timeout(at(70_000)).is_some(), "asleep for a minute");
    assert_eq!(path.health(), Health::Good);
    assert_eq!(run(&mut path, 70_001, 80_000, |_| false), [(70_450, Health::Suspect), (71_650, Health::Lost)]);
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
    path.counted(at(10_000), at(10_000), 5000.0);
    for ms in (10_000..20_000).step_by(100) {
        path.handle_timeout(at(ms));
        path.counted(at(ms), at(ms), 5000.0 + ms as f64);
    }
    assert_eq!(path.health(), Health::Good);
    path.counted(at(20_000), at(20_000), 7.0);
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
    for ms in 0..25_000 {
        if let Some(beat) = path.handle_timeout(at(ms)) {
            path.echoed(at(ms + 80), beat);
        }
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
