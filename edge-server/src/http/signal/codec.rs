//! Messages in the encoding that the subprotocol chose: CBOR in binary frames, JSON in text frames.

use super::socket::Message;
use nearcast_protocol::wire::{Cbor, Json, WireError};
use nearcast_protocol::{ClientEnvelope, ServerMessage};
use serde::Deserialize;

/// How one WebSocket speaks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Encoding {
    /// RFC 8949, in binary frames.
    Cbor,
    /// One object a text frame.
    Json,
}

/// Why a frame is not a message, and which request it would have been (0: none).
#[derive(Debug, PartialEq)]
pub struct Undecoded {
    /// For the reply.
    pub id: u32,
    /// Why.
    pub error: WireError,
}

impl Encoding {
    /// Encodes one message.
    #[must_use]
    pub fn encode(self, message: &ServerMessage) -> Message {
        match self {
            Self::Cbor => Message::Binary(message.to_cbor()),
            Self::Json => Message::Text(message.to_json()),
        }
    }

    /// Decodes one frame; `None` for control frames.
    ///
    /// # Errors
    /// What is wrong, with the position where the encoding tells.
    #[must_use]
    pub fn decode(self, frame: &Message) -> Option<Result<ClientEnvelope, Undecoded>> {
        let decoded = match (self, frame) {
            (Self::Cbor, Message::Binary(bytes)) => ClientEnvelope::from_cbor(bytes),
            (Self::Json, Message::Text(text)) => ClientEnvelope::from_json(text),
            (Self::Cbor, Message::Text(_)) => {
                Err(WireError::Malformed("a text frame; this subprotocol is CBOR in binary frames".to_owned()))
            }
            (Self::Json, Message::Binary(_)) => {
                Err(WireError::Malformed("a binary frame; this subprotocol is JSON in text frames".to_owned()))
            }
            (_, Message::Ping(_) | Message::Pong(_) | Message::Close(_)) => return None,
        };
        Some(decoded.map_err(|error| Undecoded { id: self.request_id(frame), error }))
    }

    /// The request id of a frame that is otherwise not understood or not wanted; 0 if there is none to be found.
    #[must_use]
    pub fn request_id(self, frame: &Message) -> u32 {
        #[derive(Deserialize)]
        struct OnlyId {
            #[serde(default)]
            id: u32,
        }
        match (self, frame) {
            (Self::Cbor, Message::Binary(bytes)) => cbor_request_id(bytes).unwrap_or_default(),
            (Self::Json, Message::Text(text)) => serde_json::from_str::<OnlyId>(text).map(|only| only.id).unwrap_or_default(),
            _ => 0,
        }
    }
}

/// Entry 0 of the envelope's map (`ClientEnvelope` in `protocol`).
fn cbor_request_id(bytes: &[u8]) -> Option<u32> {
    let mut decoder = minicbor::Decoder::new(bytes);
    let entries = decoder.map().ok()??;
    // The envelope has two entries; a newer one may have a few more.
    for _ in 0..entries.min(16) {
        if decoder.u32().ok()? == 0 {
            return decoder.u32().ok();
        }
        decoder.skip().ok()?;
    }
    None
}

#[cfg(test)]
mod tests;
