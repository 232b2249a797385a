//! What travels inside the data channels: one CBOR frame a message.
//!
//! Two channels, opened by both sides without a handshake (`negotiated: true`, RFC 8831 with pre-agreed stream ids):
//! [`RELIABLE_CHANNEL`] (ordered) and [`LOSSY_CHANNEL`] (unordered, no retransmission).

use crate::ParticipantId;
use alloc::{string::String, vec::Vec};
use minicbor::{Decode, Encode};

/// SCTP stream id of the ordered, reliable channel (label `reliable`).
pub const RELIABLE_CHANNEL: u16 = 0;

/// SCTP stream id of the unordered channel without retransmissions (label `lossy`).
pub const LOSSY_CHANNEL: u16 = 1;

/// Largest payload of one message in bytes: what every browser sends without fragmentation trouble (RFC 8841 default is 64 KiB),
/// less a little for the frame around it.
pub const MAX_DATA_PAYLOAD: usize = 60 * 1024;

/// One message between participants.
#[derive(Clone, Debug, Decode, Default, Encode, PartialEq)]
#[cbor(map)]
pub struct DataFrame {
    /// Written by the edge: who sent it. What a sender writes here is ignored.
    #[n(0)]
    pub from: Option<ParticipantId>,
    /// Whom it is for; none: everybody else in the room.
    #[n(1)]
    pub to: Option<ParticipantId>,
    /// Free text to tell messages apart, at most 128 bytes.
    #[n(2)]
    pub topic: Option<String>,
    /// The message.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub payload: Vec<u8>,
    /// The payload is UTF-8 text.
    #[n(4)]
    pub text: bool,
    /// A heartbeat instead of a message: the edge sends it back at once on the channel it came by, and shows it to nobody.
    #[n(5)]
    pub beat: Option<u32>,
}
