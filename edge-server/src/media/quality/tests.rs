use super::*;
use nearcast_protocol::{LayerReason, QualityCause, QualityLevel};
use std::time::Duration;

fn track(video: bool, way: Way) -> TrackReport {
    let jitter = Some(Duration::from_millis(3));
    TrackReport { video, way, silent: false, loss: Some(0.0), jitter, reason: None, lines: None }
}

fn report(tracks: &[TrackReport]) -> LinkReport {
    LinkReport { round_trip: Some(Duration::from_millis(40)), lost: false, tracks: tracks.to_vec() }
}

fn first(report: &LinkReport) -> LinkScore {
    scorer().score(Instant::now(), report)
}

#[test]
fn a_clean_connection_is_excellent_and_nothing_known_is_nothing_said() {
    let clean = first(&report(&[track(false, Way::Up), track(true, Way::Down)]));
    assert_eq!((clean.level, clean.cause), (QualityLevel::Excellent, QualityCause::Unknown));
    assert!(clean.score > 90, "{clean:?}");
    assert_eq!(first(&LinkReport::default()).level, QualityLevel::Unknown);
}

#[test]
fn the_cause_is_named() {
    let lossy = |way| TrackReport { loss: Some(0.15), ..track(true, way) };
    assert_eq!(first(&report(&[track(false, Way::Up), lossy(Way::Up)])).cause, QualityCause::UplinkLoss);
    assert_eq!(first(&report(&[lossy(Way::Down)])).cause, QualityCause::DownlinkLoss);
    let far = LinkReport { round_trip: Some(Duration::from_millis(700)), ..report(&[track(false, Way::Down)]) };
    assert_eq!(first(&far).cause, QualityCause::Delay);
    let held = TrackReport { reason: Some(LayerReason::Bandwidth), lines: Some((180, 720)), ..track(true, Way::Down) };
    assert_eq!(first(&report(&[held])).cause, QualityCause::Bandwidth);
}

#[test]
fn an_outage_shows_at_once_and_recovery_within_ten_seconds() {
    let (mut scorer, start) = (scorer(), Instant::now());
    let clean = report(&[track(false, Way::Up)]);
    assert_eq!(scorer.score(start, &clean).level, QualityLevel::Excellent);
    let lost = LinkReport { lost: true, ..clean.clone() };
    let down = scorer.score(start + Duration::from_secs(1), &lost);
    assert_eq!((down.level, down.score), (QualityLevel::Lost, 0));
    let back = (2..12).map(|second| scorer.score(start + Duration::from_secs(second), &clean).level);
    assert!(back.take_while(|level| *level < QualityLevel::Good).count() < 9, "good again");
}
