//! One end of the way that media takes between two edges: datagrams, numbered in the order in which they are sent, and asked for again when they
//! don't come.
//!
//! A hop repairs what it loses by itself: viewers behind it shouldn't have to ask twice as far, and the publisher shouldn't hear of it at all. What
//! isn't there after [`PATIENCE`] is given up and is a loss like any other.
//!
//! ```text
//! kind 1        number (48 bit), body                 a message ([`super::wire`])
//! kind 2, 3     number (48 bit), half of a body       one that is too large for a datagram: two numbers in a row
//! kind 4        (number (48 bit), mask (32 bit))…     missing: the number, and those behind it whose bit is set, lowest first
//! kind 5        number (48 bit)                       the heartbeat: the newest number sent, so that a lost last one is missed
//! kind 6        number (48 bit)                       the same of an edge whose media threads stand still: the link lives, the edge forwards nothing
//! ```
//! Other kinds are skipped.
//!
//! Bounds: [`CACHED`] datagrams of [`KEPT`] are kept for resending, [`MISSING`] numbers missed, [`HALVES`] halves wait. Not here: sockets, and how
//! much the way carries (`edge-server`).

use bytes::{BufMut, Bytes, BytesMut};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// Between two heartbeats.
pub const BEAT: Duration = Duration::from_millis(250);

/// How long a datagram is kept for whoever misses it.
pub const KEPT: Duration = Duration::from_millis(500);

/// After so long a missing number is given up: a receiver's buffer has waited as long.
pub const PATIENCE: Duration = Duration::from_millis(500);

/// Datagrams kept at most: half a second of 100 Mbit/s.
const CACHED: usize = 8_192;

/// Numbers missed at a time. More at once is a way that was down, not a loss: key frames mend that.
const MISSING: usize = 2_048;

/// Halves that wait for their other half.
const HALVES: usize = 64;

/// A number is asked for so often at most.
const ASKED: u8 = 8;

/// What a datagram that isn't in order may be late before it is asked for. Guess: paths between servers reorder by less.
const REORDERED: Duration = Duration::from_millis(3);

/// Between two requests for one number, beyond the round trip.
const MARGIN: Duration = Duration::from_millis(10);

/// Bytes before a body.
pub const HEADER: usize = 7;

/// Ranges of one request: fits any datagram.
const RANGES: usize = 100;

const WHOLE: u8 = 1;
const FIRST_HALF: u8 = 2;
const SECOND_HALF: u8 = 3;
const MISSES: u8 = 4;
const HEARTBEAT: u8 = 5;
const HALTED: u8 = 6;

/// What an end counts.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Serialize)]
pub struct HopStats {
    /// Datagrams of media sent, without those sent again.
    pub sent: u64,
    /// Datagrams of media that arrived, each counted once.
    pub received: u64,
    /// Sent again because the other end missed them.
    pub resent: u64,
    /// Numbers that were missed when later ones came.
    pub missed: u64,
    /// Of these the ones that came, late or again.
    pub recovered: u64,
    /// Of these the ones that never did.
    pub lost: u64,
    /// Messages too large for two datagrams.
    pub too_large: u64,
    /// Datagrams that were none of this protocol.
    pub malformed: u64,
}

/// One end.
#[derive(Debug)]
pub struct Hop {
    newest_sent: u64,
    sent: VecDeque<Sent>,
    newest: u64,
    missing: BTreeMap<u64, Missing>,
    halves: VecDeque<(u64, Bytes)>,
    outgoing: VecDeque<Bytes>,
    next_beat: Instant,
    halted: bool,
    heard: Instant,
    beaten: Instant,
    round_trip: Duration,
    stats: HopStats,
}

#[derive(Debug)]
struct Sent {
    number: u64,
    at: Instant,
    again: Option<Instant>,
    datagram: Bytes,
}

#[derive(Clone, Copy, Debug)]
struct Missing {
    since: Instant,
    due: Instant,
    asked: u8,
}

impl Hop {
    /// A way that has just come up. `round_trip`: what is known of it; see [`Hop::set_round_trip`].
    #[must_use]
    pub fn new(now: Instant, round_trip: Duration) -> Self {
        Self {
            newest_sent: 0,
            sent: VecDeque::new(),
            newest: 0,
            missing: BTreeMap::new(),
            halves: VecDeque::new(),
            outgoing: VecDeque::new(),
            next_beat: now,
            halted: false,
            heard: now,
            beaten: now,
            round_trip,
            stats: HopStats::default(),
        }
    }

    /// How long an answer takes: requests are repeated after as long.
    pub fn set_round_trip(&mut self, round_trip: Duration) {
        self.round_trip = round_trip;
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> HopStats {
        self.stats
    }

    /// When the other end was last heard of.
    #[must_use]
    pub fn heard(&self) -> Instant {
        self.heard
    }

    /// When the other end's last heartbeat came, or another one than [`Hop::set_halted`] sends: then it could forward.
    #[must_use]
    pub fn beaten(&self) -> Instant {
        self.beaten
    }

    /// From now on heartbeats say that this edge forwards nothing, or that it does.
    pub fn set_halted(&mut self, halted: bool) {
        self.halted = halted;
    }

    /// Sends a message in datagrams of at most `most` bytes: one, or two when it is too large for one. What is too large for two is dropped and
    /// counted. [`Hop::poll_transmit`] hands them out.
    pub fn send(&mut self, now: Instant, body: &[u8], most: usize) {
        let room = most.saturating_sub(HEADER);
        if body.len() <= room {
            self.send_as(now, WHOLE, body);
        } else if let Some((first, second)) = body.split_at_checked(room).filter(|(_, second)| second.len() <= room) {
            self.send_as(now, FIRST_HALF, first);
            self.send_as(now, SECOND_HALF, second);
        } else {
            self.stats.too_large = self.stats.too_large.saturating_add(1);
        }
    }

    fn send_as(&mut self, now: Instant, kind: u8, body: &[u8]) {
        self.newest_sent = self.newest_sent.saturating_add(1);
        let number = self.newest_sent;
        let mut datagram = BytesMut::with_capacity(HEADER.saturating_add(body.len()));
        put_header(&mut datagram, kind, number);
        datagram.put_slice(body);
        let datagram = datagram.freeze();
        while self.sent.len() >= CACHED || self.sent.front().is_some_and(|sent| now.saturating_duration_since(sent.at) > KEPT) {
            self.sent.pop_front();
        }
        self.sent.push_back(Sent { number, at: now, again: None, datagram: datagram.clone() });
        self.stats.sent = self.stats.sent.saturating_add(1);
        self.outgoing.push_back(datagram);
    }

    /// The next datagram to be sent.
    pub fn poll_transmit(&mut self) -> Option<Bytes> {
        self.outgoing.pop_front()
    }

    /// Takes a datagram of the other end. Some: the body of a message, complete.
    pub fn handle_datagram(&mut self, now: Instant, datagram: Bytes) -> Option<Bytes> {
        let Some((kind, number)) = header(&datagram) else {
            self.stats.malformed = self.stats.malformed.saturating_add(1);
            return None;
        };
        self.heard = now;
        let body = datagram.slice(HEADER.min(datagram.len())..);
        match kind {
            WHOLE => self.note(now, number).then_some(body),
            FIRST_HALF => self.note(now, number).then(|| self.join(number, number.saturating_add(1), body, true)).flatten(),
            SECOND_HALF => self.note(now, number).then(|| self.join(number, number.saturating_sub(1), body, false)).flatten(),
            MISSES => {
                self.resend(now, &datagram);
                None
            }
            HEARTBEAT | HALTED => {
                if kind == HEARTBEAT {
                    self.beaten = now;
                }
                self.miss_until(now, number.saturating_add(1));
                None
            }
            // Of a newer version.
            _ => None,
        }
    }

    /// Takes note of a number that came. True: for the first time, and not too late.
    fn note(&mut self, now: Instant, number: u64) -> bool {
        if number > self.newest {
            self.miss_until(now, number);
            self.newest = number;
        } else if self.missing.remove(&number).is_some() {
            self.stats.recovered = self.stats.recovered.saturating_add(1);
        } else {
            return false;
        }
        self.stats.received = self.stats.received.saturating_add(1);
        true
    }

    /// Everything up to before `number` has been sent.
    fn miss_until(&mut self, now: Instant, number: u64) {
        let first = self.newest.saturating_add(1);
        if number <= first {
            return;
        }
        let count = number.saturating_sub(first);
        self.stats.missed = self.stats.missed.saturating_add(count);
        self.newest = number.saturating_sub(1);
        let room = MISSING.saturating_sub(self.missing.len()) as u64;
        if count > room {
            self.stats.lost = self.stats.lost.saturating_add(count);
            return;
        }
        for number in first..number {
            self.missing.insert(number, Missing { since: now, due: now + REORDERED, asked: 0 });
        }
    }

    fn join(&mut self, number: u64, other: u64, half: Bytes, first: bool) -> Option<Bytes> {
        let Some(place) = self.halves.iter().position(|(number, _)| *number == other) else {
            if self.halves.len() >= HALVES {
                self.halves.pop_front();
            }
            self.halves.push_back((number, half));
            return None;
        };
        let (_, other) = self.halves.remove(place)?;
        let (start, end) = if first { (half, other) } else { (other, half) };
        Some(start.iter().chain(&end).copied().collect())
    }

    /// Sends again what the other end says it misses: what is still there, and not more often than it can have said so anew.
    fn resend(&mut self, now: Instant, request: &[u8]) {
        let ranges = request.get(1..).unwrap_or_default().chunks_exact(10).take(RANGES);
        for range in ranges {
            let (Some(first), Some(mask)) = (number_of(range), range.last_chunk::<4>()) else { continue };
            let mask = u64::from(u32::from_be_bytes(*mask)) << 1 | 1;
            for number in (0_u64..33).filter(|offset| mask >> offset & 1 == 1).map(|offset| first.saturating_add(offset)) {
                let Some(oldest) = self.sent.front().map(|sent| sent.number) else { return };
                let place = number.checked_sub(oldest).and_then(|place| usize::try_from(place).ok());
                let Some(sent) = place.and_then(|place| self.sent.get_mut(place)) else { continue };
                let lately = sent.again.is_some_and(|again| now.saturating_duration_since(again) < self.round_trip / 2);
                if lately || now.saturating_duration_since(sent.at) > KEPT.saturating_add(self.round_trip) {
                    continue;
                }
                sent.again = Some(now);
                self.outgoing.push_back(sent.datagram.clone());
                self.stats.resent = self.stats.resent.saturating_add(1);
            }
        }
    }

    /// When [`Hop::handle_timeout`] has something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        self.missing.values().map(|missing| missing.due).min().map_or(self.next_beat, |due| due.min(self.next_beat))
    }

    /// Beats, and asks for what is missing.
    pub fn handle_timeout(&mut self, now: Instant) {
        if now >= self.next_beat {
            self.next_beat = now + BEAT;
            let mut beat = BytesMut::with_capacity(HEADER);
            put_header(&mut beat, if self.halted { HALTED } else { HEARTBEAT }, self.newest_sent);
            self.outgoing.push_back(beat.freeze());
        }
        let before = self.missing.len();
        self.missing.retain(|_, missing| missing.asked < ASKED && now.saturating_duration_since(missing.since) < PATIENCE);
        let given_up = before.saturating_sub(self.missing.len()) as u64;
        self.stats.lost = self.stats.lost.saturating_add(given_up);
        self.ask(now);
    }

    fn ask(&mut self, now: Instant) {
        let again = now + self.round_trip + self.round_trip / 4 + MARGIN;
        let mut ranges: Vec<(u64, u32)> = Vec::new();
        for (number, missing) in self.missing.iter_mut().filter(|(_, missing)| missing.due <= now) {
            let offset = ranges.last().map(|(first, _)| number.saturating_sub(*first)).filter(|offset| (1..=32).contains(offset));
            let full = ranges.len() >= RANGES;
            match (offset, ranges.last_mut()) {
                (Some(offset), Some((_, mask))) => *mask |= 1_u32.wrapping_shl(u32::try_from(offset.saturating_sub(1)).unwrap_or(0)),
                _ if full => break,
                _ => ranges.push((*number, 0)),
            }
            missing.due = again;
            missing.asked = missing.asked.saturating_add(1);
        }
        if ranges.is_empty() {
            return;
        }
        let mut request = BytesMut::with_capacity(ranges.len().saturating_mul(10).saturating_add(1));
        request.put_u8(MISSES);
        for (first, mask) in ranges {
            request.put_uint(first, 6);
            request.put_u32(mask);
        }
        self.outgoing.push_back(request.freeze());
    }
}

fn put_header(datagram: &mut BytesMut, kind: u8, number: u64) {
    datagram.put_u8(kind);
    datagram.put_uint(number & NUMBERS, 6);
}

/// Numbers have 48 bits: at a million a second, nine years.
const NUMBERS: u64 = (1 << 48) - 1;

fn header(datagram: &[u8]) -> Option<(u8, u64)> {
    let (kind, rest) = datagram.split_first()?;
    Some((*kind, number_of(rest)?))
}

fn number_of(bytes: &[u8]) -> Option<u64> {
    let [a, b, c, d, e, f] = *bytes.first_chunk::<6>()?;
    Some(u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
}

#[cfg(test)]
mod tests;
