//! Every decision says why not more.

use super::*;
use LayerReason::{Bandwidth, Best, Hidden, HoldDown, Muted, Publisher, Wished};

fn reason_of(source: Source<'_>, budget: Budget) -> LayerReason {
    allocate(&[source], budget, Instant::now()).decisions[0].reason
}

#[test]
fn one_source() {
    let camera = camera();
    let layered = layered_camera();
    let mut dead = camera.clone();
    dead[2].live = false;
    let hidden = Showing { visible: false, ..Showing::default() };
    let slow = Showing { max_fps: 15, ..Showing::default() };
    assert_eq!(reason_of(source(Class::OnStage, &camera), UNLIMITED), Best);
    assert_eq!(reason_of(shown(Class::OnStage, &camera, 1280), UNLIMITED), Best);
    assert_eq!(reason_of(shown(Class::OnStage, &camera, 640), UNLIMITED), Wished);
    assert_eq!(reason_of(Source { showing: slow, ..source(Class::OnStage, &layered) }, UNLIMITED), Wished);
    assert_eq!(reason_of(Source { showing: hidden, ..source(Class::OnStage, &camera) }, UNLIMITED), Hidden);
    assert_eq!(reason_of(Source { muted: true, ..source(Class::OnStage, &camera) }, UNLIMITED), Muted);
    assert_eq!(reason_of(source(Class::OnStage, &dead), UNLIMITED), Publisher);
    assert_eq!(reason_of(shown(Class::OnStage, &dead, 640), UNLIMITED), Wished);
    assert_eq!(reason_of(source(Class::OnStage, &[]), UNLIMITED), Publisher);
    assert_eq!(reason_of(source(Class::OnStage, &camera), kbps(1_000)), Bandwidth);
    assert_eq!(reason_of(source(Class::OnStage, &camera), kbps(50)), Bandwidth);
}

#[test]
fn those_above_are_named_where_they_are_the_cause() {
    let camera = camera();
    let sources = [source(Class::Thumbnail, &camera), source(Class::OnStage, &camera)];
    let now = Instant::now();
    assert_eq!(reasons(&allocate(&sources, kbps(2_200), now)), [LayerReason::Priority, Best]);
    assert_eq!(reasons(&allocate(&sources, kbps(1_600), now)), [LayerReason::Priority, Bandwidth], "waits for the stage");
    assert_eq!(reasons(&allocate(&sources, kbps(360), now)), [Bandwidth, Bandwidth]);
    assert_eq!(reasons(&allocate(&sources, kbps(200), now)), [LayerReason::Priority, Bandwidth], "paused");
    let equals = [source(Class::Thumbnail, &camera); 2];
    assert_eq!(reasons(&allocate(&equals, kbps(2_600), now)), [Best, Bandwidth]);
}

#[test]
fn a_hold_down_is_named_when_it_alone_stands_in_the_way() {
    let camera = camera();
    let mut sources = [source(Class::OnStage, &camera)];
    let now = Instant::now();
    decide(&mut sources, kbps(2_500), now);
    assert_eq!(reasons(&decide(&mut sources, kbps(1_000), now + ms(100))), [Bandwidth]);
    assert_eq!(reasons(&decide(&mut sources, kbps(2_500), now + ms(200))), [HoldDown]);
}
