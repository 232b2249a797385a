//! Names and goodbyes, whatever else their packets carry.

use crate::rtcp::{RtcpPacket, packets};
use crate::rtp::test_bytes::hex;

fn cnames(packet: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let Some(Ok(RtcpPacket::Sdes(sdes))) = packets(packet).next() else { panic!("not SDES") };
    sdes.cnames().map(|(ssrc, cname)| (ssrc, cname.to_vec())).collect()
}

#[test]
fn names_of_several_chunks() {
    // A name ending in a word of zeros; a name behind a NOTE; a source without a name.
    let packet = hex("83 ca 0009  00000001 01 02 6162 00000000  00000002 07 01 78 01 03 616263 00000000  00000003 07 01 78 00");
    assert_eq!(cnames(&packet), vec![(1, b"ab".to_vec()), (2, b"abc".to_vec())]);
}

#[test]
fn a_chunk_cut_short_ends_the_names() {
    for body in ["00000002 01 08 6162", "00000002 01", "00000002 01 02 6162", "0000"] {
        let body = [hex("00000001 01 01 61 00"), hex(body)].concat();
        let body = [&body[..], &vec![1; body.len().next_multiple_of(4) - body.len()]].concat();
        let packet = [&[0x82, 202, 0, (body.len() / 4) as u8], &body[..]].concat();
        assert_eq!(cnames(&packet), vec![(1, b"a".to_vec())]);
    }
}

#[test]
fn goodbye_with_a_reason() {
    let packet = hex("82 cb 0004 00000001 00000002 06 62 79 65 62 79 65 00");
    let Some(Ok(RtcpPacket::Bye(bye))) = packets(&packet).next() else { panic!("not BYE") };
    assert_eq!(bye.ssrcs().collect::<Vec<_>>(), [1, 2]);
}
