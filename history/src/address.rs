//! Where rows are kept.

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::fs::OpenOptions;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;

/// A database. It may have a password: never printed.
#[derive(Clone)]
pub enum Address {
    /// A file.
    Sqlite(PathBuf),
    /// A server.
    Postgres(Box<PgConnectOptions>),
}

impl std::fmt::Debug for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(formatter, "{}", path.display()),
            Self::Postgres(_) => formatter.write_str("postgres://(secret)"),
        }
    }
}

impl Address {
    /// Reads `postgres://…`, `sqlite://PATH` or a path. Nothing is opened.
    ///
    /// # Errors
    /// What is wrong and the remedy, to be put behind the key and the value: `is …; …`.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            // Not what the library says of it: that might repeat the password.
            let options = PgConnectOptions::from_str(text)
                .map_err(|_| "is no address of a PostgreSQL server; write postgres://USER:PASSWORD@HOST:PORT/DATABASE".to_owned())?;
            return match options.get_ssl_mode() {
                PgSslMode::Require | PgSslMode::VerifyCa | PgSslMode::VerifyFull => Err(
                    "asks for TLS (sslmode), which the edge doesn't speak to databases; leave sslmode out and reach the server by a private network or a tunnel"
                        .to_owned(),
                ),
                _ => Ok(Self::Postgres(Box::new(options))),
            };
        }
        let path = text.strip_prefix("sqlite://").unwrap_or(text);
        if path.is_empty() || path.contains("://") || path.starts_with(':') || path.ends_with('/') {
            return Err(
                "is neither a file nor the address of a PostgreSQL server; write a path such as /var/lib/nearcast/history.db, or postgres://USER:PASSWORD@HOST:PORT/DATABASE".to_owned()
            );
        }
        Ok(Self::Sqlite(PathBuf::from(path)))
    }

    /// Makes a file that isn't there yet, to be read by nobody but the edge: people's names will stand in it.
    pub(crate) fn prepare(&self) -> io::Result<()> {
        let Self::Sqlite(path) = self else { return Ok(()) };
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_servers_are_told_apart() {
        for text in ["history.db", "/var/lib/nearcast/history.db", "sqlite:///var/lib/history.db", "sqlite://history.db"] {
            assert!(matches!(Address::parse(text), Ok(Address::Sqlite(_))), "{text}");
        }
        assert_eq!(format!("{:?}", Address::parse("sqlite:///tmp/a.db").unwrap()), "/tmp/a.db");
        for text in ["postgres://edge:hunter2@db/calls", "postgresql:///calls?host=/run/postgresql"] {
            let address = Address::parse(text).unwrap();
            assert!(matches!(address, Address::Postgres(_)), "{text}");
            assert_eq!(format!("{address:?}"), "postgres://(secret)");
        }
    }

    #[test]
    fn a_refusal_names_the_remedy_and_no_password() {
        for text in ["", "mysql://edge:hunter2@db/calls", ":memory:", "/var/lib/", "sqlite://"] {
            let fault = Address::parse(text).unwrap_err();
            assert!(fault.contains("postgres://USER") && !fault.contains("hunter2"), "{text}: {fault}");
        }
        let fault = Address::parse("postgres://edge:hunter2@db:port/calls").unwrap_err();
        assert!(fault.contains("postgres://USER") && !fault.contains("hunter2"), "{fault}");
        let fault = Address::parse("postgres://edge:hunter2@db/calls?sslmode=require").unwrap_err();
        assert!(fault.contains("sslmode") && !fault.contains("hunter2"), "{fault}");
    }
}
