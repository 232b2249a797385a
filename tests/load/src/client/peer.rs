//! One participant's connection: ICE and DTLS by `str0m`, media by [`Inbound`] and [`Publisher`], a socket and a signalling connection.

use super::Seen;
use super::inbound::Inbound;
use super::offer::{self, Offer, Wish};
use super::publisher::Publisher;
use super::rtcp::Said;
use super::sections::{Section, sections};
use super::socket::{Buffers, Socket};
use super::srtp::Link;
use super::tap::Tap;
use crate::LoadError;
use crate::server::Cipher;
use crate::signalling::Signalling;
use crate::trace::Kind;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::net::{Protocol, Receive};
use str0m::{Event, IceConnectionState, Input, Output, Rtc};

/// Where a peer's sockets are.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Local address.
    pub address: IpAddr,
    /// Takes runs of datagrams as a whole (UDP GRO), as a network card with segmentation hands them on.
    pub runs: bool,
}

/// Something the crew has to know.
#[derive(Debug, Default)]
pub(super) struct News {
    pub(super) connected: bool,
    pub(super) first_media: bool,
}

/// One participant.
pub struct Peer {
    rtc: Rtc,
    socket: Socket,
    signalling: Option<Box<dyn Signalling>>,
    pending: Option<SdpPendingOffer>,
    wish: Wish,
    sending: Vec<(Kind, String)>,
    offered: Vec<Section>,
    publisher: Option<Publisher>,
    inbound: Inbound,
    tap: Tap,
    link: Option<Link>,
    /// Where the server is, as ICE found.
    remote: Option<SocketAddr>,
    deadline: Instant,
    gone: bool,
    /// For one datagram to send.
    outgoing: Vec<u8>,
}

impl Peer {
    /// Prepares a participant and its offer.
    ///
    /// # Errors
    /// No socket.
    pub fn new(wish: Wish, place: Place) -> Result<(Self, Offer), LoadError> {
        let mut peer = Self::idle(wish, place)?;
        let prepared = offer::prepare(&mut peer.rtc, &peer.wish)?;
        let offer = prepared.offer;
        (peer.pending, peer.sending) = (Some(prepared.pending), prepared.sending);
        peer.offered = sections(&offer.sdp);
        Ok((peer, offer))
    }

    /// Prepares a participant that a server invites to receive, and its answer.
    ///
    /// # Errors
    /// No socket, or the offer can't be answered.
    pub fn invited(wish: Wish, place: Place, offer: &str) -> Result<(Self, String), LoadError> {
        let refuse = |why: String| LoadError::refused("answering the server's offer", why);
        let mut peer = Self::idle(wish, place)?;
        let offer = SdpOffer::from_sdp_string(offer).map_err(|error| refuse(error.to_string()))?;
        let answer = peer.rtc.sdp_api().accept_offer(offer).map_err(|error| refuse(error.to_string()))?;
        let answer = answer.to_sdp_string();
        peer.inbound.configure(&sections(&answer));
        Ok((peer, answer))
    }

    fn idle(wish: Wish, place: Place) -> Result<Self, LoadError> {
        let socket = Socket::open(place.address, place.runs)?;
        let now = Instant::now();
        let (rtc, tap) = offer::engine(&wish, socket.local(), now)?;
        Ok(Self {
            rtc,
            socket,
            signalling: None,
            pending: None,
            wish,
            sending: Vec::new(),
            offered: Vec::new(),
            publisher: None,
            inbound: Inbound::default(),
            tap,
            link: None,
            remote: None,
            deadline: now,
            gone: false,
            outgoing: Vec::new(),
        })
    }

    /// Takes the server's answer and the connection it came on.
    ///
    /// # Errors
    /// The answer doesn't fit the offer.
    pub fn accept(&mut self, answer: &str, signalling: Box<dyn Signalling>) -> Result<(), LoadError> {
        let refuse = |why: String| LoadError::refused("taking the server's answer", why);
        let pending = self.pending.take().ok_or_else(|| refuse("there is no offer to answer".to_owned()))?;
        let parsed = SdpAnswer::from_sdp_string(answer).map_err(|error| refuse(error.to_string()))?;
        self.rtc.sdp_api().accept_answer(pending, parsed).map_err(|error| refuse(error.to_string()))?;
        let agreed = sections(answer);
        self.inbound.configure(&agreed);
        if let Some(trace) = self.wish.publish.take() {
            let publisher = Publisher::new(&trace, self.wish.place, &self.sending, &self.offered, &agreed);
            self.publisher = Some(publisher.ok_or_else(|| refuse("the server takes none of what is offered".to_owned()))?);
        }
        self.signalling = Some(signalling);
        Ok(())
    }

    /// Keeps the connection that an invitation came on.
    pub fn keep(&mut self, signalling: Box<dyn Signalling>) {
        self.signalling = Some(signalling);
    }

    /// What media is sealed with; none before the handshake is done.
    pub(super) fn cipher(&self) -> Option<Cipher> {
        self.link.as_ref().map(Link::cipher)
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.socket
    }

    pub(super) fn signalling(&mut self) -> Option<&mut Box<dyn Signalling>> {
        self.signalling.as_mut()
    }

    pub(super) fn publisher(&mut self) -> Option<&mut Publisher> {
        self.publisher.as_mut()
    }

    /// When [`Peer::on_time`] is to be called.
    pub(super) fn deadline(&self) -> Instant {
        let publisher = self.publisher.as_ref().and_then(Publisher::report_due);
        [self.inbound.next_due(), publisher].into_iter().flatten().fold(self.deadline, Instant::min)
    }

    /// Packets that arrived and packets that were sent, over all streams.
    pub(super) fn tally(&self) -> (u64, u64) {
        self.inbound.tally()
    }

    /// Reads what the socket has.
    pub(super) fn on_readable(&mut self, now: Instant, buffers: &mut Buffers, seen: &mut Seen) -> Result<News, LoadError> {
        let mut news = News::default();
        let had_media = self.inbound.has_media();
        let mut failure = None;
        let local = self.socket.local();
        let mut others = Vec::new();
        let Self { socket, inbound, link, publisher, .. } = self;
        socket.receive(buffers, |datagram| {
            seen.datagrams += 1;
            seen.bytes += datagram.bytes.len() as u64;
            let bytes = datagram.bytes;
            let outcome = match (&*bytes, &*link) {
                ([128..=191, kind, ..], Some(link)) if !is_rtcp(*kind) => inbound.on_rtp(now, datagram.at, bytes, link, seen),
                ([128..=191, ..], Some(link)) => {
                    if let Some(compound) = link.open_rtcp(bytes) {
                        inbound.on_rtcp(now, compound, |said| tell(publisher.as_mut(), said));
                    }
                    Ok(())
                }
                // What overtook the end of the handshake; nobody was promised it.
                ([128..=191, ..], None) => Ok(()),
                _ => {
                    others.push((datagram.source, bytes.to_vec()));
                    Ok(())
                }
            };
            if let Err(error) = outcome {
                failure = Some(error);
            }
        });
        if let Some(error) = failure {
            return Err(error);
        }
        for (source, bytes) in others {
            if let Ok(receive) = Receive::new(Protocol::Udp, source, local, &bytes) {
                self.feed(now, Input::Receive(now, receive), &mut news)?;
            }
        }
        news.first_media = !had_media && self.inbound.has_media();
        Ok(news)
    }

    /// Lets time pass.
    pub(super) fn on_time(&mut self, now: Instant, seen: &mut Seen) -> Result<News, LoadError> {
        let mut news = News::default();
        if self.deadline <= now {
            self.feed(now, Input::Timeout(now), &mut news)?;
        }
        let Self { socket, inbound, link: Some(link), publisher, remote: Some(remote), outgoing, .. } = self else { return Ok(news) };
        outgoing.clear();
        inbound.write_feedback(now, outgoing, seen);
        send_rtcp(socket, *remote, link, outgoing);
        if let Some(publisher) = publisher {
            outgoing.clear();
            publisher.write_reports(now, outgoing);
            send_rtcp(socket, *remote, link, outgoing);
        }
        Ok(news)
    }

    /// Sends the recording's next packet, if it is due.
    pub(super) fn send_due(&mut self, now: Instant) -> bool {
        let Self { socket, link: Some(link), publisher: Some(publisher), remote: Some(remote), outgoing, .. } = self else { return false };
        outgoing.clear();
        if !publisher.write_due(now, link, outgoing) {
            return false;
        }
        if !outgoing.is_empty() {
            socket.send(*remote, outgoing);
        }
        true
    }

    /// Ends the transport in good order (DTLS close_notify).
    pub(super) fn close(&mut self, now: Instant) {
        // What fails while going is no failure.
        let _going = self.rtc.close();
        let _going = self.feed(now, Input::Timeout(now), &mut News::default());
    }

    /// One input to the engine, and everything that comes of it.
    fn feed(&mut self, now: Instant, input: Input<'_>, news: &mut News) -> Result<(), LoadError> {
        let failed = |error: str0m::RtcError| LoadError::refused("running a client's WebRTC engine", error);
        self.rtc.handle_input(input).map_err(failed)?;
        loop {
            match self.rtc.poll_output().map_err(failed)? {
                Output::Timeout(at) => {
                    self.deadline = at;
                    return Ok(());
                }
                // The engine's reports: of media that it never saw.
                Output::Transmit(transmit) if matches!(*transmit.contents, [128..=191, ..]) => {}
                Output::Transmit(transmit) => {
                    if matches!(*transmit.contents, [20..=63, ..]) {
                        self.remote = Some(transmit.destination);
                    }
                    self.socket.send(transmit.destination, &transmit.contents);
                }
                Output::Event(event) => self.on_event(now, event, news)?,
            }
        }
    }

    fn on_event(&mut self, now: Instant, event: Event, news: &mut News) -> Result<(), LoadError> {
        match event {
            Event::Connected => {
                let exported =
                    self.tap.take().ok_or_else(|| LoadError::refused("connecting a client", "its handshake exported no keys"))?;
                self.link = Some(Link::new(&exported)?);
                self.inbound.begin(now);
                news.connected = true;
            }
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) if !self.gone => {
                self.gone = true;
                return Err(LoadError::refused("keeping a client connected", "the server doesn't answer connectivity checks any more"));
            }
            _ => {}
        }
        Ok(())
    }
}

/// RFC 5761 §4.
pub(super) fn is_rtcp(second: u8) -> bool {
    (192..=223).contains(&second)
}

pub(super) fn tell(publisher: Option<&mut Publisher>, said: Said) {
    let Some(publisher) = publisher else { return };
    match said {
        Said::KeyframeWanted { ssrc } => publisher.on_keyframe_request(ssrc),
        Said::Nack { count } => publisher.nacks_heard += count,
        Said::SenderReport { .. } => {}
    }
}

fn send_rtcp(socket: &Socket, remote: SocketAddr, link: &mut Link, packet: &mut Vec<u8>) {
    if !packet.is_empty() && link.seal_rtcp(packet).is_some() {
        socket.send(remote, packet);
    }
}

impl std::fmt::Debug for Peer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Peer")
            .field("local", &self.socket.local())
            .field("publisher", &self.publisher.is_some())
            .finish_non_exhaustive()
    }
}
