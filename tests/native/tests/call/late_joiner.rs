//! Whoever comes later gets a key frame at once, asked of the publisher, not the next one that happens to come.

use crate::edge::Edge;
use crate::media::{Clips, RED};
use crate::{connected, folder, options, receives};
use nearcast_native::Client;
use nearcast_protocol::client::Source;

/// From the first packet of the slot to the first whole frame that can be decoded. The clip has a key frame every two seconds,
/// so waiting for one would take a second on average.
const AT_ONCE_MS: f64 = 250.0;
/// Long enough for each newcomer to come at another place between two key frames.
const NEWCOMERS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_joiner_gets_a_key_frame_at_once() {
    let folder = folder("late-joiner");
    let clips = Clips::make(&folder, RED);
    let edge = Edge::start();
    let mut ana = Client::join(options(&edge, &folder, "ana", Some(&clips))).await.unwrap();
    connected(&mut ana).await;
    for newcomer in 0..NEWCOMERS {
        let mut ben = Client::join(options(&edge, &folder, &format!("ben-{newcomer}"), None)).await.unwrap();
        receives(&mut ben, "ana", 20, 1).await;
        let report = ben.stop().await.unwrap();
        let picture = report.received.of("ana", Source::Camera).unwrap();
        let (packet, frame) = (picture.first_packet_ms.unwrap(), picture.first_frame_ms.unwrap());
        println!("{newcomer}: connected {:?} ms, first packet {packet} ms, first frame {frame} ms", report.timings.connected);
        assert!(frame - packet <= AT_ONCE_MS, "{} ms without a picture: {picture:?}", frame - packet);
    }
    let report = ana.stop().await.unwrap();
    let camera = report.published.iter().find(|published| published.source == Source::Camera).unwrap();
    assert!(camera.key_frames_asked > 0, "no key frame was asked for: {camera:?}");
}
