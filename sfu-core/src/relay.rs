//! What the parts of one room tell each other. A room that outgrows its shard has a *part* on each of several; every part knows
//! everybody, carries the transports of its own participants, and gets of the others' media what its own participants take: one copy
//! of each wanted encoding, whoever many want it.
//!
//! The carrier between parts (a queue between threads; a connection between machines) must keep the order of one sender's messages, and may
//! lose those that [`RelayMessage::may_be_lost`] says, no others. What a lost carrier means is told by [`RelayMessage::lost`].
//!
//! Between edges a message is bytes ([`wire`]); media goes in datagrams that are numbered and sent again when they are lost ([`hop`]).
//!
//! Media needn't come from the home of a publication itself: where many edges take it they pass it on to each other ([`tree`]). Everything else does.
//!
//! Not here: what a part does with them (`shard::relay`); connections (`edge-server`).

pub mod hop;
pub(crate) mod tree;
pub mod wire;

use crate::data_channel::Channel;
use crate::layer::{MAX_ENCODINGS, Rungs};
use crate::link_report::LinkScore;
use crate::moderation::Decisions;
use crate::packet::PacketInfo;
use crate::participant::{Admission, Incarnation};
use crate::publication::CaptureClock;
use crate::publication::keyframes::Need;
use crate::room_mode::Terms;
use minicbor::{Decode, Encode};
use nearcast_protocol::{LeaveReason, Moderation, ParticipantId, PublicationId, PublicationInfo};
use std::sync::Arc;

/// A message from one part of a room to another.
#[derive(Clone, Debug)]
pub struct RelayMessage(pub(crate) Relayed);

impl RelayMessage {
    /// A carrier without room may drop it: the media it belongs to has a hole then, which a key frame mends.
    #[must_use]
    pub fn may_be_lost(&self) -> bool {
        matches!(self.0, Relayed::Media { .. })
    }

    /// To be given to every other part when a shard has lost everything (its core was replaced, its machine is gone), in its name.
    #[must_use]
    pub fn lost() -> Self {
        Self(Relayed::Lost)
    }
}

/// A publication as its home calls it: the number never comes back.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, Hash, PartialEq)]
#[cbor(transparent)]
pub(crate) struct Handle(#[n(0)] pub(crate) u64);

/// What parts say. Numbers are wire format: add, never renumber; a kind that an edge doesn't know is skipped there.
#[derive(Clone, Debug, Decode, Encode)]
pub(crate) enum Relayed {
    /// The sender holds a part of the room, with these in it. Who hears of that part for the first time answers with its own.
    #[n(0)]
    Part {
        #[n(0)]
        room: String,
        #[n(1)]
        terms: Terms,
        #[n(2)]
        decisions: Box<Decisions>,
        #[n(3)]
        participants: Vec<RelayedParticipant>,
    },
    /// The sender's part of the room has ended.
    #[n(1)]
    Gone {
        #[n(0)]
        room: String,
    },
    /// All of the sender's parts have ended.
    #[n(2)]
    Lost,
    #[n(3)]
    Joined {
        #[n(0)]
        room: String,
        #[n(1)]
        participant: RelayedParticipant,
    },
    #[n(4)]
    Left {
        #[n(0)]
        room: String,
        #[n(1)]
        participant: ParticipantId,
        #[n(2)]
        reason: LeaveReason,
        /// It goes on elsewhere, if it hasn't yet.
        #[n(3)]
        #[cbor(default)]
        moved: bool,
    },
    #[n(5)]
    Published {
        #[n(0)]
        room: String,
        #[n(1)]
        participant: ParticipantId,
        #[n(2)]
        publication: RelayedPublication,
    },
    #[n(6)]
    Unpublished {
        #[n(0)]
        publication: Handle,
    },
    #[n(7)]
    Muted {
        #[n(0)]
        publication: Handle,
        #[n(1)]
        muted: bool,
    },
    /// What the publication can be had in now.
    #[n(8)]
    Rungs {
        #[n(0)]
        publication: Handle,
        #[n(1)]
        rungs: Box<Rungs>,
        /// Encodings that the link isn't too narrow for, one bit each. None: all.
        #[n(2)]
        #[cbor(default)]
        passable: Option<u8>,
    },
    /// Somebody is speaking this loud, 0 to 127.
    #[n(9)]
    Loudness {
        #[n(0)]
        publication: Handle,
        #[n(1)]
        level: u8,
    },
    #[n(10)]
    Clock {
        #[n(0)]
        publication: Handle,
        #[n(1)]
        encoding: u8,
        #[n(2)]
        clock: CaptureClock,
    },
    /// `bytes`: the dependency descriptor, this many of them, then the payload.
    #[n(11)]
    Media {
        #[n(0)]
        publication: Handle,
        #[n(1)]
        encoding: u8,
        #[n(2)]
        info: PacketInfo,
        #[n(3)]
        dependency: usize,
        #[n(4)]
        #[cbor(with = "wire::shared")]
        bytes: Arc<[u8]>,
    },
    /// To the home, or to the part that passes it on: what somebody in the sender's part takes, waits for or would have, or in parts that get it there.
    #[n(12)]
    Demand {
        #[n(0)]
        publication: Handle,
        #[n(1)]
        demand: PartDemand,
    },
    /// The same way: somebody in the sender's part needs a key frame; so many who just came do.
    #[n(13)]
    Keyframe {
        #[n(0)]
        publication: Handle,
        #[n(1)]
        encoding: u8,
        #[n(2)]
        need: Need,
        #[n(3)]
        newcomers: u32,
    },
    /// A message to the software of somebody in the receiver's part.
    #[n(14)]
    Peer {
        #[n(0)]
        room: String,
        #[n(1)]
        from: ParticipantId,
        #[n(2)]
        to: ParticipantId,
        #[n(3)]
        payload: String,
    },
    /// The room was moderated.
    #[n(15)]
    Moderation {
        #[n(0)]
        room: String,
        #[n(1)]
        moderation: Moderation,
    },
    /// How well participants of the sender's part are connected.
    #[n(16)]
    Qualities {
        #[n(0)]
        room: String,
        #[n(1)]
        scores: Vec<(ParticipantId, LinkScore)>,
    },
    /// A data message, stamped with its sender. To everybody in the receiver's part, or to one.
    #[n(17)]
    Data {
        #[n(0)]
        room: String,
        #[n(1)]
        to: Option<ParticipantId>,
        #[n(2)]
        channel: Channel,
        #[n(3)]
        #[cbor(with = "wire::shared")]
        message: Arc<[u8]>,
        /// The sender's part hands over what it says to those who go on in the receiver's.
        #[n(4)]
        #[cbor(default)]
        keeps: bool,
    },
    /// From the home: get its media from that part of the room, so many hops away from here; none: from the home itself.
    #[n(18)]
    Via {
        #[n(0)]
        publication: Handle,
        #[n(1)]
        parent: Option<PartName>,
        #[n(2)]
        depth: u8,
    },
    /// To a part that has a publication of another home: pass its media on to the sender, who is this many hops away from the home then. Said again
    /// until it is answered.
    #[n(19)]
    Adopt {
        #[n(0)]
        publication: PublicationId,
        #[n(1)]
        depth: u8,
    },
    /// The answer: demand, requests and media go by this handle from now on.
    #[n(20)]
    Adopted {
        #[n(0)]
        publication: PublicationId,
        #[n(1)]
        handle: Handle,
    },
    /// Nothing of it is passed on to the receiver any more.
    #[n(21)]
    Dropped {
        #[n(0)]
        publication: Handle,
    },
    /// To the home: its media didn't come from there, and is taken from the home again.
    #[n(22)]
    Stray {
        #[n(0)]
        publication: Handle,
        #[n(1)]
        parent: PartName,
    },
    /// What can be had of it from the sender, one bit for each encoding: links on the way are too narrow for the others.
    #[n(23)]
    Passable {
        #[n(0)]
        publication: Handle,
        #[n(1)]
        encodings: u8,
    },
    /// A reliable message, stamped with its sender, to somebody who goes on in the receiver's part and may not have heard it in the sender's.
    #[n(24)]
    Late {
        #[n(0)]
        room: String,
        #[n(1)]
        to: ParticipantId,
        #[n(2)]
        #[cbor(with = "wire::shared")]
        message: Arc<[u8]>,
    },
    /// These were all that the sender's part had kept for it: what is said there from now on it hears in the receiver's.
    #[n(25)]
    HandedOver {
        #[n(0)]
        room: String,
        #[n(1)]
        participant: ParticipantId,
    },
}

/// A part of a room by a name that any edge understands.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
#[cbor(map)]
pub(crate) struct PartName {
    /// The edge's id.
    #[n(0)]
    pub(crate) edge: String,
    /// Of several processes of it, which.
    #[n(1)]
    pub(crate) incarnation: u64,
    /// The shard's number there.
    #[n(2)]
    pub(crate) shard: u8,
}

/// What a part of a room takes of a publication.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, PartialEq)]
#[cbor(map)]
pub(crate) struct PartDemand {
    /// Encodings to be passed on, one bit each: also those of which late packets may still complete a picture.
    #[n(0)]
    pub(crate) encodings: u8,
    /// Spatial layers of each encoding that somebody is given, or would be if they were sent or if there were a little more bandwidth.
    #[n(1)]
    pub(crate) wanted: [u8; MAX_ENCODINGS],
    /// It comes from another part, and isn't to be sent by the home.
    #[n(2)]
    #[cbor(default)]
    pub(crate) via: bool,
    /// Nobody in the sender's part takes it: it is passed on to others alone.
    #[n(3)]
    #[cbor(default)]
    pub(crate) idle: bool,
}

impl PartDemand {
    /// Nothing at all.
    pub(crate) fn is_none(&self) -> bool {
        self.encodings == 0 && self.wanted.iter().all(|wanted| *wanted == 0)
    }

    /// With what another takes.
    pub(crate) fn add(&mut self, other: &Self) {
        self.encodings |= other.encodings;
        self.wanted.iter_mut().zip(other.wanted).for_each(|(wanted, there)| *wanted = there.max(*wanted));
    }
}

/// A participant as other parts know it.
#[derive(Clone, Debug, Decode, Encode)]
#[cbor(map)]
pub(crate) struct RelayedParticipant {
    #[n(0)]
    pub(crate) id: ParticipantId,
    #[n(1)]
    pub(crate) admission: Admission,
    /// NTP time of its coming to where it is: of two with one identity the later stays.
    #[n(2)]
    pub(crate) since: u64,
    /// It can reach nobody but an edge.
    #[n(3)]
    pub(crate) by_http: bool,
    #[n(4)]
    pub(crate) publications: Vec<RelayedPublication>,
    /// How often it went on at another edge.
    #[n(5)]
    #[cbor(default)]
    pub(crate) count: u16,
    /// NTP time of joining, elsewhere. 0: where it is.
    #[n(6)]
    #[cbor(default)]
    pub(crate) joined: u64,
    /// Nothing has come over its transport there: what is known of it where it was may be kept until then.
    #[n(7)]
    #[cbor(default)]
    pub(crate) arriving: bool,
}

impl RelayedParticipant {
    pub(crate) fn incarnation(&self) -> Incarnation {
        Incarnation { count: self.count, at: self.since }
    }
}

/// A publication as other parts know it.
#[derive(Clone, Debug, Decode, Encode)]
#[cbor(map)]
pub(crate) struct RelayedPublication {
    #[n(0)]
    pub(crate) handle: Handle,
    #[n(1)]
    pub(crate) info: PublicationInfo,
    #[n(2)]
    pub(crate) rids: Vec<String>,
}
