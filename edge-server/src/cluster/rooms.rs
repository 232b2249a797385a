//! The rooms of this edge: whose they are, and who waits at them to be told that they move.

use cluster_core::ownership::{Follows, Owners, Record};
use cluster_core::seating::{Asked, Seat, seat};
use cluster_core::{Members, NodeId, PlacementError};
use core::time::Duration;
use sfu_core::ConnectionId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::watch;

/// A room that is ours and that nobody enters is given back after this long. Guess: whoever was sent here has come by then.
const UNUSED_AFTER: Duration = Duration::from_secs(15);

/// Tells where a room has moved to.
pub type Moved = watch::Receiver<Option<Destination>>;

/// Where a room has moved to.
#[derive(Clone, Debug, PartialEq)]
pub struct Destination {
    /// The address for clients.
    pub url: Arc<str>,
    /// How long its people may stay while they are on their way. None: they go at once.
    pub within: Option<Duration>,
}

/// Waits until the room has moved, and says where to; where it never does, for ever.
pub async fn moved(room: &mut Option<Moved>) -> Destination {
    if let Some(room) = room
        && let Ok(to) = room.wait_for(Option::is_some).await
        && let Some(to) = &*to
    {
        return to.clone();
    }
    core::future::pending().await
}

/// How long one of many waits before it goes, so that not all come to the next edge at once: spread evenly `over` that time.
#[must_use]
pub fn turn(connection: ConnectionId, over: Duration) -> Duration {
    let over = u64::from(u32::try_from(over.as_millis()).unwrap_or(u32::MAX));
    // Fibonacci hashing: numbers in a row are as far apart as can be. The upper bits are a fraction of the whole; a remainder would mix them up.
    let fraction = connection.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    Duration::from_millis((fraction * over) >> 32)
}

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Rooms {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    owners: Owners,
    /// Bounded by the WebSockets that there may be: rooms in which nobody is here are taken out.
    here: HashMap<String, Here>,
}

#[derive(Debug)]
struct Here {
    moved: watch::Sender<Option<Destination>>,
    used: Instant,
}

impl Rooms {
    pub(super) fn new(me: NodeId) -> Self {
        Self { state: Mutex::new(State { owners: Owners::new(me), here: HashMap::new() }) }
    }

    /// Whether one who wants to enter stays.
    pub(super) fn seat(&self, now: Instant, asked: &Asked<'_>, members: &Members) -> Result<Seat, PlacementError> {
        seat(now, asked, &self.state().owners, members)
    }

    /// Somebody stays: they are told when the room moves.
    pub(super) fn enter(&self, now: Instant, room: &str) -> Moved {
        let mut state = self.state();
        let here = state.here.entry(room.to_owned()).or_insert_with(|| Here { moved: watch::Sender::new(None), used: now });
        here.used = now;
        here.moved.subscribe()
    }

    /// Takes in whose a room is. What follows is for whoever asked.
    pub(super) fn learned(&self, now: Instant, room: &str, record: Record) -> Follows {
        let mut state = self.state();
        let ours = state.owners.learned(room, record);
        if state.owners.is_ours(room) {
            state.here.entry(room.to_owned()).or_insert_with(|| Here { moved: watch::Sender::new(None), used: now });
        }
        ours
    }

    /// The store has nothing of a room.
    pub(super) fn missing(&self, room: &str) -> Follows {
        let mut state = self.state();
        let in_use = state.here.contains_key(room);
        state.owners.missing(room, in_use)
    }

    /// Tells everybody in a room where it is now.
    pub(super) fn send_away(&self, room: &str, to: &Destination) -> usize {
        let mut state = self.state();
        let Some(here) = state.here.remove(room) else { return 0 };
        here.moved.send_replace(Some(to.clone()));
        here.moved.receiver_count()
    }

    /// Rooms of ours with their epochs.
    pub(super) fn ours(&self) -> Vec<(String, Record)> {
        self.state().owners.ours().map(|(room, record)| (room.to_owned(), record.clone())).collect()
    }

    /// What to write to hand a room over.
    pub(super) fn hand_over(&self, room: &str, to: NodeId) -> Option<Record> {
        use cluster_core::ownership::Wants;
        match self.state().owners.hand_over(room, to)? {
            Wants::Claim { record, .. } => Some(record),
            Wants::Ours | Wants::Theirs(_) => None,
        }
    }

    /// Whose a room is, as far as is known.
    pub(super) fn owner(&self, room: &str) -> Option<NodeId> {
        self.state().owners.get(room).map(|record| record.owner.clone())
    }

    /// Somebody is connected to a room here.
    pub(super) fn is_used(&self, room: &str) -> bool {
        self.state().here.get(room).is_some_and(|here| here.moved.receiver_count() > 0)
    }

    /// Rooms that are ours, or that somebody has entered here.
    pub(super) fn in_use_or_ours(&self) -> Vec<String> {
        let state = self.state();
        let ours = state.owners.ours().map(|(room, _)| room.to_owned()).filter(|room| !state.here.contains_key(room));
        ours.chain(state.here.keys().cloned()).collect()
    }

    /// Forgets rooms that nobody has been in for a while, `occupied` asked for those that nobody is connected to; our own are answered, to be taken out of
    /// the store.
    pub(super) fn forget(&self, now: Instant, occupied: impl Fn(&str) -> bool) -> Vec<(String, Record)> {
        let mut state = self.state();
        let State { owners, here } = &mut *state;
        here.retain(|room, here| {
            if here.moved.receiver_count() > 0 || occupied(room) {
                here.used = now;
            }
            now.saturating_duration_since(here.used) < UNUSED_AFTER
        });
        owners.forget_others(|room| here.contains_key(room));
        let unused: Vec<(String, Record)> =
            owners.ours().filter(|(room, _)| !here.contains_key(*room)).map(|(room, record)| (room.to_owned(), record.clone())).collect();
        for (room, _) in &unused {
            let _ = owners.ended(room);
        }
        unused
    }

    /// How many are ours, and how many are used here.
    pub(super) fn counts(&self) -> (u64, u64) {
        let state = self.state();
        (state.owners.ours().count() as u64, state.here.len() as u64)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> NodeId {
        NodeId::parse(name).unwrap()
    }

    #[test]
    fn a_hundred_that_go_are_spread() {
        let mut turns: Vec<_> = (0..100).map(|number| turn(ConnectionId(number), Duration::from_secs(1)).as_millis()).collect();
        turns.sort_unstable();
        assert!(turns.windows(2).all(|pair| pair[1] - pair[0] <= 25) && turns[0] < 25 && (975..1_000).contains(&turns[99]), "{turns:?}");
        assert_eq!(turn(ConnectionId(7), Duration::ZERO), Duration::ZERO);
    }

    fn record(owner: &str, epoch: u64) -> Record {
        Record { owner: id(owner), epoch }
    }

    #[test]
    fn whoever_is_in_a_room_is_told_where_it_went() {
        let (rooms, now) = (Rooms::new(id("a")), Instant::now());
        rooms.learned(now, "room", record("a", 1));
        let mut moved = rooms.enter(now, "room");
        assert_eq!(rooms.learned(now, "room", record("b", 2)), Follows::LetGo(id("b")));
        let there = Destination { url: "https://b".into(), within: None };
        assert_eq!(rooms.send_away("room", &there), 1);
        assert_eq!(moved.borrow_and_update().as_ref(), Some(&there));
        assert_eq!(rooms.send_away("room", &there), 0, "they have been told");
    }

    #[test]
    fn a_room_that_nobody_enters_or_stays_in_is_given_back() {
        let (rooms, start) = (Rooms::new(id("a")), Instant::now());
        for room in ["empty", "left", "full", "lingering"] {
            rooms.learned(start, room, record("a", 1));
        }
        drop(rooms.enter(start, "left"));
        let _inside = rooms.enter(start, "full");
        assert_eq!(rooms.forget(start, |_| false), []);
        let given_back = rooms.forget(start + UNUSED_AFTER, |room| room == "lingering");
        assert_eq!(given_back, [("empty".to_owned(), record("a", 1)), ("left".to_owned(), record("a", 1))]);
        assert_eq!(rooms.counts(), (2, 2));
    }
}
