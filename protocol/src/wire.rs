//! Values to bytes and back, in both encodings.

use crate::{ClientEnvelope, DataFrame, ServerMessage};
use alloc::{borrow::ToOwned, string::String, vec::Vec};
use minicbor::{Decode, Encode};

/// Why bytes are not a message.
#[derive(Debug, PartialEq)]
pub enum WireError {
    /// A kind of message, or a value of an enumeration, that this version doesn't know: skip it.
    Unknown,
    /// Not of this protocol.
    Malformed(String),
}

impl core::fmt::Display for WireError {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Unknown => formatter.write_str("a kind of message that this version doesn't know"),
            Self::Malformed(why) => formatter.write_str(why),
        }
    }
}

impl core::error::Error for WireError {}

/// Messages that have a CBOR form.
pub trait Cbor: Encode<()> + for<'bytes> Decode<'bytes, ()> {
    /// Encodes; cannot fail, since it writes to memory and no field refuses.
    fn to_cbor(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let encoded = minicbor::encode(self, &mut bytes);
        debug_assert!(encoded.is_ok(), "writing to a Vec cannot fail");
        bytes
    }

    /// Decodes one message that fills `bytes`.
    ///
    /// # Errors
    /// [`WireError::Unknown`] for a kind that a newer version added, [`WireError::Malformed`] for anything else.
    fn from_cbor(bytes: &[u8]) -> Result<Self, WireError> {
        minicbor::decode(bytes).map_err(|error| {
            if error.is_unknown_variant() {
                WireError::Unknown
            } else {
                WireError::Malformed("not a CBOR message of this protocol".to_owned())
            }
        })
    }
}

impl Cbor for ClientEnvelope {}
impl Cbor for ServerMessage {}
impl Cbor for DataFrame {}

/// Messages that have a JSON form.
#[cfg(feature = "json")]
pub trait Json: serde::Serialize + serde::de::DeserializeOwned {
    /// Encodes as one line.
    fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Decodes one message.
    ///
    /// # Errors
    /// [`WireError::Unknown`] for a `type` that a newer version added, [`WireError::Malformed`] with position and cause otherwise.
    fn from_json(text: &str) -> Result<Self, WireError> {
        serde_json::from_str(text).map_err(|error| {
            let why = error.to_string();
            if why.starts_with("unknown variant") { WireError::Unknown } else { WireError::Malformed(why) }
        })
    }
}

#[cfg(feature = "json")]
impl Json for ClientEnvelope {}
#[cfg(feature = "json")]
impl Json for ServerMessage {}

#[cfg(test)]
mod tests;
