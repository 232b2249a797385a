//! Which rungs a subscriber can use.

use super::*;

fn alone(source: Source<'_>) -> (u16, u8) {
    pictures(&allocate(&[source], UNLIMITED, Instant::now()))[0]
}

#[test]
fn the_smallest_picture_that_covers_what_is_shown() {
    let camera = camera();
    for (shown_at, gets) in [(1, 320), (160, 320), (320, 320), (350, 320), (380, 640), (640, 640), (800, 1280), (3840, 1280)] {
        assert_eq!(alone(shown(Class::Thumbnail, &camera, shown_at)).0, gets, "shown at {shown_at}");
    }
}

/// A portrait tile, and a picture that a phone turned: only the area counts.
#[test]
fn the_other_way_round_is_the_same() {
    let camera = camera();
    let showing = Showing { width: 360, height: 640, ..Showing::default() };
    assert_eq!(alone(Source { showing, ..source(Class::Thumbnail, &camera) }).0, 640);
}

#[test]
fn one_known_side_is_enough() {
    let camera = camera();
    for showing in [Showing { width: 640, ..Showing::default() }, Showing { height: 360, ..Showing::default() }] {
        assert_eq!(alone(Source { showing, ..source(Class::Thumbnail, &camera) }).0, 640);
    }
}

#[test]
fn unknown_sizes_are_taken_for_a_quarter_a_half_and_a_whole() {
    let camera: Vec<_> = camera().iter().map(|rung| Rung { width: 0, height: 0, ..*rung }).collect();
    for (shown_at, encoding) in [(320, 0), (640, 1), (1280, 2)] {
        let allocation = allocate(&[shown(Class::Thumbnail, &camera, shown_at)], UNLIMITED, Instant::now());
        assert!(matches!(allocation.decisions[0].choice, Choice::Forward(rung) if rung.encoding == encoding), "shown at {shown_at}");
    }
    // One known size tells the others.
    let mut camera = camera;
    (camera[0].width, camera[0].height) = (480, 270);
    let allocation = allocate(&[shown(Class::Thumbnail, &camera, 960)], UNLIMITED, Instant::now());
    assert!(matches!(allocation.decisions[0].choice, Choice::Forward(rung) if rung.encoding == 1));
}

/// A publisher may name its largest encoding first.
#[test]
fn the_order_of_the_encodings_means_nothing() {
    let reversed: Vec<_> = camera().iter().rev().enumerate().map(|(at, rung)| Rung { encoding: at as u8, ..*rung }).collect();
    assert_eq!(alone(shown(Class::Thumbnail, &reversed, 320)).0, 320);
    assert_eq!(alone(shown(Class::Thumbnail, &reversed, 1280)).0, 1280);
}

#[test]
fn frame_rates_follow_the_wish() {
    let camera = layered_camera();
    for (max_fps, gets) in [(0, 30), (60, 30), (30, 30), (24, 30), (20, 15), (15, 15), (7, 7), (1, 7)] {
        let showing = Showing { width: 640, height: 360, max_fps, visible: true };
        assert_eq!(alone(Source { showing, ..source(Class::Thumbnail, &camera) }), (640, gets), "at most {max_fps}");
    }
}

#[test]
fn unknown_frame_rates_halve_with_each_layer() {
    let camera: Vec<_> = layered_camera().iter().map(|rung| Rung { fps: 0, ..*rung }).collect();
    let showing = Showing { max_fps: 15, ..Showing::default() };
    let allocation = allocate(&[Source { showing, ..source(Class::Thumbnail, &camera) }], UNLIMITED, Instant::now());
    assert!(matches!(allocation.decisions[0].choice, Choice::Forward(rung) if rung.target.temporal == 1));
}

/// Motion before size: a camera goes down to the next picture, and gives up frame rate only at the smallest.
#[test]
fn a_camera_keeps_its_motion() {
    let camera = layered_camera();
    for (budget, gets) in [(2_500, (1280, 30)), (1_500, (640, 30)), (400, (320, 30)), (110, (320, 30))] {
        let allocation = allocate(&[source(Class::OnStage, &camera)], kbps(budget), Instant::now());
        assert_eq!(pictures(&allocation)[0], gets, "at {budget} kbit/s");
    }
    // Only where there is something to save.
    let dear: Vec<_> = camera.iter().map(|rung| Rung { bitrate: rung.bitrate * 3, ..*rung }).collect();
    for (budget, gets) in [(600, (320, 30)), (480, (320, 15)), (330, (320, 7))] {
        let allocation = allocate(&[source(Class::OnStage, &dear)], kbps(budget), Instant::now());
        assert_eq!(pictures(&allocation)[0], gets, "at {budget} kbit/s");
    }
}

/// Sharpness before motion: a screen's text stays readable.
#[test]
fn a_screen_keeps_its_size() {
    let screen = layered_camera();
    let allocation = allocate(&[source(Class::Screen, &screen)], kbps(1_300), Instant::now());
    assert_eq!(pictures(&allocation)[0], (1280, 7));
}

#[test]
fn a_crowd_that_nobody_has_laid_out_gets_smaller_pictures() {
    let camera = camera();
    for (count, gets) in [(1, 1280), (4, 1280), (5, 640), (16, 640), (17, 320), (60, 320)] {
        let mut sources = vec![source(Class::Thumbnail, &camera); count];
        let on_stage = source(Class::OnStage, &camera);
        assert!(widths(&decide(&mut sources, UNLIMITED, Instant::now())).iter().all(|width| *width == gets), "{count}");
        sources.push(on_stage);
        assert_eq!(widths(&decide(&mut sources, UNLIMITED, Instant::now())).last(), Some(&1280), "on stage among {count}");
    }
}

/// A publisher whose top layer stops must not freeze its viewers; that it is wanted is known.
#[test]
fn a_dead_rung_is_not_chosen_but_pursued() {
    let mut camera = camera();
    camera[2].live = false;
    let allocation = allocate(&[source(Class::OnStage, &camera)], UNLIMITED, Instant::now());
    assert_eq!(widths(&allocation), [640]);
    assert_eq!(allocation.decisions[0].pursued.map(|rung| rung.encoding), Some(2));
    camera[1].live = false;
    assert_eq!(widths(&allocate(&[shown(Class::Thumbnail, &camera, 640)], UNLIMITED, Instant::now())), [320]);
}

/// Where only something too large is left, it is better than nothing.
#[test]
fn a_larger_live_rung_stands_in_for_a_dead_small_one() {
    let mut camera = camera();
    camera[0].live = false;
    let allocation = allocate(&[shown(Class::Thumbnail, &camera, 320)], UNLIMITED, Instant::now());
    assert_eq!(widths(&allocation), [640]);
    assert_eq!(allocation.decisions[0].pursued.map(|rung| rung.encoding), Some(0));
}

#[test]
fn with_nothing_live_the_smallest_is_waited_for_and_the_wanted_pursued() {
    let camera: Vec<_> = camera().iter().map(|rung| Rung { live: false, ..*rung }).collect();
    let allocation = allocate(&[shown(Class::Thumbnail, &camera, 640)], UNLIMITED, Instant::now());
    assert_eq!(widths(&allocation), [320]);
    assert_eq!(allocation.decisions[0].pursued.map(|rung| rung.width), Some(640));
    assert_eq!(allocate(&[source(Class::Thumbnail, &[])], kbps(1), Instant::now()).decisions[0].choice, Choice::Await);
}

/// What there is no room for isn't worth the publisher's effort; that it isn't sent then is for want of bandwidth.
#[test]
fn only_what_is_within_reach_is_pursued() {
    let mut camera = camera();
    camera[2].live = false;
    let decision = |budget| allocate(&[source(Class::OnStage, &camera)], kbps(budget), Instant::now()).decisions[0];
    assert_eq!((decision(1_600).pursued, decision(1_600).reason), (None, LayerReason::Bandwidth));
    assert_eq!((decision(2_000).pursued.map(|rung| rung.encoding), decision(2_000).reason), (Some(2), LayerReason::Publisher));
}
