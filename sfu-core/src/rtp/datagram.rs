//! Which protocol a datagram on the shared port belongs to, from its first two bytes.

#[cfg(test)]
mod tests;

/// Protocols that share one UDP port. Source: RFC 7983 §7, with RFC 5761 §4 parting RTP from RTCP.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum DatagramKind {
    /// First byte 0..=3.
    Stun,
    /// First byte 20..=63.
    Dtls,
    /// First byte 64..=79: TURN channel data.
    TurnChannel,
    /// First byte 128..=191, second byte outside 192..=223.
    Rtp,
    /// First byte 128..=191, second byte 192..=223.
    Rtcp,
    /// Anything else, ZRTP (16..=19) and empty datagrams included. Remedy: count and drop.
    Unknown,
}

/// Sorts a datagram by its first bytes. Says nothing about its validity.
///
/// A lone byte in the RTP range counts as [`DatagramKind::Unknown`]: neither RTP nor RTCP can be that short.
#[must_use]
pub fn classify(datagram: &[u8]) -> DatagramKind {
    match *datagram {
        [0..=3, ..] => DatagramKind::Stun,
        [20..=63, ..] => DatagramKind::Dtls,
        [64..=79, ..] => DatagramKind::TurnChannel,
        [128..=191, 192..=223, ..] => DatagramKind::Rtcp,
        [128..=191, _, ..] => DatagramKind::Rtp,
        _ => DatagramKind::Unknown,
    }
}
