//! The parts of a description that belong to the transport, not to a section.

use core::fmt;

/// ICE user name fragment and password of one end (RFC 8839 §5.4).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IceCredentials {
    /// 4 to 256 characters.
    pub ufrag: String,
    /// 22 to 256 characters.
    pub pwd: String,
}

/// SHA-256 of a DTLS certificate (RFC 8122). Displayed as in `a=fingerprint`, upper case with colons.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// Reads `AB:CD:…`, in either case; `None` unless it is exactly 32 bytes.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        let mut pairs = text.split(':');
        for byte in &mut bytes {
            let pair = pairs.next()?;
            if pair.len() != 2 || !pair.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return None;
            }
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        pairs.next().is_none().then_some(Self(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, byte) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { ":" };
            write!(formatter, "{separator}{byte:02X}")?;
        }
        Ok(())
    }
}

/// DTLS role that an offer leaves open or takes (RFC 8842 §5). The edge is the server wherever it may be: it can begin without knowing
/// where its peer is, and chooses the SRTP profile.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Setup {
    /// The answerer chooses; what browsers offer.
    ActPass,
    /// The offerer is the client.
    Active,
    /// The offerer is the server: not what RFC 8842 §5.3 wants of an offer, but what ffmpeg's WHIP muxer writes.
    Passive,
}
