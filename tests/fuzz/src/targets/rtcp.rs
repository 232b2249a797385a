//! Compounds.

use sfu_core::rtcp::{RtcpPacket, packets};

/// Numbers that one compound of `length` bytes may name: a NACK entry of four bytes names seventeen packets, a feedback chunk of two bytes a
/// run of 8,191.
fn most(length: usize) -> usize {
    length * 8_191
}

pub(crate) fn run(bytes: &[u8]) {
    let mut named = 0;
    for packet in packets(bytes) {
        let Ok(packet) = packet else { break };
        named += match packet {
            RtcpPacket::SenderReport(report) => report.reports().count(),
            RtcpPacket::ReceiverReport(report) => report.reports().count(),
            RtcpPacket::Sdes(sdes) => sdes.cnames().map(|(_, name)| name.len()).sum(),
            RtcpPacket::Bye(bye) => bye.ssrcs().count(),
            RtcpPacket::Nack(nack) => nack.lost().count(),
            RtcpPacket::TransportFeedback(feedback) => {
                let count = feedback.arrivals().count();
                assert!(count <= usize::from(u16::MAX));
                count
            }
            RtcpPacket::Fir(fir) => fir.entries().count(),
            RtcpPacket::Remb(remb) => remb.ssrcs().count(),
            _ => 0,
        };
    }
    assert!(named <= most(bytes.len()), "{named} of {} bytes", bytes.len());
}
