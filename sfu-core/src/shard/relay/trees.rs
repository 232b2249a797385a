//! The home plans over which edges a publication reaches those that want it ([`tree`](crate::relay::tree)), and tells each from whom to get it.
//!
//! Everybody gets it from here until something else was planned, and whenever something else goes wrong. So a plan is advice: what of it comes about shows
//! in what the others take.

use crate::keys::PublicationKey;
use crate::publication::Publication;
use crate::relay::tree::{self, Hop, Site};
use crate::relay::{Handle, PartName, Relayed};
use crate::shard::{Shard, ShardId};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Between two plans for one publication. Guess: longer than a plan takes to come about, on ways of 150 ms.
const PLANNED_AGAIN: Duration = Duration::from_secs(1);

/// A part that gets it from here all the same is told again after so long: it may have been in no state to listen.
const TOLD_AGAIN: Duration = Duration::from_secs(5);

/// How long a way on which something didn't come isn't taken.
const ASTRAY_FOR: Duration = Duration::from_secs(30);

/// Edges that got nothing from one edge before it isn't asked to pass anything on. One may be wrong about it.
const COMPLAINTS: usize = 2;

/// Ways of which it is known that they don't work: more than there can be between 64 edges in use.
const MOST_ASTRAY: usize = 4_096;

/// What two edges of one region take from each other. Guess; between two of other regions the way over this edge is taken for it, since nobody tells
/// more: no edge knows the others' links.
const NEAR: Duration = Duration::from_millis(2);

/// A way that doesn't work.
#[derive(Clone, Debug)]
pub(in crate::shard) struct Astray {
    from: Arc<str>,
    to: Arc<str>,
    until: Instant,
}

/// What was planned, and what the parts were told of it.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    /// From whom each part is to get it; that isn't named: from here.
    told: BTreeMap<ShardId, (ShardId, u8)>,
    /// The parts that it was planned for.
    wanting: Vec<ShardId>,
    planned: Option<Instant>,
    /// When parts were last told again.
    repeated: Option<Instant>,
    /// It didn't come about.
    stale: bool,
    /// A way that wasn't taken may be tried again then.
    again: Option<Instant>,
}

impl Outline {
    /// A part takes nothing any more, or has turned to this edge by itself.
    pub(in crate::shard) fn forget(&mut self, part: ShardId) {
        self.stale |= self.told.remove(&part).is_some();
    }

    /// Whether others are to get it from one of these parts.
    pub(in crate::shard) fn has_children(&self, parts: &[ShardId]) -> bool {
        self.told.values().any(|(parent, _)| parts.contains(parent))
    }
}

impl Shard {
    /// Plans anew where it is needed.
    pub(super) fn plan_trees(&mut self, now: Instant) {
        if self.config.trees.fan_out == 0 || self.neighbours.len() < 2 {
            return;
        }
        let due: Vec<_> = self.publications.iter().filter(|(_, known)| self.plan_is_due(now, known)).map(|(key, _)| key).collect();
        for key in due {
            self.plan_tree(now, key);
        }
        self.tell_again(now);
    }

    fn tell_again(&mut self, now: Instant) {
        let mut again = Vec::new();
        for (key, known) in &mut self.publications {
            let outline = &mut known.outline;
            let since = outline.repeated.max(outline.planned);
            if outline.told.is_empty() || since.is_some_and(|since| now.saturating_duration_since(since) < TOLD_AGAIN) {
                continue;
            }
            outline.repeated = Some(now);
            let direct = known.relays.iter().filter(|(_, demand)| !demand.via);
            again.extend(direct.filter_map(|(part, _)| outline.told.get(part).map(|(parent, depth)| (key, *part, *parent, *depth))));
        }
        for (key, part, parent, depth) in again {
            let parent = self.name_of(parent);
            self.tell_part(part, Relayed::Via { publication: Self::handle_of(key), parent, depth });
        }
    }

    /// Parts on other edges that want it for themselves, in order.
    fn wanting(&self, known: &Publication) -> Vec<ShardId> {
        let takes = |(part, demand): &&(ShardId, crate::relay::PartDemand)| !demand.idle && self.neighbour(*part).is_some();
        let mut wanting: Vec<_> = known.relays.iter().filter(takes).map(|(part, _)| *part).collect();
        wanting.sort_unstable();
        wanting
    }

    fn plan_is_due(&self, now: Instant, known: &Publication) -> bool {
        let outline = &known.outline;
        if known.from.is_some() || (known.relays.len() < 2 && outline.told.is_empty()) {
            return false;
        }
        let rested = outline.planned.is_none_or(|planned| now.saturating_duration_since(planned) >= PLANNED_AGAIN);
        let again = outline.again.is_some_and(|again| now >= again);
        rested && (outline.stale || again || self.wanting(known) != outline.wanting)
    }

    fn plan_tree(&mut self, now: Instant, key: PublicationKey) {
        self.astray.retain(|astray| astray.until > now);
        let Some(known) = self.publications.get(key) else { return };
        let wanting = self.wanting(known);
        let takers: Vec<ShardId> = known.relays.iter().filter(|(_, demand)| !demand.idle).map(|(part, _)| *part).collect();
        let hops = self.hops(&wanting);
        // The lowest shard of an edge is the one that passes on.
        let edge_of = |part: ShardId| self.neighbour(part).map(|(_, about)| Arc::clone(&about.edge));
        let parent_of = |edge: &str| wanting.iter().copied().find(|part| edge_of(*part).as_deref() == Some(edge));
        let mut depths: BTreeMap<Arc<str>, u8> = BTreeMap::new();
        let mut planned = BTreeMap::new();
        for Hop { from, to } in &hops {
            let depth = depths.get(from).copied().unwrap_or(0).saturating_add(1);
            depths.insert(Arc::clone(to), depth);
            let Some(parent) = parent_of(from).filter(|_| depth > 1) else { continue };
            for part in wanting.iter().filter(|part| edge_of(**part).as_deref() == Some(&**to)) {
                planned.insert(*part, (parent, depth));
            }
        }
        let mut told = Vec::new();
        for part in &takers {
            let (before, after) = (known.outline.told.get(part), planned.get(part));
            if before != after {
                let parent = after.and_then(|(parent, _)| self.name_of(*parent));
                told.push((*part, parent, after.map_or(1, |(_, depth)| *depth)));
            }
        }
        // Who only passes it on isn't told anything: it ends when the others have gone elsewhere.
        let idle = known.relays.iter().filter(|(_, demand)| demand.idle);
        planned.extend(idle.filter_map(|(part, _)| Some((*part, *known.outline.told.get(part)?))));
        let Some(known) = self.publications.get_mut(key) else { return };
        let again = self.astray.iter().map(|astray| astray.until).min();
        known.outline = Outline { told: planned, wanting, planned: Some(now), repeated: None, stale: false, again };
        for (part, parent, depth) in told {
            self.tell_part(part, Relayed::Via { publication: Self::handle_of(key), parent, depth });
        }
    }

    /// The ways between edges, this one's own first; none where everybody gets it from here.
    fn hops(&self, wanting: &[ShardId]) -> Vec<Hop> {
        let trees = &self.config.trees;
        // A name that no other edge has.
        let home = Site { edge: Arc::from(""), region: Arc::clone(&trees.region) };
        let mut sites: Vec<Site> = Vec::new();
        let mut delays: BTreeMap<Arc<str>, (Arc<str>, Duration)> = BTreeMap::new();
        for part in wanting {
            let Some((_, about)) = self.neighbour(*part) else { continue };
            if delays.insert(Arc::clone(&about.edge), (Arc::clone(&about.region), about.one_way)).is_none() {
                sites.push(Site { edge: Arc::clone(&about.edge), region: Arc::clone(&about.region) });
            }
        }
        if !tree::is_needed(&home, &sites, trees.fan_out) {
            return Vec::new();
        }
        let one_way = |from: &Arc<str>, to: &Arc<str>| {
            let (region, to_home) = delays.get(to)?;
            if *from == home.edge {
                return Some(*to_home);
            }
            let complaints = self.astray.iter().filter(|astray| astray.from == *from);
            if complaints.clone().count() >= COMPLAINTS || complaints.clone().any(|astray| astray.to == *to) {
                return None;
            }
            let (other, from_home) = delays.get(from)?;
            Some(if other == region { NEAR } else { from_home.saturating_add(*to_home) })
        };
        tree::plan(&home, &sites, one_way, trees.fan_out).hops
    }

    fn name_of(&self, part: ShardId) -> Option<PartName> {
        let (shards, about) = self.neighbour(part)?;
        let shard = shards.iter().position(|shard| *shard == part).and_then(|shard| u8::try_from(shard).ok())?;
        Some(PartName { edge: about.edge.to_string(), incarnation: about.incarnation, shard })
    }

    /// A part got nothing from the one that it was to get a publication of this shard from.
    pub(super) fn on_stray(&mut self, now: Instant, from: ShardId, handle: Handle, parent: &PartName) {
        let Some(to) = self.neighbour(from).map(|(_, about)| Arc::clone(&about.edge)) else { return };
        self.astray.retain(|astray| astray.until > now && (*astray.from != *parent.edge || astray.to != to));
        if self.astray.len() < MOST_ASTRAY {
            self.astray.push(Astray { from: Arc::from(parent.edge.as_str()), to, until: now + ASTRAY_FOR });
        }
        if let Some(known) = self.publications.get_mut(Self::publication_of_handle(handle)) {
            known.outline.forget(from);
            known.outline.stale = true;
        }
    }
}
