//! What is kept of who was in which room (`nearcast-history`): started from the configuration, and told of stays by the media threads.
//!
//! Telling never waits: what doesn't fit into the history's queue is dropped there and counted.

use crate::clock;
use crate::config::Config;
use core::time::Duration;
use nearcast_history::{Departure, History, Quality, Recorder, Settings, UnixMillis};
use nearcast_protocol::{LeaveReason, QualityLevel};
use sfu_core::stays::{self, MediaPath};
use std::io;

/// How long writing the rest may take at a shutdown.
pub const LAST_ROWS: Duration = Duration::from_millis(800);

/// Starts what the configuration asks for; none: nothing is kept.
///
/// # Errors
/// A file that can't be opened or made.
pub fn start(config: &Config, node: &str, incarnation: u64) -> Result<Option<History>, io::Error> {
    let Some(address) = config.history.address() else { return Ok(None) };
    let settings = Settings {
        address: address.clone(),
        replica: config.history_replica.address().cloned(),
        keep: config.history_keep.0,
        node: node.to_owned(),
        incarnation: i64::try_from(incarnation).unwrap_or(i64::MAX),
        now,
    };
    History::start(settings).map(Some)
}

/// Tells of a stay that has begun or ended.
pub fn record(recorder: &Recorder, stay: stays::Stay) {
    let departure = stay.departure.map(|departure| Departure {
        left_at: departure.at.unix_millis(),
        reason: reason(departure.reason),
        path: departure.path.map(path),
        quality: departure.quality.map(|quality| Quality { mean: quality.mean, worst: quality.worst, level: level(quality.level) }),
    });
    let stay = nearcast_history::Stay {
        id: stay.id.as_str().to_owned(),
        room: stay.room,
        identity: stay.identity,
        role: stay.role,
        client: stay.client.map(String::from),
        kind: if stay.by_http { "http" } else { "websocket" },
        joined_at: stay.since.unix_millis(),
        departure,
    };
    if stay.departure.is_some() { recorder.ended(stay) } else { recorder.began(stay) }
}

fn now() -> UnixMillis {
    UnixMillis::try_from(clock::unix().as_millis()).unwrap_or(UnixMillis::MAX)
}

fn reason(reason: LeaveReason) -> &'static str {
    match reason {
        LeaveReason::Left => "left",
        LeaveReason::TimedOut => "timed-out",
        LeaveReason::Replaced => "replaced",
        LeaveReason::Removed => "removed",
        LeaveReason::Failed => "failed",
    }
}

fn path(path: MediaPath) -> &'static str {
    match path {
        MediaPath::Udp => "udp",
        MediaPath::Tcp => "tcp",
        MediaPath::Turn => "turn",
        MediaPath::Direct => "direct",
    }
}

fn level(level: QualityLevel) -> &'static str {
    match level {
        QualityLevel::Unknown => "unknown",
        QualityLevel::Lost => "lost",
        QualityLevel::Poor => "poor",
        QualityLevel::Good => "good",
        QualityLevel::Excellent => "excellent",
    }
}
