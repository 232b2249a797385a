//! What is told of a stay.

use crate::UnixMillis;

/// One stay of a participant in a room: from its join to its leave, however often its connection was lost in between.
#[derive(Clone, Debug, PartialEq)]
pub struct Stay {
    /// The participant's id, of which there is one a stay.
    pub id: String,
    /// Name of the room.
    pub room: String,
    /// Who it was.
    pub identity: String,
    /// From the token.
    pub role: Option<String>,
    /// What its software calls itself.
    pub client: Option<String>,
    /// `websocket` or `http` (WHIP and WHEP).
    pub kind: &'static str,
    /// When it came.
    pub joined_at: UnixMillis,
    /// How it ended; none: it is there.
    pub departure: Option<Departure>,
}

/// How a stay ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Departure {
    /// When.
    pub left_at: UnixMillis,
    /// `left`, `timed-out`, `replaced`, `removed` or `failed`.
    pub reason: &'static str,
    /// The last way of its media: `udp`, `tcp`, `turn` or `direct`; none: there was none.
    pub path: Option<&'static str>,
    /// None: too short to be measured.
    pub quality: Option<Quality>,
}

/// How well a participant was connected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quality {
    /// The mean of all scores, 0 to 100.
    pub mean: f64,
    /// The worst, 0 to 100.
    pub worst: u8,
    /// The worst, in words: docs/quality.md.
    pub level: &'static str,
}

/// A life of a room on this node.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Life {
    pub(crate) room: String,
    pub(crate) first_joined_at: UnixMillis,
    pub(crate) last_left_at: Option<UnixMillis>,
    pub(crate) peak: i64,
    pub(crate) stays: i64,
}

/// What waits to be written: the whole row each time, so that of two of one row the later is enough.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Record {
    Stay(Box<Stay>),
    Life(Box<Life>),
}
