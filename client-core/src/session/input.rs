//! What happens to a session.

use alloc::{string::String, vec::Vec};
use nearcast_protocol::client::Source;
use nearcast_protocol::{Mid, ModerationAction, ParticipantId, PublicationId, Wish};

/// A request of the app. Chosen by the caller, unique in a session; comes back in the event that ends it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RequestId(pub u32);

/// One WebSocket; numbered by the session.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SocketId(pub u32);

/// One RTCPeerConnection; numbered by the session.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TransportId(pub u32);

/// A direct connection to, or from, another participant; numbered by the session.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LinkId(pub u32);

/// The `connectionState` of the transport, as far as it matters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TransportState {
    /// Media flows.
    Connected,
    /// No answer for a moment; may come back by itself.
    Disconnected,
    /// Given up by the browser.
    Failed,
}

/// A message between participants.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DataMessage {
    /// Whom it is for, or who sent it; none: everybody.
    pub peer: Option<ParticipantId>,
    /// Free text, at most 128 bytes.
    pub topic: Option<String>,
    /// At most 60 KiB.
    pub payload: Vec<u8>,
    /// The payload is UTF-8 text.
    pub text: bool,
}

/// A track to publish.
#[derive(Clone, Debug, PartialEq)]
pub struct PublishRequest {
    /// Ends with [`crate::Event::Published`] or [`crate::Event::Failed`]; names the track until then.
    pub request: RequestId,
    /// What is seen or heard.
    pub source: Source,
    /// Free text for the others, at most 256 bytes.
    pub name: String,
    /// Starts muted.
    pub muted: bool,
    /// Audio: send next to nothing during silence.
    pub dtx: bool,
}

/// What happened. Of transports only the present one is heard: inputs of a closed one are held back by the caller.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// Join. Once.
    Start,
    /// Answers [`crate::Output::FetchToken`]; none: the app's function failed.
    Token(Option<String>),
    /// The socket can send.
    SocketOpened(SocketId),
    /// A binary message came.
    SocketMessage(SocketId, Vec<u8>),
    /// The socket is gone, or never opened.
    SocketClosed(SocketId),
    /// The network is said to be back, gone, or another one: what waits is tried now, and what should work is asked.
    NetworkAvailable,
    /// A STUN or TURN server was tried.
    IceServer {
        /// The number of its address among those of [`crate::Output::SetIceServers`].
        address: u32,
        /// It gave a candidate; otherwise it failed.
        works: bool,
    },
    /// The transport could not be opened: the browser refuses its configuration.
    TransportRefused,
    /// Answers [`crate::Output::MakeOffer`]: made, and set as the local description.
    OfferMade {
        /// The complete SDP; candidates are not needed.
        sdp: String,
        /// The section of each track in it.
        mids: Vec<(RequestId, Mid)>,
    },
    /// Answers [`crate::Output::MakeOffer`]: the transport refused.
    OfferFailed,
    /// Answers [`crate::Output::ApplyAnswer`]: done.
    AnswerApplied,
    /// Answers [`crate::Output::ApplyAnswer`]: the transport refused.
    AnswerFailed,
    /// The transport's state changed.
    Transport(TransportState),
    /// A frame came through a data channel.
    Data {
        /// The frame.
        frame: Vec<u8>,
        /// Of the reliable channel.
        reliable: bool,
    },
    /// Publish a track.
    Publish(PublishRequest),
    /// Stop publishing.
    Unpublish {
        /// Ends with done or failed.
        request: RequestId,
        /// One of one's own.
        publication: PublicationId,
    },
    /// Tell the room that one of one's own publications is silent, or not.
    Mute {
        /// Ends with done or failed.
        request: RequestId,
        /// One of one's own.
        publication: PublicationId,
        /// The new state.
        muted: bool,
    },
    /// Moderate the room.
    Moderate {
        /// Ends with done or failed.
        request: RequestId,
        /// What.
        action: ModerationAction,
        /// An identity, a publication or nothing: see [`ModerationAction`].
        target: String,
    },
    /// Ask for a publication.
    Subscribe {
        /// Ends with done or failed.
        request: RequestId,
        /// Somebody else's.
        publication: PublicationId,
    },
    /// Stop receiving a publication.
    Unsubscribe {
        /// Ends with done or failed.
        request: RequestId,
        /// Somebody else's.
        publication: PublicationId,
    },
    /// How somebody else's publication is shown now. Told with the others of the moment; nothing answers it.
    Wish(Wish),
    /// Whether nobody sees the page.
    PageHidden(bool),
    /// Nothing shall give way when the processor or the path is short. Before [`Input::Start`].
    AdaptNothing,
    /// So many participants may talk directly; below two: never. Before [`Input::Start`].
    DirectLimit(u8),
    /// Answers [`crate::Output::OfferLink`] and [`crate::Output::DescribeLink`] of a connection to here: made, and set as the local description.
    LinkDescribed {
        /// Which.
        link: LinkId,
        /// The SDP.
        sdp: String,
        /// Of an offer: the section of each new publication.
        sections: Vec<(PublicationId, Mid)>,
    },
    /// A direct connection has found an address of ours.
    LinkCandidate {
        /// Which.
        link: LinkId,
        /// As in SDP, without `a=`.
        candidate: String,
    },
    /// The state of a direct connection changed; failed, too: the browser refuses something.
    LinkState {
        /// Which.
        link: LinkId,
        /// The state.
        state: TransportState,
    },
    /// Answers [`crate::Output::ReadStats`]: records as in [`crate::stats`].
    Stats(Vec<f64>),
    /// Leave for good.
    Leave,
}

impl Input {
    /// The request that this input makes.
    pub(super) fn request(&self) -> Option<RequestId> {
        match self {
            Self::Publish(PublishRequest { request, .. })
            | Self::Unpublish { request, .. }
            | Self::Mute { request, .. }
            | Self::Moderate { request, .. }
            | Self::Subscribe { request, .. }
            | Self::Unsubscribe { request, .. } => Some(*request),
            _ => None,
        }
    }
}
