//! Down at once, up with care.

use super::*;

/// When the picture changed, over `steps` decisions a tenth of a second apart.
fn changes(sources: &mut [Source<'_>], start: Instant, steps: u64, estimate: impl Fn(u64) -> u64) -> Vec<(u64, Vec<u16>)> {
    let mut changes: Vec<(u64, Vec<u16>)> = Vec::new();
    for step in 0..steps {
        let now = widths(&decide(sources, kbps(estimate(step)), start + ms(100 * step)));
        if changes.last().is_none_or(|(_, before)| *before != now) {
            changes.push((step, now));
        }
    }
    changes
}

#[test]
fn down_at_once_and_up_after_the_hold_down() {
    let camera = camera();
    let mut sources = [source(Class::OnStage, &camera)];
    let seen = changes(&mut sources, Instant::now(), 300, |step| if (20..30).contains(&step) { 600 } else { 2_500 });
    assert_eq!(seen, [(0, vec![1280]), (20, vec![640]), (70, vec![1280])]);
}

#[test]
fn up_needs_a_margin_that_down_does_not() {
    let camera = camera();
    let mut sources = [source(Class::OnStage, &camera)];
    let now = Instant::now();
    assert_eq!(widths(&decide(&mut sources, kbps(1_800), now)), [640]);
    assert_eq!(widths(&decide(&mut sources, kbps(1_960), now)), [1280]);
    assert_eq!(widths(&decide(&mut sources, kbps(1_700), now)), [1280]);
    assert_eq!(widths(&decide(&mut sources, kbps(1_690), now)), [640]);
}

/// A link that never holds the top, with an estimate that says so only once it is tried.
#[test]
fn failures_double_the_hold_down() {
    let camera = camera();
    let mut sources = [source(Class::OnStage, &camera)];
    let start = Instant::now();
    let mut ups = Vec::new();
    let mut last = 0;
    for step in 0..6_000_u64 {
        let estimate = if last == 1280 { 1_000 } else { 2_500 };
        let width = widths(&decide(&mut sources, kbps(estimate), start + ms(100 * step)))[0];
        if width == 1280 {
            ups.push(step);
        }
        last = width;
    }
    let waits: Vec<_> = ups.windows(2).map(|pair| (pair[1] - pair[0]) / 10).collect();
    assert_eq!(waits, [5, 10, 20, 40, 80, 80, 80, 80, 80, 80]);
}

#[test]
fn old_failures_are_forgiven() {
    let camera = camera();
    let mut sources = [source(Class::OnStage, &camera)];
    // Fails twice, then holds for two minutes, then the link is short for a moment.
    let estimate = |step| if matches!(step, 1 | 60 | 1_400) { 1_000 } else { 2_500 };
    let seen = changes(&mut sources, Instant::now(), 1_600, estimate);
    assert_eq!(seen.iter().map(|(step, _)| *step).collect::<Vec<_>>(), [0, 1, 51, 60, 160, 1_400, 1_450]);
}

#[test]
fn another_wish_is_another_try() {
    let camera = camera();
    let mut sources = [source(Class::Thumbnail, &camera)];
    let now = Instant::now();
    decide(&mut sources, kbps(2_500), now);
    assert_eq!(widths(&decide(&mut sources, kbps(1_000), now + ms(100))), [640]);
    assert_eq!(widths(&decide(&mut sources, kbps(2_500), now + ms(200))), [640]);
    sources[0].memory.forgive();
    assert_eq!(widths(&decide(&mut sources, kbps(2_500), now + ms(300))), [1280]);
}

/// Paused isn't resumed by an estimate that trembles around the floor.
#[test]
fn a_paused_video_comes_back_once() {
    let camera = camera();
    let mut sources = [source(Class::OnStage, &camera), source(Class::Thumbnail, &camera)];
    let seen = changes(&mut sources, Instant::now(), 300, |step| if step < 100 { 290 + 20 * (step % 2) } else { 400 });
    let paused = seen.iter().filter(|(_, widths)| widths[1] == 0).count();
    assert!(paused <= 2 && seen.last().unwrap().1 == [320, 320], "{seen:?}");
}

/// Back from behind another window, from a scroll, from a mute: no hold-down, no climb from below.
#[test]
fn coming_back_is_no_upgrade() {
    let camera = camera();
    let mut sources = [source(Class::OnStage, &camera)];
    let now = Instant::now();
    decide(&mut sources, kbps(2_500), now);
    sources[0].showing.visible = false;
    assert_eq!(widths(&decide(&mut sources, kbps(2_500), now + ms(100))), [0]);
    sources[0].showing.visible = true;
    assert_eq!(widths(&decide(&mut sources, kbps(2_500), now + ms(200))), [1280]);
    sources[0].muted = true;
    assert_eq!(widths(&decide(&mut sources, kbps(300), now + ms(300))), [1280], "kept ready");
    sources[0].muted = false;
    assert_eq!(widths(&decide(&mut sources, kbps(800), now + ms(400))), [640]);
    assert_eq!(widths(&decide(&mut sources, kbps(2_500), now + ms(500))), [1280], "no hold-down");
}

/// A wobble of 10 % around the very cost of a rung, for ten minutes.
#[test]
fn a_noisy_estimate_switches_seldom() {
    let camera = camera();
    let mut sources = [source(Class::OnStage, &camera), shown(Class::Thumbnail, &camera, 320)];
    let mut random = 1_u64;
    let mut noise = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % 400
    };
    let estimates: Vec<_> = (0..6_000).map(|_| 1_800 + noise()).collect();
    let seen = changes(&mut sources, Instant::now(), 6_000, |step| estimates[step as usize]);
    let after_the_first_minute = seen.iter().filter(|(step, _)| *step >= 600).count();
    assert!(seen.len() - after_the_first_minute <= 12, "{seen:?}");
    assert!(after_the_first_minute <= 2 * 9, "{after_the_first_minute} in nine minutes: {seen:?}");
}

/// An estimate is only as old as what was tried: what flows without a queue is not taken back for it.
#[test]
fn only_congestion_takes_anything_back() {
    let camera = camera();
    let mut sources = [source(Class::OnStage, &camera), source(Class::Thumbnail, &camera)];
    let now = Instant::now();
    let calm = Budget { congested: false, ..kbps(1_000) };
    assert_eq!(widths(&decide(&mut sources, kbps(2_500), now)), [1280, 320]);
    assert_eq!(widths(&decide(&mut sources, calm, now + ms(100))), [1280, 320]);
    sources[0].showing = Showing { width: 640, height: 360, ..Showing::default() };
    assert_eq!(widths(&decide(&mut sources, calm, now + ms(200))), [640, 320], "and nothing is added");
    assert_eq!(widths(&decide(&mut sources, kbps(600), now + ms(300))), [320, 320]);
}

/// An estimate that nothing tests: a paused picture is tried on a calm connection, ever less often when that fails.
#[test]
fn a_paused_picture_tries_its_luck() {
    let (tiny, single) = ([rung(0, 0, 10, 320, 30)], [rung(0, 0, 400, 640, 30)]);
    let mut sources = [source(Class::OnStage, &tiny), source(Class::Thumbnail, &single)];
    let start = Instant::now();
    let mut last = 400;
    decide(&mut sources, kbps(600), start);
    let mut tries = Vec::new();
    for step in 1..1_000_u64 {
        let short = last > 0;
        let budget = Budget { congested: short, untested: !short, ..kbps(200) };
        let now = widths(&decide(&mut sources, budget, start + ms(100 * step)))[1];
        if now > 0 {
            tries.push(step);
        }
        last = now;
    }
    let waits: Vec<_> = tries.windows(2).map(|pair| (pair[1] - pair[0]) / 10).collect();
    assert_eq!(waits, [2, 5, 10, 20, 20, 20, 20]);
    let mut sources = [source(Class::OnStage, &tiny), source(Class::Thumbnail, &single)];
    let hopeless = Budget { congested: false, untested: true, ..kbps(100) };
    assert_eq!(widths(&decide(&mut sources, hopeless, start)), [320, 0]);
}

/// What failed is the level it was taken down from; the ones below come back after the first hold-down.
#[test]
fn a_hold_down_that_doubled_keeps_nobody_from_lower_levels() {
    let camera = camera();
    let mut sources = [source(Class::OnStage, &camera)];
    let start = Instant::now();
    let mut now = start;
    // Twice up to the largest picture, and soon down to the smallest.
    for pause in [6_000, 11_000] {
        assert_eq!(widths(&decide(&mut sources, kbps(3_000), now)), [1280]);
        now += ms(2_000);
        assert_eq!(widths(&decide(&mut sources, kbps(200), now)), [320]);
        now += ms(pause);
    }
    // The second hold-down of the largest lasts 10 s and the third 20; the middle one is free after 5.
    assert_eq!(widths(&decide(&mut sources, kbps(3_000), now)), [1280]);
    now += ms(2_000);
    assert_eq!(widths(&decide(&mut sources, kbps(200), now)), [320]);
    let calm = Budget { congested: false, ..kbps(3_000) };
    assert_eq!(widths(&decide(&mut sources, calm, now + ms(4_000))), [320]);
    assert_eq!(widths(&decide(&mut sources, calm, now + ms(6_000))), [640]);
    assert_eq!(widths(&decide(&mut sources, calm, now + ms(30_000))), [1280]);
}
