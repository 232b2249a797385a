//! Video rests when nothing of it gets through, says why, and comes back without swinging.

use super::*;

fn at(second: u64) -> MonoTime {
    MonoTime::from_micros(second * 1_000_000)
}

const GOOD: VideoSample = VideoSample { available: Some(2_000_000), needed: 200_000, loss: Some(0.0), frozen: Some(0.0) };

fn run(
    fallback: &mut Fallback,
    seconds: core::ops::Range<u64>,
    second: impl Fn(u64, bool) -> VideoSample,
) -> Vec<(u64, bool, FallbackReason)> {
    let mut changes = Vec::new();
    for now in seconds {
        let sample = second(now, fallback.is_paused());
        changes.extend(fallback.observe(at(now), sample).map(|reason| (now, fallback.is_paused(), reason)));
    }
    changes
}

#[test]
fn whatever_makes_pictures_impossible_pauses_them_and_is_named() {
    let cases = [
        (VideoSample { available: Some(120_000), ..GOOD }, FallbackReason::Bandwidth),
        (VideoSample { loss: Some(0.4), ..GOOD }, FallbackReason::Loss),
        (VideoSample { frozen: Some(0.8), ..GOOD }, FallbackReason::Frozen),
    ];
    for (bad, reason) in cases {
        let mut fallback = Fallback::default();
        assert_eq!(run(&mut fallback, 0..10, |_, _| GOOD), []);
        assert_eq!(run(&mut fallback, 10..16, |_, _| bad), [(14, true, reason)], "five seconds of it");
    }
}

#[test]
fn a_dip_is_no_reason() {
    let dips = |now: u64, _| if now % 8 < 4 { VideoSample { available: Some(100_000), ..GOOD } } else { GOOD };
    assert_eq!(run(&mut Fallback::default(), 0..120, dips), []);
}

#[test]
fn without_video_there_is_nothing_to_pause() {
    let none = VideoSample { available: Some(10_000), needed: 0, ..GOOD };
    assert_eq!(run(&mut Fallback::default(), 0..60, |_, _| none), []);
    assert_eq!(
        run(&mut Fallback::default(), 0..60, |_, _| VideoSample { needed: 200_000, ..VideoSample::default() }),
        [],
        "nothing is known"
    );
}

#[test]
fn it_comes_back_when_the_path_has_room_to_spare() {
    let mut fallback = Fallback::default();
    run(&mut fallback, 0..10, |_, _| VideoSample { available: Some(120_000), loss: Some(0.1), ..GOOD });
    assert!(fallback.is_paused());
    let changes = run(&mut fallback, 10..30, |_, _| GOOD);
    assert_eq!(changes, [(15, false, FallbackReason::Recovered)]);
}

#[test]
fn a_path_that_carries_voices_only_cannot_show_room_so_it_is_tried() {
    let mut fallback = Fallback::default();
    let narrow = VideoSample { available: Some(120_000), ..GOOD };
    run(&mut fallback, 0..5, |_, _| narrow);
    let changes = run(&mut fallback, 5..40, |_, paused| if paused { narrow } else { GOOD });
    assert_eq!(changes, [(20, false, FallbackReason::Retry)]);
}

#[test]
fn not_while_much_is_lost() {
    let mut fallback = Fallback::default();
    run(&mut fallback, 0..300, |_, _| VideoSample { loss: Some(0.4), ..GOOD });
    assert!(fallback.is_paused());
    let still = run(&mut fallback, 300..400, |_, _| VideoSample { loss: Some(0.1), ..GOOD });
    assert_eq!(still, []);
    assert_eq!(run(&mut fallback, 400..420, |_, _| GOOD).len(), 1);
}

#[test]
fn a_path_that_never_holds_it_is_tried_ever_more_seldom() {
    let narrow = VideoSample { available: Some(120_000), ..GOOD };
    let changes = run(&mut Fallback::default(), 0..600, |_, _| narrow);
    let returns: Vec<_> = changes.iter().filter(|(_, paused, _)| !paused).map(|(when, ..)| *when).collect();
    assert!((4..=6).contains(&returns.len()), "{changes:?}");
    assert!(returns.windows(3).all(|three| three[2] - three[1] >= three[1] - three[0]), "{returns:?}");
}

#[test]
fn an_estimate_at_the_border_does_not_make_it_swing() {
    let changes = run(&mut Fallback::default(), 0..600, |now, _| VideoSample {
        available: Some(if now % 9 < 5 { 190_000 } else { 310_000 }),
        ..GOOD
    });
    assert!(changes.len() <= 14, "{} changes in ten minutes: {changes:?}", changes.len());
}
