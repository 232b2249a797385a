//! Sound, by ITU-T G.107 (the E-model): R = Ro − Is − Id − Ie,eff.
//!
//! All but delay and loss is at its default, which makes 93.2 the best R there is; the score is R with that as its hundred. Echo is taken as
//! cancelled, so of Id only the absolute delay Idd is left.

use super::{Measured, Points, Repair, Term, curve, take};

/// Ro − Is with every parameter at its default (G.107 §7.7, Table 3).
pub(super) const BEST_R: f32 = 93.2;

/// Opus: frames of 20 ms, and 6.5 ms that the encoder looks ahead (RFC 6716 §2).
const CODEC_MS: f32 = 26.5;

/// Ie of Opus. Guess: at 24 kbit/s and more it is better than the narrow-band reference whose Ie is 0. G.113 has no value.
const OPUS_IE: f32 = 0.0;

/// Bpl of Opus with its own concealment. Guess between G.729A (19.0) and G.711 with concealment (25.1) of G.113 Appendix I, which has no Opus.
const OPUS_BPL: f32 = 20.0;

/// What is missing of a frame that was made from in-band FEC. Guess: the copy has about two thirds of the bits, and LiveKit's weights
/// (8 without, 5.33 with FEC) say about as much.
const FEC_REMAINS: f32 = 0.3;

/// Idd by mouth-to-ear delay in milliseconds (G.107 eq. 7-26 ff., sT = 1, mT = 100 ms), within half a point.
const IDD: [(f32, f32); 13] = [
    (100.0, 0.0),
    (130.0, 0.01),
    (160.0, 0.39),
    (200.0, 3.04),
    (250.0, 8.92),
    (300.0, 14.76),
    (350.0, 19.81),
    (400.0, 24.07),
    (500.0, 30.64),
    (600.0, 35.25),
    (800.0, 40.83),
    (1000.0, 43.79),
    (1400.0, 46.54),
];

/// Whether enough is known.
pub(super) fn rate(known: &Measured, repair: Repair, points: &mut Points) -> bool {
    let scale = 100.0 / BEST_R;
    let delayed = delay(known, points);
    let lost = match (known.concealed, known.loss) {
        (Some(concealed), _) => concealed,
        (None, Some(loss)) => residual_loss(loss, known.burst.unwrap_or(1.0), repair),
        (None, None) => return delayed,
    };
    take(points, Term::Loss, scale * effective_impairment(OPUS_IE, OPUS_BPL, 100.0 * lost, known.burst.unwrap_or(1.0)));
    true
}

/// What delay costs, in points. Also of pictures: who talks to each other waits for the picture as for the sound. Whether delay is known.
pub(super) fn delay(known: &Measured, points: &mut Points) -> bool {
    // Without a word from the buffer: it holds two deviations, as LiveKit reckons.
    let waiting = known.buffer_ms.or(known.jitter_ms.map(|jitter| 2.0 * jitter));
    let (way, wait) = (known.rtt_ms.unwrap_or(0.0) / 2.0 + CODEC_MS, waiting.unwrap_or(0.0));
    let lost = curve::value(&IDD, way + wait) * 100.0 / BEST_R;
    let for_waiting = lost * wait / (way + wait);
    take(points, Term::Jitter, for_waiting);
    take(points, Term::Delay, lost - for_waiting);
    known.rtt_ms.is_some() || waiting.is_some()
}

/// `Ie,eff` of G.107 eq. 7-29: what a codec with impairment `ie` and robustness `bpl` loses, in points of R, at `loss_percent` lost packets whose
/// runs are `burst` times as long as random ones (`BurstR`, 1 and up).
#[must_use]
pub fn effective_impairment(ie: f32, bpl: f32, loss_percent: f32, burst: f32) -> f32 {
    ie + (95.0 - ie) * loss_percent / (loss_percent / burst.max(1.0) + bpl)
}

/// Share of frames that stay lost when the packet behind carries a copy: both have to be lost. With runs `burst` times as long as at random, the
/// packet behind a lost one is lost with probability 1 − (1 − loss)/burst (a Gilbert model, which is what `BurstR` describes).
#[must_use]
pub fn residual_loss(loss: f32, burst: f32, repair: Repair) -> f32 {
    let next_lost = 1.0 - (1.0 - loss) / burst.max(1.0);
    match repair {
        Repair::None => loss,
        Repair::Fec => loss * (next_lost + FEC_REMAINS * (1.0 - next_lost)),
        Repair::Red => loss * next_lost,
    }
}

/// Mean opinion score of sound with this score, 1 to 4.5: 4.41 at most, which is what a call of telephone quality can have.
#[must_use]
pub fn opinion(score: f32) -> f32 {
    mos(score * BEST_R / 100.0)
}

/// Mean opinion score (1 to 4.5) of an R (G.107 Annex B).
#[must_use]
pub fn mos(r: f32) -> f32 {
    let r = r.clamp(0.0, 100.0);
    // Below R = 6.5 the polynomial dips under the worst opinion there is.
    (1.0 + 0.035 * r + 7e-6 * r * (r - 60.0) * (100.0 - r)).max(1.0)
}
