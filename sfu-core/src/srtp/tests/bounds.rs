//! Nothing grows without end, and nothing counts past its end.

use super::*;

#[test]
fn tables_are_bounded() {
    let master = master(SrtpProfile::AeadAes128Gcm, 7);
    let mut sender = SrtpSender::new(&master).unwrap();
    let mut receiver = SrtpReceiver::with_max_ssrcs(&master, 3).unwrap();
    for ssrc in 0..3 {
        open(&mut receiver, &sealed(&sender, ssrc, 1)).unwrap();
        open_report(&mut receiver, &sealed_report(&mut sender, ssrc)).unwrap();
    }
    assert_eq!(open(&mut receiver, &sealed(&sender, 3, 1)), Err(SrtpError::TooManySsrcs));
    assert_eq!(open_report(&mut receiver, &sealed_report(&mut sender, 3)), Err(SrtpError::TooManySsrcs));
    assert_eq!(receiver.sources(), (3, 3));

    // Known sources go on; forgetting one makes room for one.
    open(&mut receiver, &sealed(&sender, 0, 2)).unwrap();
    receiver.retain(|ssrc| ssrc != 1);
    open(&mut receiver, &sealed(&sender, 3, 1)).unwrap();
    open_report(&mut receiver, &sealed_report(&mut sender, 3)).unwrap();
    assert_eq!(receiver.sources(), (3, 3));
    assert_eq!(open(&mut receiver, &sealed(&sender, 2, 1)), Err(SrtpError::Replayed));
}

#[test]
fn the_index_must_be_the_headers() {
    let (sender, _) = pair(SrtpProfile::AeadAes128Gcm);
    let (mut packet, header_len) = plain(SSRC, 5);
    let len = packet.len();
    packet.resize(len + 16, 0);
    assert_eq!(sender.protect_rtp(&mut packet, len, header_len, 6), Err(SrtpError::IndexMismatch));
    assert_eq!(sender.protect_rtp(&mut packet, len, header_len, (1 << 48) | 5), Err(SrtpError::KeyExhausted));
    assert_eq!(sender.protect_rtp(&mut packet, len, header_len, ((1 << 48) - 0x1_0000) | 5), Ok(len + 16));
}

#[test]
fn short_buffers_are_noticed() {
    for profile in SrtpProfile::ALL {
        let (mut sender, _) = pair(profile);
        let (packet, header_len) = plain(SSRC, 5);
        let mut buf = packet.clone();
        buf.resize(packet.len() + profile.rtp_overhead() - 1, 0);
        assert_eq!(sender.protect_rtp(&mut buf, packet.len(), header_len, 5), Err(SrtpError::BufferTooSmall));
        buf.push(0);
        assert_eq!(sender.protect_rtp(&mut buf, packet.len(), packet.len() + 1, 5), Err(SrtpError::Truncated));
        assert_eq!(sender.protect_rtp(&mut buf, packet.len(), 11, 5), Err(SrtpError::Truncated));
        let mut buf = vec![0; 8 + profile.rtcp_overhead() - 1];
        assert_eq!(sender.protect_rtcp(&mut buf, 8), Err(SrtpError::BufferTooSmall));
        assert_eq!(sender.protect_rtcp(&mut buf, 7), Err(SrtpError::Truncated));
    }
}
