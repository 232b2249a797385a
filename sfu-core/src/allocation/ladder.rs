//! A source's rungs in order, as far up as its subscriber can use them.

use super::{Class, Showing, Source};
use crate::layer::{Rung, Target};
use std::cmp::{Ordering, Reverse};

/// A picture this much smaller than it is shown, edge by edge, still covers it, in percent: LiveKit's tolerance, below which nobody
/// sees a difference.
const COVERS: u64 = 90;

/// Videos up to this many are wanted whole by a subscriber that hasn't said how it shows them: two by two on a laptop.
const FEW: usize = 4;

/// Videos up to this many are wanted at 640×360 by such a subscriber (four by four on a laptop), more at 320×180.
const MANY: usize = 16;

/// A camera's picture where nothing is known of its size.
const USUAL: (u32, u32) = (1280, 720);

/// Frames per second of a top temporal layer where nothing is known.
const USUAL_FPS: u8 = 30;

/// One rung with what it is taken to cost.
#[derive(Clone, Copy, Debug)]
struct Step {
    rung: Rung,
    /// Pixels, known or inferred.
    area: u64,
    /// Bits per second; never less than that of the step below.
    cost: u64,
}

/// The rungs worth climbing, lowest first. Levels count the live ones: 0 is nothing, 1 the lowest.
#[derive(Clone, Debug, Default)]
pub(super) struct Ladder {
    /// All that the subscriber can use, also those that aren't live; behind them, when none of them is, a live one that is too large.
    steps: Vec<Step>,
    /// How many of `steps` are wanted.
    wanted: usize,
    /// Indices into `steps` of those that can be chosen.
    live: Vec<usize>,
    /// Better rungs exist than the best that is wanted.
    pub(super) limited: bool,
}

/// Where a source stands, in terms that outlast its ladder.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Position {
    encoding: u8,
    target: Target,
    area: u64,
}

impl Position {
    /// Whether it is higher: a larger picture, or more of them.
    pub(super) fn cmp(&self, other: &Self) -> Ordering {
        if (self.encoding, self.target) == (other.encoding, other.target) {
            return Ordering::Equal; // whatever has been learned of its size
        }
        (self.area, self.target, self.encoding).cmp(&(other.area, other.target, other.encoding))
    }
}

impl Ladder {
    /// `crowd`: videos that the subscriber shows.
    pub(super) fn of(source: &Source<'_>, crowd: usize) -> Self {
        if source.muted || !source.showing.visible {
            return Self::default();
        }
        let mut steps = ordered(source.rungs);
        let mut limited = keep_frame_rate(&mut steps, source.showing.max_fps);
        keep_smooth(&mut steps, source.class);
        let largest = shown_area(source, crowd).and_then(|shown| steps.iter().map(|step| step.area).find(|area| *area >= shown));
        let wanted = largest.map_or(steps.len(), |largest| steps.iter().filter(|step| step.area <= largest).count());
        limited |= wanted < steps.len();
        let mut live: Vec<_> = steps.iter().enumerate().filter(|(_, step)| step.rung.live).map(|(at, _)| at).collect();
        // What is too large serves only where nothing else is live.
        let usable = live.iter().filter(|at| **at < wanted).count();
        live.truncate(usable.max(1));
        if live.is_empty() && !steps.is_empty() {
            // Whatever comes back first will most likely be the smallest.
            live.push(0);
        }
        steps.truncate(live.last().map_or(0, |at| at.saturating_add(1)).max(wanted));
        make_monotone(&mut steps);
        Self { steps, wanted, live, limited }
    }

    /// What each level costs, from level 1 on.
    pub(super) fn costs(&self) -> Vec<u64> {
        self.live.iter().filter_map(|at| self.steps.get(*at)).map(|step| step.cost).collect()
    }

    fn place(&self, level: usize) -> Option<usize> {
        self.live.get(level.checked_sub(1)?).copied()
    }

    fn step(&self, level: usize) -> Option<&Step> {
        self.steps.get(self.place(level)?)
    }

    pub(super) fn cost(&self, level: usize) -> u64 {
        self.step(level).map_or(0, |step| step.cost)
    }

    pub(super) fn rung(&self, level: usize) -> Option<Rung> {
        self.step(level).map(|step| step.rung)
    }

    pub(super) fn top(&self) -> usize {
        self.live.len()
    }

    pub(super) fn position(&self, level: usize) -> Option<Position> {
        let step = self.step(level)?;
        Some(Position { encoding: step.rung.encoding, target: step.rung.target, area: step.area })
    }

    /// The level of a position now, or the highest below it: what was chosen may have died, or no longer be of use.
    pub(super) fn level_of(&self, position: Position) -> usize {
        let below = |step: &&Step| {
            let (encoding, Target { spatial, temporal }) = (step.rung.encoding, step.rung.target);
            let of = position.target;
            // Of the same picture another size may have been learned.
            if (encoding, spatial) == (position.encoding, of.spatial) {
                return temporal <= of.temporal;
            }
            (step.area, encoding, spatial) <= (position.area, position.encoding, of.spatial)
        };
        let at = self.steps.iter().filter(below).count();
        let reached = self.live.iter().filter(|live| **live < at).count();
        reached.max(1).min(self.live.len())
    }

    fn best_wanted(&self) -> Option<&Step> {
        self.steps.get(self.wanted.checked_sub(1)?)
    }

    /// The best that is wanted, whether it is sent or not.
    pub(super) fn wanted_rung(&self) -> Option<Rung> {
        self.best_wanted().map(|step| step.rung)
    }

    /// The best that is wanted isn't sent.
    pub(super) fn wanted_is_dead(&self) -> bool {
        self.best_wanted().is_some_and(|step| !step.rung.live)
    }

    pub(super) fn wanted_cost(&self) -> u64 {
        self.best_wanted().map_or(0, |step| step.cost)
    }

    /// What the next rung costs more than `level`, whether it is sent or not.
    pub(super) fn next_step(&self, level: usize) -> Option<u64> {
        let next = self.place(level).map_or(0, |at| at.saturating_add(1));
        let step = self.steps.get(next).filter(|_| next < self.wanted)?;
        Some(step.cost.saturating_sub(self.cost(level)))
    }

    /// The best rung that is wanted instead of `level` and costs no more than `budget`.
    pub(super) fn pursued(&self, budget: u64, level: usize) -> Option<Rung> {
        let current = self.place(level);
        let too_large = current.is_some_and(|at| at >= self.wanted);
        let better = |at: usize| too_large || current.is_none_or(|current| at > current);
        let mut wanted = self.steps.iter().take(self.wanted).enumerate();
        wanted.rfind(|(at, step)| better(*at) && step.cost <= budget).map(|(_, step)| step.rung)
    }
}

/// The rungs by picture size, then frame rate.
fn ordered(rungs: &[Rung]) -> Vec<Step> {
    let mut pictures: Vec<_> = rungs.iter().map(|rung| (rung.encoding, rung.target.spatial)).collect();
    pictures.sort_unstable();
    pictures.dedup();
    let position = |rung: &Rung| pictures.iter().position(|picture| *picture == (rung.encoding, rung.target.spatial)).unwrap_or(0);
    let known: Vec<_> = rungs.iter().filter(|rung| pixels(rung) > 0).map(|rung| (position(rung), pixels(rung))).collect();
    let area = |rung: &Rung| {
        if pixels(rung) > 0 {
            return pixels(rung);
        }
        // Each picture has twice the width and height of the one below it: what browsers make of a quarter, a half and a whole.
        let at = position(rung);
        let nearest = known.iter().min_by_key(|(place, _)| place.abs_diff(at));
        let top = (pictures.len().saturating_sub(1), u64::from(USUAL.0).saturating_mul(u64::from(USUAL.1)));
        let (place, pixels) = nearest.copied().unwrap_or(top);
        let factor = 4_u64.saturating_pow(place.abs_diff(at) as u32);
        if at >= place { pixels.saturating_mul(factor) } else { pixels.checked_div(factor).unwrap_or(pixels) }
    };
    let mut steps: Vec<_> = rungs.iter().map(|rung| Step { rung: *rung, area: area(rung), cost: 0 }).collect();
    for step in &mut steps {
        step.cost = if step.rung.bitrate > 0 { step.rung.bitrate } else { usual_bitrate(step.area) };
    }
    steps.sort_by_key(|step| (step.area, step.rung.encoding, step.rung.target.spatial, step.rung.target.temporal));
    steps
}

fn pixels(rung: &Rung) -> u64 {
    u64::from(rung.width).saturating_mul(u64::from(rung.height))
}

/// What browsers aim at for a picture of this size: the target rates of libwebrtc's simulcast table (video/config/simulcast.cc).
fn usual_bitrate(area: u64) -> u64 {
    const TABLE: [(u64, u64); 5] =
        [(320 * 180, 150_000), (480 * 270, 350_000), (640 * 360, 500_000), (960 * 540, 1_200_000), (1280 * 720, 2_500_000)];
    TABLE.iter().find(|(most, _)| area <= *most).map_or(4_000_000, |(_, bitrate)| *bitrate)
}

/// Drops frame rates that the subscriber has no use for; the lowest of each picture stays. True: there were some.
fn keep_frame_rate(steps: &mut Vec<Step>, max_fps: u8) -> bool {
    if max_fps == 0 {
        return false;
    }
    let before = steps.len();
    let most = u16::from(max_fps).saturating_add(u16::from(max_fps / 4)); // cameras run at 29.97, or at 16 for 15
    let layers: Vec<_> = steps.iter().map(|step| (picture(step), step.rung.target.temporal)).collect();
    steps.retain(|step| {
        let temporal = step.rung.target.temporal;
        let others = || layers.iter().filter(|(same, _)| *same == picture(step)).map(|(_, other)| *other);
        let halvings = others().max().unwrap_or(temporal).saturating_sub(temporal);
        let fps = if step.rung.fps > 0 { step.rung.fps } else { USUAL_FPS.checked_shr(u32::from(halvings)).unwrap_or(0) };
        u16::from(fps) <= most || others().all(|other| other >= temporal)
    });
    steps.len() < before
}

/// A picture that costs no more than this isn't sent at a lower frame rate: what that saves no path notices, and people do. Bits per second.
const NOT_WORTH_THINNING: u64 = 200_000;

/// A camera's picture isn't made larger at the price of its motion (Jitsi skips such layers too): only the smallest has steps of frame
/// rate, and only when there is something to save. On a screen, sharpness comes first.
fn keep_smooth(steps: &mut Vec<Step>, class: Class) {
    if class == Class::Screen {
        return;
    }
    let smallest = steps.first().map(picture);
    let whole = steps.iter().filter(|step| Some(picture(step)) == smallest).map(|step| step.cost).max().unwrap_or(0);
    let smallest = smallest.filter(|_| whole > NOT_WORTH_THINNING);
    let all: Vec<_> = steps.iter().map(|step| (picture(step), step.rung.target.temporal)).collect();
    steps.retain(|step| {
        let best = all.iter().filter(|(same, _)| *same == picture(step)).map(|(_, temporal)| *temporal).max();
        Some(picture(step)) == smallest || Some(step.rung.target.temporal) == best
    });
}

fn picture(step: &Step) -> (u8, u8) {
    (step.rung.encoding, step.rung.target.spatial)
}

/// A better rung that happens to cost less (a still picture) is taken to cost as much: nothing is gained by being exact. What isn't
/// sent has no say in what others cost.
fn make_monotone(steps: &mut [Step]) {
    let mut least = 0;
    for step in steps {
        step.cost = step.cost.max(least);
        if step.rung.live {
            least = step.cost;
        }
    }
}

/// Pixels that the subscriber shows the source at, less the tolerance; none: as large as it comes.
fn shown_area(source: &Source<'_>, crowd: usize) -> Option<u64> {
    let Showing { width, height, .. } = source.showing;
    let (width, height) = match (width, height) {
        (0, 0) if source.class.is_stage() || crowd <= FEW => return None,
        (0, 0) if crowd <= MANY => (640, 360),
        (0, 0) => (320, 180),
        (0, height) => (u64::from(height).saturating_mul(16) / 9, u64::from(height)),
        (width, 0) => (u64::from(width), u64::from(width).saturating_mul(9) / 16),
        (width, height) => (u64::from(width), u64::from(height)),
    };
    // Areas, since a phone held upright sends pictures whose sides are swapped on the way.
    Some(width.saturating_mul(height).saturating_mul(COVERS.saturating_mul(COVERS)) / 10_000)
}

/// The rung to rest on while muted: the one before, else the lowest, of those that are live as long as one is.
pub(super) fn resting(rungs: &[Rung], last: Option<Position>) -> Option<Rung> {
    let same = |rung: &&Rung| last.is_some_and(|last| (last.encoding, last.target) == (rung.encoding, rung.target));
    let lowest = || rungs.iter().min_by_key(|rung| (Reverse(rung.live), pixels(rung), rung.encoding, rung.target));
    rungs.iter().find(same).or_else(lowest).copied()
}
