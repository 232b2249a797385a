//! Every JSON example in docs/signalling.md is a message of this protocol, and every kind of message has an example.
#![cfg(feature = "json")]
#![expect(clippy::unwrap_used, reason = "a test")]

use nearcast_protocol::wire::Json;
use nearcast_protocol::{ClientEnvelope, ServerMessage};
use std::collections::BTreeSet;

const DOCUMENT: &str = include_str!("../../docs/signalling.md");

/// The fenced blocks: (`request`, `reply` or `event`; text).
fn examples() -> Vec<(&'static str, &'static str)> {
    DOCUMENT.split("```json ").skip(1).map(|rest| rest.split("```").next().unwrap().split_once('\n').unwrap()).collect()
}

fn kind(json: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(json).unwrap();
    value.get("type").and_then(|kind| kind.as_str()).unwrap().to_owned()
}

#[test]
fn every_example_is_a_message() {
    assert!(examples().len() > 15);
    for (direction, text) in examples() {
        let outcome = match direction {
            "request" => ClientEnvelope::from_json(text).map(|_| ()),
            "reply" | "event" => ServerMessage::from_json(text).map(|_| ()),
            other => panic!("an example is a request, a reply or an event, not {other}"),
        };
        assert_eq!(outcome, Ok(()), "{text}");
    }
}

#[test]
fn every_kind_of_message_has_an_example() {
    let documented: BTreeSet<String> = examples().iter().map(|(_, text)| kind(text)).collect();
    for expected in [
        "join",
        "offer",
        "unpublish",
        "mute",
        "subscribe",
        "unsubscribe",
        "leave",
        "ping",
        "joined",
        "answer",
        "failed",
        "participant_joined",
        "participant_left",
        "publication_added",
        "publication_removed",
        "publication_muted",
        "slot",
        "slots_wanted",
        "speakers",
        "wishes",
        "layers",
        "encodings",
        "closed",
        "transport",
        "ice_servers",
        "mode",
        "peer",
        "qualities",
        "moderate",
        "moderated",
    ] {
        assert!(documented.contains(expected), "docs/signalling.md shows no {expected}");
    }
}
