//! Why an offer was refused, and what the offerer has to change.

/// An offer that cannot be answered. All are the offerer's to fix; the same offer never succeeds later.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SdpError {
    /// More bytes or lines than `limits` allows. Remedy: fewer sections, fewer codecs.
    #[error("offer is too long ({size} {unit}, at most {limit}): offer fewer sections or fewer codecs")]
    TooLong {
        /// What the offer has.
        size: usize,
        /// Of what: bytes, lines or sections.
        unit: &'static str,
        /// What is allowed.
        limit: usize,
    },
    /// A control character other than the line ends. Remedy: send the text as `createOffer` gave it.
    #[error("offer holds a control character: send the text as createOffer gave it, lines ended by CR LF")]
    ControlCharacter,
    /// Not SDP (RFC 8866).
    #[error("offer is not SDP as in RFC 8866 ({reason}): send the text as createOffer gave it")]
    Syntax {
        /// What the parser stopped at, cut to a readable length.
        reason: String,
    },
    /// Nothing to negotiate.
    #[error("offer has no media section: add a transceiver or a data channel before createOffer")]
    NoSections,
    /// A section that is not rejected has no `a=mid`.
    #[error("section {index} has no a=mid: give every m= line one (RFC 9143)")]
    MissingMid {
        /// Counted from zero.
        index: usize,
    },
    /// A mid that cannot travel in a header extension.
    #[error("section {index}: a=mid must be 1 to 16 token characters (RFC 8866)")]
    InvalidMid {
        /// Counted from zero.
        index: usize,
    },
    /// Two sections share a mid.
    #[error("a=mid:{mid} is used twice: give every m= line its own")]
    DuplicateMid {
        /// The mid.
        mid: String,
    },
    /// No `a=group:BUNDLE` line.
    #[error("offer has no a=group:BUNDLE: use bundlePolicy max-bundle, all media shares one transport here")]
    NoBundle,
    /// More than one `a=group:BUNDLE` line.
    #[error("offer has several a=group:BUNDLE lines: put all sections into one, all media shares one transport here")]
    SeveralBundles,
    /// A section outside the bundle.
    #[error("section {mid} is not in a=group:BUNDLE: use bundlePolicy max-bundle, all media shares one transport here")]
    NotBundled {
        /// The section.
        mid: String,
    },
    /// A media section without `a=rtcp-mux`.
    #[error("section {mid} has no a=rtcp-mux: use rtcpMuxPolicy require, RTP and RTCP share one port here")]
    MissingRtcpMux {
        /// The section.
        mid: String,
    },
    /// No `a=ice-ufrag` or no `a=ice-pwd`, neither in the first bundled section nor for the session.
    #[error("offer has no a=ice-ufrag or a=ice-pwd: put both into the first bundled section or above the m= lines")]
    MissingIceCredentials,
    /// Lengths outside RFC 8839 §5.4.
    #[error("a=ice-ufrag must have 4 to 256 characters and a=ice-pwd 22 to 256 (RFC 8839)")]
    InvalidIceCredentials,
    /// Both ends would wait for checks.
    #[error("offer says a=ice-lite, and so is the edge: offer from a full ICE agent, one end has to send the checks")]
    IceLite,
    /// No `a=fingerprint`, neither in the first bundled section nor for the session.
    #[error("offer has no a=fingerprint: put the sha-256 of the DTLS certificate into the first bundled section or above the m= lines")]
    MissingFingerprint,
    /// Only hashes the edge doesn't take.
    #[error("a=fingerprint uses only hashes other than sha-256: add a sha-256 one")]
    UnsupportedFingerprint,
    /// Not 32 bytes of hexadecimal.
    #[error("a=fingerprint:sha-256 must be 32 pairs of hexadecimal digits with colons between them")]
    InvalidFingerprint,
    /// No `a=setup`, or one that leaves the edge no role.
    #[error("offer must say a=setup:actpass, active or passive: one end has to begin the DTLS handshake")]
    InvalidSetup,
}
