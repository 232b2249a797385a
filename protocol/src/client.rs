//! What a participant says to the edge.

use crate::{Mid, Moderation, ParticipantId, PublicationId, SessionId, Wish};
use alloc::{string::String, vec::Vec};
use minicbor::{Decode, Encode};

/// One message of a participant with the number its reply repeats.
#[derive(Clone, Debug, Decode, Encode, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cbor(map)]
pub struct ClientEnvelope {
    /// Chosen by the sender, repeated by the reply ([`crate::ServerMessage`] with the same `id`). Zero: no reply wanted.
    #[n(0)]
    #[cfg_attr(feature = "json", serde(default))]
    pub id: u32,
    /// What is asked.
    #[n(1)]
    #[cfg_attr(feature = "json", serde(flatten))]
    pub message: ClientMessage,
}

/// A request. The first on a connection is [`ClientMessage::Join`]; anything else before it is refused.
#[derive(Clone, Debug, Decode, Encode, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize), serde(tag = "type", rename_all = "snake_case"))]
pub enum ClientMessage {
    /// Enter the room that the token names, or resume a session. Reply: `joined`.
    #[n(0)]
    Join(#[n(0)] Join),
    /// A new session description. Reply: `answer`.
    #[n(1)]
    Offer(#[n(0)] MediaOffer),
    /// Stop publishing. Reply: `done`.
    #[n(2)]
    Unpublish {
        /// One of one's own publications.
        #[n(0)]
        publication: PublicationId,
    },
    /// Mute or unmute one of one's own publications; the room is told. Reply: `done`.
    #[n(3)]
    Mute {
        /// One of one's own publications.
        #[n(0)]
        publication: PublicationId,
        /// The new state.
        #[n(1)]
        muted: bool,
    },
    /// Ask for a publication. Reply: `done`; a `slot` message follows when media is on its way.
    #[n(4)]
    Subscribe {
        /// Somebody else's publication.
        #[n(0)]
        publication: PublicationId,
    },
    /// Stop receiving a publication. Reply: `done`.
    #[n(5)]
    Unsubscribe {
        /// Somebody else's publication.
        #[n(0)]
        publication: PublicationId,
    },
    /// Leave for good: the session ends and cannot be resumed. No reply; the edge closes the connection.
    #[n(6)]
    Leave,
    /// Shows that both ends live. Reply: `pong`.
    #[n(7)]
    Ping,
    /// How one shows what one receives, so that no more than that is sent. Unknown publications are skipped. Reply: `done`.
    #[n(8)]
    Wishes {
        /// Those that changed.
        #[n(0)]
        wishes: Vec<Wish>,
    },
    /// A new transport in place of the present one, which is gone or no longer trusted: its first offer. Participant, publications
    /// ([`PublishIntent::publication`]) and subscriptions go on. Reply: `answer`.
    #[n(9)]
    Transport(#[n(0)] MediaOffer),
    /// Hands a message to another participant's software: the way two of them agree on a direct connection. Reply: `done`.
    #[n(10)]
    Peer {
        /// Whom it is for.
        #[n(0)]
        to: ParticipantId,
        /// Not read by the edge; at most [`MAX_PEER_PAYLOAD`] bytes.
        #[n(1)]
        payload: String,
    },
    /// Moderates the room; for tokens with `can_moderate`. Reply: `done`.
    #[n(11)]
    Moderate(#[n(0)] Moderation),
}

/// Bytes of the payload of a `peer` message: a description with every candidate is a tenth of it.
pub const MAX_PEER_PAYLOAD: usize = 64 * 1024;

/// Enters a room, or comes back to it.
#[derive(Clone, Debug, Decode, Default, Encode, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cbor(map)]
pub struct Join {
    /// A JWT whose grants name room and identity; see docs/tokens.md.
    #[n(0)]
    pub token: String,
    /// Subscribe to everything, present and future, without asking.
    #[n(1)]
    #[cfg_attr(feature = "json", serde(default = "yes"))]
    pub auto_subscribe: bool,
    /// The first session description, so that joining costs one round trip; may come later as `offer`.
    #[n(2)]
    #[cfg_attr(feature = "json", serde(default))]
    pub offer: Option<MediaOffer>,
    /// Comes back to a session whose WebSocket was lost. With an `offer` beside it, over a new transport too.
    #[n(3)]
    #[cfg_attr(feature = "json", serde(default))]
    pub resume: Option<Resume>,
    /// What software this is, for logs: at most 64 bytes are kept.
    #[n(4)]
    #[cfg_attr(feature = "json", serde(default))]
    pub client: Option<String>,
    /// Joins as somebody who was at another edge and goes on here: as the same participant, with the publications that the offer names.
    #[n(5)]
    #[cfg_attr(feature = "json", serde(default))]
    pub continues: Option<Continues>,
}

#[cfg(feature = "json")]
fn yes() -> bool {
    true
}

/// Proof that a session is ours.
#[derive(Clone, Debug, Decode, Encode, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cbor(map)]
pub struct Resume {
    /// As given in `joined`. Refused with `session-unknown` when the edge no longer holds it: then join anew.
    #[n(0)]
    pub session: SessionId,
}

/// Who somebody was at another edge. Where that can't be shown the join is that of a newcomer.
#[derive(Clone, Debug, Decode, Encode, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cbor(map)]
pub struct Continues {
    /// As which participant.
    #[n(0)]
    pub participant: ParticipantId,
    /// What shows that: as given in `joined`.
    #[n(1)]
    pub claim: String,
    /// Counts the attempts to go on elsewhere, from 1: of two edges that have the same participant, the one with the higher count keeps it.
    #[n(2)]
    pub count: u16,
}

/// A session description (RFC 8829) and what its sending sections carry.
#[derive(Clone, Debug, Decode, Default, Encode, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cbor(map)]
pub struct MediaOffer {
    /// The SDP offer, complete; candidates are not needed (the edge is ICE-lite).
    #[n(0)]
    pub sdp: String,
    /// One entry for each sending section that isn't yet published.
    #[n(1)]
    #[cfg_attr(feature = "json", serde(default))]
    pub publish: Vec<PublishIntent>,
}

/// Names the source behind a sending section.
#[derive(Clone, Debug, Decode, Encode, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cbor(map)]
pub struct PublishIntent {
    /// The section.
    #[n(0)]
    pub mid: Mid,
    /// What is seen or heard.
    #[n(1)]
    pub source: Source,
    /// Free text for people, at most 256 bytes.
    #[n(2)]
    #[cfg_attr(feature = "json", serde(default))]
    pub name: String,
    /// Starts muted.
    #[n(3)]
    #[cfg_attr(feature = "json", serde(default))]
    pub muted: bool,
    /// On a new transport: the publication that goes on through this section. One that the edge no longer has becomes a new one.
    #[n(4)]
    #[cfg_attr(feature = "json", serde(default))]
    pub publication: Option<PublicationId>,
}

/// What a publication shows or sounds like; decides priority and lip-sync grouping.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[cbor(index_only)]
pub enum Source {
    /// A face: played in sync with the microphone.
    #[n(0)]
    Camera,
    /// A voice.
    #[n(1)]
    Microphone,
    /// A shared screen or window: played in sync with screen audio.
    #[n(2)]
    Screen,
    /// What the shared screen sounds like.
    #[n(3)]
    ScreenAudio,
    /// Any other track; played on its own.
    #[n(4)]
    Other,
}
