//! The tables, the same in both databases. A migration that has been released is never changed: databases remember its checksum.

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// All migrations, in order.
pub(crate) fn migrator() -> Migrator {
    let sessions = include_str!("migrations/0001_sessions.sql").into_sql_str();
    let mut migrator = Migrator::with_migrations(vec![Migration::new(1, "sessions".into(), MigrationType::Simple, sessions, false)]);
    // An edge of the last version writes beside one of the next, which has migrated already.
    migrator.set_ignore_missing(true);
    migrator
}
