//! The protection profiles that the edge speaks, and their sizes.

#[cfg(test)]
mod tests;

/// SRTP protection profile, as negotiated by DTLS (`use_srtp`, RFC 5764 §4.1.2).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SrtpProfile {
    /// AES-128-GCM (RFC 7714): the one to prefer, by far the cheapest.
    AeadAes128Gcm,
    /// AES-256-GCM (RFC 7714).
    AeadAes256Gcm,
    /// AES-128 counter mode with HMAC-SHA1 cut to 80 bits (RFC 3711): the one that everybody speaks.
    Aes128CmSha1_80,
}

impl SrtpProfile {
    /// Every profile, cheapest first: the order in which a server should choose.
    pub const ALL: [Self; 3] = [Self::AeadAes128Gcm, Self::AeadAes256Gcm, Self::Aes128CmSha1_80];

    /// The profile's number in the DTLS `use_srtp` extension.
    #[must_use]
    pub const fn dtls_id(self) -> u16 {
        match self {
            Self::AeadAes128Gcm => 0x0007,
            Self::AeadAes256Gcm => 0x0008,
            Self::Aes128CmSha1_80 => 0x0001,
        }
    }

    /// The profile with this number in `use_srtp`; `None` for those the edge does not speak.
    #[must_use]
    pub fn from_dtls_id(id: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.dtls_id() == id)
    }

    /// The name in the IANA registry.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AeadAes128Gcm => "SRTP_AEAD_AES_128_GCM",
            Self::AeadAes256Gcm => "SRTP_AEAD_AES_256_GCM",
            Self::Aes128CmSha1_80 => "SRTP_AES128_CM_HMAC_SHA1_80",
        }
    }

    /// Bytes of master key, and of session encryption key.
    #[must_use]
    pub const fn key_len(self) -> usize {
        match self {
            Self::AeadAes128Gcm | Self::Aes128CmSha1_80 => 16,
            Self::AeadAes256Gcm => 32,
        }
    }

    /// Bytes of master salt, and of session salt.
    #[must_use]
    pub const fn salt_len(self) -> usize {
        match self {
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 12,
            Self::Aes128CmSha1_80 => 14,
        }
    }

    /// Bytes to take from the DTLS exporter: key and salt of both directions (RFC 5764 §4.2).
    #[must_use]
    pub const fn exporter_len(self) -> usize {
        self.key_len().saturating_add(self.salt_len()).saturating_mul(2)
    }

    /// Bytes that sealing adds to an RTP packet: the tag.
    #[must_use]
    pub const fn rtp_overhead(self) -> usize {
        match self {
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 16,
            Self::Aes128CmSha1_80 => 10,
        }
    }

    /// Bytes that sealing adds to an RTCP packet: the tag and the index word.
    #[must_use]
    pub const fn rtcp_overhead(self) -> usize {
        self.rtp_overhead().saturating_add(4)
    }
}
