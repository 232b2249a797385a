//! Every edge gets it, over few links, soon.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

impl Plan {
    /// To whom an edge sends.
    fn from<'a>(&'a self, node: &'a Arc<str>) -> impl Iterator<Item = &'a Arc<str>> {
        self.hops.iter().filter(move |hop| hop.from == *node).map(|hop| &hop.to)
    }

    /// What is new in `self`, and what is no longer: new ways are opened before old ones are closed.
    fn changes_from<'a>(&'a self, before: &'a Self) -> (Vec<&'a Hop>, Vec<&'a Hop>) {
        let not_in = |one: &'a Self, other: &'a Self| one.hops.iter().filter(|hop| !other.hops.contains(hop)).collect();
        (not_in(self, before), not_in(before, self))
    }
}

fn site(node: &str, region: &str) -> Site {
    Site { edge: node.into(), region: region.into() }
}

/// Within a region 2 ms, between regions by their first letters.
#[expect(clippy::unnecessary_wraps, reason = "the planner may be told that there is no way")]
fn one_way(one: &Arc<str>, other: &Arc<str>) -> Option<Duration> {
    let place = |id: &str| u64::from(id.as_bytes()[0]);
    let apart = place(one).abs_diff(place(other));
    Some(Duration::from_millis(if apart == 0 { 2 } else { 30 * apart }))
}

/// When each edge has it.
fn arrivals(home: &Site, plan: &Plan) -> BTreeMap<Arc<str>, Duration> {
    let mut arrivals = BTreeMap::from([(home.edge.clone(), Duration::ZERO)]);
    for Hop { from, to } in &plan.hops {
        let at = arrivals[from] + HOP + one_way(from, to).unwrap();
        assert!(arrivals.insert(to.clone(), at).is_none(), "{to} gets it twice");
    }
    arrivals
}

#[test]
fn one_copy_goes_to_each_region() {
    let home = site("a1", "a");
    let wanting = [site("a2", "a"), site("b1", "b"), site("b2", "b"), site("b3", "b"), site("d1", "d")];
    let plan = plan(&home, &wanting, one_way, FAN_OUT);
    let between = plan.hops.iter().filter(|hop| hop.from[..1] != hop.to[..1]).count();
    assert_eq!((plan.hops.len(), between), (5, 2));
    assert!(arrivals(&home, &plan).values().all(|at| *at <= Duration::from_millis(95)));
}

#[test]
fn a_change_touches_little() {
    let home = site("a1", "a");
    let mut wanting: Vec<_> = (1..=20).map(|index| site(&format!("b{index:02}"), "b")).collect();
    let before = plan(&home, &wanting, one_way, FAN_OUT);
    wanting.push(site("b99", "b"));
    let after = plan(&home, &wanting, one_way, FAN_OUT);
    let (opened, closed) = after.changes_from(&before);
    assert_eq!((opened.len(), closed.len()), (1, 0));
}

/// A room of 2,000 on nodes of 500, in three regions, and one as wide as the cluster.
#[test]
fn large_rooms_take_no_more_copies_than_edges() {
    for (edges, regions) in [(4, 3), (40, 5)] {
        let sites: Vec<_> = (0..edges)
            .map(|index| {
                site(&format!("{}{index:02}", ["a", "b", "c", "d", "e"][index % regions]), ["a", "b", "c", "d", "e"][index % regions])
            })
            .collect();
        let plan = plan(&sites[0], &sites, one_way, FAN_OUT);
        let arrivals = arrivals(&sites[0], &plan);
        let most = sites.iter().map(|site| plan.from(&site.edge).count()).max().unwrap();
        let latest = arrivals.values().max().unwrap().as_millis();
        println!(
            "{edges} edges in {regions} regions: {} copies, at most {most} from one edge, the last one after {latest} ms",
            plan.hops.len()
        );
        assert_eq!((arrivals.len(), plan.hops.len()), (edges, edges - 1));
        assert!(most <= FAN_OUT && latest <= 4 * 30 + 10, "{most} {latest}");
    }
}

proptest! {
    #[test]
    fn a_copy_crosses_each_link_once(places in prop::collection::vec(0..5_usize, 1..60), fan_out in 1..12_usize) {
        let sites: Vec<_> = places.iter().enumerate().map(|(index, place)| {
            let place = ["a", "b", "c", "d", "e"][*place];
            site(&format!("{place}{index}"), place)
        }).collect();
        let home = sites[0].clone();
        let plan = plan(&home, &sites, one_way, fan_out);
        // In order, from who has it, to who hasn't, until everybody has.
        prop_assert_eq!(arrivals(&home, &plan).len(), sites.len());
        let links: BTreeSet<_> = plan.hops.iter().collect();
        prop_assert_eq!(links.len(), plan.hops.len());
        for one in &sites {
            prop_assert!(plan.from(&one.edge).count() <= fan_out.max(2));
            // One way into each region.
        }
        let into: Vec<_> = plan.hops.iter().filter(|hop| hop.from[..1] != hop.to[..1]).map(|hop| &hop.to[..1]).collect();
        let regions: BTreeSet<_> = into.iter().collect();
        prop_assert_eq!(regions.len(), into.len());
    }
}

#[test]
fn a_way_that_is_not_to_be_taken_is_left_to_the_home() {
    let home = site("a1", "a");
    let wanting = [site("b1", "b"), site("b2", "b"), site("b3", "b")];
    let but = |from: &Arc<str>, to: &Arc<str>| one_way(from, to).filter(|_| (&**from, &**to) != ("b1", "b2"));
    let ways = plan(&home, &wanting, but, FAN_OUT);
    let from = |edge: &str| ways.hops.iter().find(|hop| *hop.to == *edge).map(|hop| hop.from.to_string());
    assert_eq!(["b1", "b2", "b3"].map(from), [Some("a1".to_owned()), Some("b3".to_owned()), Some("b1".to_owned())]);
    let none = |from: &Arc<str>, to: &Arc<str>| one_way(from, to).filter(|_| &**from == "a1");
    assert_eq!(plan(&home, &wanting, none, FAN_OUT).hops.len(), 1, "the others are the home's own");
}

#[test]
fn few_edges_need_no_tree() {
    let home = site("a1", "a");
    let near: Vec<_> = (0..FAN_OUT).map(|index| site(&format!("a{index}x"), "a")).collect();
    assert!(!is_needed(&home, &near, FAN_OUT));
    assert!(is_needed(&home, &near, FAN_OUT - 1));
    assert!(!is_needed(&home, &[site("b1", "b"), site("c1", "c")], FAN_OUT));
    assert!(is_needed(&home, &[site("b1", "b"), site("b2", "b")], FAN_OUT));
}
