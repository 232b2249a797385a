//! Calls between native clients through a real edge: both ends are the `webrtc` crate, the middle is ours.
//!
//! Needs the edge (`make build`) and ffmpeg, which encodes what is published and decodes what arrived. Browsers and the native
//! client together: tests/browser/native.test.ts.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that can't go on has found its fault"
)]

mod edge;
mod far_edges;
mod late_joiner;
mod looked_into;
mod lossy_link;
mod media;
mod repair;
mod two_clients;
mod two_edges;

use nearcast_native::{Client, JoinOptions, Notice};
use nearcast_protocol::client::Source;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Until something that the edge causes is here. Generous: it only decides when a failure is called one.
const PATIENCE: Duration = Duration::from_secs(20);
/// Instead of the crate's 200 ms, which it waits twice: before nominating a pair and before the first DTLS flight.
const CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// A folder of this test's own, empty.
fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("native-{test}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder); // usually there is none
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Joins as `identity`, publishing `clips`, recording into a folder of its own.
fn options(edge: &edge::Edge, folder: &Path, identity: &str, clips: Option<&media::Clips>) -> JoinOptions {
    let record = folder.join(identity);
    std::fs::create_dir_all(&record).unwrap();
    JoinOptions {
        publish: clips.map(media::Clips::publish).unwrap_or_default(),
        record: Some(record),
        check_interval: Some(CHECK_INTERVAL),
        ..JoinOptions::new(edge.signal_url(), edge.token("room", identity))
    }
}

/// Waits until so many frames of both kinds of somebody's have arrived.
async fn receives(client: &mut Client, from: &str, video: u64, audio: u64) {
    let what = format!("{video} pictures and {audio} packets of sound of {from}");
    let enough = |received: &nearcast_native::Received| {
        received.of(from, Source::Camera).is_some_and(|slot| slot.frames >= video)
            && received.of(from, Source::Microphone).is_some_and(|slot| slot.frames >= audio)
    };
    client.received(&what, PATIENCE, enough).await.unwrap();
}

async fn connected(client: &mut Client) {
    client.wait("the connection", PATIENCE, |notice| matches!(notice, Notice::Connected { .. })).await.unwrap();
}
