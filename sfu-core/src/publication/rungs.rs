//! What arrives of each layer of one encoding: bitrate, frames per second, whether it is still there.
//!
//! Counted per target in buckets of 100 ms, over the last second. A packet costs one addition for each of 16 targets; nothing is
//! allocated. Not here: what the targets are (`layers`), what viewers get of them (`allocation`).

#[cfg(test)]
mod tests;

use crate::layer::{LayerTag, MAX_SPATIAL, MAX_TEMPORAL, Target};
use std::time::{Duration, Instant};

/// Targets counted.
const TARGETS: usize = (MAX_SPATIAL * MAX_TEMPORAL) as usize;

/// Length of a bucket.
const BUCKET: Duration = Duration::from_millis(100);

/// Buckets of the window: a second, which evens out temporal layers (a turn of T3 is 133 ms at 30 frames/s) and shows a change soon.
const BUCKETS: usize = 10;

/// A layer that nothing came of for this long may be off. Fifteen frames at 30 frames/s.
pub(crate) const SILENCE: Duration = Duration::from_millis(500);

/// Pictures of the same encoding that have to pass as well before a layer counts as off: a screen that stands still sends a picture a
/// second, and turns of temporal layers are up to eight pictures long.
const PASSED_PICTURES: u64 = 12;

/// Rates over less than this say too little, of a stream that begins with a key frame.
const SHORTEST: Duration = Duration::from_millis(300);

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    /// By target: what belongs to it.
    bytes: [u32; TARGETS],
    /// By layer: frames of just it.
    frames: [u16; TARGETS],
}

/// When a layer was last seen.
#[derive(Clone, Copy, Debug)]
struct Seen {
    at: Instant,
    /// Pictures of the encoding until then.
    picture: u64,
}

/// What arrives of one encoding.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// When the first bucket began; again after a pause of a whole window.
    began: Option<Instant>,
    /// Number of the newest bucket since then.
    newest: u64,
    buckets: [Bucket; BUCKETS],
    seen: [Option<Seen>; TARGETS],
    pictures: u64,
    timestamp: Option<u32>,
    /// By target, bits per second: the last whole window, for when there is none.
    settled: [u32; TARGETS],
    last_packet: Option<Instant>,
}

impl Meter {
    /// Another stream begins: what layers it has is seen anew. Its rates are likely those from before.
    pub(crate) fn restart(&mut self) {
        (self.seen, self.timestamp) = ([None; TARGETS], None);
    }

    /// Counts a packet of `bytes`, RTP header included. Returns true for the first one of a picture.
    pub(crate) fn on_packet(&mut self, tag: &LayerTag, timestamp: u32, bytes: usize, now: Instant) -> bool {
        self.advance(now);
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let picture = self.timestamp != Some(timestamp);
        if picture {
            self.timestamp = Some(timestamp);
            self.pictures = self.pictures.saturating_add(1);
        }
        self.last_packet = Some(now);
        if let Some(seen) = self.seen.get_mut(tag.layer.index()) {
            *seen = Some(Seen { at: now, picture: self.pictures });
        }
        let Some(bucket) = self.buckets.get_mut(place_of(self.newest)) else { return picture };
        for (total, target) in bucket.bytes.iter_mut().zip(Target::all()) {
            *total = total.saturating_add(if tag.present.contains(target) { bytes } else { 0 });
        }
        if tag.starts_frame
            && let Some(frames) = bucket.frames.get_mut(tag.layer.index())
        {
            *frames = frames.saturating_add(1);
        }
        picture
    }

    fn advance(&mut self, now: Instant) {
        let number = self.began.map(|began| bucket_of(began, now));
        match number {
            Some(number) if number < self.newest.saturating_add(BUCKETS as u64) => {
                while self.newest < number {
                    // Whole now: what the window holds is as good a rate as any.
                    self.settle();
                    self.newest = self.newest.saturating_add(1);
                    if let Some(bucket) = self.buckets.get_mut(place_of(self.newest)) {
                        *bucket = Bucket::default();
                    }
                }
            }
            _ => (self.began, self.newest, self.buckets) = (Some(now), 0, [Bucket::default(); BUCKETS]),
        }
    }

    /// Keeps the rates of the window that ends with the newest bucket.
    fn settle(&mut self) {
        // Of the first window the bucket with the key frame is part.
        if self.newest < BUCKETS as u64 {
            return;
        }
        for (place, target) in self.settled.iter_mut().zip(Target::all()) {
            let bytes: u64 = self.buckets.iter().map(|bucket| u64::from(bucket.bytes.get(target.index()).copied().unwrap_or(0))).sum();
            *place = u32::try_from(bytes.saturating_mul(8)).unwrap_or(u32::MAX);
        }
    }

    /// The buckets that still count, and the time they are of; none when they say too little.
    fn window(&self, now: Instant) -> Option<(impl Iterator<Item = &Bucket>, Duration)> {
        let began = self.began?;
        let number = bucket_of(began, now);
        // A stream begins with a key frame, which is no measure of what follows: until it leaves the window its bucket doesn't count.
        let oldest = number.saturating_add(1).saturating_sub(BUCKETS as u64).max(1);
        let age = now.saturating_duration_since(began);
        let start = BUCKET.saturating_mul(u32::try_from(oldest).unwrap_or(u32::MAX));
        let length = age.saturating_sub(start);
        if age < SHORTEST || number >= self.newest.saturating_add(BUCKETS as u64) {
            return None;
        }
        let counted = (oldest..=self.newest).filter_map(|number| self.buckets.get(place_of(number)));
        Some((counted, length))
    }

    /// Bits per second of a target, as it is or was last; 0 when that was never known.
    pub(crate) fn bitrate(&self, target: Target, now: Instant) -> u64 {
        let measured = self.window(now).map(|(buckets, length)| {
            let bytes: u64 = buckets.map(|bucket| u64::from(bucket.bytes.get(target.index()).copied().unwrap_or(0))).sum();
            per_second(bytes.saturating_mul(8), length)
        });
        let settled = u64::from(self.settled.get(target.index()).copied().unwrap_or(0));
        // Until a second has passed since a pause, a key frame and little else was measured.
        match measured {
            Some(measured) if self.newest.saturating_add(1) >= BUCKETS as u64 || settled == 0 => measured,
            _ => settled,
        }
    }

    /// Frames per second of a target.
    pub(crate) fn fps(&self, target: Target, now: Instant) -> u8 {
        let Some((buckets, length)) = self.window(now) else { return 0 };
        let lower = (0..=target.temporal).map(|temporal| Target { temporal, ..target }.index());
        let frames = |bucket: &Bucket| lower.clone().filter_map(|layer| bucket.frames.get(layer)).map(|frames| u64::from(*frames)).sum();
        let frames: u64 = buckets.map(|bucket| -> u64 { frames(bucket) }).sum();
        // Rounded: the window's edges cut frames off.
        u8::try_from(per_second(frames.saturating_mul(2), length).saturating_add(1) / 2).unwrap_or(u8::MAX)
    }

    /// The layers that were seen since the stream began.
    pub(crate) fn layers(&self) -> impl Iterator<Item = Target> {
        Target::all().zip(&self.seen).filter(|(_, seen)| seen.is_some()).map(|(layer, _)| layer)
    }

    /// Whether a layer is still being sent while others of the encoding are.
    pub(crate) fn has(&self, layer: Target, now: Instant) -> bool {
        self.seen.get(layer.index()).copied().flatten().is_some_and(|seen| {
            let quiet = now.saturating_duration_since(seen.at) > SILENCE;
            let passed = self.pictures.saturating_sub(seen.picture) >= PASSED_PICTURES;
            !(quiet && passed)
        })
    }

    /// When a packet of a layer last came.
    pub(crate) fn last_seen(&self, layer: Target) -> Option<Instant> {
        self.seen.get(layer.index()).copied().flatten().map(|seen| seen.at)
    }

    /// When any packet last came.
    pub(crate) fn last_packet(&self) -> Option<Instant> {
        self.last_packet
    }
}

fn bucket_of(began: Instant, now: Instant) -> u64 {
    let age = now.saturating_duration_since(began);
    u64::try_from(age.as_millis().checked_div(BUCKET.as_millis()).unwrap_or(0)).unwrap_or(u64::MAX)
}

/// Where in the ring a bucket is.
fn place_of(number: u64) -> usize {
    number.checked_rem(BUCKETS as u64).unwrap_or(0) as usize
}

fn per_second(amount: u64, time: Duration) -> u64 {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    amount.saturating_mul(1_000_000).checked_div(micros).unwrap_or(0)
}
