//! Who gets which layer of what: one subscriber's videos share what its connection holds.
//!
//! A pure function: [`allocate`] takes the sources with what was decided last time, an estimate and an instant, and returns layers with
//! a reason for each, and what to remember. Same input, same output.
//!
//! The rules (docs/allocation.md says where they come from):
//! * audio is paid first and never gated; then everybody's lowest rung, by class; then class by class, layer by layer;
//! * no thumbnail above its lowest rung while something on stage gets less than it wants and could have;
//! * down at once, up only with a margin and not while a hold-down runs, which doubles when an upgrade fails;
//! * whatever doesn't need more bandwidth (a wish, a pin) takes effect at once;
//! * a rung that is not live is not chosen while another is, but wanting it is demand.
//!
//! Invariants, each with a test of the same name in `allocation/tests/`: `the_budget_holds_above_the_floor`,
//! `priority_comes_first`, `more_budget_is_never_worse`, `the_same_again_changes_nothing`, `nobody_starves`,
//! `a_noisy_estimate_switches_seldom`.
//!
//! Not here: how much there is (`congestion`), who looks at what and when to decide anew (`shard::allocate`), how to switch
//! (`forwarder`).

mod fill;
mod ladder;
mod memory;
mod reason;
#[cfg(test)]
mod tests;

pub(crate) use memory::Memory;

use crate::layer::Rung;
use fill::{Contender, Levels, Room, fill};
use ladder::Ladder;
use nearcast_protocol::LayerReason;
use std::cmp::Ordering;
use std::time::Instant;

/// An upgrade has to fit with this much to spare, in percent: the error of a good estimate. Guess within what others take (PulseBeam
/// keeps 10 %, mediasoup 10 % with 35 % for growth).
const UPGRADE_MARGIN: u64 = 115;

/// A paused video is tried, when its hold-down is over, on a connection that was last known to hold less, down to one part in so many of
/// what it takes. Guess; a failure costs a third of a second of queue, and doubles the hold-down.
const WORTH_A_TRY: u64 = 3;

/// Who is served first, lowest to highest.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Class {
    Thumbnail,
    Speaker,
    OnStage,
    Screen,
}

impl Class {
    /// Highest first.
    const ALL: [Self; 4] = [Self::Screen, Self::OnStage, Self::Speaker, Self::Thumbnail];

    /// Whether thumbnails wait for it.
    const fn is_stage(self) -> bool {
        matches!(self, Self::OnStage | Self::Screen)
    }
}

/// How a subscriber shows a source; the default is a subscriber that hasn't said.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Showing {
    /// Pixels of the screen; 0: not known.
    pub(crate) width: u16,
    /// Pixels of the screen; 0: not known.
    pub(crate) height: u16,
    /// Most frames per second worth sending; 0: no limit.
    pub(crate) max_fps: u8,
    pub(crate) visible: bool,
}

impl Default for Showing {
    fn default() -> Self {
        Self { width: 0, height: 0, max_fps: 0, visible: true }
    }
}

/// One video a subscriber receives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    pub(crate) class: Class,
    pub(crate) showing: Showing,
    pub(crate) muted: bool,
    /// What it can be had in, in any order.
    pub(crate) rungs: &'a [Rung],
    /// From the last decision; the default for a new source.
    pub(crate) memory: Memory,
}

/// What there is to share.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Budget {
    /// Bits per second towards the subscriber; none: no limit has ever shown.
    pub(crate) estimate: Option<u64>,
    /// Bits per second that go to audio whatever happens.
    pub(crate) reserved: u64,
    /// The estimate fell lately, or answers stay away: what is above it has to go. While nothing queues and nothing is lost, what is sent
    /// fits, whatever an estimate says that is as old as what was last tried; then it only limits what is added.
    pub(crate) congested: bool,
    /// Less is sent than the estimate allows, so nothing shows whether it still holds.
    pub(crate) untested: bool,
    /// In a moment more will be known. Until then everybody gets a picture, the smallest: nobody waits for it, and nobody climbs rung by
    /// rung, with a key frame for each, to where one step leads.
    pub(crate) starting: bool,
}

/// What to do with a source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Choice {
    /// Forward this rung.
    Forward(Rung),
    /// Nothing is known of its layers yet: forward whatever comes first.
    Await,
    /// Forward nothing.
    Pause,
}

/// What becomes of one source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Decision {
    pub(crate) choice: Choice,
    /// Why not more.
    pub(crate) reason: LayerReason,
    /// Whether it stands higher or lower than after the last decision; a new source neither.
    pub(crate) moved: Ordering,
    /// A better rung that it would get if only it were sent, and no hold-down ran: worth keeping alive.
    pub(crate) pursued: Option<Rung>,
    /// To be given back with the next decision.
    pub(crate) memory: Memory,
}

/// What is sent, and what more would be of use; bits per second with audio.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Demand {
    /// What the decisions cost.
    pub(crate) allocated: u64,
    /// The estimate that would allow the next upgrade; `allocated` when there is none to wait for.
    pub(crate) next: u64,
    /// The estimate with which everybody has what they want.
    pub(crate) most: u64,
}

/// The decisions, in the order of the sources.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Allocation {
    pub(crate) decisions: Vec<Decision>,
    pub(crate) demand: Demand,
}

/// Shares `budget` among `sources`.
pub(crate) fn allocate(sources: &[Source<'_>], budget: Budget, now: Instant) -> Allocation {
    let crowd = crowd(sources);
    let ladders: Vec<_> = sources.iter().map(|source| Ladder::of(source, crowd)).collect();
    let contenders: Vec<_> = sources
        .iter()
        .zip(&ladders)
        .map(|(source, ladder)| Contender {
            class: source.class,
            costs: ladder.costs(),
            previous: source.memory.level_in(ladder),
            held: source.memory.cap_in(ladder, now),
        })
        .collect();
    let available = budget.estimate.map_or(u64::MAX, |estimate| estimate.saturating_sub(budget.reserved));
    let shared = share(sources, &contenders, available, &budget, now);
    let view = reason::View { contenders: &contenders, levels: &shared.levels, for_upgrades: for_upgrades(available) };
    let decide = |index: usize, source: &Source<'_>, ladder: &Ladder| {
        let level = shared.levels.of(index);
        let previous = contenders.get(index).and_then(|contender| contender.previous);
        let memory = source.memory.after(source, ladder, previous, level, shared.overloaded, now);
        let choice = match ladder.rung(level) {
            // Kept ready, so that the picture is there when the mute ends.
            _ if source.muted && source.showing.visible => memory.resting(source),
            Some(rung) => Choice::Forward(rung),
            None if source.rungs.is_empty() && source.showing.visible => Choice::Await,
            None => Choice::Pause,
        };
        let others = shared.levels.total().saturating_sub(ladder.cost(level));
        // Probes look for the next rung whether it is sent or not; until they find room for it, nobody needs to send it.
        let reachable = available.saturating_sub(others);
        Decision {
            choice,
            moved: memory.compared_with(&source.memory),
            reason: reason::of(source, ladder, index, &view),
            pursued: if source.muted { None } else { ladder.pursued(reachable, level) },
            memory,
        }
    };
    let decisions = sources.iter().zip(&ladders).enumerate().map(|(index, (source, ladder))| decide(index, source, ladder)).collect();
    Allocation { decisions, demand: demand(sources, &ladders, &contenders, &shared.levels, budget, now) }
}

/// What each source would be given if there were room for everything; none: nothing is wanted of it.
pub(crate) fn wanted(sources: &[Source<'_>]) -> Vec<Option<Rung>> {
    let crowd = crowd(sources);
    sources.iter().map(|source| Ladder::of(source, crowd).wanted_rung()).collect()
}

/// Videos that the subscriber shows.
fn crowd(sources: &[Source<'_>]) -> usize {
    sources.iter().filter(|source| source.showing.visible && !source.muted).count()
}

struct Shared {
    levels: Levels,
    /// What was sent no longer fits: somebody had to go down for it.
    overloaded: bool,
}

/// What upgrades may fill.
fn for_upgrades(available: u64) -> u64 {
    if available == u64::MAX { available } else { available.saturating_mul(100).checked_div(UPGRADE_MARGIN).unwrap_or(available) }
}

fn share(sources: &[Source<'_>], contenders: &[Contender], available: u64, budget: &Budget, now: Instant) -> Shared {
    // First without anybody going up; who is new gets its lowest rung, if there is room.
    let stay: Vec<_> = contenders.iter().map(|contender| contender.previous.unwrap_or(1).min(contender.top())).collect();
    let before = contenders.iter().map(|contender| contender.cost(contender.previous.unwrap_or(0))).fold(0, u64::saturating_add);
    let holds = if budget.congested { available } else { available.max(before) };
    let kept = fill(contenders, &stay, &stay, Room { floors: holds, climbs: holds });
    let overloaded = before > holds && contenders.iter().enumerate().any(|(index, it)| it.previous > Some(kept.of(index)));
    if overloaded {
        return Shared { levels: kept, overloaded };
    }
    // Then with everybody going up who isn't held down, if that is any better. Just after a cut the sum may not grow, but it may be
    // shared out differently, and what is paused may come back.
    let quiet = sources.iter().any(|source| source.memory.is_fresh_cut(now));
    let upgrades = for_upgrades(available);
    // Black screens for want of an old estimate: the picture itself is the test.
    let floors = match budget {
        Budget { starting: true, .. } => u64::MAX,
        Budget { untested: true, congested: false, .. } => available.saturating_mul(WORTH_A_TRY),
        _ => upgrades,
    };
    let climbs = if quiet { upgrades.min(kept.total()) } else { upgrades };
    let cap = |(index, contender): (usize, &Contender)| match contender.held {
        Some(cap) => kept.of(index).max(cap),
        None if budget.starting => kept.of(index).max(1),
        None => contender.top(),
    };
    let caps: Vec<_> = contenders.iter().enumerate().map(cap).collect();
    let wanted: Vec<_> = contenders.iter().map(Contender::top).collect();
    let raised = fill(contenders, &caps, &wanted, Room { floors, climbs });
    let levels = if raised.is_better_than(&kept, contenders) { raised } else { kept };
    Shared { levels, overloaded }
}

fn demand(sources: &[Source<'_>], ladders: &[Ladder], contenders: &[Contender], levels: &Levels, budget: Budget, now: Instant) -> Demand {
    let allocated = levels.total();
    let gated = fill::stage_is_short(contenders, levels);
    let steps = sources.iter().zip(ladders).enumerate().filter_map(|(index, (source, ladder))| {
        let level = levels.of(index);
        // What is paused is worth finding room for, however lately it was.
        let held = level > 0 && source.memory.cap_in(ladder, now).is_some_and(|cap| cap <= level);
        let waits = source.muted || held || (level > 0 && gated && !source.class.is_stage());
        let step = ladder.next_step(level).filter(|_| !waits)?;
        Some((level > 0, std::cmp::Reverse(source.class), level, step))
    });
    let with_margin = |bits: u64| bits.saturating_mul(UPGRADE_MARGIN).div_ceil(100).saturating_add(budget.reserved);
    let next = steps.min().map_or(allocated.saturating_add(budget.reserved), |(_, _, _, step)| with_margin(allocated.saturating_add(step)));
    let wanted = sources.iter().zip(ladders).filter(|(source, _)| !source.muted).map(|(_, ladder)| ladder.wanted_cost());
    Demand { allocated: allocated.saturating_add(budget.reserved), next, most: with_margin(wanted.fold(0, u64::saturating_add)).max(next) }
}
