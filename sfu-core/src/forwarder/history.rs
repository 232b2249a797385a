//! What a subscriber was sent lately, so that a NACK finds the packet in the publication's shared cache, and a packet that comes late
//! finds the number that was kept for it.
//!
//! Every number that was given has an entry, of sixteen bytes. Bounds: as many entries as the cache holds packets; the packets themselves
//! aren't copied. The memory grows with what was sent, to 8 kB for video and 1 kB for audio.

use crate::rtp::Seq;
use std::time::{Duration, Instant};

/// A request this soon after a resend was sent before that could arrive; longer where the round trip is.
const RESEND_INTERVAL: Duration = Duration::from_millis(20);

/// Resends of one packet. libwebrtc asks ten times at most; some clients ask for ever, though the resends arrive.
const MAX_RESENDS: u8 = 10;

/// A packet older than this is of no use to a jitter buffer: libwebrtc gives up on a frame after 3 s without picture and holds half a
/// second as a rule. A guess between the two.
const RESEND_AGE: Duration = Duration::from_secs(1);

/// Longer round trips than a third of [`RESEND_AGE`] need more time, up to what libwebrtc waits for at most.
const MAX_RESEND_AGE: Duration = Duration::from_secs(3);

/// Looking further back for a packet to probe with costs more than it gains.
const PROBE_REACH: u64 = 32;

/// One number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    /// The low bits of the publisher's number.
    input: u32,
    /// The timestamp it went with; of a number that is kept, nothing.
    pub(super) timestamp: u32,
    /// Milliseconds of the history's clock when the number was given. Wraps after a minute: an old packet may pass for a young one, which
    /// costs a resend in vain.
    given: u16,
    /// The same when it was last sent out of turn: as a repair that came late, or because the subscriber asked.
    again: u16,
    /// How far the picture id is shifted.
    pub(super) picture_shift: u16,
    pub(super) state: State,
    /// [`WITH_MID`], [`OUT_OF_TURN`], and how often it was sent again.
    marks: u8,
}

/// What has become of a number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum State {
    /// Kept for a packet that is missing.
    Kept,
    /// The packet went out.
    Whole,
    /// The packet wasn't for this subscriber: an empty one went out.
    Empty,
}

/// It went with the MID extension: a resend under the same number must be the same to the byte.
const WITH_MID: u8 = 0x80;
/// It came late, when requests for it were on their way.
const OUT_OF_TURN: u8 = 0x40;
/// Times it was sent again; [`MAX_RESENDS`] when it is known to have come.
const RESENDS: u8 = 0x0f;

impl Sent {
    pub(super) fn with_mid(self) -> bool {
        self.marks & WITH_MID != 0
    }

    pub(super) fn resends(self) -> u8 {
        self.marks & RESENDS
    }

    fn once(self) -> bool {
        self.state == State::Whole && self.marks & (OUT_OF_TURN | RESENDS) == 0
    }
}

/// The ring of numbers.
#[derive(Debug)]
pub(super) struct History {
    entries: Vec<Sent>,
    /// A power of two.
    capacity: usize,
    first: Seq,
    next: Seq,
    epoch: Option<Instant>,
    /// The last moment that was asked for, and what it is in milliseconds: all packets of a frame go at once.
    moment: Option<(Instant, u16)>,
}

impl History {
    /// `first`: the number that will be given first.
    pub(super) fn new(capacity: usize, first: Seq) -> Self {
        Self { entries: Vec::new(), capacity: capacity.next_power_of_two(), first, next: first, epoch: None, moment: None }
    }

    /// The number that will be given next.
    pub(super) fn next(&self) -> Seq {
        self.next
    }

    /// Memory beside itself.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.entries.capacity().saturating_mul(size_of::<Sent>())
    }

    fn index(&self, out: Seq) -> usize {
        // Below the capacity, which is a `usize`.
        (out.since(self.first) as usize) & self.capacity.wrapping_sub(1)
    }

    fn millis(&mut self, now: Instant) -> u16 {
        if let Some((moment, millis)) = self.moment
            && moment == now
        {
            return millis;
        }
        let epoch = *self.epoch.get_or_insert(now);
        let elapsed = now.saturating_duration_since(epoch);
        let millis = (elapsed.as_secs() as u16).wrapping_mul(1_000).wrapping_add(elapsed.subsec_millis() as u16);
        self.moment = Some((now, millis));
        millis
    }

    /// Gives the next number to the publisher's packet `input`.
    pub(super) fn give(&mut self, now: Instant, input: Seq, timestamp: u32, picture_shift: u16, state: State, with_mid: bool) {
        let given = self.millis(now);
        let marks = if with_mid { WITH_MID } else { 0 };
        let entry = Sent { input: input.value() as u32, timestamp, given, again: given, picture_shift, state, marks };
        let index = self.index(self.next);
        match self.entries.get_mut(index) {
            Some(place) => *place = entry,
            None => self.entries.push(entry),
        }
        self.next = self.next.forward(1);
    }

    /// The oldest number that is still known.
    fn oldest(&self) -> Seq {
        self.next.backward(self.entries.len() as u64)
    }

    fn entry(&self, out: Seq) -> Option<&Sent> {
        self.entries.get(self.index(out)).filter(|_| out >= self.oldest() && out < self.next)
    }

    /// What is known of the number `out`.
    pub(super) fn find(&self, out: Seq) -> Option<Sent> {
        self.entry(out).copied()
    }

    /// The number that the publisher's packet `input` has among those from `start` up to, not including, `end`.
    pub(super) fn number_of(&self, input: Seq, start: Seq, end: Option<Seq>) -> Option<Seq> {
        let (mut low, mut high) = (start.max(self.oldest()), end.unwrap_or(self.next).min(self.next));
        // They ascend, as they were given in turn.
        while low < high {
            let middle = low.forward(high.since(low) / 2);
            let ahead = (input.value() as u32).wrapping_sub(self.entry(middle)?.input).cast_signed();
            match ahead {
                0 => return Some(middle),
                1.. => low = middle.forward(1),
                _ => high = middle,
            }
        }
        None
    }

    /// The publisher's number of an entry, given another one that is less than 2^31 away.
    pub(super) fn input_of(sent: Sent, near: Seq) -> Seq {
        let ahead = sent.input.wrapping_sub(near.value() as u32).cast_signed();
        if ahead >= 0 { near.forward(u64::from(ahead.unsigned_abs())) } else { near.backward(u64::from(ahead.unsigned_abs())) }
    }

    /// The time nearest to `timestamp` that a packet may have that takes the number `out`, which was kept: not before what went under the
    /// numbers below it, nor behind what went under those above. A publisher may claim any time for a packet that comes late. None: nothing
    /// is known any more of what went below.
    pub(super) fn time_for(&self, out: Seq, timestamp: u32) -> Option<u32> {
        let went = |entry: &Sent| entry.state != State::Kept;
        let below = (1..=out.since(self.oldest())).map_while(|back| self.entry(out.backward(back))).find(|entry| went(entry));
        let above = (1..self.next.since(out)).map_while(|ahead| self.entry(out.forward(ahead))).find(|entry| went(entry));
        let is_before = |timestamp: u32, other: u32| timestamp.wrapping_sub(other).cast_signed() < 0;
        Some(match (below?, above) {
            (below, _) if is_before(timestamp, below.timestamp) => below.timestamp,
            (_, Some(above)) if is_before(above.timestamp, timestamp) => above.timestamp,
            _ => timestamp,
        })
    }

    /// Notes what went out late under a number that was kept.
    pub(super) fn fill(&mut self, now: Instant, out: Seq, timestamp: u32, state: State, with_mid: bool) {
        let again = self.millis(now);
        let index = self.index(out);
        if let Some(entry) = self.entries.get_mut(index) {
            entry.state = state;
            entry.timestamp = timestamp;
            entry.again = again;
            entry.marks |= OUT_OF_TURN | if with_mid { WITH_MID } else { 0 };
        }
    }

    /// Notes what became of a number that was kept, when somebody asked for it.
    pub(super) fn settle(&mut self, out: Seq, timestamp: u32, state: State) {
        let index = self.index(out);
        if let Some(entry) = self.entries.get_mut(index) {
            entry.state = state;
            entry.timestamp = timestamp;
        }
    }

    /// Notes that `out` goes out of turn now; false when that is too soon, too often or too late.
    pub(super) fn note_resend(&mut self, out: Seq, now: Instant, round_trip: Option<Duration>) -> bool {
        let millis = self.millis(now);
        let round_trip = round_trip.unwrap_or_default();
        let pause = round_trip.max(RESEND_INTERVAL).as_millis();
        let age = round_trip.saturating_mul(3).clamp(RESEND_AGE, MAX_RESEND_AGE).as_millis();
        let index = self.index(out);
        let Some(entry) = self.entries.get_mut(index) else { return false };
        let out_of_turn = entry.marks & (OUT_OF_TURN | RESENDS) != 0;
        let too_soon = out_of_turn && u128::from(millis.wrapping_sub(entry.again)) < pause;
        if too_soon || entry.resends() >= MAX_RESENDS || u128::from(millis.wrapping_sub(entry.given)) > age {
            return false;
        }
        entry.again = millis;
        entry.marks = entry.marks.saturating_add(1); // below RESENDS, by the line above
        true
    }

    /// Notes that a resend of `out` arrived.
    pub(super) fn note_arrival(&mut self, out: Seq) {
        let index = self.index(out);
        if self.entry(out).is_some()
            && let Some(entry) = self.entries.get_mut(index)
        {
            entry.marks = (entry.marks & !RESENDS) | MAX_RESENDS;
        }
    }

    /// The newest number whose packet went out once only, among the latest few.
    pub(super) fn newest_sent_once(&self) -> Option<Seq> {
        (1..=PROBE_REACH.min(self.entries.len() as u64))
            .map(|back| self.next.backward(back))
            .find(|out| self.find(*out).is_some_and(Sent::once))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_costs_sixteen_bytes() {
        assert_eq!(size_of::<Sent>(), 16);
    }

    #[test]
    fn a_packet_finds_the_number_that_was_kept_for_it() {
        let now = Instant::now();
        let mut history = History::new(64, Seq::first(9));
        let inputs: Vec<_> = (0..200_u64).map(|step| Seq::first(65_000).forward(step * 3)).collect();
        for input in &inputs {
            history.give(now, *input, 0, 0, State::Kept, false);
        }
        for (index, input) in inputs.iter().enumerate() {
            let expected = (index >= 200 - 64).then(|| Seq::first(9).forward(index as u64));
            assert_eq!(history.number_of(*input, Seq::first(9), None), expected);
            assert_eq!(history.number_of(input.forward(1), Seq::first(9), None), None);
        }
        let last = history.find(Seq::first(9).forward(199)).unwrap();
        assert_eq!(History::input_of(last, inputs[150]), inputs[199]);
        assert_eq!(History::input_of(last, inputs[199].forward(7)), inputs[199]);
    }

    #[test]
    fn what_comes_late_has_a_time_between_its_neighbours() {
        let now = Instant::now();
        let mut history = History::new(64, Seq::first(9));
        let number = |step: u64| Seq::first(9).forward(step);
        for (step, timestamp) in [(0, Some(u32::MAX - 99)), (1, None), (2, None), (3, Some(3_000)), (4, None)] {
            let state = if timestamp.is_some() { State::Whole } else { State::Kept };
            history.give(now, Seq::first(100).forward(step), timestamp.unwrap_or(0), 0, state, false);
        }
        assert_eq!(history.time_for(number(1), 500), Some(500));
        assert_eq!(history.time_for(number(2), u32::MAX - 99), Some(u32::MAX - 99));
        assert_eq!(history.time_for(number(1), u32::MAX - 200), Some(u32::MAX - 99), "before the one before it");
        assert_eq!(history.time_for(number(2), 3_001), Some(3_000), "behind the one behind it");
        assert_eq!(history.time_for(number(4), 9_000), Some(9_000), "nothing went behind it");
        history.fill(now, number(1), 2_000, State::Whole, false);
        assert_eq!(history.time_for(number(2), 1_999), Some(2_000));
    }

    #[test]
    fn what_left_the_ring_is_unknown_and_so_is_the_future() {
        let now = Instant::now();
        let mut history = History::new(8, Seq::first(0));
        assert!(history.find(Seq::first(0)).is_none());
        for step in 0..20 {
            history.give(now, Seq::first(step), 0, 0, State::Whole, false);
        }
        assert!(history.find(Seq::first(11)).is_none());
        assert!(history.find(Seq::first(12)).is_some());
        assert!(history.find(Seq::first(20)).is_none());
        assert_eq!(history.entries.capacity(), 8);
    }
}
