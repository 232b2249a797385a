//! Readings of real browsers, and of browsers that lack, forget and confuse things.

use super::*;
use crate::quality::{Gauge, rate};
use crate::time::MonoTime;
use proptest::prelude::*;

/// What npm/src/flatten.ts makes of the dumps beside these files; its tests hold the two together.
const CHROMIUM: &str = include_str!("../../../npm/test/fixtures/stats/chromium-156.flat.txt");
const FIREFOX: &str = include_str!("../../../npm/test/fixtures/stats/firefox-153.flat.txt");
const SAFARI: &str = include_str!("../../../npm/test/fixtures/stats/safari-shape.flat.txt");

fn readings(text: &str) -> Vec<Vec<f64>> {
    text.split("\n\n").map(|reading| reading.split_whitespace().map(|number| number.parse().unwrap()).collect()).collect()
}

fn measured(text: &str) -> (Stats, Vec<Track>) {
    let mut stats = Stats::default();
    readings(text).iter().for_each(|reading| stats.read(reading));
    let tracks = stats.tracks();
    (stats, tracks)
}

fn of(tracks: &[Track], direction: Direction, section: u32) -> Measured {
    tracks.iter().find(|track| (track.direction, track.section) == (direction, section)).unwrap().measured
}

fn close(ours: Option<f32>, expected: f32) -> bool {
    ours.is_some_and(|ours| (ours - expected).abs() < 0.01 * expected.abs().max(0.01))
}

#[test]
fn chromium_says_nearly_everything() {
    let (stats, tracks) = measured(CHROMIUM);
    assert_eq!(tracks.len(), 4);
    assert_eq!((stats.way().rtt_ms(), stats.way().sendable(), stats.way().is_doubtful()), (Some(2.0), Some(3_115_200.0), false));
    let camera = of(&tracks, Direction::Uplink, 1);
    assert_eq!((camera.media, camera.limit, camera.loss), (Media::Video(Some(Codec::Vp8)), Limit::None, Some(0.0)));
    // 20 frames in 1.001765 s, 40 quantisers for them, 60 ms of encoding.
    assert!(close(camera.fps, 19.96) && close(camera.qp, 2.0) && close(camera.busy, 0.0599), "{camera:?}");
    assert_eq!((camera.lines, camera.lines_asked, camera.fps_source), (Some(360.0), Some(360.0), Some(19.0)));
    let voice = of(&tracks, Direction::Downlink, 0);
    assert_eq!((voice.loss, voice.concealed), (Some(0.0), Some(0.0)));
    // 2880 s of waiting for 48,000 samples.
    assert!(close(voice.buffer_ms, 60.0), "{voice:?}");
    let picture = of(&tracks, Direction::Downlink, 1);
    assert!(picture.freeze == Some(0.0) && close(picture.fps, 19.96) && close(picture.buffer_ms, 6.02), "{picture:?}");
    assert!(tracks.iter().all(|track| track.flows && !track.fell_silent && rate(&track.measured).is_some()));
}

#[test]
fn firefox_says_nothing_of_some_and_that_stays_unknown() {
    let (stats, tracks) = measured(FIREFOX);
    assert_eq!((stats.way().rtt_ms(), stats.way().sendable()), (Some(0.0), None));
    let camera = of(&tracks, Direction::Uplink, 1);
    assert_eq!((camera.limit, camera.fps_source), (Limit::None, None));
    assert!(close(camera.fps, 29.91) && close(camera.qp, 2.0), "{camera:?}");
    let picture = of(&tracks, Direction::Downlink, 1);
    assert!(picture.qp.is_none() && picture.freeze == Some(0.0), "{picture:?}");
    assert!(tracks.iter().all(|track| rate(&track.measured).is_some_and(|rating| rating.score() > 90.0)));
}

#[test]
fn safari_does_without_the_times_of_packets() {
    let (stats, tracks) = measured(SAFARI);
    assert_eq!((tracks.len(), stats.way().is_doubtful()), (4, false));
    assert!(tracks.iter().all(|track| rate(&track.measured).is_some_and(|rating| rating.score() > 90.0)));
}

/// A record in which only these are known.
fn record(kind: Kind, numbers: &[(Field, f64)]) -> Vec<f64> {
    let mut record = vec![f64::NAN; STRIDE];
    record[0] = f64::from(kind as u8);
    for (field, number) in numbers {
        record[*field as usize] = *number;
    }
    record
}

const START: f64 = 1e12;

/// Sound that is received: at `ms`, that many packets and lost ones.
fn sound(ms: f64, ssrc: f64, packets: f64, lost: f64) -> Vec<f64> {
    let of = [(Field::At, START + ms), (Field::Mid, 3.0), (Field::Ssrc, ssrc), (Field::Packets, packets), (Field::Lost, lost)];
    record(Kind::AudioReceived, &[&of[..], &[(Field::Bytes, packets * 100.0)]].concat())
}

fn way(ms: f64, bytes: f64) -> Vec<f64> {
    record(Kind::Way, &[(Field::At, START + ms), (Field::Bytes, bytes)])
}

fn after(readings: &[Vec<f64>]) -> (Stats, Track) {
    let mut stats = Stats::default();
    readings.iter().for_each(|reading| stats.read(reading));
    let track = stats.tracks().pop().unwrap();
    (stats, track)
}

#[test]
fn loss_is_that_of_the_last_second() {
    let quarters: Vec<_> =
        (0..12_u8).map(|n| sound(f64::from(n) * 250.0, 1.0, f64::from(n) * 10.0, if n < 4 { 0.0 } else { 5.0 })).collect();
    // At 1.5 s: 40 packets came since 0.5 s, and 5 did not. At 2.75 s: all did.
    assert!(close(after(&quarters[..7]).1.measured.loss, 5.0 / 45.0));
    assert_eq!(after(&quarters).1.measured.loss, Some(0.0));
}

#[test]
fn frames_that_were_not_shown_are_a_share_of_those_that_came() {
    let picture = |ms: f64, frames: f64, dropped: f64| {
        let of = [(Field::At, START + ms), (Field::Mid, 3.0), (Field::Ssrc, 1.0), (Field::Frames, frames), (Field::Dropped, dropped)];
        record(Kind::VideoReceived, &of)
    };
    assert!(close(after(&[picture(0.0, 100.0, 7.0), picture(1000.0, 124.0, 13.0)]).1.dropped, 0.2));
    assert_eq!(after(&[picture(0.0, 100.0, 7.0), picture(1000.0, 130.0, f64::NAN)]).1.dropped, None);
    assert_eq!(after(&[sound(0.0, 1.0, 0.0, 0.0), sound(1000.0, 1.0, 50.0, 0.0)]).1.dropped, None);
}

#[test]
fn a_missing_number_is_unknown() {
    let mut second = sound(1000.0, 1.0, 50.0, 5.0);
    second[Field::Lost as usize] = f64::NAN;
    let (_, track) = after(&[sound(0.0, 1.0, 0.0, 0.0), second]);
    assert_eq!((track.measured.loss, track.measured.jitter_ms, rate(&track.measured)), (None, None, None));
}

#[test]
fn a_counter_that_starts_anew_is_unknown() {
    let before = [sound(0.0, 1.0, 1000.0, 10.0), sound(1000.0, 1.0, 1050.0, 10.0)];
    let restarted = after(&[before.to_vec(), vec![sound(2000.0, 1.0, 20.0, 0.0)]].concat()).1;
    assert_eq!(restarted.measured.loss, None);
    let other_stream = after(&[before.to_vec(), vec![sound(2000.0, 2.0, 1070.0, 40.0)]].concat()).1;
    assert_eq!(other_stream.measured.loss, None);
    let next = after(&[before.to_vec(), vec![sound(2000.0, 1.0, 20.0, 0.0), sound(3000.0, 1.0, 69.0, 1.0)]].concat()).1;
    assert!(close(next.measured.loss, 0.02));
}

#[test]
fn one_reading_says_nothing_of_rates() {
    let (_, track) = after(&[sound(0.0, 1.0, 50.0, 5.0)]);
    assert_eq!((track.measured.loss, track.flows), (None, false));
}

#[test]
fn the_same_reading_again_changes_nothing() {
    let readings = [sound(0.0, 1.0, 0.0, 0.0), sound(1000.0, 1.0, 45.0, 5.0), sound(1000.0, 1.0, 45.0, 5.0)];
    assert!(close(after(&readings).1.measured.loss, 0.1));
}

#[test]
fn a_cut_way_silences_what_was_flowing() {
    let flowing = [[way(0.0, 0.0), sound(0.0, 1.0, 0.0, 0.0)].concat(), [way(1000.0, 9000.0), sound(1000.0, 1.0, 50.0, 0.0)].concat()];
    let cut = |ms: f64| [way(ms, 9000.0), sound(ms, 1.0, 50.0, 0.0)].concat();
    let (stats, track) = after(&[&flowing[..], &[cut(1250.0)]].concat());
    assert!(stats.way().is_doubtful() && !track.fell_silent);
    let (_, track) = after(&[&flowing[..], &[cut(1250.0), cut(1750.0)]].concat());
    assert!(track.fell_silent && !track.measured.silent);
    // Muted while the way still carried something: not the way's fault.
    let muted = |ms: f64| [way(ms, 9000.0 + ms), sound(ms, 1.0, 50.0, 0.0)].concat();
    let (_, track) = after(&[&flowing[..], &[muted(2000.0), muted(3000.0), muted(4000.0), cut(5000.0), cut(6000.0)]].concat());
    assert!(!track.fell_silent);
}

#[test]
fn simulcast_is_one_track_of_the_size_of_its_largest_encoding() {
    let encoding = |ms: f64, ssrc: f64, lines: f64, limit: f64, active: f64| {
        let place =
            [(Field::At, START + ms), (Field::Mid, 1.0), (Field::Ssrc, ssrc), (Field::Packets, ssrc * ms), (Field::LossRatio, ssrc / 10.0)];
        let size = [(Field::Width, 2.0 * lines), (Field::Height, lines), (Field::SourceWidth, 1280.0), (Field::SourceHeight, 720.0)];
        let rest = [(Field::HeardAt, START + ms), (Field::Limit, limit), (Field::Active, active), (Field::Frames, ms / 40.0)];
        record(Kind::VideoSent, &[&place[..], &size[..], &rest[..]].concat())
    };
    let both = |limit, active| {
        let at = |ms| [encoding(ms, 1.0, 180.0, limit, 1.0), encoding(ms, 3.0, 360.0, limit, active)].concat();
        after(&[at(0.0), at(1000.0)]).1.measured
    };
    let free = both(0.0, 1.0);
    // A tenth of one packet in four, three tenths of the others.
    assert!(close(free.loss, 0.25) && close(free.fps, 25.0), "{free:?}");
    assert_eq!((free.lines, free.lines_asked), (Some(360.0), Some(360.0)));
    assert_eq!((both(2.0, 1.0).lines_asked, both(2.0, 1.0).limit), (Some(720.0), Limit::Bandwidth));
    assert_eq!(both(2.0, 0.0).lines_asked, Some(360.0), "the largest is switched off: nobody asked for more");
}

#[test]
fn streams_are_bounded_and_forgotten() {
    let many: Vec<_> = (0..1000_u16).flat_map(|ssrc| sound(0.0, f64::from(ssrc), 1.0, 0.0)).collect();
    let mut stats = Stats::default();
    stats.read(&many);
    assert_eq!(stats.streams.len(), MAX_STREAMS);
    stats.read(&sound(1000.0, 5.0, 1.0, 0.0));
    assert_eq!(stats.streams.len(), 1);
}

/// What a browser may do to a number on its way.
#[derive(Clone, Copy, Debug)]
enum Harm {
    Remove,
    Reset,
    Replace(f64),
}

fn harms() -> impl Strategy<Value = Vec<(usize, usize, Harm)>> {
    let odd = prop::sample::select(vec![f64::INFINITY, -1.0, 0.0, 1e308, -1e308, 5e-324]);
    let harm = prop_oneof![4 => Just(Harm::Remove), 2 => Just(Harm::Reset), 1 => odd.prop_map(Harm::Replace)];
    prop::collection::vec((0..6_usize, 0..5 * STRIDE, harm), 0..150)
}

proptest! {
    #[test]
    fn whatever_comes_no_number_is_wrong(text in prop::sample::select(vec![CHROMIUM, FIREFOX, SAFARI]), harms in harms()) {
        // Six readings: the two of the dump, and the same later on.
        let dump = readings(text);
        let mut all: Vec<Vec<f64>> = (0..3).flat_map(|_| dump.clone()).collect();
        for (turn, reading) in all.iter_mut().enumerate() {
            for record in reading.chunks_mut(STRIDE) {
                record[Field::At as usize] += (turn / 2) as f64 * 2500.0;
            }
        }
        for (reading, place, harm) in harms {
            let Some(number) = all[reading].get_mut(place) else { continue };
            *number = match harm {
                Harm::Remove => f64::NAN,
                Harm::Reset => 0.0,
                Harm::Replace(other) => other,
            };
        }
        let (mut stats, mut gauge) = (Stats::default(), Gauge::default());
        for (turn, reading) in all.iter().enumerate() {
            stats.read(reading);
            for Track { measured: m, .. } in stats.tracks() {
                let numbers = [m.rtt_ms, m.jitter_ms, m.buffer_ms, m.loss, m.burst, m.concealed, m.freeze, m.fps, m.lines, m.qp, m.busy];
                prop_assert!(numbers.into_iter().flatten().all(|number| number >= 0.0), "{m:?}");
                prop_assert!(m.loss.is_none_or(|loss| loss <= 1.0) && m.freeze.is_none_or(|freeze| freeze <= 1.0), "{m:?}");
                let shown = gauge.update(MonoTime::from_micros(turn as u64 * 1_000_000), rate(&m));
                prop_assert!(shown.score <= 100 && shown.points.iter().all(|point| point.is_finite()));
            }
        }
    }

    #[test]
    fn nothing_known_has_no_score(text in prop::sample::select(vec![CHROMIUM, FIREFOX, SAFARI])) {
        let mut stats = Stats::default();
        for mut reading in readings(text) {
            for record in reading.chunks_mut(STRIDE) {
                let keep = [Field::Kind, Field::Mid, Field::Ssrc, Field::At].map(|field| field as usize);
                (0..STRIDE).filter(|place| !keep.contains(place)).for_each(|place| record[place] = f64::NAN);
            }
            stats.read(&reading);
        }
        prop_assert!(stats.tracks().iter().all(|track| rate(&track.measured).is_none()));
    }
}
