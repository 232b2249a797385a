//! What goes on all the time: the registration, whose rooms are, who holds parts of them.
//!
//! An edge that was stopped for a minute asks for its rooms before anything else when it goes on, and lets go of those that others have claimed. A store
//! that has come back with nothing in it is told what is ours.

use super::forecasts;
use super::store::{Registered, Store, TOUCH_EVERY};
use crate::clock;
use crate::edge::{Context, stopped};
use cluster_core::Load;
use cluster_core::members::REGISTER_EVERY;
use cluster_core::ownership::{Follows, Record};
use core::time::Duration;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;
use tokio::time::MissedTickBehavior;

/// How often it is looked who has fallen silent, and which rooms this edge has parts of.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Doors of other edges that are tried in one round, so that it is known that they used to open.
const DOORS_AT_ONCE: usize = 4;

/// Keeps in touch until the edge stops.
pub async fn keep(context: Arc<Context>) {
    let mut stopping = context.stopping.subscribe();
    let cluster = &context.cluster;
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut keeper =
        Keeper { context: &context, round_due: clock::now(), touch_due: clock::now() + TOUCH_EVERY, answered: None, refused: 0 };
    loop {
        tokio::select! {
            _ = look.tick() => (),
            () = stopped(&mut stopping) => break,
        }
        let now = clock::now();
        cluster.directory.tick(now);
        if now >= keeper.round_due {
            keeper.round_due = now + REGISTER_EVERY;
            keeper.round(now).await;
            let informed = cluster.store.as_ref().is_none_or(Store::answers);
            cluster.directory.members(now, |members| cluster.adviser().look(now, clock::unix(), members, informed));
            if let Some(store) = &cluster.store
                && let Err(why) = forecasts::exchange(&cluster.adviser, store).await
            {
                tracing::debug!(%why, "forecasts are not shared; trying again");
            }
        }
    }
    if let Some(store) = &cluster.store
        && let Err(why) = store.leave(&cluster.node(Load::default())).await
    {
        tracing::debug!(%why, "others are not told that this edge goes; they will see");
    }
}

struct Keeper<'a> {
    context: &'a Context,
    round_due: Instant,
    touch_due: Instant,
    /// The store answered the last time; none: it wasn't asked yet.
    answered: Option<bool>,
    /// Joins refused up to the last round.
    refused: u64,
}

impl Keeper<'_> {
    async fn round(&mut self, now: Instant) {
        let cluster = &*self.context.cluster;
        let load = self.load();
        let node = cluster.node(load);
        // Also alone, and while the store is away, this edge knows of itself.
        cluster.directory.register(now, node.clone());
        let Some(store) = &cluster.store else { return };
        match store.register(&node).await {
            Ok(registered) => {
                self.say(true, String::new);
                self.take(now, registered);
            }
            Err(why) => return self.say(false, || why.to_string()),
        }
        let kept = async {
            self.owners(store).await?;
            self.parts(store).await?;
            let media = &self.context.media;
            for (room, record) in cluster.rooms.forget(now, |room| media.has_room(room)) {
                store.end(&room, &record).await?;
            }
            if now >= self.touch_due {
                self.touch_due = now + TOUCH_EVERY;
                let ours: Vec<String> = cluster.rooms.ours().into_iter().map(|(room, _)| room).collect();
                store.touch(&ours).await?;
            }
            Ok::<(), super::store::StoreError>(())
        };
        if let Err(why) = kept.await {
            self.say(false, || why.to_string());
        }
        self.knock(now).await;
    }

    fn take(&self, now: Instant, Registered { superseded, nodes }: Registered) {
        let cluster = &self.context.cluster;
        if superseded && !cluster.superseded.swap(true, Ordering::Relaxed) {
            tracing::error!(
                edge = %cluster.me.id,
                "another process has registered under this edge's name since; nobody is sent here. Give each edge an edge_id of its own, or none"
            );
        } else if !superseded {
            cluster.superseded.store(false, Ordering::Relaxed);
        }
        let others = nodes.into_iter().filter(|(node, _)| node.id != cluster.me.id);
        cluster.directory.register_all(now, others.map(|(node, age)| (node, now.checked_sub(age).unwrap_or(now))));
        cluster.directory.members(now, |members| members.store_answered(now));
    }

    /// Whose our rooms are by the store, and what it has forgotten.
    async fn owners(&self, store: &Store) -> Result<(), super::store::StoreError> {
        let cluster = &self.context.cluster;
        let ours: Vec<String> = cluster.rooms.ours().into_iter().map(|(room, _)| room).collect();
        let known = store.owners(&ours).await?;
        let mut again: Vec<(String, Record)> = Vec::new();
        for (room, record) in ours.into_iter().zip(known) {
            let tell = match record {
                Some(record) => cluster.learned(&room, record),
                None => match cluster.rooms.missing(&room) {
                    Follows::Tell(record) => Some(record),
                    Follows::Nothing | Follows::LetGo(_) => None,
                },
            };
            again.extend(tell.map(|record| (room, record)));
        }
        if !again.is_empty() {
            tracing::info!(rooms = again.len(), "telling the store of rooms that it has forgotten");
        }
        for (room, record) in again {
            let written = store.claim(&room, &record).await?;
            let _ = cluster.learned(&room, written);
        }
        Ok(())
    }

    /// Which other edges have parts of the rooms that have one here. Where there are no links nobody has.
    async fn parts(&self, store: &Store) -> Result<(), super::store::StoreError> {
        let cluster = &self.context.cluster;
        let directory = &cluster.directory;
        if directory.relay().borrow().is_none() {
            return Ok(());
        }
        let held: Vec<String> = directory.held().borrow().iter().map(ToString::to_string).collect();
        let holders = store.hold(&cluster.me.id, &held).await?;
        held.iter().zip(&holders).for_each(|(room, edges)| directory.set_holders(room, edges));
        Ok(())
    }

    async fn knock(&self, now: Instant) {
        let cluster = &self.context.cluster;
        let new = cluster.directory.members(now, |members| {
            let others = members.good(now).filter(|node| node.id != cluster.me.id && cluster.doors.is_new(node));
            others.take(DOORS_AT_ONCE).cloned().collect::<Vec<_>>()
        });
        for node in new {
            cluster.doors.open(now, &node).await;
        }
    }

    fn load(&mut self) -> Load {
        let load = self.context.admission.load();
        let refused = load.refused.saturating_sub(self.refused);
        self.refused = load.refused;
        Load {
            cpu: load.cpu as f32,
            memory: super::memory::used(),
            participants: u32::try_from(load.participants).unwrap_or(u32::MAX),
            packets_per_second: u32::try_from(load.packets_per_second).unwrap_or(u32::MAX),
            refused: u32::try_from(refused).unwrap_or(u32::MAX),
        }
    }

    fn say(&mut self, answers: bool, why: impl Fn() -> String) {
        if self.answered == Some(answers) {
            return;
        }
        let cluster = &self.context.cluster;
        match (answers, self.answered) {
            (true, None) => tracing::info!(edge = %cluster.me.id, region = %cluster.me.region, url = %cluster.me.url, "joined the cluster"),
            (true, Some(_)) => tracing::info!("the store answers again"),
            (false, _) => tracing::warn!(
                why = why(),
                "the store (redis) does not answer: calls go on, rooms that are known are entered as before, new ones go by their hash; trying again"
            ),
        }
        self.answered = Some(answers);
    }
}
