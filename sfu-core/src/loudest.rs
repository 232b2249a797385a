//! The voices of a room that are passed on: in a big room only the loudest few, and who spoke lately stays among them.
//!
//! In: who sends audio, and how loud. Out: whether it is passed on. A voice that enters is heard at once, since audio needs no key frame;
//! one leaves only when another takes its place, since silence costs next to nothing. Invariants, each with a test of the same name:
//! `as_many_as_there_is_room_for_are_all_heard`, `a_new_voice_is_heard_at_once`, `who_spoke_lately_stays`,
//! `equals_do_not_take_turns`.
//!
//! Not here: loudness (`speakers`), telling the room who speaks (`shard::speakers`).

#[cfg(test)]
mod tests;

use crate::keys::PublicationKey;
use crate::speakers::Loudness;
use std::time::{Duration, Instant};

/// Who spoke within this time isn't replaced by a mere sound. Pauses inside one person's turn are shorter than that; guess.
const STICKY: Duration = Duration::from_secs(3);

/// A sound that goes on for this long is a voice: a cough or a door is shorter. Guess.
const VOICE: Duration = Duration::from_millis(300);

/// Among those who all speak, one has to be this much louder than another to replace it, in dB: twice as loud, roughly, would be 10.
const LOUDER: u8 = 6;

/// Among those who all speak, nobody is replaced sooner than this after it entered.
const DWELL: Duration = Duration::from_secs(1);

/// What became of somebody who sends audio.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Entry {
    /// Is passed on from now on.
    Free,
    /// Is passed on from now on, in the place of this one.
    Replacing(PublicationKey),
    /// Is not passed on.
    Refused,
}

#[derive(Clone, Copy, Debug)]
struct Member {
    publication: PublicationKey,
    entered: Instant,
}

/// The voices of a room that are passed on.
#[derive(Debug, Default)]
pub(crate) struct Loudest {
    /// At most as many as the configuration allows; nobody is counted when it allows everybody.
    members: Vec<Member>,
}

impl Loudest {
    /// Somebody who isn't among the members sends audio. `limit`: how many are passed on.
    pub(crate) fn enter<'a>(
        &mut self,
        limit: usize,
        publication: PublicationKey,
        loudness: &Loudness,
        now: Instant,
        of: impl Fn(PublicationKey) -> Option<&'a Loudness>,
    ) -> Entry {
        let entering = Member { publication, entered: now };
        if self.members.len() < limit {
            self.members.push(entering);
            return Entry::Free;
        }
        let Some(sounding) = loudness.sounding_for(now) else { return Entry::Refused };
        let last = |member: &Member| of(member.publication).and_then(Loudness::last_sound);
        let Some(longest) = self.members.iter_mut().min_by_key(|member| last(member)) else { return Entry::Refused };
        let silence = last(longest).map(|last| now.saturating_duration_since(last));
        let is_silent = of(longest.publication).is_none_or(|loudness| !loudness.is_sound(now));
        if silence.is_none_or(|silence| silence >= STICKY) || (is_silent && sounding >= VOICE) {
            return Entry::Replacing(std::mem::replace(longest, entering).publication);
        }
        if is_silent || sounding < VOICE {
            return Entry::Refused;
        }
        let rank = |member: &Member| of(member.publication).map_or(0, |loudness| loudness.rank(now));
        let settled = |member: &&mut Member| now.saturating_duration_since(member.entered) >= DWELL;
        let Some(quietest) = self.members.iter_mut().filter(settled).min_by_key(|member| rank(member)) else { return Entry::Refused };
        if loudness.rank(now) < rank(quietest).saturating_add(LOUDER) {
            return Entry::Refused;
        }
        Entry::Replacing(std::mem::replace(quietest, entering).publication)
    }

    /// A publication ended.
    pub(crate) fn remove(&mut self, publication: PublicationKey) {
        self.members.retain(|member| member.publication != publication);
    }
}
