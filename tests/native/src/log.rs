//! Log lines of the `webrtc` crate on standard error, with the milliseconds since the start: to see where time goes.

use ::log::{LevelFilter, Log, Metadata, Record};
use std::time::Instant;

struct Lines {
    began: Instant,
}

impl Log for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let ms = self.began.elapsed().as_secs_f64() * 1000.0;
        eprintln!("{ms:9.1} {:5} {}: {}", record.level(), record.target(), record.args());
    }

    fn flush(&self) {}
}

/// Starts logging at `level`; a second call changes nothing.
pub fn start(level: LevelFilter) {
    if ::log::set_boxed_logger(Box::new(Lines { began: Instant::now() })).is_ok() {
        ::log::set_max_level(level);
    }
}
