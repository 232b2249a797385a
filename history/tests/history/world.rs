//! Settings, stays, and waiting.

use nearcast_history::{Address, Departure, History, Quality, Settings, Stats, Stay};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

static FOLDERS: AtomicU32 = AtomicU32::new(0);

/// How long anything may take; reached only by a test that fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// The time of all tests: rows are as old as they say.
pub(crate) const NOW: i64 = 1_800_000_000_000;

pub(crate) fn now() -> i64 {
    NOW
}

/// Removed at its end.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("nearcast-history-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self) -> String {
        self.0.join("history.db").display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn settings(address: &str, incarnation: i64) -> Settings {
    let keep = Duration::from_secs(30 * 86_400);
    Settings { address: Address::parse(address).unwrap(), replica: None, keep, node: "edge-1".to_owned(), incarnation, now }
}

pub(crate) fn start(address: &str, incarnation: i64) -> History {
    History::start(settings(address, incarnation)).unwrap()
}

/// Somebody came at `at`.
pub(crate) fn came(id: &str, room: &str, identity: &str, at: i64) -> Stay {
    Stay {
        id: id.to_owned(),
        room: room.to_owned(),
        identity: identity.to_owned(),
        role: Some("teacher".to_owned()),
        client: Some("nearcast/0.1".to_owned()),
        kind: "websocket",
        joined_at: at,
        departure: None,
    }
}

/// The same, gone at `at`.
pub(crate) fn gone(stay: &Stay, at: i64) -> Stay {
    let quality = Some(Quality { mean: 80.5, worst: 12, level: "poor" });
    Stay { departure: Some(Departure { left_at: at, reason: "left", path: Some("udp"), quality }), ..stay.clone() }
}

/// Waits until the counters are so.
pub(crate) async fn until(history: &History, so: impl Fn(&Stats) -> bool) -> Stats {
    let waited = tokio::time::timeout(PATIENCE, async {
        loop {
            let stats = history.stats();
            if so(&stats) {
                return stats;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("this takes too long: {:?}", history.stats()))
}

/// Ends it when all is written.
pub(crate) async fn finish(history: History) {
    until(&history, |stats| stats.queued == 0).await;
    assert_eq!(history.stop(PATIENCE).await, 0);
}
