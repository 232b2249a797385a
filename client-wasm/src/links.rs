//! Direct connections: one RTCPeerConnection for each, which only sends or only receives. What they send are the tracks of the transport's senders,
//! in one size.

use crate::bindings::{Promise, RTCPeerConnection, Sender, Transceiver};
use crate::senders::{Sending, prefer_codecs};
use crate::transport::{Handler, Transport};
use alloc::rc::{Rc, Weak};
use alloc::vec::Vec;
use client_core::encodings::Caps;
use client_core::peer_ladder::{PeerLadder, PeerRung};
use client_core::{Input, LinkId, TransportState};
use core::cell::{Cell, RefCell};
use nearcast_protocol::client::Source;
use nearcast_protocol::{Mid, PublicationId};
use wasm_bindgen::prelude::*;
use web_sys::{
    MediaStream, MediaStreamTrack, RtcIceCandidateInit, RtcPeerConnectionIceEvent, RtcRtpSender, RtcSdpType, RtcSessionDescriptionInit,
};

/// A track that is sent directly.
struct Load {
    publication: PublicationId,
    transceiver: Transceiver,
    sending: Sending,
}

/// One connection with its closures.
pub(crate) struct Link {
    id: LinkId,
    connection: RTCPeerConnection,
    loads: RefCell<Vec<Load>>,
    /// Sections that no offer has told of.
    new: RefCell<Vec<PublicationId>>,
    /// What is played in step: a face with its voice, a screen with its sound.
    streams: [MediaStream; 2],
    caps: Cell<Caps>,
    closed: Cell<bool>,
    on_state: Handler,
    on_candidate: Closure<dyn FnMut(RtcPeerConnectionIceEvent)>,
    on_described: Handler,
    on_offered: Handler,
    on_failed: Handler,
    ignore: Handler,
}

impl Link {
    pub(crate) fn open(id: LinkId, configuration: &JsValue, report: impl Fn(Input) + Clone + 'static) -> Result<Rc<Self>, JsValue> {
        let connection = RTCPeerConnection::new(configuration)?;
        let streams = [MediaStream::new()?, MediaStream::new()?];
        Ok(Rc::new_cyclic(|me: &Weak<Self>| {
            let with_me = |then: fn(&Self) -> Option<Input>| {
                let (me, report) = (me.clone(), report.clone());
                Handler::new(move || {
                    if let Some(input) = me.upgrade().filter(|link| !link.closed.get()).and_then(|link| then(&link)) {
                        report(input);
                    }
                })
            };
            let (of_me, report) = (me.clone(), report.clone());
            let link = Self {
                id,
                loads: RefCell::default(),
                new: RefCell::default(),
                streams,
                caps: Cell::new(Caps { direct: Some(PeerLadder::new(0).rung()), ..Caps::default() }),
                closed: Cell::new(false),
                on_state: with_me(Self::state),
                on_candidate: Closure::new(move |event: RtcPeerConnectionIceEvent| {
                    let candidate = event.candidate().map(|one| one.candidate()).unwrap_or_default();
                    // An empty one says that there are no more.
                    if let Some(link) = of_me.upgrade().filter(|link| !candidate.is_empty() && !link.closed.get()) {
                        report(Input::LinkCandidate { link: link.id, candidate });
                    }
                }),
                on_described: with_me(|link| Some(link.described())),
                on_offered: with_me(|link| {
                    link.connection.set_local_offer().map_or_else(
                        |_| Some(link.failed()),
                        |promise| {
                            promise.settled(link.on_described.function(), link.on_failed.function());
                            None
                        },
                    )
                }),
                on_failed: with_me(|link| Some(link.failed())),
                ignore: with_me(|_| None),
                connection,
            };
            link.connection.set_onconnectionstatechange(Some(link.on_state.function()));
            link.connection.set_onicecandidate(Some(link.on_candidate.as_ref().unchecked_ref()));
            link
        }))
    }

    pub(crate) fn raw(&self) -> &RTCPeerConnection {
        &self.connection
    }

    fn state(&self) -> Option<Input> {
        let state = Transport::state_of(&self.connection)?;
        Some(Input::LinkState { link: self.id, state })
    }

    fn failed(&self) -> Input {
        Input::LinkState { link: self.id, state: TransportState::Failed }
    }

    /// The local description that was set.
    fn described(&self) -> Input {
        let Some(description) = self.connection.local_description() else { return self.failed() };
        let new = self.new.take();
        let loads = self.loads.borrow();
        let of = |load: &Load| new.contains(&load.publication).then(|| Some((load.publication.clone(), Mid(load.transceiver.mid()?))))?;
        Input::LinkDescribed { link: self.id, sdp: description.sdp(), sections: loads.iter().filter_map(of).collect() }
    }

    /// Adds sections for what `transport` sends as these, and offers them.
    pub(crate) fn offer(&self, transport: &Transport, publications: Vec<PublicationId>) -> Result<(), JsValue> {
        for publication in publications {
            let Some((track, sending)) = transport.senders().borrow().directly(&publication) else { continue };
            let [faces, screens] = &self.streams;
            let stream = if matches!(sending.video.source, Source::Screen | Source::ScreenAudio) { screens } else { faces };
            let transceiver = sending.add_transceiver(&self.connection, track.as_ref(), Some(stream))?;
            prefer_codecs(&transceiver, RtcRtpSender::get_capabilities(sending.kind()), sending.video.codec, sending.red);
            self.new.borrow_mut().push(publication.clone());
            self.loads.borrow_mut().push(Load { publication, transceiver, sending });
        }
        self.settled(&self.connection.set_local_offer()?, &self.on_described);
        self.set_parameters();
        Ok(())
    }

    /// Sets what the other end says. An offer is answered.
    pub(crate) fn describe(&self, sdp: &str) {
        let answer = !self.loads.borrow().is_empty();
        let description = RtcSessionDescriptionInit::new(if answer { RtcSdpType::Answer } else { RtcSdpType::Offer });
        description.set_sdp(sdp);
        self.settled(&self.connection.set_remote(&description), if answer { &self.ignore } else { &self.on_offered });
    }

    fn settled(&self, promise: &Promise, done: &Handler) {
        promise.settled(done.function(), self.on_failed.function());
    }

    pub(crate) fn add_candidate(&self, candidate: &str) {
        let init = RtcIceCandidateInit::new(candidate);
        // Everything is bundled with the first section.
        init.set_sdp_m_line_index(Some(0));
        // One that the browser can't use is one less.
        let added: Promise = self.connection.add_ice_candidate_with_opt_rtc_ice_candidate_init(Some(&init)).unchecked_into();
        added.settled(self.ignore.function(), self.ignore.function());
    }

    /// What a section receives.
    pub(crate) fn received(&self, mid: &Mid) -> Option<MediaStreamTrack> {
        crate::transport::received(&self.connection, mid)
    }

    /// A publication has another track now, or none.
    pub(crate) fn replace(&self, publication: &PublicationId, track: Option<&MediaStreamTrack>) {
        for load in self.loads.borrow().iter().filter(|load| load.publication == *publication) {
            let sender: Sender = load.transceiver.sender().unchecked_into();
            sender.replace_track(track).settled(self.ignore.function(), self.ignore.function());
        }
    }

    /// Holds all pictures down: to a rung of the connection, and to what holds those of the transport down.
    pub(crate) fn cap(&self, rung: Option<PeerRung>, caps: Option<Caps>) {
        let mut all = caps.unwrap_or_else(|| self.caps.get());
        all.direct = rung.or(self.caps.get().direct);
        self.caps.set(all);
        self.set_parameters();
    }

    fn set_parameters(&self) {
        for load in self.loads.borrow().iter().filter(|load| load.sending.is_video) {
            let promise = load.sending.set_parameters(&load.transceiver, &mut [], &self.caps.get(), false);
            promise.settled(self.ignore.function(), self.ignore.function());
        }
    }

    /// Closes everything at once. The closures stay until this is dropped, a task later.
    pub(crate) fn close(&self) {
        self.closed.set(true);
        self.connection.set_onconnectionstatechange(None);
        self.connection.set_onicecandidate(None);
        self.connection.close();
    }
}

/// More than are closed in one go: two for each of three people.
const MAX_RETIRED: usize = 8;

/// All of them.
#[derive(Default)]
pub(crate) struct Links {
    open: Vec<Rc<Link>>,
    /// Closed ones, whose closures may be at work: the oldest goes when there are many.
    retired: Vec<Rc<Link>>,
}

impl Links {
    pub(crate) fn get(&self, id: LinkId) -> Option<Rc<Link>> {
        self.open.iter().find(|link| link.id == id).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Rc<Link>> {
        self.open.clone()
    }

    pub(crate) fn push(&mut self, link: Rc<Link>) {
        self.open.push(link);
    }

    pub(crate) fn close(&mut self, id: LinkId) {
        if let Some(at) = self.open.iter().position(|link| link.id == id) {
            let link = self.open.swap_remove(at);
            link.close();
            if self.retired.len() >= MAX_RETIRED {
                self.retired.remove(0);
            }
            self.retired.push(link);
        }
    }
}
