//! What the writer writes, the parser reads; what does not fit is not written at all.

use proptest::prelude::*;

use super::*;
use crate::rtcp::{RtcpPacket, packets};
use crate::rtp::test_bytes::hex;

fn written(write: impl FnOnce(&mut CompoundWriter<'_>)) -> Vec<u8> {
    let mut out = [0xee; 2000];
    let mut compound = CompoundWriter::new(&mut out);
    write(&mut compound);
    compound.written().to_vec()
}

#[test]
fn bytes_as_the_rfcs_draw_them() {
    assert_eq!(written(|c| c.receiver_report(1, &[]).unwrap()), hex("80 c9 0001 00000001"));
    assert_eq!(written(|c| c.pli(1, 2).unwrap()), hex("81 ce 0002 00000001 00000002"));
    assert_eq!(written(|c| c.fir(1, &[(2, 3)]).unwrap()), hex("84 ce 0004 00000001 00000000 00000002 03000000"));
    assert_eq!(written(|c| c.bye(&[1, 2]).unwrap()), hex("82 cb 0002 00000001 00000002"));
    assert_eq!(written(|c| c.sdes_cname(1, b"abc").unwrap()), hex("81 ca 0003 00000001 01 03 616263 000000"));
    assert_eq!(written(|c| c.sdes_cname(1, b"ab").unwrap()), hex("81 ca 0003 00000001 01 02 6162 00000000"));
    assert_eq!(written(|c| c.remb(1, 1_000_000, &[9]).unwrap()), hex("8f ce 0005 00000001 00000000 52454d42 01 0bd090 00000009"));
}

#[test]
fn neighbours_share_a_nack_entry() {
    let lost = [0xfffe, 0xffff, 0, 14, 15, 100];
    assert_eq!(written(|c| c.nack(1, 2, &lost).unwrap()), hex("81 cd 0005 00000001 00000002 fffe 8003 000f 0000 0064 0000"));
}

#[test]
fn more_than_a_packet_carries_is_refused() {
    let mut out = [0; 4000];
    let mut compound = CompoundWriter::new(&mut out);
    assert_eq!(compound.receiver_report(1, &[ReportBlock::default(); 32]), Err(RtcpWriteError::TooMany));
    assert_eq!(compound.bye(&[0; 32]), Err(RtcpWriteError::TooMany));
    assert_eq!(compound.sdes_cname(1, &[b'a'; 256]), Err(RtcpWriteError::TooMany));
    assert_eq!(compound.remb(1, 1, &[0; 256]), Err(RtcpWriteError::TooMany));
    assert!(compound.is_empty());
}

#[test]
fn nothing_is_half_written() {
    let info = SenderInfo { ntp: 1, rtp_timestamp: 2, packets: 3, octets: 4 };
    let write_all = |compound: &mut CompoundWriter<'_>| {
        [
            compound.sender_report(1, &info, &[ReportBlock::default()]),
            compound.receiver_report(1, &[ReportBlock::default()]),
            compound.sdes_cname(1, b"somebody"),
            compound.nack(1, 2, &[1, 50]),
            compound.pli(1, 2),
            compound.fir(1, &[(2, 3)]),
            compound.remb(1, 99, &[1]),
            compound.bye(&[1]),
        ]
    };
    let full_len = {
        let mut out = [0; 1000];
        let mut compound = CompoundWriter::new(&mut out);
        assert_eq!(write_all(&mut compound), [Ok(()); 8]);
        compound.len()
    };
    for room in 0..full_len {
        let mut out = vec![0xee; room];
        let mut compound = CompoundWriter::new(&mut out);
        let results = write_all(&mut compound);
        let good = results.iter().filter(|result| result.is_ok()).count();
        assert!(good < 8);
        assert_eq!(packets(compound.written()).filter(Result::is_ok).count(), good, "{room} bytes");
        assert_eq!(packets(compound.written()).count(), good);
        let len = compound.len();
        assert_eq!(compound.room(), room - len);
        if good == 0 {
            assert!(compound.is_empty() && out.iter().all(|byte| *byte == 0xee));
        }
    }
}

fn block() -> impl Strategy<Value = ReportBlock> {
    (any::<[u32; 5]>(), any::<u8>(), -0x80_0000i32..=0x7f_ffff).prop_map(|(n, fraction_lost, cumulative_lost)| ReportBlock {
        ssrc: n[0],
        fraction_lost,
        cumulative_lost,
        highest_seq: n[1],
        jitter: n[2],
        last_sr: n[3],
        delay_since_last_sr: n[4],
    })
}

proptest! {
    #[test]
    fn written_compounds_read_back(
        ssrc: u32, media: u32, ntp: u64, counts: [u32; 3], bitrate: u64,
        blocks in prop::collection::vec(block(), 0..=31),
        cname in prop::collection::vec(any::<u8>(), 0..=255),
        ssrcs in prop::collection::vec(any::<u32>(), 0..=31),
        requests in prop::collection::vec(any::<(u32, u8)>(), 0..10),
        first_lost: u16, steps in prop::collection::vec(1u16..300, 0..100),
    ) {
        let mut lost = first_lost;
        let lost: Vec<u16> = steps.iter().map(|step| { lost = lost.wrapping_add(*step); lost }).collect();
        let info = SenderInfo { ntp, rtp_timestamp: counts[0], packets: counts[1], octets: counts[2] };
        let mut out = [0xee; 6000];
        let mut compound = CompoundWriter::new(&mut out);
        compound.sender_report(ssrc, &info, &blocks).unwrap();
        compound.receiver_report(ssrc, &blocks).unwrap();
        compound.sdes_cname(ssrc, &cname).unwrap();
        compound.nack(ssrc, media, &lost).unwrap();
        compound.pli(ssrc, media).unwrap();
        compound.fir(ssrc, &requests).unwrap();
        compound.remb(ssrc, bitrate, &ssrcs).unwrap();
        compound.bye(&ssrcs).unwrap();

        let mut read = packets(compound.written()).map(Result::unwrap);
        let Some(RtcpPacket::SenderReport(report)) = read.next() else { panic!("SR") };
        prop_assert_eq!((report.ssrc, report.info), (ssrc, info));
        prop_assert_eq!(report.reports().collect::<Vec<_>>(), &blocks[..]);
        let Some(RtcpPacket::ReceiverReport(report)) = read.next() else { panic!("RR") };
        prop_assert_eq!(report.reports().collect::<Vec<_>>(), &blocks[..]);
        let Some(RtcpPacket::Sdes(sdes)) = read.next() else { panic!("SDES") };
        prop_assert_eq!(sdes.cnames().collect::<Vec<_>>(), vec![(ssrc, &cname[..])]);
        let Some(RtcpPacket::Nack(nack)) = read.next() else { panic!("NACK") };
        prop_assert_eq!(nack.lost().collect::<Vec<_>>(), lost);
        prop_assert!(matches!(read.next(), Some(RtcpPacket::Pli(pli)) if (pli.sender_ssrc, pli.media_ssrc) == (ssrc, media)));
        let Some(RtcpPacket::Fir(fir)) = read.next() else { panic!("FIR") };
        prop_assert_eq!(fir.entries().collect::<Vec<_>>(), requests);
        let Some(RtcpPacket::Remb(remb)) = read.next() else { panic!("REMB") };
        prop_assert!(remb.bitrate <= bitrate && bitrate - remb.bitrate <= bitrate >> 17, "{} for {}", remb.bitrate, bitrate);
        prop_assert_eq!(remb.ssrcs().collect::<Vec<_>>(), &ssrcs[..]);
        let Some(RtcpPacket::Bye(bye)) = read.next() else { panic!("BYE") };
        prop_assert_eq!(bye.ssrcs().collect::<Vec<_>>(), ssrcs);
        prop_assert!(read.next().is_none());
    }
}
