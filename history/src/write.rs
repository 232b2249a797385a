//! What is written: whole rows, put over those that are there, so that writing them a second time after an outage changes nothing.

use crate::UnixMillis;
use crate::link::{Connection, on};
use crate::stay::{Life, Stay};
use sqlx::{Connection as _, Error, QueryBuilder};

const INSERT_STAYS: &str = "INSERT INTO sessions (node, incarnation, id, room, identity, role, client, kind, joined_at, left_at, status, reason, \
                            path, quality_mean, quality_worst, quality_level) ";

const OVER_STAYS: &str = " ON CONFLICT (node, incarnation, id) DO UPDATE SET left_at = excluded.left_at, status = excluded.status, \
                          reason = excluded.reason, path = excluded.path, quality_mean = excluded.quality_mean, \
                          quality_worst = excluded.quality_worst, quality_level = excluded.quality_level";

const INSERT_LIVES: &str = "INSERT INTO rooms (node, incarnation, room, first_joined_at, last_left_at, peak_participants, stays) ";

const OVER_LIVES: &str = " ON CONFLICT (room, node, incarnation, first_joined_at) DO UPDATE SET last_left_at = excluded.last_left_at, \
                          peak_participants = excluded.peak_participants, stays = excluded.stays";

const BEAT: &str = "INSERT INTO nodes (node, incarnation, seen_at) VALUES ($1, $2, $3) \
                    ON CONFLICT (node, incarnation) DO UPDATE SET seen_at = excluded.seen_at";

/// Longest text of a column, in bytes. Longer than anything a token may say; what is longer all the same is cut.
const LONGEST: usize = 1_024;

/// Rows that one statement deletes: whoever reads waits for no more than that.
const AT_ONCE: i64 = 1_000;

/// Which process writes.
#[derive(Clone, Debug)]
pub(crate) struct Writing {
    pub(crate) node: String,
    pub(crate) incarnation: i64,
}

/// Text as PostgreSQL takes it: without the one character that it doesn't.
fn text(text: &str) -> String {
    let mut text = text.replace('\0', "");
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.truncate(end);
    text
}

impl Writing {
    /// Writes rows, all or none. No two of them may be of one stay, or of one life of a room.
    pub(crate) async fn rows(&self, connection: &mut Connection, stays: &[&Stay], lives: &[&Life]) -> Result<(), Error> {
        on!(connection, Db, on => {
            let mut transaction = on.begin().await?;
            if !stays.is_empty() {
                let mut query = QueryBuilder::<Db>::new(INSERT_STAYS);
                query.push_values(stays, |mut row, stay| {
                    let departure = stay.departure;
                    let quality = departure.and_then(|departure| departure.quality);
                    row.push_bind(self.node.clone())
                        .push_bind(self.incarnation)
                        .push_bind(text(&stay.id))
                        .push_bind(text(&stay.room))
                        .push_bind(text(&stay.identity))
                        .push_bind(stay.role.as_deref().map(text))
                        .push_bind(stay.client.as_deref().map(text))
                        .push_bind(stay.kind)
                        .push_bind(stay.joined_at)
                        .push_bind(departure.map(|departure| departure.left_at))
                        .push_bind(if departure.is_some() { "ended" } else { "active" })
                        .push_bind(departure.map(|departure| departure.reason))
                        .push_bind(departure.and_then(|departure| departure.path))
                        .push_bind(quality.map(|quality| quality.mean))
                        .push_bind(quality.map(|quality| i64::from(quality.worst)))
                        .push_bind(quality.map(|quality| quality.level));
                });
                // Each number of rows is another statement: not worth being remembered.
                query.push(OVER_STAYS).build().persistent(false).execute(&mut *transaction).await?;
            }
            if !lives.is_empty() {
                let mut query = QueryBuilder::<Db>::new(INSERT_LIVES);
                query.push_values(lives, |mut row, life| {
                    row.push_bind(self.node.clone())
                        .push_bind(self.incarnation)
                        .push_bind(text(&life.room))
                        .push_bind(life.first_joined_at)
                        .push_bind(life.last_left_at)
                        .push_bind(life.peak)
                        .push_bind(life.stays);
                });
                query.push(OVER_LIVES).build().persistent(false).execute(&mut *transaction).await?;
            }
            transaction.commit().await
        })
    }

    /// Says that this process lives.
    pub(crate) async fn beat(&self, connection: &mut Connection, now: UnixMillis) -> Result<(), Error> {
        on!(connection, Db, on => {
            sqlx::query::<Db>(BEAT).bind(self.node.as_str()).bind(self.incarnation).bind(now).execute(on).await.map(drop)
        })
    }

    /// Ends what earlier processes of this node left open, and processes of any node that were not seen since `silent_since`; at the time they were
    /// seen last. Answers how many stays.
    pub(crate) async fn end_lost(&self, connection: &mut Connection, silent_since: UnixMillis) -> Result<u64, Error> {
        on!(connection, Db, on => {
            let mut ended = 0;
            for sql in END_LOST {
                let query = sqlx::query::<Db>(sql).bind(self.node.as_str()).bind(self.incarnation).bind(silent_since);
                let rows = query.execute(&mut *on).await?.rows_affected();
                if ended == 0 {
                    ended = rows;
                }
            }
            Ok(ended)
        })
    }

    /// Deletes some of what ended before `cutoff`. Answers how many rows, and whether there may be more.
    pub(crate) async fn expire(connection: &mut Connection, cutoff: UnixMillis) -> Result<(u64, bool), Error> {
        on!(connection, Db, on => {
            let (mut deleted, mut more) = (0_u64, false);
            for sql in EXPIRE {
                let rows = sqlx::query::<Db>(sql).bind(cutoff).bind(AT_ONCE).execute(&mut *on).await?.rows_affected();
                deleted = deleted.saturating_add(rows);
                more |= i64::try_from(rows).is_ok_and(|rows| rows >= AT_ONCE);
            }
            sqlx::query::<Db>(FORGET_NODES).bind(cutoff).execute(&mut *on).await?;
            Ok((deleted, more))
        })
    }
}

/// Stays first: their number is told.
const END_LOST: [&str; 2] = [
    "UPDATE sessions SET status = 'ended', reason = 'edge-lost', left_at = (SELECT CASE WHEN nodes.seen_at > sessions.joined_at THEN nodes.seen_at \
     ELSE sessions.joined_at END FROM nodes WHERE nodes.node = sessions.node AND nodes.incarnation = sessions.incarnation) \
     WHERE status = 'active' AND EXISTS (SELECT 1 FROM nodes WHERE nodes.node = sessions.node AND nodes.incarnation = sessions.incarnation \
     AND ((nodes.node = $1 AND nodes.incarnation < $2) OR nodes.seen_at < $3))",
    "UPDATE rooms SET last_left_at = (SELECT CASE WHEN nodes.seen_at > rooms.first_joined_at THEN nodes.seen_at \
     ELSE rooms.first_joined_at END FROM nodes WHERE nodes.node = rooms.node AND nodes.incarnation = rooms.incarnation) \
     WHERE last_left_at IS NULL AND EXISTS (SELECT 1 FROM nodes WHERE nodes.node = rooms.node AND nodes.incarnation = rooms.incarnation \
     AND ((nodes.node = $1 AND nodes.incarnation < $2) OR nodes.seen_at < $3))",
];

const EXPIRE: [&str; 2] = [
    "DELETE FROM sessions WHERE (node, incarnation, id) IN \
     (SELECT node, incarnation, id FROM sessions WHERE left_at < $1 ORDER BY left_at LIMIT $2)",
    "DELETE FROM rooms WHERE (room, node, incarnation, first_joined_at) IN \
     (SELECT room, node, incarnation, first_joined_at FROM rooms WHERE last_left_at < $1 ORDER BY last_left_at LIMIT $2)",
];

/// By then whatever they left open has been ended.
const FORGET_NODES: &str = "DELETE FROM nodes WHERE seen_at < $1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_between_characters_and_has_no_zero() {
        assert_eq!(text("al\0ice"), "alice");
        let long = "é".repeat(1_000);
        assert_eq!(text(&long), "é".repeat(512));
        assert_eq!(text(&format!("a{long}")).len(), 1_023);
    }
}
