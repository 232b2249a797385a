//! Data channels of one transport: SCTP over DTLS (RFC 8831) with two streams agreed beforehand (`protocol::data`).
//!
//! In: decrypted SCTP packets, frames to send. Out: SCTP packets to encrypt, frames received.
//! Bounds: one association; [`MAX_QUEUED`] and [`MAX_QUEUED_LOSSY`] bytes waiting for a receiver, what doesn't fit is refused and counted by
//! the caller; [`MAX_RECEIVED_BYTES`] and [`RATE`] of a sender, what is beyond waits in its own association, whose window closes.
//! Not here: who gets a frame (`shard::data`).

use bytes::Bytes;
use minicbor::{Decode, Encode};
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

/// The same in the channel without resends: what waits there longer than about 100 ms at 8 Mbit/s is of no use any more.
const MAX_QUEUED_LOSSY: usize = 128 * 1024;

/// Bytes a second that one sender's messages are taken at for long: 8 Mbit/s, each message counted with [`MESSAGE_COST`]. A file goes at that
/// pace; whoever floods waits for itself.
const RATE: u64 = 1_000_000;

/// Bytes that a message counts for beside its own: what it costs to hand on a small one. So 3,900 a second are taken at most.
const MESSAGE_COST: u64 = 256;

/// What is taken at once after a pause, in time at [`RATE`]: 250 kB.
const BURST: Duration = Duration::from_millis(250);

/// Largest SCTP message we take: a full frame with its envelope.
pub(crate) const MAX_MESSAGE: usize = 64 * 1024;

/// Bytes of reliable frames kept for a receiver whose channels are not open yet: a greeting from each of a large meeting.
const MAX_EARLY: usize = 128 * 1024;

/// Bytes one sender may have in flight: four full messages.
const RECEIVE_BUFFER: u32 = 4 * MAX_MESSAGE as u32;

/// Received frames that may wait between two polls, and their bytes, of which the last may need more.
const MAX_RECEIVED: usize = 256;

/// See [`MAX_RECEIVED`].
const MAX_RECEIVED_BYTES: usize = RECEIVE_BUFFER as usize;

/// Heartbeats of one transport that are answered within a second: ten times what the SDK sends. What comes beyond is dropped.
const MAX_BEATS: u8 = 20;

/// The second in which they are counted.
const BEATS_WINDOW: Duration = Duration::from_secs(1);

/// SCTP packet size that fits [`crate::dtls`]'s records on a path of 1280 bytes.
const MAX_SCTP_PAYLOAD: u32 = 1120;

/// Which of the two channels.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq)]
#[cbor(index_only)]
pub(crate) enum Channel {
    /// Ordered, retransmitted.
    #[n(0)]
    Reliable,
    /// Unordered, sent once.
    #[n(1)]
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
    received: Received,
    /// When the next message would be due if its sender kept to [`RATE`].
    due: Option<Instant>,
    /// Reliable frames for a receiver whose channels are still opening: whoever greets a newcomer must not greet in vain.
    early: Vec<Vec<u8>>,
    /// The association holds more than `received` could take.
    unread: bool,
    outgoing: VecDeque<Bytes>,
    /// Heartbeats answered since an instant less than a second ago.
    beats: Option<(Instant, u8)>,
}

/// What has arrived and wasn't polled yet.
#[derive(Debug, Default)]
struct Received {
    queue: VecDeque<(Channel, Vec<u8>)>,
    bytes: usize,
}

impl Received {
    fn is_full(&self) -> bool {
        self.queue.len() >= MAX_RECEIVED || self.bytes >= MAX_RECEIVED_BYTES
    }

    fn push(&mut self, channel: Channel, message: Vec<u8>) {
        self.bytes = self.bytes.saturating_add(message.len());
        self.queue.push_back((channel, message));
    }

    fn pop(&mut self) -> Option<(Channel, Vec<u8>)> {
        let (channel, message) = self.queue.pop_front()?;
        self.bytes = self.bytes.saturating_sub(message.len());
        Some((channel, message))
    }
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
            received: Received::default(),
            due: None,
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

    /// The same ahead of what waits for the channels to open, all but the first `place` of it; where they are open, at the end.
    pub(crate) fn send_ahead(&mut self, now: Instant, place: usize, channel: Channel, frame: &[u8]) -> bool {
        let waited = self.early.len();
        let sent = self.send(now, channel, frame);
        if self.early.len() > waited
            && let Some(behind) = self.early.get_mut(place..)
        {
            behind.rotate_right(1);
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
        let most = if channel == Channel::Lossy { MAX_QUEUED_LOSSY } else { MAX_QUEUED };
        if stream.buffered_amount().ok()?.saturating_add(frame.len()) > most {
            return Some(false);
        }
        Some(stream.write_with_ppi(frame, PayloadProtocolIdentifier::Binary).is_ok())
    }

    /// The next message, if its sender is not ahead of its time; else it waits, to be polled again at the next tick.
    pub(crate) fn poll_received(&mut self, now: Instant) -> Option<(Channel, Vec<u8>)> {
        if self.due.is_some_and(|due| due > now + BURST) {
            return None;
        }
        if self.received.queue.is_empty()
            && std::mem::take(&mut self.unread)
            && let Some(association) = self.sctp.as_mut().and_then(|sctp| sctp.association())
        {
            for id in [RELIABLE_CHANNEL, LOSSY_CHANNEL] {
                self.unread |= read(association, id, &mut self.received);
            }
        }
        let (channel, message) = self.received.pop()?;
        let cost = (message.len() as u64).saturating_add(MESSAGE_COST).saturating_mul(1_000_000).checked_div(RATE).unwrap_or_default();
        self.due = self.due.unwrap_or(now).max(now).checked_add(Duration::from_micros(cost));
        Some((channel, message))
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
fn read(association: &mut Association, id: u16, received: &mut Received) -> bool {
    let Ok(mut stream) = association.stream(id) else { return false };
    while !received.is_full() {
        let Ok(Some(message)) = stream.read() else { return false };
        let length = message.len();
        let Some(channel) = Channel::of_stream(id).filter(|_| length <= MAX_MESSAGE) else { continue };
        let mut bytes = vec![0; length];
        if message.read(&mut bytes).is_ok() {
            received.push(channel, bytes);
        }
    }
    true
}
