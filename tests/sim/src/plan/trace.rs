//! A run as a time line, for people who look for the reason of a number: a line for each viewer and sample.

use super::{Run, SAMPLE, Viewer};
use std::fmt::Write;

/// The columns of [`time_line`].
pub const COLUMNS: &str = "viewer,s,link_kbps,estimate_kbps,sent_kbps,dropped,queue_ms,why";

/// Comma-separated lines; rates over the sample that ends then, the queue as the last datagram of it met it.
#[must_use]
pub fn time_line(run: &Run) -> String {
    let mut out = format!("{COLUMNS}\n");
    for (number, (viewer, beliefs)) in run.stage.viewers.iter().zip(&run.beliefs).enumerate() {
        let passed = passed(run, viewer);
        let mut next = passed.iter().peekable();
        for belief in beliefs {
            let (mut bytes, mut dropped, mut queue) = (0, 0, 0.0);
            while let Some((_, size, delay)) = next.next_if(|(at, ..)| *at < belief.at) {
                bytes += size;
                dropped += u32::from(delay.is_none());
                queue = delay.unwrap_or(queue);
            }
            let rate = run.rate(belief.at) / 1_000;
            let estimate = belief.estimate.map_or(String::new(), |estimate| (estimate / 1_000).to_string());
            let sent = bytes as f64 * 8.0 / SAMPLE.as_secs_f64() / 1e3;
            let at = belief.at.as_secs_f64();
            let _ = writeln!(out, "{number},{at:.1},{rate},{estimate},{sent:.0},{dropped},{queue:.1},{}", belief.why);
        }
    }
    out
}

/// When, bytes, milliseconds in the queue (none: dropped), of what was sent to a viewer.
fn passed(run: &Run, viewer: &Viewer) -> Vec<(std::time::Duration, usize, Option<f64>)> {
    let log = &run.world.bottleneck(run.stage.bottleneck).log;
    let own = log.iter().filter(|passed| passed.client == Some(viewer.client) && passed.at >= run.began + viewer.from);
    own.map(|passed| (passed.at - run.began, passed.bytes, passed.delay.map(|delay| delay.as_secs_f64() * 1e3))).collect()
}
