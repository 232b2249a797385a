//! The file that `room.exportTrace()` makes: JSON around the core's own bytes. docs/journal.md lists its fields.

use client_core::trace::{Trace, TraceError};
use serde_json::Value;
use std::fmt;

/// What a trace file calls itself.
const KIND: &str = "nearcast-trace";

/// A trace file, read.
pub(crate) struct File {
    /// Version of the SDK that wrote it.
    pub(crate) sdk: String,
    /// The browser.
    pub(crate) user_agent: String,
    /// When it was exported, ISO 8601.
    pub(crate) exported_at: String,
    /// What happened.
    pub(crate) trace: Trace,
}

/// Why a file can't be read.
#[derive(Debug)]
pub(crate) enum FileError {
    Json(serde_json::Error),
    /// It has no such field, or another type in it.
    Missing(&'static str),
    Base64,
    Trace(TraceError),
}

impl fmt::Display for FileError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(formatter, "not JSON: {error}"),
            Self::Missing(field) => write!(formatter, "not a trace of room.exportTrace(): no usable field \"{field}\""),
            Self::Base64 => formatter.write_str("the field \"core\" is not base64: the file is damaged"),
            Self::Trace(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for FileError {}

/// Reads a trace file.
pub(crate) fn read(text: &str) -> Result<File, FileError> {
    let value: Value = serde_json::from_str(text).map_err(FileError::Json)?;
    let field = |name: &'static str| value.get(name).and_then(Value::as_str).ok_or(FileError::Missing(name));
    if field("kind")? != KIND {
        return Err(FileError::Missing("kind"));
    }
    let bytes = from_base64(field("core")?).ok_or(FileError::Base64)?;
    Ok(File {
        sdk: field("sdk")?.to_owned(),
        user_agent: field("userAgent")?.to_owned(),
        exported_at: field("exportedAt")?.to_owned(),
        trace: Trace::read(&bytes).map_err(FileError::Trace)?,
    })
}

/// RFC 4648 §4, as browsers write it.
fn from_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}
