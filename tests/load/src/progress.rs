//! Lines that show that something is going on, on standard error, each with the seconds since the start.

use std::time::Instant;

/// Where progress is shown.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    began: Instant,
    quiet: bool,
}

impl Progress {
    /// Starts counting.
    #[must_use]
    pub fn start() -> Self {
        Self { began: Instant::now(), quiet: false }
    }

    /// Says nothing.
    #[must_use]
    pub fn quiet() -> Self {
        Self { quiet: true, ..Self::start() }
    }

    /// Shows one line.
    pub fn say(&self, line: &str) {
        if !self.quiet {
            eprintln!("{:5.1} s  {line}", self.began.elapsed().as_secs_f32());
        }
    }
}
