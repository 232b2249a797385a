//! Relay messages as bytes, between edges.
//!
//! Control is CBOR, as in signalling: numbered kinds and fields, so that whoever doesn't know a kind skips the message and whoever doesn't know a
//! field skips that; versions N and N+1 share a room. Media, which is most of what crosses, has a form of its own: some 40 bytes, then the
//! dependency descriptor and the payload as they came.
//!
//! Both begin with whom it is for: a packet that several shards of one edge take crosses once.
//!
//! ```text
//! addresses     from, number of receivers, receivers: a byte each
//! media         format (1), flags (16 bit), publication, generation, sequence number (LEB128 each), timestamp (32 bit),
//!               encoding and codec (4 bit each), codec profile, payload type; with layers: spatial and temporal (4 bit each), five sets of
//!               targets (16 bit each); with the extensions: audio level, orientation; with a descriptor: its length (16 bit); descriptor, payload
//! ```
//!
//! Bounds: [`MAX_CONTROL`] bytes of a message, [`MAX_SHARDS`] receivers. What is outside is [`WireError::Malformed`]: edges of one cluster trust each
//! other, but not each other's memory.

mod fields;
mod media;
pub(super) mod shared;

use super::{RelayMessage, Relayed};
use std::sync::Arc;

/// Bytes of one message of control: a part with 2,000 participants is some 600 kB.
pub const MAX_CONTROL: usize = 8 << 20;

/// Shards of one edge that a message may be for.
pub const MAX_SHARDS: usize = 255;

/// Why bytes are no message.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WireError {
    /// A kind, or a value of an enumeration, that this version doesn't know: skip it.
    #[error("a kind of relay message that this version doesn't know")]
    Unknown,
    /// No message of this protocol: the link is to be ended.
    #[error("not a relay message")]
    Malformed,
}

/// A message with its addresses.
#[derive(Clone, Debug)]
pub struct Addressed {
    /// The sender's number on its edge.
    pub from: u8,
    /// The receivers' numbers on theirs.
    pub to: Vec<u8>,
    /// What.
    pub message: RelayMessage,
}

impl RelayMessage {
    /// Writes the message behind its addresses. Media gets the form for datagrams, everything else that for streams.
    pub fn encode(&self, from: u8, to: &[u8], out: &mut Vec<u8>) {
        let to = to.get(..to.len().min(MAX_SHARDS)).unwrap_or_default();
        out.extend([from, u8::try_from(to.len()).unwrap_or(u8::MAX)]);
        out.extend(to);
        if let Relayed::Media { publication, encoding, info, dependency, bytes } = &self.0 {
            media::encode(*publication, *encoding, info, *dependency, bytes, out);
        } else {
            let encoded = minicbor::encode(&self.0, &mut *out);
            debug_assert!(encoded.is_ok(), "writing to memory can't fail");
        }
    }

    /// Whether both are the same packet of media, made for two receivers.
    #[must_use]
    pub fn is_copy_of(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (
                Relayed::Media { publication, encoding, info, bytes, .. },
                Relayed::Media { publication: other_publication, encoding: other_encoding, info: other_info, bytes: other_bytes, .. },
            ) => {
                Arc::ptr_eq(bytes, other_bytes) && (publication, encoding, info.seq) == (other_publication, other_encoding, other_info.seq)
            }
            _ => false,
        }
    }

    /// What it costs to keep it waiting, in bytes: the payload of media and of data; the rest is small.
    #[must_use]
    pub fn size(&self) -> usize {
        match &self.0 {
            Relayed::Media { bytes, .. } | Relayed::Data { message: bytes, .. } | Relayed::Late { message: bytes, .. } => bytes.len(),
            _ => 0,
        }
    }

    /// A packet of sound: of what a narrow link loses it is the last.
    #[must_use]
    pub fn is_audio(&self) -> bool {
        matches!(&self.0, Relayed::Media { info, .. } if !info.codec.codec.is_video())
    }
}

/// Reads a message that came on the stream of control.
///
/// # Errors
/// [`WireError::Unknown`] for a kind that a newer version added, [`WireError::Malformed`] for anything else.
pub fn decode_control(bytes: &[u8]) -> Result<Addressed, WireError> {
    let (from, to, rest) = addresses(bytes)?;
    let mut decoder = minicbor::Decoder::new(rest);
    let message: Relayed =
        decoder.decode().map_err(|error| if error.is_unknown_variant() { WireError::Unknown } else { WireError::Malformed })?;
    match message {
        // Comes in its own form.
        Relayed::Media { .. } => Err(WireError::Malformed),
        _ if decoder.position() != rest.len() => Err(WireError::Malformed),
        message => Ok(Addressed { from, to: to.to_vec(), message: RelayMessage(message) }),
    }
}

/// Reads a message of media.
///
/// # Errors
/// As [`decode_control`].
pub fn decode_media(bytes: &[u8]) -> Result<Addressed, WireError> {
    let (from, to, rest) = addresses(bytes)?;
    let message = media::decode(rest)?;
    Ok(Addressed { from, to: to.to_vec(), message: RelayMessage(message) })
}

fn addresses(bytes: &[u8]) -> Result<(u8, &[u8], &[u8]), WireError> {
    let [from, count, rest @ ..] = bytes else { return Err(WireError::Malformed) };
    let (to, rest) = rest.split_at_checked(usize::from(*count)).ok_or(WireError::Malformed)?;
    Ok((*from, to, rest))
}

#[cfg(test)]
mod tests;
