//! What the parts of one room tell each other. A room that outgrows its shard has a *part* on each of several; every part knows
//! everybody, carries the transports of its own participants, and gets of the others' media what its own participants take: one copy
//! of each wanted encoding, whoever many want it.
//!
//! The carrier between parts (a queue between threads; a connection between machines) must keep the order of one sender's messages, and may
//! lose those that [`RelayMessage::may_be_lost`] says, no others. What a lost carrier means is told by [`RelayMessage::lost`].
//!
//! Not here: what a part does with them (`shard::relay`).

use crate::data_channel::Channel;
use crate::layer::{MAX_ENCODINGS, Rungs};
use crate::link_report::LinkScore;
use crate::moderation::Decisions;
use crate::packet::PacketInfo;
use crate::participant::Admission;
use crate::publication::CaptureClock;
use crate::publication::keyframes::Need;
use crate::room_mode::Terms;
use nearcast_protocol::{LeaveReason, Moderation, ParticipantId, PublicationInfo};
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
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Handle(pub(crate) u64);

#[derive(Clone, Debug)]
pub(crate) enum Relayed {
    /// The sender holds a part of the room, with these in it. Who hears of that part for the first time answers with its own.
    Part {
        room: String,
        terms: Terms,
        decisions: Box<Decisions>,
        participants: Vec<RelayedParticipant>,
    },
    /// The sender's part of the room has ended.
    Gone {
        room: String,
    },
    /// All of the sender's parts have ended.
    Lost,
    Joined {
        room: String,
        participant: RelayedParticipant,
    },
    Left {
        room: String,
        participant: ParticipantId,
        reason: LeaveReason,
    },
    Published {
        room: String,
        participant: ParticipantId,
        publication: RelayedPublication,
    },
    Unpublished {
        publication: Handle,
    },
    Muted {
        publication: Handle,
        muted: bool,
    },
    /// What the publication can be had in now.
    Rungs {
        publication: Handle,
        rungs: Box<Rungs>,
    },
    /// Somebody is speaking this loud, 0 to 127.
    Loudness {
        publication: Handle,
        level: u8,
    },
    Clock {
        publication: Handle,
        encoding: u8,
        clock: CaptureClock,
    },
    /// `bytes`: the dependency descriptor, this many of them, then the payload.
    Media {
        publication: Handle,
        encoding: u8,
        info: PacketInfo,
        dependency: usize,
        bytes: Arc<[u8]>,
    },
    /// To the home: what somebody in the sender's part takes, waits for or would have.
    Demand {
        publication: Handle,
        demand: PartDemand,
    },
    /// To the home: somebody in the sender's part needs a key frame; so many who just came do.
    Keyframe {
        publication: Handle,
        encoding: u8,
        need: Need,
        newcomers: u32,
    },
    /// A message to the software of somebody in the receiver's part.
    Peer {
        room: String,
        from: ParticipantId,
        to: ParticipantId,
        payload: String,
    },
    /// The room was moderated.
    Moderation {
        room: String,
        moderation: Moderation,
    },
    /// How well participants of the sender's part are connected.
    Qualities {
        room: String,
        scores: Vec<(ParticipantId, LinkScore)>,
    },
    /// A data message, stamped with its sender. To everybody in the receiver's part, or to one.
    Data {
        room: String,
        to: Option<ParticipantId>,
        channel: Channel,
        message: Arc<[u8]>,
    },
}

/// What a part of a room takes of a publication.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct PartDemand {
    /// Encodings to be passed on, one bit each: also those of which late packets may still complete a picture.
    pub(crate) encodings: u8,
    /// Spatial layers of each encoding that somebody is given, or would be if they were sent or if there were a little more bandwidth.
    pub(crate) wanted: [u8; MAX_ENCODINGS],
}

/// A participant as other parts know it.
#[derive(Clone, Debug)]
pub(crate) struct RelayedParticipant {
    pub(crate) id: ParticipantId,
    pub(crate) admission: Admission,
    /// NTP time of its joining: of two with one identity the later stays.
    pub(crate) since: u64,
    /// It can reach nobody but an edge.
    pub(crate) by_http: bool,
    pub(crate) publications: Vec<RelayedPublication>,
}

/// A publication as other parts know it.
#[derive(Clone, Debug)]
pub(crate) struct RelayedPublication {
    pub(crate) handle: Handle,
    pub(crate) info: PublicationInfo,
    pub(crate) rids: Vec<String>,
}
