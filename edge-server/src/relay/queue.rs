//! Media that a link can't take at once. Sound goes first; what has waited for too long is dropped: a link that is too narrow shall lose pictures
//! and not become slow.

use core::time::Duration;
use std::collections::VecDeque;
use std::time::Instant;

/// How long video waits at most.
pub(super) const VIDEO_WAITS: Duration = Duration::from_millis(100);

/// How long sound waits at most. It is so little that it waits only where nothing goes at all.
pub(super) const AUDIO_WAITS: Duration = Duration::from_millis(200);

/// Messages of one kind: 100 ms of 300 Mbit/s.
const MOST: usize = 4_096;

/// The queue of one link.
#[derive(Debug, Default)]
pub(super) struct Queue {
    audio: VecDeque<(Instant, Vec<u8>)>,
    video: VecDeque<(Instant, Vec<u8>)>,
    /// Messages that were dropped.
    pub(super) dropped: u64,
}

impl Queue {
    pub(super) fn push(&mut self, now: Instant, audio: bool, message: Vec<u8>) {
        let queue = if audio { &mut self.audio } else { &mut self.video };
        if queue.len() >= MOST {
            queue.pop_front();
            self.dropped += 1;
        }
        queue.push_back((now, message));
    }

    /// The next message.
    pub(super) fn pop(&mut self, now: Instant) -> Option<Vec<u8>> {
        let Self { audio, video, dropped } = self;
        for (queue, patience) in [(audio, AUDIO_WAITS), (video, VIDEO_WAITS)] {
            while queue.front().is_some_and(|(since, _)| now.saturating_duration_since(*since) > patience) {
                queue.pop_front();
                *dropped += 1;
            }
            if let Some((_, message)) = queue.pop_front() {
                return Some(message);
            }
        }
        None
    }

    pub(super) fn is_empty(&self) -> bool {
        self.audio.is_empty() && self.video.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_goes_first_and_nothing_waits_for_long() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.push(now, false, vec![1; 1_000]);
        queue.push(now, false, vec![2; 1_000]);
        queue.push(now, true, vec![3; 100]);
        assert_eq!(queue.pop(now), Some(vec![3; 100]));
        assert_eq!(queue.pop(now), Some(vec![1; 1_000]));
        assert_eq!(queue.pop(now + Duration::from_millis(101)), None);
        assert!(queue.is_empty() && queue.dropped == 1);
    }

    #[test]
    fn the_oldest_make_room() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        (0..MOST + 1).for_each(|number| queue.push(now, false, number.to_be_bytes().to_vec()));
        assert_eq!((queue.dropped, queue.pop(now)), (1, Some(1_usize.to_be_bytes().to_vec())));
    }
}
