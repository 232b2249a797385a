//! SRTP and SRTCP under AES-GCM (RFC 3711, RFC 7714), as little of it as a load needs: every packet sent is sealed, and of those
//! received only what is looked into is opened. There is no replay check; `inbound` tells duplicates apart.

use super::tap::Exported;
use crate::LoadError;
use crate::server::Cipher;
use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use str0m::crypto::dtls::SrtpProfile;

/// Of AES-GCM.
const TAG: usize = 16;

/// Master and session salt.
const SALT: usize = 12;

/// RTCP header and sender's SSRC: authenticated, not encrypted.
const RTCP_HEAD: usize = 8;

/// The word behind an SRTCP packet that holds its index; the highest bit says that it is encrypted.
const ENCRYPTED: u32 = 1 << 31;

/// Both directions' keys.
#[derive(Debug)]
pub(super) struct Link {
    sent: Keys,
    received: Keys,
    rtcp_index: u32,
    cipher: Cipher,
}

#[derive(Debug)]
struct Keys {
    rtp: Half,
    rtcp: Half,
}

#[derive(Debug)]
struct Half {
    key: LessSafeKey,
    salt: [u8; SALT],
}

impl Link {
    pub(super) fn new(exported: &Exported) -> Result<Self, LoadError> {
        let refuse = |why: &str| LoadError::refused("taking a handshake's keys", why);
        let (cipher, length) = match exported.profile {
            SrtpProfile::AEAD_AES_128_GCM => (Cipher::Aes128Gcm, 16),
            SrtpProfile::AEAD_AES_256_GCM => (Cipher::Aes256Gcm, 32),
            _ => return Err(refuse("the server chose another cipher than AES-GCM, which the load offers too")),
        };
        let keys = |first: usize, salt_at: usize| {
            let key = exported.material.get(first..first + length)?;
            let salt = exported.material.get(salt_at..salt_at + SALT)?.try_into().ok()?;
            Keys::derive(key, salt)
        };
        let client = keys(0, 2 * length).ok_or_else(|| refuse("they don't fit their cipher"))?;
        let server = keys(length, 2 * length + SALT).ok_or_else(|| refuse("they don't fit their cipher"))?;
        let (sent, received) = if exported.active { (client, server) } else { (server, client) };
        Ok(Self { sent, received, rtcp_index: 0, cipher })
    }

    /// What was agreed on.
    pub(super) fn cipher(&self) -> Cipher {
        self.cipher
    }

    /// Seals an RTP packet in place and appends its tag. `index`: rollover count and sequence number.
    pub(super) fn seal_rtp(&self, ssrc: u32, index: u64, header: usize, packet: &mut Vec<u8>) -> Option<()> {
        let nonce = self.sent.rtp.nonce(ssrc, index);
        let (head, body) = packet.split_at_mut_checked(header)?;
        let tag = self.sent.rtp.key.seal_in_place_separate_tag(nonce, Aad::from(&*head), body).ok()?;
        packet.extend_from_slice(tag.as_ref());
        Some(())
    }

    /// Opens an RTP packet in place; its payload, with padding.
    pub(super) fn open_rtp<'a>(&self, ssrc: u32, index: u64, header: usize, packet: &'a mut [u8]) -> Option<&'a [u8]> {
        let nonce = self.received.rtp.nonce(ssrc, index);
        let (head, body) = packet.split_at_mut_checked(header)?;
        self.received.rtp.key.open_in_place(nonce, Aad::from(&*head), body).ok().map(|body| &*body)
    }

    /// Seals a compound RTCP packet.
    pub(super) fn seal_rtcp(&mut self, packet: &mut Vec<u8>) -> Option<()> {
        let word = ENCRYPTED | self.rtcp_index;
        self.rtcp_index = (self.rtcp_index + 1) & !ENCRYPTED;
        let (head, body) = packet.split_at_mut_checked(RTCP_HEAD)?;
        let (aad, nonce) = self.sent.rtcp.rtcp_context(head, word)?;
        let tag = self.sent.rtcp.key.seal_in_place_separate_tag(nonce, Aad::from(aad), body).ok()?;
        packet.extend_from_slice(tag.as_ref());
        packet.extend_from_slice(&word.to_be_bytes());
        Some(())
    }

    /// Opens a compound RTCP packet in place.
    pub(super) fn open_rtcp<'a>(&self, packet: &'a mut [u8]) -> Option<&'a [u8]> {
        let word_at = packet.len().checked_sub(4)?;
        let word = u32::from_be_bytes(packet.get(word_at..)?.try_into().ok()?);
        let sealed = packet.get_mut(..word_at)?;
        let (head, body) = sealed.split_at_mut_checked(RTCP_HEAD)?;
        let (aad, nonce) = self.received.rtcp.rtcp_context(head, word)?;
        self.received.rtcp.key.open_in_place(nonce, Aad::from(aad), body).ok()?;
        packet.get(..word_at.checked_sub(TAG)?)
    }
}

impl Keys {
    fn derive(master: &[u8], salt: [u8; SALT]) -> Option<Self> {
        Some(Self { rtp: Half::derive(master, salt, [0, 2])?, rtcp: Half::derive(master, salt, [3, 5])? })
    }
}

impl Half {
    /// With the labels of its encryption key and of its salt (RFC 3711 §4.3.2).
    fn derive(master: &[u8], salt: [u8; SALT], labels: [u8; 2]) -> Option<Self> {
        let mut key = vec![0; master.len()];
        expand(master, salt, labels[0], &mut key)?;
        let mut session_salt = [0; SALT];
        expand(master, salt, labels[1], &mut session_salt)?;
        let algorithm = if key.len() == 16 { &AES_128_GCM } else { &AES_256_GCM };
        Some(Self { key: LessSafeKey::new(UnboundKey::new(algorithm, &key).ok()?), salt: session_salt })
    }

    /// RFC 7714 §8.1.
    fn nonce(&self, ssrc: u32, index: u64) -> Nonce {
        let number = (u128::from(ssrc) << 48) | u128::from(index & 0xffff_ffff_ffff);
        self.salted(number)
    }

    /// What is authenticated, and RFC 7714 §9.1.
    fn rtcp_context(&self, head: &[u8], word: u32) -> Option<([u8; RTCP_HEAD + 4], Nonce)> {
        let ssrc = u32::from_be_bytes(head.get(4..RTCP_HEAD)?.try_into().ok()?);
        let mut aad = [0; RTCP_HEAD + 4];
        aad.get_mut(..RTCP_HEAD)?.copy_from_slice(head);
        aad.get_mut(RTCP_HEAD..)?.copy_from_slice(&word.to_be_bytes());
        Some((aad, self.salted((u128::from(ssrc) << 48) | u128::from(word & !ENCRYPTED))))
    }

    fn salted(&self, number: u128) -> Nonce {
        let mut nonce = self.salt;
        let [.., a, b, c, d, e, f, g, h, i, j, k, l] = number.to_be_bytes();
        nonce.iter_mut().zip([a, b, c, d, e, f, g, h, i, j, k, l]).for_each(|(byte, with)| *byte ^= with);
        Nonce::assume_unique_for_key(nonce)
    }
}

/// Key derivation (RFC 3711 §4.3.1 and .3): the keystream of AES in counter mode under the master key, from salt and label.
fn expand(master: &[u8], salt: [u8; SALT], label: u8, out: &mut [u8]) -> Option<()> {
    let algorithm = if master.len() == 16 { &AES_128 } else { &AES_256 };
    let key = EncryptingKey::ctr(UnboundCipherKey::new(algorithm, master).ok()?).ok()?;
    let mut start = [0; 16];
    start.get_mut(..SALT)?.copy_from_slice(&salt);
    *start.get_mut(7)? ^= label;
    key.less_safe_encrypt(out, EncryptionContext::Iv128(FixedLength::from(start))).ok()?;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Link, Link) {
        let exported = Exported { material: (0..88).collect(), profile: SrtpProfile::AEAD_AES_256_GCM, active: true };
        (Link::new(&exported).unwrap(), Link::new(&Exported { active: false, ..exported }).unwrap())
    }

    /// That they are those of the RFCs shows when a real server opens what they seal: tests/bench.rs.
    #[test]
    fn both_sides_derive_the_same_keys() {
        let (one, mut two) = pair();
        let mut packet = b"\x80\x60\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03media".to_vec();
        one.seal_rtp(3, 0x1_0001, 12, &mut packet).unwrap();
        assert_eq!(packet.len(), 12 + 5 + TAG);
        assert_eq!(two.open_rtp(3, 0x1_0001, 12, &mut packet.clone()).unwrap(), b"media");
        assert!(two.open_rtp(3, 1, 12, &mut packet.clone()).is_none(), "another rollover count");
        for _ in 0..2 {
            let mut report = b"\x80\xc9\x00\x01\x00\x00\x00\x09report".to_vec();
            two.seal_rtcp(&mut report).unwrap();
            assert!(two.open_rtcp(&mut report.clone()).is_none(), "its own direction");
            assert_eq!(one.open_rtcp(&mut report).unwrap(), b"\x80\xc9\x00\x01\x00\x00\x00\x09report");
        }
    }

    #[test]
    fn a_server_without_gcm_is_refused() {
        let exported = Exported { material: vec![0; 60], profile: SrtpProfile::AES128_CM_SHA1_80, active: true };
        assert!(Link::new(&exported).unwrap_err().to_string().contains("another cipher"));
    }
}
