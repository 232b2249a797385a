//! Pictures, by what a viewer misses of what was asked for: motion, size, sharpness. There is no standard for that which works from counters, so
//! most curves are guesses, laid so that what people call annoying costs a level.

use super::{Codec, Measured, Points, Term, audio, curve, take};

/// Points by share of the time that the picture stands still. Guess: one stutter in ten seconds is noticed, a third of the time is hard work
/// (where webrtc-issue-detector reports an issue).
const FREEZE: [(f32, f32); 5] = [(0.0, 0.0), (0.02, 5.0), (0.1, 25.0), (0.3, 50.0), (1.0, 100.0)];

/// Points by the share of the frames asked for that is there. Guess: a tenth less is not seen, a half is, below a quarter it is a slide show.
const FRAME_RATE: [(f32, f32); 5] = [(0.0, 100.0), (0.1, 70.0), (0.25, 40.0), (0.5, 18.0), (0.9, 0.0)];

/// Points by the share of the lines asked for that is there. Guess: 25 for half the size, where LiveKit takes 35 for a layer.
const RESOLUTION: [(f32, f32); 5] = [(0.0, 75.0), (0.125, 60.0), (0.25, 45.0), (0.5, 25.0), (0.95, 0.0)];

/// Points for each percent of lost packets. Guess, while freezes are known: what is left of loss after NACK and RTX is delay.
const LOSS_WITH_FREEZES: f32 = 1.0;

/// The same where freezes are not known, as at an edge: loss stands for them. Guess; LiveKit takes 10.
const LOSS_ALONE: f32 = 4.0;

/// Points of a picture as coarse as makes libwebrtc go to a smaller one. Guess: two such steps are a level.
const COARSE: f32 = 15.0;

/// Whether enough is known.
pub(super) fn rate(known: &Measured, codec: Option<Codec>, points: &mut Points) -> bool {
    let mut rated = audio::delay(known, points);
    let mut freeze = 0.0;
    if let Some(share) = known.freeze {
        freeze = curve::value(&FREEZE, share);
        take(points, Term::Freeze, freeze);
        rated = true;
    }
    if let Some(loss) = known.loss {
        let each = if known.freeze.is_some() { LOSS_WITH_FREEZES } else { LOSS_ALONE };
        take(points, Term::Loss, 100.0 * loss * each);
        rated = true;
    }
    if let Some(share) = share(known.fps, known.fps_asked) {
        // A picture that stands still has no frames either: that is paid already.
        take(points, Term::FrameRate, (curve::value(&FRAME_RATE, share) - freeze).max(0.0));
        rated = true;
    }
    if let Some(share) = share(known.lines, known.lines_asked) {
        take(points, Term::Resolution, curve::value(&RESOLUTION, share));
        rated = true;
    }
    if let (Some(codec), Some(qp)) = (codec, known.qp) {
        let (low, high) = quantisers(codec);
        take(points, Term::Sharpness, COARSE * ((qp - low) / (high - low)).clamp(0.0, 2.0));
        rated = true;
    }
    rated
}

fn share(given: Option<f32>, asked: Option<f32>) -> Option<f32> {
    let asked = asked.filter(|asked| *asked > 0.0)?;
    Some(given? / asked)
}

/// Where a picture is fine, and where it is so coarse that a smaller one is better: libwebrtc's thresholds for quality scaling
/// (`kLow…QpThreshold`, `kHigh…QpThreshold` of its encoders).
const fn quantisers(codec: Codec) -> (f32, f32) {
    match codec {
        Codec::Vp8 => (29.0, 95.0),
        Codec::Vp9 => (149.0, 205.0),
        Codec::Av1 => (145.0, 205.0),
        Codec::H264 => (24.0, 37.0),
    }
}
