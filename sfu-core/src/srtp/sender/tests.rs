//! SRTCP indices count up once for all sources, and stop at their end.

use super::*;

fn sender() -> SrtpSender {
    SrtpSender::new(&MasterKey::new(SrtpProfile::AeadAes128Gcm, &[1; 16], &[2; 12]).unwrap()).unwrap()
}

fn report(ssrc: u8) -> [u8; 28] {
    let mut packet = [0; 28];
    packet[..8].copy_from_slice(&[0x80, 201, 0, 1, 0, 0, 0, ssrc]);
    packet
}

#[test]
fn sources_share_one_counter_from_zero() {
    let mut sender = sender();
    for (expected, ssrc) in [(0u8, 5), (1, 6), (2, 5)] {
        let mut packet = report(ssrc);
        assert_eq!(sender.protect_rtcp(&mut packet, 8), Ok(28));
        assert_eq!(packet[24..], [0x80, 0, 0, expected]);
    }
}

#[test]
fn the_last_index_is_used_once() {
    let mut sender = sender();
    sender.next_rtcp_index = MAX_RTCP_INDEX;
    let mut packet = report(5);
    assert_eq!(sender.protect_rtcp(&mut packet, 8), Ok(28));
    assert_eq!(packet[24..], [0xff; 4]);
    for _ in 0..2 {
        assert_eq!(sender.protect_rtcp(&mut report(5), 8), Err(SrtpError::KeyExhausted));
    }
}
