//! Report fields lie where RFC 3550 draws them.

use crate::rtcp::{ReportBlock, RtcpPacket, SenderInfo, packets};
use crate::rtp::test_bytes::hex;

const BLOCK: &str = "0000000a 40 fffffe 00010005 00000007 80000000 00010000";

fn block() -> ReportBlock {
    ReportBlock {
        ssrc: 10,
        fraction_lost: 64,
        cumulative_lost: -2,
        highest_seq: 0x0001_0005,
        jitter: 7,
        last_sr: 0x8000_0000,
        delay_since_last_sr: 65_536,
    }
}

#[test]
fn sender_report() {
    let packet = hex(&format!("81 c8 000c 00000001 e9a1b2c3 d4e5f607 00000bb8 00000064 0001e240 {BLOCK}"));
    let Some(Ok(RtcpPacket::SenderReport(report))) = packets(&packet).next() else { panic!("not a sender report") };
    assert_eq!(report.ssrc, 1);
    assert_eq!(report.info, SenderInfo { ntp: 0xe9a1_b2c3_d4e5_f607, rtp_timestamp: 3000, packets: 100, octets: 123_456 });
    assert_eq!(report.info.compact_ntp(), 0xb2c3_d4e5);
    assert_eq!(report.reports().collect::<Vec<_>>(), [block()]);
}

#[test]
fn receiver_report_with_an_extension_behind_its_blocks() {
    let packet = hex(&format!("81 c9 0008 00000001 {BLOCK} 11111111"));
    let Some(Ok(RtcpPacket::ReceiverReport(report))) = packets(&packet).next() else { panic!("not a receiver report") };
    assert_eq!(report.reports().collect::<Vec<_>>(), [block()]);
}

#[test]
fn cumulative_loss_is_clamped_to_24_bits() {
    for (lost, wire) in [(i32::MAX, hex("40 7fffff")), (i32::MIN, hex("40 800000")), (-1, hex("40 ffffff")), (5, hex("40 000005"))] {
        assert_eq!(ReportBlock { cumulative_lost: lost, ..block() }.words()[1][..], wire);
    }
}
