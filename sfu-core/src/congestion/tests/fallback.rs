//! Receivers that report no more than REMB and loss.

use super::super::fallback::Fallback;
use super::super::{CongestionController, SentClass};
use std::time::{Duration, Instant};

#[test]
fn nothing_known_bounds_nothing() {
    let now = Instant::now();
    let mut controller = CongestionController::new(now);
    assert_eq!(controller.estimate(now), None);
    controller.on_report_loss(now, 0.0);
    assert_eq!(controller.estimate(now), None);
}

#[test]
fn a_remb_bounds_until_it_is_old() {
    let now = Instant::now();
    let mut controller = CongestionController::new(now);
    controller.on_remb(now, 700_000);
    assert_eq!(controller.estimate(now + Duration::from_secs(9)).unwrap().bps, 700_000);
    assert_eq!(controller.estimate(now + Duration::from_secs(11)), None);
}

#[test]
fn heavy_loss_lowers_and_its_end_raises_until_nothing_is_bound() {
    let mut fallback = Fallback::default();
    fallback.on_report_loss(0.2, 1e6);
    assert_eq!(fallback.bound(0), Some(0.9e6));
    fallback.on_report_loss(0.05, 0.9e6);
    assert_eq!(fallback.bound(0), Some(0.9e6));
    for _ in 0..20 {
        fallback.on_report_loss(0.0, 0.9e6);
    }
    assert_eq!(fallback.bound(0), None);
}

#[test]
fn with_transport_feedback_loss_reports_say_nothing_new() {
    let start = Instant::now();
    let mut controller = CongestionController::new(start);
    super::feedback::exchange(&mut controller, start, 0, 20, 10);
    let now = start + Duration::from_secs(1);
    let before = controller.estimate(now).unwrap().bps;
    controller.on_sent(now, 1_200, SentClass::Video);
    controller.on_report_loss(now, 0.9);
    assert_eq!(controller.estimate(now).unwrap().bps, before);
}
