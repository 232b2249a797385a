//! Feedback messages as their RFCs draw them.

use super::*;
use crate::rtcp::{RtcpPacket, packets};
use crate::rtp::test_bytes::hex;

#[test]
fn nack_masks_are_the_numbers_after() {
    let packet = hex("81 cd 0004 00000001 00000002  fffe 8003  0064 0000");
    let Some(Ok(RtcpPacket::Nack(nack))) = packets(&packet).next() else { panic!("not a NACK") };
    assert_eq!((nack.sender_ssrc, nack.media_ssrc), (1, 2));
    assert_eq!(nack.lost().collect::<Vec<_>>(), [0xfffe, 0xffff, 0, 14, 100]);
}

#[test]
fn fir_entries() {
    let packet = hex("84 ce 0006 00000001 00000000  0000000a 07 000000  0000000b 08 000000");
    let Some(Ok(RtcpPacket::Fir(fir))) = packets(&packet).next() else { panic!("not a FIR") };
    assert_eq!(fir.entries().collect::<Vec<_>>(), [(10, 7), (11, 8)]);
}

fn remb(count_and_rate: &str, ssrcs: &str) -> Option<u64> {
    let body = hex(&format!("00000001 00000000 52454d42 {count_and_rate} {ssrcs}"));
    Remb::parse(&body).unwrap().map(|remb| remb.bitrate)
}

#[test]
fn remb_rates() {
    assert_eq!(remb("00 00 0001", ""), Some(1));
    assert_eq!(remb("00 03 ffff", ""), Some(0x3_ffff));
    assert_eq!(remb("01 0b d090", "0000000a"), Some(0x3_d090 << 2)); // 1 Mbit/s
    assert_eq!(remb("00 bb ffff", ""), Some(0x3_ffff << 46)); // the largest that fits
    assert_eq!(remb("00 bf ffff", ""), Some(u64::MAX)); // one bit more
    assert_eq!(remb("00 ff ffff", ""), Some(u64::MAX));
    assert_eq!(remb("00 fc 0000", ""), Some(0));
    assert_eq!(remb("00 fc 0001", ""), Some(1 << 63));
}

#[test]
fn remb_must_hold_the_sources_it_counts() {
    assert_eq!(Remb::parse(&hex("00000001 00000000 52454d42 02 03ffff 0000000a")), None);
    assert_eq!(Remb::parse(&hex("00000001 00000000 52454d42")), None);
}

#[test]
fn other_application_feedback_is_not_remb() {
    let packet = hex("8f ce 0003 00000001 00000000 41424344");
    assert_eq!(packets(&packet).next(), Some(Ok(RtcpPacket::Other { packet_type: 206, count: 15 })));
}
