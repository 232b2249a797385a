//! Drawing names and secrets from the shard's random stream.

use super::Shard;
use super::steer::prefix;
use crate::sdp::IceCredentials;
use nearcast_protocol::SessionId;
use rand_chacha::rand_core::RngCore;

/// 32 signs that survive URLs, SDP and being read aloud: 5 bits each.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

impl Shard {
    /// `signs` random signs, 5 bits of randomness each.
    pub(super) fn random_name(&mut self, signs: usize) -> String {
        (0..signs)
            .map(|_| {
                let index = (self.rng.next_u32() >> 27) as usize;
                char::from(ALPHABET.get(index).copied().unwrap_or(b'a'))
            })
            .collect()
    }

    /// A session's secret: 160 random bits behind the shard's prefix, so that whoever comes back is sent to where its session is.
    pub(super) fn random_session(&mut self) -> SessionId {
        SessionId(prefix(self.config.shard) + &self.random_name(32))
    }

    /// Fresh ICE credentials: 40 random bits beside the shard's prefix, 140 in the password (RFC 8445 §5.3 asks for 24 and 128).
    pub(super) fn random_credentials(&mut self) -> IceCredentials {
        IceCredentials { ufrag: prefix(self.config.shard) + &self.random_name(8), pwd: self.random_name(28) }
    }

    pub(super) fn random_u32(&mut self) -> u32 {
        self.rng.next_u32()
    }

    pub(super) fn random_u64(&mut self) -> u64 {
        self.rng.next_u64()
    }
}
