use super::*;

const BASE: Duration = Duration::from_millis(40);

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// So much passes in each of `rounds` round trips, with this queue in front of it; every hundredth byte of `loss` is lost.
fn pass(steady: &mut Steady, now: &mut Instant, rounds: u32, queue: Duration, loss: u64) {
    for _ in 0..rounds {
        let bytes = steady.window;
        *now += BASE + queue;
        if loss > 0 {
            steady.lost(*now, bytes * loss / 100);
        }
        steady.acked(*now, bytes * (100 - loss) / 100, false, BASE + queue);
    }
}

#[test]
fn a_wide_link_is_used_whatever_gets_lost_beside_it() {
    for loss in [0, 2, 10] {
        let mut now = Instant::now();
        let mut steady = Steady::new(now);
        pass(&mut steady, &mut now, 5, ms(0), loss);
        assert!(steady.window > 8 * INITIAL, "{loss} %: {}", steady.window);
    }
}

#[test]
fn a_queue_shrinks_it_until_the_queue_is_gone() {
    let mut now = Instant::now();
    let mut steady = Steady::new(now);
    pass(&mut steady, &mut now, 1, ms(0), 0);
    let before = steady.window;
    pass(&mut steady, &mut now, 20, ms(80), 0);
    assert!(steady.window < before / 10, "{} of {before}", steady.window);
    pass(&mut steady, &mut now, 200, ms(80), 0);
    assert!(steady.window >= LEAST);
}

#[test]
fn what_loses_a_third_is_too_narrow() {
    let mut now = Instant::now();
    let mut steady = Steady::new(now);
    pass(&mut steady, &mut now, 1, ms(0), 0);
    let before = steady.window;
    for _ in 0..10 {
        now += BASE;
        steady.acked(now, 600, true, BASE);
        steady.lost(now, 400);
    }
    assert!(steady.window < before / 8, "{} of {before}", steady.window);
}

#[test]
fn a_longer_way_is_no_queue_for_ever() {
    let mut now = Instant::now();
    let mut steady = Steady::new(now);
    pass(&mut steady, &mut now, 10, ms(0), 0);
    pass(&mut steady, &mut now, 60, ms(100), 0);
    assert_eq!(steady.window, LEAST, "for all that is known it is a queue");
    pass(&mut steady, &mut now, 140, ms(100), 0);
    assert!(steady.window > INITIAL, "the way has become longer, and is known to be");
}
