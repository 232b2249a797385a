//! The WebSocket to the edge, with its closures.

use client_core::{Input, SocketId};
use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{MessageEvent, WebSocket};

/// A WebSocket that reports under its number.
pub(crate) struct Socket {
    id: SocketId,
    socket: WebSocket,
    _on_open: Closure<dyn FnMut()>,
    _on_close: Closure<dyn FnMut()>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
}

impl Socket {
    pub(crate) fn new(id: SocketId, socket: WebSocket, report: impl Fn(Input) + Clone + 'static) -> Self {
        let opened = report.clone();
        let on_open = Closure::<dyn FnMut()>::new(move || opened(Input::SocketOpened(id)));
        let closed = report.clone();
        let on_close = Closure::<dyn FnMut()>::new(move || closed(Input::SocketClosed(id)));
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            // Text isn't of this protocol: an empty message says so to the session.
            let bytes = event.data().dyn_into::<ArrayBuffer>().map(|buffer| Uint8Array::new(&buffer).to_vec());
            report(Input::SocketMessage(id, bytes.unwrap_or_default()));
        });
        socket.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        Self { id, socket, _on_open: on_open, _on_close: on_close, _on_message: on_message }
    }

    pub(crate) fn id(&self) -> SocketId {
        self.id
    }

    /// What has happened before there was anybody to hear of it; none: it is still opening.
    pub(crate) fn been_through(&self) -> Option<Input> {
        match self.socket.ready_state() {
            WebSocket::CONNECTING => None,
            WebSocket::OPEN => Some(Input::SocketOpened(self.id)),
            _ => Some(Input::SocketClosed(self.id)),
        }
    }

    pub(crate) fn send(&self, bytes: &[u8]) {
        // It throws only while connecting, when nothing is sent; once closed it drops, and `close` follows.
        let _ = self.socket.send_with_u8_array(bytes);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onclose(None);
        self.socket.set_onmessage(None);
        let _ = self.socket.close();
    }
}
