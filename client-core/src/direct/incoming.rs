//! The receiver's end of a connection, and which source each track has.

use super::message::{self, Message, Word};
use super::{Act, Acts, CONNECT_WITHIN, Candidates, Peer, RETURN_WITHIN, say, section};
use crate::room::Room;
use crate::stats::Stats;
use crate::{LinkId, MonoTime, Output};
use alloc::vec::Vec;
use nearcast_protocol::{Mid, ParticipantId, PublicationId};

/// How often a publisher is told that everything is here, in milliseconds. Guess.
const HAVE_EVERY: u32 = 30_000;

#[derive(Debug)]
struct Line {
    publication: PublicationId,
    mid: Mid,
    /// Its track comes by it: the edge's section for it, which has nothing to deliver meanwhile.
    route: Option<Mid>,
    /// What the edge's section had delivered when it was first looked at for the way back.
    base: Option<f64>,
}

#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) link: LinkId,
    /// The publisher's number for it.
    theirs: u32,
    round: u32,
    lines: Vec<Line>,
    pub(super) candidates: Candidates,
    connected: bool,
    /// While connecting: it has failed then. While ending: the edge's media is taken whether there is any or not.
    until: MonoTime,
    ending: bool,
    /// The publisher was told that everything is here, and is told again then: it may have been away.
    told: Option<MonoTime>,
}

impl Peer {
    /// The publisher offers a connection, or more of it.
    pub(super) fn offered(&mut self, now: MonoTime, message: Message<'_>, links: &mut u32, acts: &mut Acts) {
        let Message { link: theirs, round, lines, body, .. } = message;
        match &self.incoming {
            Some(known) if theirs < known.theirs || theirs == known.theirs && (round <= known.round || known.ending) => return,
            Some(known) if theirs == known.theirs => {}
            // Another one in its place.
            known => {
                if let Some(known) = known {
                    known
                        .lines
                        .iter()
                        .filter(|line| line.route.is_some())
                        .for_each(|line| acts.push(Act::Unroute(line.publication.clone())));
                    acts.push(Act::Do(Output::CloseLink(known.link)));
                }
                *links += 1;
                self.incoming = Some(Incoming {
                    link: LinkId(*links),
                    theirs,
                    round,
                    lines: Vec::new(),
                    candidates: Candidates::new(Word::Reply, theirs),
                    connected: false,
                    until: now.after(CONNECT_WITHIN),
                    ending: false,
                    told: None,
                });
            }
        }
        let Some(incoming) = &mut self.incoming else { return };
        (incoming.round, incoming.told) = (round, None);
        for (publication, mid) in lines {
            if incoming.lines.iter().all(|line| line.publication != publication && line.mid != mid) {
                incoming.lines.push(Line { publication, mid, route: None, base: None });
            }
        }
        acts.push(Act::Do(Output::DescribeLink { link: incoming.link, sdp: body.into() }));
    }
}

impl Incoming {
    /// Whether the publisher calls it this.
    pub(super) fn is(&self, theirs: u32) -> bool {
        self.theirs == theirs
    }

    pub(super) fn until(&self) -> Option<MonoTime> {
        if self.ending || !self.connected { Some(self.until) } else { self.told }
    }

    pub(super) fn carried(&self, wanted: u32) -> Option<&PublicationId> {
        let is = |line: &&Line| line.route.is_some() && section(self.link.0, line.mid.as_str()) == Some(wanted);
        self.lines.iter().find(is).map(|line| &line.publication)
    }

    pub(super) fn routes(&self, publication: &PublicationId) -> bool {
        self.lines.iter().any(|line| line.route.is_some() && line.publication == *publication)
    }

    pub(super) fn has_some(&self) -> bool {
        self.lines.iter().any(|line| line.route.is_some())
    }

    pub(super) fn has_all(&self) -> bool {
        self.told.is_some() && !self.ending && self.has_some()
    }

    /// Counters decide what comes next.
    pub(super) fn is_undecided(&self) -> bool {
        self.ending || self.connected && self.told.is_none()
    }

    pub(super) fn described(&mut self, to: &ParticipantId, sdp: &str, acts: &mut Acts) {
        acts.push(Act::Say(to.clone(), message::write(Word::Answer, self.theirs, self.round, &[], sdp)));
        self.candidates.open(to, acts);
    }

    /// What the publisher says.
    pub(super) fn told(&mut self, now: MonoTime, message: &Message<'_>, acts: &mut Acts) {
        if message.word == Word::Candidate {
            self.candidates.take(self.link, message.body, acts);
        } else if !self.ending {
            self.end(now);
        }
    }

    pub(super) fn state(&mut self, now: MonoTime, from: &ParticipantId, up: bool, acts: &mut Acts) {
        if up {
            self.connected = true;
        } else if !self.ending {
            // The publisher sends to the edge again as soon as it hears this.
            acts.push(say(from, Word::Lost, self.theirs, 0));
            self.end(now);
        }
    }

    fn end(&mut self, now: MonoTime) {
        (self.ending, self.until) = (true, now.after(RETURN_WITHIN));
        self.lines.iter_mut().for_each(|line| line.base = None);
    }

    /// Looks at every track; true: the connection is done with.
    pub(super) fn step(&mut self, now: MonoTime, room: &Room, from: &ParticipantId, acts: &mut Acts) -> bool {
        if !self.connected && !self.ending && now >= self.until {
            self.end(now);
        }
        let late = self.ending && now >= self.until;
        for line in &mut self.lines {
            let Some(route) = &mut line.route else { continue };
            match room.slot(&line.publication, from) {
                // Not subscribed any more, or over.
                None => line.route = None,
                // Blocked: nobody takes its publisher's word for it, and the edge, whose section it has again, passes nothing on.
                Some((_, info)) if late || info.blocked => {
                    line.route = None;
                    acts.push(Act::Unroute(line.publication.clone()));
                }
                // Another section of the edge's has taken it.
                Some((mid, _)) if mid != route => {
                    route.clone_from(mid);
                    line.base = None;
                    acts.push(Act::Route(line.publication.clone(), self.link, line.mid.clone()));
                }
                Some(_) => {}
            }
        }
        if self.ending && !self.has_some() {
            acts.push(say(from, Word::Lost, self.theirs, 0));
            acts.push(Act::Do(Output::CloseLink(self.link)));
            return true;
        }
        // Also what the app doesn't want is not wanted from the edge.
        let here = |id: &PublicationId| self.lines.iter().any(|line| line.route.is_some() && line.publication == *id);
        if self.connected && !self.ending && self.told.is_none_or(|again| now >= again) {
            self.told = room.wanted(from).all(here).then(|| {
                acts.push(say(from, Word::Have, self.theirs, self.round));
                now.after(HAVE_EVERY)
            });
        }
        false
    }

    /// Changes the source of every track whose other source has delivered.
    pub(super) fn read(&mut self, room: &Room, from: &ParticipantId, stats: &Stats, acts: &mut Acts) {
        for line in &mut self.lines {
            let Some((slot, info)) = room.slot(&line.publication, from).filter(|(_, info)| !info.blocked) else { continue };
            let delivered = |link, mid: &Mid| section(link, mid.as_str()).map_or(0.0, |section| stats.delivered(section));
            if self.ending {
                let count = delivered(0, slot);
                let base = *line.base.get_or_insert(count);
                if line.route.is_some() && (info.muted || count > base) {
                    line.route = None;
                    acts.push(Act::Unroute(line.publication.clone()));
                }
            } else if self.connected && line.route.is_none() && (info.muted || delivered(self.link.0, &line.mid) > 0.0) {
                line.route = Some(slot.clone());
                acts.push(Act::Route(line.publication.clone(), self.link, line.mid.clone()));
            }
        }
    }
}
