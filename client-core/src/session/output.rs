//! What a session wants done, and what it tells the app.

use super::{Adapted, DataMessage, Judgement, LinkId, RequestId, SocketId, TransportId};
use crate::encodings::Caps;
use crate::peer_ladder::PeerRung;
use crate::{Reason, SessionError, SlotCounts, StepTaken};
use alloc::{string::String, vec::Vec};
use nearcast_protocol::{
    EncodingDemand, IceServer, LayerState, LeaveReason, Mid, ModerationAction, ParticipantId, PublicationId, PublicationInfo, Speaker,
};

/// Where a session stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// Not let in yet.
    Connecting,
    /// In the room.
    Connected,
    /// In the room, without signalling or without media.
    Reconnecting,
    /// Over.
    Disconnected,
}

impl State {
    /// As apps see it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Reconnecting => "reconnecting",
            Self::Disconnected => "disconnected",
        }
    }
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Ask the app for a token; answer with [`crate::Input::Token`].
    FetchToken,
    /// Open a WebSocket and report under this number.
    OpenSocket {
        /// The number.
        socket: SocketId,
        /// To this edge, in the form that `connect` takes; none: the one that `connect` was given.
        edge: Option<String>,
    },
    /// Send on the present socket.
    Send(Vec<u8>),
    /// Close it, after what was sent; its further events don't matter.
    CloseSocket(SocketId),
    /// Add sections, make an offer and set it as the local description; answer with `OfferMade` or `OfferFailed`.
    MakeOffer {
        /// Tracks that get a sending section.
        publish: Vec<RequestId>,
        /// Receiving sections to add.
        grow: SlotCounts,
        /// With new ICE credentials.
        restart: bool,
    },
    /// Set as the remote description; answer with `AnswerApplied` or `AnswerFailed`.
    ApplyAnswer {
        /// The SDP.
        sdp: String,
    },
    /// Take back the offer.
    RollBack,
    /// The track was refused: its section falls silent and may carry another one.
    DropSender {
        /// As it was asked for.
        request: RequestId,
    },
    /// The track is unpublished: its section falls silent and may carry another one.
    ReleaseSender {
        /// What it carried.
        publication: PublicationId,
    },
    /// Send only those encodings that somebody wants, at once.
    SetEncodings {
        /// One of one's own.
        publication: PublicationId,
        /// What is wanted of each.
        encodings: Vec<EncodingDemand>,
    },
    /// Hold all videos down to this, at once.
    Cap(Caps),
    /// Read the browser's counters; answer with [`crate::Input::Stats`].
    ReadStats,
    /// Open a transport; its offer, channels and state are what inputs speak of from now on. Tracks of the one before go on in it: `MakeOffer`
    /// names them as they were asked for.
    OpenTransport(TransportId),
    /// Close it.
    CloseTransport(TransportId),
    /// Keep the present transport and the present socket as they are, and hear nothing more from them: others take their places, and tracks go on in
    /// both transports.
    Keep,
    /// Close what is kept.
    CloseKept,
    /// Send this frame on the lossy channel, if that is open.
    SendBeat(Vec<u8>),
    /// These STUN and TURN servers from now on, beside the app's own, in this transport and later ones.
    SetIceServers(Vec<IceServer>),
    /// Of their addresses, numbered in order, those whose bit is set are left out for now. With the next gathering.
    LeaveOutIceServers(u32),
    /// Open a direct connection if there is none of this number, add sections that send these, make an offer and set it; answer with
    /// [`crate::Input::LinkDescribed`], or [`crate::Input::LinkState`] when that fails.
    OfferLink {
        /// Which.
        link: LinkId,
        /// Of one's own.
        publications: Vec<PublicationId>,
    },
    /// Set what the other end says as the remote description. Of a connection that we don't offer, which is opened if there is none of this number:
    /// answer it, and then with [`crate::Input::LinkDescribed`].
    DescribeLink {
        /// Which.
        link: LinkId,
        /// The SDP.
        sdp: String,
    },
    /// An address of the other end.
    AddCandidate {
        /// Which.
        link: LinkId,
        /// As in SDP, without `a=`.
        candidate: String,
    },
    /// Close it.
    CloseLink(LinkId),
    /// Hold its pictures down to this.
    CapLink {
        /// Which.
        link: LinkId,
        /// No more than this.
        rung: PeerRung,
    },
    /// Send nothing over the transport for now, or again: everybody gets it directly.
    Hold(bool),
    /// Tell the app.
    Event(Event),
}

/// What the app hears.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Let in. Everybody and everything there follows, then `StateChanged` to connected. Once.
    Joined {
        /// Name of the room.
        room: String,
        /// Oneself.
        id: ParticipantId,
        /// From the token.
        identity: String,
        /// What to show.
        name: String,
        /// From the token.
        role: Option<String>,
    },
    /// The state changed, and why.
    StateChanged {
        /// The new state.
        state: State,
        /// Why.
        reason: Reason,
    },
    /// A step towards getting back what was lost, or the end of that.
    Step(StepTaken),
    /// Somebody, oneself included, has another id in the session that goes on.
    ParticipantRenamed {
        /// Before.
        was: ParticipantId,
        /// Now.
        id: ParticipantId,
    },
    /// The same of somebody else's publication.
    PublicationRenamed {
        /// Before.
        was: PublicationId,
        /// Now.
        id: PublicationId,
    },
    /// One of one's own publications goes on over another transport, perhaps under another id.
    Republished {
        /// As it was asked for.
        request: RequestId,
        /// Before.
        was: PublicationId,
        /// Now.
        publication: PublicationId,
        /// The sending section.
        mid: Mid,
    },
    /// Somebody is there; publications follow.
    ParticipantJoined {
        /// Who.
        id: ParticipantId,
        /// From the token.
        identity: String,
        /// What to show.
        name: String,
        /// From the token.
        role: Option<String>,
    },
    /// Somebody is gone; publications went before.
    ParticipantLeft {
        /// Who.
        id: ParticipantId,
        /// How.
        reason: LeaveReason,
    },
    /// A publication is there.
    PublicationAdded {
        /// Whose.
        participant: ParticipantId,
        /// What.
        publication: PublicationInfo,
        /// Asked for already.
        subscribed: bool,
    },
    /// A publication is gone; its track went before.
    PublicationRemoved {
        /// Whose.
        participant: ParticipantId,
        /// What.
        publication: PublicationId,
    },
    /// A publication was muted or unmuted.
    PublicationMuted {
        /// What.
        publication: PublicationId,
        /// The new state.
        muted: bool,
    },
    /// A moderator did something, or asks for it: to a publication, one's own too, or to the room.
    Moderated {
        /// What: never `remove`, `readmit` or `end`, which are told in other ways.
        action: ModerationAction,
        /// What it is about; empty: the room.
        publication: PublicationId,
    },
    /// The token grants moderating.
    MayModerate,
    /// A publication's media comes in this section. Told again when the section of another transport takes over.
    TrackSubscribed {
        /// What.
        publication: PublicationId,
        /// The receiving section.
        mid: Mid,
    },
    /// A publication's media comes over a direct connection now, until `TrackSubscribed` comes again.
    TrackRouted {
        /// What.
        publication: PublicationId,
        /// The connection.
        link: LinkId,
        /// Its section.
        mid: Mid,
    },
    /// Somebody's media comes directly now, or through the edge.
    PathChanged {
        /// Whose.
        participant: ParticipantId,
        /// Directly.
        direct: bool,
        /// Why: `room-mode`, `no-media` and `media-back` (of the edge), `lost`.
        reason: &'static str,
    },
    /// It no longer does.
    TrackUnsubscribed {
        /// What.
        publication: PublicationId,
    },
    /// The edge dropped one of one's own publications.
    LocalUnpublished {
        /// What.
        publication: PublicationId,
    },
    /// What the edge sends of some publications, and why not more.
    Layers {
        /// What it believes the way to us can carry, bits per second; zero: unknown.
        estimate: u32,
        /// Those that changed.
        layers: Vec<LayerState>,
    },
    /// Something gives way, or is back.
    Adapted(Adapted),
    /// How good everything is that could be judged, and what of that is news.
    Quality(Vec<Judgement>),
    /// Who speaks, loudest first.
    Speakers(Vec<Speaker>),
    /// A message from somebody.
    Data {
        /// The message; `peer` sent it.
        message: DataMessage,
        /// How it came.
        reliable: bool,
    },
    /// A track is published. Ends the request.
    Published {
        /// The request.
        request: RequestId,
        /// Its publication.
        publication: PublicationId,
        /// The sending section.
        mid: Mid,
    },
    /// Done. Ends the request.
    Done {
        /// The request.
        request: RequestId,
    },
    /// Refused. Ends the request.
    Failed {
        /// The request.
        request: RequestId,
        /// Why.
        error: SessionError,
    },
    /// Over; nothing follows.
    Closed {
        /// Why; none: we left.
        error: Option<SessionError>,
    },
}
