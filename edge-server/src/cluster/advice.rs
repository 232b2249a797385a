//! More edges or fewer: the loads of all edges, looked at every few seconds, and what `cluster_core::scaling` makes of them.
//!
//! Each edge keeps a forecast for each region, so that any of them can be asked. What they have learned they share over the store ([`Adviser::due`],
//! [`Adviser::meet`]; [`super::forecasts`] asks it), where it outlives them; an edge that is alone forgets it when it ends.

use cluster_core::forecast::{Learned, Meeting, Series, Unreadable};
use cluster_core::scaling::{Advice, BusinessHours, Clock, Demand, Policy, Scaling};
use cluster_core::{Members, Region};
use core::time::Duration;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Instant;

const DAY: u64 = 86_400;

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
    forecasts: BTreeMap<Region, Kept>,
    report: Report,
}

/// The forecast of a region.
#[derive(Debug)]
struct Kept {
    series: Series,
    /// It was said that what the store holds can't be read.
    complained: bool,
}

impl Adviser {
    pub(super) fn new(business_hours: Option<BusinessHours>) -> Self {
        let policy = Policy { business_hours, ..Policy::default() };
        Self { scaling: Scaling::new(policy), forecasts: BTreeMap::new(), report: Report::default() }
    }

    /// Looks; to be called every few seconds. `unix`: since 1970. `informed`: what others registered last has arrived; else their loads are old, and
    /// teach nothing.
    pub(super) fn look(&mut self, now: Instant, unix: Duration, members: &Members, informed: bool) {
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
                let fresh = || Kept { series: Series::new(unix), complained: false };
                let Kept { series, .. } = self.forecasts.entry(region.clone()).or_insert_with(fresh);
                series.look(unix, informed.then_some(seen.participants as f64));
                seen.expected = series.expected();
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

    /// Regions whose forecast is to meet what the store holds of it, `most` at once.
    pub(super) fn due(&self, most: usize) -> Vec<Region> {
        self.forecasts.iter().filter(|(_, kept)| kept.series.is_due()).map(|(region, _)| region.clone()).take(most).collect()
    }

    /// A region's forecast meets what the store holds; answers what is to be written over it, and the quarter that it ends before.
    pub(super) fn meet(&mut self, region: &Region, stored: Option<&[u8]>) -> Option<(Vec<u8>, u64)> {
        let Kept { series, complained } = self.forecasts.get_mut(region)?;
        let read = stored.map(Learned::from_bytes).transpose();
        if let Err(why) = &read
            && !core::mem::replace(complained, true)
        {
            tracing::warn!(%region, %why, "the forecast in the store is passed over");
        }
        let stored = match read {
            Err(Unreadable::Newer(_)) => {
                series.settle();
                return None;
            }
            Err(Unreadable::Damaged) => None,
            Ok(stored) => {
                *complained = false;
                stored
            }
        };
        let knew = series.learned().whole();
        match series.meet(stored) {
            Meeting::Write(bytes) => Some((bytes, series.learned().quarter())),
            Meeting::Taken => {
                if knew == 0 {
                    tracing::info!(%region, quarters = series.learned().whole(), "what earlier edges have learned of a region's demand is known");
                }
                None
            }
            Meeting::Nothing => None,
        }
    }

    /// What was to be written is, or never will be: not before the next quarter ends.
    pub(super) fn settle(&mut self, region: &Region) {
        if let Some(Kept { series, .. }) = self.forecasts.get_mut(region) {
            series.settle();
        }
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

#[cfg(test)]
pub(super) mod tests;
