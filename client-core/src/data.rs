//! Messages between participants, as frames of a data channel. Not here: the channels themselves and what waits in them (`client-wasm`).

use crate::{Code, DataMessage, wire};
use alloc::vec::Vec;
use nearcast_protocol::{DataFrame, MAX_DATA_PAYLOAD};

/// Bytes of a topic (protocol/src/data.rs).
const MAX_TOPIC: usize = 128;

/// The frame that carries `message`.
pub(crate) fn encode(message: DataMessage) -> Result<Vec<u8>, Code> {
    let DataMessage { peer, topic, payload, text } = message;
    if payload.len() > MAX_DATA_PAYLOAD || topic.as_ref().is_some_and(|topic| topic.len() > MAX_TOPIC) {
        return Err(Code::DataTooLarge);
    }
    Ok(wire::encode_data_frame(&DataFrame { from: None, to: peer, topic, payload, text, beat: None }))
}

/// A heartbeat of this number.
pub(crate) fn beat(number: u32) -> Vec<u8> {
    wire::encode_data_frame(&DataFrame { beat: Some(number), ..DataFrame::default() })
}

/// What came through a channel.
#[derive(Debug, PartialEq)]
pub(crate) enum Received {
    Message(DataMessage),
    /// A heartbeat that came back.
    Beat(u32),
}

/// What is in a frame; none when it isn't one, which costs nobody anything.
pub(crate) fn decode(frame: &[u8]) -> Option<Received> {
    let DataFrame { from, topic, payload, text, beat, .. } = wire::data_frame(frame)?;
    Some(beat.map_or(Received::Message(DataMessage { peer: from, topic, payload, text }), Received::Beat))
}

#[cfg(test)]
mod tests;
