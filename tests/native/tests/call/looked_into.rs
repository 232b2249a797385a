//! What the edge says over HTTP of a call that runs: layers as measured, paths as estimated, and a reason for each decision.

use crate::edge::Edge;
use crate::media::{Clips, RED};
use crate::{connected, folder, options, receives};
use nearcast_native::Client;
use serde_json::Value;

fn of<'a>(person: &'a Value, list: &str, source: &str) -> &'a Value {
    person[list].as_array().into_iter().flatten().find(|item| item["source"] == source).unwrap_or(&Value::Null)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_call_is_told_with_layers_paths_and_reasons() {
    let folder = folder("looked-into");
    let clips = Clips::make(&folder, RED);
    let edge = Edge::start();
    let mut ana = Client::join(options(&edge, &folder, "ana", Some(&clips))).await.unwrap();
    connected(&mut ana).await;
    let mut ben = Client::join(options(&edge, &folder, "ben", None)).await.unwrap();
    receives(&mut ben, "ana", 60, 60).await;

    let person = edge.told_of("ana", "a measured publication", |person| {
        let rung = &of(person, "publications", "camera")["encodings"][0]["rungs"][0];
        rung["live"] == true && rung["width"] == 320 && rung["height"] == 180 && rung["bitrate"].as_u64() > Some(50_000)
    });
    let camera = of(&person, "publications", "camera");
    assert!((25..=35).contains(&camera["encodings"][0]["rungs"][0]["fps"].as_u64().unwrap()), "{camera}");
    assert!(person["subscriptions"].as_array().unwrap().is_empty(), "{person}");

    let person = edge.told_of("ben", "a layer, a reason and a path", |person| {
        let path = &person["path"];
        let known = path["available_bps"].as_u64().is_some() && path["round_trip_ms"].as_u64().is_some();
        known && of(person, "subscriptions", "camera")["reason"] == "best"
    });
    assert_eq!((person["session"].as_str(), person["path"]["connected"].as_bool()), (Some("websocket"), Some(true)));
    let camera_sent = of(&person, "subscriptions", "camera");
    assert_eq!(camera_sent["publication"], camera["id"]);
    assert_eq!((&camera_sent["participant"], &camera_sent["forwarded"]["width"]), (&Value::from("ana"), &Value::from(320)));
    assert_eq!((&camera_sent["forwarded"], &camera_sent["wanted"]), (&camera_sent["decided"], &camera_sent["decided"]));
    assert!(camera_sent["unchanged_ms"].as_u64().is_some() && camera_sent["mid"].is_string(), "{camera_sent}");
    assert_eq!(of(&person, "subscriptions", "microphone")["reason"], "best");

    ben.stop().await.unwrap();
    ana.stop().await.unwrap();
}
