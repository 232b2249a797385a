//! Who speaks, from the audio-level header extension (RFC 6464): the edge decodes nothing.

use crate::rtp::AudioLevel;
use std::time::{Duration, Instant};

/// Louder than this is speech. Guess: −127 dBov is silence, −50 a quiet voice, −20 a loud one; revisit with field data.
const SPEECH_LEVEL: u8 = 127 - 50;

/// How long loudness lasts after the last loud packet: bridges the pauses between words.
const HOLD: Duration = Duration::from_millis(600);

/// Bytes of audio above which a packet whose publisher tells no level is taken for sound: Opus spends 20 to 40 on a quiet room at its
/// usual rates and 60 and more on a voice; comfort noise takes 1 to 10. Guess.
const SOUND_BYTES: usize = 45;

/// Rise per packet toward a louder level, in 1/8: three packets (60 ms) reach three quarters.
const RISE: u16 = 3;

/// Smoothed loudness of one audio publication, 0 (silence) to 127.
#[derive(Debug, Default)]
pub(crate) struct Loudness {
    /// Scaled by 8.
    smoothed: u16,
    last_loud: Option<Instant>,
    /// Since when it has been loud without a pause longer than [`HOLD`].
    loud_since: Option<Instant>,
    /// The last packet of a publisher that tells no level and was big enough to be sound.
    last_sound: Option<Instant>,
}

impl Loudness {
    pub(crate) fn on_packet(&mut self, level: AudioLevel, now: Instant) {
        let loudness = 127_u16.saturating_sub(u16::from(level.level.min(127))).saturating_mul(8);
        if loudness > self.smoothed {
            let step = loudness.saturating_sub(self.smoothed).saturating_mul(RISE) / 8;
            self.smoothed = self.smoothed.saturating_add(step.max(1));
        } else {
            self.smoothed = self.smoothed.saturating_sub(self.smoothed.saturating_sub(loudness) / 16);
        }
        if self.level() >= SPEECH_LEVEL {
            if !self.is_speech(now) {
                self.loud_since = Some(now);
            }
            self.last_loud = Some(now);
        }
    }

    /// A packet without a level: only its size tells. With a constant bitrate everything is sound, and is passed on as such; nobody is
    /// told that somebody speaks.
    pub(crate) fn on_unmarked_packet(&mut self, bytes: usize, now: Instant) {
        if bytes >= SOUND_BYTES {
            if !self.is_sound(now) {
                self.loud_since = Some(now);
            }
            self.last_sound = Some(now);
        }
    }

    /// Somebody who hears it says how loud it is.
    pub(crate) fn tell(&mut self, level: u8, now: Instant) {
        self.smoothed = u16::from(level.min(127)).saturating_mul(8);
        if self.level() >= SPEECH_LEVEL {
            if !self.is_speech(now) {
                self.loud_since = Some(now);
            }
            self.last_loud = Some(now);
        }
    }

    /// 0..=127.
    pub(crate) fn level(&self) -> u8 {
        u8::try_from(self.smoothed / 8).unwrap_or(127).min(127)
    }

    pub(crate) fn is_speech(&self, now: Instant) -> bool {
        self.last_loud.is_some_and(|last| now.saturating_duration_since(last) < HOLD)
    }

    /// Speech, or what may be speech.
    pub(crate) fn is_sound(&self, now: Instant) -> bool {
        self.last_sound().is_some_and(|last| now.saturating_duration_since(last) < HOLD)
    }

    /// When it was last heard, or may have been.
    pub(crate) fn last_sound(&self) -> Option<Instant> {
        self.last_loud.max(self.last_sound)
    }

    /// How long it has been heard without a pause longer than between words; none: it is silent.
    pub(crate) fn sounding_for(&self, now: Instant) -> Option<Duration> {
        self.loud_since.filter(|_| self.is_sound(now)).map(|since| now.saturating_duration_since(since))
    }

    /// How loud it is for a comparison: what tells no level counts as the quietest speech, what is silent as nothing.
    pub(crate) fn rank(&self, now: Instant) -> u8 {
        match (self.is_speech(now), self.is_sound(now)) {
            (true, _) => self.level(),
            (false, true) => SPEECH_LEVEL,
            (false, false) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(loudness: &mut Loudness, level: u8, from: Instant, packets: u32) -> Instant {
        let mut now = from;
        for _ in 0..packets {
            loudness.on_packet(AudioLevel { voice: true, level }, now);
            now += Duration::from_millis(20);
        }
        now
    }

    #[test]
    fn a_voice_is_noticed_within_200_ms_and_a_pause_between_words_bridged() {
        let mut loudness = Loudness::default();
        let start = Instant::now();
        let now = feed(&mut loudness, 25, start, 10);
        assert!(loudness.is_speech(now));
        let now = feed(&mut loudness, 127, now, 15);
        assert!(loudness.is_speech(now), "300 ms of pause");
    }

    #[test]
    fn noise_is_no_speech_and_silence_ends_it() {
        let mut loudness = Loudness::default();
        let start = Instant::now();
        let now = feed(&mut loudness, 65, start, 100);
        assert!(!loudness.is_speech(now));
        let now = feed(&mut loudness, 25, now, 10);
        let now = feed(&mut loudness, 127, now, 100);
        assert!(!loudness.is_speech(now));
    }
}
