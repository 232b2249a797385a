//! A timer that is finer than the poll's milliseconds, for frames that wait half of one for their end.
//!
//! Where there is none, the poll rounds up to a whole millisecond, which costs delay and nothing else.

use core::time::Duration;
use std::time::Instant;

/// Deadlines further away than this are left to the poll: a millisecond more doesn't matter to them.
const FINE: Duration = Duration::from_millis(3);

/// The timer of a thread.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    #[cfg(target_os = "linux")]
    timer: Option<nix::sys::timerfd::TimerFd>,
    /// When it goes off.
    armed: Option<Instant>,
}

impl Alarm {
    /// Readiness of `token` will say that it went off.
    #[cfg(target_os = "linux")]
    pub(super) fn new(registry: &mio::Registry, token: mio::Token) -> Self {
        use nix::sys::timerfd::{ClockId, TimerFd, TimerFlags};
        use std::os::fd::{AsFd, AsRawFd};
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC).ok().filter(|timer| {
            let descriptor = timer.as_fd().as_raw_fd();
            registry.register(&mut mio::unix::SourceFd(&descriptor), token, mio::Interest::READABLE).is_ok()
        });
        if timer.is_none() {
            tracing::warn!(
                "no fine timer to be had (out of file descriptors?); video waits up to a millisecond longer where its frames come in parts"
            );
        }
        Self { timer, armed: None }
    }

    /// None on this system.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn new(_registry: &mio::Registry, _token: mio::Token) -> Self {
        Self::default()
    }

    /// Sees to it that the poll ends at `due`, or earlier. It is never disarmed: a wake-up for nothing costs less than two system calls
    /// a frame.
    pub(super) fn arm(&mut self, now: Instant, due: Instant) {
        let wait = due.saturating_duration_since(now);
        let soon_enough = self.armed.is_some_and(|armed| armed > now && armed <= due);
        if wait.is_zero() || wait > FINE || soon_enough {
            return;
        }
        #[cfg(target_os = "linux")]
        if let Some(timer) = &self.timer {
            use nix::sys::timerfd::{Expiration, TimerSetTimeFlags};
            let expiration = Expiration::OneShot(nix::sys::time::TimeSpec::from_duration(wait));
            self.armed = timer.set(expiration, TimerSetTimeFlags::empty()).is_ok().then_some(due);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[cfg(target_os = "linux")]
    #[test]
    fn it_ends_a_poll_when_it_should_not_a_millisecond_later() {
        let mut poll = mio::Poll::new().unwrap();
        let mut alarm = Alarm::new(poll.registry(), mio::Token(7));
        let mut events = mio::Events::with_capacity(4);
        for _ in 0..3 {
            let due = clock::now() + Duration::from_micros(300);
            alarm.arm(clock::now(), due);
            poll.poll(&mut events, Some(Duration::from_secs(10))).unwrap();
            assert_eq!(events.iter().map(|event| event.token()).collect::<Vec<_>>(), [mio::Token(7)], "the poll's own time ran out");
            assert!(clock::now() >= due);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn it_is_set_once_for_what_is_due_together_and_not_for_what_is_far_away() {
        let poll = mio::Poll::new().unwrap();
        let mut alarm = Alarm::new(poll.registry(), mio::Token(7));
        let now = clock::now();
        let at = |micros| now + Duration::from_micros(micros);
        alarm.arm(now, at(20_000));
        assert_eq!(alarm.armed, None);
        alarm.arm(now, at(500));
        alarm.arm(now, at(900));
        assert_eq!(alarm.armed, Some(at(500)));
        alarm.arm(now, at(400));
        assert_eq!(alarm.armed, Some(at(400)));
        alarm.arm(at(450), at(1_000));
        assert_eq!(alarm.armed, Some(at(1_000)));
    }
}
