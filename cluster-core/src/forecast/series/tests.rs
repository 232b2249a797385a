//! Edges that come and go, one store, and one series that all of them see.

use super::*;
use crate::forecast::Forecast;
use crate::forecast::learned::{Unreadable, quarter_of_week};

/// Monday, 1 June 2026, 00:00.
const MONDAY: u64 = 1_780_272_000;

const LOOKS_EVERY: usize = 30;

/// The committed series.
fn demand() -> Vec<f64> {
    let lines = include_str!("../../../tests/demand.csv").lines();
    lines.filter(|line| !line.starts_with('#')).map(|line| line.parse().unwrap()).collect()
}

fn at(seconds: u64) -> Duration {
    Duration::from_secs(MONDAY + seconds)
}

/// Looks all through these quarters.
fn watch(series: &mut Series, quarters: core::ops::Range<u64>, participants: f64) {
    for seconds in (quarters.start * QUARTER..quarters.end * QUARTER).step_by(LOOKS_EVERY) {
        series.look(at(seconds), Some(participants));
    }
    series.look(at(quarters.end * QUARTER), Some(participants));
}

/// What the edge's server does with a store.
fn exchange(series: &mut Series, store: &mut Option<Vec<u8>>) {
    if !series.is_due() {
        return;
    }
    let stored = store.as_deref().and_then(|bytes| Learned::from_bytes(bytes).ok());
    if let Meeting::Write(bytes) = series.meet(stored) {
        *store = Some(bytes);
        series.settle();
    }
}

#[test]
fn monday_is_where_the_week_begins() {
    assert_eq!(quarter_of_week(quarter_of(at(0))), 0);
    assert_eq!(quarter_of_week(quarter_of(at(9 * 3_600 + 14 * 60))), 36);
    assert_eq!(quarter_of_week(0), 3 * DAY, "1970 began on a Thursday");
}

#[test]
fn a_day_of_whole_quarters_is_needed() {
    let mut series = Series::new(at(300));
    watch(&mut series, 1..97, 40.0);
    assert_eq!(
        (series.learned().whole(), series.expected().map(f32::round)),
        (96, Some(40.0)),
        "it came into the first one, which isn't whole"
    );
    let mut series = Series::new(at(300));
    watch(&mut series, 1..96, 40.0);
    assert_eq!((series.learned().whole(), series.expected()), (95, None));
}

#[test]
fn what_nobody_heard_of_teaches_nothing() {
    let mut series = Series::new(at(0));
    watch(&mut series, 0..96, 40.0);
    // Half of a quarter, then three quarters in silence.
    for seconds in (0..450).step_by(LOOKS_EVERY) {
        series.look(at(96 * QUARTER + seconds), Some(40.0));
    }
    for seconds in (450..4 * QUARTER).step_by(LOOKS_EVERY) {
        series.look(at(96 * QUARTER + seconds), None);
    }
    series.look(at(100 * QUARTER), Some(40.0));
    assert_eq!((series.learned().whole(), series.learned().quarter() - quarter_of(at(0))), (96, 100));
    assert!((series.expected().unwrap() - 40.0).abs() < 0.1, "{:?}", series.expected());
}

#[test]
fn who_has_just_started_takes_and_does_not_give() {
    let mut store = None;
    let mut old = Series::new(at(0));
    watch(&mut old, 0..200, 40.0);
    exchange(&mut old, &mut store);
    let mut new = Series::new(at(200 * QUARTER + 400));
    // It could not read the store at first, and has ended a quarter of its own before.
    watch(&mut new, 201..202, 900.0);
    assert_eq!(new.expected(), None);
    let before = store.clone();
    exchange(&mut new, &mut store);
    assert_eq!(store, before);
    assert_eq!(new.learned().whole(), old.learned().whole());
    assert!((new.expected().unwrap() - 40.0).abs() < 0.1, "{:?}", new.expected());
    // Both see the next one: they are equal, and either may write.
    watch(&mut old, 200..203, 40.0);
    watch(&mut new, 202..203, 40.0);
    exchange(&mut new, &mut store);
    exchange(&mut old, &mut store);
    assert_eq!(Learned::from_bytes(&store.unwrap()).unwrap().whole(), old.learned().whole());
    assert!(old.learned().whole() > 201, "{}", old.learned().whole());
}

#[test]
fn a_quarter_is_learned_once_however_many_see_it() {
    let mut store = None;
    let mut edges: Vec<_> = (0..5).map(|_| Series::new(at(0))).collect();
    for quarter in 0..100 {
        for (number, edge) in (0_u32..).zip(&mut edges) {
            watch(edge, quarter..quarter + 1, 40.0 + f64::from(number));
        }
        edges.rotate_left(2); // another one is first
        edges.iter_mut().for_each(|edge| exchange(edge, &mut store));
    }
    let stored = Learned::from_bytes(&store.unwrap()).unwrap();
    assert_eq!(stored.whole(), 100);
    assert!(edges.iter().all(|edge| *edge.learned() == stored), "all say the same");
}

#[test]
fn who_saw_the_quarter_writes_over_who_came_into_it() {
    let mut store = None;
    let mut old = Series::new(at(0));
    watch(&mut old, 0..100, 40.0);
    exchange(&mut old, &mut store);
    let mut new = Series::new(at(100 * QUARTER + 890));
    exchange(&mut new, &mut store);
    new.look(at(100 * QUARTER + 890), Some(3.0));
    new.look(at(101 * QUARTER), Some(3.0));
    exchange(&mut new, &mut store);
    assert_eq!(Learned::from_bytes(store.as_ref().unwrap()).unwrap().whole(), 100);
    watch(&mut old, 100..101, 40.0);
    exchange(&mut old, &mut store);
    assert_eq!(Learned::from_bytes(&store.unwrap()).unwrap(), *old.learned());
    assert_eq!(old.learned().whole(), 101);
}

#[test]
fn what_is_from_the_future_or_older_than_a_month_is_not_taken() {
    let mut other = Series::new(at(0));
    watch(&mut other, 0..100, 40.0);
    let stored = || Some(other.learned().clone());
    let mut behind = Series::new(at(98 * QUARTER));
    assert_eq!((behind.meet(stored()), behind.is_due()), (Meeting::Nothing, false));
    let mut a_moment_behind = Series::new(at(100 * QUARTER - 1));
    assert_eq!((a_moment_behind.meet(stored()), a_moment_behind.is_due()), (Meeting::Nothing, true), "it asks again");
    let mut late = Series::new(at(100 * QUARTER) + KEPT);
    assert_eq!(late.meet(stored()), Meeting::Taken);
    assert!((late.expected().unwrap() - 40.0).abs() < 0.1);
    let mut too_late = Series::new(at(101 * QUARTER) + KEPT);
    assert_eq!((too_late.meet(stored()), too_late.is_due()), (Meeting::Nothing, false));
}

#[test]
fn a_clock_that_is_set_back_begins_anew_but_not_at_a_border() {
    let mut series = Series::new(at(0));
    watch(&mut series, 0..100, 40.0);
    series.look(at(100 * QUARTER - 2), Some(40.0));
    assert_eq!((series.learned().whole(), series.expected().is_some()), (100, true), "two seconds are waited for");
    series.look(at(90 * QUARTER), Some(40.0));
    assert_eq!((series.learned().whole(), series.is_due()), (0, true));
}

/// A week with a weekend in it, of which the edges were away: the days that were seen stand for those that weren't.
#[test]
fn a_gap_keeps_the_shape() {
    let demand = demand();
    let mut series = Series::new(at(0));
    let mut look = |quarter: u64| {
        let value = demand[usize::try_from(quarter).unwrap() % SEASONS];
        for seconds in (0..QUARTER).step_by(LOOKS_EVERY) {
            series.look(at(quarter * QUARTER + seconds), Some(value));
        }
        series.expected()
    };
    (0..5 * 96).for_each(|quarter| {
        let _ = look(quarter);
    });
    // Monday, nine o'clock.
    let expected = (7 * 96..7 * 96 + 37).map(&mut look).last().flatten().unwrap();
    let truth = demand[36];
    assert!((f64::from(expected) - truth).abs() < 0.35 * truth, "{expected} of {truth}");
}

/// Three edges, each of which ends every five hours and starts again a minute later with nothing but the store; the store is away now and then,
/// and empty once.
#[test]
fn edges_that_keep_restarting_know_the_week_as_well_as_one_that_never_does() {
    let demand = demand();
    let mut alone = Forecast::new(0);
    let mut store = None;
    let mut edges: Vec<_> = (0..3).map(|_| Some(Series::new(at(0)))).collect();
    let (mut off, mut off_alone, mut sum, mut silent, mut best) = (0.0, 0.0, 0.0, 0_u32, (0, 0));
    for (quarter, truth) in (0_u64..).zip(&demand[..6 * SEASONS]) {
        let store_is_away = quarter % 200 < 3;
        if quarter == 3 * SEASONS as u64 + 50 {
            store = None;
            best = (0, 0);
        }
        for seconds in (0..QUARTER).step_by(LOOKS_EVERY) {
            for (number, edge) in (0_u64..).zip(&mut edges) {
                let age = (quarter * QUARTER + seconds + number * 6_000) % (20 * QUARTER);
                match edge {
                    Some(_) if age >= 20 * QUARTER - 60 => *edge = None,
                    None if age < 20 * QUARTER - 60 => *edge = Some(Series::new(at(quarter * QUARTER + seconds))),
                    _ => (),
                }
                let Some(series) = edge else { continue };
                series.look(at(quarter * QUARTER + seconds), (!store_is_away).then_some(*truth));
                if !store_is_away {
                    exchange(series, &mut store);
                }
            }
            if let Some(stored) = &store {
                let rank = Learned::from_bytes(stored).unwrap().rank();
                assert!(rank >= best, "{rank:?} after {best:?}");
                best = rank;
            }
        }
        if quarter >= 2 * SEASONS as u64 {
            // One that starts while the store is away knows nothing until it is back.
            let expected = edges.iter().flatten().find_map(Series::expected);
            silent += u32::from(expected.is_none());
            // Asked at the quarter's end, which hasn't been learned.
            off += (f64::from(expected.unwrap_or_default()) - truth).abs();
            off_alone += (alone.predict(1) - truth).abs();
            sum += truth;
        }
        alone.observe(*truth);
    }
    println!("restarting every five hours {:.1} % off, never {:.1} %", 100.0 * off / sum, 100.0 * off_alone / sum);
    assert_eq!(silent, 0, "one of them always knows");
    assert!(off / sum < off_alone / sum + 0.01, "{} and {}", off / sum, off_alone / sum);
}

#[test]
fn damage_is_written_over() {
    let mut series = Series::new(at(0));
    watch(&mut series, 0..2, 1.0);
    assert_eq!(Learned::from_bytes(b"hello"), Err(Unreadable::Damaged));
    let mut store = Some(b"hello".to_vec());
    exchange(&mut series, &mut store);
    assert_eq!(Learned::from_bytes(&store.unwrap()).as_ref(), Ok(series.learned()));
}
