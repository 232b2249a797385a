//! What a session was told and what it decided, kept so that both can be looked at later, elsewhere, and by somebody else.
//!
//! In: every input before it is dealt with, every output when it is decided; [`crate::Session`] reports both itself, so that nothing which
//! drives it can forget to. Out: [`Journal::trace`], a few hundred KiB at most. As a session is a function of its inputs and its seed,
//! feeding a trace to a fresh one gives the same decisions, bit for bit: `trace` does that, and docs/journal.md shows the bytes.
//!
//! `table` lists what can be recorded, one line each; `record` says how a value is written; `mask` takes out what is nobody's business
//! before it is written, so that a trace never holds it; `numbers` packs readings of statistics; `trace` reads all of that again, outside of
//! the browser only.
//!
//! Invariants, each with a test of the same name: `a_trace_replays_whatever_the_order` (tests/session/any_order.rs),
//! `no_secret_is_in_a_trace` (tests/session/secrets.rs), `a_journal_stays_within_its_bound` (`journal/tests.rs`).

mod mask;
mod numbers;
mod record;
mod table;
#[cfg(not(target_arch = "wasm32"))]
pub mod trace;

use crate::wire::Writer;
use crate::{Input, MonoTime, Output, SessionConfig};
use alloc::vec::Vec;
use numbers::Numbers;
use record::Record;

/// What a trace begins with. Changes with the meaning of what is there already; tables that grow don't count.
const FORMAT: u64 = 1;

/// Bytes from the start of a session that are never dropped: only what begins at the start can be replayed. Guess: the join, and minutes after it.
const HEAD: usize = 64 * 1024;

/// Bytes behind the head after which a new piece begins. The oldest piece is dropped as a whole.
const PIECE: usize = 16 * 1024;

/// Bytes of all pieces. Guess: a quarter of an hour of a call with statistics every second, and nothing beside the pictures of one.
const MOST: usize = 256 * 1024;

/// The kind of [`crate::Session::handle_timeout`]; kinds of inputs, outputs and events follow.
const TIMEOUT: u64 = 0;

/// Kinds of outputs begin here.
const OUTPUTS: u64 = 64;

/// Kinds of events begin here.
const EVENTS: u64 = 96;

/// Inputs and decisions, oldest first: the head of the session, and its newest pieces.
#[derive(Debug)]
pub(crate) struct Journal {
    /// Format, seed and configuration.
    header: Vec<u8>,
    /// Never empty. Each can be read without the others.
    pieces: Vec<Writer>,
    /// Bytes of all pieces but the last.
    bytes: usize,
    /// Pieces that followed the head and are no longer there.
    dropped: u32,
    /// Of the last input in this piece.
    last: MonoTime,
    /// What is being written, and is empty in between.
    entry: Entry,
}

/// One entry while it is written: its kind, then its fields.
#[derive(Debug)]
struct Entry {
    out: Writer,
    numbers: Numbers,
}

impl Journal {
    /// An empty journal of a session made with these.
    pub(crate) fn new(config: &SessionConfig, seed: u64) -> Self {
        let mut entry = Entry { out: Writer(Vec::new()), numbers: Numbers::default() };
        entry.out.number(FORMAT);
        entry.out.number(seed);
        config.record(&mut entry);
        let header = core::mem::take(&mut entry.out.0);
        Self { header, pieces: Vec::from([Writer(Vec::new())]), bytes: 0, dropped: 0, last: MonoTime::default(), entry }
    }

    /// This happens at `now`.
    pub(crate) fn input(&mut self, now: MonoTime, input: &Input) {
        let since = self.since_last(now);
        table::record_input(input, since, &mut self.entry);
        self.append();
    }

    /// The timer runs out at `now`.
    pub(crate) fn timeout(&mut self, now: MonoTime) {
        let since = self.since_last(now);
        self.entry.out.number(TIMEOUT);
        self.entry.out.number(since);
        self.append();
    }

    /// This was decided, because of the last input.
    pub(crate) fn output(&mut self, output: &Output) {
        table::record_output(output, &mut self.entry);
        self.append();
    }

    /// Everything there is, to be read by `trace`.
    pub(crate) fn trace(&self) -> Vec<u8> {
        let mut out = Writer(self.header.clone());
        out.number(self.dropped.into());
        self.pieces.iter().for_each(|piece| out.bytes(&piece.0));
        out.0
    }

    /// Microseconds between the last input and this one, which begins a new piece if the present one is full.
    fn since_last(&mut self, now: MonoTime) -> u64 {
        let full = if self.pieces.len() == 1 { HEAD } else { PIECE };
        let length = self.pieces.last().map_or(0, |piece| piece.0.len());
        if length >= full {
            self.bytes += length;
            self.pieces.push(Writer(Vec::new()));
            self.last = MonoTime::default();
            self.entry.numbers = Numbers::default();
            while self.bytes > MOST - PIECE && self.pieces.len() > 2 {
                self.bytes -= self.pieces.remove(1).0.len();
                self.dropped += 1;
            }
        }
        // A clock that goes back would be a bug of the caller; here it stands still.
        let since = now.as_micros().saturating_sub(self.last.as_micros());
        self.last = self.last.max(now);
        since
    }

    #[inline(never)]
    fn append(&mut self) {
        if let Some(piece) = self.pieces.last_mut() {
            piece.bytes(&self.entry.out.0);
        }
        self.entry.out.0.clear();
    }
}

#[cfg(test)]
mod tests;
