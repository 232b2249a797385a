//! Keeps who was in which room, from when to when, how it went and why it ended: in SQLite or PostgreSQL.
//!
//! In: [`Recorder::began`] and [`Recorder::ended`], which never wait. Out: rows, and pages of them ([`Reader`]).
//!
//! | what | module |
//! |---|---|
//! | where rows are kept | [`address`] |
//! | what is told, and what is read | [`stay`], [`read`] |
//! | the queue, and lives of rooms | [`recorder`] |
//! | the one task that writes | [`writer`] |
//!
//! Invariants, each with a test of the same name:
//! * `nobody_waits_for_a_database`: whatever it does, telling takes no longer;
//! * `the_queue_has_a_bound`: what doesn't fit is dropped and counted, beginnings before ends;
//! * `rows_come_after_its_return`: what is queued outlasts an outage.
//!
//! Not here: who comes and goes (`sfu-core`), who may read (`edge-server`). No clock either: [`Settings::now`] is one.

mod address;
mod link;
mod read;
mod recorder;
mod schema;
mod stats;
mod stay;
mod write;
mod writer;

pub use address::Address;
pub use link::Fault;
pub use read::{Cursor, LARGEST_PAGE, Page, Reader, RoomRow, SessionRow};
pub use recorder::{QUEUE, Recorder};
pub use stats::Stats;
pub use stay::{Departure, Quality, Stay};

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// Milliseconds since 1970 (UTC).
pub type UnixMillis = i64;

/// What a history is made with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where rows are written.
    pub address: Address,
    /// Where they are read; none: where they are written.
    pub replica: Option<Address>,
    /// How long after its end a row stays.
    pub keep: Duration,
    /// Name of this edge, the same after a restart if it is to end what a crash left open.
    pub node: String,
    /// Tells its processes apart; a later one has a higher number.
    pub incarnation: i64,
    /// The time.
    pub now: fn() -> UnixMillis,
}

/// A running history.
pub struct History {
    recorder: Recorder,
    reader: Reader,
    stopping: watch::Sender<bool>,
    writing: std::sync::Mutex<Option<JoinHandle<()>>>,
}

impl std::fmt::Debug for History {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("History").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl History {
    /// Starts the task that writes, on the runtime of the caller. A PostgreSQL server that is away is waited for without end.
    ///
    /// # Errors
    /// A file that can't be opened or made: that is a mistake rather than an outage.
    pub fn start(settings: Settings) -> Result<Self, std::io::Error> {
        settings.address.prepare()?;
        let counters = Arc::new(stats::Counters::default());
        let (sender, receiver) = mpsc::channel(QUEUE);
        let (stopping, stopped) = watch::channel(false);
        let reader = Reader::new(settings.replica.clone().unwrap_or_else(|| settings.address.clone()));
        let recorder = Recorder::new(sender, Arc::clone(&counters));
        let writing = tokio::spawn(writer::Writer::new(settings, receiver, counters, stopped).run());
        Ok(Self { recorder, reader, stopping, writing: std::sync::Mutex::new(Some(writing)) })
    }

    /// For whoever has something to tell; cheap to clone.
    #[must_use]
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// For whoever wants to know.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// What became of rows so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.recorder.stats()
    }

    /// Writes what is queued, `within` that time, and ends. Answers how many rows were lost.
    pub async fn stop(&self, within: Duration) -> u64 {
        self.stopping.send_replace(true);
        let writing = self.writing.lock().map(|mut writing| writing.take()).unwrap_or_default();
        if let Some(mut writing) = writing
            && tokio::time::timeout(within, &mut writing).await.is_err()
        {
            writing.abort();
        }
        self.stats().queued
    }
}

impl Drop for History {
    /// A task that nobody stopped ends all the same.
    fn drop(&mut self) {
        self.stopping.send_replace(true);
    }
}
