//! Published values of G.107 and G.113, what a person would say of typical calls, and what must hold for any numbers.

use super::audio::BEST_R;
use super::*;
use crate::MonoTime;
use core::time::Duration;
use proptest::prelude::*;

fn score(measured: Measured) -> f32 {
    rate(&measured).unwrap().score()
}

fn point(measured: Measured, term: Term) -> f32 {
    rate(&measured).unwrap().points[term as usize]
}

const MICROPHONE: Measured = Measured {
    media: Media::Audio(Repair::None),
    direction: Direction::Uplink,
    silent: false,
    rtt_ms: Some(40.0),
    jitter_ms: Some(3.0),
    buffer_ms: None,
    loss: Some(0.0),
    burst: None,
    concealed: None,
    freeze: None,
    fps: None,
    fps_asked: None,
    fps_source: None,
    lines: None,
    lines_asked: None,
    qp: None,
    busy: None,
    limit: Limit::None,
    layer: None,
};

const CAMERA: Measured = Measured {
    media: Media::Video(Some(Codec::Vp8)),
    direction: Direction::Downlink,
    freeze: Some(0.0),
    fps: Some(30.0),
    fps_asked: Some(30.0),
    lines: Some(720.0),
    lines_asked: Some(720.0),
    qp: Some(25.0),
    ..MICROPHONE
};

/// Annex B of G.107: R and MOS, to two places.
#[test]
fn opinion_follows_g107_annex_b() {
    for (r, opinion) in [(93.2, 4.41), (90.0, 4.34), (80.0, 4.03), (70.0, 3.60), (60.0, 3.10), (50.0, 2.58)] {
        assert!((mos(r) - opinion).abs() < 0.011, "R {r}: {}", mos(r));
    }
    assert_eq!((mos(-5.0), mos(0.0), mos(3.0), mos(100.0), mos(120.0)), (1.0, 1.0, 1.0, 4.5, 4.5));
}

/// Appendix I of G.113: impairment of two codecs by percent of packets lost at random, which Ie and Bpl of the same appendix reproduce.
#[test]
fn impairment_follows_g113_appendix_i() {
    let g729a = [(0.0, 11.0), (0.5, 13.0), (1.0, 15.0), (1.5, 17.0), (2.0, 19.0), (3.0, 23.0), (4.0, 26.0), (8.0, 36.0), (16.0, 49.0)];
    let g723 = [(0.0, 15.0), (0.5, 17.0), (1.0, 19.0), (1.5, 22.0), (2.0, 24.0), (3.0, 27.0), (4.0, 32.0), (8.0, 41.0), (16.0, 55.0)];
    for (ie, bpl, table) in [(11.0, 19.0, g729a), (15.0, 16.1, g723)] {
        for (loss, expected) in table {
            let ours = effective_impairment(ie, bpl, loss, 1.0);
            assert!((ours - expected).abs() < 1.2, "{loss} %: {ours} for {expected}");
        }
    }
}

/// Eq. 7-29: bursts twice as long as random ones do the harm of a codec half as robust would.
#[test]
fn bursts_hurt_more_than_single_losses() {
    let (random, bursty) = (effective_impairment(0.0, 20.0, 5.0, 1.0), effective_impairment(0.0, 20.0, 5.0, 2.0));
    assert!((random - 19.0).abs() < 0.01 && (bursty - 95.0 * 5.0 / 22.5).abs() < 0.01);
}

#[test]
fn the_table_of_delay_is_the_formula() {
    let formula = |ms: f64| {
        let x = (ms / 100.0).log2();
        let root = |x: f64| (1.0 + x.powi(6)).powf(1.0 / 6.0);
        25.0 * (root(x) - 3.0 * root(x / 3.0) + 2.0)
    };
    for ms in 100..=1400_u16 {
        // All of the delay in the buffer: what is left of the codec's share is subtracted.
        let measured = Measured { rtt_ms: Some(0.0), buffer_ms: Some(f32::from(ms) - 26.5), ..MICROPHONE };
        let ours = f64::from((100.0 - score(measured)) * BEST_R / 100.0);
        assert!((ours - formula(f64::from(ms))).abs() < 0.5, "{ms} ms: {ours} for {}", formula(f64::from(ms)));
    }
}

/// The whole model at its defaults: R = 93.2, which is MOS 4.41.
#[test]
fn a_perfect_call_has_all_points() {
    assert_eq!((score(MICROPHONE), score(CAMERA)), (100.0, 100.0));
    assert!((mos(score(MICROPHONE) * BEST_R / 100.0) - 4.41).abs() < 0.005);
    assert_eq!(rate(&MICROPHONE).unwrap().cause, Cause::Unknown);
}

#[test]
fn a_copy_in_the_next_packet_saves_single_losses_but_not_bursts() {
    let at = |repair, loss, burst| score(Measured { media: Media::Audio(repair), loss: Some(loss), burst: Some(burst), ..MICROPHONE });
    assert!(at(Repair::None, 0.1, 1.0) < 67.0);
    assert!(at(Repair::Red, 0.1, 1.0) > 94.0);
    assert!((70.0..94.0).contains(&at(Repair::Fec, 0.1, 1.0)));
    assert!(at(Repair::Red, 0.1, 3.0) < at(Repair::Red, 0.1, 1.0) - 15.0);
    assert!((residual_loss(0.1, 1.0, Repair::Red) - 0.01).abs() < 1e-6);
}

#[test]
fn what_was_concealed_counts_more_than_what_was_lost() {
    let repaired = Measured { loss: Some(0.2), concealed: Some(0.0), ..MICROPHONE };
    assert_eq!(score(repaired), 100.0);
    assert!(score(Measured { loss: Some(0.0), concealed: Some(0.1), ..MICROPHONE }) < 67.0);
}

/// Satellite, and a phone on the edge of its cell.
#[test]
fn delay_and_jitter_are_told_apart() {
    let satellite = rate(&Measured { rtt_ms: Some(600.0), ..MICROPHONE }).unwrap();
    assert_eq!(satellite.cause, Cause::Delay);
    assert!((60.0..85.0).contains(&satellite.score()));
    let edge_of_cell = Measured { direction: Direction::Downlink, buffer_ms: Some(300.0), ..MICROPHONE };
    assert_eq!(rate(&edge_of_cell).unwrap().cause, Cause::Jitter);
}

#[test]
fn loss_is_blamed_on_its_direction() {
    let lossy = Measured { loss: Some(0.15), ..MICROPHONE };
    assert_eq!(rate(&lossy).unwrap().cause, Cause::UplinkLoss);
    assert_eq!(rate(&Measured { direction: Direction::Downlink, ..lossy }).unwrap().cause, Cause::DownlinkLoss);
}

#[test]
fn a_picture_is_judged_by_what_was_asked_for() {
    let thumbnail = Measured { lines: Some(180.0), lines_asked: Some(180.0), fps: Some(15.0), fps_asked: Some(15.0), ..CAMERA };
    assert_eq!(score(thumbnail), 100.0);
    let held = Measured { lines: Some(180.0), layer: Some(LayerReason::Priority), ..CAMERA };
    let held = rate(&held).unwrap();
    assert_eq!((held.cause, held.layer), (Cause::LayerHeld, Some(LayerReason::Priority)));
    assert!((50.0..65.0).contains(&held.score()));
}

#[test]
fn causes_of_a_damaged_picture() {
    let cause = |measured| rate(&measured).unwrap().cause;
    let small = Measured { lines: Some(360.0), ..CAMERA };
    assert_eq!(cause(Measured { layer: Some(LayerReason::Bandwidth), ..small }), Cause::Bandwidth);
    assert_eq!(cause(Measured { limit: Limit::Bandwidth, ..small }), Cause::Bandwidth);
    assert_eq!(cause(Measured { limit: Limit::Cpu, ..small }), Cause::Cpu);
    let slow = Measured { fps: Some(10.0), ..CAMERA };
    assert_eq!(cause(slow), Cause::Unknown);
    assert_eq!(cause(Measured { fps_source: Some(10.0), ..slow }), Cause::Camera);
    assert_eq!(cause(Measured { busy: Some(1.2), ..slow }), Cause::Cpu);
    let frozen = Measured { freeze: Some(0.4), ..CAMERA };
    assert_eq!(cause(Measured { loss: Some(0.05), ..frozen }), Cause::DownlinkLoss);
    assert_eq!(cause(Measured { jitter_ms: Some(60.0), ..frozen }), Cause::Jitter);
}

#[test]
fn a_frozen_picture_is_paid_once() {
    let frozen = Measured { freeze: Some(0.3), fps: Some(21.0), ..CAMERA };
    assert_eq!((point(frozen, Term::Freeze), point(frozen, Term::FrameRate)), (50.0, 0.0));
}

#[test]
fn quantisers_count_on_their_own_scale() {
    let at = |codec, qp| point(Measured { media: Media::Video(codec), qp: Some(qp), ..CAMERA }, Term::Sharpness);
    assert_eq!((at(Some(Codec::Vp8), 95.0), at(Some(Codec::Vp9), 95.0), at(Some(Codec::H264), 37.0)), (15.0, 0.0, 15.0));
    assert_eq!(at(None, 255.0), 0.0);
}

#[test]
fn silence_is_no_score_at_all() {
    let silent = rate(&Measured { silent: true, ..MICROPHONE }).unwrap();
    assert_eq!((silent.score(), silent.cause), (0.0, Cause::UplinkLoss));
    assert_eq!(rate(&Measured { silent: true, fps_source: Some(0.0), ..CAMERA }).unwrap().cause, Cause::Camera);
}

#[test]
fn nothing_known_is_no_score() {
    let unknown = Measured { fps: Some(30.0), lines_asked: Some(720.0), ..Measured::default() };
    for media in [Media::Audio(Repair::Red), Media::Video(Some(Codec::Vp8))] {
        assert_eq!(rate(&Measured { media, ..unknown }), None);
        assert_eq!(rate(&Measured { media, rtt_ms: Some(f32::NAN), loss: Some(-1.0), ..unknown }), None);
    }
    assert_eq!(Gauge::default().update(MonoTime::default(), None).level, Level::Unknown);
}

#[test]
fn a_blend_weighs_sound_more() {
    let mut blend = Blend::default();
    blend.add(None, 5.0);
    assert_eq!(blend.rating(), None);
    blend.add(rate(&Measured { loss: Some(0.3), ..MICROPHONE }), 2.0);
    let alone = blend.rating().unwrap();
    blend.add(rate(&CAMERA), 1.0);
    let both = blend.rating().unwrap();
    assert!((both.lost() - alone.lost() * 2.0 / 3.0).abs() < 0.01);
    assert_eq!(both.cause, Cause::UplinkLoss);
}

/// Ratings every `every` from `from`, until the level is `level`; after how long.
fn until(gauge: &mut Gauge, from: MonoTime, every: Duration, measured: Measured, level: Level) -> Duration {
    let mut now = from;
    for _ in 0..200 {
        now = now + every;
        if gauge.update(now, rate(&measured)).level == level {
            return now.since(from);
        }
    }
    panic!("never {level:?}: {:?}", gauge.quality());
}

#[test]
fn down_at_once_and_back_within_ten_seconds() {
    let (start, quarter) = (MonoTime::from_micros(7), Duration::from_millis(250));
    let lost = Measured { silent: true, ..MICROPHONE };
    let mut gauge = Gauge::default();
    assert_eq!(gauge.update(start, rate(&MICROPHONE)).level, Level::Excellent);
    assert_eq!(until(&mut gauge, start, quarter, lost, Level::Lost), quarter);
    let back = until(&mut gauge, start + quarter, quarter, MICROPHONE, Level::Good);
    assert!(back >= HOLD_AT_LEAST && back <= Duration::from_secs(6), "{back:?}");
    let best = until(&mut gauge, start + quarter + back, quarter, MICROPHONE, Level::Excellent);
    assert!(back + best <= Duration::from_secs(10), "{best:?}");
    assert_eq!(gauge.quality().cause, Cause::Unknown);
}

const HOLD_AT_LEAST: Duration = Duration::from_secs(2);

#[test]
fn the_cause_stays_while_it_gets_better() {
    let mut gauge = Gauge::default();
    let mut now = MonoTime::default();
    gauge.update(now, rate(&Measured { loss: Some(0.3), ..MICROPHONE }));
    now = now + Duration::from_millis(250);
    let shown = gauge.update(now, rate(&MICROPHONE));
    assert_eq!((shown.level, shown.cause), (Level::Poor, Cause::UplinkLoss));
}

#[test]
fn a_score_around_a_threshold_does_not_flicker() {
    let (mut gauge, mut now, mut changes) = (Gauge::default(), MonoTime::default(), 0);
    let mut level = gauge.update(now, rate(&MICROPHONE)).level;
    for turn in 0..240 {
        now = now + Duration::from_millis(250);
        // Two and four percent: 91 and 84 points, and the threshold at 85.
        let loss = if turn % 2 == 0 { 0.02 } else { 0.04 };
        let shown = gauge.update(now, rate(&Measured { loss: Some(loss), ..MICROPHONE }));
        changes += usize::from(shown.level != level);
        level = shown.level;
    }
    assert_eq!((changes, level), (1, Level::Good));
}

#[test]
fn an_old_score_is_forgotten() {
    let mut gauge = Gauge::default();
    gauge.update(MonoTime::default(), rate(&MICROPHONE));
    assert_eq!(gauge.update(MonoTime::from_micros(3_000_000), None).level, Level::Excellent);
    assert_eq!(gauge.update(MonoTime::from_micros(5_000_000), None), Quality::default());
}

fn number() -> impl Strategy<Value = Option<f32>> {
    let odd = prop::sample::select(vec![f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1.0, 0.0, f32::MIN_POSITIVE, f32::MAX, 1.0]);
    prop_oneof![2 => Just(None), 4 => (0.0..2000.0_f32).prop_map(Some), 4 => (0.0..1.0_f32).prop_map(Some), 1 => odd.prop_map(Some)]
}

fn measured() -> impl Strategy<Value = Measured> {
    let media = vec![
        Media::Audio(Repair::None),
        Media::Audio(Repair::Fec),
        Media::Audio(Repair::Red),
        Media::Video(None),
        Media::Video(Some(Codec::H264)),
        Media::Video(Some(Codec::Av1)),
    ];
    let choices = (prop::sample::select(media), any::<bool>(), prop::bool::weighted(0.05), 0..3_u8);
    (choices, prop::collection::vec(number(), 14)).prop_map(|((media, up, silent, limit), n)| Measured {
        media,
        direction: if up { Direction::Uplink } else { Direction::Downlink },
        silent,
        rtt_ms: n[0],
        jitter_ms: n[1],
        buffer_ms: n[2],
        loss: n[3],
        burst: n[4],
        concealed: n[5],
        freeze: n[6],
        fps: n[7],
        fps_asked: n[8],
        fps_source: n[9],
        lines: n[10],
        lines_asked: n[11],
        qp: n[12],
        busy: n[13],
        limit: [Limit::None, Limit::Cpu, Limit::Bandwidth][usize::from(limit)],
        layer: None,
    })
}

proptest! {
    #[test]
    fn points_and_score_make_a_hundred(measured in measured()) {
        if let Some(rating) = rate(&measured) {
            let lost: f32 = rating.points.iter().sum();
            prop_assert!((lost + rating.score() - 100.0).abs() < 0.001);
            prop_assert!((-0.001..=100.0).contains(&rating.score()), "{:?}", rating);
            prop_assert!(rating.points.iter().all(|point| (0.0..=100.001).contains(point)), "{:?}", rating);
        }
    }

    #[test]
    fn no_number_makes_a_wrong_score(all in prop::collection::vec((measured(), 0..5_000_000_u64), 1..20)) {
        let (mut gauge, mut now) = (Gauge::default(), 0);
        for (measured, passed) in all {
            now += passed;
            let shown = gauge.update(MonoTime::from_micros(now), rate(&measured));
            prop_assert!(shown.score <= 100 && shown.points.iter().all(|point| point.is_finite()), "{:?}", shown);
            prop_assert!(shown.level != Level::Unknown || shown.score == 0);
        }
    }

    #[test]
    fn more_loss_is_never_better(measured in measured(), more in 0.0..1.0_f32) {
        let clean = Measured { silent: false, loss: Some(0.0), concealed: None, ..measured };
        let lossy = Measured { loss: Some(more), ..clean };
        prop_assert!(score(lossy) <= score(clean) + 0.001);
    }
}
