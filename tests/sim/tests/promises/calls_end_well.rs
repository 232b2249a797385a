//! Whatever happens to a call, and in whatever order: when it is over, everybody is back or has been told why not, nobody is there twice, and
//! the journals replay.

use client_core::trace::{Replay, Trace};
use client_core::{Event, State};
use nearcast_sim::calls::{Calls, PageId};
use nearcast_sim::{SourcePlan, ms, secs};
use proptest::prelude::*;
use std::time::Duration;

/// What goes wrong, for how many tenths of a second, and how long after the one before it began.
#[derive(Clone, Copy, Debug)]
struct Fault {
    kind: Kind,
    whose: usize,
    tenths: u64,
    after: u64,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Nothing passes.
    Cut,
    /// Datagrams don't.
    Udp,
    /// WebSockets don't.
    Hang,
    /// The machine sleeps.
    Sleep,
    /// The NAT maps anew.
    Rebind,
    /// An edge dies, and starts empty.
    Kill,
    /// A third of the datagrams is lost.
    Loss,
}

fn faults(edges: u8) -> impl Strategy<Value = Vec<Fault>> {
    use Kind::{Cut, Hang, Kill, Loss, Rebind, Sleep, Udp};
    // Somebody else's death is no fault of a world with one edge.
    let whose = if edges > 1 { 0..2_usize } else { 0..1 };
    let kind = prop::sample::select(vec![Cut, Udp, Hang, Sleep, Rebind, Kill, Loss]);
    let fault = (kind, whose, 1..250_u64, 0..150_u64).prop_map(|(kind, whose, tenths, after)| Fault { kind, whose, tenths, after });
    prop::collection::vec(fault, 1..8)
}

fn apply(calls: &mut Calls, fault: Fault, begins: bool) {
    let page = calls.everybody().nth(fault.whose).expect("a page");
    match fault.kind {
        Kind::Cut => calls.cut(page, begins),
        Kind::Udp => calls[page].link.cut(begins),
        Kind::Hang => calls.hang(page, begins),
        Kind::Sleep => calls.sleep(page, begins),
        Kind::Rebind if begins => calls.rebind(page),
        Kind::Kill if begins => calls.kill(fault.whose),
        Kind::Kill => calls.start(fault.whose),
        Kind::Loss => {
            let share = if begins { 0.3 } else { 0.0 };
            calls[page].link.lose_up(share);
            calls[page].link.lose_down(share);
        }
        Kind::Rebind => {}
    }
}

/// The longest time that a page was without a call, not having been told of the end.
fn longest_outage(calls: &Calls, page: PageId) -> Duration {
    let mut since = None;
    let mut longest = Duration::ZERO;
    for (at, event) in &calls[page].events {
        let Event::StateChanged { state, .. } = event else { continue };
        if *state == State::Reconnecting {
            since.get_or_insert(*at);
        } else if let Some(since) = since.take() {
            longest = longest.max(*at - since);
        }
    }
    since.map_or(longest, |since| longest.max(calls.now() - since))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn every_call_ends_well(seed in 0..1_000_u64, (edges, faults) in (1..=2_u8).prop_flat_map(|edges| (Just(edges), faults(edges)))) {
        let mut calls = Calls::seeded(seed, edges);
        let pages = ["ana", "ben"].map(|name| calls.open(name));
        pages.iter().for_each(|page| calls.publish(*page, SourcePlan::microphone()));
        calls.run_for(secs(4));
        let mut moments = Vec::new();
        let mut begins = calls.now();
        for fault in faults {
            begins += ms(fault.after * 100);
            moments.extend([(begins, fault, true), (begins + ms(fault.tenths * 100), fault, false)]);
        }
        moments.sort_by_key(|(at, ..)| *at);
        let asleep = moments.iter().filter(|(_, fault, begins)| matches!(fault.kind, Kind::Sleep) && *begins).count() as u64;
        for (at, fault, begins) in moments {
            calls.run_for(at.saturating_sub(calls.now()));
            apply(&mut calls, fault, begins);
        }
        // Faults of one kind that overlap end with the first end: nothing is broken any more.
        calls.run_for(secs(90));
        let since = calls.now();
        calls.run_for(secs(2));
        let [ana, ben] = pages;
        let is_in = |page: PageId| calls[page].end().is_none();
        for (here, there) in [(ana, ben), (ben, ana)] {
            if let Some(end) = calls[here].end() {
                prop_assert!(end.is_some(), "it ended without a reason");
            } else {
                prop_assert!(calls[here].is_connected(), "{:?}", calls[here].steps().collect::<Vec<_>>());
                // A room is on one edge: who had to go elsewhere alone, because the way to it was blocked, is alone.
                let together = is_in(there) && calls.edge_of(here) == calls.edge_of(there);
                prop_assert!(!together || calls[here].heard_of(there, 0).last().is_some_and(|at| *at > since), "connected, and deaf: {:?}", calls[here].steps().collect::<Vec<_>>());
            }
            let longest = longest_outage(&calls, here);
            prop_assert!(longest < secs(125 + 25 * asleep), "without a call for {longest:?}");
            let trace = Trace::read(&calls[here].session.trace()).expect("a trace");
            prop_assert_eq!(trace.replay().expect("a replay"), Replay::Identical);
        }
        let everywhere: u64 = (0..usize::from(edges)).filter_map(|edge| calls.participants(edge)).sum();
        prop_assert_eq!(everywhere, pages.iter().filter(|page| is_in(**page)).count() as u64, "somebody is there twice, or as a ghost");
    }
}
