//! The ICE-lite side of one transport (RFC 8445 §2.5): answers authenticated connectivity checks and remembers which address the
//! controlling side nominated last.
//!
//! Invariants, each with a test of the same name:
//! * `unauthenticated_checks_change_nothing`: no answer, no address, no amplification without MESSAGE-INTEGRITY;
//! * `the_last_nomination_wins`: NAT rebinding moves media within one check;
//! * `old_credentials_work_until_the_new_ones_are_used`: an ICE restart is make-before-break;
//! * `who_begins_anew_without_telling_is_known_by_the_password`: a client without signalling gets its media back all the same.
//!
//! Why not the whole agent of the `is` crate: docs/decisions/001. Its STUN codec is what we use.

pub mod distance;

use crate::remote::Remote;
use crate::sdp::IceCredentials;
use aws_lc_rs::hmac;
use is::stun::{StunMessage, TransId};
use std::net::SocketAddr;
use std::time::Instant;

/// As long as SDP allows (RFC 8839 §5.4).
const LONGEST_UFRAG: usize = 256;

/// What an authenticated check says about the address it came from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Check {
    /// Alive; media may come from here.
    Valid,
    /// Media is to be sent here from now on.
    Nominated,
}

/// HMAC-SHA1 over the concatenated parts (RFC 8489 §14.5).
pub(crate) fn hmac_sha1(key: &[u8], parts: &[&[u8]]) -> [u8; 20] {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    let mut context = hmac::Context::with_key(&key);
    for part in parts {
        context.update(part);
    }
    let mut tag = [0; 20];
    if let Some(bytes) = context.sign().as_ref().get(..20) {
        tag.copy_from_slice(bytes);
    }
    tag
}

/// One transport's ICE-lite state.
#[derive(Debug)]
pub(crate) struct IceLite {
    local: IceCredentials,
    /// Credentials from before an ICE restart, until a check uses the new ones.
    previous: Option<IceCredentials>,
    remote_ufrag: String,
    /// What the other side called itself before it began anew without telling.
    outdated_remote: Option<String>,
    nominated: Option<Remote>,
    last_check: Option<Instant>,
}

impl IceLite {
    pub(crate) fn new(local: IceCredentials, remote_ufrag: String) -> Self {
        Self { local, previous: None, remote_ufrag, outdated_remote: None, nominated: None, last_check: None }
    }

    pub(crate) fn local(&self) -> &IceCredentials {
        &self.local
    }

    pub(crate) fn remote_ufrag(&self) -> &str {
        &self.remote_ufrag
    }

    /// The username fragment that an ICE restart has replaced but that still works.
    pub(crate) fn previous_ufrag(&self) -> Option<&str> {
        self.previous.as_ref().map(|credentials| credentials.ufrag.as_str())
    }

    /// Where media goes; none before the first nomination.
    pub(crate) fn nominated(&self) -> Option<Remote> {
        self.nominated
    }

    /// When the last authenticated check arrived: consent (RFC 7675) seen from the other side.
    pub(crate) fn last_check(&self) -> Option<Instant> {
        self.last_check
    }

    /// Nothing is sent to the nominated address any more, until a check nominates one again.
    pub(crate) fn forget_nomination(&mut self) {
        self.nominated = None;
    }

    /// New credentials on both sides (RFC 8445 §9); media goes on to the old address until the new ones nominate one.
    pub(crate) fn restart(&mut self, local: IceCredentials, remote_ufrag: String) {
        self.previous = Some(std::mem::replace(&mut self.local, local));
        self.remote_ufrag = remote_ufrag;
        self.outdated_remote = None;
    }

    /// Authenticates a binding request and writes its response into `response`.
    ///
    /// Returns what it means for `from` and the response's length; none (and no side effect) when it isn't authentic.
    pub(crate) fn handle_check(
        &mut self,
        now: Instant,
        from: Remote,
        message: &StunMessage<'_>,
        response: &mut [u8],
    ) -> Option<(Check, usize)> {
        if !message.is_binding_request() {
            return None;
        }
        let (ours, theirs) = message.username()?.split_once(':')?;
        let current = ours == self.local.ufrag;
        let credentials = if current { &self.local } else { self.previous.as_ref().filter(|previous| previous.ufrag == ours)? };
        if !message.verify(credentials.pwd.as_bytes(), hmac_sha1) {
            return None;
        }
        let outdated = self.outdated_remote.as_deref() == Some(theirs);
        if current && !outdated && theirs != self.remote_ufrag && theirs.len() <= LONGEST_UFRAG {
            self.outdated_remote = Some(std::mem::replace(&mut self.remote_ufrag, theirs.to_owned()));
        }
        let current = current && !outdated;
        let length = write_response(message.trans_id(), from.address, credentials.pwd.as_bytes(), response)?;

        self.last_check = Some(now);
        let check = if message.use_candidate() && (current || self.nominated.is_none()) {
            self.nominated = Some(from);
            Check::Nominated
        } else {
            Check::Valid
        };
        if current {
            self.previous = None;
        }
        Some((check, length))
    }
}

fn write_response(transaction: TransId, mapped: SocketAddr, password: &[u8], response: &mut [u8]) -> Option<usize> {
    StunMessage::binding_reply(transaction, mapped).to_bytes(Some(password), response, hmac_sha1).ok()
}

#[cfg(test)]
mod tests;
