//! Where the history is kept. Nothing here is opened or contacted.

use super::values::Setting;
use nearcast_history::Address;

/// A database that is written; off: none.
#[derive(Clone)]
pub struct HistoryAt(Option<(Address, String)>);

/// A database that is read; none: the one that is written.
#[derive(Clone)]
pub struct HistoryReplica(Option<(Address, String)>);

impl HistoryAt {
    /// None: nothing is kept.
    #[must_use]
    pub fn address(&self) -> Option<&Address> {
        self.0.as_ref().map(|(address, _)| address)
    }
}

impl HistoryReplica {
    /// None: there is no other.
    #[must_use]
    pub fn address(&self) -> Option<&Address> {
        self.0.as_ref().map(|(address, _)| address)
    }
}

impl core::fmt::Debug for HistoryAt {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str(&self.text())
    }
}

impl core::fmt::Debug for HistoryReplica {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str(&self.text())
    }
}

/// Files are shown, addresses not: they may have a password.
fn shown(database: &(Address, String)) -> String {
    match database {
        (Address::Sqlite(_), text) => text.clone(),
        (Address::Postgres(_), _) => "(secret)".to_owned(),
    }
}

impl Setting for HistoryAt {
    const PUBLIC: bool = false;

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self(None)),
            _ => Address::parse(text).map(|address| Self(Some((address, text.to_owned())))).map_err(|fault| format!("{fault}; or \"off\"")),
        }
    }

    fn text(&self) -> String {
        self.0.as_ref().map_or_else(|| "off".to_owned(), shown)
    }
}

impl Setting for HistoryReplica {
    const PUBLIC: bool = false;

    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self(None));
        }
        match Address::parse(text)? {
            address @ Address::Postgres(_) => Ok(Self(Some((address, text.to_owned())))),
            Address::Sqlite(_) => {
                Err("is a file, of which there are no replicas; write postgres://USER:PASSWORD@HOST:PORT/DATABASE".to_owned())
            }
        }
    }

    fn text(&self) -> String {
        self.0.as_ref().map(shown).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_shown_and_passwords_are_not() {
        for text in ["off", "/var/lib/nearcast/history.db", "sqlite:///var/lib/nearcast/history.db"] {
            assert_eq!(HistoryAt::parse(text).unwrap().text(), text);
        }
        let server = HistoryAt::parse("postgres://edge:hunter2@db/calls").unwrap();
        assert!(server.text() == "(secret)" && !format!("{server:?}").contains("hunter2"));
        assert!(HistoryReplica::parse("").unwrap().address().is_none());
        assert!(HistoryReplica::parse("history.db").unwrap_err().contains("postgres://"));
    }
}
