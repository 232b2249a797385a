//! The subscriber's media time: runs on through every change of source, never back, never twice the same.
//!
//! Encodings of one publication count from different starts. Where the sender reports of both are known, the same moment has the same
//! timestamp in each (RFC 3550 §6.4.1); else the time of arrival decides. The first picture of an encoding can be older than the last of
//! the one before, when that was quicker: it then goes a little behind it, and those after it are put right.

use super::segment::is_later;
use crate::clock::ntp_units_to_ticks;
use crate::publication::CaptureClock;
use std::time::{Duration, Instant};

/// Between two pictures that would otherwise have one timestamp: a millisecond, which decoders that count in those tell apart.
const MIN_VIDEO_STEP: Duration = Duration::from_millis(1);

/// Between the packets of two sources of sound: a packet of 20 ms, as browsers send them.
const MIN_AUDIO_STEP: Duration = Duration::from_millis(20);

/// Clocks that say something this far from what the arrival says aren't believed. More than any queue between two encodings of one
/// publisher, less than what would make a receiver wait or skip noticeably. A guess.
const MAX_DISAGREEMENT: Duration = Duration::from_secs(1);

/// A first picture that had to go this much behind its time stays there with all that follow: one frame at 20 frames/s.
const MAX_CORRECTION: Duration = Duration::from_millis(50);

/// The newest picture that was forwarded.
#[derive(Clone, Copy, Debug)]
struct Last {
    timestamp: u32,
    /// When its first packet came.
    at: Instant,
}

/// The subscriber's media time so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeline {
    min_step: Duration,
    last: Option<Last>,
}

/// What to add to a source's timestamps.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct TimestampShift {
    /// For now.
    pub(super) now: u32,
    /// As soon as it can be had without running back.
    pub(super) aim: u32,
}

impl Timeline {
    pub(super) fn new(video: bool) -> Self {
        Self { min_step: if video { MIN_VIDEO_STEP } else { MIN_AUDIO_STEP }, last: None }
    }

    pub(super) fn last(&self) -> Option<u32> {
        self.last.map(|last| last.timestamp)
    }

    /// Takes note of a picture (or a packet of sound) that is forwarded in its turn.
    pub(super) fn note(&mut self, timestamp: u32, now: Instant) {
        if self.last.is_none_or(|last| is_later(timestamp, last.timestamp)) {
            self.last = Some(Last { timestamp, at: now });
        }
    }

    /// The shift for a source that begins, or goes on after it ran back, with a picture at `timestamp`. `known`: what the clocks say.
    pub(super) fn join(&self, now: Instant, timestamp: u32, clock_rate: u32, known: Option<u32>) -> TimestampShift {
        let Some(last) = self.last else {
            let start = known.unwrap_or(0);
            return TimestampShift { now: start, aim: start };
        };
        let expected = last.timestamp.wrapping_add(ticks(now.saturating_duration_since(last.at), clock_rate));
        let by_arrival = expected.wrapping_sub(timestamp);
        let believed = |shift: &u32| shift.wrapping_sub(by_arrival).cast_signed().unsigned_abs() <= ticks(MAX_DISAGREEMENT, clock_rate);
        let aim = known.filter(believed).unwrap_or(by_arrival);
        let earliest = last.timestamp.wrapping_add(ticks(self.min_step, clock_rate)).wrapping_sub(timestamp);
        if !is_later(earliest, aim) {
            return TimestampShift { now: aim, aim };
        }
        let correctable = earliest.wrapping_sub(aim) <= ticks(MAX_CORRECTION, clock_rate) && self.min_step == MIN_VIDEO_STEP;
        TimestampShift { now: earliest, aim: if correctable { aim } else { earliest } }
    }

    /// Whether a picture with this timestamp of ours would come after all before it.
    pub(super) fn is_next(&self, timestamp: u32) -> bool {
        self.last.is_none_or(|last| is_later(timestamp, last.timestamp))
    }
}

fn ticks(duration: Duration, clock_rate: u32) -> u32 {
    (duration.as_micros().saturating_mul(u128::from(clock_rate)) / 1_000_000) as u32
}

/// The shift of an encoding whose clock is `clock`, when another with the clock `other` has `shift`.
pub(super) fn aligned(shift: u32, other: CaptureClock, clock: CaptureClock, clock_rate: u32) -> u32 {
    let apart = ntp_units_to_ticks(clock.ntp.offset_from(other.ntp), clock_rate) as u32;
    let offset = clock.rtp.wrapping_sub(other.rtp).wrapping_sub(apart);
    shift.wrapping_sub(offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Ntp;

    const RATE: u32 = 90_000;

    fn frames(count: u32) -> Duration {
        Duration::from_micros(33_333) * count
    }

    #[test]
    fn one_moment_has_one_timestamp_whichever_encoding_shows_it() {
        let second = 1_u64 << 32;
        // One encoding read 1,000 at second 10; the other read 777,000 half a second later, so 732,000 at second 10.
        let low = CaptureClock { ntp: Ntp(10 * second), rtp: 1_000 };
        let high = CaptureClock { ntp: Ntp(10 * second + second / 2), rtp: 777_000 };
        let shift = aligned(50, low, high, RATE);
        assert_eq!(732_000_u32.wrapping_add(shift), 1_050);
        assert_eq!(aligned(shift, high, low, RATE), 50, "and back");
    }

    #[test]
    fn a_picture_of_the_same_moment_goes_just_behind_and_is_put_right_after() {
        let now = Instant::now();
        let mut time = Timeline::new(true);
        time.note(3_000, now);
        let shift = time.join(now + Duration::from_millis(2), 500_000, RATE, Some(3_000_u32.wrapping_sub(500_000)));
        assert_eq!(500_000_u32.wrapping_add(shift.now), 3_090);
        assert_eq!(500_000_u32.wrapping_add(shift.aim), 3_000);
    }

    #[test]
    fn without_clocks_the_arrival_decides() {
        let now = Instant::now();
        let mut time = Timeline::new(true);
        assert_eq!(time.join(now, 7, RATE, None), TimestampShift { now: 0, aim: 0 }, "the first source's own time");
        time.note(3_000, now);
        let shift = time.join(now + frames(3), 500_000, RATE, None);
        assert_eq!(shift.now, shift.aim);
        assert_eq!(500_000_u32.wrapping_add(shift.now), 3_000 + 8_999);
    }

    #[test]
    fn clocks_that_contradict_the_arrival_are_not_believed() {
        let now = Instant::now();
        let mut time = Timeline::new(true);
        time.note(3_000, now);
        let hour_ahead = 3_000 + 90_000 * 3_600_u32;
        assert_eq!(time.join(now + frames(1), 0, RATE, Some(hour_ahead)).now, 3_000 + 2_999);
        assert_eq!(time.join(now + frames(1), 0, RATE, Some(0)).now, 3_090, "behind, but believable");
    }

    #[test]
    fn what_is_far_behind_stays_shifted() {
        let now = Instant::now();
        let mut time = Timeline::new(true);
        time.note(90_000, now);
        let shift = time.join(now + frames(1), 0, RATE, Some(80_000));
        assert_eq!(shift, TimestampShift { now: 90_090, aim: 90_090 });
    }

    #[test]
    fn sound_of_two_sources_does_not_overlap() {
        let now = Instant::now();
        let mut time = Timeline::new(false);
        time.note(960, now);
        let shift = time.join(now + Duration::from_millis(3), 0, 48_000, None);
        assert_eq!(shift, TimestampShift { now: 1_920, aim: 1_920 });
    }
}
