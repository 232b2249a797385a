use super::*;
use is::stun::{StunMessage, TransId};

fn check(username: &str) -> Vec<u8> {
    let mut buffer = vec![0; 500];
    let request = StunMessage::binding_request(username, TransId::new(), true, 7, 100, true);
    let length = request.to_bytes(Some(b"password"), &mut buffer, |_, _| [0; 20]).unwrap();
    buffer.truncate(length);
    buffer
}

fn framed(datagram: &[u8]) -> Vec<u8> {
    let mut bytes = sfu_core::framing::prefix(datagram).unwrap().to_vec();
    bytes.extend_from_slice(datagram);
    bytes
}

#[test]
fn each_is_recognized_as_soon_as_it_can_be_and_never_as_another() {
    let client_hello = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3];
    let openings = [
        (client_hello.to_vec(), 2, Some(Opening::Tls)),
        (b"GET /v1/signal HTTP/1.1\r\n".to_vec(), 1, Some(Opening::Http)),
        (b"POST /whip/room HTTP/1.1\r\n".to_vec(), 1, Some(Opening::Http)),
        (framed(&check("00edge:browser")), 10, Some(Opening::Frame)),
        (check("00edge:browser"), 8, Some(Opening::Turn)),
        // An allocate request and a binding indication.
        (vec![0, 3, 0, 8, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3], 8, Some(Opening::Turn)),
        // SSH, an old SSL, zeros, SMB.
        (b"SSH-2.0-client\r\n".to_vec(), 1, Some(Opening::Http)),
        (vec![0x80, 0x2e, 1, 3, 1, 0, 0, 0, 0, 0], 1, None),
        (vec![0; 12], 10, None),
        (vec![0x16, 0x16, 0, 0], 2, None),
        (vec![0xff; 12], 1, None),
    ];
    for (bytes, needed, expected) in openings {
        for length in 0..needed {
            assert_eq!(recognize(&bytes[..length]), None, "{bytes:x?} at {length}");
        }
        for length in needed..bytes.len() {
            assert_eq!(recognize(&bytes[..length]), Some(expected), "{bytes:x?} at {length}");
        }
    }
}

#[test]
fn a_first_frame_tells_its_shard_when_it_is_whole() {
    let bytes = framed(&check("11edge:browser"));
    for length in 0..bytes.len() {
        assert_eq!(first_frame(&bytes[..length]), FirstFrame::Unfinished);
    }
    assert_eq!(first_frame(&bytes), FirstFrame::Check(ShardId(17)));
    let more = [&bytes[..], &[0, 5, 1]].concat();
    assert_eq!(first_frame(&more), FirstFrame::Check(ShardId(17)), "what follows is the shard's to read");
}

#[test]
fn a_first_frame_of_anything_else_is_a_stray() {
    assert_eq!(first_frame(&framed(&check("nobody:browser"))), FirstFrame::Stray);
    assert_eq!(first_frame(&framed(&[0x80; 40])), FirstFrame::Stray);
    assert_eq!(first_frame(&[0, 0, 1]), FirstFrame::Stray);
    assert_eq!(first_frame(&[0x47, 0x45, 0x54]), FirstFrame::Stray, "too long to be read to its end");
}
