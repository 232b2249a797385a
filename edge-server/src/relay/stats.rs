//! What links count, for `/v1/stats` and `/metrics`.

use cluster_core::NodeId;
use serde::Serialize;
use sfu_core::hop::HopStats;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// What one link, or all of them together, carried.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Carried {
    /// Datagrams of media.
    #[serde(flatten)]
    pub media: HopStats,
    /// Messages of control written.
    pub control_sent: u64,
    /// Messages of control read.
    pub control_received: u64,
    /// Bytes sent, UDP payload: everything, with what QUIC adds.
    pub bytes_sent: u64,
    /// Bytes received.
    pub bytes_received: u64,
    /// Media dropped because the link was too narrow for it.
    pub narrow: u64,
    /// Media that came and found no room at its shard.
    pub undelivered: u64,
    /// Messages of kinds that this version doesn't know.
    pub unknown: u64,
}

impl Carried {
    fn add(&mut self, other: &Self) {
        let (media, more) = (&mut self.media, &other.media);
        media.sent += more.sent;
        media.received += more.received;
        media.resent += more.resent;
        media.missed += more.missed;
        media.recovered += more.recovered;
        media.lost += more.lost;
        media.too_large += more.too_large;
        media.malformed += more.malformed;
        self.control_sent += other.control_sent;
        self.control_received += other.control_received;
        self.bytes_sent += other.bytes_sent;
        self.bytes_received += other.bytes_received;
        self.narrow += other.narrow;
        self.undelivered += other.undelivered;
        self.unknown += other.unknown;
    }
}

/// One link now.
#[derive(Clone, Debug, Serialize)]
pub struct LinkReport {
    /// The other edge.
    pub edge: String,
    /// Where it is.
    pub address: SocketAddr,
    /// Round trip, microseconds.
    pub round_trip_us: u64,
    /// Bytes that may be on their way at once.
    pub window: u64,
    /// Bytes of the largest datagram.
    pub datagram: usize,
    /// Of each publication so many of the largest encodings are withheld, because the link is too narrow.
    pub withheld: u8,
    /// What it carried.
    #[serde(flatten)]
    pub carried: Carried,
}

/// All links.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RelayStats {
    /// How many are up.
    pub links: usize,
    /// Of them the longest round trip, microseconds.
    pub round_trip_us: u64,
    /// Links that came up since the start.
    pub opened: u64,
    /// Links that went down.
    pub closed: u64,
    /// Times that an edge was dialled and no link came of it.
    pub failed: u64,
    /// What all of them carried, those included that are down.
    #[serde(flatten)]
    pub total: Carried,
    /// Those that are up.
    pub each: Vec<LinkReport>,
}

/// The books of one link.
#[derive(Clone, Debug)]
pub(super) struct LinkStats(Arc<Mutex<LinkReport>>);

impl LinkStats {
    /// Writes something down.
    pub(super) fn note(&self, write: impl FnOnce(&mut LinkReport)) {
        write(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn report(&self) -> LinkReport {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The books of all.
#[derive(Debug, Default)]
pub(super) struct Totals(Mutex<Books>);

#[derive(Debug, Default)]
struct Books {
    links: Vec<LinkStats>,
    opened: u64,
    closed: u64,
    failed: u64,
    ended: Carried,
}

impl Totals {
    pub(super) fn open(&self, id: &NodeId, address: SocketAddr) -> LinkStats {
        let report = LinkReport {
            edge: id.to_string(),
            address,
            round_trip_us: 0,
            window: 0,
            datagram: 0,
            withheld: 0,
            carried: Carried::default(),
        };
        let stats = LinkStats(Arc::new(Mutex::new(report)));
        let mut books = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        books.opened += 1;
        books.links.push(stats.clone());
        stats
    }

    pub(super) fn close(&self, stats: &LinkStats) {
        let mut books = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        books.closed += 1;
        books.ended.add(&stats.report().carried);
        books.links.retain(|link| !Arc::ptr_eq(&link.0, &stats.0));
    }

    pub(super) fn fail(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).failed += 1;
    }

    pub(super) fn snapshot(&self) -> RelayStats {
        let books = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let links: Vec<_> = books.links.iter().map(LinkStats::report).collect();
        let mut total = books.ended;
        links.iter().for_each(|link| total.add(&link.carried));
        RelayStats {
            links: links.len(),
            round_trip_us: links.iter().map(|link| link.round_trip_us).max().unwrap_or_default(),
            opened: books.opened,
            closed: books.closed,
            failed: books.failed,
            total,
            each: links,
        }
    }
}
