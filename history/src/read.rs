//! What is read: pages, the newest first.

use crate::UnixMillis;
use crate::address::Address;
use crate::link::{Fault, Link, on};
use core::time::Duration;
use serde::Serialize;
use sqlx::Row;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// Most rows of a page.
pub const LARGEST_PAGE: usize = 1_000;

/// How long to wait for one's turn and the database.
const PATIENCE: Duration = Duration::from_secs(2);

const OF_ROOM: &str = "SELECT node, incarnation, id, room, identity, role, client, kind, joined_at, left_at, status, reason, path, quality_mean, \
                       quality_worst, quality_level FROM sessions WHERE room = $1 AND (joined_at, id) < ($2, $3) \
                       ORDER BY joined_at DESC, id DESC LIMIT $4";

const OF_IDENTITY: &str = "SELECT node, incarnation, id, room, identity, role, client, kind, joined_at, left_at, status, reason, path, quality_mean, \
                           quality_worst, quality_level FROM sessions WHERE identity = $1 AND (joined_at, id) < ($2, $3) \
                           ORDER BY joined_at DESC, id DESC LIMIT $4";

const LIVES: &str = "SELECT node, incarnation, first_joined_at, last_left_at, peak_participants, stays FROM rooms WHERE room = $1 \
                     ORDER BY first_joined_at DESC, node LIMIT $2";

/// A stay, as it is kept. Times in milliseconds since 1970 (UTC).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SessionRow {
    /// The participant's id.
    pub id: String,
    /// Which edge.
    pub node: String,
    /// Which of its processes.
    pub incarnation: i64,
    /// Name of the room.
    pub room: String,
    /// Who it was.
    pub identity: String,
    /// From the token.
    pub role: Option<String>,
    /// What its software calls itself.
    pub client: Option<String>,
    /// `websocket` or `http`.
    pub kind: String,
    /// When it came.
    pub joined_at: UnixMillis,
    /// When it went; none: it is there.
    pub left_at: Option<UnixMillis>,
    /// `active` or `ended`.
    pub status: String,
    /// Why it ended: `left`, `timed-out`, `replaced`, `removed`, `failed`, `edge-lost`.
    pub reason: Option<String>,
    /// The last way of its media: `udp`, `tcp`, `turn`, `direct`.
    pub path: Option<String>,
    /// Mean of its quality scores, 0 to 100.
    pub quality_mean: Option<f64>,
    /// The worst of them.
    pub quality_worst: Option<i64>,
    /// The worst in words.
    pub quality_level: Option<String>,
}

/// A life of a room on an edge, as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RoomRow {
    /// Which edge.
    pub node: String,
    /// Which of its processes.
    pub incarnation: i64,
    /// When the first came.
    pub first_joined_at: UnixMillis,
    /// When the last went; none: somebody is there.
    pub last_left_at: Option<UnixMillis>,
    /// Most at a time; while it lives, one.
    pub peak_participants: i64,
    /// Stays in all; while it lives, one.
    pub stays: i64,
}

/// Where a page begins: behind this row.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor {
    joined_at: UnixMillis,
    id: String,
}

impl Cursor {
    /// Before everything.
    #[must_use]
    pub fn newest() -> Self {
        Self { joined_at: UnixMillis::MAX, id: String::new() }
    }

    /// Reads what [`Cursor::text`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (joined_at, id) = text.split_once('.')?;
        Some(Self { joined_at: joined_at.parse().ok()?, id: id.to_owned() })
    }

    /// For a URL.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}.{}", self.joined_at, self.id)
    }
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The newest first.
    pub sessions: Vec<SessionRow>,
    /// Where the next page begins; none: there are no more.
    pub next: Option<Cursor>,
}

/// Looks rows up, one request at a time.
pub struct Reader {
    link: Mutex<Link>,
}

impl Reader {
    pub(crate) fn new(address: Address) -> Self {
        Self { link: Mutex::new(Link::new(address, false)) }
    }

    /// Stays in a room, on any edge.
    ///
    /// # Errors
    /// A database that doesn't answer within two seconds, or can't.
    pub async fn of_room(&self, room: &str, after: &Cursor, limit: usize) -> Result<Page, Fault> {
        self.page(OF_ROOM, room, after, limit).await
    }

    /// Stays of a person, in any room.
    ///
    /// # Errors
    /// As [`Reader::of_room`].
    pub async fn of_identity(&self, identity: &str, after: &Cursor, limit: usize) -> Result<Page, Fault> {
        self.page(OF_IDENTITY, identity, after, limit).await
    }

    /// The newest lives of a room.
    ///
    /// # Errors
    /// As [`Reader::of_room`].
    pub async fn lives(&self, room: &str, limit: usize) -> Result<Vec<RoomRow>, Fault> {
        let limit = i64::try_from(limit.clamp(1, LARGEST_PAGE)).unwrap_or(1);
        let looked_up = async {
            let mut link = self.link.lock().await;
            link.with(async |connection| {
                on!(connection, Db, on => {
                    let rows = sqlx::query::<Db>(LIVES).bind(room).bind(limit).fetch_all(on).await?;
                    rows.iter().map(|row| Ok(RoomRow {
                        node: row.try_get("node")?,
                        incarnation: row.try_get("incarnation")?,
                        first_joined_at: row.try_get("first_joined_at")?,
                        last_left_at: row.try_get("last_left_at")?,
                        peak_participants: row.try_get("peak_participants")?,
                        stays: row.try_get("stays")?,
                    })).collect()
                })
            })
            .await
        };
        timeout(PATIENCE, looked_up).await.map_err(|_| Fault::Late)?
    }

    async fn page(&self, sql: &'static str, of: &str, after: &Cursor, limit: usize) -> Result<Page, Fault> {
        let limit = limit.clamp(1, LARGEST_PAGE);
        // One more, to know whether there are more.
        let asked = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
        let looked_up = async {
            let mut link = self.link.lock().await;
            link.with(async |connection| {
                on!(connection, Db, on => {
                    let query = sqlx::query::<Db>(sql).bind(of).bind(after.joined_at).bind(after.id.as_str()).bind(asked);
                    let rows = query.fetch_all(on).await?;
                    rows.iter().map(|row| Ok(SessionRow {
                        id: row.try_get("id")?,
                        node: row.try_get("node")?,
                        incarnation: row.try_get("incarnation")?,
                        room: row.try_get("room")?,
                        identity: row.try_get("identity")?,
                        role: row.try_get("role")?,
                        client: row.try_get("client")?,
                        kind: row.try_get("kind")?,
                        joined_at: row.try_get("joined_at")?,
                        left_at: row.try_get("left_at")?,
                        status: row.try_get("status")?,
                        reason: row.try_get("reason")?,
                        path: row.try_get("path")?,
                        quality_mean: row.try_get("quality_mean")?,
                        quality_worst: row.try_get("quality_worst")?,
                        quality_level: row.try_get("quality_level")?,
                    })).collect::<Result<Vec<_>, sqlx::Error>>()
                })
            })
            .await
        };
        // Given up in the middle, the connection is dropped with what was asked of it.
        let mut sessions = timeout(PATIENCE, looked_up).await.map_err(|_| Fault::Late)??;
        let more = sessions.len() > limit;
        sessions.truncate(limit);
        let next = sessions.last().filter(|_| more).map(|last| Cursor { joined_at: last.joined_at, id: last.id.clone() });
        Ok(Page { sessions, next })
    }
}
