//! What shows an edge that somebody was at another one, as whom and since when, without any edge having to remember it or to ask: a claim that only
//! edges can write, since its key comes from the secret that they share.
//!
//! A claim is worth something together with a token for the same room and identity only, and then no more than that token: to go on as the same
//! participant instead of as a new one. It says nothing that has to be revoked. docs/security.md tells what somebody could do with a stolen one.
//!
//! ```text
//! claim    16 hex digits (NTP time of joining), 32 hex digits (the first half of HMAC-SHA-256, RFC 2104, over "since" and each of room, identity
//!          and participant id behind its length)
//! ```

use crate::config::network::RelaySecret;
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use nearcast_protocol::Continues;
use sfu_core::{Continuation, Ntp};

/// Hex digits of a time.
const TIME: usize = 16;

/// Bytes of the code that count: nobody can look for one at leisure.
const CODE: usize = 16;

/// Writes claims, and reads those of other edges.
pub struct ClaimKey(Key);

impl ClaimKey {
    /// The key of everybody who has this secret; none: the cryptography fails.
    pub(super) fn of(secret: &RelaySecret) -> Option<Self> {
        let mut key = [0; 32];
        let derived = Salt::new(HKDF_SHA256, b"nearcast relay 1").extract(secret.as_bytes());
        derived.expand(&[b"claims"], HKDF_SHA256).and_then(|derived| derived.fill(&mut key)).ok()?;
        Some(Self(Key::new(HMAC_SHA256, &key)))
    }

    /// What a participant gets when it joins.
    #[must_use]
    pub fn write(&self, (room, identity): (&str, &str), participant: &str, since: Ntp) -> String {
        format!("{:016x}{}", since.0, self.code((room, identity), participant, since))
    }

    /// The stay that somebody may go on with whose token is for this room and identity; none: they can't show that it is theirs.
    #[must_use]
    pub fn read(&self, (room, identity): (&str, &str), shown: &Continues) -> Option<Continuation> {
        let (since, code) = shown.claim.split_at_checked(TIME)?;
        let since = Ntp(u64::from_str_radix(since, 16).ok()?);
        let right = self.code((room, identity), shown.participant.as_str(), since);
        aws_lc_rs::constant_time::verify_slices_are_equal(right.as_bytes(), code.as_bytes()).ok()?;
        Some(Continuation { participant: shown.participant.clone(), since, count: shown.count.max(1) })
    }

    fn code(&self, (room, identity): (&str, &str), participant: &str, since: Ntp) -> String {
        let mut said = since.0.to_be_bytes().to_vec();
        for part in [room, identity, participant] {
            said.extend(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            said.extend(part.as_bytes());
        }
        sign(&self.0, &said).as_ref().iter().take(CODE).map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::values::Setting;

    fn key(secret: &str) -> ClaimKey {
        ClaimKey::of(&RelaySecret::parse(secret).unwrap()).unwrap()
    }

    fn shown(participant: &str, claim: &str) -> Continues {
        Continues { participant: participant.into(), claim: claim.to_owned(), count: 3 }
    }

    #[test]
    fn every_edge_with_the_secret_reads_what_one_of_them_wrote() {
        let secret = "s".repeat(32);
        let claim = key(&secret).write(("lobby", "ada"), "p_1", Ntp(77));
        let read = key(&secret).read(("lobby", "ada"), &shown("p_1", &claim)).unwrap();
        assert_eq!((read.participant.as_str(), read.since, read.count), ("p_1", Ntp(77), 3));
    }

    #[test]
    fn a_claim_is_for_one_participant_of_one_identity_in_one_room() {
        let key = key(&"s".repeat(32));
        let claim = key.write(("lobby", "ada"), "p_1", Ntp(77));
        for (place, participant) in
            [(("lobb", "yada"), "p_1"), (("lobby", "ben"), "p_1"), (("hall", "ada"), "p_1"), (("lobby", "ada"), "p_2")]
        {
            assert!(key.read(place, &shown(participant, &claim)).is_none(), "{place:?} {participant}");
        }
        let later = claim.replacen("4d", "4e", 1);
        for spoilt in [later.as_str(), "", "zz", &claim[..47], &format!("{claim}0"), &claim.to_uppercase(), "é".repeat(24).as_str()] {
            assert!(spoilt == claim || key.read(("lobby", "ada"), &shown("p_1", spoilt)).is_none(), "{spoilt}");
        }
    }

    #[test]
    fn who_has_another_secret_writes_and_reads_others() {
        let claim = key(&"s".repeat(32)).write(("lobby", "ada"), "p_1", Ntp(77));
        assert!(key(&"t".repeat(32)).read(("lobby", "ada"), &shown("p_1", &claim)).is_none());
    }
}
