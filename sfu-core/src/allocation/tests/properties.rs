//! What holds for any sources and any budget.

use super::*;
use proptest::prelude::*;

/// A source without its borrowed rungs.
#[derive(Clone, Debug)]
struct Plan {
    class: Class,
    rungs: Vec<Rung>,
    showing: Showing,
    muted: bool,
}

fn any_rungs() -> impl Strategy<Value = Vec<Rung>> {
    let one = (0..3_u8, 0..3_u8, 30..3_000_u64, prop_oneof![Just(0_u16), 160..1_920_u16], 0..31_u8, prop::bool::weighted(0.9));
    prop::collection::vec(one, 1..7).prop_map(|parts| {
        let rungs = parts
            .into_iter()
            .map(|(encoding, temporal, cost, width, fps, live)| Rung { live, ..rung(encoding, temporal, cost, width, fps) });
        let mut rungs: Vec<_> = rungs.collect();
        rungs.sort_by_key(|rung| (rung.encoding, rung.target));
        rungs.dedup_by_key(|rung| (rung.encoding, rung.target));
        // One encoding has one size.
        let first = rungs.clone();
        for rung in &mut rungs {
            let same = first.iter().find(|other| other.encoding == rung.encoding).unwrap();
            (rung.width, rung.height) = (same.width, same.height);
        }
        rungs
    })
}

fn any_plan() -> impl Strategy<Value = Plan> {
    let class = prop_oneof![Just(Class::Thumbnail), Just(Class::Speaker), Just(Class::OnStage), Just(Class::Screen)];
    let showing = (prop_oneof![Just(0_u16), 100..2_000_u16], 0..40_u8, prop::bool::weighted(0.9));
    (class, any_rungs(), showing, prop::bool::weighted(0.1)).prop_map(|(class, rungs, (width, max_fps, visible), muted)| Plan {
        class,
        rungs,
        showing: Showing { width, height: width / 2, max_fps, visible },
        muted,
    })
}

fn sources(plans: &[Plan]) -> Vec<Source<'_>> {
    let source = |plan: &'_ Plan| -> (Class, Showing, bool) { (plan.class, plan.showing, plan.muted) };
    plans
        .iter()
        .map(|plan| {
            let (class, showing, muted) = source(plan);
            Source { class, showing, muted, rungs: &plan.rungs, memory: Memory::default() }
        })
        .collect()
}

/// The levels that were decided, as the allocator counts them.
fn outcome(sources: &[Source<'_>], allocation: &Allocation) -> (Vec<Contender>, Vec<usize>) {
    let crowd = sources.iter().filter(|source| source.showing.visible && !source.muted).count();
    let ladders: Vec<_> = sources.iter().map(|source| Ladder::of(source, crowd)).collect();
    let level = |(ladder, decision): (&Ladder, &Decision)| {
        (1..=ladder.top()).find(|level| ladder.rung(*level).map(Choice::Forward) == Some(decision.choice)).unwrap_or(0)
    };
    let levels = ladders.iter().zip(&allocation.decisions).map(level).collect();
    let contender =
        |(source, ladder): (&Source<'_>, &Ladder)| Contender { class: source.class, costs: ladder.costs(), previous: None, held: None };
    (sources.iter().zip(&ladders).map(contender).collect(), levels)
}

fn total(contenders: &[Contender], levels: &[usize]) -> u64 {
    contenders.iter().zip(levels).map(|(contender, level)| contender.cost(*level)).sum()
}

/// Videos running by class, then levels by class, lowest first.
fn standing(contenders: &[Contender], levels: &[usize]) -> (Vec<usize>, Vec<Vec<usize>>) {
    let of = |class| {
        let mut all: Vec<_> =
            contenders.iter().zip(levels).filter(|(contender, _)| contender.class == class).map(|(_, level)| *level).collect();
        all.sort_unstable();
        all
    };
    let climbs: Vec<_> = Class::ALL.map(of).to_vec();
    (climbs.iter().map(|levels| levels.iter().filter(|level| **level > 0).count()).collect(), climbs)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn the_budget_holds_above_the_floor(plans in prop::collection::vec(any_plan(), 1..9), history in prop::collection::vec(50..8_000_u64, 1..6)) {
        let mut sources = sources(&plans);
        let start = Instant::now();
        for (at, estimate) in history.into_iter().enumerate() {
            let allocation = decide(&mut sources, kbps(estimate), start + ms(1_000 * at as u64));
            let (contenders, levels) = outcome(&sources, &allocation);
            let spent = total(&contenders, &levels);
            let floor_alone = levels.iter().sum::<usize>() == 1;
            prop_assert!(spent <= estimate * KBPS || floor_alone, "{spent} of {estimate}");
            prop_assert!(allocation.demand.allocated == spent && allocation.demand.most >= allocation.demand.next);
        }
    }

    #[test]
    fn more_budget_is_never_worse(plans in prop::collection::vec(any_plan(), 1..9), estimate in 50..8_000_u64, more in 0..4_000_u64) {
        let sources = sources(&plans);
        let now = Instant::now();
        let (contenders, with_less) = outcome(&sources, &allocate(&sources, kbps(estimate), now));
        let (_, with_more) = outcome(&sources, &allocate(&sources, kbps(estimate + more), now));
        prop_assert!(standing(&contenders, &with_more) >= standing(&contenders, &with_less), "{with_less:?} {with_more:?}");
    }

    #[test]
    fn the_same_again_changes_nothing(plans in prop::collection::vec(any_plan(), 1..9), estimate in 50..8_000_u64) {
        let mut sources = sources(&plans);
        let start = Instant::now();
        let first = decide(&mut sources, kbps(estimate), start);
        prop_assert_eq!(&first, &allocate(&sources.iter().map(|source| Source { memory: Memory::default(), ..*source }).collect::<Vec<_>>(), kbps(estimate), start));
        for again in 1..200 {
            let next = decide(&mut sources, kbps(estimate), start + ms(100 * again));
            prop_assert_eq!(next.decisions.iter().map(|it| it.choice).collect::<Vec<_>>(), first.decisions.iter().map(|it| it.choice).collect::<Vec<_>>());
        }
    }

    /// Nobody has a second rung while one of a higher class could have its first instead, or a next one on stage.
    #[test]
    fn priority_comes_first(plans in prop::collection::vec(any_plan(), 2..9), estimate in 50..8_000_u64) {
        let sources = sources(&plans);
        let (contenders, levels) = outcome(&sources, &allocate(&sources, kbps(estimate), Instant::now()));
        let floors: u64 = contenders.iter().zip(&levels).filter(|(_, level)| **level > 0).map(|(it, _)| it.cost(1)).sum();
        for (high, level) in contenders.iter().zip(&levels) {
            let lower = || contenders.iter().zip(&levels).filter(|(low, _)| low.class < high.class);
            // Taking everything from those below, floors aside, wouldn't have paid its next step.
            if (1..high.top()).contains(level) {
                let below: u64 = lower().map(|(low, level)| low.cost(*level) - low.cost((*level).min(1))).sum();
                let step = high.cost(level + 1) - high.cost(*level);
                let spent = total(&contenders, &levels) - below;
                prop_assert!(spent + step > estimate * KBPS * 100 / 115 || below == 0, "{levels:?}");
                if high.class.is_stage() {
                    prop_assert!(lower().filter(|(low, _)| !low.class.is_stage()).all(|(_, level)| *level <= 1), "{levels:?}");
                }
            }
            if *level == 0 && high.top() > 0 {
                let below: u64 = lower().filter(|(_, level)| **level > 0).map(|(low, _)| low.cost(1)).sum();
                prop_assert!(floors - below + high.cost(1) > estimate * KBPS, "{levels:?}");
            }
        }
    }

    /// Everybody visible runs when all lowest rungs fit together.
    #[test]
    fn nobody_starves(plans in prop::collection::vec(any_plan(), 1..9), spare in 0..4_000_u64) {
        let sources = sources(&plans);
        let (contenders, _) = outcome(&sources, &allocate(&sources, UNLIMITED, Instant::now()));
        let floors: u64 = contenders.iter().map(|contender| contender.cost(1)).sum();
        let allocation = allocate(&sources, Budget { estimate: Some(floors + spare), reserved: 0, congested: true, untested: false, starting: false }, Instant::now());
        for (source, decision) in sources.iter().zip(&allocation.decisions) {
            prop_assert_eq!(decision.choice == Choice::Pause, !source.showing.visible);
        }
    }

    /// Whatever the estimate does, cuts and climbs of one source take turns, and climbs wait for the hold-down.
    #[test]
    fn climbs_wait(estimates in prop::collection::vec(100..3_000_u64, 100)) {
        let camera = camera();
        let mut sources = [source(Class::OnStage, &camera)];
        let start = Instant::now();
        let (mut last, mut cut) = (0, None);
        for (at, estimate) in estimates.into_iter().enumerate() {
            let now = start + ms(200 * at as u64);
            let width = widths(&decide(&mut sources, kbps(estimate), now))[0];
            if at > 0 && width < last {
                cut = Some(now);
            }
            if at > 0 && width > last {
                let held = if last == 0 { ms(1_250) } else { ms(5_000) };
                prop_assert!(cut.is_none_or(|cut| now - cut >= held));
            }
            last = width;
        }
    }
}
