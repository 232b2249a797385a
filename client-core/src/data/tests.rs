//! What goes in comes out, and what is too long is refused before it is sent.

use super::*;
use nearcast_protocol::wire::Cbor;

fn message(payload: usize, topic: usize) -> DataMessage {
    DataMessage { peer: Some("p".into()), topic: Some("t".repeat(topic)), payload: vec![7; payload], text: false }
}

#[test]
fn the_largest_message_passes_and_one_byte_more_is_refused() {
    assert!(encode(message(MAX_DATA_PAYLOAD, MAX_TOPIC)).is_ok());
    assert_eq!(encode(message(MAX_DATA_PAYLOAD + 1, 0)), Err(Code::DataTooLarge));
    assert_eq!(encode(message(0, MAX_TOPIC + 1)), Err(Code::DataTooLarge));
}

#[test]
fn a_frame_from_the_edge_names_its_sender() {
    let frame = DataFrame { from: Some("ada".into()), to: None, topic: None, payload: b"hi".to_vec(), text: true, beat: None };
    let message = DataMessage { peer: Some("ada".into()), topic: None, payload: b"hi".to_vec(), text: true };
    assert_eq!(decode(&frame.to_cbor()), Some(Received::Message(message)));
}

#[test]
fn a_beat_is_no_message() {
    assert_eq!(DataFrame::from_cbor(&beat(7)), Ok(DataFrame { beat: Some(7), ..DataFrame::default() }));
    assert_eq!(decode(&beat(7)), Some(Received::Beat(7)));
}

#[test]
fn noise_is_no_message() {
    assert_eq!(decode(&[0xff, 0x00, 0x13]), None);
    assert_eq!(decode(&[]), None);
}
