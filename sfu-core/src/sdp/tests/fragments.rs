//! Fragments of descriptions, as PATCH of WHIP and WHEP carries them.

use crate::sdp::{Candidates, IceCredentials, SdpError, SdpFragment};

/// As RFC 9725 §4.3.3 shows one.
const RESTART: &str = "a=ice-options:trickle ice2\r\na=group:BUNDLE 0 1\r\na=ice-ufrag:ysXw\r\na=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host\r\n\
    a=end-of-candidates\r\n";

fn credentials() -> IceCredentials {
    IceCredentials { ufrag: "00edge".to_owned(), pwd: "0123456789abcdefghijklmn".to_owned() }
}

#[test]
fn a_restart_is_read_and_answered_in_kind() {
    let fragment = SdpFragment::parse(RESTART).unwrap();
    assert_eq!(fragment.ice.as_ref().map(|ice| ice.ufrag.as_str()), Some("ysXw"));
    assert_eq!(fragment.candidates, 1);
    let answer = fragment.answer(&credentials(), &Candidates { udp: &["192.0.2.9:7878".parse().unwrap()], tcp: &[] });
    let expected = "a=ice-lite\r\na=ice-ufrag:00edge\r\na=ice-pwd:0123456789abcdefghijklmn\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n\
        a=candidate:1 1 udp 2130706431 192.0.2.9 7878 typ host\r\na=end-of-candidates\r\n";
    assert_eq!(answer, expected);
}

#[test]
fn candidates_alone_are_no_restart() {
    let fragment = SdpFragment::parse("m=audio 9 RTP/AVP 0\na=mid:0\na=candidate:1 1 udp 1 192.0.2.1 6 typ host\n").unwrap();
    assert_eq!((fragment.ice, fragment.candidates), (None, 1));
}

#[test]
fn broken_fragments_are_refused() {
    let missing = SdpFragment::parse("a=ice-ufrag:ysXw\r\n").unwrap_err();
    assert_eq!(missing, SdpError::MissingIceCredentials);
    assert_eq!(SdpFragment::parse("a=ice-ufrag:y\r\na=ice-pwd:short\r\n").unwrap_err(), SdpError::InvalidIceCredentials);
    assert!(matches!(SdpFragment::parse("{\"candidate\":1}").unwrap_err(), SdpError::Syntax { .. }));
    assert_eq!(SdpFragment::parse("a=mid:0\rm=x").unwrap_err(), SdpError::ControlCharacter);
}

#[test]
fn nothing_but_tokens_is_mirrored() {
    let fragment = SdpFragment::parse(&RESTART.replace("a=mid:0", "a=mid:0 a=candidate")).unwrap();
    assert!(!fragment.answer(&credentials(), &Candidates { udp: &[], tcp: &[] }).contains("mid"));
}
