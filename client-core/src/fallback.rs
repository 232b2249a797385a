//! Voices only: what is left when a path holds no picture at all. Video of that direction is paused, which is announced, and comes back when it
//! would hold again: soon when the estimate says so with room to spare, else by trying, each failure doubling the wait.
//! Pure: one [`Fallback`] for each direction, [`Fallback::observe`] once a second.
//!
//! Not here: pausing single pictures of many (the edge's allocator), and doing it.

use crate::MonoTime;
use crate::climbs::Climbs;
use core::time::Duration;

/// More loss than this no picture survives, resends included; sound does, sent twice. Guess.
const MAX_LOSS: f32 = 0.3;

/// A picture that stands still for more of the time than this is none. Guess.
const MAX_FROZEN: f32 = 0.5;

/// So many of the last eight seconds must have been bad: a dip, or one burst of loss, is no reason. Guess.
const BAD: u32 = 5;

/// With room for so long, video comes back. Guess: shorter and people see it come and go.
const REST: Duration = Duration::from_secs(5);

/// So long with a calm path, video is tried even if the estimate doesn't say that it holds: on a path that carries voices only, it can't. Doubles with
/// each failure.
const TRY_AFTER: Duration = Duration::from_secs(15);

/// A path that loses no more is calm. Guess.
const CALM_LOSS: f32 = 0.05;

/// An estimate of so many percent of what is needed has room to spare. Guess: a step of congestion control is 15 %.
const ROOM_PERCENT: u64 = 150;

/// What the last second was like in one direction. None: unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct VideoSample {
    /// Bits per second that the path is believed to carry.
    pub available: Option<u32>,
    /// Bits per second that the smallest picture takes, and the voices beside it; zero: there is no video to send or to show.
    pub needed: u32,
    /// Share of packets that didn't arrive, 0 to 1.
    pub loss: Option<f32>,
    /// Share of the second in which the picture stood still, 0 to 1.
    pub frozen: Option<f32>,
}

/// Why video was paused, or came back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FallbackReason {
    /// The path carries less than the smallest picture takes.
    Bandwidth,
    /// Too much is lost.
    Loss,
    /// Pictures stand still.
    Frozen,
    /// The path carries it again.
    Recovered,
    /// The path is calm: perhaps it carries it.
    Retry,
}

impl FallbackReason {
    /// As apps and logs see it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bandwidth => "bandwidth",
            Self::Loss => "loss",
            Self::Frozen => "frozen",
            Self::Recovered => "recovered",
            Self::Retry => "retry",
        }
    }
}

/// One direction.
#[derive(Debug, Default)]
pub struct Fallback {
    /// Video rests.
    paused: bool,
    /// Since when the path is calm while it rests, and since when it has room as well.
    calm_since: Option<MonoTime>,
    room_since: Option<MonoTime>,
    /// The last eight seconds, the newest in bit 0: bad.
    bad: u8,
    climbs: Climbs,
}

impl Fallback {
    /// Whether video rests.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// Takes the sample of the last second: why video rests or goes on from now on, if that has changed.
    pub fn observe(&mut self, now: MonoTime, sample: VideoSample) -> Option<FallbackReason> {
        if self.paused { self.resting(now, sample) } else { self.playing(now, sample) }
    }

    fn playing(&mut self, now: MonoTime, sample: VideoSample) -> Option<FallbackReason> {
        self.climbs.stayed(now, 0);
        let trouble = trouble(sample);
        self.bad = self.bad << 1 | u8::from(trouble.is_some());
        let reason = trouble.filter(|_| self.bad.count_ones() >= BAD)?;
        self.climbs.fell(0);
        (self.paused, self.calm_since, self.room_since, self.bad) = (true, None, None, 0);
        Some(reason)
    }

    fn resting(&mut self, now: MonoTime, sample: VideoSample) -> Option<FallbackReason> {
        let is_calm = sample.loss.is_none_or(|loss| loss <= CALM_LOSS);
        let has_room = |available: u32| u64::from(available) * 100 >= u64::from(sample.needed) * ROOM_PERCENT;
        let since = |is_so: bool, since: Option<MonoTime>| if is_so { since.or(Some(now)) } else { None };
        self.calm_since = since(is_calm, self.calm_since);
        self.room_since = since(is_calm && sample.available.is_some_and(has_room), self.room_since);
        let lasts = |since: Option<MonoTime>, base| since.is_some_and(|since| now.since(since) >= self.climbs.hold(0, base));
        // What is said to fit and doesn't, waits longer as well.
        let reason = if lasts(self.room_since, REST) {
            FallbackReason::Recovered
        } else if lasts(self.calm_since, TRY_AFTER) {
            FallbackReason::Retry
        } else {
            return None;
        };
        self.climbs.climbed(now);
        self.paused = false;
        Some(reason)
    }
}

fn trouble(VideoSample { available, needed, loss, frozen }: VideoSample) -> Option<FallbackReason> {
    if needed == 0 {
        None
    } else if available.is_some_and(|available| available < needed) {
        Some(FallbackReason::Bandwidth)
    } else if loss.is_some_and(|loss| loss > MAX_LOSS) {
        Some(FallbackReason::Loss)
    } else if frozen.is_some_and(|frozen| frozen > MAX_FROZEN) {
        Some(FallbackReason::Frozen)
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
