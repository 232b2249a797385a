//! More edges or fewer: the loads of all edges, looked at every few seconds, and what `cluster_core::scaling` makes of them.
//!
//! Each edge keeps a forecast of its own, so that any of them can be asked. What it has learned goes when it ends; a week later it knows the week again.

use cluster_core::forecast::{Forecast, STEP_MINUTES};
use cluster_core::scaling::{Advice, BusinessHours, Clock, Demand, Policy, Scaling};
use cluster_core::{Members, Region};
use core::time::Duration;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Instant;

const DAY: u64 = 86_400;

/// Length of one value of the forecast.
const QUARTER: u64 = STEP_MINUTES as u64 * 60;

/// Regions of which a forecast is kept; edges that name more than that are a mistake of configuration.
const MOST_REGIONS: usize = 256;

/// What to do, for programs and people.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Advised {
    /// Start so many more in this region.
    ScaleOut {
        /// Where.
        region: String,
        /// How many.
        edges: usize,
        /// Why, in words.
        reasons: Vec<String>,
    },
    /// Start the first one in this region.
    AddEdge {
        /// Where.
        region: String,
        /// Why, in words.
        reasons: Vec<String>,
    },
    /// Drain this edge, then stop it.
    ScaleIn {
        /// Which.
        edge: String,
        /// Why, in words.
        reasons: Vec<String>,
    },
}

/// One region as it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InRegion {
    /// Its name.
    pub region: String,
    /// Edges there, of which those that drain are left out.
    pub edges: usize,
    /// Participants on them.
    pub participants: u64,
    /// Those they were made for.
    pub seats: u64,
    /// Participants expected in a quarter of an hour; none: less than a day was seen.
    pub expected: Option<f32>,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// What to do; empty: nothing.
    pub advice: Vec<Advised>,
    /// What that is about.
    pub regions: Vec<InRegion>,
}

/// Looks at loads.
#[derive(Debug)]
pub(super) struct Adviser {
    scaling: Scaling,
    forecasts: BTreeMap<Region, Quarter>,
    report: Report,
}

/// The present quarter of an hour of a region.
#[derive(Debug)]
struct Quarter {
    forecast: Forecast,
    /// Quarters since 1970.
    number: u64,
    sum: f64,
    looks: u32,
    /// Quarters that were seen whole.
    whole: u32,
}

impl Adviser {
    pub(super) fn new(business_hours: Option<BusinessHours>) -> Self {
        let policy = Policy { business_hours, ..Policy::default() };
        Self { scaling: Scaling::new(policy), forecasts: BTreeMap::new(), report: Report::default() }
    }

    /// Looks; to be called every few seconds. `unix`: since 1970.
    pub(super) fn look(&mut self, now: Instant, unix: Duration, members: &Members) {
        let mut regions: BTreeMap<Region, InRegion> = BTreeMap::new();
        for (node, standing) in members.all(now) {
            use cluster_core::members::Standing;
            if !matches!(standing, Standing::Good | Standing::Avoided) {
                continue;
            }
            let name = node.region.to_string();
            let region = regions.entry(node.region.clone()).or_insert(InRegion {
                region: name,
                edges: 0,
                participants: 0,
                seats: 0,
                expected: None,
            });
            region.edges += 1;
            region.participants = region.participants.saturating_add(node.load.participants.into());
            region.seats = region.seats.saturating_add(node.capacity.participants.into());
        }
        for (region, seen) in &mut regions {
            if self.forecasts.len() < MOST_REGIONS || self.forecasts.contains_key(region) {
                let quarter = self.forecasts.entry(region.clone()).or_insert_with(|| Quarter::at(unix));
                seen.expected = quarter.look(unix, seen.participants as f64);
            }
        }
        let demand = regions.iter().map(|(region, seen)| (region.clone(), Demand { forecast: seen.expected, round_trip: None })).collect();
        let advice = self.scaling.advise(now, clock(unix), members, &demand);
        self.report = Report { advice: advice.into_iter().map(Advised::from).collect(), regions: regions.into_values().collect() };
    }

    /// What was seen the last time.
    pub(super) fn report(&self) -> Report {
        self.report.clone()
    }
}

impl Quarter {
    fn at(unix: Duration) -> Self {
        let number = unix.as_secs() / QUARTER;
        Self { forecast: Forecast::new(quarter_of_week(unix)), number, sum: 0.0, looks: 0, whole: 0 }
    }

    fn look(&mut self, unix: Duration, participants: f64) -> Option<f32> {
        let number = unix.as_secs() / QUARTER;
        let passed = number.saturating_sub(self.number);
        if number < self.number || passed > 4 {
            // The clock was set, or this process slept: what was learned doesn't fit any more.
            *self = Self::at(unix);
        } else if passed > 0 {
            let mean = if self.looks > 0 { self.sum / f64::from(self.looks) } else { participants };
            (0..passed).for_each(|_| self.forecast.observe(mean));
            self.whole = self.whole.saturating_add(1);
            (self.number, self.sum, self.looks) = (number, 0.0, 0);
        }
        self.sum += participants;
        self.looks = self.looks.saturating_add(1);
        let known = u64::from(self.whole) >= DAY / QUARTER;
        known.then(|| self.forecast.predict(1) as f32)
    }
}

impl From<Advice> for Advised {
    fn from(advice: Advice) -> Self {
        match advice {
            Advice::ScaleOut { region, edges, reasons } => Self::ScaleOut { region: region.to_string(), edges, reasons },
            Advice::AddEdge { region, reasons } => Self::AddEdge { region: region.to_string(), reasons },
            Advice::ScaleIn { node, reasons } => Self::ScaleIn { edge: node.to_string(), reasons },
        }
    }
}

/// UTC. 1970 began on a Thursday.
fn clock(unix: Duration) -> Clock {
    let (days, seconds) = (unix.as_secs() / DAY, unix.as_secs() % DAY);
    let small = |number: u64| u8::try_from(number).unwrap_or_default();
    Clock { weekday: small((days + 3) % 7), hour: small(seconds / 3_600) }
}

fn quarter_of_week(unix: Duration) -> usize {
    let since_monday = (unix.as_secs() + 3 * DAY) % (7 * DAY);
    usize::try_from(since_monday / QUARTER).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cluster_core::{Capacity, Load, Node, NodeId};

    fn members(now: Instant, participants: u32, refused: u32) -> Members {
        let mut members = Members::new();
        let node = Node {
            id: NodeId::parse("a").unwrap(),
            incarnation: 1,
            region: Region::parse("eu").unwrap(),
            client_url: "https://a.example".into(),
            media: None,
            relay: None,
            capacity: Capacity { participants: 100, packets_per_second: 0 },
            load: Load { participants, refused, ..Load::default() },
            draining: false,
        };
        assert!(members.register(now, node));
        members
    }

    #[test]
    fn the_clock_of_1970_stands_on_thursday() {
        assert_eq!(clock(Duration::ZERO), Clock { weekday: 3, hour: 0 });
        // Monday, 5 January 1970, 09:14.
        let monday = Duration::from_secs(4 * DAY + 9 * 3_600 + 14 * 60);
        assert_eq!((clock(monday), quarter_of_week(monday)), (Clock { weekday: 0, hour: 9 }, 36));
    }

    #[test]
    fn refused_joins_ask_for_an_edge_at_once() {
        let now = Instant::now();
        let mut adviser = Adviser::new(None);
        adviser.look(now, Duration::ZERO, &members(now, 10, 0));
        assert_eq!(adviser.report().advice, []);
        adviser.look(now, Duration::ZERO, &members(now, 100, 3));
        let report = adviser.report();
        assert!(matches!(&report.advice[..], [Advised::ScaleOut { edges: 1, .. }]), "{report:?}");
        assert_eq!((report.regions[0].participants, report.regions[0].seats), (100, 100));
    }

    #[test]
    fn what_is_expected_is_told_after_a_day() {
        let mut adviser = Adviser::new(None);
        let now = Instant::now();
        for quarter in 0..=96 {
            adviser.look(now, Duration::from_secs(quarter * QUARTER), &members(now, 40, 0));
            assert_eq!(adviser.report().regions[0].expected.is_some(), quarter == 96, "{quarter}");
        }
        assert!((adviser.report().regions[0].expected.unwrap() - 40.0).abs() < 1.0);
    }
}
