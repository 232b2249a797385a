//! RTP on the wire: headers, header extensions, sequence arithmetic, retransmission framing.
//!
//! In: a datagram as it arrived. Out: small `Copy` structs that point into it, and bytes for the egress buffer.
//! Nothing here allocates, keeps state between packets (but the unwrappers) or looks into the payload.
//! Invariants, each with a test in `rtp/*/tests.rs`:
//! * no input makes a function panic (`no_panic_on_any_bytes`);
//! * every range handed out lies inside the packet it was parsed from (`ranges_lie_inside_the_packet`);
//! * what the writer wrote, the parser reads back (`written_headers_read_back`).
//!
//! Not here: opening and sealing (`srtp`), reports and feedback (`rtcp`), what payloads mean (`codec`).

mod datagram;
mod extension;
mod extension_map;
mod header;
mod rtx;
mod seq;
#[cfg(test)]
pub(crate) mod test_bytes;
mod write;

pub use datagram::{DatagramKind, classify};
pub use extension::{AudioLevel, ExtensionElements, Extensions};
pub use extension_map::{ExtensionKind, ExtensionMap, InvalidExtensionId};
pub use header::{ExtensionBlock, RtpError, RtpHeader};
pub use rtx::{rtx_decode, rtx_encode};
pub use seq::Seq;
pub use write::{EgressHeader, RtpWriteError, append_padding};
