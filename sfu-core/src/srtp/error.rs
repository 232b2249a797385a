//! Why a packet could not be sealed or opened.

use aws_lc_rs::error::Unspecified;

/// Why a packet was not sealed or opened. For received packets the remedy is always: count by reason, drop, go on.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SrtpError {
    /// Key or salt has a length the profile does not use. Remedy: export `SrtpProfile::exporter_len` bytes.
    #[error("SRTP key material has the wrong length for its profile: export as many bytes as the profile says")]
    KeyLength,
    /// The buffer has no room for the tag. Remedy: leave `SrtpProfile::rtp_overhead` or `rtcp_overhead` bytes.
    #[error("no room for the SRTP tag: leave the profile's overhead free after the packet")]
    BufferTooSmall,
    /// The packet is shorter than its header and tag.
    #[error("packet shorter than its header and SRTP tag: drop it")]
    Truncated,
    /// The packet index passed in is not the one the RTP header carries. Remedy: pass the index of this packet.
    #[error("packet index and RTP sequence number disagree: pass the index the header was written from")]
    IndexMismatch,
    /// The packet was seen before.
    #[error("SRTP packet replayed: drop it")]
    Replayed,
    /// The packet is so old that the replay window does not reach it.
    #[error("SRTP packet older than the replay window: drop it")]
    TooOld,
    /// The tag does not fit: forged, damaged, sealed with another key, or with a rollover counter that was lost.
    #[error("SRTP authentication failed: drop it")]
    Authentication,
    /// The peer sends from more sources than it may. Remedy: `SrtpReceiver::retain` those that live, or raise the bound.
    #[error("too many SSRCs from one peer: forget ended publications or raise the bound")]
    TooManySsrcs,
    /// All packet indices of this key are used up. Remedy: a new DTLS handshake.
    #[error("SRTP packet index exhausted: make a new key")]
    KeyExhausted,
    /// The crypto library refused for a reason of its own, such as a packet beyond the cipher's limit.
    #[error("the crypto library refused the packet: drop it")]
    Crypto,
}

impl From<Unspecified> for SrtpError {
    fn from(Unspecified: Unspecified) -> Self {
        Self::Crypto
    }
}
