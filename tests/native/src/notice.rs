//! What happens during a call, as the library tells it and the binary prints it.

use nearcast_protocol::client::Source;
use serde::Serialize;

/// One event. As JSON: an object whose `event` is the name.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Notice {
    /// The room let us in and answered the offer.
    Joined {
        /// Our id in the room.
        participant: String,
        /// Milliseconds since `join` was called.
        ms: f64,
    },
    /// ICE and DTLS are done: media flows from here on.
    Connected {
        /// Milliseconds since `join` was called.
        ms: f64,
    },
    /// A data channel can be used.
    ChannelOpen {
        /// Which of the two.
        reliable: bool,
        /// Milliseconds since `join` was called.
        ms: f64,
    },
    /// Somebody came, or was there already.
    ParticipantJoined {
        /// From its token.
        identity: String,
        /// Its id in the room.
        participant: String,
    },
    /// Somebody went.
    ParticipantLeft {
        /// From its token.
        identity: String,
    },
    /// Somebody publishes.
    PublicationAdded {
        /// Its id.
        publication: String,
        /// Whose.
        identity: String,
        /// What.
        source: Source,
    },
    /// A publication ended.
    PublicationRemoved {
        /// Its id.
        publication: String,
    },
    /// A slot carries another publication from here on, or none.
    Slot {
        /// The receiving section.
        mid: String,
        /// What it carries.
        publication: Option<String>,
    },
    /// The first packet of a slot.
    FirstMedia {
        /// The receiving section.
        mid: String,
        /// Milliseconds since `join` was called.
        ms: f64,
    },
    /// Who speaks, loudest first.
    Speakers {
        /// From their tokens.
        identities: Vec<String>,
    },
    /// A message from another participant.
    Data {
        /// From its token; its id when it has already left.
        from: String,
        /// As sent.
        topic: Option<String>,
        /// The message, when it is text.
        text: Option<String>,
        /// How long it is.
        bytes: usize,
        /// Which channel it came through.
        reliable: bool,
    },
    /// The session ended without our asking for it.
    Closed {
        /// In the edge's words.
        why: String,
    },
}
