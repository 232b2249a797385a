//! Master keys as DTLS exports them, and the session keys derived from them. Source: RFC 3711 §4.3, RFC 5764 §4.2.

use aws_lc_rs::cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;

use super::{SrtpError, SrtpProfile};

#[cfg(test)]
mod tests;

/// Longest session key: AES-256, or HMAC-SHA1's 20 bytes.
const MAX_KEY_LEN: usize = 32;
/// Bytes of the HMAC-SHA1 authentication key (RFC 3711 §5.2).
pub(super) const AUTH_KEY_LEN: usize = 20;

/// One direction's master key and salt. Not printable.
#[derive(Clone)]
pub struct MasterKey {
    profile: SrtpProfile,
    key: [u8; MAX_KEY_LEN],
    /// The salt as a number, in the lowest `8 * salt_len` bits.
    salt: u128,
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MasterKey").field("profile", &self.profile).finish_non_exhaustive()
    }
}

impl MasterKey {
    /// # Errors
    /// [`SrtpError::KeyLength`] if a length is not the profile's.
    pub fn new(profile: SrtpProfile, key: &[u8], salt: &[u8]) -> Result<Self, SrtpError> {
        if key.len() != profile.key_len() || salt.len() != profile.salt_len() {
            return Err(SrtpError::KeyLength);
        }
        let mut padded = [0; MAX_KEY_LEN];
        padded.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
        Ok(Self { profile, key: padded, salt: number(salt) })
    }

    /// The profile these keys are for.
    #[must_use]
    pub fn profile(&self) -> SrtpProfile {
        self.profile
    }

    /// Session keys of this direction, for SRTP and for SRTCP.
    pub(super) fn session_keys(&self) -> Result<(SessionKeys, SessionKeys), SrtpError> {
        let prf = self.prf()?;
        let derive = |encryption, authentication, salt| -> Result<SessionKeys, SrtpError> {
            let mut keys = SessionKeys { profile: self.profile, key: [0; MAX_KEY_LEN], auth: [0; AUTH_KEY_LEN], salt: 0 };
            self.derive(&prf, encryption, keys.key.get_mut(..self.profile.key_len()).unwrap_or_default())?;
            self.derive(&prf, authentication, &mut keys.auth)?;
            let mut session_salt = [0; 16];
            let session_salt = session_salt.get_mut(..self.profile.salt_len()).unwrap_or_default();
            self.derive(&prf, salt, session_salt)?;
            keys.salt = number(session_salt);
            Ok(keys)
        };
        Ok((
            derive(label::RTP_ENCRYPTION, label::RTP_AUTH, label::RTP_SALT)?,
            derive(label::RTCP_ENCRYPTION, label::RTCP_AUTH, label::RTCP_SALT)?,
        ))
    }

    /// AES in counter mode under the master key: the PRF of RFC 3711 §4.3.3, and of RFC 6188 §3 for 256 bits.
    fn prf(&self) -> Result<EncryptingKey, SrtpError> {
        let key = self.key.get(..self.profile.key_len()).ok_or(SrtpError::KeyLength)?;
        let algorithm = if key.len() == 16 { &AES_128 } else { &AES_256 };
        Ok(EncryptingKey::ctr(UnboundCipherKey::new(algorithm, key)?)?)
    }

    /// Fills `out` with the session key for `label`, at a key derivation rate of zero (RFC 3711 §4.3.1).
    fn derive(&self, prf: &EncryptingKey, label: u8, out: &mut [u8]) -> Result<(), SrtpError> {
        // The PRF input is 112 bits; GCM's 96-bit salt fills its upper part, with zeros below (RFC 7714 §11).
        let salt_shift = if self.profile.salt_len() == 12 { 16 } else { 0 };
        let x = (self.salt << salt_shift) ^ (u128::from(label) << 48);
        out.fill(0);
        prf.less_safe_encrypt(out, EncryptionContext::Iv128(FixedLength::from((x << 16).to_be_bytes())))?;
        Ok(())
    }
}

/// Labels of the derived keys (RFC 3711 §4.3.2).
mod label {
    pub(super) const RTP_ENCRYPTION: u8 = 0;
    pub(super) const RTP_AUTH: u8 = 1;
    pub(super) const RTP_SALT: u8 = 2;
    pub(super) const RTCP_ENCRYPTION: u8 = 3;
    pub(super) const RTCP_AUTH: u8 = 4;
    pub(super) const RTCP_SALT: u8 = 5;
}

/// What one cipher needs: the keys that packets are sealed with.
pub(super) struct SessionKeys {
    pub(super) profile: SrtpProfile,
    pub(super) key: [u8; MAX_KEY_LEN],
    pub(super) auth: [u8; AUTH_KEY_LEN],
    /// As a number: 96 bits for GCM, 112 for CM.
    pub(super) salt: u128,
}

impl SessionKeys {
    /// The encryption key at its profile's length.
    pub(super) fn key(&self) -> &[u8] {
        self.key.get(..self.profile.key_len()).unwrap_or_default()
    }
}

/// Big-endian bytes, at most 16 of them, as a number.
fn number(bytes: &[u8]) -> u128 {
    bytes.iter().fold(0, |number, byte| (number << 8) | u128::from(*byte))
}

/// Both directions' master keys, as a DTLS handshake yields them.
#[derive(Clone, Debug)]
pub struct SrtpKeys {
    /// What the DTLS client seals with.
    pub client: MasterKey,
    /// What the DTLS server seals with.
    pub server: MasterKey,
}

impl SrtpKeys {
    /// Parts the output of the DTLS exporter (label `EXTRACTOR-dtls_srtp`): client key, server key, client salt,
    /// server salt (RFC 5764 §4.2).
    ///
    /// # Errors
    /// [`SrtpError::KeyLength`] unless `material` is exactly `profile.exporter_len()` bytes.
    pub fn from_exporter(profile: SrtpProfile, material: &[u8]) -> Result<Self, SrtpError> {
        let (key_len, salt_len) = (profile.key_len(), profile.salt_len());
        let split = |bytes, at| <[u8]>::split_at_checked(bytes, at).ok_or(SrtpError::KeyLength);
        let (client_key, rest) = split(material, key_len)?;
        let (server_key, rest) = split(rest, key_len)?;
        let (client_salt, server_salt) = split(rest, salt_len)?;
        Ok(Self { client: MasterKey::new(profile, client_key, client_salt)?, server: MasterKey::new(profile, server_key, server_salt)? })
    }
}
