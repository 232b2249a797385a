//! The receiver's clock: unwraps the arrival times of feedback and notices when they make no sense.

/// Arrival times wrap with the 24-bit reference time of 64 ms (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1.1).
const WRAP_US: i64 = (1 << 24) * 64_000;
/// A receiver's clock that moves this much more or less than ours between two packets was set anew, or lies; either way nothing from
/// before can be compared with what follows. libwebrtc's `InterArrival::kArrivalTimeOffsetThresholdMs` is 3 s.
const JUMP_US: i64 = 3_000_000;

#[derive(Debug, Default)]
pub(super) struct ArrivalClock {
    last: Option<Last>,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    wire_us: i64,
    arrival_us: i64,
    sent_us: i64,
}

/// An arrival on the receiver's clock, continued over wraps.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Arrival {
    pub(super) us: i64,
    /// The clock was set anew: forget every delay measured.
    pub(super) reset: bool,
}

impl ArrivalClock {
    /// Continues the clock with a packet that was sent at `sent_us` (ours) and arrived at `wire_us` (theirs, as feedback has it).
    pub(super) fn unwrap(&mut self, wire_us: i64, sent_us: i64) -> Arrival {
        let Some(last) = self.last else {
            self.last = Some(Last { wire_us, arrival_us: 0, sent_us });
            return Arrival { us: 0, reset: false };
        };
        let half = WRAP_US / 2;
        let step = wire_us.saturating_sub(last.wire_us).saturating_add(half).rem_euclid(WRAP_US).saturating_sub(half);
        let expected = sent_us.saturating_sub(last.sent_us);
        let reset = step.saturating_sub(expected).saturating_abs() > JUMP_US;
        // After a jump go on as if no time had passed but ours: unwrapped times stay small whatever the wire says.
        let us = last.arrival_us.saturating_add(if reset { expected } else { step });
        self.last = Some(Last { wire_us, arrival_us: us, sent_us });
        Arrival { us, reset }
    }
}
