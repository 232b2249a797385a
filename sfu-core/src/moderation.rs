//! What moderators have decided of a room, for as long as it lasts.
//!
//! Identities, not stays: who was removed, or muted, doesn't become another person by joining again. Every list has a bound. Not here: what
//! follows for participants and packets (`shard::moderate`).

use minicbor::{Decode, Encode};
use nearcast_protocol::{ErrorCode, ErrorInfo};

/// Identities that stay removed at a time. Guess: a room of 2,000 in which every second one is thrown out.
pub(crate) const MOST_REMOVED: usize = 1_000;

/// Identities that stay muted at a time, sound and picture counted each: everybody in the largest room.
pub(crate) const MOST_SILENCED: usize = 4_000;

/// What holds in a room.
#[derive(Clone, Debug, Decode, Default, Encode)]
#[cbor(map)]
pub(crate) struct Decisions {
    /// NTP time since which nobody new gets in.
    #[n(0)]
    locked: Option<u64>,
    #[n(1)]
    removed: Vec<String>,
    /// Whose sound (false) or picture (true) starts muted, whatever they publish anew.
    #[n(2)]
    silenced: Vec<(String, bool)>,
}

impl Decisions {
    pub(crate) fn is_locked(&self) -> bool {
        self.locked.is_some()
    }

    /// Whether somebody who came at that time came too late.
    pub(crate) fn shuts_out(&self, since: u64) -> bool {
        self.locked.is_some_and(|locked| since > locked)
    }

    /// True when that is a change.
    pub(crate) fn lock(&mut self, at: u64) -> bool {
        self.locked.replace(self.locked.unwrap_or(at)).is_none()
    }

    /// True when that is a change.
    pub(crate) fn unlock(&mut self) -> bool {
        self.locked.take().is_some()
    }

    pub(crate) fn has_removed(&self, identity: &str) -> bool {
        self.removed.iter().any(|removed| removed == identity)
    }

    pub(crate) fn remove(&mut self, identity: &str) -> Result<(), ErrorInfo> {
        if self.has_removed(identity) {
            return Ok(());
        }
        if self.removed.len() >= MOST_REMOVED {
            return Err(full(format!("{MOST_REMOVED} people are removed from this room already: readmit one, or lock it")));
        }
        self.removed.push(identity.to_owned());
        Ok(())
    }

    pub(crate) fn readmit(&mut self, identity: &str) {
        self.removed.retain(|removed| removed != identity);
    }

    /// Whether what they publish anew starts muted.
    pub(crate) fn silences(&self, identity: &str, video: bool) -> bool {
        self.silenced.iter().any(|(silenced, picture)| silenced == identity && *picture == video)
    }

    /// Whether anything of theirs is muted.
    pub(crate) fn silences_any(&self, identity: &str) -> bool {
        self.silences(identity, false) || self.silences(identity, true)
    }

    /// Somebody is muted, so that media has to pass where it can be stopped.
    pub(crate) fn has_silenced(&self) -> bool {
        !self.silenced.is_empty()
    }

    pub(crate) fn silence(&mut self, identity: &str, video: bool) -> Result<(), ErrorInfo> {
        if self.silences(identity, video) {
            return Ok(());
        }
        if self.silenced.len() >= MOST_SILENCED {
            return Err(full(format!("{MOST_SILENCED} are muted in this room already: allow one")));
        }
        self.silenced.push((identity.to_owned(), video));
        Ok(())
    }

    pub(crate) fn allow(&mut self, identity: &str, video: bool) {
        self.silenced.retain(|(silenced, picture)| silenced != identity || *picture != video);
    }

    /// Takes in what another part of the room knows.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.locked = self.locked.or(other.locked);
        // What doesn't fit any more was refused there too, but for a race of two parts.
        other.removed.iter().for_each(|identity| drop(self.remove(identity)));
        other.silenced.iter().for_each(|(identity, video)| drop(self.silence(identity, *video)));
    }
}

fn full(why: String) -> ErrorInfo {
    ErrorInfo::new(ErrorCode::LimitReached, why)
}

#[cfg(test)]
mod tests;
