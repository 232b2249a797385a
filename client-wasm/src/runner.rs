//! Feeds what happened to the session and does what it wants, in order.
//!
//! No borrow is held while the façade or the browser is called: both may call back. What comes in meanwhile is taken by the session at once, and
//! its outputs wait until the loop that is already running gets to them.

use crate::host::CoreHost;
use crate::links::{Link, Links};
use crate::senders::{Outgoing, Senders};
use crate::socket::Socket;
use crate::timer::{Timer, clock};
use crate::transport::Transport;
use alloc::rc::{Rc, Weak};
use alloc::{string::String, vec::Vec};
use client_core::{
    DataMessage, Event, Input, LinkId, Output, PublishRequest, RequestId, Session, SessionConfig, SlotCounts, SocketId, TransportState,
};
use core::cell::{Cell, RefCell};
use nearcast_protocol::PublicationId;
use wasm_bindgen::prelude::*;
use web_sys::MediaStreamTrack;

/// One session with its browser objects.
pub(crate) struct Runner {
    me: Weak<Runner>,
    session: RefCell<Session>,
    host: CoreHost,
    configuration: JsValue,
    transport: RefCell<Option<Rc<Transport>>>,
    /// The one before, until another takes its place here: its promises may still settle.
    retired: RefCell<Option<Rc<Transport>>>,
    /// What the last transport sent, on its way to the next.
    moving: RefCell<Senders>,
    socket: RefCell<Option<Socket>>,
    /// Those of an edge that is being left.
    kept: RefCell<(Option<Rc<Transport>>, Option<Socket>)>,
    links: RefCell<Links>,
    timer: Timer,
    draining: Cell<bool>,
}

impl Runner {
    pub(crate) fn new(host: CoreHost, config: SessionConfig, configuration: JsValue) -> Rc<Self> {
        // Spreads reconnection attempts; nothing secret hangs on it.
        let seed = (js_sys::Math::random() * 9.0e15) as u64;
        Rc::new_cyclic(|me: &Weak<Self>| {
            let timed = me.clone();
            let timer = Timer::new(move || {
                if let Some(runner) = timed.upgrade() {
                    runner.timed_out();
                }
            });
            Self {
                me: me.clone(),
                session: RefCell::new(Session::new(config, seed)),
                host,
                configuration,
                transport: RefCell::new(None),
                retired: RefCell::new(None),
                moving: RefCell::default(),
                socket: RefCell::new(None),
                kept: RefCell::default(),
                links: RefCell::default(),
                timer,
                draining: Cell::new(false),
            }
        })
    }

    pub(crate) fn start(&self) {
        self.feed(Input::Start);
    }

    pub(crate) fn publish(&self, request: PublishRequest, outgoing: Outgoing) {
        if let Some(transport) = self.open_transport() {
            transport.senders().borrow_mut().push(outgoing);
        }
        self.feed(Input::Publish(request));
    }

    /// The code of what is wrong.
    pub(crate) fn send_data(&self, message: DataMessage, reliable: bool) -> Option<&'static str> {
        let frame = match self.session.borrow().data_frame(message) {
            Ok(frame) => frame,
            Err(code) => return Some(code.name()),
        };
        let sent = self.open_transport().is_some_and(|transport| transport.channels().send(reliable, &frame));
        (!sent).then_some("data-not-ready")
    }

    /// What happened so far.
    pub(crate) fn trace(&self) -> Vec<u8> {
        self.session.borrow().trace()
    }

    /// Something happened.
    pub(crate) fn feed(&self, input: Input) {
        self.session.borrow_mut().handle_input(clock(), input);
        self.drain();
    }

    fn timed_out(&self) {
        self.timer.expired();
        self.session.borrow_mut().handle_timeout(clock());
        self.drain();
    }

    fn drain(&self) {
        if self.draining.replace(true) {
            return;
        }
        loop {
            // Its own statement: the borrow ends before anybody is called.
            let output = self.session.borrow_mut().poll_output();
            let Some(output) = output else { break };
            self.execute(output);
        }
        self.draining.set(false);
        self.timer.arm(self.session.borrow().poll_timeout());
    }

    fn execute(&self, output: Output) {
        let transport = self.open_transport();
        let transport = transport.as_deref();
        match output {
            Output::FetchToken => self.host.token_wanted(),
            Output::OpenSocket { socket, edge } => self.open_socket(socket, edge),
            Output::Send(bytes) => {
                if let Some(socket) = self.socket.borrow().as_ref() {
                    socket.send(&bytes);
                }
            }
            Output::CloseSocket(id) => {
                let closed = self.socket.take().filter(|socket| socket.id() != id);
                self.socket.replace(closed);
            }
            Output::MakeOffer { publish, grow, restart } => self.make_offer(&publish, grow, restart),
            Output::ApplyAnswer { sdp } => {
                if let Some(transport) = transport {
                    transport.apply_answer(&sdp);
                }
            }
            Output::RollBack => {
                if let Some(transport) = transport {
                    transport.roll_back();
                }
            }
            Output::DropSender { request } => {
                if let Some(transport) = transport {
                    transport.senders().borrow_mut().drop_request(transport, request);
                }
            }
            Output::ReleaseSender { publication } => {
                if let Some(transport) = transport {
                    transport.senders().borrow_mut().release(transport, &publication);
                }
                self.replace_track(&publication, None);
            }
            Output::SetEncodings { publication, encodings } => {
                if let Some(transport) = transport {
                    transport.senders().borrow_mut().demand(transport, &publication, encodings);
                }
            }
            Output::Cap(caps) => {
                if let Some(transport) = transport {
                    transport.senders().borrow_mut().cap(transport, caps);
                }
                self.each_link(|link| link.cap(None, Some(caps)));
            }
            Output::ReadStats => self.host.stats_wanted(),
            Output::OpenTransport(_) => self.replace_transport(),
            Output::CloseTransport(_) => {
                if let Some(transport) = transport {
                    self.moving.replace(transport.senders().take().moved());
                    transport.close();
                }
            }
            Output::Keep => {
                if let Some(transport) = transport {
                    self.moving.replace(transport.senders().take().moved());
                    transport.hush();
                }
                self.kept.replace((self.transport.take(), self.socket.take()));
            }
            Output::CloseKept => {
                if let (Some(transport), _) = self.kept.take() {
                    transport.close();
                }
            }
            Output::SendBeat(frame) => {
                if let Some(transport) = transport {
                    transport.channels().send(false, &frame);
                }
            }
            Output::SetIceServers(servers) => self.host.set_ice_servers(servers),
            Output::LeaveOutIceServers(addresses) => self.host.leave_out(addresses),
            Output::OfferLink { link, publications } => {
                let offered = self.link(link).zip(transport).is_some_and(|(link, transport)| link.offer(transport, publications).is_ok());
                if !offered {
                    self.feed(Input::LinkState { link, state: TransportState::Failed });
                }
            }
            Output::DescribeLink { link, sdp } => match self.link(link) {
                Some(link) => link.describe(&sdp),
                None => self.feed(Input::LinkState { link, state: TransportState::Failed }),
            },
            Output::AddCandidate { link, candidate } => {
                if let Some(link) = self.links.borrow().get(link) {
                    link.add_candidate(&candidate);
                }
            }
            Output::CloseLink(link) => {
                self.links.borrow_mut().close(link);
                self.host.link_changed(link.0, None);
            }
            Output::CapLink { link, rung } => {
                if let Some(link) = self.links.borrow().get(link) {
                    link.cap(Some(rung), None);
                }
            }
            Output::Hold(held) => {
                if let Some(transport) = transport {
                    transport.senders().borrow_mut().hold(transport, held);
                }
            }
            Output::Event(Event::TrackRouted { publication, link, mid }) => {
                let track = self.links.borrow().get(link).and_then(|link| link.received(&mid));
                if let Some(track) = track {
                    self.host.routed(&publication, link, &mid, &track);
                }
            }
            Output::Event(event) => self.host.tell(event, transport),
        }
    }

    fn open_socket(&self, id: SocketId, edge: Option<String>) {
        let socket = self.host.open_socket(edge).map(|socket| Socket::new(id, socket, self.reporter()));
        // What an early one has been through was told to nobody.
        let been_through = socket.as_ref().map_or(Some(Input::SocketClosed(id)), Socket::been_through);
        self.socket.replace(socket);
        if let Some(input) = been_through {
            self.feed(input);
        }
    }

    /// Another transport, which the tracks of the one before are handed to.
    fn replace_transport(&self) {
        self.retired.replace(self.transport.take());
        match Transport::open(&self.configuration, self.reporter()) {
            Ok(transport) => {
                self.host.transport_opened(transport.raw());
                transport.senders().replace(self.moving.take());
                self.transport.replace(Some(transport));
            }
            // A configuration the browser refuses.
            Err(_) => self.feed(Input::TransportRefused),
        }
    }

    /// The connection of this number, which is opened if there is none.
    fn link(&self, id: LinkId) -> Option<Rc<Link>> {
        let known = self.links.borrow().get(id);
        known.or_else(|| {
            let link = Link::open(id, &self.configuration, self.reporter()).ok()?;
            self.links.borrow_mut().push(link.clone());
            self.host.link_changed(id.0, Some(link.raw()));
            Some(link)
        })
    }

    fn each_link(&self, each: impl Fn(&Link)) {
        let all = self.links.borrow().all();
        all.iter().for_each(|link| each(link));
    }

    /// A publication is sent with another track, or none, also directly.
    pub(crate) fn replace_track(&self, publication: &PublicationId, track: Option<&MediaStreamTrack>) {
        self.each_link(|link| link.replace(publication, track));
    }

    fn make_offer(&self, publish: &[RequestId], grow: SlotCounts, restart: bool) {
        if let Some(transport) = self.open_transport()
            && transport.offer(publish, grow, restart).is_err()
        {
            self.feed(Input::OfferFailed);
        }
    }

    fn open_transport(&self) -> Option<Rc<Transport>> {
        self.transport.borrow().clone().filter(|transport| !transport.is_closed())
    }

    /// Feeds what a browser object says, as long as there is somebody to hear it.
    fn reporter(&self) -> impl Fn(Input) + Clone + 'static {
        let me = self.me.clone();
        move |input| {
            if let Some(runner) = me.upgrade() {
                runner.feed(input);
            }
        }
    }
}
