//! What is asked of the estimator.

use super::*;

#[test]
fn demand_names_what_is_sent_what_the_next_rung_takes_and_what_everybody_wants() {
    let camera = camera();
    let mut sources = [shown(Class::Thumbnail, &camera, 640), shown(Class::OnStage, &camera, 1280)];
    let now = Instant::now();
    let budget = Budget { estimate: Some(900 * KBPS), reserved: 40 * KBPS, congested: true, untested: false, starting: false };
    let allocation = decide(&mut sources, budget, now);
    assert_eq!(widths(&allocation), [320, 640]);
    assert_eq!(allocation.demand.allocated, 690 * KBPS);
    assert_eq!(allocation.demand.next, (650 + 1_200) * KBPS * 115 / 100 + 40 * KBPS, "the stage's, not the thumbnail's");
    assert_eq!(allocation.demand.most, (500 + 1_700) * KBPS * 115 / 100 + 40 * KBPS);
}

/// An estimate that reaches `next` is enough for the upgrade.
#[test]
fn what_is_asked_for_is_what_it_takes() {
    let camera = camera();
    let mut sources = [source(Class::OnStage, &camera), source(Class::Thumbnail, &camera)];
    let now = Instant::now();
    let mut estimate = 400 * KBPS;
    let mut seen = Vec::new();
    for step in 0..10 {
        let allocation = decide(
            &mut sources,
            Budget { estimate: Some(estimate), reserved: 0, congested: true, untested: false, starting: false },
            now + ms(100 * step),
        );
        seen.push(widths(&allocation));
        estimate = allocation.demand.next;
    }
    assert_eq!(seen[..5], [[320, 320], [640, 320], [1280, 320], [1280, 640], [1280, 1280]]);
    assert_eq!(estimate, 2 * 1_700 * KBPS, "nothing is left to wish for");
}

#[test]
fn who_is_held_down_asks_for_nothing() {
    let camera = camera();
    let mut sources = [source(Class::OnStage, &camera)];
    let now = Instant::now();
    decide(&mut sources, kbps(2_500), now);
    let allocation = decide(&mut sources, kbps(1_000), now + ms(100));
    assert_eq!(widths(&allocation), [640]);
    let held = decide(&mut sources, kbps(1_000), now + ms(200));
    assert_eq!(held.demand.next, held.demand.allocated);
    let later = decide(&mut sources, kbps(1_000), now + ms(5_200));
    assert!(later.demand.next > later.demand.allocated);
}

/// While the first probes run, everybody has a picture and nobody a better one than the smallest.
#[test]
fn the_start_is_careful_and_leaves_nobody_black() {
    let camera = camera();
    let mut sources = vec![source(Class::OnStage, &camera), source(Class::Thumbnail, &camera), source(Class::Thumbnail, &camera)];
    let starting = Budget { congested: false, starting: true, ..kbps(300) };
    assert_eq!(widths(&decide(&mut sources, starting, Instant::now())), [320; 3]);
    let found = Budget { congested: false, ..kbps(9_000) };
    assert_eq!(widths(&decide(&mut sources, Budget { starting: true, ..found }, Instant::now())), [320; 3]);
    assert_eq!(widths(&decide(&mut sources, found, Instant::now())), [1280; 3]);
}
