//! Why a measurement could not be made.

use std::fmt::Display;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why a measurement could not be made, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Nothing was built yet.
    #[error("there is no edge at {}; build it first: make build", .path.display())]
    NoEdge {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The server process ended by itself.
    #[error("the server ended: {why}; its log is {}", .log.display())]
    ServerEnded {
        /// What it said last.
        why: String,
        /// Where it wrote its log.
        log: PathBuf,
    },
    /// The server refused, or answered something that wasn't asked for.
    #[error("{doing}: {why}")]
    Refused {
        /// What was tried.
        doing: String,
        /// What came back.
        why: String,
    },
    /// The server takes nobody just now, and said when to ask again.
    #[error("{why}")]
    Later {
        /// What it said.
        why: String,
        /// When.
        after: Duration,
    },
    /// Something that should happen did not.
    #[error("{what} did not happen within {} s; the machine may be overloaded, or the server faulty (its log: target/bench/)", .after.as_secs_f32())]
    Late {
        /// What was waited for.
        what: String,
        /// How long.
        after: Duration,
    },
    /// The operating system said no.
    #[error("{doing}: {source}")]
    System {
        /// What was tried.
        doing: String,
        /// What it said.
        source: io::Error,
    },
    /// A recording in `traces/` is not what its README says.
    #[error("{}: {why}", .path.display())]
    BadTrace {
        /// Which file.
        path: PathBuf,
        /// Line and fault.
        why: String,
    },
    /// What was measured breaks a bound.
    #[error("{0}")]
    OutOfBounds(String),
}

impl LoadError {
    /// For `map_err` on system calls.
    pub fn system<E: Into<io::Error>>(doing: impl Display) -> impl FnOnce(E) -> Self {
        move |source| Self::System { doing: doing.to_string(), source: source.into() }
    }

    /// For answers that don't fit.
    pub fn refused(doing: impl Display, why: impl Display) -> Self {
        Self::Refused { doing: doing.to_string(), why: why.to_string() }
    }
}
