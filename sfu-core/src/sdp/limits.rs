//! How much of an offer is kept. What lies beyond is refused where dropping it would break the call, else ignored.

/// Largest offer in bytes: it must fit one signalling message. More is refused.
pub const MAX_OFFER_BYTES: usize = nearcast_protocol::MAX_MESSAGE_BYTES;

/// Most lines of an offer; more is refused. Guess: Chromium writes 100 lines for a video section and 30 bytes a line, so the size limit
/// comes first for honest offers, while lines of three bytes would cost the parser twenty times their size.
pub const MAX_OFFER_LINES: usize = 16 * 1024;

/// Most media sections of an offer; more is refused. Guess: a room of a hundred with a slot for each voice and each face.
pub const MAX_SECTIONS: usize = 256;

/// Most codecs kept of a section, in the offerer's order; Chromium offers 10 that the edge knows, H.264 profiles included.
pub const MAX_CODECS: usize = 32;

/// Most header extensions kept of a section. The edge knows 11 kinds.
pub const MAX_EXTENSIONS: usize = 16;

/// Most media SSRCs kept of a section, RTX not counted; simulcast has three.
pub const MAX_SSRCS: usize = 8;

/// Most simulcast layers kept of a section, in the offerer's order. Browsers send three.
pub const MAX_RIDS: usize = crate::layer::MAX_ENCODINGS;

/// Longest `a=mid` in bytes: what a one-byte header extension holds (RFC 8285 §4.2). Longer is refused.
pub const MAX_MID_BYTES: usize = 16;

/// Longest RTP stream id in bytes, for the same reason. A layer with a longer one is ignored.
pub const MAX_RID_BYTES: usize = 16;

/// Longest `a=fmtp` value in bytes that is kept; a codec with a longer one is ignored, as the answer could not repeat it.
pub const MAX_FMTP_BYTES: usize = 255;

/// Longest id in `a=msid` in bytes (RFC 8830 §2). Longer ones are ignored.
pub const MAX_MSID_BYTES: usize = 64;

/// Longest ICE user name fragment and password in bytes (RFC 8839 §5.4). Longer is refused.
pub const MAX_ICE_CREDENTIAL_BYTES: usize = 256;

/// Data channel message size that an offer without `a=max-message-size` accepts, in bytes (RFC 8841 §6.1).
pub const DEFAULT_MAX_MESSAGE_BYTES: u64 = 64 * 1024;
