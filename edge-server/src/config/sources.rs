//! Where settings come from: flags, environment, file, default; and what is said when one of them is wrong.

use super::values::Setting;
use super::{Flags, SETTINGS, flag, variable};
use std::collections::BTreeMap;
use toml::de::{DeTable, DeValue};

/// One thing wrong with the configuration: where, what, what is allowed, what to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault(String);

impl Fault {
    /// A fault of settings that are fine one by one.
    #[must_use]
    pub fn between(message: &str) -> Self {
        Self(message.to_owned())
    }
}

/// Everything wrong with the configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Faults(pub Vec<Fault>);

impl core::fmt::Display for Faults {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (index, Fault(message)) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            formatter.write_str(message)?;
        }
        Ok(())
    }
}

impl core::error::Error for Faults {}

/// A flag's text, whether it may be repeated or not.
pub(super) trait FlagText {
    fn text(&self) -> Option<String>;
}

impl FlagText for Option<String> {
    fn text(&self) -> Option<String> {
        self.clone()
    }
}

impl FlagText for Vec<String> {
    fn text(&self) -> Option<String> {
        (!self.is_empty()).then(|| self.join(","))
    }
}

/// An entry of the file.
struct Entry {
    /// The value as a flag would have it, or why it can't be one.
    text: Result<String, String>,
    line: usize,
}

/// The three sources, and the faults found in them so far.
pub(super) struct Sources<'a> {
    flags: &'a Flags,
    environment: BTreeMap<String, String>,
    path: String,
    file: BTreeMap<String, Entry>,
    faults: Vec<Fault>,
}

impl<'a> Sources<'a> {
    /// Reads the file, if one is named, and keeps what concerns us of the environment.
    pub(super) fn open(flags: &'a Flags, environment: impl IntoIterator<Item = (String, String)>) -> Self {
        // An empty variable counts as none: compose files and Kubernetes manifests pass them for "not set".
        let environment: BTreeMap<_, _> =
            environment.into_iter().filter(|(name, value)| name.starts_with("NEARCAST_") && !value.is_empty()).collect();
        let path = flags.config.as_ref().map(|path| path.display().to_string()).or_else(|| environment.get("NEARCAST_CONFIG").cloned());
        let mut sources = Self { flags, environment, path: path.clone().unwrap_or_default(), file: BTreeMap::new(), faults: Vec::new() };
        if let Some(path) = path {
            match std::fs::read_to_string(&path) {
                Ok(text) => sources.read(&text),
                Err(error) => sources.faults.push(Fault(format!("{path}: cannot be read: {error}; check --config or NEARCAST_CONFIG"))),
            }
        }
        sources.check_environment();
        sources
    }

    /// The value that applies to `key`, or `None` and a fault.
    pub(super) fn setting<T: Setting>(&mut self, key: &'static str, default: &str) -> Option<T> {
        let (name, text) = if let Some(text) = self.flags.text(key) {
            (flag(key), Ok(text))
        } else if let Some(text) = self.environment.get(&variable(key)) {
            (variable(key), Ok(text.clone()))
        } else if let Some(entry) = self.file.get(key) {
            (format!("{}:{}: {key}", self.path, entry.line), entry.text.clone())
        } else {
            (key.to_owned(), Ok(default.to_owned()))
        };
        let shown = match &text {
            Ok(text) if T::PUBLIC => format!("{name} = {}", quoted(text)),
            _ => name,
        };
        match text.and_then(|text| T::parse(text.trim())) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.faults.push(Fault(format!("{shown} {problem}")));
                None
            }
        }
    }

    /// All faults.
    pub(super) fn close(self) -> Vec<Fault> {
        self.faults
    }

    fn read(&mut self, text: &str) {
        let line_of = |offset: usize| text.get(..offset).unwrap_or(text).matches('\n').count() + 1;
        let table = match DeTable::parse(text) {
            Ok(table) => table,
            Err(error) => {
                let line = line_of(error.span().map_or(0, |span| span.start));
                self.faults.push(Fault(format!("{}:{line}: is not TOML: {}", self.path, error.message())));
                return;
            }
        };
        for (key, value) in table.get_ref() {
            let line = line_of(key.span().start);
            let key: &str = key.get_ref();
            if SETTINGS.iter().any(|setting| setting.key == key) {
                self.file.insert(key.to_owned(), Entry { text: flatten(key, value.get_ref()), line });
            } else {
                let remedy = nearest(key).map_or_else(
                    || format!("settings are {}", SETTINGS.iter().map(|setting| setting.key).collect::<Vec<_>>().join(", ")),
                    |near| format!("did you mean {near}?"),
                );
                self.faults.push(Fault(format!("{}:{line}: {key} is not a setting; {remedy}", self.path)));
            }
        }
    }

    /// A misspelt variable stops the start; others that begin alike are let be, since Kubernetes makes up
    /// `NEARCAST_SERVICE_HOST` and `NEARCAST_PORT_…` for a service called nearcast.
    fn check_environment(&mut self) {
        for name in self.environment.keys() {
            let key = name.strip_prefix("NEARCAST_").unwrap_or(name).to_ascii_lowercase();
            let known = key == "config" || SETTINGS.iter().any(|setting| setting.key == key);
            if let (false, Some(near)) = (known, nearest(&key)) {
                self.faults.push(Fault(format!("{name} is not a setting; did you mean {}?", variable(near))));
            }
        }
    }
}

/// A value of the file as the text that a flag would have.
fn flatten(key: &str, value: &DeValue<'_>) -> Result<String, String> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Integer(number) => {
            Ok(i128::from_str_radix(number.as_str(), number.radix())
                .map_or_else(|_| number.as_str().to_owned(), |number| number.to_string()))
        }
        DeValue::Float(number) => Ok(number.as_str().to_owned()),
        DeValue::Boolean(value) => Ok(value.to_string()),
        DeValue::Array(values) => {
            let texts: Result<Vec<_>, _> = values.iter().map(|value| flatten(key, value.get_ref())).collect();
            texts.map(|texts| texts.join(","))
        }
        DeValue::Table(table) if key == "keys" => {
            let entries = table.iter().map(|(id, secret)| match secret.get_ref() {
                DeValue::String(secret) => Ok(format!("{}:{secret}", id.get_ref())),
                _ => Err(format!("has a secret that is not text for key {:?}; put it in quotes", id.get_ref())),
            });
            entries.collect::<Result<Vec<_>, _>>().map(|entries| entries.join(","))
        }
        DeValue::Table(table) if key == "policies" => {
            let entries = table.iter().map(|(name, clauses)| match clauses.get_ref() {
                DeValue::String(clauses) if !clauses.contains(',') => Ok(format!("{}={clauses}", name.get_ref())),
                DeValue::String(_) => {
                    Err(format!("has a comma in policy {:?}; separate roles by spaces, clauses by semicolons", name.get_ref()))
                }
                _ => Err(format!("has a policy {:?} that is not text; put it in quotes", name.get_ref())),
            });
            entries.collect::<Result<Vec<_>, _>>().map(|entries| entries.join(","))
        }
        DeValue::Table(_) => Err(format!("is a table; write {key} = … above the first [table]")),
        DeValue::Datetime(_) => Err("is a date; put it in quotes if text is meant".to_owned()),
    }
}

/// Numbers and switches bare, text in quotes, and never more than a line of it.
fn quoted(text: &str) -> String {
    if text.parse::<f64>().is_ok() || text == "true" || text == "false" {
        return text.to_owned();
    }
    let short: String = text.chars().take(80).collect();
    if short.len() < text.len() { format!("{short:?}…") } else { format!("{text:?}") }
}

/// The setting that `key` is a misspelling of: up to two letters wrong, missing, or too many.
fn nearest(key: &str) -> Option<&'static str> {
    let near = SETTINGS.iter().map(|setting| (distance(key, setting.key), setting.key)).min()?;
    (near.0 <= 2 && near.0 < near.1.len().min(key.len())).then_some(near.1)
}

/// Levenshtein's.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, a) in left.bytes().enumerate() {
        let mut diagonal = index;
        let mut before = index + 1;
        let mut next = vec![before];
        for (b, above) in right.bytes().zip(row.iter().skip(1).copied()) {
            before = (diagonal + usize::from(a != b)).min(above + 1).min(before + 1);
            diagonal = above;
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
