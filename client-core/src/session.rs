//! One stay in one room: the state machine that ties signalling, negotiation and room together.
//!
//! Rules for the caller: after every `handle_*` call, take outputs until there are none, in order, then arm one timer for `poll_timeout`.
//! Inputs may come in any order and late; what no longer fits is ignored. After [`Event::Closed`] nothing follows, and every request made
//! later fails with `room-left`.
//!
//! States, and what moves between them, are drawn in docs/client-core.md.

mod adapt;
mod direct;
mod input;
mod messages;
mod output;
mod quality;
mod recovering;
mod signalling;

pub use adapt::Adapted;
use alloc::{string::String, vec::Vec};
pub use input::{DataMessage, Input, LinkId, PublishRequest, RequestId, SocketId, TransportId, TransportState};
pub use output::{Event, Output, State};
pub use quality::{JUDGEMENT, Judgement, Subject};

use crate::data::Received;
use crate::direct::Direct;
use crate::ice_servers::IceServers;
use crate::journal::Journal;
use crate::link::Link;
use crate::negotiation::{Negotiation, Publish};
use crate::random::Rng;
use crate::recovery::{Reason, Recovery};
use crate::requests::Requests;
use crate::room::Room;
use crate::wishes::Wishes;
use crate::{Code, MonoTime, SessionError, SlotCounts};
use alloc::collections::VecDeque;
use nearcast_protocol::{
    ClientEnvelope, ClientMessage, EncodingDemand, ErrorCode, Moderation, ParticipantId, Permissions, PublicationId, SessionId,
};

/// Bytes of a publication's name (protocol/src/client.rs).
const MAX_NAME: usize = 256;

/// Demands that may come while an answer is being applied, which takes milliseconds: the edge waits a second before it lets an encoding go.
const MAX_EARLY: usize = 64;

/// What a session is made with.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// Subscribe to everything without asking.
    pub auto_subscribe: bool,
    /// How long the first join may take, in milliseconds.
    pub join_timeout_ms: u32,
    /// How long an outage may take, in milliseconds.
    pub give_up_after_ms: u32,
    /// Receiving sections in the first offer.
    pub slots: SlotCounts,
    /// What software this is, for the edge's logs.
    pub client: String,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            auto_subscribe: true,
            // As long as an impatient person waits.
            join_timeout_ms: 10_000,
            // As Chime does.
            give_up_after_ms: 120_000,
            // Guess: a small meeting needs no second offer, and an unused pair costs 2.7 kB once.
            slots: SlotCounts { audio: 4, video: 4 },
            client: String::new(),
        }
    }
}

/// How far the stay has come.
#[derive(Debug, PartialEq)]
enum Stage {
    New,
    /// Joining for the first time, until then.
    Entering {
        until: MonoTime,
    },
    In,
    Over,
}

/// On the way to another edge while the one before goes on.
#[derive(Debug)]
struct Leaving {
    /// When that is let go of.
    until: MonoTime,
    /// The new one carries everything.
    arrived: bool,
}

/// What `joined` gave us.
#[derive(Debug)]
struct Stay {
    /// What to resume; none: the edge has forgotten us, or we go elsewhere.
    session: Option<SessionId>,
    /// What shows another edge who we are; none: there is no other.
    claim: Option<String>,
    id: ParticipantId,
    permissions: Permissions,
}

/// The state machine. See the module for the rules.
#[derive(Debug)]
pub struct Session {
    config: SessionConfig,
    rng: Rng,
    stage: Stage,
    link: Link,
    sockets: u32,
    /// How often an edge has sent us to another one since we were in.
    redirects: u8,
    /// How often we asked an edge to let us go on as who we were.
    moves: u16,
    envelopes: u32,
    transports: u32,
    recovery: Recovery,
    ice_servers: IceServers,
    /// What hasn't come along to a new transport or session by then has ended.
    settle_at: Option<MonoTime>,
    /// The edge before still plays, until then.
    leaving: Option<Leaving>,
    stay: Option<Stay>,
    requests: Requests,
    negotiation: Negotiation,
    room: Room,
    wishes: Wishes,
    adapt: adapt::Adapt,
    watch: quality::Watch,
    direct: Direct,
    /// Came while an answer was being applied: perhaps for what it publishes.
    early_demand: Vec<(PublicationId, Vec<EncodingDemand>)>,
    outputs: VecDeque<Output>,
    journal: Journal,
}

impl Session {
    /// A session that does nothing until [`Input::Start`]. `seed` spreads reconnection attempts: draw it at random.
    #[must_use]
    pub fn new(config: SessionConfig, seed: u64) -> Self {
        Self {
            rng: Rng::from_seed(seed),
            stage: Stage::New,
            link: Link::Down { retry_at: None },
            sockets: 0,
            redirects: 0,
            moves: 0,
            envelopes: 0,
            transports: 0,
            recovery: Recovery::new(),
            ice_servers: IceServers::default(),
            settle_at: None,
            leaving: None,
            stay: None,
            requests: Requests::default(),
            negotiation: Negotiation::new(config.slots),
            room: Room::new(config.auto_subscribe),
            wishes: Wishes::default(),
            adapt: adapt::Adapt::default(),
            watch: quality::Watch::default(),
            direct: Direct::new(),
            early_demand: Vec::new(),
            outputs: VecDeque::new(),
            journal: Journal::new(&config, seed),
            config,
        }
    }

    /// Where the session stands.
    #[must_use]
    pub fn state(&self) -> State {
        match self.stage {
            Stage::New | Stage::Entering { .. } => State::Connecting,
            Stage::In if self.recovery.is_out() => State::Reconnecting,
            Stage::In => State::Connected,
            Stage::Over => State::Disconnected,
        }
    }

    /// Smoothed round trip to the edge over the media path, in milliseconds; none: not measured yet.
    #[must_use]
    pub fn path_rtt(&self) -> Option<u32> {
        self.recovery.path.rtt()
    }

    /// Takes what happened.
    pub fn handle_input(&mut self, now: MonoTime, input: Input) {
        self.journal.input(now, &input);
        if self.stage == Stage::Over {
            if let Some(request) = input.request() {
                self.fail(request, Code::RoomLeft.into());
            }
            return;
        }
        self.take_input(now, input);
        self.recover(now);
        self.direct(now);
    }

    fn take_input(&mut self, now: MonoTime, input: Input) {
        match input {
            Input::Start => self.start(now),
            Input::Token(token) => self.token(now, token),
            Input::SocketOpened(socket) => self.socket_opened(now, socket),
            Input::SocketMessage(socket, bytes) => self.socket_message(now, socket, &bytes),
            Input::SocketClosed(socket) => self.socket_closed(now, socket),
            Input::NetworkAvailable => {
                self.ice_servers.forget();
                self.network_changed(now);
            }
            Input::IceServer { address, works } => self.ice_servers.tried(now, address, works),
            Input::TransportRefused => self
                .end(Some(SessionError { message: String::from("rtcConfiguration: the browser refuses it."), ..Code::BadArgument.into() })),
            Input::OfferMade { sdp, mids } => {
                let failed = self.negotiation.made(sdp, &mids);
                self.settle(failed);
                if let Some(sdp) = self.negotiation.answered_alone() {
                    self.push(Output::ApplyAnswer { sdp });
                }
                self.send_join_if_ready(now);
                self.negotiate();
            }
            Input::OfferFailed => self.negotiation_failed(now, &ErrorCode::Internal.into()),
            Input::AnswerApplied => {
                let settled = self.negotiation.applied();
                self.settle(settled);
                for (publication, encodings) in core::mem::take(&mut self.early_demand) {
                    self.demand(publication, encodings);
                }
                self.recovery.grant(now);
                self.send_join_if_ready(now);
                self.negotiate();
            }
            Input::AnswerFailed => {
                self.push(Output::RollBack);
                self.negotiation_failed(now, &ErrorCode::BadSdp.into());
            }
            Input::Transport(TransportState::Connected) => self.recovery.path.heard(now),
            Input::Transport(TransportState::Disconnected) => self.recovery.path.doubt(now, true),
            Input::Transport(TransportState::Failed) => self.recovery.path.fail(),
            Input::Data { frame, reliable } => match crate::data::decode(&frame) {
                Some(Received::Message(message)) => {
                    self.recovery.path.heard(now);
                    self.event(Event::Data { message, reliable });
                }
                Some(Received::Beat(beat)) => self.recovery.path.echoed(now, beat),
                None => {}
            },
            Input::Publish(request) => self.publish(request),
            Input::Unpublish { request, publication } => {
                self.room.unpublished(&publication);
                self.watch.unpublished(&publication);
                self.negotiation.forget(&publication);
                self.push(Output::ReleaseSender { publication: publication.clone() });
                self.ask(request, ClientMessage::Unpublish { publication });
            }
            Input::Mute { request, publication, muted } => {
                self.watch.muted(&publication, muted);
                self.negotiation.muted(&publication, muted);
                self.ask(request, ClientMessage::Mute { publication, muted });
            }
            Input::Moderate { request, action, target } => self.ask(request, ClientMessage::Moderate(Moderation { action, target })),
            Input::Subscribe { request, publication } => {
                self.room.want(&publication, true);
                self.wishes.subscribed(now, &publication);
                self.ask(request, ClientMessage::Subscribe { publication });
            }
            Input::Unsubscribe { request, publication } => {
                self.room.want(&publication, false);
                self.ask(request, ClientMessage::Unsubscribe { publication });
            }
            Input::Wish(wish) if self.room.knows(&wish.publication) => self.wishes.set(now, wish),
            Input::Wish(_) => {}
            Input::PageHidden(hidden) => self.adapt.set_hidden(hidden),
            Input::AdaptNothing => {
                self.adapt.turn_off();
                self.negotiation.set_red(true);
            }
            Input::DirectLimit(most) => self.direct.most = most,
            Input::LinkDescribed { link, sdp, sections } => self.directly(|direct, _, acts| direct.described(link, &sdp, sections, acts)),
            Input::LinkCandidate { link, candidate } => self.directly(|direct, _, acts| direct.candidate(link, candidate, acts)),
            Input::LinkState { link, state } => self.directly(|direct, _, acts| direct.state(now, link, state, acts)),
            Input::Stats(numbers) => self.stats(now, &numbers),
            Input::Leave => self.leave(),
        }
    }

    /// Takes that time has passed; early and late calls are fine.
    pub fn handle_timeout(&mut self, now: MonoTime) {
        self.journal.timeout(now);
        match self.stage {
            Stage::New | Stage::Over => return,
            Stage::Entering { until } if now >= until => return self.end(Some(Code::JoinTimeout.into())),
            Stage::Entering { .. } | Stage::In => {}
        }
        if self.recovery.give_up_at(self.config.give_up_after_ms).is_some_and(|at| now >= at) {
            return self.end(Some(if self.link.is_up() { ErrorCode::TransportFailed.into() } else { Code::SessionLost.into() }));
        }
        if self.settle_at.is_some_and(|at| now >= at) {
            self.settle_at = None;
            self.with_room(crate::room::Room::settle);
        }
        self.beat(now);
        self.link_timeout(now);
        self.tell_wishes(now);
        self.quality_timeout(now);
        self.recover(now);
        self.direct(now);
    }

    /// What to do next; none: nothing.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`Self::handle_timeout`].
    #[must_use]
    pub fn poll_timeout(&self) -> Option<MonoTime> {
        let (entering, beat) = match self.stage {
            Stage::New | Stage::Over => return None,
            Stage::Entering { until } => (Some(until), None),
            Stage::In => (None, Some(self.recovery.path.poll_timeout())),
        };
        let wishes = self.wishes.poll_timeout().filter(|_| self.link.is_up());
        let quality = (self.stage == Stage::In).then(|| self.watch.poll_timeout());
        let remedy = self.recovery.remedy_due().filter(|_| self.link.is_proven());
        let give_up = self.recovery.give_up_at(self.config.give_up_after_ms);
        let direct = self.direct.poll_timeout();
        let leaving = self.leaving.as_ref().map(|leaving| leaving.until);
        [entering, leaving, beat, give_up, self.link.poll_timeout(), wishes, quality, remedy, direct, self.settle_at]
            .into_iter()
            .flatten()
            .min()
    }

    /// What has happened so far and what was decided, without what is nobody's business: docs/journal.md. A few hundred KiB at most.
    #[must_use]
    pub fn trace(&self) -> Vec<u8> {
        self.journal.trace()
    }

    /// The frame for a data channel that carries `message` to its `peer`, or to everybody.
    ///
    /// # Errors
    /// `not-permitted` without the grant, `data-too-large` above 60 KiB or 128 bytes of topic, `room-left` outside a stay.
    pub fn data_frame(&self, message: DataMessage) -> Result<Vec<u8>, Code> {
        match &self.stay {
            Some(stay) if stay.permissions.publish_data => crate::data::encode(message),
            Some(_) => Err(Code::Edge(ErrorCode::NotPermitted)),
            None => Err(Code::RoomLeft),
        }
    }

    fn publish(&mut self, PublishRequest { request, source, name, muted, dtx }: PublishRequest) {
        self.watch.publish(request, source, muted);
        let result = if name.len() > MAX_NAME {
            Err(Code::BadArgument.into())
        } else if self.stay.as_ref().is_some_and(|stay| !stay.permissions.publish) {
            Err(ErrorCode::NotPermitted.into())
        } else {
            self.negotiation.publish(Publish::new(request, source, name, muted, dtx))
        };
        match result {
            Ok(()) => self.negotiate(),
            Err(error) => self.refuse_track(request, error),
        }
    }

    fn ask(&mut self, request: RequestId, message: ClientMessage) {
        match self.requests.push(Some(request), message) {
            Ok(()) => self.send_requests(),
            Err(error) => self.fail(request, error),
        }
    }

    /// Sends what waits, if it can be sent.
    fn send_requests(&mut self) {
        if !self.link.is_up() {
            return;
        }
        let envelopes = &mut self.envelopes;
        let unsent = self.requests.unsent(|| {
            *envelopes = envelopes.wrapping_add(1).max(1);
            *envelopes
        });
        for envelope in unsent {
            self.push(Output::Send(crate::wire::client_envelope(&envelope)));
        }
    }

    /// Tells the edge how the app shows what it receives, when that is due. Nobody waits for a reply.
    fn tell_wishes(&mut self, now: MonoTime) {
        if !self.link.is_up() {
            return;
        }
        let wishes = self.wishes.take(now);
        if !wishes.is_empty() {
            self.send(0, ClientMessage::Wishes { wishes });
        }
    }

    /// Which encodings of one of our publications somebody wants. The edge decides that and waits before it lets one go; we only keep what comes
    /// ahead of the answer that makes it a publication.
    fn demand(&mut self, publication: PublicationId, encodings: Vec<EncodingDemand>) {
        if self.room.is_own(&publication) {
            self.push(Output::SetEncodings { publication, encodings });
        } else if self.negotiation.is_applying() && self.early_demand.len() < MAX_EARLY {
            self.early_demand.push((publication, encodings));
        }
    }

    /// Sends the waiting offer, or has the next one made, if signalling is up. The first one of a transport may go out with a join.
    fn negotiate(&mut self) {
        if self.negotiation.is_ready() && self.link.is_up() {
            let id = self.next_id();
            let fresh = self.negotiation.is_fresh();
            if let Some(offer) = self.negotiation.send(id) {
                self.send(id, if fresh { ClientMessage::Transport(offer) } else { ClientMessage::Offer(offer) });
            }
        } else if self.link.is_up() || self.negotiation.is_fresh() {
            self.make_offer();
        }
    }

    fn make_offer(&mut self) {
        if let Some(plan) = self.negotiation.next() {
            self.push(Output::MakeOffer { publish: plan.publish, grow: plan.grow, restart: plan.restart });
        }
    }

    /// The offer under way is worth nothing. Without the first one there is no session; without that of another transport there is none any more.
    fn negotiation_failed(&mut self, now: MonoTime, error: &SessionError) {
        if matches!(self.stage, Stage::Entering { .. }) {
            return self.end(Some(error.clone()));
        }
        if self.negotiation.is_fresh() {
            return self.rejoin(now, Reason::Failed(error.code));
        }
        self.recovery.remedy_failed(now);
        // What the edge has accepted meanwhile would be publications that never send.
        for publication in self.negotiation.accepted() {
            // A full queue means an edge that is away for good.
            let _ = self.requests.push(None, ClientMessage::Unpublish { publication });
        }
        self.send_requests();
        let failed = self.negotiation.failed(error);
        self.settle(failed);
        self.negotiate();
    }

    fn refuse_track(&mut self, request: RequestId, error: SessionError) {
        self.watch.settled(request, None);
        self.push(Output::DropSender { request });
        self.fail(request, error);
    }

    /// Tells what became of tracks to publish.
    fn settle(&mut self, settled: Vec<Publish>) {
        for Publish { request, publication: was, told, mid, result, .. } in settled {
            self.watch.settled(request, result.as_ref().ok().map(|publication| (publication, &mid)));
            match (was.filter(|_| told), result) {
                (None, Ok(publication)) => {
                    self.room.published(publication.clone());
                    self.event(Event::Published { request, publication, mid });
                }
                (None, Err(error)) => self.refuse_track(request, error),
                (Some(was), result) => self.republished(request, was, result, mid),
            }
        }
    }

    fn leave(&mut self) {
        // Also behind a join that isn't answered yet: otherwise the edge would keep a seat for somebody who has gone.
        if matches!(self.link, Link::Joining { .. } | Link::Up { .. }) {
            self.send(0, ClientMessage::Leave);
        }
        self.end(None);
    }

    /// Ends everything, once.
    fn end(&mut self, error: Option<SessionError>) {
        if self.stage == Stage::Over {
            return;
        }
        let reason = error.as_ref().map_or(Reason::Left, |error| Reason::Failed(error.code));
        let refusal = error.clone().unwrap_or_else(|| Code::RoomLeft.into());
        self.stage = Stage::Over;
        self.stay = None;
        let waiting: Vec<_> = self.requests.drain().collect();
        for request in waiting {
            self.fail(request, refusal.clone());
        }
        for one in self.negotiation.drain() {
            if !one.told {
                self.fail(one.request, refusal.clone());
            }
        }
        self.drop_link();
        if self.leaving.take().is_some() {
            self.push(Output::CloseKept);
        }
        self.directly(|direct, _, acts| direct.close(acts));
        if self.transports > 0 {
            self.push(Output::CloseTransport(TransportId(self.transports)));
        }
        self.event(Event::StateChanged { state: State::Disconnected, reason });
        self.event(Event::Closed { error });
    }

    fn next_id(&mut self) -> u32 {
        self.envelopes = self.envelopes.wrapping_add(1).max(1);
        self.envelopes
    }

    #[inline(never)]
    fn send(&mut self, id: u32, message: ClientMessage) {
        self.push(Output::Send(crate::wire::client_envelope(&ClientEnvelope { id, message })));
    }

    #[inline(never)]
    fn fail(&mut self, request: RequestId, error: SessionError) {
        self.event(Event::Failed { request, error });
    }

    #[inline(never)]
    fn event(&mut self, event: Event) {
        self.push(Output::Event(event));
    }

    /// The one way out, so that every decision is in the journal.
    #[inline(never)]
    fn push(&mut self, output: Output) {
        self.journal.output(&output);
        self.outputs.push_back(output);
    }
}
