//! Seals and opens SRTP and SRTCP in place: RFC 3711 framing, AES-GCM (RFC 7714) and AES-CM with HMAC-SHA1.
//!
//! In: master keys from the DTLS handshake, packets with room for a tag. Out: the same buffers, sealed or opened.
//! One [`SrtpSender`] and one [`SrtpReceiver`] per peer; they share nothing, since each direction has its own keys.
//! Invariants, each with a test of the same name in `srtp/tests/`:
//! * `state_changes_only_after_authentication`: a forged packet costs its own check and nothing else;
//! * `replayed_packets_are_refused`, also across rollover, and late ones inside the window are not;
//! * `tables_are_bounded`: a peer cannot make its edge remember more than `max_ssrcs` sources.
//!
//! Not here: which keys to use when (the DTLS side), what packets say (`rtp`, `rtcp`).

mod cipher;
mod error;
mod kdf;
mod profile;
mod receiver;
mod replay;
mod sender;

#[cfg(test)]
mod tests;

pub use error::SrtpError;
pub use kdf::{MasterKey, SrtpKeys};
pub use profile::SrtpProfile;
pub use receiver::{DEFAULT_MAX_SSRCS, SrtpReceiver, Unprotected};
pub use sender::SrtpSender;

/// Most bytes that sealing adds to an RTP packet, over all profiles.
pub const MAX_RTP_OVERHEAD: usize = 16;
/// Most bytes that sealing adds to an RTCP packet, over all profiles: tag and index word.
pub const MAX_RTCP_OVERHEAD: usize = 20;
