//! A peer without a socket, for virtual time: what it wants to send is handed to the caller, and so is time.

use super::Seen;
use super::inbound::Inbound;
use super::offer::{self, Offer, Wish};
use super::peer::{is_rtcp, tell};
use super::publisher::Publisher;
use super::sections::{Section, sections};
use super::srtp::Link;
use super::tap::Tap;
use crate::LoadError;
use crate::trace::Kind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::net::{Protocol, Receive};
use str0m::{Event, Input, Output, Rtc};

/// One participant.
pub struct Local {
    rtc: Rtc,
    tap: Tap,
    wish: Wish,
    pending: Option<SdpPendingOffer>,
    sending: Vec<(Kind, String)>,
    offered: Vec<Section>,
    link: Option<Link>,
    publisher: Option<Publisher>,
    inbound: Inbound,
    address: SocketAddr,
    deadline: Instant,
    outgoing: Vec<Vec<u8>>,
    seen: Seen,
}

impl Local {
    /// A participant at an address, and its offer.
    ///
    /// # Errors
    /// It wants nothing.
    pub fn new(wish: Wish, address: SocketAddr, now: Instant) -> Result<(Self, Offer), LoadError> {
        let (mut rtc, tap) = offer::engine(&wish, address, now)?;
        let prepared = offer::prepare(&mut rtc, &wish)?;
        let local = Self {
            rtc,
            tap,
            wish,
            pending: Some(prepared.pending),
            sending: prepared.sending,
            offered: sections(&prepared.offer.sdp),
            link: None,
            publisher: None,
            inbound: Inbound::default(),
            address,
            deadline: now,
            outgoing: Vec::new(),
            seen: Seen::default(),
        };
        Ok((local, prepared.offer))
    }

    /// Takes the server's answer.
    ///
    /// # Errors
    /// It doesn't fit the offer.
    pub fn accept(&mut self, now: Instant, answer: &str) -> Result<(), LoadError> {
        let refuse = |why: String| LoadError::refused("taking the server's answer", why);
        let pending = self.pending.take().ok_or_else(|| refuse("there is no offer to answer".to_owned()))?;
        let parsed = SdpAnswer::from_sdp_string(answer).map_err(|error| refuse(error.to_string()))?;
        self.rtc.sdp_api().accept_answer(pending, parsed).map_err(|error| refuse(error.to_string()))?;
        let agreed = sections(answer);
        self.inbound.configure(&agreed);
        if let Some(trace) = self.wish.publish.take() {
            self.publisher = Publisher::new(&trace, self.wish.place, &self.sending, &self.offered, &agreed);
        }
        self.feed(Input::Timeout(now), now)
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its transport is up.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.link.is_some()
    }

    /// Takes a datagram from the server.
    ///
    /// # Errors
    /// It isn't authentic, or the engine fails.
    pub fn receive(&mut self, now: Instant, since_start: Duration, server: SocketAddr, datagram: &mut [u8]) -> Result<(), LoadError> {
        let Self { link, inbound, publisher, seen, .. } = self;
        match (&*datagram, &*link) {
            ([128..=191, kind, ..], Some(link)) if !is_rtcp(*kind) => inbound.on_rtp(now, Some(since_start), datagram, link, seen),
            ([128..=191, ..], Some(link)) => {
                if let Some(compound) = link.open_rtcp(datagram) {
                    inbound.on_rtcp(now, compound, |said| tell(publisher.as_mut(), said));
                }
                Ok(())
            }
            ([128..=191, ..], None) => Ok(()),
            _ => match Receive::new(Protocol::Udp, server, self.address, datagram) {
                Ok(receive) => self.feed(Input::Receive(now, receive), now),
                // What isn't a datagram of WebRTC is dropped, as a browser would.
                Err(_) => Ok(()),
            },
        }
    }

    /// Lets time pass.
    ///
    /// # Errors
    /// The engine fails.
    pub fn wake(&mut self, now: Instant) -> Result<(), LoadError> {
        if self.deadline <= now {
            self.feed(Input::Timeout(now), now)?;
        }
        let Self { link: Some(link), inbound, publisher, seen, outgoing, .. } = self else { return Ok(()) };
        let mut said = Vec::new();
        inbound.write_feedback(now, &mut said, seen);
        let mut reports = Vec::new();
        if let Some(publisher) = publisher {
            publisher.write_reports(now, &mut reports);
        }
        for mut packet in [said, reports] {
            if !packet.is_empty() && link.seal_rtcp(&mut packet).is_some() {
                outgoing.push(packet);
            }
        }
        Ok(())
    }

    /// Sends its recording's first part.
    pub fn play(&mut self, now: Instant, length: Duration) {
        if let Some(publisher) = self.publisher.as_mut() {
            publisher.play(now, length);
        }
    }

    /// When its next packet is due; none when it has played, or publishes nothing.
    #[must_use]
    pub fn next_due(&self) -> Option<Instant> {
        self.publisher.as_ref().and_then(Publisher::next_due)
    }

    /// Writes its next packet, if one is due.
    pub fn send_due(&mut self, now: Instant) {
        let Self { link: Some(link), publisher: Some(publisher), outgoing, .. } = self else { return };
        let mut packet = Vec::new();
        if publisher.write_due(now, link, &mut packet) && !packet.is_empty() {
            outgoing.push(packet);
        }
    }

    /// What it has to send.
    pub fn take_outgoing(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.outgoing)
    }

    /// Packets received, packets asked for again, how many of these came again, and transport-wide feedbacks sent.
    #[must_use]
    pub fn counts(&self) -> [u64; 4] {
        [self.inbound.tally().0, self.seen.resends_asked, self.seen.resends_answered, self.seen.feedbacks]
    }

    fn feed(&mut self, input: Input<'_>, now: Instant) -> Result<(), LoadError> {
        let failed = |error: str0m::RtcError| LoadError::refused("running a client's WebRTC engine", error);
        self.rtc.handle_input(input).map_err(failed)?;
        loop {
            match self.rtc.poll_output().map_err(failed)? {
                Output::Timeout(at) => {
                    self.deadline = at;
                    return Ok(());
                }
                Output::Transmit(transmit) if matches!(*transmit.contents, [128..=191, ..]) => {}
                Output::Transmit(transmit) => self.outgoing.push(transmit.contents.to_vec()),
                Output::Event(Event::Connected) => {
                    let exported = self.tap.take().ok_or_else(|| LoadError::refused("connecting a client", "no keys were exported"))?;
                    self.link = Some(Link::new(&exported)?);
                    self.inbound.begin(now);
                }
                Output::Event(_) => {}
            }
        }
    }
}

impl std::fmt::Debug for Local {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Local").field("address", &self.address).finish_non_exhaustive()
    }
}
