//! What a moderator may do to a room, and what the room is told of it.

use alloc::string::String;
use minicbor::{Decode, Encode};

/// What is asked for, and what was done: requests (`moderate`) and notices (`moderated`) have one form.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cbor(map)]
pub struct Moderation {
    /// What.
    #[n(0)]
    pub action: ModerationAction,
    /// Whom or what it is about: see [`ModerationAction`]; empty where it is about the room. At most [`MAX_MODERATION_TARGET`] bytes.
    #[n(1)]
    #[cfg_attr(feature = "json", serde(default))]
    #[cbor(default)]
    pub target: String,
}

/// Bytes of the target: an identity has 128 at most, an id fewer.
pub const MAX_MODERATION_TARGET: usize = 128;

/// What a moderator does.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[cbor(index_only)]
pub enum ModerationAction {
    /// Ends the stay of an identity, which can't come back while the room lasts. The room hears `participant_left` with `removed`.
    #[n(0)]
    Remove,
    /// Lets a removed identity in again.
    #[n(1)]
    Readmit,
    /// Asks the publisher of a publication to mute it; only the publisher hears of it.
    #[n(2)]
    AskMute,
    /// Stops a publication: the edge forwards nothing of it until it is allowed again. Everybody hears of it.
    #[n(3)]
    Mute,
    /// Gives a stopped publication back to its publisher, who may unmute it then: nobody else opens a microphone. Everybody hears of it.
    #[n(4)]
    AllowUnmute,
    /// Nobody new gets in. Everybody hears of it.
    #[n(5)]
    Lock,
    /// Everybody with a token gets in again. Everybody hears of it.
    #[n(6)]
    Unlock,
    /// Ends the room for everybody: `closed` with `room-closed`.
    #[n(7)]
    End,
}

impl ModerationAction {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 8] =
        [Self::Remove, Self::Readmit, Self::AskMute, Self::Mute, Self::AllowUnmute, Self::Lock, Self::Unlock, Self::End];
}
