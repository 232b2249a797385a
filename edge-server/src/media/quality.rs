//! Scores participants' connections by the model that the SDK uses too, from what a shard measures.

use client_core::MonoTime;
use client_core::quality::{Blend, Direction, Gauge, Measured, Media, Repair, rate};
use sfu_core::{LinkReport, LinkScore, LinkScorer, TrackReport, Way};
use std::time::Instant;

/// A call can do without the picture.
const SOUND: f32 = 2.0;
const PICTURE: f32 = 1.0;

/// One participant's.
#[derive(Debug, Default)]
struct Scorer {
    gauge: Gauge,
    began: Option<Instant>,
}

/// A scorer for a participant who has just come.
#[must_use]
pub fn scorer() -> Box<dyn LinkScorer> {
    Box::new(Scorer::default())
}

impl LinkScorer for Scorer {
    fn score(&mut self, now: Instant, report: &LinkReport) -> LinkScore {
        let mut blend = Blend::default();
        if report.lost {
            // Whatever is remembered of its tracks: nothing gets through.
            blend.add(rate(&Measured { silent: true, ..Measured::default() }), SOUND);
        } else {
            let rtt = report.round_trip.map(|round_trip| round_trip.as_secs_f32() * 1e3);
            for track in &report.tracks {
                blend.add(rate(&measured(track, rtt)), if track.video { PICTURE } else { SOUND });
            }
        }
        let passed = now.saturating_duration_since(*self.began.get_or_insert(now));
        let at = MonoTime::from_micros(u64::try_from(passed.as_micros()).unwrap_or(u64::MAX));
        let quality = self.gauge.update(at, blend.rating());
        LinkScore { score: quality.score, level: quality.level, cause: quality.cause }
    }
}

fn measured(track: &TrackReport, rtt_ms: Option<f32>) -> Measured {
    Measured {
        // Browsers send Opus with in-band FEC; whether RED goes around it is not asked here.
        media: if track.video { Media::Video(None) } else { Media::Audio(Repair::Fec) },
        direction: match track.way {
            Way::Up => Direction::Uplink,
            Way::Down => Direction::Downlink,
        },
        silent: track.silent,
        rtt_ms,
        jitter_ms: track.jitter.map(|jitter| jitter.as_secs_f32() * 1e3),
        loss: track.loss,
        lines: track.lines.map(|(sent, _)| f32::from(sent)),
        lines_asked: track.lines.map(|(_, asked)| f32::from(asked)),
        layer: track.reason,
        ..Measured::default()
    }
}

#[cfg(test)]
mod tests;
