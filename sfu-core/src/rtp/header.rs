//! The RTP fixed header, CSRC list and the place of the extension block. Source: RFC 3550 §5.1 and §5.3.1.

use std::ops::Range;

use super::{ExtensionElements, ExtensionMap, Extensions};

#[cfg(test)]
mod tests;

/// Bytes of the fixed part.
const FIXED_LEN: usize = 12;

/// What is wrong with a packet that claims to be RTP. Remedy in every case: count by reason, drop, go on.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RtpError {
    /// The packet ends inside the fixed header, the CSRC list or the extension block.
    #[error("RTP packet ends inside its header: drop it")]
    Truncated,
    /// The version field is not 2.
    #[error("not RTP version 2: drop it")]
    Version,
    /// The padding count is zero or reaches into the header (RFC 3550 §5.1 counts the count byte itself).
    #[error("RTP padding count does not fit the payload: drop it")]
    Padding,
}

/// Where a packet's header extension block lies, and in which form it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ExtensionBlock {
    /// The 16 bits "defined by profile": 0xBEDE for one-byte elements, 0x100x for two-byte ones (RFC 8285 §4.2, §4.3).
    pub profile: u16,
    /// Offset of the first element, in bytes from the start of the packet (just after the length word).
    pub start: usize,
    /// Length of the elements with their padding, in bytes; a multiple of four.
    pub len: usize,
}

/// A parsed RTP header: plain numbers and offsets, valid for the packet it was parsed from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RtpHeader {
    /// End of a video frame, or start of a talk spurt.
    pub marker: bool,
    /// 0..=127.
    pub payload_type: u8,
    /// Sequence number as on the wire.
    pub seq: u16,
    /// Media time in units of the payload type's clock rate, as on the wire.
    pub timestamp: u32,
    /// Synchronisation source.
    pub ssrc: u32,
    /// Contributing sources listed, 0..=15.
    pub csrc_count: u8,
    /// The payload ends in padding; how much is readable only once the packet is opened: [`RtpHeader::payload_range`].
    pub has_padding: bool,
    /// Offset of the payload, in bytes: fixed header, CSRC list and extension block.
    pub header_len: usize,
    /// The extension block, if there is one.
    pub extension: Option<ExtensionBlock>,
}

impl RtpHeader {
    /// Parses the header of `packet`, which may still be sealed: SRTP leaves headers in the clear.
    ///
    /// # Errors
    /// [`RtpError::Truncated`] or [`RtpError::Version`].
    #[inline]
    pub fn parse(packet: &[u8]) -> Result<Self, RtpError> {
        let (&[flags, kind, q0, q1, t0, t1, t2, t3, s0, s1, s2, s3], rest) =
            packet.split_first_chunk::<FIXED_LEN>().ok_or(RtpError::Truncated)?;
        if flags >> 6 != 2 {
            return Err(RtpError::Version);
        }
        let csrc_count = flags & 0x0f;
        let csrc_len = usize::from(csrc_count).saturating_mul(4);
        let mut header_len = FIXED_LEN.saturating_add(csrc_len);
        let after_csrc = rest.get(csrc_len..).ok_or(RtpError::Truncated)?;
        let extension = if flags & 0x10 == 0 {
            None
        } else {
            let (&[p0, p1, l0, l1], elements) = after_csrc.split_first_chunk::<4>().ok_or(RtpError::Truncated)?;
            let len = usize::from(u16::from_be_bytes([l0, l1])).saturating_mul(4);
            if elements.len() < len {
                return Err(RtpError::Truncated);
            }
            let start = header_len.saturating_add(4);
            header_len = start.saturating_add(len);
            Some(ExtensionBlock { profile: u16::from_be_bytes([p0, p1]), start, len })
        };
        Ok(Self {
            marker: kind & 0x80 != 0,
            payload_type: kind & 0x7f,
            seq: u16::from_be_bytes([q0, q1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([s0, s1, s2, s3]),
            csrc_count,
            has_padding: flags & 0x20 != 0,
            header_len,
            extension,
        })
    }

    /// The payload of the opened `packet`, without its padding. Empty for padding-only packets (bandwidth probes).
    ///
    /// # Errors
    /// [`RtpError::Padding`] if the count does not fit, [`RtpError::Truncated`] if `packet` is shorter than its header.
    #[inline]
    pub fn payload_range(&self, packet: &[u8]) -> Result<Range<usize>, RtpError> {
        let payload = packet.get(self.header_len..).ok_or(RtpError::Truncated)?;
        let padding = match (self.has_padding, payload.last()) {
            (false, _) => 0,
            (true, None | Some(0)) => return Err(RtpError::Padding),
            (true, Some(&count)) => usize::from(count),
        };
        let payload_len = payload.len().checked_sub(padding).ok_or(RtpError::Padding)?;
        Ok(self.header_len..self.header_len.saturating_add(payload_len))
    }

    /// The extension elements of `packet` in wire order, whatever their ids were negotiated to mean.
    #[inline]
    #[must_use]
    pub fn extension_elements<'a>(&self, packet: &'a [u8]) -> ExtensionElements<'a> {
        match self.extension {
            None => ExtensionElements::empty(),
            Some(block) => {
                let end = block.start.saturating_add(block.len);
                ExtensionElements::new(block.profile, packet.get(block.start..end).unwrap_or_default())
            }
        }
    }

    /// All extensions of `packet` that `map` knows, read in one pass.
    #[inline]
    #[must_use]
    pub fn extensions<'a>(&self, packet: &'a [u8], map: &ExtensionMap) -> Extensions<'a> {
        Extensions::read(self.extension_elements(packet), map)
    }
}
