//! Checks by which clients measure how far an edge is, before they choose one: STUN requests (RFC 8489) of anybody, authenticated by credentials that
//! everybody may know. docs/decisions/023.
//!
//! Invariants, each with a test of the same name:
//! * `a_measuring_check_is_answered_and_changes_nothing`: no address becomes known by it;
//! * `no_answer_is_longer_than_its_request`: who forges an address has nothing reflected but less than what it sends;
//! * `so_many_are_answered_in_a_second`: the rest cost what a stranger's checks cost.

use super::{hmac_sha1, write_response};
use is::stun::StunMessage;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// The username fragment. Its first two signs are a shard's, as those of all are: the first one answers. No drawn one is as long.
pub const UFRAG: &str = "00measure";
/// The password. Not a secret.
pub const PWD: &str = "HowFarIsThisEdgeFromHere";

/// Answers in a second, and at once. Guess: sixteen hundred clients choose an edge in a second, with three checks each; at 2.5 µs an answer (attack P3) a
/// hundredth of a core.
pub const A_SECOND: u32 = 5_000;

/// What is left of a second's answers.
#[derive(Debug, Default)]
pub(crate) struct Distance {
    second: Option<Instant>,
    answered: u32,
}

impl Distance {
    /// Writes the answer to a measuring check of `size` bytes into `response`: its length. None: it isn't one, isn't authentic, or one too many.
    #[cold]
    pub(crate) fn answer(
        &mut self,
        now: Instant,
        from: SocketAddr,
        message: &StunMessage<'_>,
        size: usize,
        response: &mut [u8],
    ) -> Option<usize> {
        let (ours, _) = message.username()?.split_once(':')?;
        if ours != UFRAG || !message.is_binding_request() || !self.has_room(now) || !message.verify(PWD.as_bytes(), hmac_sha1) {
            return None;
        }
        self.answered = self.answered.saturating_add(1);
        write_response(message.trans_id(), from, PWD.as_bytes(), response).filter(|length| *length <= size)
    }

    fn has_room(&mut self, now: Instant) -> bool {
        let goes_on = self.second.is_some_and(|began| now.saturating_duration_since(began) < Duration::from_secs(1));
        if !goes_on {
            *self = Self { second: Some(now), answered: 0 };
        }
        self.answered < A_SECOND
    }
}

#[cfg(test)]
mod tests;
