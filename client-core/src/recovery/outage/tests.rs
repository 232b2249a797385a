//! Attempts spread out, and end.

use super::*;
use crate::random::Rng;
use proptest::prelude::*;

fn at(millis: u64) -> MonoTime {
    MonoTime::from_micros(millis * 1000)
}

proptest! {
    #[test]
    fn each_pause_is_at_most_its_step_of_the_schedule(seed in any::<u64>(), start in 0..u64::from(u32::MAX)) {
        let mut rng = Rng::from_seed(seed);
        let mut outage = Outage::begin(at(start), None);
        for longest in PAUSES_MS.iter().chain([&4000; 20]) {
            let next = outage.next_attempt(at(start), 0, &mut rng);
            prop_assert!(next.since(at(start)) <= core::time::Duration::from_millis(u64::from(*longest)));
            prop_assert!(next >= at(start));
        }
    }

    #[test]
    fn an_edge_that_asks_for_time_gets_it(seed in any::<u64>(), asked in 0..60_000_u32) {
        let next = Outage::begin(at(0), None).next_attempt(at(0), asked, &mut Rng::from_seed(seed));
        prop_assert!(next >= at(asked.into()));
    }
}

#[test]
fn the_first_attempt_is_immediate() {
    assert_eq!(Outage::begin(at(7), None).next_attempt(at(7), 0, &mut Rng::from_seed(1)), at(7));
}

#[test]
fn pauses_use_their_whole_range() {
    let mut rng = Rng::from_seed(3);
    let mut pauses: Vec<u64> = (0..1000)
        .map(|_| {
            let mut outage = Outage { attempts: 5, ..Outage::begin(at(0), None) };
            outage.next_attempt(at(0), 0, &mut rng).as_micros() / 1000
        })
        .collect();
    pauses.sort_unstable();
    assert!(pauses[0] < 100 && pauses[999] > 3900, "{} to {}", pauses[0], pauses[999]);
    assert!((1800..2200).contains(&pauses[500]), "median {}", pauses[500]);
}

#[test]
fn a_link_that_broke_again_at_once_goes_on_with_longer_pauses() {
    let mut rng = Rng::from_seed(1);
    let mut first = Outage::begin(at(0), None);
    for _ in 0..4 {
        first.next_attempt(at(0), 0, &mut rng);
    }
    let recovered = first.end(at(3000));
    assert_eq!(Outage::begin(at(4000), Some(recovered)).attempts, 4);
    assert_eq!(Outage::begin(at(13_000), Some(recovered)).attempts, 0);
}

#[test]
fn attempts_are_short_while_nothing_is_heard_and_grow() {
    let mut outage = Outage::begin(at(0), None);
    let rtt = 50;
    assert_eq!(outage.attempt_within(false, false, rtt), ATTEMPT_WITHIN, "media flows: only the edge is slow");
    assert_eq!(outage.attempt_within(true, false, rtt), 1200);
    assert_eq!(outage.attempt_within(true, true, rtt), 700, "another edge has answered");
    outage.attempts = 9;
    assert_eq!(outage.attempt_within(true, false, rtt), 2200);
    outage.attempts = 33;
    assert_eq!(outage.attempt_within(true, false, rtt), ATTEMPT_WITHIN);
    assert_eq!(Outage::begin(at(0), None).attempt_within(true, false, 60_000), ATTEMPT_WITHIN);
}

#[test]
fn another_edge_is_looked_for_sooner_where_nobody_answers() {
    let looked = |unanswered: bool| {
        let (mut outage, mut rng) = (Outage::begin(at(0), None), Rng::from_seed(1));
        (1..=6).filter(|_| (outage.next_in_silence(at(0), unanswered, &mut rng), outage.scouts_now()).1).collect::<Vec<_>>()
    };
    assert_eq!((looked(true), looked(false)), (vec![1, 3, 5], vec![4, 6]));
}
