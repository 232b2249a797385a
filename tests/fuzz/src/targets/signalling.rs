//! Signalling: what a client sends, and what an edge sends (an SDK reads it).

use nearcast_protocol::wire::{Cbor, Json};
use nearcast_protocol::{ClientEnvelope, ServerMessage};

pub(crate) fn run(bytes: &[u8]) {
    stays_itself::<ClientEnvelope>(bytes);
    stays_itself::<ServerMessage>(bytes);
}

/// What was read from either encoding is what is written and read again in the same.
fn stays_itself<T: Cbor + Json + std::fmt::Debug>(bytes: &[u8]) {
    if let Ok(message) = T::from_cbor(bytes) {
        let (said, again) = (message.to_cbor(), T::from_cbor(&message.to_cbor()));
        assert_eq!(again.expect("what was written is read").to_cbor(), said);
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(message) = T::from_json(text) {
        let said = message.to_json();
        assert_eq!(T::from_json(&said).expect("what was written is read").to_json(), said);
    }
}
