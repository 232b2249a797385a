//! The WebSocket to the edge, with its closures.

use crate::border::{attempt, bytes, bytes_of, make, put_object, put_text, text};
use client_core::{Input, SocketId};
use nearcast_protocol::SUBPROTOCOL_CBOR;
use wasm_bindgen::prelude::*;

/// A WebSocket that reports under its number.
pub(crate) struct Socket {
    id: SocketId,
    socket: JsValue,
    _on_open: Closure<dyn FnMut(JsValue)>,
    _on_close: Closure<dyn FnMut(JsValue)>,
    _on_message: Closure<dyn FnMut(JsValue)>,
}

impl Socket {
    /// Opens one; none when the browser refuses the address.
    pub(crate) fn open(id: SocketId, url: &str, report: impl Fn(Input) + Clone + 'static) -> Option<Self> {
        text(url);
        text(SUBPROTOCOL_CBOR);
        let socket = make("WebSocket").ok()?;
        put_text(&socket, "binaryType", "arraybuffer");
        let opened = report.clone();
        let on_open = Closure::<dyn FnMut(JsValue)>::new(move |_| opened(Input::SocketOpened(id)));
        let closed = report.clone();
        let on_close = Closure::<dyn FnMut(JsValue)>::new(move |_| closed(Input::SocketClosed(id)));
        let on_message = Closure::<dyn FnMut(JsValue)>::new(move |event: JsValue| {
            // Text isn't of this protocol: an empty message says so to the session.
            report(Input::SocketMessage(id, bytes_of(&event, "data").unwrap_or_default()));
        });
        put_object(&socket, "onopen", on_open.as_ref());
        put_object(&socket, "onclose", on_close.as_ref());
        put_object(&socket, "onmessage", on_message.as_ref());
        Some(Self { id, socket, _on_open: on_open, _on_close: on_close, _on_message: on_message })
    }

    pub(crate) fn id(&self) -> SocketId {
        self.id
    }

    pub(crate) fn raw(&self) -> &JsValue {
        &self.socket
    }

    pub(crate) fn send(&self, message: &[u8]) {
        // It throws only while connecting, when nothing is sent; once closed it drops, and `close` follows.
        text("send");
        bytes(message);
        let _ = attempt(&self.socket);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        for handler in ["onopen", "onclose", "onmessage"] {
            put_object(&self.socket, handler, &JsValue::NULL);
        }
        text("close");
        let _ = attempt(&self.socket);
    }
}
