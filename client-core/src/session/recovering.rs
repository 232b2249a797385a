//! Carries out what [`crate::recovery`] decides: tells what is suspected, asks both ways, and applies the remedies.

use super::{Leaving, Session, Stage, TransportId};
use crate::link::Link;
use crate::recovery::path::Health;
use crate::recovery::{Reason, Remedy, Step};
use crate::{Code, Event, MonoTime, Output, RequestId, SessionError, SlotCounts, State};
use alloc::{string::String, vec::Vec};
use nearcast_protocol::{ClientMessage, ErrorCode, IceServer, Mid, ParticipantId, PublicationId};

/// An attempt younger than this isn't replaced by news of the network, which tends to come twice. Guess: a round trip.
const YOUNG: u32 = 200; // milliseconds

/// From the first sign of life of another edge until the one before is let go of: by then pictures have begun. Guess: a key frame on a way of 300 ms.
const SEEN_WITHIN: u32 = 1200; // milliseconds

impl Session {
    /// Looks at both ways to the edge, after whatever happened, and does what is to be done now.
    pub(super) fn recover(&mut self, now: MonoTime) {
        if self.stage != Stage::In {
            return;
        }
        let health = self.recovery.path.health();
        let revived = core::mem::take(&mut self.recovery.path.revived);
        let silent = matches!(health, Health::Suspect | Health::Lost);
        if let Link::Up { heartbeat, .. } = &mut self.link {
            heartbeat.probe(now, silent);
        }
        let proven = self.link.is_proven();
        if proven {
            self.recovery.path.signalled();
        }
        self.arrive(now);
        if health == Health::Lost && !self.recovery.is_out() {
            self.begin_outage(now, Reason::NoMedia);
        }
        if !self.link.is_up() {
            // Media came back first: the network works, and what hangs since before that is begun anew.
            if revived {
                self.hurry(now);
            } else if self.recovery.goes_alone(now) && self.negotiation.restart_alone() {
                self.push(Output::MakeOffer { publish: Vec::new(), grow: SlotCounts::default(), restart: true });
            }
        } else if health == Health::Lost {
            if proven && let Some(remedy) = self.recovery.media(now) {
                self.remedy(now, remedy);
            }
        } else if let Some(reason) = self.recovery.end(now) {
            self.told(now, Step::Connected, reason);
            self.event(Event::StateChanged { state: State::Connected, reason });
        } else if self.leaving.is_none() {
            let (step, reason) = if silent { (Step::Suspect, Reason::NoMedia) } else { (Step::Connected, Reason::MediaBack) };
            self.told(now, step, reason);
            if self.recovery.seeks_udp(now) {
                self.restart_ice(now);
            }
        }
    }

    fn restart_ice(&mut self, now: MonoTime) {
        self.choose_ice_servers(now);
        self.negotiation.restart();
        self.negotiate();
    }

    fn remedy(&mut self, now: MonoTime, remedy: Remedy) {
        match remedy {
            Remedy::Restart => {
                self.told(now, Step::Restarting, Reason::NoMedia);
                self.restart_ice(now);
            }
            Remedy::Replace => {
                self.told(now, Step::Replacing, Reason::NoMedia);
                self.choose_ice_servers(now);
                self.replace_transport();
                self.negotiate();
                self.settle_at = Some(now.after(super::signalling::SETTLE_WITHIN));
            }
            Remedy::Move => self.rejoin(now, Reason::NoMedia),
        }
    }

    /// The session is gone, or we go: everything goes on in a new one, at the edge that is the present one now.
    pub(super) fn rejoin(&mut self, now: MonoTime, reason: Reason) {
        if !self.recovery.may_rejoin(now) {
            return self.end(Some(Code::SessionLost.into()));
        }
        self.drop_link();
        self.take_step(now, Step::Moving, reason);
        self.recovery.begin_remedy(now, Remedy::Replace);
        self.end_session();
        self.replace_transport();
        self.negotiate();
        self.begin_attempt(now);
    }

    /// The edge goes away, and names another: we go on there as who we are, while this one still plays. Where that can't be it ends in time, as any other.
    pub(super) fn move_to(&mut self, now: MonoTime, edge: String, within: u32) {
        let is_well = self.stage == Stage::In && self.leaving.is_none() && self.recovery.path.is_good() && !self.recovery.is_out();
        let is_known = self.stay.as_ref().is_some_and(|stay| stay.claim.is_some());
        if !is_well || !is_known || !self.recovery.may_rejoin(now) || !self.recovery.edges.go(now, edge) {
            return;
        }
        self.told(now, Step::Moving, Reason::Failed(Code::Edge(ErrorCode::Elsewhere)));
        self.leaving = Some(Leaving { until: now.after(within), arrived: false });
        self.push(Output::Keep);
        // Not closed: kept.
        self.link = Link::Down { retry_at: None };
        self.drop_link();
        self.end_session();
        self.next_transport();
        self.recovery.path.moved(now);
        self.negotiate();
        self.begin_attempt(now);
    }

    /// Lets go of the edge before when this one carries everything, and people have had the time to see so.
    fn arrive(&mut self, now: MonoTime) {
        let arrives = self.link.is_up() && self.recovery.path.is_heard();
        let Some(leaving) = &mut self.leaving else { return };
        if arrives && !leaving.arrived {
            (leaving.arrived, leaving.until) = (true, leaving.until.min(now.after(SEEN_WITHIN)));
        }
        let (arrived, over) = (leaving.arrived, now >= leaving.until);
        if over {
            self.leaving = None;
            self.push(Output::CloseKept);
        }
        if over && arrived && !self.recovery.is_out() {
            self.told(now, Step::Connected, Reason::Moved);
        }
    }

    /// What belongs to a session ends with it.
    fn end_session(&mut self) {
        if let Some(stay) = &mut self.stay {
            stay.session = None;
        }
        self.requests.session_lost();
    }

    /// The edge names STUN and TURN servers, or gives them fresh credentials.
    pub(super) fn name_ice_servers(&mut self, now: MonoTime, servers: Vec<IceServer>) {
        if servers.is_empty() && self.ice_servers.is_empty() {
            return;
        }
        self.ice_servers.named(&servers);
        self.push(Output::SetIceServers(servers));
        self.push(Output::LeaveOutIceServers(self.ice_servers.failed(now)));
    }

    /// Those that are good, for whenever the transport gathers next.
    fn choose_ice_servers(&mut self, now: MonoTime) {
        if !self.ice_servers.is_empty() {
            self.push(Output::LeaveOutIceServers(self.ice_servers.failed(now)));
        }
    }

    pub(super) fn open_transport(&mut self) {
        self.transports = self.transports.wrapping_add(1);
        self.push(Output::OpenTransport(TransportId(self.transports)));
    }

    /// Another transport in place of the present one, and with it the tracks of both directions.
    fn replace_transport(&mut self) {
        self.push(Output::CloseTransport(TransportId(self.transports)));
        self.next_transport();
    }

    fn next_transport(&mut self) {
        self.open_transport();
        self.negotiation.renew();
        self.room.transport_renewed();
        self.recovery.path.renew();
        self.early_demand.clear();
    }

    /// What became of one of our publications on another transport.
    pub(super) fn republished(&mut self, request: RequestId, was: PublicationId, result: Result<PublicationId, SessionError>, mid: Mid) {
        let ours = self.room.unpublished(&was);
        match result {
            Ok(publication) if ours => {
                self.room.published(publication.clone());
                self.requests.rename(&was, &publication);
                self.event(Event::Republished { request, was, publication, mid });
            }
            // Unpublished meanwhile.
            Ok(publication) => {
                self.negotiation.forget(&publication);
                if publication != was {
                    // A full queue means an edge that is away for good.
                    let _ = self.requests.push(None, ClientMessage::Unpublish { publication });
                    self.send_requests();
                }
            }
            Err(_) => {
                self.push(Output::ReleaseSender { publication: was.clone() });
                if ours {
                    self.event(Event::LocalUnpublished { publication: was });
                }
            }
        }
    }

    /// Tells a new session what the app wants of publications, where that isn't what a session begins with.
    pub(super) fn choose_again(&mut self, of: Option<&ParticipantId>) {
        for publication in self.room.choices(of) {
            let message = if self.config.auto_subscribe {
                ClientMessage::Unsubscribe { publication }
            } else {
                ClientMessage::Subscribe { publication }
            };
            let _ = self.requests.push(None, message);
        }
        self.send_requests();
    }

    /// The network has changed: whatever waits is tried now, and what seems to work is asked.
    pub(super) fn network_changed(&mut self, now: MonoTime) {
        self.recovery.path.doubt(now, false);
        if let Link::Up { heartbeat, .. } = &mut self.link {
            heartbeat.probe(now, true);
        }
        self.hurry(now);
    }

    /// The next attempt begins now, in place of one that hangs.
    fn hurry(&mut self, now: MonoTime) {
        match &self.link {
            Link::Down { retry_at: Some(_) } => self.begin_attempt(now),
            Link::Opening { open: false, since, .. } if self.recovery.is_out() && now.millis_since(*since) >= YOUNG => {
                self.drop_link();
                self.begin_attempt(now);
            }
            _ => {}
        }
    }

    /// Sends the heartbeat of the media path when it is due.
    pub(super) fn beat(&mut self, now: MonoTime) {
        if self.stage == Stage::In
            && let Some(beat) = self.recovery.path.handle_timeout(now)
        {
            self.push(Output::SendBeat(crate::data::beat(beat)));
        }
    }

    fn begin_outage(&mut self, now: MonoTime, reason: Reason) {
        if self.recovery.begin(now, self.link.is_proven()) {
            self.event(Event::StateChanged { state: State::Reconnecting, reason });
        }
    }

    /// A step of an outage, which begins with it if there is none.
    pub(super) fn take_step(&mut self, now: MonoTime, step: Step, reason: Reason) {
        self.told(now, step, reason);
        self.begin_outage(now, reason);
    }

    fn told(&mut self, now: MonoTime, step: Step, reason: Reason) {
        if let Some(taken) = self.recovery.take_step(now, step, reason) {
            self.event(Event::Step(taken));
        }
    }
}
