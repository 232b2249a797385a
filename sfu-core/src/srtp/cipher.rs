//! The two packet transforms: AES-GCM (RFC 7714) and AES-CM with HMAC-SHA1-80 (RFC 3711).
//!
//! Each works in place on a buffer whose last bytes are the trailer, on session keys, and knows nothing of replay.
//! Key schedules are made once per peer: aws-lc-rs's `LessSafeKey`, `EncryptingKey` and `hmac::Key` all keep theirs,
//! so a packet pays for its own blocks and (CM) one copy of the keyed HMAC state. Measured for 1200 B on a Xeon with
//! SHA-NI (`benches/wire.rs`): GCM 0.19 µs, of which the framing here is not measurable; CM 1.2 µs, of which SHA-1 takes 0.77,
//! counter mode 0.21 and copying the HMAC state 0.07. A key schedule per packet would add 0.23.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_128, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;

use super::kdf::SessionKeys;
use super::{SrtpError, SrtpProfile};

#[cfg(test)]
mod tests;

/// Bytes of HMAC-SHA1 that go on the wire.
const SHA1_80_TAG_LEN: usize = 10;
/// Bytes of a GCM tag.
const GCM_TAG_LEN: usize = 16;
/// Bytes of an RTCP packet that stay in the clear: header and sender SSRC.
const RTCP_CLEAR_LEN: usize = 8;
/// Bytes of the SRTCP index word.
const INDEX_LEN: usize = 4;
/// Set in the index word of an encrypted SRTCP packet.
const E_FLAG: u32 = 1 << 31;

/// Seals and opens one kind of packet (RTP, or RTCP) in one direction.
pub(super) enum Cipher {
    Gcm(Gcm),
    Cm(Box<Cm>),
}

pub(super) struct Gcm {
    key: LessSafeKey,
    salt: u128,
}

pub(super) struct Cm {
    key: EncryptingKey,
    auth: hmac::Key,
    salt: u128,
}

impl Cipher {
    pub(super) fn new(keys: &SessionKeys) -> Result<Self, SrtpError> {
        let gcm = |algorithm| -> Result<Self, SrtpError> {
            Ok(Self::Gcm(Gcm { key: LessSafeKey::new(UnboundKey::new(algorithm, keys.key())?), salt: keys.salt }))
        };
        match keys.profile {
            SrtpProfile::AeadAes128Gcm => gcm(&AES_128_GCM),
            SrtpProfile::AeadAes256Gcm => gcm(&AES_256_GCM),
            SrtpProfile::Aes128CmSha1_80 => Ok(Self::Cm(Box::new(Cm {
                key: EncryptingKey::ctr(UnboundCipherKey::new(&AES_128, keys.key())?)?,
                auth: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &keys.auth),
                salt: keys.salt,
            }))),
        }
    }

    /// Seals the RTP packet that fills `packet` up to its trailer.
    #[inline]
    pub(super) fn seal_rtp(&self, packet: &mut [u8], header_len: usize, ssrc: u32, index: u64) -> Result<(), SrtpError> {
        let (header, rest) = packet.split_at_mut_checked(header_len).ok_or(SrtpError::Truncated)?;
        match self {
            Self::Gcm(gcm) => {
                let (payload, tag) = split_tail::<GCM_TAG_LEN>(rest)?;
                Ok(gcm.key.seal_in_place_scatter(gcm.nonce(ssrc, index), Aad::from(header), payload, &[], tag)?)
            }
            Self::Cm(cm) => {
                let (payload, tag) = split_tail::<SHA1_80_TAG_LEN>(rest)?;
                cm.crypt(ssrc, index, payload)?;
                *tag = cm.tag(&[header, payload, &rollover(index)])?;
                Ok(())
            }
        }
    }

    /// Opens the RTP packet that fills `packet`, trailer included; returns its length without it.
    #[inline]
    pub(super) fn open_rtp(&self, packet: &mut [u8], header_len: usize, ssrc: u32, index: u64) -> Result<usize, SrtpError> {
        let (header, rest) = packet.split_at_mut_checked(header_len).ok_or(SrtpError::Truncated)?;
        let payload_len = match self {
            Self::Gcm(gcm) => {
                let (payload, tag) = split_tail::<GCM_TAG_LEN>(rest)?;
                gcm.open(gcm.nonce(ssrc, index), header, payload, tag)?
            }
            Self::Cm(cm) => {
                let (payload, tag) = split_tail::<SHA1_80_TAG_LEN>(rest)?;
                cm.verify(&[header, payload, &rollover(index)], tag)?;
                cm.crypt(ssrc, index, payload)?;
                payload.len()
            }
        };
        Ok(header_len.saturating_add(payload_len))
    }

    /// Seals the RTCP compound that fills `packet` up to its trailer.
    pub(super) fn seal_rtcp(&self, packet: &mut [u8], ssrc: u32, index: u32) -> Result<(), SrtpError> {
        let word = (index | E_FLAG).to_be_bytes();
        let (clear, rest) = packet.split_first_chunk_mut::<RTCP_CLEAR_LEN>().ok_or(SrtpError::Truncated)?;
        match self {
            Self::Gcm(gcm) => {
                let (rest, word_slot) = split_tail::<INDEX_LEN>(rest)?;
                let (payload, tag) = split_tail::<GCM_TAG_LEN>(rest)?;
                *word_slot = word;
                let aad = Aad::from(rtcp_aad(clear, word));
                Ok(gcm.key.seal_in_place_scatter(gcm.nonce(ssrc, u64::from(index)), aad, payload, &[], tag)?)
            }
            Self::Cm(cm) => {
                let (rest, tag) = split_tail::<SHA1_80_TAG_LEN>(rest)?;
                let (payload, word_slot) = split_tail::<INDEX_LEN>(rest)?;
                *word_slot = word;
                cm.crypt(ssrc, u64::from(index), payload)?;
                *tag = cm.tag(&[&*clear, payload, &word])?;
                Ok(())
            }
        }
    }

    /// The index word of a sealed RTCP packet: `None` if there is no room for one.
    pub(super) fn rtcp_index(&self, packet: &[u8]) -> Option<u32> {
        let before_tag = match self {
            Self::Gcm(_) => packet,
            Self::Cm(_) => packet.split_last_chunk::<SHA1_80_TAG_LEN>()?.0,
        };
        Some(u32::from_be_bytes(*before_tag.last_chunk::<INDEX_LEN>()?) & !E_FLAG)
    }

    /// Opens the RTCP packet that fills `packet`, trailer included; returns its length without it.
    ///
    /// Packets without the E flag are authenticated but were never encrypted (RFC 3711 §3.4); they are let through.
    pub(super) fn open_rtcp(&self, packet: &mut [u8], ssrc: u32, index: u32) -> Result<usize, SrtpError> {
        let (clear, rest) = packet.split_first_chunk_mut::<RTCP_CLEAR_LEN>().ok_or(SrtpError::Truncated)?;
        let payload_len = match self {
            Self::Gcm(gcm) => {
                let nonce = gcm.nonce(ssrc, u64::from(index));
                let (sealed, &mut word) = split_tail::<INDEX_LEN>(rest)?;
                if is_encrypted(word) {
                    let (payload, tag) = split_tail::<GCM_TAG_LEN>(sealed)?;
                    gcm.open(nonce, &rtcp_aad(clear, word), payload, tag)?
                } else {
                    gcm.open_tagged_rtcp(nonce, packet, word)?
                }
            }
            Self::Cm(cm) => {
                let (rest, tag) = split_tail::<SHA1_80_TAG_LEN>(rest)?;
                let (payload, &mut word) = split_tail::<INDEX_LEN>(rest)?;
                cm.verify(&[&*clear, payload, &word], tag)?;
                if is_encrypted(word) {
                    cm.crypt(ssrc, u64::from(index), payload)?;
                }
                payload.len()
            }
        };
        Ok(RTCP_CLEAR_LEN.saturating_add(payload_len))
    }
}

impl Gcm {
    /// RFC 7714 §8.1: zero, SSRC and packet index, under the salt. §9.1 for RTCP comes to the same number.
    #[inline]
    fn nonce(&self, ssrc: u32, index: u64) -> Nonce {
        let [_, _, _, _, nonce @ ..] = iv(self.salt, ssrc, index).to_be_bytes();
        Nonce::assume_unique_for_key(nonce)
    }

    #[inline]
    fn open(&self, nonce: Nonce, aad: &[u8], payload: &mut [u8], tag: &[u8]) -> Result<usize, SrtpError> {
        let opened = self.key.open_in_place_separate_tag(nonce, Aad::from(aad), tag, payload);
        Ok(opened.map_err(|_| SrtpError::Authentication)?.len())
    }

    /// Checks an unencrypted RTCP packet: all of it is associated data, and its index word too (RFC 7714 §9.3).
    /// Returns the length past the clear header.
    fn open_tagged_rtcp(&self, nonce: Nonce, packet: &mut [u8], word: [u8; INDEX_LEN]) -> Result<usize, SrtpError> {
        let (tagged, _) = split_tail::<INDEX_LEN>(packet)?;
        let (_, &mut tag) = split_tail::<GCM_TAG_LEN>(tagged)?;
        let len = tagged.len().saturating_sub(GCM_TAG_LEN);
        let payload_len = len.checked_sub(RTCP_CLEAR_LEN).ok_or(SrtpError::Truncated)?;
        // The word moves over the tag's first bytes, so that the associated data is one piece.
        let slot = tagged.get_mut(len..).and_then(<[u8]>::first_chunk_mut).ok_or(SrtpError::Truncated)?;
        *slot = word;
        let aad = tagged.get(..len.saturating_add(INDEX_LEN)).ok_or(SrtpError::Truncated)?;
        self.open(nonce, aad, &mut [], &tag)?;
        Ok(payload_len)
    }
}

impl Cm {
    /// Encrypts or decrypts: counter mode is its own inverse (RFC 3711 §4.1.1).
    #[inline]
    fn crypt(&self, ssrc: u32, index: u64, payload: &mut [u8]) -> Result<(), SrtpError> {
        let iv = (iv(self.salt, ssrc, index) << 16).to_be_bytes();
        self.key.less_safe_encrypt(payload, EncryptionContext::Iv128(FixedLength::from(iv)))?;
        Ok(())
    }

    /// RFC 3711 §4.2: HMAC-SHA1 over all parts, cut to 80 bits.
    #[inline]
    fn tag(&self, parts: &[&[u8]]) -> Result<[u8; SHA1_80_TAG_LEN], SrtpError> {
        let mut context = hmac::Context::with_key(&self.auth);
        for part in parts {
            context.update(part);
        }
        context.sign().as_ref().first_chunk().copied().ok_or(SrtpError::Crypto)
    }

    #[inline]
    fn verify(&self, parts: &[&[u8]], tag: &[u8; SHA1_80_TAG_LEN]) -> Result<(), SrtpError> {
        verify_slices_are_equal(&self.tag(parts)?, tag).map_err(|_| SrtpError::Authentication)
    }
}

/// Salt, source and packet index combined; both RFCs place them alike, CM then leaves 16 bits for the block counter.
#[inline]
fn iv(salt: u128, ssrc: u32, index: u64) -> u128 {
    salt ^ (u128::from(ssrc) << 48) ^ u128::from(index)
}

/// The rollover counter: the part of the packet index that is not on the wire.
#[inline]
fn rollover(index: u64) -> [u8; 4] {
    let [_, _, roc @ .., _, _] = index.to_be_bytes();
    roc
}

fn is_encrypted(word: [u8; INDEX_LEN]) -> bool {
    u32::from_be_bytes(word) & E_FLAG != 0
}

/// Associated data of an encrypted RTCP packet: its clear header and its index word (RFC 7714 §9.2).
fn rtcp_aad(clear: &[u8; RTCP_CLEAR_LEN], word: [u8; INDEX_LEN]) -> [u8; 12] {
    let [a, b, c, d, e, f, g, h] = *clear;
    let [w, x, y, z] = word;
    [a, b, c, d, e, f, g, h, w, x, y, z]
}

/// Parts the last `N` bytes from the rest.
#[inline]
fn split_tail<const N: usize>(bytes: &mut [u8]) -> Result<(&mut [u8], &mut [u8; N]), SrtpError> {
    bytes.split_last_chunk_mut::<N>().ok_or(SrtpError::Truncated)
}
