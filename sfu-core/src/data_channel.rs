//! Data channels of one transport: SCTP over DTLS (RFC 8831) with two streams agreed beforehand (`protocol::data`).
//!
//! In: decrypted SCTP packets, frames to send. Out: SCTP packets to encrypt, frames received.
//! Bounds: one association, [`MAX_QUEUED`] bytes waiting per channel; what doesn't fit is refused and counted by the caller.
//! Not here: who gets a frame (`shard::data`).

use bytes::Bytes;
use nearcast_protocol::{DataFrame, LOSSY_CHANNEL, RELIABLE_CHANNEL};
use sctp_proto::{
    Association, AssociationHandle, DatagramEvent, Endpoint, EndpointConfig, Event, Payload, PayloadProtocolIdentifier, ReliabilityType,
    ServerConfig, StreamEvent, TransportConfig,
};
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Bytes that may wait for one receiver in one channel before new messages to it are dropped: about a second at 8 Mbit/s.
const MAX_QUEUED: usize = 1024 * 1024;

/// Largest SCTP message we take: a full frame with its envelope.
pub(crate) const MAX_MESSAGE: usize = 64 * 1024;

/// Bytes of reliable frames kept for a receiver whose channels are not open yet: a greeting from each of a large meeting.
const MAX_EARLY: usize = 128 * 1024;

/// Bytes one sender may have in flight: four full messages.
const RECEIVE_BUFFER: u32 = 4 * MAX_MESSAGE as u32;

/// Received frames that may wait between two polls.
const MAX_RECEIVED: usize = 256;

/// Heartbeats of one transport that are answered within a second: ten times what the SDK sends. What comes beyond is dropped.
const MAX_BEATS: u8 = 20;

/// The second in which they are counted.
const BEATS_WINDOW: Duration = Duration::from_secs(1);

/// SCTP packet size that fits [`crate::dtls`]'s records on a path of 1280 bytes.
const MAX_SCTP_PAYLOAD: u32 = 1120;

/// Which of the two channels.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Channel {
    /// Ordered, retransmitted.
    Reliable,
    /// Unordered, sent once.
    Lossy,
}

impl Channel {
    fn stream(self) -> u16 {
        match self {
            Self::Reliable => RELIABLE_CHANNEL,
            Self::Lossy => LOSSY_CHANNEL,
        }
    }

    fn of_stream(id: u16) -> Option<Self> {
        match id {
            RELIABLE_CHANNEL => Some(Self::Reliable),
            LOSSY_CHANNEL => Some(Self::Lossy),
            _ => None,
        }
    }
}

/// The SCTP association of one transport; passive until the browser opens it.
pub(crate) struct DataChannels {
    /// Made by the browser's first packet: who has no data channels pays for none.
    sctp: Option<Box<Sctp>>,
    connected: bool,
    received: VecDeque<(Channel, Vec<u8>)>,
    /// Reliable frames for a receiver whose channels are still opening: whoever greets a newcomer must not greet in vain.
    early: Vec<Vec<u8>>,
    /// The association holds more than `received` could take.
    unread: bool,
    outgoing: VecDeque<Bytes>,
    /// Heartbeats answered since an instant less than a second ago.
    beats: Option<(Instant, u8)>,
}

struct Sctp {
    endpoint: Endpoint,
    association: Option<(AssociationHandle, Association)>,
}

impl Sctp {
    fn association(&mut self) -> Option<&mut Association> {
        self.association.as_mut().map(|(_, association)| association)
    }
}

impl std::fmt::Debug for DataChannels {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("DataChannels").field("connected", &self.connected).finish_non_exhaustive()
    }
}

fn passive_endpoint() -> Endpoint {
    let mut config = EndpointConfig::new();
    config.max_payload_size(MAX_SCTP_PAYLOAD);
    let transport = TransportConfig::default()
        .with_max_send_message_size(MAX_MESSAGE as u32)
        .with_max_receive_message_size(MAX_MESSAGE as u32)
        .with_max_receive_buffer_size(RECEIVE_BUFFER)
        .with_max_num_outbound_streams(16)
        .with_max_num_inbound_streams(16);
    let mut server = ServerConfig::new();
    server.transport = Arc::new(transport);
    Endpoint::new(Arc::new(config), Some(Arc::new(server)))
}

/// SCTP needs an address to tell associations apart; ours has exactly one, inside DTLS.
const ANYWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 5000);

impl DataChannels {
    pub(crate) fn new() -> Self {
        Self {
            sctp: None,
            connected: false,
            received: VecDeque::new(),
            early: Vec::new(),
            unread: false,
            outgoing: VecDeque::new(),
            beats: None,
        }
    }

    pub(crate) fn handle_packet(&mut self, now: Instant, packet: Vec<u8>) {
        let sctp = self.sctp.get_or_insert_with(|| Box::new(Sctp { endpoint: passive_endpoint(), association: None }));
        match sctp.endpoint.handle(now, ANYWHERE, None, None, Bytes::from(packet)) {
            Some((handle, DatagramEvent::NewAssociation(association))) if sctp.association.is_none() => {
                sctp.association = Some((handle, association));
                // One is all a transport needs; every further INIT would cost memory.
                sctp.endpoint.reject_new_associations();
            }
            Some((handle, DatagramEvent::AssociationEvent(event))) => {
                if let Some((known, association)) = sctp.association.as_mut()
                    && *known == handle
                {
                    association.handle_event(event);
                }
            }
            Some((_, DatagramEvent::NewAssociation(_))) | None => {}
        }
        self.drain(now);
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if let Some(association) = self.sctp.as_mut().and_then(|sctp| sctp.association())
            && association.poll_timeout().is_some_and(|at| at <= now)
        {
            association.handle_timeout(now);
            self.drain(now);
        }
    }

    /// Queues an encoded [`DataFrame`]; false when there is no channel or too much waits in it.
    pub(crate) fn send(&mut self, now: Instant, channel: Channel, frame: &[u8]) -> bool {
        if !self.connected && channel == Channel::Reliable {
            let waiting: usize = self.early.iter().map(Vec::len).sum();
            let fits = waiting.saturating_add(frame.len()) <= MAX_EARLY;
            if fits {
                self.early.push(frame.to_vec());
            }
            return fits;
        }
        let sent = self.try_send(channel, frame).unwrap_or(false);
        if sent {
            self.drain(now);
        }
        sent
    }

    /// Whether one more heartbeat may be answered now; counts it.
    pub(crate) fn take_beat(&mut self, now: Instant) -> bool {
        let (since, beats) = self.beats.filter(|(since, _)| now.saturating_duration_since(*since) < BEATS_WINDOW).unwrap_or((now, 0));
        self.beats = Some((since, beats.saturating_add(1)));
        beats < MAX_BEATS
    }

    fn try_send(&mut self, channel: Channel, frame: &[u8]) -> Option<bool> {
        if !self.connected {
            return None;
        }
        let association = self.sctp.as_mut()?.association()?;
        let mut stream = association.stream(channel.stream()).ok()?;
        if stream.buffered_amount().ok()?.saturating_add(frame.len()) > MAX_QUEUED {
            return Some(false);
        }
        Some(stream.write_with_ppi(frame, PayloadProtocolIdentifier::Binary).is_ok())
    }

    pub(crate) fn poll_received(&mut self) -> Option<(Channel, Vec<u8>)> {
        if self.received.is_empty()
            && std::mem::take(&mut self.unread)
            && let Some(association) = self.sctp.as_mut().and_then(|sctp| sctp.association())
        {
            for id in [RELIABLE_CHANNEL, LOSSY_CHANNEL] {
                self.unread |= read(association, id, &mut self.received);
            }
        }
        self.received.pop_front()
    }

    pub(crate) fn poll_transmit(&mut self) -> Option<Bytes> {
        self.outgoing.pop_front()
    }

    fn drain(&mut self, now: Instant) {
        let Some(sctp) = self.sctp.as_mut() else { return };
        while let Some(transmit) = sctp.endpoint.poll_transmit() {
            queue(&mut self.outgoing, transmit.payload);
        }
        let Some((handle, association)) = sctp.association.as_mut() else { return };
        let mut lost = false;
        while let Some(event) = association.poll() {
            match event {
                Event::Connected => {
                    self.connected = true;
                    open(association, RELIABLE_CHANNEL, false);
                    open(association, LOSSY_CHANNEL, true);
                    for frame in std::mem::take(&mut self.early) {
                        if let Ok(mut stream) = association.stream(RELIABLE_CHANNEL) {
                            // Refused only when the queue is full, and it is empty.
                            let _queued = stream.write_with_ppi(&frame, PayloadProtocolIdentifier::Binary);
                        }
                    }
                }
                Event::Stream(StreamEvent::Opened { id } | StreamEvent::Readable { id }) => {
                    self.unread |= read(association, id, &mut self.received);
                }
                Event::AssociationLost { .. } | Event::HandshakeFailed { .. } => lost = true,
                _ => {}
            }
        }
        while let Some(transmit) = association.poll_transmit(now) {
            queue(&mut self.outgoing, transmit.payload);
        }
        while let Some(event) = association.poll_endpoint_event() {
            if let Some(event) = sctp.endpoint.handle_event(*handle, event) {
                association.handle_event(event);
            }
        }
        if lost {
            self.sctp = None;
            self.connected = false;
        }
    }
}

/// Reads `frame` as what a participant sent.
pub(crate) fn parse(frame: &[u8]) -> Option<DataFrame> {
    nearcast_protocol::wire::Cbor::from_cbor(frame).ok()
}

fn queue(outgoing: &mut VecDeque<Bytes>, payload: Payload) {
    if let Payload::RawEncode(packets) = payload {
        outgoing.extend(packets);
    }
}

fn open(association: &mut Association, id: u16, lossy: bool) {
    // The browser's first message may have opened it already.
    if association.open_stream(id, PayloadProtocolIdentifier::Binary).is_err() && association.stream(id).is_err() {
        return;
    }
    if lossy && let Ok(mut stream) = association.stream(id) {
        // Fails only for a stream that does not exist.
        let _ = stream.set_reliability_params(true, ReliabilityType::Rexmit, 0);
    }
}

/// Takes what has arrived on one stream; true when some was left, for want of room.
fn read(association: &mut Association, id: u16, received: &mut VecDeque<(Channel, Vec<u8>)>) -> bool {
    let Ok(mut stream) = association.stream(id) else { return false };
    while received.len() < MAX_RECEIVED {
        let Ok(Some(message)) = stream.read() else { return false };
        let length = message.len();
        let Some(channel) = Channel::of_stream(id).filter(|_| length <= MAX_MESSAGE) else { continue };
        let mut bytes = vec![0; length];
        if message.read(&mut bytes).is_ok() {
            received.push_back((channel, bytes));
        }
    }
    true
}
