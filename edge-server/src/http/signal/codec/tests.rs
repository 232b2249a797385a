use super::*;
use nearcast_protocol::ClientMessage;

fn binary(bytes: &[u8]) -> Message {
    Message::Binary(bytes.to_vec())
}

#[test]
fn both_encodings_carry_the_same_request() {
    let envelope = ClientEnvelope { id: 7, message: ClientMessage::Ping };
    assert_eq!(Encoding::Cbor.decode(&binary(&envelope.to_cbor())), Some(Ok(envelope.clone())));
    assert_eq!(Encoding::Json.decode(&Message::Text(envelope.to_json())), Some(Ok(envelope)));
}

#[test]
fn json_says_where_it_is_broken() {
    let Some(Err(broken)) = Encoding::Json.decode(&Message::Text(r#"{"id":3,"type":"ping""#.into())) else { panic!("decoded") };
    let WireError::Malformed(why) = broken.error else { panic!("{broken:?}") };
    assert!(why.contains("line 1 column 21"), "{why}");
}

#[test]
fn a_request_of_a_later_version_keeps_its_id() {
    let later = Encoding::Json.decode(&Message::Text(r#"{"id":9,"type":"dance","with":"bob"}"#.into()));
    assert_eq!(later, Some(Err(Undecoded { id: 9, error: WireError::Unknown })));
    // {0: 9, 1: [99, []]}
    let later = Encoding::Cbor.decode(&binary(&[0xa2, 0, 9, 1, 0x82, 0x18, 99, 0x80]));
    assert_eq!(later, Some(Err(Undecoded { id: 9, error: WireError::Unknown })));
    // The same with the entries the other way round.
    assert_eq!(Encoding::Cbor.request_id(&binary(&[0xa2, 1, 0x82, 0x18, 99, 0x80, 0, 9])), 9);
}

#[test]
fn garbage_has_no_id() {
    for garbage in [&[][..], &[0xff], &[0xa1], &[0xbf, 0, 9], &[0xa1, 0, 0x1b, 255, 255, 255, 255, 255, 255, 255, 255]] {
        assert_eq!(Encoding::Cbor.request_id(&binary(garbage)), 0, "{garbage:?}");
        assert!(matches!(Encoding::Cbor.decode(&binary(garbage)), Some(Err(Undecoded { id: 0, error: WireError::Malformed(_) }))));
    }
    assert_eq!(Encoding::Json.request_id(&Message::Text("[[[[".into())), 0);
}

#[test]
fn frames_of_the_other_kind_are_refused() {
    let envelope = ClientEnvelope { id: 7, message: ClientMessage::Ping };
    assert!(matches!(Encoding::Json.decode(&binary(&envelope.to_cbor())), Some(Err(_))));
    assert!(matches!(Encoding::Cbor.decode(&Message::Text(envelope.to_json())), Some(Err(_))));
    assert_eq!(Encoding::Json.decode(&Message::Ping(Vec::new())), None);
}
