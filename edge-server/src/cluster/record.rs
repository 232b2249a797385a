//! An edge as it stands in the store: JSON, so that people can read it there. Fields may be added; those that aren't known are passed over.

use cluster_core::{Capacity, Load, Media, Node, NodeId, Region, Relay};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// Bytes of one. Ours have a few hundred.
pub(super) const LONGEST: usize = 4096;

#[derive(Deserialize, Serialize)]
struct Record {
    id: String,
    incarnation: u64,
    region: String,
    url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    media: Option<Vec<SocketAddr>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    media_tcp: Vec<SocketAddr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    relay: Option<SocketAddr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
    seats: u32,
    #[serde(default)]
    most_packets: u32,
    #[serde(default)]
    cpu: f32,
    #[serde(default)]
    memory: f32,
    #[serde(default)]
    participants: u32,
    #[serde(default)]
    packets: u32,
    #[serde(default)]
    refused: u32,
    #[serde(default)]
    draining: bool,
}

/// Writes it.
pub(super) fn write(node: &Node) -> String {
    let Node { id, incarnation, region, client_url, media, relay, capacity, load, draining } = node;
    let record = Record {
        id: id.to_string(),
        incarnation: *incarnation,
        region: region.to_string(),
        url: client_url.to_string(),
        media: media.as_ref().map(|media| media.udp.clone()),
        media_tcp: media.as_ref().map(|media| media.tcp.clone()).unwrap_or_default(),
        relay: relay.map(|relay| relay.address),
        fingerprint: relay.and_then(|relay| relay.fingerprint).map(|fingerprint| fingerprint.to_string()),
        seats: capacity.participants,
        most_packets: capacity.packets_per_second,
        cpu: load.cpu,
        memory: load.memory,
        participants: load.participants,
        packets: load.packets_per_second,
        refused: load.refused,
        draining: *draining,
    };
    // Numbers and text can always be written.
    serde_json::to_string(&record).unwrap_or_default()
}

/// Reads it; none: it isn't one. Whoever reaches the store may have written anything.
pub(super) fn read(text: &str) -> Option<Node> {
    if text.len() > LONGEST {
        return None;
    }
    let record: Record = serde_json::from_str(text).ok()?;
    let fingerprint = match record.fingerprint {
        Some(text) => Some(text.parse().ok()?),
        None => None,
    };
    Some(Node {
        id: NodeId::parse(&record.id).ok()?,
        incarnation: record.incarnation,
        region: Region::parse(&record.region).ok()?,
        client_url: record.url.into(),
        media: record.media.map(|udp| Media { udp, tcp: record.media_tcp }),
        relay: record.relay.map(|address| Relay { address, fingerprint }),
        capacity: Capacity { participants: record.seats, packets_per_second: record.most_packets },
        load: Load {
            cpu: record.cpu,
            memory: record.memory,
            participants: record.participants,
            packets_per_second: record.packets,
            refused: record.refused,
        },
        draining: record.draining,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use cluster_core::Fingerprint;

    #[test]
    fn an_edge_is_read_as_it_is_written() {
        let node = Node {
            id: NodeId::parse("a").unwrap(),
            incarnation: 7,
            region: Region::parse("eu").unwrap(),
            client_url: "https://a.example".into(),
            media: Some(Media { udp: vec!["192.0.2.1:7700".parse().unwrap()], tcp: vec!["192.0.2.1:443".parse().unwrap()] }),
            relay: Some(Relay { address: "[2001:db8::1]:7500".parse().unwrap(), fingerprint: Some(Fingerprint([7; 32])) }),
            capacity: Capacity { participants: 500, packets_per_second: 9 },
            load: Load { cpu: 0.25, memory: 0.5, participants: 3, packets_per_second: 4, refused: 5 },
            draining: true,
        };
        assert_eq!(read(&write(&node)), Some(node));
    }

    #[test]
    fn what_a_newer_edge_adds_is_passed_over_and_nonsense_is_none() {
        let least = r#"{"id":"a","incarnation":1,"region":"eu","url":"u","seats":5,"colour":"red"}"#;
        assert_eq!(read(least).map(|node| node.capacity.participants), Some(5));
        for bad in
            ["", "{}", r#"{"id":"a b","incarnation":1,"region":"eu","url":"u","seats":5}"#, &least.replace('u', &"u".repeat(LONGEST))]
        {
            assert_eq!(read(bad), None, "{bad:.40}");
        }
    }
}
