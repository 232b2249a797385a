//! What an answer is made of. The text is written by `write`.

use super::{Fingerprint, IceCredentials, NegotiatedSection, Offer};
use std::net::SocketAddr;

/// Announced host candidates, each kind best first.
#[derive(Clone, Copy, Debug)]
pub struct Candidates<'a> {
    /// Over UDP. At most 65,535 differ in priority.
    pub udp: &'a [SocketAddr],
    /// Passive ones over TCP (RFC 6544), which every peer likes less than those over UDP. At most 8,191 differ in priority.
    pub tcp: &'a [SocketAddr],
}

/// The edge's answer to an offer.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// What is answered.
    pub offer: &'a Offer,
    /// The edge's, for this peer.
    pub ice: &'a IceCredentials,
    /// Of the edge's DTLS certificate.
    pub fingerprint: Fingerprint,
    /// Where the edge is reached.
    pub candidates: Candidates<'a>,
    /// Random, the same in all answers of a session; below 2^63 (RFC 8829 §5.2.1).
    pub session_id: u64,
    /// One more in each answer of a session.
    pub session_version: u64,
    /// Largest data channel message the edge takes, in bytes.
    pub max_message_size: u32,
    /// One for each section of the offer, in its order. Those that are missing are rejected.
    pub sections: &'a [AnswerSection],
}

/// What becomes of one section.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AnswerSection {
    /// False rejects the section, for good: the offerer's transceiver stops and its tracks end. Accepting one without sending or
    /// receiving (`a=inactive`) keeps it. Sections that the offer rejects, that are of kind `Other` or whose `negotiated` is unusable
    /// are rejected whatever this says.
    pub accept: bool,
    /// From [`negotiate`](super::negotiate); default in data sections.
    pub negotiated: NegotiatedSection,
    /// What the edge sends here, if the offerer receives.
    pub send: Option<EgressStream>,
    /// The edge takes what the offerer sends here.
    pub receive: bool,
}

impl AnswerSection {
    /// A section that the edge wants nothing of.
    pub const REJECTED: Self = Self {
        accept: false,
        negotiated: NegotiatedSection { codecs: Vec::new(), extensions: Vec::new(), rids: Vec::new() },
        send: None,
        receive: false,
    };

    /// The data section, with its SCTP association.
    #[must_use]
    pub fn data() -> Self {
        Self { accept: true, ..Self::default() }
    }
}

/// The stream that a subscriber gets in one section. All texts are tokens (letters, digits, `-`), at most 64 of them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EgressStream {
    /// Of the media.
    pub ssrc: u32,
    /// Of its retransmissions.
    pub rtx_ssrc: Option<u32>,
    /// Id of the browser's `MediaStream`: sections that share it are kept in lip-sync.
    pub stream_id: String,
    /// Id of the browser's track.
    pub track_id: String,
    /// Canonical name (RFC 3550 §6.5.1): the clock that the stream's timestamps follow. Shared for lip-sync.
    pub cname: String,
}
