//! What was sent under which transport-wide number, until feedback has spoken of it.
//!
//! Invariants, each with a test of the same name in `tests/history.rs`:
//! * `numbers_never_sent_find_nothing`, and neither do those that the ring has forgotten;
//! * `a_packet_is_counted_once`, however often feedback names it, and a loss is taken back when the packet arrives after all;
//! * `memory_is_bounded`: 8 bytes a packet, from [`FIRST_LEN`] to [`MAX_LEN`] packets; it grows only while packets younger than
//!   [`KEPT`] would be overwritten, so a steady rate allocates nothing.

/// Packets remembered at first: a second of audio and a small picture; 2 kB.
const FIRST_LEN: usize = 256;
/// Packets remembered at most: two seconds at 20 Mbit/s in packets of 1200 bytes; 32 kB. A power of two, and below half the number space.
pub(super) const MAX_LEN: usize = 4096;
/// How long an unanswered packet is worth keeping. Feedback that is later than this is about another network.
const KEPT_US: i64 = 2_000_000;

/// How one packet fared.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Fate {
    #[default]
    InFlight,
    Arrived,
    Lost,
    /// The feedback that would have said so was lost.
    Unknown,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sent {
    /// Low 32 bits of the time of sending in µs.
    at: u32,
    size: u16,
    cluster: u8,
    fate: Fate,
}

/// A packet that feedback has spoken of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Answered {
    /// Unwrapped transport-wide number.
    pub(super) number: u64,
    /// µs since the controller's start.
    pub(super) sent_us: i64,
    /// Bytes on the wire.
    pub(super) size: u16,
    /// Probe cluster it was sent in; 0: none.
    pub(super) cluster: u8,
    /// It had been reported lost before.
    pub(super) was_lost: bool,
    /// It was among the bytes that [`SendHistory::on_feedback_base`] spoke of.
    pub(super) was_unknown: bool,
}

#[derive(Debug)]
pub(super) struct SendHistory {
    ring: Vec<Sent>,
    /// The number the next packet gets, unwrapped.
    next: u64,
    /// The first number that feedback has said nothing of yet.
    expected: u64,
    in_flight: u64,
}

impl SendHistory {
    pub(super) fn new() -> Self {
        Self { ring: vec![Sent::default(); FIRST_LEN], next: 0, expected: 0, in_flight: 0 }
    }

    /// The number of the next packet.
    pub(super) fn next_number(&self) -> u16 {
        self.next as u16
    }

    /// Bytes sent that feedback has said nothing of.
    #[cfg(test)]
    pub(super) fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// Packets that fit without another allocation.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.ring.len()
    }

    /// Notes a packet sent under [`Self::next_number`].
    pub(super) fn push(&mut self, now_us: i64, size: u16, cluster: u8) {
        if let Some(old) = self.oldest_overwritten()
            && old.fate == Fate::InFlight
        {
            if age_us(old.at, now_us) < KEPT_US && self.ring.len() < MAX_LEN {
                self.grow();
            } else {
                self.in_flight = self.in_flight.saturating_sub(u64::from(old.size));
            }
        }
        let place = self.place(self.next);
        if let Some(place) = self.ring.get_mut(place) {
            *place = Sent { at: now_us as u32, size, cluster, fate: Fate::InFlight };
        }
        self.in_flight = self.in_flight.saturating_add(u64::from(size));
        self.next = self.next.wrapping_add(1);
    }

    fn place(&self, number: u64) -> usize {
        (number as usize) & self.ring.len().wrapping_sub(1)
    }

    /// What the next packet would overwrite.
    fn oldest_overwritten(&self) -> Option<Sent> {
        (self.next >= self.ring.len() as u64).then(|| self.ring.get(self.place(self.next)).copied()).flatten()
    }

    fn grow(&mut self) {
        let old_len = self.ring.len() as u64;
        let mut grown = vec![Sent::default(); self.ring.len().saturating_mul(2)];
        let mask = grown.len().wrapping_sub(1);
        for number in self.next.saturating_sub(old_len)..self.next {
            if let (Some(from), Some(to)) = (self.ring.get(self.place(number)), grown.get_mut((number as usize) & mask)) {
                *to = *from;
            }
        }
        self.ring = grown;
    }

    /// The packet that was sent under `wire`, if it still is remembered.
    fn unwrap(&self, wire: u16) -> Option<u64> {
        let back = u64::from((self.next as u16).wrapping_sub(1).wrapping_sub(wire));
        let number = self.next.checked_sub(1)?.checked_sub(back)?;
        (back < self.ring.len() as u64).then_some(number)
    }

    /// Whether what was sent under `wire` arrived; what is forgotten or was left out of feedback didn't, for all that is known.
    pub(super) fn has_arrived(&self, wire: u16) -> Option<bool> {
        let sent = self.unwrap(wire).and_then(|number| self.ring.get(self.place(number)));
        match sent.map(|sent| sent.fate) {
            Some(Fate::InFlight) => None,
            Some(Fate::Arrived) => Some(true),
            Some(Fate::Lost | Fate::Unknown) | None => Some(false),
        }
    }

    /// How many packets right before `wire` were sent since the last one that feedback spoke of.
    pub(super) fn skipped(&self, wire: u16) -> u16 {
        let Some(base) = self.unwrap(wire) else { return 0 };
        let known = self.next.saturating_sub(self.ring.len() as u64);
        u16::try_from(base.saturating_sub(self.expected.max(known))).unwrap_or(0)
    }

    /// Feedback begins with `wire`: what lies between it and the last one was never reported. Returns those bytes.
    pub(super) fn on_feedback_base(&mut self, wire: u16) -> u64 {
        let Some(base) = self.unwrap(wire) else { return 0 };
        let mut unknown = 0_u64;
        for number in self.expected.max(self.next.saturating_sub(self.ring.len() as u64))..base {
            let place = self.place(number);
            if let Some(sent) = self.ring.get_mut(place)
                && sent.fate == Fate::InFlight
            {
                sent.fate = Fate::Unknown;
                unknown = unknown.saturating_add(u64::from(sent.size));
                self.in_flight = self.in_flight.saturating_sub(u64::from(sent.size));
            }
        }
        self.expected = self.expected.max(base);
        unknown
    }

    /// Feedback says that `wire` arrived (or did not). `None` when that is no news, or about a packet we don't know.
    pub(super) fn answer(&mut self, wire: u16, arrived: bool, now_us: i64) -> Option<Answered> {
        let number = self.unwrap(wire)?;
        let place = self.place(number);
        let sent = self.ring.get_mut(place)?;
        let before = sent.fate;
        let news = match before {
            Fate::InFlight | Fate::Unknown => true,
            Fate::Lost => arrived,
            Fate::Arrived => false,
        };
        if !news {
            return None;
        }
        sent.fate = if arrived { Fate::Arrived } else { Fate::Lost };
        let (size, cluster, at) = (sent.size, sent.cluster, sent.at);
        if before == Fate::InFlight {
            self.in_flight = self.in_flight.saturating_sub(u64::from(size));
        }
        self.expected = self.expected.max(number.wrapping_add(1));
        let sent_us = now_us.saturating_sub(age_us(at, now_us));
        Some(Answered { number, sent_us, size, cluster, was_lost: before == Fate::Lost, was_unknown: before == Fate::Unknown })
    }
}

/// Time since a packet with these low 32 bits of its time of sending was sent; right for 71 minutes.
fn age_us(at: u32, now_us: i64) -> i64 {
    i64::from((now_us as u32).wrapping_sub(at))
}
