//! The egress direction of one peer: seals RTP and RTCP.

use super::cipher::Cipher;
use super::replay::MAX_RTP_INDEX;
use super::{MasterKey, SrtpError, SrtpProfile};

#[cfg(test)]
mod tests;

/// SRTCP indices have 31 bits (RFC 3711 §3.2.1).
const MAX_RTCP_INDEX: u32 = (1 << 31) - 1;

/// Seals what is sent to one peer.
///
/// RTP needs no state here: whoever numbers the packets passes the 48-bit index. RTCP of all sources shares one counter,
/// which makes every index unique, as each source's own counter would.
pub struct SrtpSender {
    profile: SrtpProfile,
    rtp: Cipher,
    rtcp: Cipher,
    next_rtcp_index: u32,
}

impl SrtpSender {
    /// A sender with the keys of the direction it sends in.
    ///
    /// # Errors
    /// [`SrtpError::Crypto`] if the crypto library refuses the keys.
    pub fn new(master: &MasterKey) -> Result<Self, SrtpError> {
        let (rtp, rtcp) = master.session_keys()?;
        Ok(Self { profile: master.profile(), rtp: Cipher::new(&rtp)?, rtcp: Cipher::new(&rtcp)?, next_rtcp_index: 0 })
    }

    /// The profile in use.
    #[must_use]
    pub fn profile(&self) -> SrtpProfile {
        self.profile
    }

    /// Seals the RTP packet `buf[..len]`, whose payload starts at `header_len`; returns the sealed length.
    ///
    /// `index` is rollover counter · 2^16 + sequence number ([`Seq::packet_index`](crate::rtp::Seq::packet_index)), and its
    /// low bits must be the header's sequence number. **Never seal two different packets of a source with one index**:
    /// it gives away GCM's authentication key. A resend takes an index of the RTX source, or is the same to the byte.
    ///
    /// # Errors
    /// [`SrtpError::BufferTooSmall`], [`SrtpError::Truncated`], [`SrtpError::IndexMismatch`], [`SrtpError::KeyExhausted`].
    #[inline]
    pub fn protect_rtp(&self, buf: &mut [u8], len: usize, header_len: usize, index: u64) -> Result<usize, SrtpError> {
        let sealed_len = len.saturating_add(self.profile.rtp_overhead());
        let packet = buf.get_mut(..sealed_len).ok_or(SrtpError::BufferTooSmall)?;
        let &[_, _, q0, q1, _, _, _, _, s0, s1, s2, s3] = packet.first_chunk::<12>().ok_or(SrtpError::Truncated)?;
        if !(12..=len).contains(&header_len) {
            return Err(SrtpError::Truncated);
        }
        if index & 0xffff != u64::from(u16::from_be_bytes([q0, q1])) {
            return Err(SrtpError::IndexMismatch);
        }
        if index > MAX_RTP_INDEX {
            return Err(SrtpError::KeyExhausted);
        }
        self.rtp.seal_rtp(packet, header_len, u32::from_be_bytes([s0, s1, s2, s3]), index)?;
        Ok(sealed_len)
    }

    /// Seals the RTCP compound `buf[..len]`; returns the sealed length.
    ///
    /// # Errors
    /// [`SrtpError::BufferTooSmall`], [`SrtpError::Truncated`], [`SrtpError::KeyExhausted`].
    pub fn protect_rtcp(&mut self, buf: &mut [u8], len: usize) -> Result<usize, SrtpError> {
        let sealed_len = len.saturating_add(self.profile.rtcp_overhead());
        let packet = buf.get_mut(..sealed_len).ok_or(SrtpError::BufferTooSmall)?;
        let &[_, _, _, _, ssrc @ ..] = packet.first_chunk::<8>().ok_or(SrtpError::Truncated)?;
        if len < 8 {
            return Err(SrtpError::Truncated);
        }
        let index = self.next_rtcp_index;
        if index > MAX_RTCP_INDEX {
            return Err(SrtpError::KeyExhausted);
        }
        self.next_rtcp_index = index.saturating_add(1);
        self.rtcp.seal_rtcp(packet, u32::from_be_bytes(ssrc), index)?;
        Ok(sealed_len)
    }
}

impl std::fmt::Debug for SrtpSender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SrtpSender").field("profile", &self.profile).field("next_rtcp_index", &self.next_rtcp_index).finish_non_exhaustive()
    }
}
