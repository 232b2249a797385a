//! The ingress direction of one peer: opens RTP and RTCP, and refuses replays.

use super::cipher::Cipher;
use super::replay::SsrcTable;
use super::{MasterKey, SrtpError, SrtpProfile};
use crate::rtp::RtpHeader;

/// Sources one peer may send from, unless said otherwise: 16 publications of four encodings, each with its RTX. Three encodings with
/// RTX, twice, with audio, are 14.
pub const DEFAULT_MAX_SSRCS: usize = 128;
/// Words of an RTP replay window: reaches back 1984 packets, 5 s of a 4 Mbit/s layer, so that resends asked for with
/// NACK are still let in. Takes 264 bytes per source.
const RTP_WINDOW_WORDS: usize = 32;
/// Words of an RTCP replay window: reaches back 192 packets. RFC 3711 §3.3.2 asks for 64.
const RTCP_WINDOW_WORDS: usize = 4;

/// An RTP packet that was opened in place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Unprotected {
    /// Length of the opened packet, header included, tag removed.
    pub len: usize,
    /// Its packet index: rollover counter · 2^16 + sequence number. See [`Seq::from_packet_index`](crate::rtp::Seq::from_packet_index).
    pub index: u64,
}

/// Opens what one peer sends.
///
/// Bounded: at most `max_ssrcs` sources for RTP and as many for RTCP; the next one is refused until one is forgotten.
pub struct SrtpReceiver {
    profile: SrtpProfile,
    rtp: Cipher,
    rtcp: Cipher,
    rtp_sources: SsrcTable<RTP_WINDOW_WORDS>,
    rtcp_sources: SsrcTable<RTCP_WINDOW_WORDS>,
}

impl SrtpReceiver {
    /// A receiver for up to [`DEFAULT_MAX_SSRCS`] sources, with the keys of the direction it receives.
    ///
    /// # Errors
    /// [`SrtpError::Crypto`] if the crypto library refuses the keys.
    pub fn new(master: &MasterKey) -> Result<Self, SrtpError> {
        Self::with_max_ssrcs(master, DEFAULT_MAX_SSRCS)
    }

    /// A receiver for up to `max_ssrcs` sources.
    ///
    /// # Errors
    /// [`SrtpError::Crypto`] if the crypto library refuses the keys.
    pub fn with_max_ssrcs(master: &MasterKey, max_ssrcs: usize) -> Result<Self, SrtpError> {
        let (rtp, rtcp) = master.session_keys()?;
        Ok(Self {
            profile: master.profile(),
            rtp: Cipher::new(&rtp)?,
            rtcp: Cipher::new(&rtcp)?,
            rtp_sources: SsrcTable::new(max_ssrcs),
            rtcp_sources: SsrcTable::new(max_ssrcs),
        })
    }

    /// The profile in use.
    #[must_use]
    pub fn profile(&self) -> SrtpProfile {
        self.profile
    }

    /// Opens `packet`, whose header is `header`, in place.
    ///
    /// After an error the payload bytes of `packet` are undefined. The rollover counter is not on the wire: a source whose
    /// first packets all got lost right at a rollover (browsers start below 2^15 to avoid that), or that lost more than
    /// 2^15 packets in a row, fails authentication from then on. Remedy: a new source, or a new handshake.
    ///
    /// # Errors
    /// Any of [`SrtpError`] but the sender's.
    #[inline]
    pub fn unprotect_rtp(&mut self, packet: &mut [u8], header: &RtpHeader) -> Result<Unprotected, SrtpError> {
        let place = self.rtp_sources.find(header.ssrc)?;
        let index = match place.and_then(|place| self.rtp_sources.window(place)) {
            None => u64::from(header.seq),
            Some(window) => {
                let index = window.estimate(header.seq)?;
                window.check(index)?;
                index
            }
        };
        let len = self.rtp.open_rtp(packet, header.header_len, header.ssrc, index)?;
        self.rtp_sources.accept(header.ssrc, place, index);
        Ok(Unprotected { len, index })
    }

    /// Opens the RTCP compound `packet` in place; returns its length without the trailer.
    ///
    /// # Errors
    /// Any of [`SrtpError`] but the sender's.
    pub fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let &[_, _, _, _, ssrc @ ..] = packet.first_chunk::<8>().ok_or(SrtpError::Truncated)?;
        let ssrc = u32::from_be_bytes(ssrc);
        let index = self.rtcp.rtcp_index(packet).ok_or(SrtpError::Truncated)?;
        let place = self.rtcp_sources.find(ssrc)?;
        if let Some(window) = place.and_then(|place| self.rtcp_sources.window(place)) {
            window.check(u64::from(index))?;
        }
        let len = self.rtcp.open_rtcp(packet, ssrc, index)?;
        self.rtcp_sources.accept(ssrc, place, u64::from(index));
        Ok(len)
    }

    /// Forgets every source but those that `keep` names, to make room. Old packets of a forgotten source could be replayed from then
    /// on, and its roll-over counter is lost: do it only when there is no room.
    pub fn retain(&mut self, keep: impl Fn(u32) -> bool) {
        self.rtp_sources.retain(&keep);
        self.rtcp_sources.retain(&keep);
    }

    /// Sources remembered now, RTP and RTCP.
    #[must_use]
    pub fn sources(&self) -> (usize, usize) {
        (self.rtp_sources.len(), self.rtcp_sources.len())
    }
}

impl std::fmt::Debug for SrtpReceiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SrtpReceiver").field("profile", &self.profile).field("sources", &self.sources()).finish_non_exhaustive()
    }
}
