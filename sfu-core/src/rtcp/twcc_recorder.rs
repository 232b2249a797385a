//! Records when a publisher's packets arrived, and writes it as transport-wide congestion control feedback.
//! Source: draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1; when to report follows libwebrtc.
//!
//! Invariants, each with a test of the same name in `twcc_recorder/tests.rs`:
//! * `every_packet_is_reported_once_in_order`: what was recorded is what a parser of the feedback reads;
//! * `late_packets_are_reported_again_with_their_neighbours`, as libwebrtc does: senders expect it;
//! * `memory_is_bounded`: a ring of [`WINDOW`] arrivals, allocated with the first packet.
//!
//! Not here: what the sender's estimator makes of it (`bwe`).

use std::time::{Duration, Instant};

use super::transport_feedback::Symbol;
use super::write::{CompoundWriter, RtcpWriteError};
use super::{feedback_type, packet_type};
use crate::rtp::Seq;

#[cfg(test)]
mod tests;

/// Packets remembered, reported ones included: 100 ms at 10 000 packets/s (some 100 Mbit/s), and room for reordering.
const WINDOW: usize = 1024;
/// Report at the latest this long after an unreported packet arrived. libwebrtc's default (`kDefaultInterval` in
/// `transport_sequence_number_feedback_generator`).
const INTERVAL: Duration = Duration::from_millis(100);
/// Under load, report this often. libwebrtc's shortest (`kMinInterval`, same place), which it reaches at 218 kbit/s by giving
/// feedback 5 % of the rate.
const LOADED_INTERVAL: Duration = Duration::from_millis(50);
/// Unreported packets that count as load. Guess: at 1200 B, 5 in 50 ms are 1 Mbit/s; feedback is then 1 % of it.
const LOAD: usize = 5;
/// Report at once when what a report must cover, losses included, is this many packets long: the ring must not
/// overwrite it.
const FULL: u64 = WINDOW as u64 / 2;
/// Bytes of feedback in front of the chunks, after the common header: sources, base, count, time, number.
const FIXED_LEN: usize = 16;
/// Ticks (250 µs) of one unit of the reference time, as a shift: 64 ms.
const TICKS_PER_REFERENCE: u32 = 8;

/// Arrival times of one publisher's packets, and what of them was reported.
///
/// Times are kept as 32-bit ticks of 250 µs since the first packet and wrap after 12 days, together with the 24-bit
/// reference time on the wire.
#[derive(Debug, Default)]
pub struct TwccRecorder {
    stream: Option<Stream>,
    feedback_count: u8,
}

#[derive(Debug)]
struct Stream {
    /// Tick zero.
    epoch: Instant,
    /// Arrival by sequence number modulo [`WINDOW`]; holds `newest - WINDOW + 1 ..= newest`.
    arrivals: Box<[Option<u32>]>,
    newest: Seq,
    /// Where the next report starts.
    base: Seq,
    /// Packets that arrived since the last report, and when the first of them did.
    waiting: usize,
    waiting_since: Instant,
}

impl TwccRecorder {
    /// A recorder that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Records that the packet with this transport-wide number arrived at `now`. Duplicates and packets from before the
    /// window are ignored.
    #[inline]
    pub fn on_packet(&mut self, transport_seq: u16, now: Instant) {
        match &mut self.stream {
            Some(stream) => stream.on_packet(transport_seq, now),
            None => self.stream = Some(Stream::starting_with(transport_seq, now)),
        }
    }

    /// When feedback is due: `None` while nothing waits to be reported. Ask after every packet: a burst brings it forward.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let stream = self.stream.as_ref().filter(|stream| stream.waiting > 0)?;
        let interval = if stream.newest.since(stream.base) >= FULL {
            Duration::ZERO
        } else if stream.waiting >= LOAD {
            LOADED_INTERVAL
        } else {
            INTERVAL
        };
        stream.waiting_since.checked_add(interval)
    }

    /// Adds a feedback packet about what waits to be reported to `compound`; whether it is due is for the caller to ask.
    ///
    /// Returns whether more waits: a report stops where `compound` is full, or where a gap of more than 8 s in arrival
    /// times needs a new reference. Call again, with a fresh compound, until `false`.
    ///
    /// # Errors
    /// [`RtcpWriteError::BufferTooSmall`] if not even one packet fits; 40 bytes do.
    pub fn build_feedback(&mut self, sender_ssrc: u32, media_ssrc: u32, compound: &mut CompoundWriter<'_>) -> Result<bool, RtcpWriteError> {
        let Some(stream) = self.stream.as_mut().filter(|stream| stream.waiting > 0) else { return Ok(false) };
        let Some(report) = stream.next_report(compound.room()) else { return Err(RtcpWriteError::BufferTooSmall) };
        stream.write(&report, sender_ssrc, media_ssrc, self.feedback_count, compound)?;
        self.feedback_count = self.feedback_count.wrapping_add(1);
        stream.base = stream.base.forward(u64::from(report.count));
        let more = stream.base <= stream.newest;
        if !more {
            stream.waiting = 0;
        }
        Ok(more)
    }
}

/// A part of what waits that fits one feedback packet.
struct Report {
    count: u16,
    /// Low 24 bits.
    reference_time: u32,
    delta_len: usize,
}

impl Stream {
    fn starting_with(transport_seq: u16, now: Instant) -> Self {
        let first = Seq::first(transport_seq);
        let arrivals = vec![None; WINDOW].into_boxed_slice();
        let mut stream = Self { epoch: now, arrivals, newest: first, base: first, waiting: 1, waiting_since: now };
        stream.put(first, Some(0));
        stream
    }

    fn on_packet(&mut self, transport_seq: u16, now: Instant) {
        let seq = self.newest.unwrap_next(transport_seq);
        if seq > self.newest {
            let entered = seq.since(self.newest).min(WINDOW as u64);
            for age in 0..entered {
                self.put(seq.backward(age), None);
            }
            self.newest = seq;
            self.base = self.base.max(self.oldest());
        } else if seq < self.oldest() || self.arrival(seq).is_some() {
            return;
        }
        let ticks = now.saturating_duration_since(self.epoch).as_micros() / 250;
        self.put(seq, Some((ticks & u128::from(u32::MAX)).try_into().unwrap_or_default()));
        self.base = self.base.min(seq);
        if self.waiting == 0 {
            self.waiting_since = now;
        }
        self.waiting = self.waiting.saturating_add(1);
    }

    /// The oldest number that still has a place in the ring.
    fn oldest(&self) -> Seq {
        self.newest.backward(WINDOW.saturating_sub(1) as u64)
    }

    fn arrival(&self, seq: Seq) -> Option<u32> {
        self.arrivals.get(usize::from(seq.wire()) % WINDOW).copied().flatten()
    }

    fn put(&mut self, seq: Seq, arrival: Option<u32>) {
        if let Some(place) = self.arrivals.get_mut(usize::from(seq.wire()) % WINDOW) {
            *place = arrival;
        }
    }

    /// Status of the `offset`-th packet from the base: its symbol, and its delta from the clock, which moves on.
    fn status(&self, offset: u16, clock: &mut u32) -> Option<(Symbol, i16)> {
        let Some(arrival) = self.arrival(self.base.forward(u64::from(offset))) else { return Some((Symbol::Lost, 0)) };
        let delta = i16::try_from(arrival.wrapping_sub(*clock).cast_signed()).ok()?;
        *clock = arrival;
        let symbol = if (0..=0xff).contains(&delta) { Symbol::SmallDelta } else { Symbol::LargeDelta };
        Some((symbol, delta))
    }

    /// How much from the base on fits `room` bytes; `None` if no packet does.
    fn next_report(&self, room: usize) -> Option<Report> {
        let room = room.checked_sub(FIXED_LEN.saturating_add(4))?;
        let span = u16::try_from(self.newest.since(self.base).saturating_add(1)).unwrap_or(u16::MAX);
        let first = (0..span).find_map(|offset| self.arrival(self.base.forward(u64::from(offset))))?;
        let reference_time = first >> TICKS_PER_REFERENCE;
        let mut clock = reference_time << TICKS_PER_REFERENCE;
        let (mut count, mut delta_len) = (0u16, 0usize);
        for offset in 0..span {
            let Some((symbol, _)) = self.status(offset, &mut clock) else { break };
            let next_count = count.saturating_add(1);
            let next_delta_len = delta_len.saturating_add(symbol.delta_len());
            // At worst each chunk holds seven symbols. Then up to three bytes of padding.
            let chunk_len = usize::from(next_count.div_ceil(7)).saturating_mul(2);
            if chunk_len.saturating_add(next_delta_len).next_multiple_of(4) > room {
                break;
            }
            (count, delta_len) = (next_count, next_delta_len);
        }
        (count > 0).then_some(Report { count, reference_time, delta_len })
    }

    fn write(
        &self,
        report: &Report,
        sender_ssrc: u32,
        media_ssrc: u32,
        feedback_count: u8,
        compound: &mut CompoundWriter<'_>,
    ) -> Result<(), RtcpWriteError> {
        let chunk_len = self.chunks(report).count().saturating_mul(2);
        let body_len = FIXED_LEN.saturating_add(chunk_len).saturating_add(report.delta_len);
        let mut body = compound.open(packet_type::TRANSPORT_FEEDBACK, feedback_type::TWCC, body_len)?;
        body.put_sources(sender_ssrc, media_ssrc);
        body.put(self.base.wire().to_be_bytes());
        body.put(report.count.to_be_bytes());
        let [_, r0, r1, r2] = report.reference_time.to_be_bytes();
        body.put([r0, r1, r2, feedback_count]);
        for chunk in self.chunks(report) {
            body.put(chunk.to_be_bytes());
        }
        for (symbol, delta) in self.statuses(report) {
            let [high, low] = delta.to_be_bytes();
            match symbol {
                Symbol::Lost => {}
                Symbol::SmallDelta => body.put([low]),
                Symbol::LargeDelta => body.put([high, low]),
            }
        }
        body.put_zeros();
        Ok(())
    }

    fn statuses(&self, report: &Report) -> impl Iterator<Item = (Symbol, i16)> {
        let mut clock = report.reference_time << TICKS_PER_REFERENCE;
        (0..report.count).map_while(move |offset| self.status(offset, &mut clock))
    }

    /// The report's symbols, packed: runs where 14 or more are alike or nothing else follows, else 14 one-bit symbols
    /// where none is a large delta, else a run of seven or more, else seven two-bit symbols.
    fn chunks(&self, report: &Report) -> impl Iterator<Item = u16> {
        let mut rest = self.statuses(report).map(|(symbol, _)| symbol).peekable();
        let mut window = SymbolWindow::default();
        std::iter::from_fn(move || {
            while window.len < SymbolWindow::CAPACITY
                && let Some(symbol) = rest.next()
            {
                window.push(symbol);
            }
            let first = window.symbols.first().copied().filter(|_| window.len > 0)?;
            let alike = window.iter().take_while(|symbol| *symbol == first).count();
            let one_bit = window.iter().all(|symbol| symbol != Symbol::LargeDelta);
            if alike == window.len || (alike >= 7 && !one_bit) {
                let mut run = u16::try_from(alike).unwrap_or_default();
                window.take(alike);
                while window.len == 0 && run < 0x1fff && rest.next_if_eq(&first).is_some() {
                    run = run.saturating_add(1);
                }
                return Some((first.bits() << 13) | run);
            }
            let (width, capacity, kind) = if one_bit { (1, 14, 0x8000) } else { (2, 7, 0xc000) };
            let packed = (0..capacity).fold(0, |packed, place| (packed << width) | window.get(place).bits());
            window.take(capacity);
            Some(kind | packed)
        })
    }
}

/// The next few symbols to pack.
struct SymbolWindow {
    symbols: [Symbol; Self::CAPACITY],
    len: usize,
}

impl Default for SymbolWindow {
    fn default() -> Self {
        Self { symbols: [Symbol::Lost; Self::CAPACITY], len: 0 }
    }
}

impl SymbolWindow {
    /// A chunk of one-bit symbols holds 14.
    const CAPACITY: usize = 14;

    fn push(&mut self, symbol: Symbol) {
        if let Some(place) = self.symbols.get_mut(self.len) {
            *place = symbol;
            self.len = self.len.saturating_add(1);
        }
    }

    fn iter(&self) -> impl Iterator<Item = Symbol> {
        self.symbols.iter().take(self.len).copied()
    }

    /// The symbol at `place`, or a loss past the end: a last chunk is filled up with them.
    fn get(&self, place: usize) -> Symbol {
        self.symbols.get(place).copied().filter(|_| place < self.len).unwrap_or(Symbol::Lost)
    }

    /// Drops the first `count` symbols.
    fn take(&mut self, count: usize) {
        let count = count.min(self.len);
        self.symbols.rotate_left(count);
        self.len = self.len.saturating_sub(count);
    }
}
