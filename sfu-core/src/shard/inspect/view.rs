//! The words of the answers; docs/edge-http.md explains them to users. Bitrates are bits per second, names are those of signalling.

use nearcast_protocol::client::Source;
use nearcast_protocol::{LayerReason, Mid, ParticipantId, Priority, PublicationId};
use serde::Serialize;

/// A room, or the part of it on one shard.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RoomView {
    /// Its name.
    pub room: String,
    /// Whose transports are in it.
    pub participants: usize,
    /// Theirs.
    pub publications: usize,
    /// Theirs.
    pub subscriptions: usize,
}

/// How somebody came.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionKind {
    /// With signalling over a WebSocket.
    Websocket,
    /// By WHIP or WHEP.
    Http,
}

/// One participant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ParticipantView {
    /// Of this stay.
    pub id: ParticipantId,
    /// From the token.
    pub identity: String,
    /// From the token.
    pub name: String,
    /// From the token.
    pub role: Option<String>,
    /// How it came.
    pub session: SessionKind,
    /// Its WebSocket is open; by HTTP: its session lasts.
    pub signalling: bool,
    /// The media thread that its transport is on.
    pub shard: u8,
    /// The way to it; none: it has no transport.
    pub path: Option<PathView>,
    /// What it publishes.
    pub publications: Vec<PublicationView>,
    /// What it receives.
    pub subscriptions: Vec<SubscriptionView>,
    /// Subscriptions that wait for a slot.
    pub waiting: usize,
}

/// What the estimate of a path is worth.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// The limit of the path isn't known yet.
    Starting,
    /// It is where it was.
    Steady,
    /// A queue stands, and less is sent to empty it.
    Overusing,
    /// Below what it was before the last dip.
    Recovering,
    /// No feedback comes.
    Silent,
}

/// The way from the edge to a participant. What isn't known is none.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PathView {
    /// Its handshake is done.
    pub connected: bool,
    /// The estimate, IP and UDP headers included.
    pub available_bps: Option<u64>,
    /// What the estimate is worth.
    pub state: Option<Confidence>,
    /// Less is sent than the estimate allows.
    pub unused: bool,
    /// Smoothed round trip.
    pub round_trip_ms: Option<u64>,
    /// How long packets wait on the path.
    pub queue_ms: Option<u64>,
    /// Loss that comes with the path whatever is sent; 0 to 1.
    pub loss: Option<f64>,
}

/// One publication.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PublicationView {
    /// Its id.
    pub id: PublicationId,
    /// What is seen or heard.
    pub source: Source,
    /// Free text from the publisher.
    pub name: String,
    /// Video, or audio.
    pub video: bool,
    /// Nothing is sent for now.
    pub muted: bool,
    /// A moderator has muted it: only a moderator allows it again.
    pub blocked: bool,
    /// Audio beyond the loudest: it comes, and is not passed on.
    pub held_back: bool,
    /// Of video.
    pub encodings: Vec<EncodingView>,
}

/// One encoding of a publication.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EncodingView {
    /// Its place in the offer.
    pub encoding: u8,
    /// What the offer calls it.
    pub rid: Option<String>,
    /// What the publisher was told that somebody wants of it; none: all, 0: it may be left out.
    pub spatial_layers_asked_for: Option<u8>,
    /// What it can be had in.
    pub rungs: Vec<RungView>,
}

/// One quality of an encoding, as measured over the last seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RungView {
    /// 0 the smallest.
    pub spatial: u8,
    /// 0 the slowest.
    pub temporal: u8,
    /// Pixels; 0: not known.
    pub width: u16,
    /// Pixels; 0: not known.
    pub height: u16,
    /// Frames a second; 0: not known.
    pub fps: u8,
    /// What it takes, with everything it needs.
    pub bitrate: u64,
    /// It is being sent.
    pub live: bool,
}

/// One publication as one subscriber gets it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SubscriptionView {
    /// Which.
    pub publication: PublicationId,
    /// Whose: an identity.
    pub participant: String,
    /// What is seen or heard.
    pub source: Source,
    /// The section it is received in.
    pub mid: Mid,
    /// How the subscriber shows it; none: audio.
    pub wish: Option<WishView>,
    /// What is being sent; none: nothing, for now.
    pub forwarded: Option<LayerView>,
    /// What is to be sent, as soon as a switch is possible; none: nothing.
    pub decided: Option<LayerView>,
    /// What would be sent if there were room for everything, whether the publisher sends it or not; none: nothing is wanted.
    pub wanted: Option<LayerView>,
    /// Why not more; none: not decided yet.
    pub reason: Option<LayerReason>,
    /// For how long the decision and the reason have been these.
    pub unchanged_ms: Option<u64>,
}

/// What the subscriber said of a video.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct WishView {
    /// Pixels; 0: not said.
    pub width: u16,
    /// Pixels; 0: not said.
    pub height: u16,
    /// Somebody can see it.
    pub visible: bool,
    /// Most frames a second; 0: no limit.
    pub max_fps: u8,
    /// Who is served first.
    pub priority: Priority,
}

/// One layer, as measured over the last seconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerView {
    /// The encoding's place in the offer.
    pub encoding: u8,
    /// What the offer calls it.
    pub rid: Option<String>,
    /// 0 the smallest.
    pub spatial: u8,
    /// 0 the slowest.
    pub temporal: u8,
    /// Pixels; 0: not known.
    pub width: u16,
    /// Pixels; 0: not known.
    pub height: u16,
    /// Frames a second; 0: not known.
    pub fps: u8,
    /// What it takes, with everything it needs.
    pub bitrate: u64,
}
