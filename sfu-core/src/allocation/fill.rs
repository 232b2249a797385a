//! Filling a budget: floors by class first, then class by class, level by level, cheapest step first (max-min).

use super::Class;
use std::cmp::Ordering;

/// How much may be given away, bits per second in all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// While it goes to lowest rungs.
    pub(super) floors: u64,
    /// Above them.
    pub(super) climbs: u64,
}

/// What a source asks for.
#[derive(Clone, Debug)]
pub(super) struct Contender {
    pub(super) class: Class,
    /// Of each level from 1 on, not falling.
    pub(super) costs: Vec<u64>,
    /// The level of the last decision in terms of `costs`; none: new.
    pub(super) previous: Option<usize>,
    /// The level that a hold-down keeps it from going above; none: no hold-down runs.
    pub(super) held: Option<usize>,
}

impl Contender {
    pub(super) fn top(&self) -> usize {
        self.costs.len()
    }

    pub(super) fn cost(&self, level: usize) -> u64 {
        level.checked_sub(1).and_then(|index| self.costs.get(index).or(self.costs.last())).copied().unwrap_or(0)
    }

    fn step_to(&self, level: usize) -> u64 {
        self.cost(level).saturating_sub(self.cost(level.saturating_sub(1)))
    }
}

/// What everybody gets.
#[derive(Clone, Debug)]
pub(super) struct Levels {
    levels: Vec<usize>,
    total: u64,
}

impl Levels {
    pub(super) fn of(&self, index: usize) -> usize {
        self.levels.get(index).copied().unwrap_or(0)
    }

    /// What it all costs, bits per second.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    fn raise(&mut self, index: usize, level: usize, step: u64) {
        if let Some(place) = self.levels.get_mut(index) {
            *place = level;
        }
        self.total = self.total.saturating_add(step);
    }

    fn of_class<'a>(&'a self, contenders: &'a [Contender], class: Class) -> impl Iterator<Item = usize> + 'a {
        contenders.iter().zip(&self.levels).filter(move |(contender, _)| contender.class == class).map(|(_, level)| *level)
    }

    /// More videos running, those of higher class counted first; then higher levels, those of higher class and the lowest first.
    pub(super) fn is_better_than(&self, other: &Self, contenders: &[Contender]) -> bool {
        let running = |levels: &Self, class| levels.of_class(contenders, class).filter(|level| *level > 0).count();
        let sorted = |levels: &Self, class| {
            let mut all: Vec<_> = levels.of_class(contenders, class).collect();
            all.sort_unstable();
            all
        };
        let floors = Class::ALL.map(|class| running(self, class).cmp(&running(other, class)));
        let climbs = || Class::ALL.iter().map(|class| sorted(self, *class).cmp(&sorted(other, *class)));
        floors.into_iter().chain(climbs()).find(|order| order.is_ne()) == Some(Ordering::Greater)
    }
}

/// Something on stage runs on less than it wants and could have.
pub(super) fn stage_is_short(contenders: &[Contender], levels: &Levels) -> bool {
    let wanted = contenders.iter().map(Contender::top).collect::<Vec<_>>();
    is_short(contenders, levels, &wanted)
}

fn is_short(contenders: &[Contender], levels: &Levels, wanted: &[usize]) -> bool {
    // What isn't running at all can't be helped by what the thumbnails would take: their floors went after its own.
    let of_stage = contenders.iter().zip(&levels.levels).zip(wanted).filter(|((contender, _), _)| contender.class.is_stage());
    of_stage.into_iter().any(|((_, level), wanted)| (1..*wanted).contains(level))
}

/// Gives everybody at most its cap. `wanted`: what those on stage have to reach before thumbnails climb.
pub(super) fn fill(contenders: &[Contender], caps: &[usize], wanted: &[usize], room: Room) -> Levels {
    let mut filled = Levels { levels: vec![0; contenders.len()], total: 0 };
    let cap = |index: usize| caps.get(index).copied().unwrap_or(0);
    let mut members = Vec::with_capacity(contenders.len());
    for class in Class::ALL {
        climb_to(1, class, contenders, &cap, room.floors, &mut filled, &mut members);
    }
    let highest = contenders.iter().map(Contender::top).max().unwrap_or(0);
    for class in Class::ALL {
        if !class.is_stage() && is_short(contenders, &filled, wanted) {
            break;
        }
        for level in 2..=highest {
            climb_to(level, class, contenders, &cap, room.climbs, &mut filled, &mut members);
        }
    }
    filled
}

/// One level up for those of a class that stand right below it, cheapest first, as far as the budget goes.
fn climb_to(
    level: usize,
    class: Class,
    contenders: &[Contender],
    cap: &impl Fn(usize) -> usize,
    budget: u64,
    filled: &mut Levels,
    members: &mut Vec<(u64, usize)>,
) {
    members.clear();
    let below = level.saturating_sub(1);
    let standing = contenders
        .iter()
        .enumerate()
        .filter(|(index, contender)| contender.class == class && filled.of(*index) == below && cap(*index).min(contender.top()) >= level);
    members.extend(standing.map(|(index, contender)| (contender.step_to(level), index)));
    members.sort_unstable();
    for (step, index) in members.drain(..) {
        let first = level == 1 && filled.levels.iter().all(|level| *level == 0);
        // The most important video runs on its lowest rung whatever the estimate: where nothing flows nothing can be learned, and a late
        // picture is better than none.
        if first || filled.total.saturating_add(step) <= budget {
            filled.raise(index, level, step);
        }
    }
}
