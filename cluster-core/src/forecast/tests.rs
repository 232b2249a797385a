//! What a week teaches.

use super::*;

/// The committed series.
fn demand() -> Vec<f64> {
    let lines = include_str!("../../tests/demand.csv").lines();
    lines.filter(|line| !line.starts_with('#')).map(|line| line.parse().unwrap()).collect()
}

/// A quarter of an hour ahead, as the figures of docs/cluster.md. Prints them: `cargo test -p cluster-core backtest -- --nocapture`.
#[test]
fn the_backtest_beats_those_who_know_nothing() {
    let series = demand();
    assert_eq!(series.len(), 8 * SEASONS);
    for steps in [1, 4] {
        let found = backtest(&series, steps);
        let percent = |share: f64| 100.0 * share;
        println!(
            "{} min ahead: {:.1} % off; as it is {:.1} %, as a week ago {:.1} % ({} forecasts)",
            15 * steps,
            percent(found.error),
            percent(found.error_of_persistence),
            percent(found.error_of_last_week),
            found.judged
        );
        assert!(found.error < 0.5 * found.error_of_persistence, "{found:?}");
        assert!(found.error < 0.6 * found.error_of_last_week, "{found:?}");
    }
}

#[test]
fn a_constant_stays() {
    let mut forecast = Forecast::new(17);
    for _ in 0..2 * SEASONS {
        forecast.observe(40.0);
    }
    for steps in [1, 4, 96] {
        assert!((forecast.predict(steps) - 40.0).abs() < 1e-6, "{}", forecast.predict(steps));
    }
}

#[test]
fn a_peak_is_expected_where_it_was_on_the_days_before() {
    let mut forecast = Forecast::new(0);
    let day: Vec<f64> = (0..96).map(|quarter| if (36..44).contains(&quarter) { 500.0 } else { 20.0 }).collect();
    for _ in 0..3 {
        day.iter().for_each(|value| forecast.observe(*value));
    }
    // Thursday until half past eight: the peak begins at nine.
    day.iter().take(34).for_each(|value| forecast.observe(*value));
    assert!(forecast.predict(1) < 100.0 && forecast.predict(3) > 300.0, "{} {}", forecast.predict(1), forecast.predict(3));
}

#[test]
fn nonsense_teaches_nothing() {
    let mut forecast = Forecast::new(SEASONS * 3 + 5);
    forecast.observe(f64::NAN);
    forecast.observe(f64::INFINITY);
    assert_eq!(forecast.predict(1), 0.0);
    forecast.observe(-5.0);
    assert_eq!(forecast.predict(0), 0.0);
}
