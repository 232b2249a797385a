//! What a connection is, by its first bytes.
//!
//! | first bytes | what |
//! |---|---|
//! | 0x16 0x03 | TLS: a handshake record (RFC 8446 §5.1) |
//! | a capital letter | HTTP: a method (RFC 9110 §9.1) |
//! | two of length, 0x0001, two of length, the magic cookie | media: a frame (RFC 4571) with a connectivity check (RFC 8489 §5) |
//! | 0x00 or 0x01, one more, two of length, the magic cookie | STUN or TURN over TCP, unframed (RFC 8489 §6.2.2) |
//!
//! No two of them can be taken for each other: the length of a frame with a check begins below 8, and a STUN message whose length holds half the cookie would be longer than any.

use sfu_core::ShardId;
use sfu_core::framing::{LARGEST_FRAME, PREFIX};

/// In every STUN message (RFC 8489 §5).
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

/// A binding request.
const BINDING_REQUEST: [u8; 2] = [0, 1];

/// What a connection is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Opening {
    /// A TLS handshake.
    Tls,
    /// An HTTP request.
    Http,
    /// Media.
    Frame,
    /// STUN or TURN.
    Turn,
}

/// Tells what begins with these bytes. Outer none: more are needed, ten at most. Inner none: nothing that is spoken here.
#[must_use]
pub fn recognize(bytes: &[u8]) -> Option<Option<Opening>> {
    match bytes {
        [] | [0x16] => None,
        [0x16, 3, ..] => Some(Some(Opening::Tls)),
        [b'A'..=b'Z', ..] => Some(Some(Opening::Http)),
        [0..=8, ..] => {
            if bytes.get(4..8)? == MAGIC_COOKIE {
                return Some(Some(Opening::Turn));
            }
            let is_check = bytes.get(6..10)? == MAGIC_COOKIE && bytes.get(2..4)? == BINDING_REQUEST;
            Some(is_check.then_some(Opening::Frame))
        }
        _ => Some(None),
    }
}

/// What is known of a connection's first frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FirstFrame {
    /// More has to be read.
    Unfinished,
    /// A check that names this shard. Whether it is authentic, the shard will see.
    Check(ShardId),
    /// No check, or one that names nobody.
    Stray,
}

/// Whose a connection is.
#[must_use]
pub fn first_frame(bytes: &[u8]) -> FirstFrame {
    let Some(&[high, low]) = bytes.first_chunk::<PREFIX>() else { return FirstFrame::Unfinished };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > LARGEST_FRAME {
        return FirstFrame::Stray;
    }
    match bytes.get(PREFIX..PREFIX + length) {
        None => FirstFrame::Unfinished,
        Some(frame) => sfu_core::steer(frame).map_or(FirstFrame::Stray, FirstFrame::Check),
    }
}

#[cfg(test)]
mod tests;
