//! Every edge gets it, over few links, soon.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn site(node: &str, region: &str) -> Site {
    Site { node: NodeId::parse(node).unwrap(), region: Region::parse(region).unwrap() }
}

/// Within a region 2 ms, between regions by their first letters.
fn one_way(one: &NodeId, other: &NodeId) -> Duration {
    let place = |id: &NodeId| u64::from(id.as_str().as_bytes()[0]);
    let apart = place(one).abs_diff(place(other));
    Duration::from_millis(if apart == 0 { 2 } else { 30 * apart })
}

/// When each edge has it.
fn arrivals(home: &Site, plan: &Plan) -> BTreeMap<NodeId, Duration> {
    let mut arrivals = BTreeMap::from([(home.node.clone(), Duration::ZERO)]);
    for Hop { from, to } in &plan.hops {
        let at = arrivals[from] + HOP + one_way(from, to);
        assert!(arrivals.insert(to.clone(), at).is_none(), "{to} gets it twice");
    }
    arrivals
}

#[test]
fn one_copy_goes_to_each_region() {
    let home = site("a1", "a");
    let wanting = [site("a2", "a"), site("b1", "b"), site("b2", "b"), site("b3", "b"), site("d1", "d")];
    let plan = plan(&home, &wanting, one_way, FAN_OUT);
    let between = plan.hops.iter().filter(|hop| hop.from.as_str()[..1] != hop.to.as_str()[..1]).count();
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
        let most = sites.iter().map(|site| plan.from(&site.node).count()).max().unwrap();
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
            prop_assert!(plan.from(&one.node).count() <= fan_out.max(2));
            // One way into each region.
        }
        let into: Vec<_> = plan.hops.iter().filter(|hop| hop.from.as_str()[..1] != hop.to.as_str()[..1]).map(|hop| &hop.to.as_str()[..1]).collect();
        let regions: BTreeSet<_> = into.iter().collect();
        prop_assert_eq!(regions.len(), into.len());
    }
}
