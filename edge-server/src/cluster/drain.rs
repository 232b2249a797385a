//! Going away in order: nothing new comes, each room is handed to another edge under a later epoch, and then its people are sent there.
//!
//! The store has the new owner before anybody moves, so whoever asks any edge finds the others. An edge that has nobody to hand over to keeps its rooms.

use super::Cluster;
use crate::clock;
use cluster_core::ownership::Record;
use cluster_core::placement::{Wish, place};
use cluster_core::{Load, NodeId};
use core::time::Duration;
use std::slice;
use std::sync::atomic::Ordering;

/// Rooms go one after the other, this far apart, so that the others let their people in at an even pace. Guess: a hundred joins a second.
const BETWEEN_ROOMS: Duration = Duration::from_millis(10);

/// How long people may stay who are on their way to the next edge. Guess: they are spread over a quarter of it, and then need a second or two; with SIGTERM
/// all of it has to fit into the ten seconds that supervisors allow.
pub(super) const WITHIN: Duration = Duration::from_millis(4_500);

/// What handing rooms over came to.
#[derive(Clone, Debug, Default)]
pub struct HandedOver {
    /// Rooms that others have now.
    pub rooms: Vec<String>,
    /// Rooms that nobody took.
    pub kept: u64,
}

impl Cluster {
    /// Takes nothing new from now on, and hands over what there is, as far as that can be done `within` that time.
    pub async fn drain(&self, within: Duration) -> HandedOver {
        let until = clock::deadline(within);
        let mut drained = HandedOver::default();
        let Some(store) = &self.store else { return drained };
        self.draining.store(true, Ordering::Relaxed);
        let node = self.node(Load::default());
        self.directory.register(clock::now(), node.clone());
        if let Err(why) = store.register(&node).await {
            tracing::debug!(%why, "others are not told that this edge drains");
        }
        for room in self.rooms.in_use_or_ours() {
            if tokio::time::timeout_at(until, self.hand_over(&room)).await.unwrap_or(false) {
                drained.rooms.push(room);
                tokio::time::sleep_until((tokio::time::Instant::now() + BETWEEN_ROOMS).min(until)).await;
            } else {
                drained.kept += 1;
            }
        }
        tracing::info!(rooms = drained.rooms.len(), kept = drained.kept, "drained");
        drained
    }

    /// Takes new rooms again. Those that were handed over stay where they are.
    pub fn stop_draining(&self) {
        self.draining.store(false, Ordering::Relaxed);
        self.directory.register(clock::now(), self.node(Load::default()));
    }

    /// True: the room is another edge's now, and its people have been sent there.
    pub(super) async fn hand_over(&self, room: &str) -> bool {
        let Some(owner) = self.rooms.owner(room) else { return false };
        let mut shut: Vec<NodeId> = vec![self.me.id.clone()];
        if owner != self.me.id {
            // Only a part of it was here. Whose it is may be old news: in a rolling deployment that edge is gone.
            let now = clock::now();
            let node = self.directory.members(now, |members| members.get(&owner).cloned());
            if let Some(node) = node.filter(|node| !node.draining)
                && self.doors.open(now, &node).await
            {
                return self.send_away(room, &owner);
            }
            shut.push(owner.clone());
        }
        loop {
            let now = clock::now();
            let wish = Wish { room, regions: slice::from_ref(&self.me.region), except: &shut, ..Wish::default() };
            let placed = self.directory.members(now, |members| {
                let placed = place(members, now, &wish).ok()?;
                members.get(&placed.node).cloned()
            });
            let Some(node) = placed else { return false };
            if self.doors.open(now, &node).await {
                return if owner == self.me.id { self.give(room, node.id).await } else { self.send_away(room, &node.id) };
            }
            shut.push(node.id);
        }
    }

    async fn give(&self, room: &str, to: NodeId) -> bool {
        let (Some(store), Some(record)) = (&self.store, self.rooms.hand_over(room, to)) else { return false };
        // Where the store is away the new owner learns it from the first who comes, and the store from it.
        let written: Record = match store.claim(room, &record).await {
            Ok(written) => written,
            Err(why) => {
                tracing::debug!(room, %why, "the store is not told of the new owner");
                return false;
            }
        };
        let owner = written.owner.clone();
        let _ = self.learned(room, written);
        owner != self.me.id
    }
}
