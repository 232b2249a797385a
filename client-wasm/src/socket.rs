//! The WebSocket to the edge, with its closures.

use client_core::{Input, SocketId};
use js_sys::{ArrayBuffer, Uint8Array};
use nearcast_protocol::SUBPROTOCOL_CBOR;
use wasm_bindgen::prelude::*;
use web_sys::{BinaryType, MessageEvent, WebSocket};

/// A WebSocket that reports under its number.
pub(crate) struct Socket {
    id: SocketId,
    socket: WebSocket,
    _on_open: Closure<dyn FnMut()>,
    _on_close: Closure<dyn FnMut()>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
}

impl Socket {
    /// Opens one; none when the browser refuses the address.
    pub(crate) fn open(id: SocketId, url: &str, report: impl Fn(Input) + Clone + 'static) -> Option<Self> {
        let socket = WebSocket::new_with_str(url, SUBPROTOCOL_CBOR).ok()?;
        socket.set_binary_type(BinaryType::Arraybuffer);
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
        Some(Self { id, socket, _on_open: on_open, _on_close: on_close, _on_message: on_message })
    }

    pub(crate) fn id(&self) -> SocketId {
        self.id
    }

    pub(crate) fn raw(&self) -> &WebSocket {
        &self.socket
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
