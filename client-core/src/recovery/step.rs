//! The steps of a recovery and why they are taken, as apps and the journal see them.

use crate::{Code, MonoTime};

/// Where a recovery stands. In order: what comes later costs more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// Both ways to the edge work.
    Connected,
    /// Media is silent for longer than it should be; nothing is done but asking.
    Suspect,
    /// Signalling is lost: the same session is taken up over a new WebSocket.
    Resuming,
    /// Media is lost: ICE begins anew in the same transport.
    Restarting,
    /// That didn't help: a new transport in the same session.
    Replacing,
    /// The session is lost: a new one, here or on another edge.
    Moving,
    /// Over.
    Disconnected,
}

impl Step {
    /// As apps and logs see it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Suspect => "suspect",
            Self::Resuming => "resuming",
            Self::Restarting => "restarting",
            Self::Replacing => "replacing",
            Self::Moving => "moving",
            Self::Disconnected => "disconnected",
        }
    }
}

/// A step that was taken: an entry for the journal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StepTaken {
    /// Which.
    pub step: Step,
    /// Why.
    pub reason: Reason,
    /// When.
    pub at: MonoTime,
    /// How long the step before it lasted, in milliseconds.
    pub took_ms: u32,
}

/// Why the state of a session changed or a step was taken; the names are part of the public API (`statechanged`, `reconnecting`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// The edge let us in.
    Joined,
    /// The WebSocket was closed by the other side or by the network.
    SocketClosed,
    /// The WebSocket was silent for too long.
    NoPong,
    /// The edge sent something unreadable; a fresh connection brings a fresh view of the room.
    BadMessage,
    /// Nothing comes over the media path, or the browser says that it is broken.
    NoMedia,
    /// No edge answers where we were, and another one does.
    EdgeLost,
    /// The same session goes on over a new WebSocket.
    Resumed,
    /// Something came over the media path again.
    MediaBack,
    /// A new session goes on where the old one ended.
    Moved,
    /// We left.
    Left,
    /// With this error: the session ended, or the edge refused to go on with it.
    Failed(Code),
}

impl Reason {
    /// As apps and logs see it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Joined => "joined",
            Self::SocketClosed => "socket-closed",
            Self::NoPong => "no-pong",
            Self::BadMessage => "bad-message",
            Self::NoMedia => "no-media",
            Self::EdgeLost => "edge-lost",
            Self::Resumed => "resumed",
            Self::MediaBack => "media-back",
            Self::Moved => "moved",
            Self::Left => "left",
            Self::Failed(code) => code.name(),
        }
    }
}
