//! The RTCPeerConnection: one for everything, always offering. Sections are `sendonly` or `recvonly`, never both ways.

use crate::bindings::{Promise, RTCPeerConnection};
use crate::channels::Channels;
use crate::senders::{Senders, offer_extensions, prefer_codecs, receiving_capabilities};
use alloc::rc::{Rc, Weak};
use client_core::publish::VideoCodec;
use client_core::{Input, RequestId, SlotCounts, TransportState};
use core::cell::{Cell, RefCell};
use nearcast_protocol::Mid;
use wasm_bindgen::prelude::*;
use web_sys::{
    MediaStreamTrack, RtcPeerConnectionState, RtcRtpTransceiver, RtcRtpTransceiverDirection, RtcRtpTransceiverInit, RtcSdpType,
    RtcSessionDescriptionInit,
};

/// The transport with its channels and closures.
pub(crate) struct Transport {
    connection: RTCPeerConnection,
    channels: Channels,
    senders: RefCell<Senders>,
    closed: Cell<bool>,
    on_state: Handler,
    on_offer: Handler,
    on_offer_failed: Handler,
    on_answer: Handler,
    on_answer_failed: Handler,
    on_parameters: Handler,
    /// For promises whose failure changes nothing: without a handler it would turn up as an unhandled rejection in the page.
    ignore: Handler,
}

/// A callback for events and promises, whatever they bring.
pub(crate) struct Handler(Closure<dyn FnMut(JsValue)>);

impl Handler {
    pub(crate) fn new(callback: impl Fn() + 'static) -> Self {
        Self(Closure::new(move |_| callback()))
    }

    pub(crate) fn function(&self) -> &js_sys::Function {
        self.0.as_ref().unchecked_ref()
    }
}

impl Transport {
    pub(crate) fn open(configuration: &JsValue, report: impl Fn(Input) + Clone + 'static) -> Result<Rc<Self>, JsValue> {
        let connection = RTCPeerConnection::new(configuration)?;
        Ok(Rc::new_cyclic(|me: &Weak<Self>| {
            // What a closed transport still has to say is of no interest: another may have taken its place.
            let of_me = me.clone();
            let report = move |input| {
                if of_me.upgrade().is_some_and(|transport| !transport.is_closed()) {
                    report(input);
                }
            };
            let with_me = |then: fn(&Self) -> Option<Input>| {
                let (me, report) = (me.clone(), report.clone());
                Handler::new(move || {
                    if let Some(input) = me.upgrade().and_then(|transport| then(&transport)) {
                        report(input);
                    }
                })
            };
            let transport = Self {
                channels: Channels::open(&connection, report.clone()),
                senders: RefCell::default(),
                closed: Cell::new(false),
                on_state: with_me(Self::state),
                on_offer: with_me(|transport| Some(transport.offered())),
                on_offer_failed: with_me(|_| Some(Input::OfferFailed)),
                on_answer: with_me(|_| Some(Input::AnswerApplied)),
                on_answer_failed: with_me(|_| Some(Input::AnswerFailed)),
                on_parameters: with_me(|transport| {
                    transport.senders.borrow_mut().parameters_settled(transport);
                    None
                }),
                ignore: with_me(|_| None),
                connection,
            };
            transport.connection.set_onconnectionstatechange(Some(transport.on_state.function()));
            transport
        }))
    }

    pub(crate) fn raw(&self) -> &RTCPeerConnection {
        &self.connection
    }

    pub(crate) fn channels(&self) -> &Channels {
        &self.channels
    }

    pub(crate) fn senders(&self) -> &RefCell<Senders> {
        &self.senders
    }

    fn state(&self) -> Option<Input> {
        Self::state_of(&self.connection).map(Input::Transport)
    }

    pub(crate) fn state_of(connection: &RTCPeerConnection) -> Option<TransportState> {
        Some(match connection.connection_state() {
            RtcPeerConnectionState::Connected => TransportState::Connected,
            RtcPeerConnectionState::Disconnected => TransportState::Disconnected,
            RtcPeerConnectionState::Failed => TransportState::Failed,
            _ => return None,
        })
    }

    /// Adds sections for these tracks and slots, makes the offer that contains them, with new ICE credentials if wanted, and sets it. Nobody waits for candidates: the edge needs none.
    /// Ends with `OfferMade` or `OfferFailed`, unless it fails at once.
    pub(crate) fn offer(&self, publish: &[RequestId], grow: SlotCounts, restart: bool) -> Result<(), JsValue> {
        if restart {
            self.connection.restart_ice();
        }
        for request in publish {
            self.senders.borrow_mut().place(self, *request)?;
        }
        for (kind, count) in [("audio", grow.audio), ("video", grow.video)] {
            for _ in 0..count {
                let init = RtcRtpTransceiverInit::new();
                init.set_direction(RtcRtpTransceiverDirection::Recvonly);
                let transceiver = self.connection.try_add_transceiver(&kind.into(), &init)?;
                prefer_codecs(&transceiver, receiving_capabilities(kind), VideoCodec::Vp8, true);
                offer_extensions(transceiver.unchecked_ref(), false);
            }
        }
        self.senders.borrow().offer_extensions();
        self.connection.set_local_offer()?.settled(self.on_offer.function(), self.on_offer_failed.function());
        Ok(())
    }

    /// The offer that was set, and where its new tracks are.
    fn offered(&self) -> Input {
        match self.connection.local_description() {
            Some(description) => Input::OfferMade { sdp: description.sdp(), mids: self.senders.borrow().mids() },
            None => Input::OfferFailed,
        }
    }

    /// Ends with `AnswerApplied` or `AnswerFailed`.
    pub(crate) fn apply_answer(&self, sdp: &str) {
        let answer = RtcSessionDescriptionInit::new(RtcSdpType::Answer);
        answer.set_sdp(sdp);
        self.connection.set_remote(&answer).settled(self.on_answer.function(), self.on_answer_failed.function());
    }

    pub(crate) fn roll_back(&self) {
        self.ignore(&self.connection.set_local(&RtcSessionDescriptionInit::new(RtcSdpType::Rollback)));
    }

    /// What a section receives.
    pub(crate) fn received(&self, mid: &Mid) -> Option<MediaStreamTrack> {
        received(&self.connection, mid)
    }

    /// It goes on, and says nothing more.
    pub(crate) fn hush(&self) {
        self.closed.set(true);
    }

    /// Closes everything at once. The callbacks stay until this is dropped, a task later: promises may have settled already.
    pub(crate) fn close(&self) {
        self.closed.set(true);
        self.connection.set_onconnectionstatechange(None);
        self.connection.close();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// Has the senders told when this setting of parameters has come to an end, good or bad.
    pub(crate) fn setting_parameters(&self, promise: &Promise) {
        promise.settled(self.on_parameters.function(), self.on_parameters.function());
    }

    /// Lets a promise run whose failure changes nothing.
    pub(crate) fn ignore(&self, promise: &Promise) {
        promise.settled(self.ignore.function(), self.ignore.function());
    }
}

/// What a section receives.
pub(crate) fn received(connection: &RTCPeerConnection, mid: &Mid) -> Option<MediaStreamTrack> {
    let transceivers = connection.get_transceivers();
    let mut transceivers = transceivers.iter().map(JsCast::unchecked_into::<RtcRtpTransceiver>);
    Some(transceivers.find(|one| one.mid().as_deref() == Some(mid.as_str()))?.receiver().track())
}
