//! `GET /v1/stats`: everything that is counted, as JSON. Fields may be added; [`super::metrics`] is for dashboards, this one for people, tests and
//! benchmarks.

use super::admin;
use super::problem::Problem;
use crate::clock;
use crate::edge::Context;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use core::time::Duration;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// How long to wait for a shard; one that doesn't answer is `null`.
const PATIENCE: Duration = Duration::from_secs(2);

/// Shows the counters: to everybody in development, else to whoever bears a token with the role `admin`.
///
/// # Errors
/// 401 without a valid token, 403 with another role.
pub async fn show(State(context): State<Arc<Context>>, headers: HeaderMap) -> Result<Json<Value>, Problem> {
    admin::authorize(&context, &headers, "statistics")?;
    Ok(Json(gather(&context).await))
}

/// Asks every shard, and adds up.
pub(super) async fn gather(context: &Context) -> Value {
    let reports = context.media.reports(PATIENCE).await;
    let shards: Vec<Value> = reports.iter().map(|report| json!(report)).collect();
    let total = shards.iter().fold(Value::Null, sum);
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_s": clock::now().saturating_duration_since(context.started).as_secs(),
        "signalling": context.counters.snapshot(),
        "join_refusals": context.refusals.snapshot(),
        "admission": context.admission.load(),
        "machine": { "memory": crate::cluster::memory::used(), "heap_bytes": crate::heap::in_use(), "resident_bytes": crate::heap::resident() },
        "cluster": context.cluster.stats(),
        "history": context.history.as_ref().map(nearcast_history::History::stats),
        "turn": context.turn.as_ref().map(|turn| turn.stats()),
        "ice_servers": context.ice_servers.standings(),
        "relay": context.relay.as_ref().map(crate::relay::Relay::stats),
        "total": total,
        "shards": shards,
    })
}

/// Adds numbers of the same name, through all levels.
fn sum(total: Value, more: &Value) -> Value {
    match (total, more) {
        (Value::Object(mut total), Value::Object(more)) => {
            for (key, value) in more {
                let before = total.remove(key).unwrap_or_default();
                total.insert(key.clone(), sum(before, value));
            }
            Value::Object(total)
        }
        (Value::Null, Value::Object(more)) => sum(Value::Object(Map::new()), &Value::Object(more.clone())),
        (Value::Array(total), Value::Array(more)) => total.into_iter().zip(more).map(|(total, more)| sum(total, more)).collect(),
        (Value::Null, more) => more.clone(),
        (total, Value::Null) => total,
        (total, more) => total.as_u64().unwrap_or_default().saturating_add(more.as_u64().unwrap_or_default()).into(),
    }
}
