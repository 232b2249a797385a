//! An offer as values: what the offerer has, wants and can do. Filled by `parse`, bounded by [`limits`](super::limits).

use super::{CodecKey, Fingerprint, IceCredentials, Setup};
use crate::rtp::ExtensionKind;
use nearcast_protocol::Mid;

/// A peer's offer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Offer {
    /// Of the one bundled transport.
    pub ice: IceCredentials,
    /// Of the offerer's DTLS certificate.
    pub fingerprint: Fingerprint,
    /// DTLS role the offerer leaves the edge.
    pub setup: Setup,
    /// In the order of the m-lines; at least one.
    pub sections: Vec<Section>,
    /// The offerer reads one-byte and two-byte header extensions in one stream (RFC 8285 §6).
    pub extmap_allow_mixed: bool,
    /// Position of the section whose transport the bundle uses (RFC 9143 §7.2).
    pub(super) tagged: usize,
}

impl Offer {
    /// The section called `mid`.
    #[must_use]
    pub fn section(&self, mid: &Mid) -> Option<&Section> {
        self.sections.iter().find(|section| section.mid == *mid)
    }
}

/// One m-line and what belongs to it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Section {
    /// Unique in the offer. Empty only when the section is rejected.
    pub mid: Mid,
    /// What travels in it.
    pub kind: SectionKind,
    /// As the offerer sees it.
    pub direction: Direction,
    /// Port 0 without `a=bundle-only`: the offerer stopped it, and the answer must reject it too.
    pub rejected: bool,
    /// Codecs that the edge knows, in the offerer's order of preference.
    pub codecs: Vec<OfferedCodec>,
    /// Header extensions that the edge knows. Over the whole offer an id means one kind and a kind has one id.
    pub extensions: Vec<HeaderExtension>,
    /// What the offerer will send, when it says so; Chromium doesn't for simulcast.
    pub ssrcs: Vec<SourceSsrc>,
    /// Simulcast layers that the offerer can send (`a=simulcast:send`), in its order.
    pub rids: Vec<String>,
    /// Stream and track id (`a=msid`); the track id may be empty.
    pub msid: Option<(String, String)>,
    /// The offerer takes RTCP packets that aren't compound (RFC 5506).
    pub rtcp_rsize: bool,
    /// Port of the SCTP association, in data sections.
    pub sctp_port: Option<u16>,
    /// Largest data channel message the offerer takes, in bytes; 0 is any. `Some` in data sections.
    pub max_message_size: Option<u64>,
    pub(super) line: MediaLine,
}

impl Section {
    /// The offerer wants to send media here.
    #[must_use]
    pub const fn sends(&self) -> bool {
        self.direction.sends()
    }

    /// The offerer wants to receive media here.
    #[must_use]
    pub const fn receives(&self) -> bool {
        self.direction.receives()
    }
}

/// Words of the m-line that the answer repeats, even to reject it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct MediaLine {
    pub(super) media: String,
    pub(super) protocol: String,
    pub(super) first_format: String,
}

/// What travels in a section.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SectionKind {
    /// RTP, audio.
    Audio,
    /// RTP, video.
    Video,
    /// Data channels. At most one section of an offer: a transport has one SCTP association.
    Data,
    /// Anything else, over any other transport: always rejected.
    Other,
}

/// Which way something goes, as one end sees it (RFC 8866 §6.7).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Direction {
    /// Both ways; what SDP means by saying nothing.
    #[default]
    SendRecv,
    /// Only away from this end.
    SendOnly,
    /// Only to this end.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// From what it consists of.
    #[must_use]
    pub const fn new(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// Away from this end.
    #[must_use]
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// To this end.
    #[must_use]
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The same as the other end sees it.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self::new(self.receives(), self.sends())
    }

    /// The SDP attribute.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    /// The direction that `text` names.
    #[must_use]
    pub fn from_name(text: &str) -> Option<Self> {
        [Self::SendRecv, Self::SendOnly, Self::RecvOnly, Self::Inactive].into_iter().find(|direction| direction.as_str() == text)
    }
}

/// A codec with its payload types.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OfferedCodec {
    /// 0 to 63 or 96 to 127: the rest collides with RTCP on one port (RFC 5761 §4).
    pub payload_type: u8,
    /// What has to match for a packet to be understood.
    pub key: CodecKey,
    /// Payload type of its retransmissions (RFC 4588).
    pub rtx_payload_type: Option<u8>,
    /// Format parameters, the text after the payload type in `a=fmtp`.
    pub fmtp: Option<String>,
    /// RTCP feedback for it.
    pub feedback: Feedback,
}

/// RTCP feedback messages (`a=rtcp-fb`) that the edge knows.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Feedback {
    /// Asks for lost packets (RFC 4585).
    pub nack: bool,
    /// Asks for a key frame (RFC 4585).
    pub pli: bool,
    /// Asks for a key frame (RFC 5104).
    pub fir: bool,
    /// Reports arrivals of all packets of the transport.
    pub transport_cc: bool,
    /// Reports the receiver's estimate.
    pub remb: bool,
}

/// A header extension with its id (RFC 8285).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HeaderExtension {
    /// 1 to 14, or 16 to 255 when the offer allows mixed headers.
    pub id: u8,
    /// What it carries.
    pub kind: ExtensionKind,
    /// Who may send it, as the offerer sees it.
    pub direction: Direction,
}

/// An RTP stream that the offerer announces.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SourceSsrc {
    /// Of the media.
    pub ssrc: u32,
    /// Of its retransmissions (`a=ssrc-group:FID`).
    pub rtx: Option<u32>,
}
