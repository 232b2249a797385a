//! The signalling language in bytes, as `nearcast_protocol::wire` defines it, with a tenth of the code: replacing the derived encoders and
//! decoders took 68 of 183 kB off the wasm, 21 kB gzip (docs/decisions/004). Same bytes out, same values in: `tests` holds the two together
//! message by message, and the struct literals in `decode` stop compiling when the protocol gains a field.
//!
//! More forgiving than the derived decoders in one way: an error code, source or leave reason that a newer edge invented doesn't cost the message.

mod decode;
mod encode;
mod item;

pub(crate) use decode::{data_frame, server_message};
pub(crate) use encode::{Writer, client_envelope, encode_data_frame};
pub(crate) use item::Item;

/// Why bytes are not a message.
#[derive(Debug, PartialEq)]
pub(crate) enum WireError {
    /// A kind of message that this version doesn't know: skip it.
    Unknown,
    /// Not of this protocol.
    Malformed,
}

#[cfg(test)]
mod tests;
