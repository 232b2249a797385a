//! Which shard a datagram from an unknown address belongs to, without asking anybody: our ICE username fragments begin with the
//! shard's number in two hexadecimal digits, and a connectivity check carries them.

use super::ShardId;
use crate::rtp::{DatagramKind, classify};
use is::stun::StunMessage;
use nearcast_protocol::SessionId;

/// Reads the shard out of a STUN binding request's username. None: not a check of ours.
///
/// The check isn't authenticated here; the shard does that. A forged one costs a hand-over and is dropped there.
#[must_use]
pub fn steer(datagram: &[u8]) -> Option<ShardId> {
    if classify(datagram) != DatagramKind::Stun {
        return None;
    }
    let message = StunMessage::parse(datagram).ok()?;
    let (ours, _) = message.username()?.split_once(':')?;
    shard_of(ours)
}

/// Which shard the next participant of a room goes to, when its first goes to `home` and `sizes` are on each shard now: the first from
/// `home` on that holds fewer than `spread_at`, or else the one that holds fewest. So a room stays on one shard until it outgrows it.
#[must_use]
pub fn place(home: usize, sizes: &[u32], spread_at: u32) -> usize {
    let size = |shard: usize| sizes.get(shard).copied().unwrap_or(0);
    let in_order = || (home..sizes.len()).chain(0..home.min(sizes.len()));
    let roomy = in_order().find(|shard| size(*shard) < spread_at);
    roomy.or_else(|| in_order().min_by_key(|shard| size(*shard))).unwrap_or(home)
}

/// The shard that a session's id names. None: none of ours.
#[must_use]
pub fn shard_of_session(session: &SessionId) -> Option<ShardId> {
    shard_of(session.as_str())
}

/// The shard that a username fragment names.
fn shard_of(ufrag: &str) -> Option<ShardId> {
    u8::from_str_radix(ufrag.get(..2)?, 16).ok().map(ShardId::from)
}

/// The beginning of every username fragment of a shard.
pub(super) fn prefix(shard: ShardId) -> String {
    format!("{:02x}", shard.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ice::hmac_sha1;
    use is::stun::TransId;

    #[test]
    fn a_check_names_its_shard() {
        for shard in [0, 1, 17, 254] {
            let username = format!("{}abcdef:browser", prefix(ShardId(shard)));
            let mut buffer = vec![0; 500];
            let request = StunMessage::binding_request(&username, TransId::new(), true, 7, 100, false);
            let length = request.to_bytes(Some(b"password"), &mut buffer, hmac_sha1).unwrap();
            assert_eq!(steer(&buffer[..length]), Some(ShardId(shard)));
        }
    }

    #[test]
    fn anything_else_names_none() {
        assert_eq!(steer(&[]), None);
        assert_eq!(steer(&[0; 20]), None);
        assert_eq!(steer(&[0x80; 40]), None);
        assert_eq!(shard_of("zz1234"), None);
        assert_eq!(shard_of("é1"), None);
    }
}
