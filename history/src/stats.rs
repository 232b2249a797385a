//! What became of rows.

use serde::Serialize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What is counted of the history, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Stats {
    /// The database answered the last time.
    pub answers: bool,
    /// Rows that wait to be written now.
    pub queued: u64,
    /// Rows written; one that changed twice while it waited counts as often as it was told.
    pub written: u64,
    /// Rows dropped because too many waited.
    pub dropped: u64,
    /// Rows that the database refused, for what is in them.
    pub refused: u64,
    /// Times that the database failed.
    pub failures: u64,
    /// Rows deleted for their age.
    pub expired: u64,
    /// Stays of edges that are gone, ended in their name.
    pub edge_lost: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) answers: AtomicBool,
    pub(crate) accepted: AtomicU64,
    pub(crate) written: AtomicU64,
    pub(crate) dropped: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) failures: AtomicU64,
    pub(crate) expired: AtomicU64,
    pub(crate) edge_lost: AtomicU64,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64, more: u64) {
        counter.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self) -> Stats {
        let now = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (written, refused) = (now(&self.written), now(&self.refused));
        Stats {
            answers: self.answers.load(Ordering::Relaxed),
            // Read after what is subtracted: it may seem too many for a moment, never fewer than none.
            queued: now(&self.accepted).saturating_sub(written.saturating_add(refused)),
            written,
            refused,
            dropped: now(&self.dropped),
            failures: now(&self.failures),
            expired: now(&self.expired),
            edge_lost: now(&self.edge_lost),
        }
    }
}
