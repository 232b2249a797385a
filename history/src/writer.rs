//! The one task that writes: batches of what is queued, a sign of life, and what follows from those of others.
//!
//! While the database fails it tries again, ever more seldom, and says so once; the queue fills meanwhile.

use crate::link::{Fault, Link};
use crate::stats::Counters;
use crate::stay::{Life, Record, Stay};
use crate::write::Writing;
use crate::{Settings, UnixMillis};
use core::time::Duration;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

/// Records of one batch: 4,000 values at the most, of the 32,766 that a statement may have in SQLite.
const BATCH: usize = 250;

/// Between two signs of life, and two looks at those of others.
const BEAT: Duration = Duration::from_secs(30);

/// An edge without a sign of life for so long is gone. Guess: twenty signs missed; ones that only the database didn't hear of say how their people
/// left when it hears of them again.
const GONE: Duration = Duration::from_secs(600);

/// Times that old rows are looked for in one go, a thousand each: what is left waits for the next beat.
const EXPIRIES: usize = 20;

const FIRST_RETRY: Duration = Duration::from_millis(500);
const LAST_RETRY: Duration = Duration::from_secs(15);

pub(crate) struct Writer {
    link: Link,
    writing: Writing,
    keep: UnixMillis,
    now: fn() -> UnixMillis,
    queue: mpsc::Receiver<Record>,
    pending: Vec<Record>,
    counters: Arc<Counters>,
    stopping: watch::Receiver<bool>,
    retry: Retry,
}

/// When to try again.
#[derive(Default)]
struct Retry {
    pause: Duration,
    at: Option<Instant>,
}

enum Woken {
    Stop,
    Retry,
    Beat,
    Rows,
}

fn millis(time: Duration) -> UnixMillis {
    UnixMillis::try_from(time.as_millis()).unwrap_or(UnixMillis::MAX)
}

impl Writer {
    pub(crate) fn new(settings: Settings, queue: mpsc::Receiver<Record>, counters: Arc<Counters>, stopping: watch::Receiver<bool>) -> Self {
        let Settings { address, keep, node, incarnation, now, .. } = settings;
        Self {
            link: Link::new(address, true),
            writing: Writing { node, incarnation },
            keep: millis(keep),
            now,
            queue,
            pending: Vec::new(),
            counters,
            stopping,
            retry: Retry::default(),
        }
    }

    /// Until told to stop, or until nobody can tell anything any more.
    pub(crate) async fn run(mut self) {
        let mut beat = interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let failing = self.retry.at;
            let woken = tokio::select! {
                biased;
                // An error: whoever would stop it is gone.
                _ = self.stopping.wait_for(|stopping| *stopping) => Woken::Stop,
                () = until(failing), if failing.is_some() => Woken::Retry,
                _ = beat.tick(), if failing.is_none() => Woken::Beat,
                got = self.queue.recv_many(&mut self.pending, BATCH), if failing.is_none() => if got == 0 { Woken::Stop } else { Woken::Rows },
            };
            let done = match woken {
                Woken::Stop => break,
                Woken::Beat => self.keep_house().await,
                // Where nothing waits to be written, what failed was the housekeeping.
                Woken::Retry if self.pending.is_empty() => self.keep_house().await,
                Woken::Retry | Woken::Rows => self.write().await,
            };
            self.note(done);
        }
        self.finish().await;
    }

    /// Writes what has been taken from the queue.
    async fn write(&mut self) -> Result<(), Fault> {
        if !self.link.is_up() {
            self.keep_house().await?;
        }
        let (stays, lives) = last_of_each(&self.pending);
        let writing = &self.writing;
        let written = self.link.with(async |connection| writing.rows(connection, &stays, &lives).await).await;
        let rows = self.pending.len() as u64;
        match written {
            Ok(()) => Counters::add(&self.counters.written, rows),
            Err(Fault::Refused(why)) => {
                tracing::warn!(rows, why, "rows of the history were refused, and are dropped");
                Counters::add(&self.counters.refused, rows);
            }
            Err(fault) => return Err(fault),
        }
        self.pending.clear();
        Ok(())
    }

    /// A sign of life; then what is to be done of that of others, and of what is old.
    async fn keep_house(&mut self) -> Result<(), Fault> {
        let now = (self.now)();
        let (writing, silent_since) = (&self.writing, now.saturating_sub(millis(GONE)));
        let lost = self
            .link
            .with(async |connection| {
                writing.beat(connection, now).await?;
                writing.end_lost(connection, silent_since).await
            })
            .await?;
        Counters::add(&self.counters.edge_lost, lost);
        let cutoff = now.saturating_sub(self.keep.max(millis(GONE)));
        for _ in 0..EXPIRIES {
            let (rows, more) = self.link.with(async |connection| Writing::expire(connection, cutoff).await).await?;
            Counters::add(&self.counters.expired, rows);
            if !more {
                break;
            }
        }
        Ok(())
    }

    /// Tells the log when things change, and nothing else.
    fn note(&mut self, done: Result<(), Fault>) {
        match done {
            Ok(()) => {
                if self.retry.at.is_some() {
                    tracing::info!(queued = self.counters.snapshot().queued, "the history is written again");
                }
                self.retry = Retry::default();
                self.counters.answers.store(true, Ordering::Relaxed);
            }
            Err(fault) => {
                if self.retry.at.is_none() {
                    tracing::warn!(
                        %fault,
                        "the history can't be written; calls go on, what happens is kept in memory up to {} rows, and it is tried again",
                        crate::QUEUE
                    );
                }
                self.retry.pause = (self.retry.pause * 2).clamp(FIRST_RETRY, LAST_RETRY);
                self.retry.at = Some(Instant::now() + self.retry.pause);
                self.counters.answers.store(false, Ordering::Relaxed);
                Counters::add(&self.counters.failures, 1);
            }
        }
    }

    /// Writes the rest as long as that goes.
    async fn finish(&mut self) {
        loop {
            while self.pending.len() < BATCH
                && let Ok(record) = self.queue.try_recv()
            {
                self.pending.push(record);
            }
            if self.pending.is_empty() || self.write().await.is_err() {
                return;
            }
        }
    }
}

/// The last record of each row: a statement may not change one twice.
fn last_of_each(records: &[Record]) -> (Vec<&Stay>, Vec<&Life>) {
    let (mut stays, mut lives) = (HashMap::new(), HashMap::new());
    for record in records {
        match record {
            Record::Stay(stay) => drop(stays.insert(&stay.id, stay.as_ref())),
            Record::Life(life) => drop(lives.insert((&life.room, life.first_joined_at), life.as_ref())),
        }
    }
    (stays.into_values().collect(), lives.into_values().collect())
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => core::future::pending().await,
    }
}
