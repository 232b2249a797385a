//! The RTCPeerConnection: one for everything, always offering. Sections are `sendonly` or `recvonly`, never both ways.

use crate::border::{ask, attempt, get, is, make, object, put_object, put_text, result, settled, text, text_of};
use crate::channels::Channels;
use crate::senders::{Senders, offer_extensions, prefer_codecs};
use alloc::rc::{Rc, Weak};
use client_core::publish::VideoCodec;
use client_core::{Input, RequestId, SlotCounts, TransportState};
use core::cell::{Cell, RefCell};
use js_sys::{Array, Object};
use nearcast_protocol::Mid;
use wasm_bindgen::prelude::*;

/// The transport with its channels and closures.
pub(crate) struct Transport {
    connection: JsValue,
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
struct Handler(Closure<dyn FnMut(JsValue)>);

impl Handler {
    fn new(callback: impl Fn() + 'static) -> Self {
        Self(Closure::new(move |_| callback()))
    }

    fn function(&self) -> &js_sys::Function {
        self.0.as_ref().unchecked_ref()
    }
}

impl Transport {
    pub(crate) fn open(configuration: &JsValue, report: impl Fn(Input) + Clone + 'static) -> Result<Rc<Self>, JsValue> {
        object(configuration);
        let connection = make("RTCPeerConnection")?;
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
            put_object(&transport.connection, "onconnectionstatechange", transport.on_state.function());
            transport
        }))
    }

    pub(crate) fn raw(&self) -> &JsValue {
        &self.connection
    }

    pub(crate) fn channels(&self) -> &Channels {
        &self.channels
    }

    pub(crate) fn senders(&self) -> &RefCell<Senders> {
        &self.senders
    }

    fn state(&self) -> Option<Input> {
        [("connected", TransportState::Connected), ("disconnected", TransportState::Disconnected), ("failed", TransportState::Failed)]
            .into_iter()
            .find(|(name, _)| is(&self.connection, "connectionState", name))
            .map(|(_, state)| Input::Transport(state))
    }

    /// Adds sections for these tracks and slots, makes the offer that contains them, with new ICE credentials if wanted, and sets it. Nobody waits for candidates: the edge needs none.
    /// Ends with `OfferMade` or `OfferFailed`, unless it fails at once.
    pub(crate) fn offer(&self, publish: &[RequestId], grow: SlotCounts, restart: bool) -> Result<(), JsValue> {
        if restart {
            ask(&self.connection, "restartIce");
        }
        for request in publish {
            self.senders.borrow_mut().place(self, *request)?;
        }
        for (kind, count) in [("audio", grow.audio), ("video", grow.video)] {
            for _ in 0..count {
                let init = Object::new();
                put_text(&init, "direction", "recvonly");
                text("addTransceiver");
                text(kind);
                object(&init);
                let transceiver = attempt(&self.connection)?;
                prefer_codecs(&transceiver, "RTCRtpReceiver", kind, VideoCodec::Vp8, true);
                offer_extensions(&transceiver, false);
            }
        }
        // Without a description it makes the offer itself (RFC 8829 §4.1.10).
        text("setLocalDescription");
        settled(&attempt(&self.connection)?, self.on_offer.function(), self.on_offer_failed.function());
        Ok(())
    }

    /// The offer that was set, and where its new tracks are.
    fn offered(&self) -> Input {
        let description = get(&self.connection, "localDescription");
        if description.is_null() {
            return Input::OfferFailed;
        }
        Input::OfferMade { sdp: text_of(&description, "sdp").unwrap_or_default(), mids: self.senders.borrow().mids() }
    }

    /// Ends with `AnswerApplied` or `AnswerFailed`.
    pub(crate) fn apply_answer(&self, sdp: &str) {
        let promise = self.describe("setRemoteDescription", "answer", sdp);
        settled(&promise, self.on_answer.function(), self.on_answer_failed.function());
    }

    pub(crate) fn roll_back(&self) {
        self.ignore(&self.describe("setLocalDescription", "rollback", ""));
    }

    /// Sets a description, whose failure is a failed promise.
    fn describe(&self, method: &str, kind: &str, sdp: &str) -> JsValue {
        let description = Object::new();
        put_text(&description, "type", kind);
        put_text(&description, "sdp", sdp);
        text(method);
        object(&description);
        result(&self.connection)
    }

    /// What a section receives.
    pub(crate) fn received(&self, mid: &Mid) -> Option<JsValue> {
        let transceivers: Array = ask(&self.connection, "getTransceivers").unchecked_into();
        let mut transceivers = transceivers.iter();
        transceivers.find(|one| is(one, "mid", mid.as_str())).map(|one| get(&get(&one, "receiver"), "track"))
    }

    /// Closes everything at once. The callbacks stay until this is dropped, a task later: promises may have settled already.
    pub(crate) fn close(&self) {
        self.closed.set(true);
        put_object(&self.connection, "onconnectionstatechange", &JsValue::NULL);
        ask(&self.connection, "close");
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// Has the senders told when this setting of parameters has come to an end, good or bad.
    pub(crate) fn setting_parameters(&self, promise: &JsValue) {
        settled(promise, self.on_parameters.function(), self.on_parameters.function());
    }

    /// Lets a promise run whose failure changes nothing.
    pub(crate) fn ignore(&self, promise: &JsValue) {
        settled(promise, self.ignore.function(), self.ignore.function());
    }
}
