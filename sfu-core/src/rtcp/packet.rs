//! Walking a compound: the common header (RFC 3550 §6.4.1) and what follows it, packet by packet.

use super::{Bye, Fir, Nack, Pli, ReceiverReport, Remb, Sdes, SenderReport, TransportFeedback, feedback_type, packet_type};

#[cfg(test)]
mod tests;

/// What is wrong with an RTCP packet. Remedy in every case: count by reason, drop the rest of the compound, go on.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RtcpError {
    /// The datagram ends before the packet does.
    #[error("RTCP packet ends before its length: drop it")]
    Truncated,
    /// The version field is not 2.
    #[error("not RTCP version 2: drop it")]
    Version,
    /// The padding count is zero or larger than the packet.
    #[error("RTCP padding count does not fit the packet: drop it")]
    Padding,
    /// The packet is shorter than its type and counts demand, or contradicts itself.
    #[error("RTCP packet of type {packet_type} is malformed: drop it")]
    Body {
        /// The packet's type.
        packet_type: u8,
    },
}

/// One RTCP packet; slices point into the compound.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RtcpPacket<'a> {
    /// SR: a sender's clocks and counts, and what it receives.
    SenderReport(SenderReport<'a>),
    /// RR: what a participant receives.
    ReceiverReport(ReceiverReport<'a>),
    /// SDES: names of sources.
    Sdes(Sdes<'a>),
    /// BYE: sources that end.
    Bye(Bye<'a>),
    /// Generic NACK: packets that are missing.
    Nack(Nack<'a>),
    /// Transport-wide congestion control: when each packet arrived.
    TransportFeedback(TransportFeedback<'a>),
    /// PLI: a decoder lost its picture and wants a key frame.
    Pli(Pli),
    /// FIR: somebody new wants a key frame.
    Fir(Fir<'a>),
    /// REMB: a receiver's estimate of the rate it can take.
    Remb(Remb<'a>),
    /// Anything else: XR, APP, other feedback.
    Other {
        /// The packet type.
        packet_type: u8,
        /// The five bits beside the version: a count, or the feedback message type.
        count: u8,
    },
}

/// Iterates over the packets of an opened RTCP datagram, which may be reduced-size (RFC 5506). Ends after an error.
#[must_use]
pub fn packets(compound: &[u8]) -> Packets<'_> {
    Packets { rest: compound }
}

/// See [`packets`].
#[derive(Clone, Debug)]
pub struct Packets<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<RtcpPacket<'a>, RtcpError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let result = self.parse_next();
        if result.is_err() {
            self.rest = &[];
        }
        Some(result)
    }
}

impl<'a> Packets<'a> {
    fn parse_next(&mut self) -> Result<RtcpPacket<'a>, RtcpError> {
        let (&[flags, packet_type, l0, l1], rest) = self.rest.split_first_chunk::<4>().ok_or(RtcpError::Truncated)?;
        if flags >> 6 != 2 {
            return Err(RtcpError::Version);
        }
        let len = usize::from(u16::from_be_bytes([l0, l1])).saturating_mul(4);
        let (body, rest) = rest.split_at_checked(len).ok_or(RtcpError::Truncated)?;
        self.rest = rest;
        let body = if flags & 0x20 == 0 { body } else { without_padding(body)? };
        let count = flags & 0x1f;
        RtcpPacket::parse(packet_type, count, body).ok_or(RtcpError::Body { packet_type })
    }
}

fn without_padding(body: &[u8]) -> Result<&[u8], RtcpError> {
    let padding = body.last().copied().filter(|count| *count != 0).ok_or(RtcpError::Padding)?;
    let len = body.len().checked_sub(usize::from(padding)).ok_or(RtcpError::Padding)?;
    body.get(..len).ok_or(RtcpError::Padding)
}

impl<'a> RtcpPacket<'a> {
    fn parse(packet_type: u8, count: u8, body: &'a [u8]) -> Option<Self> {
        Some(match (packet_type, count) {
            (packet_type::SENDER_REPORT, _) => Self::SenderReport(SenderReport::parse(count, body)?),
            (packet_type::RECEIVER_REPORT, _) => Self::ReceiverReport(ReceiverReport::parse(count, body)?),
            (packet_type::SDES, _) => Self::Sdes(Sdes::parse(count, body)),
            (packet_type::BYE, _) => Self::Bye(Bye::parse(count, body)?),
            (packet_type::TRANSPORT_FEEDBACK, feedback_type::NACK) => Self::Nack(Nack::parse(body)?),
            (packet_type::TRANSPORT_FEEDBACK, feedback_type::TWCC) => Self::TransportFeedback(TransportFeedback::parse(body)?),
            (packet_type::PAYLOAD_FEEDBACK, feedback_type::PLI) => Self::Pli(Pli::parse(body)?),
            (packet_type::PAYLOAD_FEEDBACK, feedback_type::FIR) => Self::Fir(Fir::parse(body)?),
            (packet_type::PAYLOAD_FEEDBACK, feedback_type::APPLICATION) => match Remb::parse(body)? {
                Some(remb) => Self::Remb(remb),
                None => Self::Other { packet_type, count },
            },
            _ => Self::Other { packet_type, count },
        })
    }
}
