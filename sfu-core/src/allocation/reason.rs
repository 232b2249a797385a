//! Why a source gets no more than it does.

use super::Source;
use super::fill::{Contender, Levels, stage_is_short};
use super::ladder::Ladder;
use nearcast_protocol::LayerReason;

/// The outcome, as far as one source's reason depends on the others.
pub(super) struct View<'a> {
    pub(super) contenders: &'a [Contender],
    pub(super) levels: &'a Levels,
    /// What upgrades may fill.
    pub(super) for_upgrades: u64,
}

pub(super) fn of(source: &Source<'_>, ladder: &Ladder, index: usize, view: &View<'_>) -> LayerReason {
    let level = view.levels.of(index);
    if source.muted {
        return LayerReason::Muted;
    }
    if !source.showing.visible {
        return LayerReason::Hidden;
    }
    // The best isn't sent because there is no room for it.
    let no_room = || {
        let beside = view.levels.total().saturating_sub(ladder.cost(level));
        level > 0 && ladder.wanted_is_dead() && beside.saturating_add(ladder.wanted_cost()) > view.for_upgrades
    };
    if level >= ladder.top() && no_room() {
        return LayerReason::Bandwidth;
    }
    if level >= ladder.top() {
        return match (ladder.top() == 0 || ladder.wanted_is_dead(), ladder.limited) {
            (true, _) => LayerReason::Publisher,
            (false, true) => LayerReason::Wished,
            (false, false) => LayerReason::Best,
        };
    }
    let Some(own) = view.contenders.get(index) else { return LayerReason::Bandwidth };
    let step = own.cost(level.saturating_add(1)).saturating_sub(own.cost(level));
    let missing = view.levels.total().saturating_add(step).saturating_sub(view.for_upgrades);
    // What those above hold beyond what even the lowest class would leave them.
    let above = view.contenders.iter().enumerate().filter(|(_, other)| other.class > own.class);
    let spare = above.map(|(other, contender)| {
        let floor = if level == 0 { 0 } else { contender.cost(1) };
        contender.cost(view.levels.of(other)).saturating_sub(floor)
    });
    let taken = spare.fold(0, u64::saturating_add);
    let gated = !source.class.is_stage() && level > 0 && stage_is_short(view.contenders, view.levels);
    match missing {
        0 if gated => LayerReason::Priority,
        // It would fit, and is not tried yet.
        0 => LayerReason::HoldDown,
        missing if taken >= missing => LayerReason::Priority,
        _ => LayerReason::Bandwidth,
    }
}
