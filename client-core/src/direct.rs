//! Media from participant to participant, beside the session with the edge, which stays as it is and takes over again at any moment.
//!
//! One connection leads one way: from a publisher to one receiver, and the publisher always offers, so that nobody has to give way to anybody. A
//! pair of people has two. The publisher ([`outgoing`]) decides whether there shall be one: the room's mode says so, or one of the two gets
//! nothing through the edge. The receiver ([`incoming`]) decides when to listen to it: a track changes its source only when the other source
//! has delivered, in either direction, so that nothing is missing in between. When everybody says that they have everything directly
//! the publisher holds what it sends to the edge, and lets go at once when anything changes.
//!
//! Driven like [`crate::recovery`]: inputs change what is known, [`Direct::step`] looks at all of it after whatever happened. What a peer says
//! ([`message`]) is checked here: about other people's publications it can say nothing, and errors end its own connection only.
//!
//! Not here: browser objects (`client-wasm`), who tells what to the edge (`session/direct.rs`), when a room may do without the edge (`sfu-core`).

mod incoming;
pub(crate) mod message;
mod outgoing;

use crate::room::Room;
use crate::stats::Stats;
use crate::{LinkId, MonoTime, Output, TransportState};
use alloc::{string::String, vec::Vec};
use incoming::Incoming;
use message::{Message, Word};
use nearcast_protocol::{Mid, ParticipantId, PublicationId, RoomMode};
use outgoing::Outgoing;

/// Participants that talk directly where everybody sends to everybody: as the edge (sfu-core/src/room_mode.rs).
pub(crate) const MOST: u8 = 4;

/// How long a connection may take, and each round of its negotiation, in milliseconds.
const CONNECT_WITHIN: u32 = 10_000;

/// Pauses after a connection that failed, in milliseconds.
const RETRY: [u32; 2] = [15_000, 60_000];

/// A connection that held for so long, in milliseconds, is as good as one that never failed.
const GOOD_AFTER: u32 = 60_000;

/// How long a receiver waits for the edge's media before it does without, in milliseconds; the publisher waits a little longer.
const RETURN_WITHIN: u32 = 4000;

/// How long nothing may come from the edge while its signalling works, in milliseconds, before it is asked for directly: so short an outage
/// ends by itself.
const WANT_AFTER: u32 = 250;

/// Candidates of one end of a connection.
const MAX_CANDIDATES: u8 = 64;

/// How long counters are read often, in milliseconds, after something has begun that they decide.
const EAGER_FOR: u32 = 3000;

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Act {
    /// Hand this to a participant.
    Say(ParticipantId, String),
    /// As it is.
    Do(Output),
    /// A publication's track comes over a connection now.
    Route(PublicationId, LinkId, Mid),
    /// It comes from the edge again.
    Unroute(PublicationId),
    /// All of a participant's media comes directly, or no longer; and why.
    Path(ParticipantId, bool, &'static str),
}

pub(crate) type Acts = Vec<Act>;

/// The number that stands for a section of a connection among those of the transport: browsers number sections from zero.
pub(crate) fn section(link: u32, mid: &str) -> Option<u32> {
    let mid = mid.parse().ok().filter(|mid| *mid < SECTIONS)?;
    Some(link.saturating_mul(SECTIONS).saturating_add(mid))
}

/// The same as text, as statistics have it.
#[must_use]
pub fn section_name(link: LinkId, mid: &Mid) -> String {
    let mut name = String::new();
    message::push_number(&mut name, section(link.0, mid.as_str()).unwrap_or(u32::MAX));
    name
}

/// Sections of a connection, as far as numbers go.
pub(crate) const SECTIONS: u32 = 1000;

/// The connections with one participant.
#[derive(Debug)]
struct Peer {
    id: ParticipantId,
    /// Gets nothing from the edge.
    wants: bool,
    outgoing: Option<Outgoing>,
    incoming: Option<Incoming>,
    failures: u8,
    /// No other attempt before that.
    retry_at: Option<MonoTime>,
    /// The app knows that it talks directly, because the room's mode says so or (false) for want of the edge.
    told: Option<bool>,
    /// A connection broke: why the app is told otherwise.
    broke: bool,
}

/// All connections.
#[derive(Debug)]
pub(crate) struct Direct {
    /// Participants that may talk directly; below two: none.
    pub(crate) most: u8,
    pub(crate) mode: RoomMode,
    /// The room's policy lets participants talk directly at all.
    pub(crate) possible: bool,
    links: u32,
    peers: Vec<Peer>,
    held: bool,
    /// Since when nothing comes from the edge though signalling works, and whether the others know.
    starved: Option<MonoTime>,
    want: bool,
    me: Option<ParticipantId>,
    /// Counters are read often until then.
    eager_until: Option<MonoTime>,
}

/// What there is outside.
#[derive(Clone, Copy)]
pub(crate) struct Facts<'session> {
    pub(crate) room: &'session Room,
    pub(crate) me: &'session ParticipantId,
    /// Signalling works.
    pub(crate) up: bool,
    /// Nothing comes from the edge; and signalling has worked since.
    pub(crate) silent: bool,
    pub(crate) proven: bool,
}

impl Direct {
    pub(crate) fn new() -> Self {
        Self {
            most: MOST,
            mode: RoomMode::Sfu,
            possible: false,
            links: 0,
            peers: Vec::new(),
            held: false,
            starved: None,
            want: false,
            me: None,
            eager_until: None,
        }
    }

    /// Whether counters decide something now.
    pub(crate) fn is_eager(&self, now: MonoTime) -> bool {
        self.eager_until.is_some_and(|until| now < until)
    }

    /// What is sent to the edge is held.
    pub(crate) fn is_held(&self) -> bool {
        self.held
    }

    /// The first section of a connection that carries what the edge doesn't get.
    pub(crate) fn sends_over(&self) -> Option<u32> {
        let link = self.peers.iter().find_map(|peer| peer.outgoing.as_ref()).filter(|_| self.held)?.link;
        section(link.0, "0")
    }

    /// Whether somebody's media comes directly.
    pub(crate) fn receives(&self) -> bool {
        self.peers.iter().any(|peer| peer.told.is_some())
    }

    /// The publication that this section of a connection carries here.
    pub(crate) fn routed(&self, section: u32) -> Option<&PublicationId> {
        self.peers.iter().filter_map(|peer| peer.incoming.as_ref()).find_map(|one| one.carried(section))
    }

    /// Whether its track comes directly.
    pub(crate) fn has(&self, publication: &PublicationId) -> bool {
        self.peers.iter().filter_map(|peer| peer.incoming.as_ref()).any(|one| one.routes(publication))
    }

    /// One's own publication that this section of a connection sends.
    pub(crate) fn sent(&self, section: u32) -> Option<&PublicationId> {
        self.peers.iter().filter_map(|peer| peer.outgoing.as_ref()).find_map(|one| one.carried(section))
    }

    /// The sections of a connection from here.
    pub(crate) fn sections(&self, link: LinkId) -> &[(PublicationId, Mid)] {
        self.peers.iter().filter_map(|peer| peer.outgoing.as_ref()).find(|one| one.link == link).map_or(&[], |one| &one.lines)
    }

    /// When to call [`Self::step`].
    pub(crate) fn poll_timeout(&self) -> Option<MonoTime> {
        let starved = self.starved.filter(|_| !self.want).map(|since| since.after(WANT_AFTER));
        let of = |peer: &Peer| {
            let retry = peer.retry_at.filter(|_| peer.outgoing.is_none());
            let ends = [peer.outgoing.as_ref().and_then(Outgoing::until), peer.incoming.as_ref().and_then(Incoming::until)];
            ends.into_iter().flatten().chain(retry).min()
        };
        self.peers.iter().filter_map(of).chain(starved).min()
    }

    /// Looks at everything after whatever happened.
    pub(crate) fn step(&mut self, now: MonoTime, facts: Facts<'_>, acts: &mut Acts) {
        let Facts { room, me, up, silent, proven } = facts;
        if self.me.as_ref() != Some(me) {
            // A new session: the others know us by another name.
            self.close(acts);
            self.me = Some(me.clone());
        }
        let others = room.count();
        let small = others < usize::from(self.most);
        // Nothing is going on, as in most rooms.
        if self.peers.is_empty() && !small {
            return;
        }
        self.starved = self.starved.or(proven.then_some(now)).filter(|_| silent && small && self.possible);
        let want = self.starved.is_some_and(|since| now.millis_since(since) >= WANT_AFTER);

        self.peers.retain_mut(|peer| {
            let here = room.has(&peer.id);
            if !here {
                peer.close(acts);
            }
            here && (small || peer.outgoing.is_some() || peer.incoming.is_some())
        });
        if small {
            for id in room.ids() {
                if self.peers.iter().all(|peer| peer.id != *id) {
                    self.peers.push(Peer::new(id.clone()));
                    if want && self.want {
                        acts.push(say(id, Word::Want, 1, 0));
                    }
                }
            }
        }
        if want != self.want {
            self.want = want;
            self.peers.iter().for_each(|peer| acts.push(say(&peer.id, Word::Want, want.into(), 0)));
        }

        let mut everybody = others > 0 && !room.own().is_empty();
        for peer in &mut self.peers {
            let wanted = small && (self.mode == RoomMode::P2p || self.possible && (want || peer.wants));
            peer.send(now, room, wanted, up, &mut self.links, acts);
            if let Some(incoming) = &mut peer.incoming
                && incoming.step(now, room, &peer.id, acts)
            {
                peer.incoming = None;
            }
            peer.tell(self.mode, acts);
            everybody &= peer.outgoing.as_ref().is_some_and(|one| one.is_enough(room.own()));
        }
        let held = everybody && self.peers.len() == others;
        if held != self.held {
            self.held = held;
            acts.push(Act::Do(Output::Hold(held)));
        }
        if self.peers.iter().filter_map(|peer| peer.incoming.as_ref()).any(Incoming::is_undecided) {
            // What doesn't come soon is looked for now and then.
            self.eager_until = self.eager_until.filter(|until| now < until.after(EAGER_FOR)).or(Some(now.after(EAGER_FOR)));
        } else {
            self.eager_until = None;
        }
    }

    /// Looks at what was counted.
    pub(crate) fn read(&mut self, now: MonoTime, room: &Room, stats: &Stats, acts: &mut Acts) {
        for peer in &mut self.peers {
            if let Some(incoming) = &mut peer.incoming {
                incoming.read(room, &peer.id, stats, acts);
            }
            if let Some(outgoing) = &mut peer.outgoing {
                outgoing.read(now, stats, acts);
            }
        }
    }

    /// A participant has said something.
    pub(crate) fn heard(&mut self, now: MonoTime, room: &Room, from: &ParticipantId, payload: &str, acts: &mut Acts) {
        let small = room.count() < usize::from(self.most);
        let Some(peer) = self.peers.iter_mut().find(|peer| peer.id == *from) else { return };
        let Some(message) = message::read(payload) else { return };
        let Message { word, link, .. } = message;
        match word {
            Word::Want => peer.wants = link > 0,
            Word::Offer if small && (self.mode == RoomMode::P2p || self.possible && (self.want || peer.wants)) => {
                peer.offered(now, message, &mut self.links, acts);
            }
            // Nobody learns our addresses without a reason.
            Word::Offer => acts.push(say(from, Word::Lost, link, 0)),
            Word::Answer | Word::Reply | Word::Have | Word::Lost => peer.answered(now, &message, acts),
            Word::Candidate | Word::End => match peer.incoming.as_mut().filter(|one| one.is(link)) {
                Some(incoming) => incoming.told(now, &message, acts),
                // Its publisher needn't wait.
                None if word == Word::End => acts.push(say(from, Word::Lost, link, 0)),
                None => {}
            },
        }
    }

    /// The browser has made a description: an offer with the sections of publications, or an answer.
    pub(crate) fn described(&mut self, link: LinkId, sdp: &str, sections: Vec<(PublicationId, Mid)>, acts: &mut Acts) {
        for peer in &mut self.peers {
            let Peer { id, outgoing, incoming, .. } = peer;
            if let Some(outgoing) = outgoing.as_mut().filter(|one| one.link == link) {
                return outgoing.described(id, sdp, sections, acts);
            }
            if let Some(incoming) = incoming.as_mut().filter(|one| one.link == link) {
                return incoming.described(id, sdp, acts);
            }
        }
    }

    /// The browser has found an address.
    pub(crate) fn candidate(&mut self, link: LinkId, candidate: String, acts: &mut Acts) {
        for Peer { id, outgoing, incoming, .. } in &mut self.peers {
            if let Some(outgoing) = outgoing.as_mut().filter(|one| one.link == link) {
                outgoing.candidates.push(id, candidate, acts);
                return;
            }
            if let Some(incoming) = incoming.as_mut().filter(|one| one.link == link) {
                incoming.candidates.push(id, candidate, acts);
                return;
            }
        }
    }

    /// A connection came up, or broke. What a browser refuses is broken.
    pub(crate) fn state(&mut self, now: MonoTime, link: LinkId, state: TransportState, acts: &mut Acts) {
        let up = state == TransportState::Connected;
        for peer in &mut self.peers {
            if let Some(outgoing) = peer.outgoing.as_mut().filter(|one| one.link == link) {
                if up {
                    outgoing.connected = true;
                } else {
                    peer.failed(now, acts);
                }
                return;
            }
            if let Some(incoming) = peer.incoming.as_mut().filter(|one| one.link == link) {
                peer.broke |= !up;
                return incoming.state(now, &peer.id, up, acts);
            }
        }
    }

    /// Ends everything.
    pub(crate) fn close(&mut self, acts: &mut Acts) {
        self.peers.iter_mut().for_each(|peer| peer.close(acts));
        self.peers.clear();
        if core::mem::take(&mut self.held) {
            acts.push(Act::Do(Output::Hold(false)));
        }
        self.want = false;
    }
}

impl Peer {
    fn new(id: ParticipantId) -> Self {
        Self { id, wants: false, outgoing: None, incoming: None, failures: 0, retry_at: None, told: None, broke: false }
    }

    fn close(&mut self, acts: &mut Acts) {
        let links = [self.outgoing.take().map(|one| one.link), self.incoming.take().map(|one| one.link)];
        links.into_iter().flatten().for_each(|link| acts.push(Act::Do(Output::CloseLink(link))));
    }

    /// Tells the app how this one's media comes, if that has changed.
    fn tell(&mut self, mode: RoomMode, acts: &mut Acts) {
        let directly = self.incoming.as_ref().is_some_and(Incoming::has_all);
        let partly = self.incoming.as_ref().is_some_and(Incoming::has_some);
        let by_mode = mode == RoomMode::P2p;
        if directly && self.told.is_none() {
            (self.told, self.broke) = (Some(by_mode), false);
            acts.push(Act::Path(self.id.clone(), true, if by_mode { "room-mode" } else { "no-media" }));
        } else if !partly && let Some(told) = self.told.take() {
            let reason = match (self.broke, told) {
                (true, _) => "lost",
                (false, true) => "room-mode",
                (false, false) => "media-back",
            };
            acts.push(Act::Path(self.id.clone(), false, reason));
        }
    }
}

fn say(to: &ParticipantId, word: Word, link: u32, round: u32) -> Act {
    Act::Say(to.clone(), message::write(word, link, round, &[], ""))
}

/// Addresses of one end, which wait until its description has gone out.
#[derive(Debug)]
struct Candidates {
    word: Word,
    /// The connection by its publisher's number.
    link: u32,
    waiting: Vec<String>,
    open: bool,
    count: u8,
    taken: u8,
}

impl Candidates {
    fn new(word: Word, link: u32) -> Self {
        Self { word, link, waiting: Vec::new(), open: false, count: 0, taken: 0 }
    }

    fn push(&mut self, to: &ParticipantId, candidate: String, acts: &mut Acts) {
        if self.count < MAX_CANDIDATES {
            self.count += 1;
            if self.open {
                acts.push(Act::Say(to.clone(), message::write(self.word, self.link, 0, &[], &candidate)));
            } else {
                self.waiting.push(candidate);
            }
        }
    }

    fn open(&mut self, to: &ParticipantId, acts: &mut Acts) {
        self.open = true;
        for candidate in core::mem::take(&mut self.waiting) {
            acts.push(Act::Say(to.clone(), message::write(self.word, self.link, 0, &[], &candidate)));
        }
    }

    /// One of the other end: more than so many would have the browser knock at doors for somebody else.
    fn take(&mut self, of: LinkId, candidate: &str, acts: &mut Acts) {
        if self.taken < MAX_CANDIDATES {
            self.taken += 1;
            acts.push(Act::Do(Output::AddCandidate { link: of, candidate: candidate.into() }));
        }
    }
}
