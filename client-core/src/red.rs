//! When microphones send each frame twice (RED, RFC 2198), which doubles what they cost: while the way up loses packets.
//! Pure: [`Red::observe`] once a second with what was measured. Not here: doing it, which is the order of payload types in an answer ([`crate::sdp`]).

use crate::MonoTime;
use core::time::Duration;

/// Smoothed loss from which single losses are heard. Guess: in-band error correction of Opus hides most of less.
const ON_FROM: f32 = 0.04;

/// Below this it is not needed.
const OFF_BELOW: f32 = 0.01;

/// For so long, since each change costs an offer and Wi-Fi comes in moods. Guess.
const CALM_FOR: Duration = Duration::from_secs(30);

/// Of one session.
#[derive(Debug, Default)]
pub(crate) struct Red {
    on: bool,
    /// Half of it is two seconds old.
    loss: f32,
    calm_since: Option<MonoTime>,
}

impl Red {
    pub(crate) fn is_on(&self) -> bool {
        self.on
    }

    /// Takes the share of the last second's packets that got lost on their way up; whether that changed it.
    pub(crate) fn observe(&mut self, now: MonoTime, loss: f32) -> bool {
        self.loss += (loss - self.loss) / 3.0;
        if self.loss >= OFF_BELOW {
            self.calm_since = None;
        }
        let on = if self.on { now.since(*self.calm_since.get_or_insert(now)) < CALM_FOR } else { self.loss >= ON_FROM };
        core::mem::replace(&mut self.on, on) != on
    }
}

#[cfg(test)]
mod tests;
