//! Plays a clip into a track of ours, in real time and over again, and answers requests for a key frame by going on at the
//! next one of the clip at once.

use crate::clip::{Clip, Frame, Kind};
use crate::report::Published;
use rtc::media::Sample;
use rtc::rtp::extension::audio_level_extension::AudioLevelExtension;
use std::sync::Arc;
use std::time::Instant as StdInstant;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use webrtc::media_stream::track_local::static_sample::TrackLocalStaticSample;
use webrtc::media_stream::track_local::{TrackLocal, TrackLocalEvent};

/// What is said of the loudness of every packet (RFC 6464), in dB below overload: a tone at a quarter of full scale. Clips
/// aren't decoded here, so it can't be measured.
const LOUDNESS: AudioLevelExtension = AudioLevelExtension { level: 12, voice: true };

/// A track, negotiated.
pub(crate) struct Player {
    pub(crate) track: Arc<TrackLocalStaticSample>,
    pub(crate) ssrc: u32,
    pub(crate) payload_type: u8,
    pub(crate) clip: Arc<Clip>,
    pub(crate) figures: Published,
}

impl Player {
    /// Plays until told to stop.
    pub(crate) async fn play(mut self, mut stop: watch::Receiver<bool>) -> Published {
        let mut position = 0;
        let mut due = Instant::now();
        let mut asked = true;
        loop {
            tokio::select! {
                () = sleep_until(due) => {}
                event = self.track.poll(), if asked => {
                    match event {
                        Some(TrackLocalEvent::OnRtcpPacket(requests)) => {
                            self.figures.key_frames_asked += requests.len() as u64;
                            let next = next_key_frame(&self.clip.frames, position);
                            self.figures.skipped += next.saturating_sub(position) as u64;
                            position = next;
                        }
                        Some(_) => {}
                        None => asked = false, // the connection is gone; `stop` follows
                    }
                    continue;
                }
                _ = stop.wait_for(|stop| *stop) => return self.figures,
            }
            let Some(frame) = self.clip.frames.get(position).cloned() else {
                position = 0;
                continue;
            };
            position += 1;
            due += frame.duration;
            self.send(frame).await;
        }
    }

    async fn send(&mut self, frame: Frame) {
        let sample = Sample { data: frame.data, duration: frame.duration, ..Sample::new(StdInstant::now()) };
        let writer = self.track.sample_writer(self.ssrc, self.payload_type);
        let writer = if self.clip.kind == Kind::Audio { writer.with_audio_level(LOUDNESS) } else { writer };
        match writer.write_sample(&sample).await {
            Ok(()) => {
                self.figures.frames += 1;
                self.figures.key_frames += u64::from(frame.key && self.clip.kind == Kind::Video);
            }
            Err(error) => log::warn!("frame not sent: {error}"),
        }
    }
}

/// Where the next key frame is, `from` included; the end, which is the beginning, when there is none.
fn next_key_frame(frames: &[Frame], from: usize) -> usize {
    frames.iter().skip(from).position(|frame| frame.key).map_or(frames.len(), |step| from + step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_request_goes_on_at_the_next_key_frame_or_at_the_beginning() {
        let frames: Vec<Frame> =
            [true, false, false, true, false].map(|key| Frame { data: bytes::Bytes::new(), key, duration: Duration::ZERO }).to_vec();
        assert_eq!([0, 1, 3, 4].map(|from| next_key_frame(&frames, from)), [0, 3, 3, 5]);
    }
}
