//! Who is served first.

use super::*;

#[test]
fn on_stage_first_and_thumbnails_wait_at_their_lowest() {
    let camera = camera();
    let mut sources = vec![source(Class::Thumbnail, &camera); 3];
    sources.push(source(Class::OnStage, &camera));
    let now = Instant::now();
    for (budget, gets) in [
        (600, [320, 320, 320, 320]),
        (1_200, [320, 320, 320, 640]),
        (2_400, [320, 320, 320, 640]), // the thumbnails could have more, and wait
        (2_600, [320, 320, 320, 1280]),
        (2_900, [640, 320, 320, 1280]),
        (3_800, [640, 640, 640, 1280]),
    ] {
        assert_eq!(widths(&allocate(&sources, kbps(budget), now)), gets, "at {budget} kbit/s");
    }
}

/// What the stage can't get because nobody sends it, it doesn't wait for.
#[test]
fn a_dead_top_on_stage_holds_nobody_up() {
    let camera = camera();
    let mut dead = camera.clone();
    dead[2].live = false;
    let sources = [source(Class::Thumbnail, &camera), source(Class::OnStage, &dead)];
    assert_eq!(widths(&allocate(&sources, kbps(3_000), Instant::now())), [1280, 640]);
}

#[test]
fn a_screen_before_the_stage_and_the_speaker_before_the_rest() {
    let camera = camera();
    let sources = [Class::Thumbnail, Class::Speaker, Class::OnStage, Class::Screen].map(|class| source(class, &camera));
    let now = Instant::now();
    assert_eq!(widths(&allocate(&sources, kbps(2_500), now)), [320, 320, 320, 1280]);
    assert_eq!(widths(&allocate(&sources, kbps(3_000), now)), [320, 320, 640, 1280]);
    assert_eq!(widths(&allocate(&sources, kbps(4_800), now)), [320, 640, 1280, 1280]);
}

/// Within a class nobody gets a second step before everybody could have the first.
#[test]
fn equals_climb_together() {
    let camera = camera();
    let sources = [source(Class::Thumbnail, &camera); 3];
    let now = Instant::now();
    assert_eq!(widths(&allocate(&sources, kbps(1_400), now)), [640, 640, 320]);
    assert_eq!(widths(&allocate(&sources, kbps(1_800), now)), [640, 640, 640]);
    assert_eq!(widths(&allocate(&sources, kbps(3_200), now)), [1280, 640, 640]);
}

#[test]
fn pausing_is_the_last_resort_and_takes_the_least_important_first() {
    let camera = camera();
    let sources = [Class::Thumbnail, Class::Thumbnail, Class::OnStage].map(|class| source(class, &camera));
    let now = Instant::now();
    assert_eq!(widths(&allocate(&sources, kbps(460), now)), [320, 320, 320]);
    assert_eq!(widths(&allocate(&sources, kbps(400), now)), [320, 0, 320]);
    assert_eq!(widths(&allocate(&sources, kbps(200), now)), [0, 0, 320]);
    assert_eq!(widths(&allocate(&sources, kbps(100), now)), [0, 0, 320], "one runs whatever the estimate");
}

#[test]
fn audio_is_paid_first() {
    let camera = camera();
    let budget = Budget { estimate: Some(1_900 * KBPS), reserved: 0, congested: true, untested: false, starting: false };
    let sources = [source(Class::OnStage, &camera)];
    assert_eq!(widths(&allocate(&sources, Budget { estimate: Some(2_000 * KBPS), ..budget }, Instant::now())), [1280]);
    assert_eq!(
        widths(&allocate(
            &sources,
            Budget { estimate: Some(2_000 * KBPS), reserved: 400 * KBPS, congested: true, untested: false, starting: false },
            Instant::now()
        )),
        [640]
    );
}

/// A pin takes effect at once, even where nothing may grow: the others make room.
#[test]
fn a_pin_needs_no_more_bandwidth() {
    let camera = camera();
    let mut sources = [source(Class::Thumbnail, &camera), source(Class::Thumbnail, &camera)];
    let now = Instant::now();
    decide(&mut sources, kbps(3_000), now);
    assert_eq!(widths(&decide(&mut sources, kbps(1_300), now + ms(100))), [640, 640], "a cut");
    sources[1].class = Class::OnStage;
    sources[1].memory.forgive();
    sources[0].memory.forgive();
    assert_eq!(widths(&decide(&mut sources, kbps(2_200), now + ms(200))), [320, 1280]);
}

/// Just after a cut what is freed is not handed to somebody else.
#[test]
fn a_cut_lets_nobody_else_grow() {
    let camera = camera();
    let mut sources = [shown(Class::Thumbnail, &camera, 640), shown(Class::OnStage, &camera, 1280)];
    let now = Instant::now();
    assert_eq!(widths(&decide(&mut sources, kbps(2_600), now)), [640, 1280]);
    sources[0].showing.width = 320;
    sources[0].showing.height = 180;
    assert_eq!(widths(&decide(&mut sources, kbps(1_700), now + ms(100))), [320, 640]);
    sources[0].showing.width = 640;
    sources[0].showing.height = 360;
    assert_eq!(widths(&decide(&mut sources, kbps(1_700), now + ms(200))), [320, 640]);
    assert_eq!(widths(&decide(&mut sources, kbps(1_700), now + ms(5_200))), [320, 640], "the stage wants more");
}
