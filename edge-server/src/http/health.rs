//! Health for supervisors.

use crate::edge::Context;
use axum::extract::State;
use axum::http::StatusCode;
use core::time::Duration;
use std::sync::Arc;

/// A media thread that hasn't answered by then is not working: its turns take milliseconds.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// `GET /healthz`: the process lives. Says nothing of media; restart on its silence, not on `/readyz`.
pub async fn alive() -> &'static str {
    "alive\n"
}

/// `GET /readyz`: 200 when the sockets are bound, every media thread has answered just now, and neither shutdown nor drain is under way; else 503 and
/// the reason. Take the edge out of the load balancer on it.
pub async fn ready(State(context): State<Arc<Context>>) -> (StatusCode, String) {
    if context.is_stopping() {
        return (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n".to_owned());
    }
    if context.cluster.is_draining() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining: another edge takes what comes\n".to_owned());
    }
    let reports = context.media.reports(HEARTBEAT).await;
    let silent: Vec<_> = reports.iter().enumerate().filter(|(_, report)| report.is_none()).map(|(shard, _)| shard.to_string()).collect();
    if silent.is_empty() {
        (StatusCode::OK, format!("ready: {} media threads answer, udp={}\n", reports.len(), context.media.address()))
    } else {
        let list = silent.join(", ");
        (StatusCode::SERVICE_UNAVAILABLE, format!("media threads that did not answer within {} s: {list}\n", HEARTBEAT.as_secs()))
    }
}
