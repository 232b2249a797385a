//! One person: a `str0m` peer in RTP mode, what it publishes, and a log of everything it was told and saw.
//!
//! Not here: time and the network ([`World`](crate::World)).

mod driven;
mod media;
mod signalling;
mod transport;

use crate::joining::Joining;
use crate::received::Packet;
use crate::source::Source;
use nearcast_protocol::{
    ClientEnvelope, ClientMessage, DataFrame, LayerState, MediaOffer, ParticipantId, PublicationId, ServerMessage, SessionId,
};
use sfu_core::{Admission, ConnectionId};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use str0m::change::SdpPendingOffer;
use str0m::channel::{ChannelConfig, ChannelId, Reliability};
use str0m::media::Mid;
use str0m::rtp::rtcp::Rtcp;
use str0m::{Candidate, Rtc, RtcConfig};

/// Which client of a world.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ClientId(pub(crate) u16);

/// A receiving section.
#[derive(Clone, Debug)]
pub struct SlotSection {
    /// Its name in the description.
    pub mid: Mid,
    /// Video or audio.
    pub video: bool,
    /// What the edge said it carries.
    pub publication: Option<PublicationId>,
}

/// One person.
pub struct Client {
    /// Identity and name.
    pub name: String,
    /// Which room.
    pub room: String,
    /// What it publishes, in the order it was asked to.
    pub sources: Vec<Source>,
    /// Its receiving sections, in the order they were offered.
    pub slots: Vec<SlotSection>,
    /// What the edge said, and when.
    pub signals: Vec<(Duration, ServerMessage)>,
    /// Media received.
    pub packets: Vec<Packet>,
    /// RTCP received.
    pub rtcp: Vec<(Duration, Rtcp)>,
    /// Data received: when, on which stream, what.
    pub data: Vec<(Duration, u16, DataFrame)>,
    /// When the transport came up, each time.
    pub connected_at: Vec<Duration>,
    /// The other side ended the transport.
    pub transport_closed: bool,
    /// Its current WebSocket.
    pub connection: Option<ConnectionId>,
    /// Its address as the edge sees it; a NAT is in between.
    pub outside: SocketAddr,
    pub(crate) inside: SocketAddr,
    pub(crate) rtc: Rtc,
    pub(crate) timeout: Instant,
    pub(crate) alive: bool,
    pub(crate) joining: Joining,
    id: ClientId,
    base: Instant,
    pending: Option<SdpPendingOffer>,
    /// The offer that waits for its answer, to be sent again when it was lost with a WebSocket.
    unanswered: Option<(u32, MediaOffer)>,
    /// Receiving sections that the edge asked for and that aren't offered yet: audio, video.
    wanted: Option<(usize, usize)>,
    next_request: u32,
    /// How often it went on at another edge.
    pub(crate) moves: u16,
    channels: Vec<ChannelId>,
    open_channels: Vec<ChannelId>,
    /// Its signalling is somebody else's, whose business it is when the transport breaks.
    pub(crate) driven: bool,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Client").field("name", &self.name).field("packets", &self.packets.len()).finish_non_exhaustive()
    }
}

/// Packets that a client keeps to send again, and for how long: what browsers do, roughly.
const RESENDABLE: (usize, Duration) = (2_000, Duration::from_secs(3));

/// Labels don't travel; streams 0 and 1 are agreed beforehand (`nearcast_protocol::data`).
const CHANNELS: [(&str, u16, bool); 2] = [("reliable", 0, true), ("lossy", 1, false)];

impl Client {
    pub(crate) fn new(joining: Joining, id: ClientId, inside: SocketAddr, outside: SocketAddr, base: Instant, now: Instant) -> Self {
        let rtc = Self::make_rtc(&joining, inside, now);
        Self {
            name: joining.name.clone(),
            room: joining.room.clone(),
            sources: Vec::new(),
            slots: Vec::new(),
            signals: Vec::new(),
            packets: Vec::new(),
            rtcp: Vec::new(),
            data: Vec::new(),
            connected_at: Vec::new(),
            transport_closed: false,
            connection: None,
            outside,
            inside,
            rtc,
            timeout: now,
            alive: true,
            joining,
            id,
            base,
            pending: None,
            unanswered: None,
            wanted: None,
            next_request: 1,
            moves: 0,
            channels: Vec::new(),
            open_channels: Vec::new(),
            driven: false,
        }
    }

    fn make_rtc(joining: &Joining, inside: SocketAddr, now: Instant) -> Rtc {
        let config = RtcConfig::new()
            .set_rtp_mode(true)
            .enable_raw_packets(true)
            .set_rtcp_report_interval_audio(Duration::from_secs(1))
            .set_rtcp_report_interval_video(Duration::from_secs(1));
        let mut rtc = (joining.configure)(config).build(now);
        rtc.add_local_candidate(Candidate::host(inside, "udp").unwrap()).unwrap();
        rtc
    }

    pub(crate) fn admission(&self) -> Admission {
        Admission {
            room: self.room.clone(),
            identity: self.name.clone(),
            name: self.name.clone(),
            role: self.joining.role.clone(),
            permissions: self.joining.permissions,
            mode: self.joining.mode,
            max_participants: self.joining.max_participants,
            forwarding: self.joining.forwarding.clone(),
        }
    }

    /// An id for the next request, and the envelope around it.
    pub(crate) fn envelope(&mut self, message: ClientMessage) -> ClientEnvelope {
        let id = self.next_request;
        self.next_request += 1;
        if let ClientMessage::Offer(offer) | ClientMessage::Transport(offer) = &message {
            self.unanswered = Some((id, offer.clone()));
        }
        ClientEnvelope { id, message }
    }

    /// The newest snapshot of the room.
    #[must_use]
    pub fn joined(&self) -> Option<&nearcast_protocol::Joined> {
        self.signals.iter().rev().find_map(|(_, message)| match message {
            ServerMessage::Joined(joined) => Some(&**joined),
            _ => None,
        })
    }

    /// Its id in the room. Panics before it joined.
    #[must_use]
    pub fn participant(&self) -> ParticipantId {
        self.joined().expect("joined").participant.id.clone()
    }

    /// What resumes its session. Panics before it joined.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.joined().expect("joined").session.clone()
    }

    /// The publication of its `source`th source. Panics before the edge accepted it.
    #[must_use]
    pub fn publication(&self, source: usize) -> PublicationId {
        self.sources[source].publication.clone().expect("published")
    }

    /// Its ICE user name fragment.
    pub fn ufrag(&mut self) -> String {
        self.rtc.direct_api().local_ice_credentials().ufrag
    }

    /// Takes part: hasn't gone, was not thrown out.
    #[must_use]
    pub fn is_present(&self) -> bool {
        self.alive && self.joined().is_some()
    }

    /// Media is up.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        !self.connected_at.is_empty() && !self.transport_closed
    }

    /// Both data channels are open.
    #[must_use]
    pub fn has_channels(&self) -> bool {
        self.open_channels.len() == CHANNELS.len()
    }

    /// What it received of one source of somebody, in order of arrival.
    #[must_use]
    pub fn packets_of(&self, client: ClientId, source: u16) -> Vec<Packet> {
        self.packets.iter().filter(|packet| packet.tag.client == client.0 && packet.tag.source == source).copied().collect()
    }

    /// What it received in one section, in order of arrival.
    #[must_use]
    pub fn packets_in(&self, mid: Mid) -> Vec<Packet> {
        self.packets.iter().filter(|packet| packet.mid == mid).copied().collect()
    }

    /// The section that carries a publication now.
    #[must_use]
    pub fn slot_of(&self, publication: &PublicationId) -> Option<Mid> {
        self.slots.iter().find(|slot| slot.publication.as_ref() == Some(publication)).map(|slot| slot.mid)
    }

    /// Messages of the edge that `pick` takes something out of.
    pub fn told<T>(&self, pick: impl Fn(&ServerMessage) -> Option<T>) -> Vec<T> {
        self.signals.iter().filter_map(|(_, message)| pick(message)).collect()
    }

    /// What it was last told of how it gets a video; of the last of several in that message.
    pub fn last_layer(&self) -> LayerState {
        let states = self.told(|message| match message {
            ServerMessage::Layers { layers, .. } => layers.last().cloned(),
            _ => None,
        });
        states.last().cloned().expect("told of a layer")
    }

    fn at(&self, now: Instant) -> Duration {
        now.duration_since(self.base)
    }
}

fn channel_config(label: &str, stream: u16, reliable: bool) -> ChannelConfig {
    let reliability = if reliable { Reliability::Reliable } else { Reliability::MaxRetransmits { retransmits: 0 } };
    ChannelConfig { label: label.to_owned(), ordered: reliable, reliability, negotiated: Some(stream), ..ChannelConfig::default() }
}
