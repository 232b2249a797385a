//! More edges or fewer: advice with its reasons, for whatever starts and stops machines.
//!
//! Growing is urgent, shrinking never is: more edges are advised as soon as a limit has been passed for [`Policy::grow_after`], fewer only after
//! [`Policy::shrink_after`], one at a time, outside business hours, and only if those that stay would be far from any limit. The forecast
//! ([`crate::forecast`]) asks early for what will be needed when machines that are started now are up.

use crate::members::{Members, Standing};
use crate::node::{Node, NodeId, Region};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// When to advise what.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Mean share of the processors of a region's edges above which it is to grow.
    pub cpu_above: f32,
    /// The same of memory.
    pub memory_above: f32,
    /// Mean share of the participants that its edges take.
    pub participants_above: f32,
    /// Median round trip of clients to their nearest edge above which their region should have one of its own.
    pub round_trip_above: Duration,
    /// Share of processors and of participants that those who stay may have after shrinking.
    pub shrink_to_below: f32,
    /// How long a limit has to be passed before growing is advised. Refused joins need no time.
    pub grow_after: Duration,
    /// How long there have to be too many before shrinking is advised.
    pub shrink_after: Duration,
    /// Hours of the day and days of the week (0 is Monday) in which nothing shrinks, in the clock that `Clock` gives.
    pub business_hours: Option<BusinessHours>,
    /// Edges that a region keeps.
    pub least: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            cpu_above: 0.70,
            memory_above: 0.80,
            participants_above: 0.80,
            round_trip_above: Duration::from_millis(150),
            shrink_to_below: 0.50,
            grow_after: Duration::from_secs(60),
            shrink_after: Duration::from_secs(900),
            business_hours: Some(BusinessHours { from: 9, until: 18, days: 0..=4 }),
            least: 1,
        }
    }
}

/// When people work.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BusinessHours {
    /// First hour, 0 to 23.
    pub from: u8,
    /// Not any more from this hour on.
    pub until: u8,
    /// Days of the week, 0 is Monday.
    pub days: std::ops::RangeInclusive<u8>,
}

/// Where the hands of the clock stand, for business hours and forecasts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Clock {
    /// 0 is Monday.
    pub weekday: u8,
    /// 0 to 23.
    pub hour: u8,
}

/// What else is known of a region.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Demand {
    /// Participants expected when machines that are started now are up; none: no forecast.
    pub forecast: Option<f32>,
    /// Median round trip of its clients to the edge they took; none: not known.
    pub round_trip: Option<Duration>,
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Advice {
    /// Start so many more in this region.
    ScaleOut {
        /// Where.
        region: Region,
        /// How many.
        edges: usize,
        /// Why, in words.
        reasons: Vec<String>,
    },
    /// Clients of this region are far from every edge: start the first one there.
    AddEdge {
        /// Where.
        region: Region,
        /// Why, in words.
        reasons: Vec<String>,
    },
    /// Drain this edge and stop it.
    ScaleIn {
        /// Which: the one with the fewest people on it.
        node: NodeId,
        /// Why, in words.
        reasons: Vec<String>,
    },
}

#[derive(Clone, Copy, Debug, Default)]
struct Since {
    too_few: Option<Instant>,
    too_many: Option<Instant>,
}

/// Remembers how long things have been so.
#[derive(Clone, Debug)]
pub struct Scaling {
    policy: Policy,
    since: BTreeMap<Region, Since>,
}

impl Scaling {
    /// With nothing seen yet.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self { policy, since: BTreeMap::new() }
    }

    /// What to do now; empty: nothing. Ask every few seconds.
    pub fn advise(&mut self, now: Instant, clock: Clock, members: &Members, demand: &BTreeMap<Region, Demand>) -> Vec<Advice> {
        let mut regions: BTreeMap<Region, Vec<&Node>> = demand.keys().map(|region| (region.clone(), Vec::new())).collect();
        for (node, standing) in members.all(now) {
            if matches!(standing, Standing::Good | Standing::Avoided) {
                regions.entry(node.region.clone()).or_default().push(node);
            }
        }
        self.since.retain(|region, _| regions.contains_key(region));
        let advise = |(region, nodes): (&Region, &Vec<&Node>)| {
            let demand = demand.get(region).copied().unwrap_or_default();
            let since = self.since.entry(region.clone()).or_default();
            self.policy.advise(now, clock, region, nodes, demand, since)
        };
        regions.iter().filter_map(advise).collect()
    }
}

impl Policy {
    fn advise(&self, now: Instant, clock: Clock, region: &Region, nodes: &[&Node], demand: Demand, since: &mut Since) -> Option<Advice> {
        let far = demand.round_trip.filter(|round_trip| *round_trip > self.round_trip_above);
        if nodes.is_empty() {
            let far = far?;
            let reasons = vec![format!("clients are {} ms from their edge", far.as_millis())];
            return Some(Advice::AddEdge { region: region.clone(), reasons });
        }
        let needs = self.needs(nodes, demand);
        let lasting = |since: &mut Option<Instant>, holds: bool, long: Duration| {
            *since = holds.then(|| since.unwrap_or(now));
            since.is_some_and(|began| now.saturating_duration_since(began) >= long)
        };
        let grows = needs.edges > nodes.len();
        let grow = lasting(&mut since.too_few, grows, self.grow_after) || grows && needs.refused;
        let shrink = lasting(&mut since.too_many, self.could_shrink(nodes, demand), self.shrink_after);
        if grow {
            return Some(Advice::ScaleOut {
                region: region.clone(),
                edges: needs.edges.saturating_sub(nodes.len()),
                reasons: needs.reasons,
            });
        }
        if !shrink || self.business_hours.as_ref().is_some_and(|hours| hours.include(clock)) {
            return None;
        }
        // The next one has to wait as long again.
        since.too_many = Some(now);
        let emptiest = nodes.iter().min_by_key(|node| node.load.participants)?;
        let minutes = self.shrink_after.as_secs() / 60;
        let reasons = vec![format!("one edge less would have been enough for {minutes} minutes")];
        Some(Advice::ScaleIn { node: emptiest.id.clone(), reasons })
    }

    fn needs(&self, nodes: &[&Node], demand: Demand) -> Needs {
        let mut needs = Needs { edges: 0, reasons: Vec::new(), refused: false };
        let there = nodes.len() as f32;
        let sum = |of: fn(&Node) -> f32| nodes.iter().map(|node| of(node)).sum::<f32>();
        let seats = sum(|node| node.capacity.participants as f32);
        let mut limit = |what: &str, used: f32, above: f32| {
            if used / there > above {
                needs.edges = needs.edges.max((used / above).ceil() as usize);
                needs.reasons.push(format!("{what} at {:.0} % of {:.0} % that edges may have", 100.0 * used / there, 100.0 * above));
            }
        };
        limit("processors", sum(|node| node.load.cpu), self.cpu_above);
        limit("memory", sum(|node| node.load.memory), self.memory_above);
        if seats > 0.0 {
            let people = sum(|node| node.load.participants as f32);
            limit("participants", people / seats * there, self.participants_above);
            if let Some(expected) = demand.forecast {
                limit("participants expected soon", expected / seats * there, self.participants_above);
            }
        }
        let refused: u32 = nodes.iter().map(|node| node.load.refused).fold(0, u32::saturating_add);
        if refused > 0 {
            needs.refused = true;
            needs.edges = needs.edges.max(nodes.len().saturating_add(1));
            needs.reasons.push(format!("{refused} joins were refused for want of room"));
        }
        needs
    }

    /// Whether those who stay would be far from any limit.
    fn could_shrink(&self, nodes: &[&Node], demand: Demand) -> bool {
        if nodes.len() <= self.least.max(1) {
            return false;
        }
        let stay = (nodes.len() - 1) as f32;
        let seats: f32 = nodes.iter().map(|node| node.capacity.participants as f32).sum::<f32>() * stay / nodes.len() as f32;
        let people = nodes.iter().map(|node| node.load.participants as f32).sum::<f32>().max(demand.forecast.unwrap_or_default());
        let of = |share: fn(&Node) -> f32| nodes.iter().map(|node| share(node)).sum::<f32>() / stay;
        let (cpu, memory) = (of(|node| node.load.cpu), of(|node| node.load.memory));
        people < seats * self.shrink_to_below && cpu < self.shrink_to_below && memory < self.memory_above
    }
}

struct Needs {
    edges: usize,
    reasons: Vec<String>,
    refused: bool,
}

impl BusinessHours {
    fn include(&self, clock: Clock) -> bool {
        self.days.contains(&clock.weekday) && (self.from..self.until).contains(&clock.hour)
    }
}

#[cfg(test)]
mod tests;
