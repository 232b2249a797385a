//! Writing compounds, packet after packet, into a buffer that has room for the SRTCP trailer behind them.

use super::feedback::REMB_ID;
use super::report::{BLOCK_LEN, INFO_LEN, ReportBlock, SenderInfo};
use super::source::CNAME;
use super::{feedback_type, packet_type};

#[cfg(test)]
mod tests;

/// Report blocks that fit one SR or RR; the sources that fit one BYE (RFC 3550 §6.4.1: five bits of count).
pub const MAX_REPORT_BLOCKS: usize = 31;
/// Bytes of the common header.
const HEADER_LEN: usize = 4;
/// Bytes of sender and media source in front of every feedback message.
const SOURCES_LEN: usize = 8;

/// Why a packet was not written. The compound is then as it was before.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RtcpWriteError {
    /// Too little room is left. Remedy: send what there is, write this one into the next compound.
    #[error("no room left in the RTCP compound: send it and start another")]
    BufferTooSmall,
    /// More blocks, sources or bytes of text than one packet can carry. Remedy: spread them over several packets.
    #[error("more items than one RTCP packet can carry: spread them over several")]
    TooMany,
}

/// Writes RTCP packets one after another into a buffer.
///
/// Leave [`MAX_RTCP_OVERHEAD`](crate::srtp::MAX_RTCP_OVERHEAD) bytes of the datagram out of `out`: sealing needs them.
#[derive(Debug)]
pub struct CompoundWriter<'a> {
    out: &'a mut [u8],
    len: usize,
}

impl<'a> CompoundWriter<'a> {
    /// An empty compound that may fill `out`.
    #[must_use]
    pub fn new(out: &'a mut [u8]) -> Self {
        Self { out, len: 0 }
    }

    /// Bytes written.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was written yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes that still fit.
    #[must_use]
    pub fn room(&self) -> usize {
        self.out.len().saturating_sub(self.len)
    }

    /// What was written.
    #[must_use]
    pub fn written(&self) -> &[u8] {
        self.out.get(..self.len).unwrap_or_default()
    }

    /// Adds a sender report with up to [`MAX_REPORT_BLOCKS`] blocks.
    ///
    /// # Errors
    /// [`RtcpWriteError`], with nothing written.
    pub fn sender_report(&mut self, ssrc: u32, info: &SenderInfo, blocks: &[ReportBlock]) -> Result<(), RtcpWriteError> {
        let count = five_bits(blocks.len())?;
        let body_len = INFO_LEN.saturating_add(4).saturating_add(blocks.len().saturating_mul(BLOCK_LEN));
        let mut body = self.open(packet_type::SENDER_REPORT, count, body_len)?;
        body.put(ssrc.to_be_bytes());
        body.put(info.ntp.to_be_bytes());
        body.put(info.rtp_timestamp.to_be_bytes());
        body.put(info.packets.to_be_bytes());
        body.put(info.octets.to_be_bytes());
        body.put_blocks(blocks);
        Ok(())
    }

    /// Adds a receiver report with up to [`MAX_REPORT_BLOCKS`] blocks; with none it is the empty report that starts a
    /// compound of somebody who receives nothing.
    ///
    /// # Errors
    /// [`RtcpWriteError`], with nothing written.
    pub fn receiver_report(&mut self, ssrc: u32, blocks: &[ReportBlock]) -> Result<(), RtcpWriteError> {
        let count = five_bits(blocks.len())?;
        let body_len = blocks.len().saturating_mul(BLOCK_LEN).saturating_add(4);
        let mut body = self.open(packet_type::RECEIVER_REPORT, count, body_len)?;
        body.put(ssrc.to_be_bytes());
        body.put_blocks(blocks);
        Ok(())
    }

    /// Adds a source description with the canonical name of one source, at most 255 bytes of it.
    ///
    /// # Errors
    /// [`RtcpWriteError`], with nothing written.
    pub fn sdes_cname(&mut self, ssrc: u32, cname: &[u8]) -> Result<(), RtcpWriteError> {
        let text_len = u8::try_from(cname.len()).map_err(|_| RtcpWriteError::TooMany)?;
        // Source, item type and length, text, then one to four zeros up to the next word.
        let body_len = cname.len().saturating_add(7).next_multiple_of(4);
        let mut body = self.open(packet_type::SDES, 1, body_len)?;
        body.put(ssrc.to_be_bytes());
        body.put([CNAME, text_len]);
        body.put_slice(cname);
        body.put_zeros();
        Ok(())
    }

    /// Adds a BYE for up to [`MAX_REPORT_BLOCKS`] sources.
    ///
    /// # Errors
    /// [`RtcpWriteError`], with nothing written.
    pub fn bye(&mut self, ssrcs: &[u32]) -> Result<(), RtcpWriteError> {
        let count = five_bits(ssrcs.len())?;
        let mut body = self.open(packet_type::BYE, count, ssrcs.len().saturating_mul(4))?;
        ssrcs.iter().for_each(|ssrc| body.put(ssrc.to_be_bytes()));
        Ok(())
    }

    /// Adds a generic NACK for `lost`, which are in stream order (through a wrap too); neighbours share an entry.
    ///
    /// # Errors
    /// [`RtcpWriteError`], with nothing written.
    pub fn nack(&mut self, sender_ssrc: u32, media_ssrc: u32, lost: &[u16]) -> Result<(), RtcpWriteError> {
        let body_len = nack_entries(lost).count().saturating_mul(4).saturating_add(SOURCES_LEN);
        let mut body = self.open(packet_type::TRANSPORT_FEEDBACK, feedback_type::NACK, body_len)?;
        body.put_sources(sender_ssrc, media_ssrc);
        for (first, mask) in nack_entries(lost) {
            body.put(first.to_be_bytes());
            body.put(mask.to_be_bytes());
        }
        Ok(())
    }

    /// Adds a picture loss indication.
    ///
    /// # Errors
    /// [`RtcpWriteError::BufferTooSmall`], with nothing written.
    pub fn pli(&mut self, sender_ssrc: u32, media_ssrc: u32) -> Result<(), RtcpWriteError> {
        self.open(packet_type::PAYLOAD_FEEDBACK, feedback_type::PLI, SOURCES_LEN)?.put_sources(sender_ssrc, media_ssrc);
        Ok(())
    }

    /// Adds a full intra request to each `(source, request number)`.
    ///
    /// # Errors
    /// [`RtcpWriteError`], with nothing written.
    pub fn fir(&mut self, sender_ssrc: u32, entries: &[(u32, u8)]) -> Result<(), RtcpWriteError> {
        let body_len = entries.len().saturating_mul(8).saturating_add(SOURCES_LEN);
        let mut body = self.open(packet_type::PAYLOAD_FEEDBACK, feedback_type::FIR, body_len)?;
        body.put_sources(sender_ssrc, 0); // RFC 5104 §4.3.1.2: unused, zero
        for (ssrc, number) in entries {
            body.put(ssrc.to_be_bytes());
            body.put([*number, 0, 0, 0]);
        }
        Ok(())
    }

    /// Adds an estimate of `bitrate` (bits per second, rounded down to 18 significant bits) for up to 255 sources.
    ///
    /// # Errors
    /// [`RtcpWriteError`], with nothing written.
    pub fn remb(&mut self, sender_ssrc: u32, bitrate: u64, ssrcs: &[u32]) -> Result<(), RtcpWriteError> {
        let count = u8::try_from(ssrcs.len()).map_err(|_| RtcpWriteError::TooMany)?;
        let exponent = 46u32.saturating_sub(bitrate.leading_zeros()); // leaves 18 bits
        let mantissa = bitrate >> exponent;
        let [.., m0, m1, m2] = mantissa.to_be_bytes();
        let [.., exponent] = exponent.to_be_bytes();
        let body_len = ssrcs.len().saturating_mul(4).saturating_add(SOURCES_LEN).saturating_add(8);
        let mut body = self.open(packet_type::PAYLOAD_FEEDBACK, feedback_type::APPLICATION, body_len)?;
        body.put_sources(sender_ssrc, 0);
        body.put(REMB_ID);
        body.put([count, (exponent << 2) | (m0 & 3), m1, m2]);
        ssrcs.iter().for_each(|ssrc| body.put(ssrc.to_be_bytes()));
        Ok(())
    }

    /// Writes a common header and makes room for a body of `body_len` bytes, rounded up to words with zeros.
    pub(super) fn open(&mut self, packet_type: u8, count: u8, body_len: usize) -> Result<Body<'_>, RtcpWriteError> {
        let body_len = body_len.checked_next_multiple_of(4).ok_or(RtcpWriteError::TooMany)?;
        let words = u16::try_from(body_len >> 2).map_err(|_| RtcpWriteError::TooMany)?;
        let free = self.out.get_mut(self.len..).ok_or(RtcpWriteError::BufferTooSmall)?;
        let (header, rest) = free.split_first_chunk_mut::<HEADER_LEN>().ok_or(RtcpWriteError::BufferTooSmall)?;
        let body = rest.get_mut(..body_len).ok_or(RtcpWriteError::BufferTooSmall)?;
        let [l0, l1] = words.to_be_bytes();
        *header = [0x80 | (count & 0x1f), packet_type, l0, l1];
        self.len = self.len.saturating_add(HEADER_LEN).saturating_add(body_len);
        Ok(Body { rest: body })
    }
}

/// A count for the header's five bits.
fn five_bits(count: usize) -> Result<u8, RtcpWriteError> {
    if count > MAX_REPORT_BLOCKS {
        return Err(RtcpWriteError::TooMany);
    }
    u8::try_from(count).map_err(|_| RtcpWriteError::TooMany)
}

/// Groups numbers in stream order into `(first, mask of the 16 after it)`.
fn nack_entries(lost: &[u16]) -> impl Iterator<Item = (u16, u16)> {
    let mut rest = lost;
    std::iter::from_fn(move || {
        let (&first, after) = rest.split_first()?;
        rest = after;
        let mut mask = 0;
        while let Some((next, after)) = rest.split_first() {
            match next.wrapping_sub(first) {
                0 => {}
                step @ 1..=16 => mask |= 1u16 << (step.wrapping_sub(1)),
                _ => break,
            }
            rest = after;
        }
        Some((first, mask))
    })
}

/// The body of a packet being written. It was made as long as what will be put in; more is not written.
#[derive(Debug)]
pub(super) struct Body<'a> {
    rest: &'a mut [u8],
}

impl Body<'_> {
    pub(super) fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        self.put_slice(&bytes);
    }

    pub(super) fn put_sources(&mut self, sender: u32, media: u32) {
        self.put(sender.to_be_bytes());
        self.put(media.to_be_bytes());
    }

    pub(super) fn put_zeros(&mut self) {
        self.rest.fill(0);
    }

    fn put_blocks(&mut self, blocks: &[ReportBlock]) {
        for word in blocks.iter().flat_map(ReportBlock::words) {
            self.put(word);
        }
    }

    fn put_slice(&mut self, bytes: &[u8]) {
        debug_assert!(bytes.len() <= self.rest.len(), "the body was opened too short");
        if let Some((front, rest)) = std::mem::take(&mut self.rest).split_at_mut_checked(bytes.len()) {
            front.copy_from_slice(bytes);
            self.rest = rest;
        }
    }
}
