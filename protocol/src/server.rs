//! What the edge says to a participant.

use crate::client::Source;
use crate::{
    EncodingDemand, ErrorCode, ErrorInfo, IceServer, LayerState, Mid, Moderation, ParticipantId, ParticipantQuality, PublicationId,
    RoomMode, SessionId,
};
use alloc::{boxed::Box, string::String, vec::Vec};
use minicbor::{Decode, Encode};

/// A reply (with the `id` of its request) or an event (without).
#[derive(Clone, Debug, Decode, Encode, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize), serde(tag = "type", rename_all = "snake_case"))]
pub enum ServerMessage {
    /// Reply to `join`: the whole room as it stands. Events that follow are changes to it. A resumed session gets it anew.
    #[n(0)]
    Joined(#[n(0)] Box<Joined>),
    /// Reply to `offer`.
    #[n(1)]
    Answer {
        /// Of the request.
        #[n(0)]
        id: u32,
        /// The session description to apply.
        #[n(1)]
        #[cfg_attr(feature = "json", serde(flatten))]
        answer: MediaAnswer,
    },
    /// Reply: it was done.
    #[n(2)]
    Done {
        /// Of the request.
        #[n(0)]
        id: u32,
    },
    /// Reply: it was refused. Nothing changed.
    #[n(3)]
    Failed {
        /// Of the request.
        #[n(0)]
        id: u32,
        /// Why, and what to do.
        #[n(1)]
        error: ErrorInfo,
    },
    /// Somebody came.
    #[n(4)]
    ParticipantJoined {
        /// Who, with what they publish already.
        #[n(0)]
        participant: ParticipantInfo,
    },
    /// Somebody went; their publications are gone too.
    #[n(5)]
    ParticipantLeft {
        /// Who.
        #[n(0)]
        participant: ParticipantId,
        /// How.
        #[n(1)]
        reason: LeaveReason,
    },
    /// A publication can be subscribed to.
    #[n(6)]
    PublicationAdded {
        /// Whose.
        #[n(0)]
        participant: ParticipantId,
        /// What.
        #[n(1)]
        publication: PublicationInfo,
    },
    /// A publication ended.
    #[n(7)]
    PublicationRemoved {
        /// Whose.
        #[n(0)]
        participant: ParticipantId,
        /// What.
        #[n(1)]
        publication: PublicationId,
    },
    /// A publication was muted or unmuted by its publisher.
    #[n(8)]
    PublicationMuted {
        /// What.
        #[n(0)]
        publication: PublicationId,
        /// The new state.
        #[n(1)]
        muted: bool,
    },
    /// A slot now carries another publication, or none.
    #[n(9)]
    Slot {
        /// The change.
        #[n(0)]
        #[cfg_attr(feature = "json", serde(flatten))]
        binding: SlotBinding,
    },
    /// More subscriptions than slots: offer again with at least this many receiving sections of each kind.
    #[n(10)]
    SlotsWanted {
        /// Receiving audio sections wanted in all.
        #[n(0)]
        audio: u16,
        /// Receiving video sections wanted in all.
        #[n(1)]
        video: u16,
    },
    /// Who speaks now, loudest first; sent on change, at most every 250 ms.
    #[n(11)]
    Speakers {
        /// Empty: silence.
        #[n(0)]
        speakers: Vec<Speaker>,
    },
    /// The session is over; the connection closes after this.
    #[n(12)]
    Closed {
        /// Why, and whether joining again can help.
        #[n(0)]
        error: ErrorInfo,
    },
    /// Reply to `ping`.
    #[n(13)]
    Pong {
        /// Of the request.
        #[n(0)]
        id: u32,
    },
    /// What one receives of each video publication now, and why not more; sent on change.
    #[n(14)]
    Layers {
        /// Bandwidth estimated towards this participant, bits per second; 0 while unknown.
        #[n(0)]
        estimate: u32,
        /// Those that changed.
        #[n(1)]
        layers: Vec<LayerState>,
    },
    /// Which encodings of one's own publication somebody receives: the others may be switched off, and have to come back when asked for.
    #[n(15)]
    Encodings {
        /// One of one's own.
        #[n(0)]
        publication: PublicationId,
        /// All of them.
        #[n(1)]
        encodings: Vec<EncodingDemand>,
    },
    /// How well participants are connected, oneself included, subscribed or not; sent on change, at most once a second.
    #[n(16)]
    Qualities {
        /// Those that changed.
        #[n(0)]
        qualities: Vec<ParticipantQuality>,
    },
    /// A message from another participant's software.
    #[n(17)]
    Peer {
        /// Who sent it.
        #[n(0)]
        from: ParticipantId,
        /// As it was sent.
        #[n(1)]
        payload: String,
    },
    /// How media is to go in this room from now on.
    #[n(18)]
    Mode {
        /// Through the edge, or directly.
        #[n(0)]
        mode: RoomMode,
    },
    /// Servers for ICE with fresh credentials, before those given earlier run out.
    #[n(19)]
    IceServers {
        /// All of them; they replace the earlier ones.
        #[n(0)]
        servers: Vec<IceServer>,
    },
    /// A moderator did something to the room, to a publication, or asks for it.
    #[n(20)]
    Moderated(#[n(0)] Moderation),
    /// This edge is going away. Go on at another one as the same participant ([`crate::Continues`]), and leave this one when pictures come from there;
    /// it goes on meanwhile. Who hasn't gone by then gets `closed`.
    #[n(21)]
    Move {
        /// Its address, as `connect` takes it.
        #[n(0)]
        to: String,
        /// How long this edge waits, in milliseconds.
        #[n(1)]
        deadline_ms: u32,
    },
}

impl ServerMessage {
    /// A refusal with the standard text of `code`.
    #[must_use]
    pub fn failed(id: u32, code: ErrorCode, message: impl Into<String>) -> Self {
        Self::Failed { id, error: ErrorInfo::new(code, message) }
    }
}

/// The whole room, as one participant may see it.
#[derive(Clone, Debug, Decode, Encode, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cbor(map)]
pub struct Joined {
    /// Of the request.
    #[n(0)]
    pub id: u32,
    /// Keep it secret; it resumes the session.
    #[n(1)]
    pub session: SessionId,
    /// Name of the room.
    #[n(2)]
    pub room: String,
    /// Oneself, with one's own publications.
    #[n(3)]
    pub participant: ParticipantInfo,
    /// Everybody else.
    #[n(4)]
    pub others: Vec<ParticipantInfo>,
    /// What one may do here.
    #[n(5)]
    pub permissions: Permissions,
    /// Which slot carries what (after a resume).
    #[n(6)]
    pub slots: Vec<SlotBinding>,
    /// Reply to the offer inside the `join`.
    #[n(7)]
    pub answer: Option<MediaAnswer>,
    /// This is the session that was asked for, still alive: transport, publications and subscriptions stand.
    #[n(8)]
    pub resumed: bool,
    /// How long the edge keeps a session whose WebSocket is gone, in milliseconds.
    #[n(9)]
    pub resume_window_ms: u32,
    /// Other edges that take this room's participants when this one is gone: addresses as `connect` takes them, best first; at most 8.
    #[n(10)]
    #[cfg_attr(feature = "json", serde(default))]
    #[cbor(default)]
    pub edges: Vec<String>,
    /// STUN and TURN servers, with credentials that last a while; at most 8.
    #[n(11)]
    #[cfg_attr(feature = "json", serde(default))]
    #[cbor(default)]
    pub ice_servers: Vec<IceServer>,
    /// How media goes in this room now.
    #[n(12)]
    #[cfg_attr(feature = "json", serde(default))]
    #[cbor(default)]
    pub mode: RoomMode,
    /// Participants of this room may talk directly: when the mode says so, and where media doesn't get through the edge.
    #[n(13)]
    #[cfg_attr(feature = "json", serde(default))]
    #[cbor(default)]
    pub direct: bool,
    /// A moderator locked the room.
    #[n(14)]
    #[cfg_attr(feature = "json", serde(default))]
    #[cbor(default)]
    pub locked: bool,
    /// Keep it secret; with it another edge lets one go on as the same participant ([`crate::Continues`]). None: this edge has no others.
    #[n(15)]
    #[cfg_attr(feature = "json", serde(default))]
    #[cbor(default)]
    pub claim: Option<String>,
}

/// A participant as others see it.
#[derive(Clone, Debug, Decode, Encode, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cbor(map)]
pub struct ParticipantInfo {
    /// Unique in the room and over time.
    #[n(0)]
    pub id: ParticipantId,
    /// From the token: who it is. A second join with the same identity replaces the first.
    #[n(1)]
    pub identity: String,
    /// From the token: what to show. Falls back to the identity.
    #[n(2)]
    pub name: String,
    /// From the token.
    #[n(3)]
    pub role: Option<String>,
    /// What it publishes now.
    #[n(4)]
    pub publications: Vec<PublicationInfo>,
}

/// A publication as others see it.
#[derive(Clone, Debug, Decode, Encode, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cbor(map)]
pub struct PublicationInfo {
    /// Unique in the room and over time.
    #[n(0)]
    pub id: PublicationId,
    /// Video (true) or audio.
    #[n(1)]
    pub video: bool,
    /// What is seen or heard.
    #[n(2)]
    pub source: Source,
    /// Free text from the publisher.
    #[n(3)]
    pub name: String,
    /// No media is sent for now.
    #[n(4)]
    pub muted: bool,
    /// Muted by a moderator: its publisher can't unmute it until it is allowed again.
    #[n(5)]
    #[cfg_attr(feature = "json", serde(default))]
    #[cbor(default)]
    pub blocked: bool,
}

/// What a token's grants amount to.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cbor(map)]
pub struct Permissions {
    /// May publish tracks.
    #[n(0)]
    pub publish: bool,
    /// May receive tracks.
    #[n(1)]
    pub subscribe: bool,
    /// May send data messages.
    #[n(2)]
    pub publish_data: bool,
    /// May moderate the room.
    #[n(3)]
    #[cfg_attr(feature = "json", serde(default))]
    #[cbor(default)]
    pub moderate: bool,
}

/// A session description and what became of the publish intents.
#[derive(Clone, Debug, Decode, Default, Encode, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cbor(map)]
pub struct MediaAnswer {
    /// The SDP answer.
    #[n(0)]
    pub sdp: String,
    /// One entry for each intent.
    #[n(1)]
    pub published: Vec<Published>,
}

/// A sending section became a publication, or was refused.
#[derive(Clone, Debug, Decode, Encode, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cbor(map)]
pub struct Published {
    /// The section.
    #[n(0)]
    pub mid: Mid,
    /// Set when it was accepted.
    #[n(1)]
    pub publication: Option<PublicationId>,
    /// Set when it was refused: not permitted, no codec in common, limit reached.
    #[n(2)]
    pub error: Option<ErrorInfo>,
}

/// Which publication a receiving section carries.
#[derive(Clone, Debug, Decode, Encode, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cbor(map)]
pub struct SlotBinding {
    /// The receiving section.
    #[n(0)]
    pub mid: Mid,
    /// None: the slot is free and its track is silent.
    #[n(1)]
    pub publication: Option<PublicationId>,
}

/// Somebody who speaks.
#[derive(Clone, Debug, Decode, Encode, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cbor(map)]
pub struct Speaker {
    /// Who.
    #[n(0)]
    pub participant: ParticipantId,
    /// Loudness, 0 (silence) to 127 (overload): 127 minus the level of RFC 6464.
    #[n(1)]
    pub level: u8,
}

/// How a participant went.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[cbor(index_only)]
pub enum LeaveReason {
    /// It said so.
    #[n(0)]
    Left,
    /// Neither media nor signalling for the resume window.
    #[n(1)]
    TimedOut,
    /// The same identity joined again.
    #[n(2)]
    Replaced,
    /// A moderator or the server removed it.
    #[n(3)]
    Removed,
    /// The edge failed it: a fault of ours, counted and logged.
    #[n(4)]
    Failed,
}
