//! The two data channels, agreed on without a handshake.

use crate::border::{attempt, bytes, bytes_of, flag, is, number_of, object, put, put_number, put_object, put_text, result, text};
use client_core::Input;
use js_sys::Object;
use nearcast_protocol::{LOSSY_CHANNEL, RELIABLE_CHANNEL};
use wasm_bindgen::prelude::*;

/// Bytes that may wait in the reliable channel before senders are told to come back later; LiveKit's high watermark.
const MAX_WAITING_RELIABLE: u32 = 1024 * 1024;

/// Bytes that may wait in the lossy channel before messages are dropped: what is too old is of no use. Guess: 100 ms at 5 Mbit/s.
const MAX_WAITING_LOSSY: u32 = 64 * 1024;

/// One channel with its closure.
struct Channel {
    channel: JsValue,
    _on_message: Closure<dyn FnMut(JsValue)>,
}

impl Channel {
    fn open(transport: &JsValue, reliable: bool, report: impl Fn(Input) + 'static) -> Self {
        let init = Object::new();
        flag(true);
        put(&init, "negotiated");
        put_number(&init, "id", if reliable { RELIABLE_CHANNEL } else { LOSSY_CHANNEL }.into());
        if !reliable {
            flag(false);
            put(&init, "ordered");
            put_number(&init, "maxRetransmits", 0.0);
        }
        text("createDataChannel");
        text(if reliable { "reliable" } else { "lossy" });
        object(&init);
        let channel = result(transport);
        put_text(&channel, "binaryType", "arraybuffer");
        let on_message = Closure::<dyn FnMut(JsValue)>::new(move |event: JsValue| {
            if let Some(frame) = bytes_of(&event, "data") {
                report(Input::Data { frame, reliable });
            }
        });
        put_object(&channel, "onmessage", on_message.as_ref());
        Self { channel, _on_message: on_message }
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        put_object(&self.channel, "onmessage", &JsValue::NULL);
    }
}

/// Both channels.
pub(crate) struct Channels {
    reliable: Channel,
    lossy: Channel,
}

impl Channels {
    pub(crate) fn open(transport: &JsValue, report: impl Fn(Input) + Clone + 'static) -> Self {
        Self { reliable: Channel::open(transport, true, report.clone()), lossy: Channel::open(transport, false, report) }
    }

    /// Whether the browser took the frame, or dropped it as lossy channels do.
    pub(crate) fn send(&self, reliable: bool, frame: &[u8]) -> bool {
        let Channel { channel, .. } = if reliable { &self.reliable } else { &self.lossy };
        if !is(channel, "readyState", "open") {
            return false;
        }
        let waiting = number_of(channel, "bufferedAmount") as u32;
        if !reliable && waiting > MAX_WAITING_LOSSY {
            return true;
        }
        if waiting > MAX_WAITING_RELIABLE {
            return false;
        }
        text("send");
        bytes(frame);
        attempt(channel).is_ok()
    }
}
