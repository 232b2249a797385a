//! A packet meets no lock between the socket it comes from and the socket it leaves by. What isn't named can't be taken: the media core
//! and what turns beside it name none. (Relays look a room up under a lock when its size changes, never for a packet.)

use std::fs;
use std::path::{Path, PathBuf};

/// What a lock is called, in the standard library and elsewhere.
const LOCKS: [&str; 6] = ["Mutex", "RwLock", "Condvar", "OnceLock", "LazyLock", ".lock()"];

#[test]
fn the_packet_path_names_no_lock() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = rust_files(&root.join("sfu-core/src"));
    for part in ["thread.rs", "socket.rs", "socket", "steer.rs", "steer", "sources.rs", "sources", "alarm.rs", "link.rs"] {
        files.extend(rust_files(&root.join("edge-server/src/media").join(part)));
    }
    assert!(files.len() > 100, "the files have moved: {}", files.len());
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for lock in LOCKS {
            assert!(!text.contains(lock), "{} names {lock}", file.display());
        }
    }
}

/// One file, or all of a folder but its tests.
fn rust_files(path: &Path) -> Vec<PathBuf> {
    if path.is_dir() {
        let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        return entries.filter(|path| path.file_stem().is_none_or(|name| name != "tests")).flat_map(|path| rust_files(&path)).collect();
    }
    assert!(path.exists(), "{} has moved", path.display());
    if path.extension().is_some_and(|extension| extension == "rs") { vec![path.to_owned()] } else { Vec::new() }
}
