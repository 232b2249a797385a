use super::*;

fn chosen(offered: &[&'static str]) -> (Encoding, Option<String>, bool) {
    let offered: Vec<_> = offered.iter().map(|name| HeaderValue::from_static(name)).collect();
    let choice = choose(offered.iter());
    (choice.encoding, choice.answer.map(|name| name.to_str().unwrap().to_owned()), choice.known)
}

#[test]
fn the_subprotocol_chooses_the_encoding() {
    assert_eq!(chosen(&[SUBPROTOCOL_CBOR]), (Encoding::Cbor, Some(SUBPROTOCOL_CBOR.to_owned()), true));
    assert_eq!(chosen(&[SUBPROTOCOL_JSON]), (Encoding::Json, Some(SUBPROTOCOL_JSON.to_owned()), true));
    assert_eq!(chosen(&["other", SUBPROTOCOL_JSON, SUBPROTOCOL_CBOR]), (Encoding::Cbor, Some(SUBPROTOCOL_CBOR.to_owned()), true));
    assert_eq!(chosen(&[]), (Encoding::Json, None, true));
}

#[test]
fn a_stranger_is_answered_so_that_it_can_be_told() {
    assert_eq!(chosen(&["chat", "nearcast.v9.cbor"]), (Encoding::Cbor, Some("nearcast.v9.cbor".to_owned()), false));
    assert_eq!(chosen(&["chat"]), (Encoding::Json, Some("chat".to_owned()), false));
}
