//! The publisher's end of a connection.

use super::message::{self, Message, Word};
use super::{Act, Acts, CONNECT_WITHIN, Candidates, GOOD_AFTER, Peer, RETRY, RETURN_WITHIN, say, section};
use crate::peer_ladder::{PathSample, PeerLadder};
use crate::room::Room;
use crate::stats::Stats;
use crate::{LinkId, MonoTime, Output};
use alloc::vec::Vec;
use core::time::Duration;
use nearcast_protocol::{Mid, ParticipantId, PublicationId};

/// How often the ladder looks: it was made for a sample a second.
const LADDER_EVERY: u32 = 900; // milliseconds

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    /// The browser makes the offer.
    Making,
    /// The offer is with the receiver.
    Offered,
    /// Nothing is under way.
    Stable,
    /// Media goes through the edge; the receiver looks for it there.
    Ending,
}

#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) link: LinkId,
    round: u32,
    stage: Stage,
    /// Of the stage, and of connecting.
    until: MonoTime,
    pub(super) connected: bool,
    pub(super) lines: Vec<(PublicationId, Mid)>,
    pub(super) candidates: Candidates,
    /// Since when the receiver has everything of this round.
    have: Option<MonoTime>,
    ladder: Option<PeerLadder>,
    looked_at: MonoTime,
}

impl Outgoing {
    fn open(now: MonoTime, link: u32) -> Self {
        Self {
            link: LinkId(link),
            round: 0,
            stage: Stage::Stable,
            until: now,
            connected: false,
            lines: Vec::new(),
            candidates: Candidates::new(Word::Candidate, link),
            have: None,
            ladder: None,
            looked_at: now,
        }
    }

    pub(super) fn until(&self) -> Option<MonoTime> {
        (self.stage != Stage::Stable || !self.connected).then_some(self.until)
    }

    pub(super) fn carried(&self, wanted: u32) -> Option<&PublicationId> {
        self.lines.iter().find(|(_, mid)| section(self.link.0, mid.as_str()) == Some(wanted)).map(|(publication, _)| publication)
    }

    /// The receiver needs nothing of `own` from the edge.
    pub(super) fn is_enough(&self, own: &[PublicationId]) -> bool {
        self.have.is_some() && self.stage == Stage::Stable && own.iter().all(|id| self.lines.iter().any(|(line, _)| line == id))
    }

    /// Offers what of `own` isn't in it yet.
    fn offer(&mut self, now: MonoTime, own: &[PublicationId], acts: &mut Acts) {
        let new: Vec<_> = own.iter().filter(|id| self.lines.iter().all(|(line, _)| line != *id)).cloned().collect();
        if !new.is_empty() {
            self.round += 1;
            (self.stage, self.until, self.have) = (Stage::Making, now.after(CONNECT_WITHIN), None);
            acts.push(Act::Do(Output::OfferLink { link: self.link, publications: new }));
        }
    }

    pub(super) fn described(&mut self, to: &ParticipantId, sdp: &str, sections: Vec<(PublicationId, Mid)>, acts: &mut Acts) {
        if self.stage != Stage::Making {
            return;
        }
        self.stage = Stage::Offered;
        self.lines.extend(sections);
        acts.push(Act::Say(to.clone(), message::write(Word::Offer, self.link.0, self.round, &self.lines, sdp)));
        self.candidates.open(to, acts);
    }

    /// Takes what was counted: how much the way to the other one holds.
    pub(super) fn read(&mut self, now: MonoTime, stats: &Stats, acts: &mut Acts) {
        let first = section(self.link.0, "0").unwrap_or_default();
        let Some(way) = stats.way_of(first).filter(|_| self.connected && now.millis_since(self.looked_at) >= LADDER_EVERY) else {
            return;
        };
        let Some((lines, loss)) = stats.sent_over(first) else { return };
        self.looked_at = now;
        let link = self.link;
        let rtt = way.rtt_ms().map(|ms| Duration::from_millis(ms as u64));
        let sample = PathSample { available: way.sendable().map(|bits| bits as u32), loss, rtt };
        let ladder = self.ladder.get_or_insert_with(|| {
            let ladder = PeerLadder::new(lines as u16);
            if ladder.rung() != PeerLadder::new(0).rung() {
                acts.push(Act::Do(Output::CapLink { link, rung: ladder.rung() }));
            }
            ladder
        });
        if let Some((rung, _)) = ladder.observe(now, sample) {
            acts.push(Act::Do(Output::CapLink { link, rung }));
        }
    }
}

impl Peer {
    /// Opens, offers and ends as it should be.
    pub(super) fn send(&mut self, now: MonoTime, room: &Room, wanted: bool, up: bool, links: &mut u32, acts: &mut Acts) {
        let own = room.own();
        let Some(outgoing) = &mut self.outgoing else {
            self.retry_at = self.retry_at.filter(|at| now < *at);
            if wanted && up && !own.is_empty() && self.retry_at.is_none() {
                *links += 1;
                let mut outgoing = Outgoing::open(now, *links);
                outgoing.offer(now, own, acts);
                self.outgoing = Some(outgoing);
            }
            return;
        };
        match outgoing.stage {
            _ if outgoing.until().is_some_and(|at| now >= at) => self.failed(now, acts),
            Stage::Ending => {}
            _ if !wanted => {
                acts.push(say(&self.id, Word::End, outgoing.link.0, 0));
                (outgoing.stage, outgoing.until, outgoing.have) = (Stage::Ending, now.after(RETURN_WITHIN + 1000), None);
            }
            Stage::Stable if outgoing.connected => outgoing.offer(now, own, acts),
            _ => {}
        }
    }

    /// What a receiver says.
    pub(super) fn answered(&mut self, now: MonoTime, message: &Message<'_>, acts: &mut Acts) {
        let Some(outgoing) = self.outgoing.as_mut().filter(|one| one.link.0 == message.link) else { return };
        let this_round = message.round == outgoing.round;
        match message.word {
            Word::Answer if this_round && outgoing.stage == Stage::Offered => {
                outgoing.stage = Stage::Stable;
                acts.push(Act::Do(Output::DescribeLink { link: outgoing.link, sdp: message.body.into() }));
            }
            Word::Reply if outgoing.candidates.open => outgoing.candidates.take(outgoing.link, message.body, acts),
            Word::Have if this_round && outgoing.stage == Stage::Stable => outgoing.have = Some(now),
            Word::Lost => self.failed(now, acts),
            _ => {}
        }
    }

    /// It is over: as it should be, or for a while.
    pub(super) fn failed(&mut self, now: MonoTime, acts: &mut Acts) {
        let Some(outgoing) = self.outgoing.take() else { return };
        acts.push(Act::Do(Output::CloseLink(outgoing.link)));
        if outgoing.stage == Stage::Ending {
            return;
        }
        acts.push(say(&self.id, Word::End, outgoing.link.0, 0));
        if outgoing.have.is_some_and(|since| now.millis_since(since) >= GOOD_AFTER) {
            self.failures = 0;
        }
        self.retry_at = Some(now.after(if self.failures == 0 { RETRY[0] } else { RETRY[1] }));
        self.failures = self.failures.saturating_add(1);
    }
}
