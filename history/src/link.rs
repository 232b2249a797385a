//! One connection to a database: made when it is needed, dropped whenever something went wrong on it.
//!
//! No pool: a connection on which an answer is overdue must not be asked again, and a pool would wait for it to become well.

use crate::address::Address;
use crate::schema::migrator;
use core::time::Duration;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection as _, Error, PgConnection, SqliteConnection};
use tokio::time::timeout;

/// How long connecting or one batch may take. Guess: a server that takes longer is as good as away.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long another writer of the same file may hold it; less than [`PATIENCE`].
const BUSY: Duration = Duration::from_secs(3);

/// Why nothing was written or read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Fault {
    /// It can't be reached, or fails at what it is asked. Trying again may help.
    #[error("{0}")]
    Away(String),
    /// It doesn't answer in time. Trying again may help.
    #[error("no answer in time")]
    Late,
    /// It doesn't take what the rows hold: trying again won't help.
    #[error("the database refuses rows: {0}")]
    Refused(String),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code().map(|code| code.into_owned()));
        let refused = match code.as_deref() {
            // PostgreSQL, by class: data exceptions and constraints.
            Some(code) if code.len() == 5 => code.starts_with("22") || code.starts_with("23"),
            // SQLite, by the last byte of its extended codes: too big, a constraint, a mismatch.
            Some(code) => code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 18..=20)),
            None => false,
        };
        if refused { Self::Refused(error.to_string()) } else { Self::Away(error.to_string()) }
    }
}

/// Either of the two.
pub(crate) enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// Does the same with either, which are of different types: `$db` names the database, `$on` the connection.
macro_rules! on {
    ($connection:expr, $db:ident, $on:ident => $body:expr) => {
        match $connection {
            $crate::link::Connection::Sqlite($on) => {
                type $db = sqlx::Sqlite;
                $body
            }
            $crate::link::Connection::Postgres($on) => {
                type $db = sqlx::Postgres;
                $body
            }
        }
    };
}
pub(crate) use on;

/// The way to a database.
pub(crate) struct Link {
    address: Address,
    /// Sees to the tables when it connects, and may write.
    writes: bool,
    connection: Option<Connection>,
}

impl Link {
    pub(crate) fn new(address: Address, writes: bool) -> Self {
        Self { address, writes, connection: None }
    }

    /// It is connected, so far as is known.
    pub(crate) fn is_up(&self) -> bool {
        self.connection.is_some()
    }

    /// Does something with the connection, which is lost if that fails or takes too long.
    pub(crate) async fn with<T>(&mut self, work: impl AsyncFnOnce(&mut Connection) -> Result<T, Error>) -> Result<T, Fault> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => timeout(PATIENCE, self.connect()).await.map_err(|_| Fault::Late)??,
        };
        let done = timeout(PATIENCE, work(&mut connection)).await.map_err(|_| Fault::Late)??;
        self.connection = Some(connection);
        Ok(done)
    }

    async fn connect(&self) -> Result<Connection, Fault> {
        let mut connection = match &self.address {
            Address::Sqlite(path) => {
                let options = SqliteConnectOptions::new()
                    .filename(path)
                    .create_if_missing(self.writes)
                    .read_only(!self.writes)
                    .busy_timeout(BUSY)
                    // Whoever reads doesn't hold up whoever writes. A crash of the machine may cost the last rows, never the file.
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Normal)
                    .disable_statement_logging();
                Connection::Sqlite(SqliteConnection::connect_with(&options).await?)
            }
            Address::Postgres(options) => {
                let options = options.as_ref().clone().application_name("nearcast-edge").disable_statement_logging();
                Connection::Postgres(PgConnection::connect_with(&options).await?)
            }
        };
        if self.writes {
            let migrated = match &mut connection {
                Connection::Sqlite(on) => migrator().run_direct(None, on, false).await,
                Connection::Postgres(on) => migrator().run_direct(None, on, false).await,
            };
            migrated.map_err(|error| Fault::Away(format!("its tables can't be made or changed: {error}")))?;
        }
        Ok(connection)
    }
}
