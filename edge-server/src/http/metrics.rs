//! `GET /metrics`: the counters of [`super::stats`] for Prometheus, in the OpenMetrics format. docs/edge-http.md lists the names.
//!
//! Whatever is counted is told: what has no name of its own here gets one of where it is counted. Labels have few values, fixed at compile time:
//! no rooms, no people.

use super::problem::Problem;
use super::{admin, stats};
use crate::edge::Context;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use core::time::Duration;
use nearcast_protocol::ErrorCode;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};
use serde_json::{Map, Value};
use sfu_core::durations::BOUNDS_US;
use std::sync::Arc;

const FORMAT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Shows the metrics: to everybody in development, else to whoever bears a token with the role `admin`.
///
/// # Errors
/// 401 without a valid token, 403 with another role.
pub async fn show(State(context): State<Arc<Context>>, headers: HeaderMap) -> Result<impl IntoResponse, Problem> {
    admin::authorize(&context, &headers, "metrics")?;
    let text = describe(stats::gather(&context).await).map_err(|_| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::Internal, "metrics could not be written; /v1/stats has the same")
    })?;
    Ok(([(header::CONTENT_TYPE, FORMAT)], text))
}

fn describe(stats: Value) -> Result<String, core::fmt::Error> {
    let mut registry = Registry::with_prefix("nearcast");
    registry.register_collector(Box::new(Snapshot(stats)));
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

/// What is of now, and may fall; everything else is counted since the start. By table of `/v1/stats`, with its name and meaning as a metric.
const GAUGES: &[(&str, &str, &str, &str)] = &[
    ("core", "rooms", "rooms", "Rooms with somebody in them, counted once for each media thread that has a part"),
    ("core", "participants", "participants", "Participants"),
    ("core", "publications", "publications", "Publications"),
    ("core", "subscriptions", "subscriptions", "Subscriptions"),
    ("core", "transports", "peer_connections", "Peer connections"),
    ("core", "sessions", "sessions", "Sessions, those that may be resumed included"),
    ("core", "tuples", "addresses", "Addresses that passed a connectivity check"),
    ("core", "ufrags", "ice_credentials", "Names under which connectivity checks are expected"),
    ("core", "participants_elsewhere", "participants_elsewhere", "Participants of other media threads or edges that these know"),
    ("core", "publications_elsewhere", "publications_elsewhere", "Publications of other media threads or edges that these know"),
    ("core", "connections", "signalling_connections", "Signalling connections that the media threads know"),
    ("thread", "foreign_tuples", "addresses_of_other_threads", "Addresses whose packets are handed over to another media thread"),
    ("core", "transports_over_tcp", "peer_connections_over_tcp", "Peer connections whose media goes over TCP"),
    ("core", "transports_over_turn", "peer_connections_over_turn", "Peer connections whose media is relayed by a TURN server"),
    ("core", "tuples_over_tcp", "addresses_over_tcp", "Addresses of TCP connections that passed a connectivity check"),
    ("thread", "connections", "thread_connections", "Signalling connections of the media threads"),
    ("tcp", "tcp_connections", "tcp_connections", "TCP connections for media"),
    ("turn", "clients", "turn_clients", "Clients of the TURN server"),
    ("turn", "allocations", "turn_allocations", "Allocations of the TURN server"),
    ("relay", "links", "relay_links", "Links to other edges that are up"),
    ("core", "branches", "relay_branches", "Publications that come over another edge than their home, or could"),
    ("core", "children", "relay_children", "Ways on which publications of other edges are passed on from here"),
    ("relay", "round_trip_us", "relay_round_trip_microseconds", "Longest round trip of a link to another edge"),
    ("admission", "cpu", "cpu_share", "Share of all processors that the edge uses, an average of seconds"),
    (
        "machine",
        "memory",
        "memory_share",
        "Share of the memory in use that this process may have: of its control group with a limit, else of the machine",
    ),
    ("machine", "heap_bytes", "heap_bytes", "Memory that the edge has asked for and not given back, without that of libraries in C"),
    ("machine", "resident_bytes", "resident_bytes", "Memory of the machine that the edge holds"),
    ("admission", "participants", "admission_participants", "Participants with those let in since they were last counted"),
    ("admission", "egress_bps", "egress_bits_per_second", "What is sent"),
    ("admission", "packets_per_second", "egress_packets_per_second", "Packets that are sent"),
    ("admission", "busy", "admission_busy", "1: nobody new is let in for want of processors"),
    ("cluster", "edges", "cluster_edges", "Other edges of the cluster that are known"),
    ("cluster", "edges_good", "cluster_edges_good", "Those of them that take something new"),
    ("cluster", "rooms_owned", "cluster_rooms_owned", "Rooms that are this edge's"),
    ("cluster", "rooms_here", "cluster_rooms_here", "Rooms that somebody has entered at this edge"),
    ("cluster", "store_answers", "cluster_store_answers", "1: the store (redis) answered the last time"),
    ("cluster", "draining", "cluster_draining", "1: this edge takes nothing new and sends away what it has"),
    ("history", "answers", "history_answers", "1: the database of the history answered the last time"),
    ("history", "queued", "history_queued_rows", "Rows of the history that wait to be written"),
    ("signalling", "open", "websockets", "WebSockets open"),
];

/// Counters with a name of their own: by table and key, with their meaning.
const NAMED: [(&str, &str, &str, &str); 3] = [
    ("core", "passed_on", "relay_passed_on", "Packets of other edges' publications that were passed on to others"),
    ("core", "adoptions", "relay_adoptions", "Times a publication began to come over another edge than its home"),
    ("core", "fallbacks", "relay_fallbacks", "Times it didn't come that way any more, and was taken from its home at once"),
];

/// Families of counters that differ in a label: by table, prefix of their names, name of the family, label, meaning.
const FAMILIES: [(&str, &str, &str, &str, &str); 3] = [
    ("join_refusals", "", "join_refusals", "reason", "Joins that were refused, by the code of the answer"),
    ("core", "dropped_", "packets_dropped", "reason", "Datagrams and messages that were dropped"),
    ("core", "srtp_", "handshakes", "srtp_profile", "DTLS handshakes that succeeded"),
];

/// A counter with a label of its own.
struct Labelled {
    table: &'static str,
    key: &'static str,
    family: &'static str,
    label: (&'static str, &'static str),
    about: &'static str,
}

const fn labelled(
    (table, key): (&'static str, &'static str),
    family: &'static str,
    label: (&'static str, &'static str),
    about: &'static str,
) -> Labelled {
    Labelled { table, key, family, label, about }
}

/// Histograms of the table `timing`: its entry, name and meaning.
const HISTOGRAMS: [(&str, &str, &str); 3] = [
    ("setup", "connection_setup", "From answering an offer to the keys of media"),
    ("round_trips", "round_trip", "Round trips to participants, once a second each"),
    ("forwarding", "forwarding_delay", "From the turn that read a datagram to the system call that sent what it caused, by datagrams sent"),
];

const LABELLED: [Labelled; 18] = [
    labelled(("core", "quality_excellent"), "quality_seconds", ("level", "excellent"), QUALITY),
    labelled(("core", "quality_good"), "quality_seconds", ("level", "good"), QUALITY),
    labelled(("core", "quality_poor"), "quality_seconds", ("level", "poor"), QUALITY),
    labelled(("core", "quality_lost"), "quality_seconds", ("level", "lost"), QUALITY),
    labelled(("core", "dtls_failed"), "connections_failed", ("reason", "handshake"), FAILED),
    labelled(("core", "transports_never_up"), "connections_failed", ("reason", "never_up"), FAILED),
    labelled(("signalling", "joined"), "joins", ("result", "joined"), JOINS),
    labelled(("signalling", "joins_refused"), "joins", ("result", "refused"), JOINS),
    labelled(("signalling", "closed_by_peer"), "websockets_closed", ("reason", "peer"), CLOSED),
    labelled(("signalling", "lost"), "websockets_closed", ("reason", "lost"), CLOSED),
    labelled(("signalling", "refused"), "websockets_closed", ("reason", "refused"), CLOSED),
    labelled(("signalling", "dismissed"), "websockets_closed", ("reason", "dismissed"), CLOSED),
    labelled(("signalling", "slow"), "websockets_closed", ("reason", "slow"), CLOSED),
    labelled(("signalling", "overloaded"), "websockets_closed", ("reason", "overloaded"), CLOSED),
    labelled(("relay", "bytes_received"), "relay_bytes", ("direction", "in"), RELAYED),
    labelled(("relay", "bytes_sent"), "relay_bytes", ("direction", "out"), RELAYED),
    labelled(("core", "bytes_in"), "media_bytes", ("direction", "in"), MEDIA),
    labelled(("core", "bytes_out"), "media_bytes", ("direction", "out"), MEDIA),
];
const QUALITY: &str = "Seconds of participants, by how well they are connected";
const FAILED: &str =
    "Peer connections that failed in the handshake, and those that ended before their media had keys (the former included)";
const JOINS: &str = "Joins, by how they ended";
const CLOSED: &str = "WebSockets that ended, by who or what ended them";
const RELAYED: &str = "UDP payload between edges, in bytes";
const MEDIA: &str = "UDP payload, in bytes";

const NO_LABELS: [(&str, &str); 0] = [];

/// One answer of `/v1/stats`.
#[derive(Debug)]
struct Snapshot(Value);

/// A counter on its way out.
struct Counted<'a> {
    family: String,
    about: &'a str,
    label: Option<(&'a str, &'a str)>,
    value: u64,
}

impl Snapshot {
    /// All tables but those of single shards, which `total` adds up.
    fn tables(&self) -> impl Iterator<Item = (&String, &Map<String, Value>)> {
        let total = self.0.get("total").and_then(Value::as_object);
        let own = self.0.as_object().into_iter().flatten().filter(|(name, _)| *name != "total");
        own.chain(total.into_iter().flatten()).filter_map(|(name, table)| Some((name, table.as_object()?)))
    }

    fn number(&self, table: &str, key: &str) -> Option<f64> {
        let value = self.tables().find(|(name, _)| *name == table)?.1.get(key)?;
        value.as_f64().or_else(|| value.as_bool().map(|is| f64::from(u8::from(is))))
    }

    fn counters(&self) -> Vec<Counted<'_>> {
        let mut counters = Vec::new();
        for (table, numbers) in self.tables() {
            let table = table.as_str();
            let is_gauge = |key: &str| GAUGES.iter().any(|(of, name, ..)| (*of, *name) == (table, key));
            let counted = numbers.iter().filter(|(key, _)| !is_gauge(key)).filter_map(|(key, value)| Some((key, value.as_u64()?)));
            for (key, value) in counted {
                let labelled = LABELLED.iter().find(|it| (it.table, it.key) == (table, key));
                let family = FAMILIES.iter().filter(|(of, ..)| *of == table).find_map(|it| Some((it, key.strip_prefix(it.1)?)));
                if let Some((_, _, name, about)) = NAMED.iter().find(|(of, name, ..)| (*of, *name) == (table, key)) {
                    counters.push(Counted { family: (*name).into(), about, label: None, value });
                    continue;
                }
                counters.push(match (labelled, family) {
                    (Some(it), _) => Counted { family: it.family.into(), about: it.about, label: Some(it.label), value },
                    (_, Some(((_, _, family, label, about), rest))) => {
                        Counted { family: (*family).into(), about, label: Some((label, rest)), value }
                    }
                    _ => {
                        let own = key.strip_prefix(table).and_then(|rest| rest.strip_prefix('_')).unwrap_or(key);
                        Counted { family: format!("{table}_{own}"), about: "See GET /v1/stats in docs/edge-http.md", label: None, value }
                    }
                });
            }
        }
        counters.sort_by(|one, other| one.family.cmp(&other.family));
        counters
    }
}

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), core::fmt::Error> {
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        let build = ConstGauge::new(1_u64);
        let mut family = encoder.encode_descriptor("build", "Which version runs", None, build.metric_type())?;
        build.encode(family.encode_family(&version)?)?;
        let uptime = ConstGauge::new(self.0.get("uptime_s").and_then(Value::as_u64).unwrap_or_default());
        uptime.encode(encoder.encode_descriptor("uptime_seconds", "Since the start", None, uptime.metric_type())?)?;
        for (table, key, name, about) in GAUGES {
            let Some(value) = self.number(table, key) else { continue };
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, about, None, gauge.metric_type())?)?;
        }
        for (key, name, about) in HISTOGRAMS {
            let Some(histogram) = self.0.pointer(&format!("/total/timing/{key}")) else { continue };
            encode_histogram(&mut encoder, name, about, histogram)?;
        }
        let counters = self.counters();
        for family in counters.chunk_by(|one, other| one.family == other.family) {
            let Some(first) = family.first() else { continue };
            let kind = ConstCounter::new(0_u64).metric_type();
            let mut encoder = encoder.encode_descriptor(&first.family, first.about, None, kind)?;
            for counted in family {
                let counter = ConstCounter::new(counted.value);
                match counted.label {
                    Some(label) => counter.encode(encoder.encode_family(&[label])?)?,
                    None => counter.encode(encoder.encode_family(&NO_LABELS)?)?,
                }
            }
        }
        Ok(())
    }
}

/// What [`sfu_core::Durations`] were written as, in seconds.
fn encode_histogram(encoder: &mut DescriptorEncoder<'_>, name: &str, about: &str, histogram: &Value) -> Result<(), core::fmt::Error> {
    let number = |key: &str| histogram.get(key).and_then(Value::as_u64).unwrap_or_default();
    let within = histogram.get("within").and_then(Value::as_array).into_iter().flatten().map(|count| count.as_u64().unwrap_or_default());
    let seconds = |us: u64| Duration::from_micros(us).as_secs_f64();
    let mut buckets: Vec<_> = BOUNDS_US.iter().map(|bound| seconds(*bound)).zip(within).collect();
    let (count, known) = (number("count"), buckets.iter().map(|(_, count)| count).sum());
    buckets.push((f64::INFINITY, count.saturating_sub(known)));
    let mut encoder = encoder.encode_descriptor(name, about, Some(&Unit::Seconds), MetricType::Histogram)?;
    encoder.encode_histogram::<[(&str, &str); 0]>(seconds(number("sum_us")), count, &buckets, None)
}

#[cfg(test)]
mod tests;
