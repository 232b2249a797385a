//! Writing an egress packet's header, with its extensions, straight into the send buffer.

use super::extension::{ONE_BYTE_PROFILE, TWO_BYTE_PROFILE};

#[cfg(test)]
mod tests;

/// Bytes of the fixed header.
const FIXED_LEN: usize = 12;
/// Bytes in front of the extension elements: profile and length.
const BLOCK_HEAD_LEN: usize = 4;

/// Why a header could not be written. Nothing of it is meant to be sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RtpWriteError {
    /// The output is too short. Remedy: give the send buffer room for header, payload and SRTP tag.
    #[error("send buffer too short for the RTP header: make it larger")]
    BufferTooSmall,
    /// An element has id 0 or more than 255 bytes. Remedy: take ids from the negotiated `ExtensionMap`.
    #[error("header extension element does not fit RFC 8285: id 0, or more than 255 bytes")]
    Element,
}

/// The fixed header of an egress packet; never with CSRCs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct EgressHeader {
    /// End of a video frame, or start of a talk spurt.
    pub marker: bool,
    /// 0..=127; the top bit is ignored.
    pub payload_type: u8,
    /// Low 16 bits of the subscriber's sequence number.
    pub seq: u16,
    /// The subscriber's media time.
    pub timestamp: u32,
    /// The subscriber's source.
    pub ssrc: u32,
}

impl EgressHeader {
    /// Writes the header and the extension `elements` into the front of `out`; returns the header's length in bytes,
    /// which is the payload's offset.
    ///
    /// Uses the one-byte form, or the two-byte form when an element is empty, longer than 16 bytes or has an id
    /// above 14 (RFC 8285 §4.2). Browsers that were not told `a=extmap-allow-mixed` may not read the latter.
    /// With no elements there is no extension block.
    ///
    /// # Errors
    /// [`RtpWriteError`]; `out` may then hold part of a header.
    #[inline]
    pub fn write(&self, elements: &[(u8, &[u8])], out: &mut [u8]) -> Result<usize, RtpWriteError> {
        let has_extension = !elements.is_empty();
        let (fixed, rest) = out.split_first_chunk_mut::<FIXED_LEN>().ok_or(RtpWriteError::BufferTooSmall)?;
        *fixed = self.fixed(has_extension);
        if !has_extension {
            return Ok(FIXED_LEN);
        }
        let block_len = write_block(elements, rest)?;
        Ok(FIXED_LEN.saturating_add(block_len))
    }

    /// The same with an extension block that was put together before: most packets of a stream have the same.
    ///
    /// # Errors
    /// [`RtpWriteError::BufferTooSmall`], with `out` untouched.
    #[inline]
    pub fn write_with_block<const N: usize>(&self, block: &[u8; N], out: &mut [u8]) -> Result<usize, RtpWriteError> {
        let (fixed, rest) = out.split_first_chunk_mut::<FIXED_LEN>().ok_or(RtpWriteError::BufferTooSmall)?;
        let place = rest.first_chunk_mut::<N>().ok_or(RtpWriteError::BufferTooSmall)?;
        *fixed = self.fixed(true);
        *place = *block;
        Ok(FIXED_LEN.saturating_add(N))
    }

    #[inline]
    fn fixed(&self, has_extension: bool) -> [u8; FIXED_LEN] {
        let [q0, q1] = self.seq.to_be_bytes();
        let [t0, t1, t2, t3] = self.timestamp.to_be_bytes();
        let [s0, s1, s2, s3] = self.ssrc.to_be_bytes();
        let flags = if has_extension { 0x90 } else { 0x80 };
        let kind = (u8::from(self.marker) << 7) | (self.payload_type & 0x7f);
        [flags, kind, q0, q1, t0, t1, t2, t3, s0, s1, s2, s3]
    }
}

/// Writes the whole extension block; returns its length with its four-byte head.
#[inline]
fn write_block(elements: &[(u8, &[u8])], out: &mut [u8]) -> Result<usize, RtpWriteError> {
    let one_byte = elements.iter().all(|&(id, data)| id <= 14 && matches!(data.len(), 1..=16));
    let (head, body) = out.split_first_chunk_mut::<BLOCK_HEAD_LEN>().ok_or(RtpWriteError::BufferTooSmall)?;
    let room = body.len();
    let mut rest = body;
    for &(id, data) in elements {
        if id == 0 {
            return Err(RtpWriteError::Element);
        }
        let len = u8::try_from(data.len()).map_err(|_| RtpWriteError::Element)?;
        rest = if one_byte { put(rest, &[(id << 4) | (len.saturating_sub(1) & 0x0f)])? } else { put(rest, &[id, len])? };
        rest = put(rest, data)?;
    }
    let unpadded = room.saturating_sub(rest.len());
    let padding = unpadded.wrapping_neg() & 3;
    let zeros = rest.get_mut(..padding).ok_or(RtpWriteError::BufferTooSmall)?;
    zeros.fill(0);
    let len = unpadded.saturating_add(padding);
    let words = u16::try_from(len >> 2).map_err(|_| RtpWriteError::Element)?;
    let [p0, p1] = if one_byte { ONE_BYTE_PROFILE } else { TWO_BYTE_PROFILE }.to_be_bytes();
    let [l0, l1] = words.to_be_bytes();
    *head = [p0, p1, l0, l1];
    Ok(BLOCK_HEAD_LEN.saturating_add(len))
}

/// Copies `bytes` to the front of `out`; returns what is left of it.
#[inline]
fn put<'a>(out: &'a mut [u8], bytes: &[u8]) -> Result<&'a mut [u8], RtpWriteError> {
    let (front, rest) = out.split_at_mut_checked(bytes.len()).ok_or(RtpWriteError::BufferTooSmall)?;
    front.copy_from_slice(bytes);
    Ok(rest)
}

/// Appends `padding` bytes of RTP padding (RFC 3550 §5.1) to the unsealed packet in `buf[..len]` and sets its padding
/// bit; returns the new length. Evens out packet sizes for GSO runs, and makes padding-only probes.
///
/// `padding` of zero leaves the packet as it is. The packet must not have padding yet.
///
/// # Errors
/// [`RtpWriteError::BufferTooSmall`], with `buf` untouched.
pub fn append_padding(buf: &mut [u8], len: usize, padding: u8) -> Result<usize, RtpWriteError> {
    let Some(zeros) = padding.checked_sub(1) else { return Ok(len) };
    let end = len.saturating_add(usize::from(padding));
    let (packet, _) = buf.split_at_mut_checked(end).ok_or(RtpWriteError::BufferTooSmall)?;
    let (body, tail) = packet.split_at_mut_checked(len).ok_or(RtpWriteError::BufferTooSmall)?;
    let flags = body.first_mut().ok_or(RtpWriteError::BufferTooSmall)?;
    *flags |= 0x20;
    if let Some((count, fill)) = tail.split_last_mut() {
        debug_assert_eq!(fill.len(), usize::from(zeros));
        fill.fill(0);
        *count = padding;
    }
    Ok(end)
}
