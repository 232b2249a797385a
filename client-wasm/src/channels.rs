//! The two data channels, agreed on without a handshake.

use client_core::Input;
use js_sys::{ArrayBuffer, Uint8Array};
use nearcast_protocol::{LOSSY_CHANNEL, RELIABLE_CHANNEL};
use wasm_bindgen::prelude::*;
use web_sys::{MessageEvent, RtcDataChannel, RtcDataChannelInit, RtcDataChannelState, RtcDataChannelType, RtcPeerConnection};

/// Bytes that may wait in the reliable channel before senders are told to come back later; LiveKit's high watermark.
const MAX_WAITING_RELIABLE: u32 = 1024 * 1024;

/// Bytes that may wait in the lossy channel before messages are dropped: what is too old is of no use. Guess: 100 ms at 5 Mbit/s.
const MAX_WAITING_LOSSY: u32 = 64 * 1024;

/// One channel with its closure.
struct Channel {
    channel: RtcDataChannel,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
}

impl Channel {
    fn open(transport: &RtcPeerConnection, reliable: bool, report: impl Fn(Input) + 'static) -> Self {
        let init = RtcDataChannelInit::new();
        init.set_negotiated(true);
        init.set_id(if reliable { RELIABLE_CHANNEL } else { LOSSY_CHANNEL });
        if !reliable {
            init.set_ordered(false);
            init.set_max_retransmits(0);
        }
        let channel = transport.create_data_channel_with_data_channel_dict(if reliable { "reliable" } else { "lossy" }, &init);
        channel.set_binary_type(RtcDataChannelType::Arraybuffer);
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Ok(buffer) = event.data().dyn_into::<ArrayBuffer>() {
                report(Input::Data { frame: Uint8Array::new(&buffer).to_vec(), reliable });
            }
        });
        channel.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        Self { channel, _on_message: on_message }
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.channel.set_onmessage(None);
    }
}

/// Both channels.
pub(crate) struct Channels {
    reliable: Channel,
    lossy: Channel,
}

impl Channels {
    pub(crate) fn open(transport: &RtcPeerConnection, report: impl Fn(Input) + Clone + 'static) -> Self {
        Self { reliable: Channel::open(transport, true, report.clone()), lossy: Channel::open(transport, false, report) }
    }

    /// Whether the browser took the frame, or dropped it as lossy channels do.
    pub(crate) fn send(&self, reliable: bool, frame: &[u8]) -> bool {
        let Channel { channel, .. } = if reliable { &self.reliable } else { &self.lossy };
        if channel.ready_state() != RtcDataChannelState::Open {
            return false;
        }
        let waiting = channel.buffered_amount();
        if !reliable && waiting > MAX_WAITING_LOSSY {
            return true;
        }
        waiting <= MAX_WAITING_RELIABLE && channel.send_with_u8_array(frame).is_ok()
    }
}
