//! Going away in order, all of it: rooms are handed over and their people told ([`crate::cluster::drain`]), and the WHIP and WHEP sessions in those rooms
//! end, since nobody can tell them: their clients begin again, and are redirected.

use crate::clock;
use crate::edge::Context;
use core::time::Duration;
use std::sync::atomic::Ordering;

/// How long WHIP and WHEP sessions are waited for, which end spread over a second.
const HTTP_WITHIN: Duration = Duration::from_secs(3);

/// What a drain came to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Serialize)]
pub struct Drained {
    /// Rooms that other edges have now.
    pub rooms: u64,
    /// Rooms that nobody took.
    pub kept: u64,
    /// WHIP and WHEP sessions that were ended, so that they begin again at another edge.
    pub http_sessions: u64,
}

impl Context {
    /// Takes nothing new from now on, and hands over what there is, as far as that can be done `within` that time. Ends as soon as no WHIP or WHEP
    /// session is left in a room that another edge has; people with signalling may still be on their way.
    pub async fn drain(&self, within: Duration) -> Drained {
        let until = clock::deadline(within);
        let ended = || self.counters.http_moved.load(Ordering::Relaxed);
        let before = ended();
        let handed_over = self.cluster.drain(within).await;
        // Who isn't gone by then goes in a moment, or with the edge.
        let _ = tokio::time::timeout_at(until.min(clock::deadline(HTTP_WITHIN)), self.http_sessions.leave(&handed_over.rooms)).await;
        let drained =
            Drained { rooms: handed_over.rooms.len() as u64, kept: handed_over.kept, http_sessions: ended().saturating_sub(before) };
        if drained.http_sessions > 0 {
            tracing::info!(sessions = drained.http_sessions, "WHIP and WHEP sessions were ended, to begin again at other edges");
        }
        drained
    }
}
