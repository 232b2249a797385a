//! Takes what is told, without ever waiting: a queue with a bound, and what is known of rooms while somebody is in them.

use crate::stats::{Counters, Stats};
use crate::stay::{Life, Record, Stay};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;

/// Rows that wait at most: about 4 MB, and the comings and goings of a thousand people a minute for two and a half.
pub const QUEUE: usize = 10_000;

/// Beginnings are dropped while fewer places than this are free: an end tells all that its beginning told.
const FOR_ENDS: usize = QUEUE / 2;

/// The way to the history.
#[derive(Clone)]
pub struct Recorder {
    queue: mpsc::Sender<Record>,
    counters: Arc<Counters>,
    /// Rooms with somebody in them: no more than there are people.
    rooms: Arc<Mutex<HashMap<String, Present>>>,
}

struct Present {
    now: i64,
    life: Life,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Recorder").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl Recorder {
    pub(crate) fn new(queue: mpsc::Sender<Record>, counters: Arc<Counters>) -> Self {
        Self { queue, counters, rooms: Arc::default() }
    }

    /// Somebody has come.
    pub fn began(&self, stay: Stay) {
        let opened = {
            let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
            let fresh = || Life { room: stay.room.clone(), first_joined_at: stay.joined_at, last_left_at: None, peak: 0, stays: 0 };
            let present = rooms.entry(stay.room.clone()).or_insert_with(|| Present { now: 0, life: fresh() });
            present.now = present.now.saturating_add(1);
            present.life.stays = present.life.stays.saturating_add(1);
            present.life.peak = present.life.peak.max(present.now);
            (present.life.stays == 1).then(|| present.life.clone())
        };
        if let Some(life) = opened {
            self.offer(Record::Life(Box::new(life)), FOR_ENDS);
        }
        self.offer(Record::Stay(Box::new(stay)), FOR_ENDS);
    }

    /// Somebody has gone; `stay` has its departure.
    pub fn ended(&self, stay: Stay) {
        let closed = {
            let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
            match rooms.get_mut(&stay.room) {
                Some(present) if present.now > 1 => {
                    present.now = present.now.saturating_sub(1);
                    None
                }
                _ => rooms.remove(&stay.room).map(|present| present.life),
            }
        };
        let last_left_at = stay.departure.map(|departure| departure.left_at);
        self.offer(Record::Stay(Box::new(stay)), 0);
        if let Some(life) = closed {
            self.offer(Record::Life(Box::new(Life { last_left_at, ..life })), 0);
        }
    }

    /// What became of rows so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.counters.snapshot()
    }

    /// Queues a record as long as more than `reserve` places are free.
    fn offer(&self, record: Record, reserve: usize) {
        // Counted before it can be written.
        Counters::add(&self.counters.accepted, 1);
        if self.queue.capacity() <= reserve || self.queue.try_send(record).is_err() {
            self.counters.accepted.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
            Counters::add(&self.counters.dropped, 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stay::Departure;

    pub(super) fn stay(id: u64, room: &str, at: i64) -> Stay {
        Stay {
            id: id.to_string(),
            room: room.to_owned(),
            identity: "alice".to_owned(),
            role: None,
            client: None,
            kind: "websocket",
            joined_at: at,
            departure: None,
        }
    }

    fn gone(stay: Stay, at: i64) -> Stay {
        Stay { departure: Some(Departure { left_at: at, reason: "left", path: None, quality: None }), ..stay }
    }

    fn recorder() -> (Recorder, mpsc::Receiver<Record>) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        (Recorder::new(sender, Arc::default()), receiver)
    }

    #[test]
    fn the_queue_has_a_bound() {
        let (recorder, _receiver) = recorder();
        for id in 0..20_000 {
            recorder.began(stay(id, "lobby", 0));
        }
        // One of the places is the room's.
        assert_eq!((recorder.stats().queued, recorder.stats().dropped), (5_000, 15_001));
        for id in 0..20_000 {
            recorder.ended(gone(stay(id, "lobby", 0), 1));
        }
        assert_eq!((recorder.stats().queued, recorder.stats().dropped), (10_000, 30_002));
        assert!(recorder.rooms.lock().unwrap().is_empty());
    }

    #[test]
    fn a_room_lives_from_the_first_who_came_to_the_last_who_left() {
        let (recorder, mut receiver) = recorder();
        for id in 1..=3 {
            recorder.began(stay(id, "lobby", 10 * id as i64));
        }
        recorder.ended(gone(stay(1, "lobby", 10), 40));
        recorder.began(stay(4, "lobby", 50));
        for (id, at) in [(2, 60), (3, 70), (4, 80)] {
            recorder.ended(gone(stay(id, "lobby", 0), at));
        }
        recorder.began(stay(5, "lobby", 90));
        let mut lives = Vec::new();
        while let Ok(record) = receiver.try_recv() {
            if let Record::Life(life) = record {
                lives.push((life.first_joined_at, life.last_left_at, life.peak, life.stays));
            }
        }
        assert_eq!(lives, [(10, None, 1, 1), (10, Some(80), 3, 4), (90, None, 1, 1)]);
    }
}
