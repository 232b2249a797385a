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
use mask::Compared;
use numbers::Numbers;
use record::Record;

/// What a trace begins with. Changes with the meaning of what is there already; tables that grow don't count.
const FORMAT: u64 = 1;

/// Bytes from the start of a session that are never dropped: only what begins at the start can be replayed. Guess: the join, and minutes after it.
const HEAD: usize = 64 * 1024;

/// Bytes of each of the two pieces behind the head. When the newer one is full it takes the place of the older one. All together: 256 KiB. Guess: a
/// quarter of an hour of a call with statistics every second, and nothing beside the pictures of one.
const PIECE: usize = 96 * 1024;

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
    /// From the start. Each piece can be read without the others.
    head: Writer,
    /// Behind the head, or behind what was dropped.
    older: Writer,
    /// Is written, once the head is full.
    newer: Writer,
    head_is_full: bool,
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
    compared: Compared,
}

impl Journal {
    /// An empty journal of a session made with these.
    pub(crate) fn new(config: &SessionConfig, seed: u64) -> Self {
        let nothing = || Writer(Vec::new());
        let mut entry = Entry { out: nothing(), numbers: Numbers::default(), compared: Compared::default() };
        entry.out.number(FORMAT);
        entry.out.number(seed);
        config.record(&mut entry);
        let header = core::mem::take(&mut entry.out.0);
        let (head, older, newer) = (nothing(), nothing(), nothing());
        Self { header, head, older, newer, head_is_full: false, dropped: 0, last: MonoTime::default(), entry }
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
        for piece in [&self.head, &self.older, &self.newer] {
            out.bytes(&piece.0);
        }
        out.0
    }

    /// Microseconds between the last input and this one, which begins a new piece if the present one is full.
    fn since_last(&mut self, now: MonoTime) -> u64 {
        let (piece, most) = if self.head_is_full { (&mut self.newer, PIECE) } else { (&mut self.head, HEAD) };
        if piece.0.len() >= most {
            if self.head_is_full {
                self.dropped += u32::from(!self.older.0.is_empty());
                self.older.0 = core::mem::take(&mut piece.0);
            }
            self.head_is_full = true;
            self.last = MonoTime::default();
            self.entry.numbers = Numbers::default();
        }
        // A clock that goes back would be a bug of the caller; here it stands still.
        let since = now.as_micros().saturating_sub(self.last.as_micros());
        self.last = self.last.max(now);
        since
    }

    #[inline(never)]
    fn append(&mut self) {
        let piece = if self.head_is_full { &mut self.newer } else { &mut self.head };
        piece.bytes(&self.entry.out.0);
        self.entry.out.0.clear();
    }
}

#[cfg(test)]
mod tests;
